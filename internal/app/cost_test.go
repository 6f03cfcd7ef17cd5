//go:build !race

package app

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// Cost is checked in allocations and bytes: unlike times they are the same on
// any machine. The race detector has its own.

// fakeVariable has the test binary be a fake cluster in a process of its own,
// whose allocations are not counted.
const fakeVariable = "ROCKETMQ_EXPORTER_TEST_FAKE"

func TestMain(m *testing.M) {
	if os.Getenv(fakeVariable) == "" {
		os.Exit(m.Run())
	}
	if err := runFake(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// costSize is what the rounds against a real RocketMQ have (test/bench/round):
// 16,250 rows with those of the retry topics.
func costSize() fakemq.Size {
	return fakemq.Size{Topics: 1000, Spread: 1, Queues: 8, Groups: 250, TopicsPerGroup: 8, Processes: 2}
}

const costRows = 250*8*8 + 250

// runFake tells its name server, and lets offsets drift for every line that it
// is sent.
func runFake(in io.Reader, out io.Writer) error {
	mq, err := fakemq.Start(fakemq.Options{})
	if err != nil {
		return err
	}
	defer mq.Close()
	if err := mq.Fill(costSize()); err != nil {
		return err
	}
	fmt.Fprintln(out, mq.NameServers()[0])
	for lines := bufio.NewScanner(in); lines.Scan(); {
		mq.Drift(7)
		fmt.Fprintln(out, "done")
	}
	return nil
}

// costly is an App before a large cluster, with all that it learns in its first
// rounds.
type costly struct {
	stepped

	in  io.Writer
	out *bufio.Reader
}

func newCostly(t *testing.T) costly {
	t.Helper()
	cmd := exec.Command(os.Args[0]) // it outlives the test's context, and ends with its input
	cmd.Env, cmd.Stderr = append(os.Environ(), fakeVariable+"=1"), os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		must(t, cmd.Wait())
	})
	c := costly{in: in, out: bufio.NewReader(out)}
	addr, err := c.out.ReadString('\n')
	must(t, err)
	c.stepped = newStepped(t, settings(t, []string{strings.TrimSpace(addr)}, func(c *config.Config) { c.Clusters[0].Timeout = patience }))
	eventually(t, "every process has said what it holds", func() bool {
		c.round()
		return len(c.report().Processes) == costSize().Groups*costSize().Processes
	})
	for range 3 { // what is kept from round to round
		c.drift()
		c.round()
		settle(t, c.targets()[0])
	}
	if got := c.report().Rows(); got != costRows {
		t.Fatalf("%d rows, want %d", got, costRows)
	}
	return c
}

func (c costly) drift() {
	c.t.Helper()
	_, err := fmt.Fprintln(c.in)
	must(c.t, err)
	_, err = c.out.ReadString('\n')
	must(c.t, err)
}

func (c costly) report() *lag.Report { return c.targets()[0].state.Load().reports[0] }

// cost is what something allocates each time.
type cost struct{ allocations, bytes float64 }

// costOf runs something some times. Before counts not.
func costOf(times int, before, run func()) cost {
	var sum cost
	for range times {
		before()
		var then, now runtime.MemStats
		runtime.ReadMemStats(&then)
		run()
		runtime.ReadMemStats(&now)
		sum.allocations += float64(now.Mallocs - then.Mallocs)
		sum.bytes += float64(now.TotalAlloc - then.TotalAlloc)
	}
	return cost{sum.allocations / float64(times), sum.bytes / float64(times)}
}

func (c cost) check(t *testing.T, what string, most cost) {
	t.Helper()
	t.Logf("%s: %.0f allocations, %.0f bytes", what, c.allocations, c.bytes)
	if c.allocations > most.allocations {
		t.Errorf("%s: %.0f allocations, want at most %.0f", what, c.allocations, most.allocations)
	}
	if c.bytes > most.bytes {
		t.Errorf("%s: %.0f bytes allocated, want at most %.0f", what, c.bytes, most.bytes)
	}
}

// TestCost: the limits are half again what was measured when they were set, so
// that a change which costs notably more has to say so here.
func TestCost(t *testing.T) {
	c := newCostly(t)
	target := c.targets()[0]
	collect := costOf(5, c.drift, func() {
		r := target.src.Collect(t.Context())
		if len(r.Failures) > 0 {
			t.Fatal(r.Failures[0].Err)
		}
		target.publish(r, time.Second)
		settle(t, target)
	})
	// One allocation per request and a few per list: none per row, topic or
	// queue. Bytes are the offsets of the round, and the report. Behind it 64
	// pairs are asked how old their backlog is, with some 30 allocations each,
	// and the history of their queues notes it.
	collect.check(t, "round", cost{allocations: 4_500, bytes: 5_300_000})
	report := costOf(5, func() {}, func() { lag.Build(c.report().Snapshot) })
	// Lists, some of which grow by doubling, and an age of each row.
	report.check(t, "report", cost{allocations: 220, bytes: 1_400_000})
	for encoding, most := range map[string]cost{
		// What client_golang gathers of the process, which no row adds to; and, once,
		// the buffers of a relay.
		"identity": {allocations: 2400, bytes: 600_000},
		"gzip":     {allocations: 2400, bytes: 600_000}, // a compressor, if none is spare
	} {
		scrape := costOf(5, func() {}, func() { c.discard(encoding) })
		scrape.check(t, "scrape, "+encoding, most)
	}
}

// TestHeld: what is kept between rounds, of the fake's 16,250 rows.
func TestHeld(t *testing.T) {
	before := heap()
	c := newCostly(t)
	c.discard("gzip")
	held := heap() - before
	t.Logf("held: %d bytes, %d a row", held, held/costRows)
	const most = 300 // bytes a row
	if held > most*costRows {
		t.Errorf("%d bytes are held for %d rows, want at most %d a row", held, costRows, most)
	}
	runtime.KeepAlive(c)
}

// heap is the bytes that something refers to.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools keep is let go with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// discard scrapes into nothing.
func (c costly) discard(encoding string) {
	r := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
	r.Header.Set("Accept-Encoding", encoding)
	c.ServeHTTP(discarded{}, r)
}

// discarded is a response that nobody reads.
type discarded struct{}

func (discarded) Header() http.Header         { return make(http.Header) }
func (discarded) Write(p []byte) (int, error) { return len(p), nil }
func (discarded) WriteHeader(int)             {}
