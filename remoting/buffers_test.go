package remoting

import (
	"bytes"
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
		if n := client.buffers.freeBytes; n < heldInTests/2 || n > heldInTests {
			t.Errorf("%d bytes are kept for the next answer", n)
		}
		client.Trim()
		if client.buffers.freeBytes != 0 || client.buffers.free != nil {
			t.Errorf("%d bytes in %d buffers are kept", client.buffers.freeBytes, len(client.buffers.free))
		}
		ask()
		nothingPending(t, client)
	})
}

// TestFreeBuffers: one that is too small waits for a shorter answer, and what is
// free and lent together stays within the bound.
func TestFreeBuffers(t *testing.T) {
	p := buffers{most: 1 << 20}
	lend := func(n int) *buffer {
		b := p.get(n)
		if cap(b.bytes) < n {
			b.bytes = make([]byte, 0, n)
		}
		if p.freeBytes+p.lent > p.most {
			t.Fatalf("%d bytes are free and %d lent, of %d", p.freeBytes, p.lent, p.most)
		}
		return b
	}
	short := lend(300 << 10)
	p.put(short)
	long := lend(500 << 10)
	if long == short {
		t.Error("a buffer of 300 kB was lent for 500")
	}
	if again := lend(200 << 10); again != short {
		t.Error("the free buffer was not lent")
	}
	p.put(short)
	p.put(long)
	third := lend(510 << 10)
	if len(p.free) != 1 || p.free[0] != long {
		t.Errorf("%d buffers are free, want the longer one", len(p.free))
	}
	p.put(third)
	p.trim()
	if len(p.free) != 0 || p.freeBytes != 0 || p.lent != 0 {
		t.Errorf("after all: %d free of %d bytes, %d lent", len(p.free), p.freeBytes, p.lent)
	}
}
