package remoting

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const broker = "broker-a:10911"

// numbered is a request that the server's side can tell from the others.
func numbered(i int) Request {
	return Request{Code: GetTopicStatsInfo, Body: binary.BigEndian.AppendUint32(nil, uint32(i))}
}

func number(body []byte) int {
	if len(body) != 4 {
		return -1
	}
	return int(binary.BigEndian.Uint32(body))
}

// outcomes collects what handle is told.
type outcomes struct {
	t     testing.TB
	errs  []error
	calls []int
	order []int
}

func newOutcomes(t testing.TB, n int) *outcomes {
	return &outcomes{t: t, errs: make([]error, n), calls: make([]int, n)}
}

func (o *outcomes) handle(i int, r Response, err error) {
	o.calls[i]++
	o.errs[i] = err
	o.order = append(o.order, i)
	if err == nil && number(r.Body) != i {
		o.t.Errorf("request %d was handed the answer %x", i, r.Body)
	}
	if err != nil && (r.Body != nil || r.Fields != nil || r.Remark != "") {
		o.t.Errorf("request %d failed and has a response: %+v", i, r)
	}
}

// once checks that every request ended exactly once.
func (o *outcomes) once() {
	o.t.Helper()
	for i, n := range o.calls {
		if n != 1 {
			o.t.Errorf("handle was called %d times for request %d", n, i)
		}
	}
}

// failed are the requests that failed.
func (o *outcomes) failed() []int {
	var failed []int
	for i, err := range o.errs {
		if err != nil {
			failed = append(failed, i)
		}
	}
	return failed
}

// bubble runs a test with a client on in-memory connections and a clock of its
// own: when it ends, a goroutine left behind fails it.
func bubble(t *testing.T, o Options, play script, test func(t *testing.T, client *Client, d *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &pipes{play: play}
		o.Dial = d.dial
		client := NewClient(o)
		test(t, client, d)
		_ = client.Close()
		d.peers.Wait()
	})
}

func TestPipelineKeepsToItsWindowAndTakesAnyOrder(t *testing.T) {
	const n, window = 100, 8
	most := 0
	answerShuffled := func(p *peerConn) {
		var waiting []Command
		for done := 0; done < n; {
			waiting = append(waiting, p.take(min(window, n-done)-len(waiting))...)
			most = max(most, len(waiting))
			// The client must not send more until an answer has come.
			_ = p.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := p.r.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("with %d in flight the client goes on: %v", len(waiting), err)
			}
			_ = p.SetReadDeadline(time.Time{})
			i := rand.IntN(len(waiting))
			p.answer(waiting[i])
			waiting = slices.Delete(waiting, i, i+1)
			done++
		}
		swallow(p)
	}
	bubble(t, Options{Window: window, RequestTimeout: time.Hour}, answerShuffled, func(t *testing.T, client *Client, d *pipes) {
		got := newOutcomes(t, n)
		client.Pipeline(t.Context(), broker, n, numbered, got.handle)
		got.once()
		if f := got.failed(); f != nil {
			t.Errorf("failed: %v: %v", f, got.errs[f[0]])
		}
		if slices.IsSorted(got.order) {
			t.Error("answers were handed out in the order of the requests: they came in another")
		}
		if most != window || d.dialed() != 1 {
			t.Errorf("at most %d in flight over %d connections, want %d over 1", most, d.dialed(), window)
		}
	})
}

func TestPipelineOfNothingDialsNobody(t *testing.T) {
	bubble(t, Options{}, echo, func(t *testing.T, client *Client, d *pipes) {
		client.Pipeline(t.Context(), broker, 0, numbered, func(int, Response, error) { t.Error("handle was called") })
		if d.dialed() != 0 {
			t.Error("dialed")
		}
	})
}

func TestManyGoroutinesShareOneConnection(t *testing.T) {
	var connections atomic.Int32
	addr := listen(t, func(p *peerConn) {
		connections.Add(1)
		echo(p)
	})
	var observed atomic.Int64
	client := NewClient(Options{Observe: func(x Exchange) {
		if x.Err != nil || x.Sent == 0 || x.Received == 0 || x.Addr != addr {
			t.Errorf("observed %+v", x)
		}
		observed.Add(1)
	}})
	defer client.Close()
	const goroutines, each = 16, 200
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			got := newOutcomes(t, each)
			if g%4 == 0 { // some ask one by one
				for i := range each {
					r, err := client.Call(t.Context(), addr, numbered(i))
					got.handle(i, r, err)
				}
			} else {
				client.Pipeline(t.Context(), addr, each, numbered, got.handle)
			}
			got.once()
			if f := got.failed(); f != nil {
				t.Errorf("failed: %v: %v", f, got.errs[f[0]])
			}
		})
	}
	wg.Wait()
	if connections.Load() != 1 || observed.Load() != goroutines*each {
		t.Errorf("%d connections, %d exchanges observed; want 1 and %d", connections.Load(), observed.Load(), goroutines*each)
	}
}

func TestWindowIsSharedFairly(t *testing.T) {
	// A batch of thousands must not keep a single call waiting for its end.
	slow := func(p *peerConn) {
		for {
			c, ok := p.next()
			if !ok {
				return
			}
			time.Sleep(time.Millisecond) // of the bubble's clock
			p.answer(c)
		}
	}
	bubble(t, Options{Window: 4}, slow, func(t *testing.T, client *Client, _ *pipes) {
		const n = 2000
		got := newOutcomes(t, n)
		var wg sync.WaitGroup
		wg.Go(func() { client.Pipeline(t.Context(), broker, n, numbered, got.handle) })
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		if _, err := client.Call(t.Context(), broker, numbered(1)); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 20*time.Millisecond {
			t.Errorf("a call beside a batch took %v", took)
		}
		wg.Wait()
		got.once()
	})
}

func TestResponseOfEveryKind(t *testing.T) {
	answers := map[string]Command{
		"good":    {Remark: "not set any response code", Fields: []Field{{"totalTopicNum", "1280"}}, Body: []byte("{}")},
		"offline": {Code: int32(ConsumerNotOnline), Remark: "Not found the consumer group connection: x\nat a.b.C", Body: []byte("x")},
		"unknown": {Code: 31999},
	}
	kind := ""
	play := func(p *peerConn) {
		for {
			c, ok := p.next()
			if !ok {
				return
			}
			kind, _ = c.Field("kind")
			a := answers[kind]
			a.Opaque, a.Flag = c.Opaque, FlagResponse
			p.write(a)
		}
	}
	bubble(t, Options{}, play, func(t *testing.T, client *Client, _ *pipes) {
		call := func(kind string) (Response, error) {
			return client.Call(t.Context(), broker, Request{Code: GetConsumerConnectionList, Fields: []Field{{"kind", kind}}})
		}
		r, err := call("good")
		if err != nil || string(r.Body) != "{}" || r.Remark != "not set any response code" || !slices.Equal(r.Fields, []Field{{"totalTopicNum", "1280"}}) {
			t.Errorf("good: %+v, %v", r, err)
		}
		_, err = call("offline")
		want := broker + ": GET_CONSUMER_CONNECTION_LIST: CONSUMER_NOT_ONLINE: Not found the consumer group connection: x …"
		if resp := (*ResponseError)(nil); !errors.As(err, &resp) || resp.Code != ConsumerNotOnline || err.Error() != want {
			t.Errorf("offline: %v", err)
		}
		if _, err = call("unknown"); err == nil || Reason(err) != "refused" || !strings.HasSuffix(err.Error(), ": code 31999") {
			t.Errorf("unknown: %v", err)
		}
	})
}

func TestRequestThatCannotBeWrittenFailsAlone(t *testing.T) {
	bubble(t, Options{Window: 1}, echo, func(t *testing.T, client *Client, _ *pipes) {
		got := newOutcomes(t, 4)
		huge := strings.Repeat("t", maxHeader)
		client.Pipeline(t.Context(), broker, 4, func(i int) Request {
			r := numbered(i)
			if i%2 == 1 {
				r.Fields = []Field{{"topicList", huge}}
			}
			return r
		}, got.handle)
		got.once()
		if f := got.failed(); !slices.Equal(f, []int{1, 3}) || !strings.HasSuffix(got.errs[1].Error(), "at most 16777215 fit into a frame") {
			t.Errorf("failed: %v: %v", f, got.errs)
		}
	})
}

func TestOneSlowAnswerCostsOneRequest(t *testing.T) {
	late := make(chan struct{})
	play := func(p *peerConn) {
		var slow Command
		for {
			c, ok := p.next()
			if !ok {
				return
			}
			switch i := number(c.Body); i {
			case 3:
				slow = c
			case 8: // 3 has timed out by now: its answer is of no use
				time.Sleep(3 * time.Second)
				p.answer(slow, 0, 0, 0, 3)
				p.answer(c)
				close(late)
			default:
				time.Sleep(500 * time.Millisecond)
				p.answer(c)
			}
		}
	}
	var exchanges []Exchange
	o := Options{Window: 2, RequestTimeout: 5 * time.Second, Observe: func(x Exchange) { exchanges = append(exchanges, x) }}
	bubble(t, o, play, func(t *testing.T, client *Client, d *pipes) {
		start := time.Now()
		got := newOutcomes(t, 9)
		client.Pipeline(t.Context(), broker, 9, numbered, got.handle)
		<-late
		got.once()
		if f := got.failed(); !slices.Equal(f, []int{3}) {
			t.Fatalf("failed: %v: %v", f, got.errs)
		}
		if err := got.errs[3]; !errors.Is(err, ErrTimeout) || Reason(err) != "timeout" || err.Error() != broker+": GET_TOPIC_STATS_INFO: no answer in time (5s)" {
			t.Errorf("slow: %v", err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
		if _, err := client.Call(t.Context(), broker, numbered(10)); err != nil || d.dialed() != 1 {
			t.Errorf("after the late answer: %v, %d connections", err, d.dialed())
		}
		for _, x := range exchanges {
			if x.Err != nil && (x.Took != 5*time.Second || x.Sent == 0 || x.Received != 0) {
				t.Errorf("observed of the slow request: %+v", x)
			}
		}
	})
}

func TestRequestTimeoutOfItsOwn(t *testing.T) {
	// A short time-out says nothing about the connection.
	play := func(p *peerConn) {
		cs := p.take(2)
		time.Sleep(4 * time.Second)
		p.answer(cs[1])
		echo(p)
	}
	bubble(t, Options{}, play, func(t *testing.T, client *Client, d *pipes) {
		start := time.Now()
		var ended [2]time.Duration
		client.Pipeline(t.Context(), broker, 2, func(i int) Request {
			r := numbered(i)
			if i == 0 {
				r.Timeout = time.Second
			}
			return r
		}, func(i int, _ Response, err error) {
			ended[i] = time.Since(start)
			if (err != nil) != (i == 0) {
				t.Errorf("request %d: %v", i, err)
			}
		})
		if ended != [2]time.Duration{time.Second, 4 * time.Second} {
			t.Errorf("ended after %v", ended)
		}
		if _, err := client.Call(t.Context(), broker, numbered(3)); err != nil || d.dialed() != 1 {
			t.Errorf("afterwards: %v, %d connections", err, d.dialed())
		}
	})
}

func TestSilentPeerIsGivenUp(t *testing.T) {
	play := func(p *peerConn) {
		if p.nth == 0 {
			p.answer(p.take(1)[0])
			swallow(p)
			return
		}
		echo(p)
	}
	bubble(t, Options{}, play, func(t *testing.T, client *Client, d *pipes) {
		if _, err := client.Call(t.Context(), broker, numbered(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // idle is not silent
		start := time.Now()
		got := newOutcomes(t, 3)
		client.Pipeline(t.Context(), broker, 3, func(i int) Request {
			r := numbered(i)
			r.Timeout = []time.Duration{time.Second, 5 * time.Second, time.Hour}[i]
			return r
		}, got.handle)
		got.once()
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("given up after %v", took)
		}
		if err := got.errs[2]; Reason(err) != "timeout" || !strings.HasSuffix(err.Error(), ": connection ended: no answer in time: the peer is silent") {
			t.Errorf("the request in time: %v", err)
		}
		if _, err := client.Call(t.Context(), broker, numbered(1)); err != nil || d.dialed() != 2 {
			t.Errorf("afterwards: %v, %d connections", err, d.dialed())
		}
	})
}

func TestShortTimeoutsTooEndASilentConnection(t *testing.T) {
	bubble(t, Options{}, swallow, func(t *testing.T, client *Client, d *pipes) {
		r := numbered(0)
		r.Timeout = time.Second
		for range 6 {
			if _, err := client.Call(t.Context(), broker, r); Reason(err) != "timeout" || d.dialed() != 1 {
				t.Errorf("%v, %d connections", err, d.dialed())
			}
		}
		time.Sleep(time.Second) // the pause after a connection on which nobody answered
		if _, err := client.Call(t.Context(), broker, r); Reason(err) != "timeout" || d.dialed() != 2 {
			t.Errorf("%v, %d connections, want a second after 5 s of silence", err, d.dialed())
		}
	})
}

func TestLargeAnswerUnderwayIsNotSilence(t *testing.T) {
	play := func(p *peerConn) {
		c := p.take(1)[0]
		frame, _ := (&Command{Opaque: c.Opaque, Flag: FlagResponse, Body: make([]byte, 100)}).Append(nil, JSONHeader)
		second := make(chan []Command)
		go func() { second <- p.take(1) }()
		for _, b := range frame {
			_, _ = p.Write([]byte{b})
			time.Sleep(time.Second)
		}
		p.answer((<-second)[0])
	}
	bubble(t, Options{}, play, func(t *testing.T, client *Client, d *pipes) {
		if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != "timeout" {
			t.Error(err)
		}
		r := numbered(1)
		r.Timeout = time.Hour
		if _, err := client.Call(t.Context(), broker, r); err != nil || d.dialed() != 1 {
			t.Errorf("afterwards: %v, %d connections", err, d.dialed())
		}
	})
}

func TestPeerThatReadsNothing(t *testing.T) {
	bubble(t, Options{}, readNothing, func(t *testing.T, client *Client, _ *pipes) {
		start := time.Now()
		got := newOutcomes(t, 20)
		client.Pipeline(t.Context(), broker, 20, numbered, got.handle)
		got.once()
		if f := got.failed(); len(f) != 20 || time.Since(start) > 5*time.Second {
			t.Errorf("%d failed after %v", len(f), time.Since(start))
		}
		for _, err := range got.errs {
			if Reason(err) != "timeout" {
				t.Error(err)
			}
		}
	})
}

func TestPeerThatReadsNothingHoldsNobody(t *testing.T) {
	// The first call is stuck in its write; the caller of the second has less
	// time than that.
	bubble(t, Options{}, readNothing, func(t *testing.T, client *Client, _ *pipes) {
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != "timeout" {
				t.Error(err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := client.Call(ctx, broker, numbered(1)); Reason(err) != "timeout" || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		wg.Wait()
	})
}

func TestContextEndsACallAtOnce(t *testing.T) {
	hangingDial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, errors.New("gave up dialing")
	}
	words := errors.New("the round is over")
	for _, c := range []struct {
		name    string
		play    script
		dial    func(ctx context.Context, network, addr string) (net.Conn, error)
		context func(context.Context) (context.Context, context.CancelFunc)
		reason  string
		is      error
		words   string
	}{
		{"canceled in flight", swallow, nil, canceledAfter(nil), "canceled", context.Canceled, "context canceled"},
		{"canceled with a cause", swallow, nil, canceledAfter(words), "canceled", words, "context canceled: the round is over"},
		{"deadline in flight", swallow, nil, deadlineAfter, "timeout", context.DeadlineExceeded, "no answer in time: context deadline exceeded"},
		{"canceled before a write ends", readNothing, nil, canceledAfter(nil), "canceled", context.Canceled, "context canceled"},
		{"canceled dial", nil, hangingDial, canceledAfter(nil), "canceled", context.Canceled, "no connection: context canceled"},
		{"deadline of a dial", nil, hangingDial, deadlineAfter, "connect", ErrTimeout, "no connection: no answer in time: context deadline exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &pipes{play: c.play}
				if c.dial == nil {
					c.dial = d.dial
				}
				client := NewClient(Options{Window: 4, Dial: c.dial})
				defer client.Close()
				ctx, cancel := c.context(t.Context())
				defer cancel()
				start := time.Now()
				got := newOutcomes(t, 10)
				client.Pipeline(ctx, broker, 10, numbered, got.handle)
				if took := time.Since(start); took != time.Second {
					t.Errorf("ended after %v", took)
				}
				got.once()
				for _, err := range got.errs {
					if Reason(err) != c.reason || !errors.Is(err, c.is) || err.Error() != broker+": GET_TOPIC_STATS_INFO: "+c.words {
						t.Errorf("%q (%s), want %q", err, Reason(err), c.words)
					}
				}
				// The caller's haste is not held against the node.
				c.dial = d.dial
				if _, err := client.Call(ctx, broker, numbered(0)); Reason(err) == "" {
					t.Error("a call with an ended context was answered")
				}
			})
		})
	}
}

func canceledAfter(cause error) func(context.Context) (context.Context, context.CancelFunc) {
	return func(parent context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(parent)
		stop := time.AfterFunc(time.Second, func() { cancel(cause) })
		return ctx, func() { stop.Stop(); cancel(nil) }
	}
}

func deadlineAfter(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(parent, time.Second)
}

func TestContextEndsAWaitForTheWindow(t *testing.T) {
	bubble(t, Options{Window: 2, RequestTimeout: time.Minute}, swallow, func(t *testing.T, client *Client, _ *pipes) {
		var wg sync.WaitGroup
		wg.Go(func() {
			client.Pipeline(t.Context(), broker, 2, numbered, func(int, Response, error) {})
		})
		synctest.Wait() // the window is full
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := client.Call(ctx, broker, numbered(9)); Reason(err) != "timeout" || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		wg.Wait()
	})
}

func TestContextEndsAWaitForAnothersDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewClient(Options{DialTimeout: time.Minute, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != "connect" {
				t.Error(err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := client.Call(ctx, broker, numbered(1)); Reason(err) != "timeout" || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		wg.Wait()
	})
}

// TestFaultsOfThePeer: whatever comes instead of answers, each request without
// an answer fails once, and the error names node, request and cause.
func TestFaultsOfThePeer(t *testing.T) {
	const n, answered, window = 20, 5, 8
	whole, _ := (&Command{Flag: FlagResponse, Opaque: 1 << 30, Body: make([]byte, 100)}).Append(nil, JSONHeader)
	send := func(b []byte) script { return func(p *peerConn) { _, _ = p.Write(b) } }
	for _, c := range []struct {
		name   string
		fault  script // after the answers
		reason string
		words  string
	}{
		{"closes", func(*peerConn) {}, "connection_lost", "connection ended: closed by the peer"},
		{"cuts the length", send(whole[:2]), "connection_lost", "connection ended: length word: unexpected EOF"},
		{"cuts a frame", send(whole[:50]), "connection_lost", "connection ended: frame of 206 bytes cut off: unexpected EOF"},
		{"sends garbage", send([]byte("\x00\x00\x00\x08garbage!")), "malformed", "connection ended: malformed: header encoding 103: known are 0 (JSON) and 1 (ROCKETMQ)"},
		{"sends a garbled header", send([]byte("\x00\x00\x00\x06\x00\x00\x00\x02{:")), "malformed", "connection ended: header: malformed: byte 1: want a value, found \":\""},
		{"speaks HTTP", send([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), "malformed", "connection ended: malformed: the peer speaks HTTP, not RocketMQ's remoting protocol"},
		{"speaks TLS", send([]byte{0x15, 3, 3, 0, 2, 2, 22}), "malformed", "connection ended: malformed: the peer speaks TLS, this connection does not"},
		{"announces 2 GiB", send([]byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0}), "malformed", "connection ended: malformed: frame length 2147483647: allowed are 4 to 67108864 bytes"},
		{"announces 4 GiB", send([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}), "malformed", "connection ended: malformed: frame length 4294967295: allowed are 4 to 67108864 bytes"},
		{"announces nothing", send([]byte{0, 0, 0, 0}), "malformed", "connection ended: malformed: frame length 0: allowed are 4 to 67108864 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play := func(p *peerConn) {
				if p.nth > 0 {
					echo(p)
					return
				}
				for _, r := range p.take(answered) {
					p.answer(r)
				}
				p.take(window)
				c.fault(p)
			}
			bubble(t, Options{Window: window}, play, func(t *testing.T, client *Client, d *pipes) {
				got := newOutcomes(t, n)
				client.Pipeline(t.Context(), broker, n, numbered, got.handle)
				got.once()
				if f := got.failed(); len(f) != n-answered {
					t.Fatalf("%d failed, want %d: %v", len(f), n-answered, got.errs)
				}
				for _, i := range got.failed() {
					err := got.errs[i]
					if err.Error() != broker+": GET_TOPIC_STATS_INFO: "+c.words || Reason(err) != c.reason || !errors.Is(err, ErrConnection) {
						t.Fatalf("%q (%s), want %q (%s)", err, Reason(err), c.words, c.reason)
					}
				}
				if _, err := client.Call(t.Context(), broker, numbered(1)); err != nil || d.dialed() != 2 {
					t.Errorf("afterwards: %v, %d connections", err, d.dialed())
				}
			})
		})
	}
}

func TestPeerResetsTheConnection(t *testing.T) {
	addr := listen(t, func(p *peerConn) {
		p.take(3)
		if tcp, ok := p.Conn.(*net.TCPConn); !ok || tcp.SetLinger(0) != nil {
			t.Error("no linger to set")
		}
	})
	client := NewClient(Options{})
	defer client.Close()
	got := newOutcomes(t, 8)
	client.Pipeline(t.Context(), addr, 8, numbered, got.handle)
	got.once()
	for _, err := range got.errs {
		if Reason(err) != "connection_lost" || !errors.Is(err, ErrConnection) {
			t.Errorf("%v (%s)", err, Reason(err))
		}
	}
}

func TestRefusedDial(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	client := NewClient(Options{})
	defer client.Close()
	_, err = client.Call(t.Context(), addr, numbered(0))
	if Reason(err) != "connect" || !errors.Is(err, syscall.ECONNREFUSED) || !strings.HasPrefix(err.Error(), addr+": GET_TOPIC_STATS_INFO: no connection: dial tcp "+addr) {
		t.Errorf("%v (%s)", err, Reason(err))
	}
}

func TestUnresolvableName(t *testing.T) {
	client := NewClient(Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "broker-a", IsNotFound: true}}
	}})
	defer client.Close()
	for _, words := range []string{"no such host", "(next try in "} {
		if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != "resolve" || !strings.Contains(err.Error(), words) {
			t.Errorf("%v (%s)", err, Reason(err))
		}
	}
}

func TestDialThatHangsTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewClient(Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		start := time.Now()
		if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != "connect" || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestBackoffDoublesAndRecovers(t *testing.T) {
	const failures = 8
	synctest.Test(t, func(t *testing.T) {
		d := &pipes{play: echo, refuse: func(nth int) error {
			if nth < failures {
				return syscall.ECONNREFUSED
			}
			return nil
		}}
		client := NewClient(Options{Dial: d.dial, BackoffMin: time.Second, BackoffMax: 10 * time.Second})
		defer client.Close()
		for dial := 1; dial <= failures; dial++ {
			if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != "connect" || d.dialed() != dial {
				t.Fatalf("dial %d: %v, %d dials", dial, err, d.dialed())
			}
			_, err := client.Call(t.Context(), broker, numbered(0))
			dialErr, ok := errors.AsType[*DialError](err)
			if !ok || !errors.Is(err, syscall.ECONNREFUSED) || d.dialed() != dial {
				t.Fatalf("within the pause after dial %d: %v, %d dials", dial, err, d.dialed())
			}
			pause := min(time.Second<<(dial-1), 10*time.Second)
			if dialErr.RetryIn < pause*8/10 || dialErr.RetryIn > pause*12/10 {
				t.Errorf("pause after dial %d: %v, want %v give or take a fifth", dial, dialErr.RetryIn, pause)
			}
			if want := fmt.Sprintf("no connection: connection refused (next try in %v)", dialErr.RetryIn.Round(100*time.Millisecond)); !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%q, want %q", err, want)
			}
			time.Sleep(dialErr.RetryIn - 1)
			if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != "connect" || d.dialed() != dial {
				t.Errorf("just before the end of the pause: %v, %d dials", err, d.dialed())
			}
			time.Sleep(time.Nanosecond)
		}
		if _, err := client.Call(t.Context(), broker, numbered(0)); err != nil {
			t.Fatalf("after the pause: %v", err)
		}
		client.mu.Lock()
		defer client.mu.Unlock()
		if n := client.nodes[broker]; n.backoff != 0 || n.lastErr != nil {
			t.Error("the back-off outlived the success")
		}
	})
}

func TestServersOwnRequestsAreIgnored(t *testing.T) {
	play := func(p *peerConn) {
		for _, c := range p.take(3) {
			p.write(Command{Code: 40, Opaque: c.Opaque, Body: []byte("NOTIFY_CONSUMER_IDS_CHANGED")})
			p.write(Command{Code: 40, Opaque: 1 << 20, Flag: FlagOneway})
			p.answer(c)
			p.answer(c) // twice: the second has nobody waiting
		}
		echo(p)
	}
	bubble(t, Options{Window: 3}, play, func(t *testing.T, client *Client, d *pipes) {
		got := newOutcomes(t, 10)
		client.Pipeline(t.Context(), broker, 10, numbered, got.handle)
		got.once()
		if f := got.failed(); f != nil || d.dialed() != 1 {
			t.Errorf("failed: %v: %v; %d connections", f, got.errs, d.dialed())
		}
	})
}

func TestCloseEndsCallsUnderWay(t *testing.T) {
	bubble(t, Options{Window: 4}, swallow, func(t *testing.T, client *Client, d *pipes) {
		got := newOutcomes(t, 10)
		var wg sync.WaitGroup
		wg.Go(func() { client.Pipeline(t.Context(), broker, 10, numbered, got.handle) })
		synctest.Wait()
		start := time.Now()
		_ = client.Close()
		wg.Wait()
		got.once()
		for _, err := range got.errs {
			if !errors.Is(err, ErrClosed) || Reason(err) != "canceled" {
				t.Errorf("%v (%s)", err, Reason(err))
			}
		}
		if _, err := client.Call(t.Context(), broker, numbered(0)); !errors.Is(err, ErrClosed) || Reason(err) != "canceled" || d.dialed() != 1 {
			t.Errorf("after Close: %v", err)
		}
		_ = client.Close()
		client.Retain(func(string) bool { return false })
		if time.Since(start) != 0 {
			t.Errorf("took %v", time.Since(start))
		}
	})
}

func TestCloseAndRetainEndADial(t *testing.T) {
	for _, c := range []struct {
		name   string
		end    func(*Client)
		reason string
	}{
		{"Close", func(c *Client) { _ = c.Close() }, "canceled"},
		{"Retain", func(c *Client) { c.Retain(func(string) bool { return false }) }, "connect"},
	} {
		for _, obedient := range []bool{true, false} {
			t.Run(fmt.Sprint(c.name, obedient), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					near, far := net.Pipe()
					client := NewClient(Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
						<-ctx.Done()
						if obedient {
							return nil, ctx.Err()
						}
						return near, nil // opened a moment too late
					}})
					start := time.Now()
					var wg sync.WaitGroup
					wg.Go(func() {
						if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != c.reason {
							t.Errorf("%v (%s)", err, Reason(err))
						}
					})
					synctest.Wait()
					c.end(client)
					wg.Wait()
					if time.Since(start) != 0 {
						t.Errorf("took %v", time.Since(start))
					}
					if !obedient {
						if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
							t.Errorf("the late connection was not closed: %v", err)
						}
					}
				})
			})
		}
	}
}

// TestCloseDoesNotWaitForTLS: tls.Conn.Close would write a farewell for 5 s to
// a peer that reads nothing.
func TestCloseDoesNotWaitForTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &pipes{play: func(p *peerConn) {
			c := tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}})
			if _, err := c.Read(make([]byte, 1000)); err != nil { // the handshake and the request
				t.Error(err)
			}
			readNothing(p)
		}}
		client := NewClient(Options{Dial: d.dial, TLS: &tls.Config{InsecureSkipVerify: true}})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := client.Call(t.Context(), broker, numbered(0)); !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
		synctest.Wait()
		start := time.Now()
		_ = client.Close()
		wg.Wait()
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
		d.peers.Wait()
	})
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

func TestRetainForgetsTheOthers(t *testing.T) {
	bubble(t, Options{}, func(p *peerConn) {
		if p.nth == 1 {
			swallow(p)
			return
		}
		echo(p)
	}, func(t *testing.T, client *Client, d *pipes) {
		if _, err := client.Call(t.Context(), "stays:10911", numbered(0)); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := client.Call(t.Context(), "leaves:10911", numbered(0))
			if Reason(err) != "connection_lost" || err.Error() != "leaves:10911: GET_TOPIC_STATS_INFO: connection ended: node left the cluster" {
				t.Errorf("%v (%s)", err, Reason(err))
			}
		})
		synctest.Wait()
		client.Retain(func(addr string) bool { return addr == "stays:10911" })
		wg.Wait()
		for _, addr := range []string{"stays:10911", "leaves:10911"} { // it may come back
			if _, err := client.Call(t.Context(), addr, numbered(0)); err != nil {
				t.Error(err)
			}
		}
		if d.dialed() != 3 {
			t.Errorf("%d dials, want 3", d.dialed())
		}
	})
}

func TestBodyIsValidUntilHandleReturns(t *testing.T) {
	// Answers of many sizes at once: a buffer that went back too early would
	// hold another's bytes.
	addr := listen(t, func(p *peerConn) {
		for {
			c, ok := p.next()
			if !ok {
				return
			}
			i := number(c.Body)
			p.write(Command{Opaque: c.Opaque, Flag: FlagResponse, Body: pattern(i)})
		}
	})
	client := NewClient(Options{Window: 16})
	defer client.Close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			client.Pipeline(t.Context(), addr, 300, numbered, func(i int, r Response, err error) {
				if err != nil || !bytes.Equal(r.Body, pattern(i)) {
					t.Errorf("request %d: %v, a body of %d bytes", i, err, len(r.Body))
				}
			})
		})
	}
	kept, err := client.Call(t.Context(), addr, numbered(77))
	wg.Wait()
	if err != nil || !bytes.Equal(kept.Body, pattern(77)) {
		t.Errorf("the body of Call did not last: %v", err)
	}
}

func pattern(i int) []byte {
	return []byte(strings.Repeat(fmt.Sprintf("%08d", i), 1+i*i%4096))
}

func TestPanicInHandleFreesTheWindow(t *testing.T) {
	play := func(p *peerConn) {
		cs := p.take(2)
		p.answer(cs[0])
		echo(p)
	}
	bubble(t, Options{Window: 2}, play, func(t *testing.T, client *Client, _ *pipes) {
		func() {
			defer func() { _ = recover() }()
			client.Pipeline(t.Context(), broker, 2, numbered, func(int, Response, error) { panic("handle") })
		}()
		func() {
			defer func() { _ = recover() }()
			client.Pipeline(t.Context(), broker, 1, func(int) Request { panic("request") }, nil)
		}()
		got := newOutcomes(t, 4)
		client.Pipeline(t.Context(), broker, 4, numbered, got.handle)
		got.once()
		if f := got.failed(); f != nil {
			t.Errorf("failed: %v", got.errs)
		}
		nothingPending(t, client)
	})
}

// TestEveryRequestEndsOnce throws random faults at batches that share
// connections. Whatever happens, handle is told once of each request, an
// answer is the right one, and at the end nothing is left: no token, no
// pending request, no goroutine.
func TestEveryRequestEndsOnce(t *testing.T) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) { everyRequestEndsOnce(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func everyRequestEndsOnce(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	d := &pipes{
		play:   func(p *peerConn) { playFaults(p, rand.New(rand.NewPCG(seed, uint64(p.nth)+1))) },
		refuse: func(nth int) error { return refuseSome(seed, nth) },
	}
	var observed atomic.Int64
	client := NewClient(Options{
		Dial: d.dial, Window: 1 + rnd.IntN(9), RequestTimeout: 50 * time.Millisecond,
		BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond, MaxFrame: 1 << 20,
		Observe: func(Exchange) { observed.Add(1) },
	})
	total := 0
	var wg sync.WaitGroup
	for range 2 + rnd.IntN(4) {
		addr := []string{"a:1", "b:1"}[rnd.IntN(2)]
		n, rounds := 1+rnd.IntN(40), 1+rnd.IntN(4)
		limit := time.Duration(1+rnd.IntN(400)) * time.Millisecond
		total += n * rounds
		wg.Go(func() {
			for range rounds {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				got := newOutcomes(t, n)
				start := time.Now()
				client.Pipeline(ctx, addr, n, numbered, got.handle)
				if took := time.Since(start); took > limit {
					t.Errorf("a batch of %v took %v", limit, took)
				}
				cancel()
				got.once()
				for _, err := range got.errs {
					switch Reason(err) {
					case "", "timeout", "canceled", "connect", "connection_lost", "malformed", "busy":
					default:
						t.Errorf("%v (%s)", err, Reason(err))
					}
				}
			}
		})
	}
	if rnd.IntN(3) == 0 {
		time.Sleep(time.Duration(rnd.IntN(200)) * time.Millisecond)
		client.Retain(func(addr string) bool { return addr == "a:1" })
	}
	if rnd.IntN(3) == 0 {
		time.Sleep(time.Duration(rnd.IntN(200)) * time.Millisecond)
		_ = client.Close()
	}
	wg.Wait()
	if observed.Load() != int64(total) {
		t.Errorf("observed %d of %d", observed.Load(), total)
	}
	nothingPending(t, client)
	_ = client.Close()
	d.peers.Wait()
}

// nothingPending checks that no call has left a token or a request behind.
func nothingPending(t *testing.T, client *Client) {
	t.Helper()
	client.buffers.mu.Lock()
	if lent, waiting := client.buffers.lent+client.buffers.aside, len(client.buffers.waiting); lent != 0 || waiting != 0 {
		t.Errorf("%d bytes of buffers are lent, and %d readers wait for more", lent, waiting)
	}
	if n := len(client.buffers.coming); n != 0 {
		t.Errorf("%d frames are on their way", n)
	}
	client.buffers.mu.Unlock()
	client.mu.Lock()
	defer client.mu.Unlock()
	for addr, n := range client.nodes {
		if n.conn == nil {
			continue
		}
		n.conn.mu.Lock()
		if tokens, pending := len(n.conn.window), len(n.conn.pending); tokens+pending != 0 {
			t.Errorf("%s: %d tokens, %d pending are left", addr, tokens, pending)
		}
		n.conn.mu.Unlock()
	}
}

func refuseSome(seed uint64, nth int) error {
	if rand.New(rand.NewPCG(seed, uint64(nth)+1<<32)).IntN(3) == 0 {
		return syscall.ECONNREFUSED
	}
	return nil
}

// playFaults answers mostly, late and out of order, and sometimes misbehaves.
func playFaults(p *peerConn, rnd *rand.Rand) {
	var waiting []Command
	for {
		c := p.take(1)
		if c == nil {
			return
		}
		waiting = append(waiting, c...)
		switch x := rnd.IntN(100); {
		case x < 40:
			i := rnd.IntN(len(waiting))
			p.answer(waiting[i])
			waiting = slices.Delete(waiting, i, i+1)
		case x < 70:
			for _, c := range waiting {
				p.answer(c)
			}
			waiting = nil
		case x < 75:
			p.write(Command{Opaque: waiting[0].Opaque, Flag: FlagResponse, Code: int32(SystemBusy), Remark: "busy"})
		case x < 80:
			time.Sleep(time.Duration(rnd.IntN(100)) * time.Millisecond)
		case x < 82:
			return
		case x < 83:
			_, _ = p.Write([]byte("HTTP/1.1 400 Bad Request\r\n"))
		case x < 84:
			_, _ = p.Write([]byte{0, 0, 1, 0, 0, 0, 0, 2, '{'})
			return
		case x < 85:
			p.write(Command{Opaque: waiting[0].Opaque, Flag: FlagResponse, Body: make([]byte, 2<<20)})
		case x < 86:
			readNothing(p)
		case x < 87:
			swallow(p)
		}
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	addr := listen(t, echo)
	hangs := listen(t, swallow)
	before := runtime.NumGoroutine()
	for range 20 {
		client := NewClient(Options{})
		got := newOutcomes(t, 20)
		client.Pipeline(t.Context(), addr, 20, numbered, got.handle)
		got.once()
		ctx, cancel := context.WithCancel(t.Context())
		client.Pipeline(ctx, hangs, 9, func(i int) Request {
			if i == 7 {
				cancel()
			}
			return numbered(i)
		}, func(int, Response, error) {})
		_ = client.Close()
	}
	// The peers' goroutines end a moment after ours.
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, before %d:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}

func TestZeroOptionsAreTheDocumentedOnes(t *testing.T) {
	o := Options{Window: -1}.withDefaults()
	if o.Window != 64 || o.RequestTimeout != 5*time.Second || o.DialTimeout != 3*time.Second || o.BackoffMin != 500*time.Millisecond ||
		o.BackoffMax != 10*time.Second || o.MaxFrame != 64<<20 || o.MaxHeld != 2<<20 || o.Dial == nil || o.Observe == nil {
		t.Errorf("%+v", o)
	}
}
