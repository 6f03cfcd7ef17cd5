package remoting

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const heldInTests = 100_000

// large is an answer of which two fit into heldInTests.
func large() []byte { return bytes.Repeat([]byte{'x'}, heldInTests/2) }

func TestLargeAnswersWaitForTheirTurn(t *testing.T) {
	var written atomic.Int32
	play := func(p *peerConn) {
		for _, c := range p.take(1) {
			p.answer(c, large()...)
			written.Add(1)
		}
		swallow(p)
	}
	bubble(t, Options{MaxHeld: heldInTests}, play, func(t *testing.T, client *Client, _ *pipes) {
		const nodes = 7
		var calls sync.WaitGroup
		handle := make(chan struct{})
		for i := range nodes {
			calls.Go(func() {
				client.Pipeline(t.Context(), fmt.Sprintf("broker-%d:1", i), 1, numbered, func(_ int, r Response, err error) {
					if err != nil || len(r.Body) != heldInTests/2 {
						t.Errorf("%d bytes, err = %v", len(r.Body), err)
					}
					<-handle
				})
			})
		}
		for done := range nodes {
			synctest.Wait()
			if got, want := int(written.Load()), min(done+2, nodes); got != want {
				t.Errorf("%d answers are in memory or were handled, want %d: two at a time", got, want)
			}
			handle <- struct{}{}
		}
		calls.Wait()
		nothingPending(t, client)
	})
}

// TestStalledNodeKeepsNotAll: a node that announces more than all may hold, and
// stops there, delays nobody.
func TestStalledNodeKeepsNotAll(t *testing.T) {
	play := func(p *peerConn) {
		cs := p.take(1)
		if p.nth == 0 {
			_, _ = p.Write(binary.BigEndian.AppendUint32(nil, DefaultMaxFrame))
			swallow(p)
			return
		}
		p.answer(cs[0], large()...)
		swallow(p)
	}
	bubble(t, Options{MaxHeld: heldInTests}, play, func(t *testing.T, client *Client, _ *pipes) {
		var stalled sync.WaitGroup
		stalled.Go(func() {
			if _, err := client.Call(t.Context(), "stalled:1", numbered(0)); err == nil {
				t.Error("half a frame was an answer")
			}
		})
		synctest.Wait()
		began := time.Now()
		if _, err := client.Call(t.Context(), broker, numbered(1)); err != nil || time.Since(began) > 0 {
			t.Errorf("another node's answer took %v, err = %v", time.Since(began), err)
		}
		stalled.Wait()
		synctest.Wait() // its connection is given up
		nothingPending(t, client)
	})
}

// TestStalledNodesHoldUpNobody: neither few nodes that stop in the middle of an
// answer, nor more than have room aside, nor such as go on for ever.
func TestStalledNodesHoldUpNobody(t *testing.T) {
	announce := func(p *peerConn) {
		_, _ = p.Write(binary.BigEndian.AppendUint32(nil, heldInTests/2))
	}
	stops := func(p *peerConn) {
		announce(p)
		swallow(p)
	}
	trickles := func(p *peerConn) {
		announce(p)
		for {
			time.Sleep(100 * time.Millisecond)
			if _, err := p.Write([]byte{'x'}); err != nil {
				return
			}
		}
	}
	for _, c := range []struct {
		rule    string
		nodes   int
		stalled script
		longest time.Duration
	}{
		{"two that stop are set aside", 2, stops, 250 * time.Millisecond},
		{"of six that stop, two are given up after a second", 6, stops, 1750 * time.Millisecond},
		{"two that trickle are set aside", 2, trickles, 250 * time.Millisecond},
		{"of four that trickle, some are given up when their time is up", 4, trickles, 5250 * time.Millisecond},
	} {
		t.Run(c.rule, func(t *testing.T) {
			play := func(p *peerConn) {
				asked := p.take(1)
				if p.nth < c.nodes {
					c.stalled(p)
					return
				}
				p.answer(asked[0], large()...)
				swallow(p)
			}
			bubble(t, Options{MaxHeld: heldInTests}, play, func(t *testing.T, client *Client, _ *pipes) {
				ctx, cancel := context.WithCancel(t.Context())
				var stalled sync.WaitGroup
				for i := range c.nodes {
					stalled.Go(func() {
						if _, err := client.Call(ctx, fmt.Sprintf("stalled-%d:1", i), numbered(i)); err == nil {
							t.Error("a part of a frame was an answer")
						}
					})
				}
				synctest.Wait()
				began, request := time.Now(), numbered(c.nodes)
				request.Timeout = time.Minute
				_, err := client.Call(t.Context(), broker, request)
				if took := time.Since(began); err != nil || took > c.longest {
					t.Errorf("another node's answer took %v, want at most %v; err = %v", took, c.longest, err)
				}
				if b := &client.buffers; b.lent > b.most || b.aside > b.most {
					t.Errorf("%d bytes are lent and %d aside, want at most %d of each", b.lent, b.aside, b.most)
				}
				cancel()
				stalled.Wait()
				client.Retain(func(string) bool { return false })
				synctest.Wait()
				nothingPending(t, client)
			})
		})
	}
}

// TestStalledFragmentsHoldUpNobody: what few and short frames leave free that have
// stopped on their way, all of them set aside, may be too short for a long one.
func TestStalledFragmentsHoldUpNobody(t *testing.T) {
	const most = 512 << 10
	frames := []struct {
		size  int
		stops bool
	}{
		{20 << 10, true},                     // in a piece of 64 KiB
		{130 << 10, false}, {45 << 10, true}, // in another one of 192
		{150 << 10, false}, {50 << 10, true}, // and of 256
		{250 << 10, false}, {240 << 10, true}, // and of 512, for which those make way
		{255 << 10, false},
	}
	play := func(p *peerConn) {
		asked, frame := p.take(1)[0], frames[p.nth]
		if frame.stops {
			_, _ = p.Write(binary.BigEndian.AppendUint32(nil, uint32(frame.size)))
		} else {
			p.answer(asked, make([]byte, frame.size)...)
		}
		swallow(p)
	}
	bubble(t, Options{MaxHeld: most}, play, func(t *testing.T, client *Client, _ *pipes) {
		var calls sync.WaitGroup
		read, handled := make(chan struct{}), make([]chan struct{}, len(frames))
		call := func(i int) {
			handled[i] = make(chan struct{})
			calls.Go(func() {
				client.Pipeline(t.Context(), fmt.Sprintf("broker-%d:1", i), 1, numbered, func(_ int, _ Response, err error) {
					if stopped := err != nil; stopped != frames[i].stops {
						t.Errorf("frame %d: err = %v", i, err)
					}
					if !frames[i].stops {
						read <- struct{}{}
						<-handled[i]
					}
				})
			})
			if !frames[i].stops {
				<-read
			}
			synctest.Wait()
		}
		for i := range 5 {
			call(i)
		}
		close(handled[1])
		close(handled[3])
		call(5)
		call(6)
		close(handled[5])
		synctest.Wait()
		began := time.Now()
		call(7)
		if took := time.Since(began); took < 100*time.Millisecond || took > time.Second {
			t.Errorf("a long answer took %v, want the time after which others are given up", took)
		}
		close(handled[7])
		calls.Wait()
		client.Retain(func(string) bool { return false })
		synctest.Wait()
		nothingPending(t, client)
	})
}

// TestSlowAnswersAreNoFailure: what was set aside while others waited comes to
// its end all the same.
func TestSlowAnswersAreNoFailure(t *testing.T) {
	const slow = 2
	play := func(p *peerConn) {
		asked := p.take(1)[0]
		if p.nth >= slow {
			p.answer(asked, large()...)
			swallow(p)
			return
		}
		frame, err := (&Command{Opaque: asked.Opaque, Flag: FlagResponse, Body: large()}).Append(nil, JSONHeader)
		if err != nil {
			panic(err)
		}
		_, _ = p.Write(frame[:len(frame)/2])
		time.Sleep(3 * time.Second)
		_, _ = p.Write(frame[len(frame)/2:])
		swallow(p)
	}
	bubble(t, Options{MaxHeld: heldInTests}, play, func(t *testing.T, client *Client, _ *pipes) {
		var calls sync.WaitGroup
		for i := range 3 * slow {
			calls.Go(func() {
				resp, err := client.Call(t.Context(), fmt.Sprintf("broker-%d:1", i), numbered(i))
				if err != nil || len(resp.Body) != heldInTests/2 {
					t.Errorf("%d bytes, err = %v", len(resp.Body), err)
				}
			})
		}
		calls.Wait()
		nothingPending(t, client)
	})
}

// TestWaitingForATurnEndsWithTheConnection: who is gone stands in nobody's way.
func TestWaitingForATurnEndsWithTheConnection(t *testing.T) {
	play := func(p *peerConn) {
		for _, c := range p.take(1) {
			p.answer(c, large()...)
		}
		swallow(p)
	}
	bubble(t, Options{MaxHeld: heldInTests}, play, func(t *testing.T, client *Client, _ *pipes) {
		var calls sync.WaitGroup
		handle := make(chan struct{})
		for i := range 2 {
			calls.Go(func() {
				client.Pipeline(t.Context(), fmt.Sprintf("broker-%d:1", i), 1, numbered, func(int, Response, error) { <-handle })
			})
		}
		synctest.Wait()
		calls.Go(func() {
			if _, err := client.Call(t.Context(), broker, numbered(2)); Reason(err) != "connection_lost" {
				t.Errorf("err = %v, want a lost connection", err)
			}
		})
		synctest.Wait()
		client.Retain(func(addr string) bool { return addr != broker })
		synctest.Wait()
		client.buffers.mu.Lock()
		if n := len(client.buffers.waiting); n != 0 {
			t.Errorf("%d readers wait for memory, whose connections have ended", n)
		}
		client.buffers.mu.Unlock()
		close(handle)
		calls.Wait()
		nothingPending(t, client)
	})
}

// TestWaitingForATurnIsNotThePeersSilence: a connection outlives requests whose
// time was up while others' answers were handled.
func TestWaitingForATurnIsNotThePeersSilence(t *testing.T) {
	play := func(p *peerConn) {
		for {
			c, ok := p.next()
			if !ok {
				return
			}
			p.answer(c, large()...)
		}
	}
	bubble(t, Options{MaxHeld: heldInTests, RequestTimeout: time.Second}, play, func(t *testing.T, client *Client, d *pipes) {
		var slow sync.WaitGroup
		for i := range 2 {
			slow.Go(func() {
				client.Pipeline(t.Context(), fmt.Sprintf("broker-%d:1", i), 1, numbered, func(int, Response, error) { time.Sleep(5 * time.Second) })
			})
		}
		synctest.Wait()
		if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != "timeout" {
			t.Errorf("err = %v, want a timeout", err)
		}
		slow.Wait()
		if _, err := client.Call(t.Context(), broker, numbered(1)); err != nil {
			t.Error(err)
		}
		if n := d.dialed(); n != 3 {
			t.Errorf("%d connections were opened to 3 nodes", n)
		}
		nothingPending(t, client)
	})
}

// TestPanicGivesLargeAnswersBack: what nobody handled any more must not count
// as lent for ever.
func TestPanicGivesLargeAnswersBack(t *testing.T) {
	play := func(p *peerConn) {
		for _, c := range p.take(2) {
			p.answer(c, large()...)
		}
		swallow(p)
	}
	bubble(t, Options{MaxHeld: heldInTests}, play, func(t *testing.T, client *Client, _ *pipes) {
		func() {
			defer func() { _ = recover() }()
			client.Pipeline(t.Context(), broker, 2, numbered, func(int, Response, error) {
				synctest.Wait() // the other one is there too
				panic("handle")
			})
		}()
		nothingPending(t, client)
	})
}

// TestTrim: a client keeps the memory of large answers for the next ones, until it
// is told that none will come.
func TestTrim(t *testing.T) {
	play := func(p *peerConn) {
		for range 2 {
			for _, c := range p.take(1) {
				p.answer(c, large()...)
			}
		}
		swallow(p)
	}
	bubble(t, Options{}, play, func(t *testing.T, client *Client, _ *pipes) {
		ask := func() {
			client.Pipeline(t.Context(), "broker:1", 1, numbered, func(_ int, r Response, err error) {
				if err != nil || len(r.Body) != heldInTests/2 {
					t.Errorf("%d bytes, err = %v", len(r.Body), err)
				}
			})
		}
		ask()
		arena := &client.buffers.arena
		if n := arena.size; n < heldInTests/2 || n > 2*heldInTests {
			t.Errorf("%d bytes are kept for the next answer", n)
		}
		client.Trim()
		if arena.size != 0 || len(arena.pieces) != 0 {
			t.Errorf("%d bytes in %d pieces are kept", arena.size, len(arena.pieces))
		}
		ask()
		nothingPending(t, client)
	})
}
