package remoting

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// conn is one connection. One goroutine reads and one writes, so that a peer
// that reads nothing holds no caller beyond its time.
type conn struct {
	node    *node
	nc      net.Conn
	opts    *Options
	buffers *buffers
	window  chan struct{} // one token per request in flight
	wake    chan struct{} // tells the writer that out has frames
	ended   chan struct{} // closed by fail

	mu      sync.Mutex
	out     []byte            // frames not yet written
	pending map[int32]waiting // who waits for which answer
	opaque  int32
	signer  *signer // nil: nothing is signed
	err     error   // why the connection ended
	// quietSince is when a byte last came or, after that, the first request
	// went out: an idle connection is not a silent one. asked tells which.
	quietSince time.Time
	asked      bool
	heldUp     bool          // nothing is read until other answers were handled
	answered   bool          // any answer has come
	letIn      []RequestCode // of the requests that the node answered and did not refuse for the login
	held       int           // tokens of the window that are kept back
	holding    *time.Timer
}

// waiting is a request without an answer.
type waiting struct {
	batch *batch
	code  RequestCode
}

// result is what a batch learns of one of its requests.
type result struct {
	opaque int32
	cmd    Command
	at     time.Time // when it was known
	size   int       // bytes received
	buffer *buffer   // to be given back once the body was read
	err    error
}

const (
	// ioBuffer is the size of a connection's read buffer.
	ioBuffer = 16 << 10
	// keepOut is the largest write buffer that a connection keeps: of a hundred
	// that each have sent a long list once, none keeps it.
	keepOut = 4 << 10
)

// newConn makes a connection of the node's. doubtful: the one before it failed.
func newConn(nc net.Conn, n *node, doubtful bool) *conn {
	o := &n.client.opts
	c := &conn{
		node: n, nc: nc, opts: o, buffers: &n.client.buffers,
		window:  make(chan struct{}, o.Window),
		wake:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
		pending: make(map[int32]waiting, o.Window),
		signer:  newSigner(o.Credentials),
	}
	if c.signer != nil || doubtful {
		c.hold()
	}
	go c.read()
	go c.write()
	return c
}

func (c *conn) alive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err == nil
}

// read hands each answer to its batch until the connection ends.
func (c *conn) read() {
	r := bufio.NewReaderSize(stampingReader{c}, ioBuffer)
	for {
		// Wait without a buffer: an idle connection holds none.
		word, err := r.Peek(4)
		if len(word) == 0 {
			c.fail(c.peerError(err))
			return
		}
		buf := c.buffer(word)
		if buf == nil {
			return
		}
		var f Frame
		f, buf.bytes, err = ReadFrame(r, buf.bytes, c.opts.MaxFrame)
		if err != nil {
			c.buffers.put(buf)
			c.fail(err)
			return
		}
		c.buffers.arrived(buf)
		if !c.deliver(f, buf) {
			c.buffers.put(buf)
		}
	}
}

// buffer lends a buffer for a frame that begins with a word: its length, if it is
// a frame at all. nil: the connection has ended meanwhile.
func (c *conn) buffer(word []byte) *buffer {
	n := 0
	if len(word) == 4 {
		n = int(min(binary.BigEndian.Uint32(word), uint32(c.opts.MaxFrame)))
	}
	c.setHeldUp(true)
	defer c.setHeldUp(false)
	return c.buffers.get(n, c)
}

// setHeldUp says that not the peer is what is waited for.
func (c *conn) setHeldUp(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heldUp, c.quietSince = yes, time.Now()
}

// stampingReader notes when bytes arrive: of one large answer too, while it is
// still on its way.
type stampingReader struct{ c *conn }

func (r stampingReader) Read(p []byte) (int, error) {
	n, err := r.c.nc.Read(p)
	if n > 0 {
		r.c.mu.Lock()
		r.c.quietSince, r.c.asked = time.Now(), false
		r.c.mu.Unlock()
	}
	return n, err
}

// peerError is why nothing more comes.
func (c *conn) peerError(err error) error {
	err = tlsAlert(err)
	if errors.Is(err, io.EOF) {
		err = errors.New("closed by the peer")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answered {
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return err
}

// deliver gives an answer to the batch that waits for it. Answers that nobody
// waits for (they came too late) and requests of the server are dropped.
func (c *conn) deliver(f Frame, buf *buffer) bool {
	if !f.IsResponse() {
		return false
	}
	c.mu.Lock()
	c.answered = true
	w, ok := c.pending[f.Opaque]
	delete(c.pending, f.Opaque)
	c.mu.Unlock()
	if !ok {
		return false
	}
	f.Remark = c.opts.Credentials.conceal(f.Remark)
	// Before its place in the window is free: nothing is sent after a refusal.
	if refusal := c.judge(w.code, &f.Command); refusal != nil {
		c.fail(refusal)
	}
	<-c.window
	// Never blocks: a batch has room for every request it has in flight.
	w.batch.results <- result{opaque: f.Opaque, cmd: f.Command, at: time.Now(), size: f.Size, buffer: buf}
	return true
}

// write writes what send has queued, until the connection ends.
func (c *conn) write() {
	var out []byte
	for {
		select {
		case <-c.wake:
		case <-c.ended:
			return
		}
		c.mu.Lock()
		out, c.out = c.out, out[:0]
		c.mu.Unlock()
		if len(out) == 0 {
			continue
		}
		_ = c.nc.SetWriteDeadline(time.Now().Add(c.opts.RequestTimeout))
		if _, err := c.nc.Write(out); err != nil {
			c.fail(writeError(err))
			return
		}
		if cap(out) > keepOut {
			long := out // the pool's from now on
			c.node.client.outs.Put(&long)
			out = nil
		}
	}
}

func writeError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: the peer reads nothing", ErrTimeout)
	}
	return fmt.Errorf("write: %w", err)
}

// fail ends the connection: every request without an answer fails with why.
func (c *conn) fail(why error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = fmt.Errorf("%w: %w", ErrConnection, why)
	if len(c.letIn) == 0 {
		c.node.failed(c, c.err) // before anybody can see that a new connection is needed
	}
	pending := c.pending
	c.pending, c.out = nil, nil
	c.mu.Unlock()
	close(c.ended)
	c.release()
	now := time.Now()
	for opaque, w := range pending {
		<-c.window
		w.batch.results <- result{opaque: opaque, at: now, err: c.err}
	}
	closeAtOnce(c.nc)
}

// closeAtOnce leaves out TLS's farewell: tls.Conn.Close waits up to 5 s to
// write it to a peer that reads nothing.
func closeAtOnce(nc net.Conn) {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		_ = t.NetConn().Close()
	}
	_ = nc.Close()
}

// send queues one request and tells its size on the wire; flush has it
// written. The caller holds a token of the window. An error that wraps
// ErrConnection is the connection's end, any other is the request's own.
func (c *conn) send(b *batch, r Request) (opaque int32, size int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, 0, c.err
	}
	c.opaque++
	cmd := Command{
		Code: int32(r.Code), Language: LanguageGo, Version: ClientVersion,
		Opaque: c.opaque, Fields: r.Fields, Body: r.Body,
	}
	if c.signer != nil {
		cmd.Fields = c.signer.sign(r.Fields, r.Body)
	}
	if long := cmd.roughSize(); len(c.out) == 0 && long > max(keepOut, cap(c.out)) {
		c.out = c.node.client.longOut()
	}
	before := len(c.out)
	c.out, err = cmd.Append(c.out, JSONHeader)
	if err != nil {
		return 0, 0, err
	}
	c.pending[c.opaque] = waiting{b, r.Code}
	if !c.asked {
		c.quietSince, c.asked = time.Now(), true
	}
	return c.opaque, len(c.out) - before, nil
}

// flush has the queued requests written.
func (c *conn) flush() {
	select {
	case c.wake <- struct{}{}:
	default: // the writer is told already
	}
}

// forget gives up one request. It is false when its answer is already on its
// way to the batch.
func (c *conn) forget(opaque int32) bool {
	c.mu.Lock()
	_, ok := c.pending[opaque]
	delete(c.pending, opaque)
	c.mu.Unlock()
	if ok {
		<-c.window
	}
	return ok
}

// silent says for how long not a byte has come from the peer, which was asked.
func (c *conn) silent(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.heldUp {
		return 0
	}
	return now.Sub(c.quietSince)
}
