package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Tap opens connections, and records what is written to them while it is on.
type Tap struct {
	mu   sync.Mutex
	on   bool
	sent map[string]*bytes.Buffer // by address
}

// Dial is net.Dialer's DialContext.
func (t *Tap) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &tapped{Conn: c, tap: t, addr: addr}, nil
}

// Record begins a recording, or ends it.
func (t *Tap) Record(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.on = on; on {
		t.sent = make(map[string]*bytes.Buffer)
	}
}

type tapped struct {
	net.Conn

	tap  *Tap
	addr string
}

func (c *tapped) Write(b []byte) (int, error) {
	c.tap.mu.Lock()
	if c.tap.on {
		if c.tap.sent[c.addr] == nil {
			c.tap.sent[c.addr] = &bytes.Buffer{}
		}
		c.tap.sent[c.addr].Write(b)
	}
	c.tap.mu.Unlock()
	return c.Conn.Write(b)
}

// Bare is the requests of one round, to be sent again without anything around
// them: to all nodes at once, all requests of a node at once, and their answers
// thrown away. No program that asks the same can be faster.
type Bare struct {
	nodes    []*bareNode
	Requests int
	Received int64 // bytes of the answers, the last time
}

type bareNode struct {
	addr   string
	sent   []byte
	frames int
	conn   net.Conn
	in     *bufio.Reader
}

// Bare is what was recorded, on connections of its own. The runtime of the
// brokers is left out: a round does not wait for it.
func (t *Tap) Bare(ctx context.Context) (*Bare, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &Bare{}
	for addr, sent := range t.sent {
		n := &bareNode{addr: addr}
		if err := n.take(sent.Bytes()); err != nil {
			return nil, err
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		n.conn, n.in = conn, bufio.NewReaderSize(conn, 64<<10)
		b.nodes = append(b.nodes, n)
		b.Requests += n.frames
	}
	return b, nil
}

func (n *bareNode) take(sent []byte) error {
	in := bufio.NewReader(bytes.NewReader(sent))
	var buf []byte
	for {
		f, grown, err := remoting.ReadFrame(in, buf, remoting.DefaultMaxFrame)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if buf = grown; f.Code == int32(remoting.GetBrokerRuntimeInfo) {
			continue
		}
		if n.sent, err = f.Append(n.sent, f.Encoding); err != nil {
			return err
		}
		n.frames++
	}
}

// Close closes the connections.
func (b *Bare) Close() error {
	var errs []error
	for _, n := range b.nodes {
		errs = append(errs, n.conn.Close())
	}
	return errors.Join(errs...)
}

// Send sends the requests and reads as many answers.
func (b *Bare) Send() (took time.Duration, err error) {
	began := time.Now()
	errs := make([]error, len(b.nodes))
	received := make([]int64, len(b.nodes))
	var wg sync.WaitGroup
	for i, n := range b.nodes {
		wg.Go(func() { received[i], errs[i] = n.send() })
	}
	wg.Wait()
	took = time.Since(began)
	b.Received = 0
	for _, n := range received {
		b.Received += n
	}
	return took, errors.Join(errs...)
}

func (n *bareNode) send() (received int64, err error) {
	failed := make(chan error, 1)
	go func() {
		_, err := n.conn.Write(n.sent)
		failed <- err
	}()
	for range n.frames {
		head, err := n.in.Peek(4)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", n.addr, err)
		}
		size := 4 + int(binary.BigEndian.Uint32(head))
		if _, err := n.in.Discard(size); err != nil {
			return 0, fmt.Errorf("%s: %w", n.addr, err)
		}
		received += int64(size)
	}
	return received, <-failed
}
