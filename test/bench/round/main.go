// Command round measures one round of the exporter's direct source against a
// real RocketMQ with very many topics and groups, and beside it, in turn, the
// very same requests sent bare: all at once on one connection, their answers
// read and thrown away. The ratio of the two is what the exporter adds.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

func main() {
	version := flag.String("version", realmq.Version5, "version of RocketMQ")
	rounds := flag.Int("rounds", 40, "rounds that are measured")
	ways := flag.Int("ways", 10, "how often each single way of asking is measured; 0 for not at all")
	window := flag.Int("window", 0, "requests under way at the broker; 0 for the exporter's own default")
	slow := flag.Int("slow", 40, "rounds with the slower cycle behind them, beside as many without; 0 for not at all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *version, *rounds, *ways, *window, *slow)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "round:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, version string, rounds, ways, window, slow int) error {
	mq, err := realmq.New(ctx, realmq.Options{Version: version, Brokers: []realmq.BrokerOptions{{HeapMB: 1024}}})
	if err != nil {
		return err
	}
	defer mq.Close()
	began := time.Now()
	seed := realmq.Seed{Topics: 1000, Queues: 8, Messages: 4, Groups: 250, TopicsPerGroup: 8, Committed: 2}
	if _, err := mq.Seed(ctx, seed); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	fmt.Printf("RocketMQ %s, seeded in %v\n", version, time.Since(began).Round(time.Second))

	tap, times := &tap{}, &times{}
	src := direct.New(direct.Options{
		NameServers: mq.NameServers(),
		Remoting:    remoting.Options{Dial: tap.dial, Observe: times.observe, Window: window},
		SlowEvery:   -1,
	})
	defer src.Close()
	// Warm: the JVM compiles, the source learns what the broker can do.
	for range rounds {
		src.Collect(ctx)
	}
	tap.record(true)
	r := src.Collect(ctx)
	tap.record(false)
	if len(r.Failures) > 0 {
		return r.Failures[0].Err
	}
	report := lag.Build(r.Snapshots[0])
	recorded := tap.conns()
	for _, c := range recorded {
		if err := errors.Join(c.prepare(), bare(ctx, c)); err != nil {
			return err
		}
	}

	var whole, floor, build []time.Duration
	var ratio []float64
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	times.reset()
	for range rounds {
		t := time.Now()
		r := src.Collect(ctx)
		whole = append(whole, time.Since(t))
		if len(r.Failures) > 0 {
			return r.Failures[0].Err
		}
		t = time.Now()
		lag.Build(r.Snapshots[0])
		build = append(build, time.Since(t))
		t = time.Now()
		for _, c := range recorded {
			if err := bare(ctx, c); err != nil {
				return err
			}
		}
		floor = append(floor, time.Since(t))
		ratio = append(ratio, float64(whole[len(whole)-1])/float64(floor[len(floor)-1]))
	}
	runtime.ReadMemStats(&after)
	requests, bytes := 0, 0
	for _, c := range recorded {
		requests += c.frames
		bytes += c.received
	}
	fmt.Printf("rows %d, requests %d, answers %.1f kB\n", report.Rows(), requests, float64(bytes)/1000)
	line("round", whole)
	line("report", build)
	line("bare requests", floor)
	slices.Sort(ratio)
	fmt.Printf("%-14s median %5.2f   min %5.2f   max %5.2f\n", "round / bare", ratio[len(ratio)/2], ratio[0], ratio[len(ratio)-1])
	times.print()
	fmt.Printf("allocated per round (bare requests included) %.1f kB\n", float64(after.TotalAlloc-before.TotalAlloc)/float64(rounds)/1000)
	if err := measureSlowCycle(ctx, mq, window, slow); err != nil {
		return err
	}
	if ways > 0 {
		measureWays(ctx, mq, seed, ways)
	}
	return nil
}

func line(name string, list []time.Duration) {
	slices.Sort(list)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Printf("%-14s median %6.1f ms   min %6.1f   max %6.1f\n", name, ms(list[len(list)/2]), ms(list[0]), ms(list[len(list)-1]))
}

// times are how long answers took, by request.
type times struct {
	mu   sync.Mutex
	took map[remoting.RequestCode][]time.Duration
}

func (t *times) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took = make(map[remoting.RequestCode][]time.Duration)
}

func (t *times) observe(x remoting.Exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.took != nil {
		t.took[x.Code] = append(t.took[x.Code], x.Took)
	}
}

func (t *times) print() {
	for _, code := range slices.Sorted(maps.Keys(t.took)) {
		line(fmt.Sprintf("  request %d", code), t.took[code])
	}
}

// recording is what one connection carried in one round.
type recording struct {
	addr     string
	sent     bytes.Buffer
	frames   int
	received int
}

// tap opens connections and records what is written to them.
type tap struct {
	mu   sync.Mutex
	on   bool
	list map[string]*recording
}

func (t *tap) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &tapped{Conn: c, tap: t, addr: addr}, nil
}

func (t *tap) record(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.on = on; on {
		t.list = make(map[string]*recording)
	}
}

func (t *tap) conns() []*recording {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []*recording
	for _, r := range t.list {
		list = append(list, r)
	}
	return list
}

type tapped struct {
	net.Conn

	tap  *tap
	addr string
}

func (c *tapped) Write(b []byte) (int, error) {
	c.tap.mu.Lock()
	if c.tap.on {
		r := c.tap.list[c.addr]
		if r == nil {
			r = &recording{addr: c.addr}
			c.tap.list[c.addr] = r
		}
		r.sent.Write(b)
	}
	c.tap.mu.Unlock()
	return c.Conn.Write(b)
}

// bare sends a recording at once and reads as many answers as it has requests.
func bare(ctx context.Context, r *recording) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	failed := make(chan error, 1)
	go func() {
		_, err := c.Write(r.sent.Bytes())
		failed <- err
	}()
	in := bufio.NewReaderSize(c, 64<<10)
	r.received = 0
	for range r.frames {
		head, err := in.Peek(4)
		if err != nil {
			return err
		}
		n := 4 + int(head[0])<<24 + int(head[1])<<16 + int(head[2])<<8 + int(head[3])
		if _, err := in.Discard(n); err != nil {
			return err
		}
		r.received += n
	}
	return <-failed
}

// prepare leaves out of a recording what a round does not wait for: the runtime
// of the brokers, for which they look at their disks.
func (r *recording) prepare() error {
	in := bufio.NewReader(bytes.NewReader(r.sent.Bytes()))
	var out, buf []byte
	for {
		f, grown, err := remoting.ReadFrame(in, buf, remoting.DefaultMaxFrame)
		if errors.Is(err, io.EOF) {
			r.sent = *bytes.NewBuffer(out)
			return nil
		}
		if err != nil {
			return err
		}
		if buf = grown; f.Code == int32(remoting.GetBrokerRuntimeInfo) {
			continue
		}
		if out, err = f.Append(out, f.Encoding); err != nil {
			return err
		}
		r.frames++
	}
}
