package remoting

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Request is what a caller asks of a node.
type Request struct {
	Code   RequestCode
	Fields []Field
	Body   []byte
	// Timeout bounds this one request, from its sending to its answer. 0
	// means Options.RequestTimeout.
	Timeout time.Duration
}

// Response is a node's answer whose code is Success.
type Response struct {
	Remark string
	Fields []Field
	Body   []byte
}

// Exchange is what Options.Observe is told of one request.
type Exchange struct {
	Addr     string
	Code     RequestCode
	Err      error         // nil for an answer with code Success
	Sent     int           // bytes on the wire, 0 if nothing was sent
	Received int           // bytes on the wire, 0 if nothing came
	Took     time.Duration // from sending to answer
}

// Options are the settings of a Client. The zero value of each means the
// default named with it.
type Options struct {
	// Window is how many requests may be in flight on one connection; 64. A
	// broker serves all reads of this package from one pool of 16 threads
	// (adminBrokerThreadPoolNums), and wakes one of them for each request that
	// finds none at work: a smaller window makes the same requests dearer for
	// it, a larger one lets others queue.
	Window int
	// RequestTimeout bounds one request; 5 s.
	RequestTimeout time.Duration
	// DialTimeout bounds the opening of a connection; 3 s.
	DialTimeout time.Duration
	// BackoffMin and BackoffMax bound the pause after a connection that
	// could not be opened, that ended before any answer, or on which the
	// node refused the login: it doubles from 500 ms to 10 s and varies by a
	// fifth. Requests within the pause fail at once.
	BackoffMin, BackoffMax time.Duration
	// MaxFrame is the longest answer that is read, in bytes; DefaultMaxFrame.
	MaxFrame int
	// MaxHeld bounds the bytes of large answers that lie in memory at a time,
	// of all nodes together; DefaultMaxHeld. A single one may be longer, up to
	// MaxFrame. Of answers that are slow in coming while others wait as much
	// again may lie there besides.
	MaxHeld int64
	// Credentials sign every request; without an access key none is signed.
	Credentials Credentials
	// TLS, when set, has every connection encrypted. An empty ServerName means
	// the host of the node's address. nil: plain.
	TLS *tls.Config
	// Dial opens a plain connection; a net.Dialer's DialContext.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Observe, when set, is told of each request as it ends. It must not
	// block and may be called from several goroutines at once.
	Observe func(Exchange)
}

func (o Options) withDefaults() Options {
	setDefault(&o.Window, 64)
	setDefault(&o.RequestTimeout, 5*time.Second)
	setDefault(&o.DialTimeout, 3*time.Second)
	setDefault(&o.BackoffMin, 500*time.Millisecond)
	setDefault(&o.BackoffMax, 10*time.Second)
	setDefault(&o.MaxFrame, DefaultMaxFrame)
	setDefault(&o.MaxHeld, DefaultMaxHeld)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Observe == nil {
		o.Observe = func(Exchange) {}
	}
	return o
}

func setDefault[T int | int64 | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}

// Client asks RocketMQ nodes. It keeps one connection per node, sends many
// requests on it without waiting for answers, and matches answers by their
// opaque number. A Client is safe for use by several goroutines.
type Client struct {
	opts    Options
	buffers buffers
	outs    sync.Pool // of *[]byte: long write buffers
	singles sync.Pool // of *batch: see Client.batch

	mu     sync.Mutex
	nodes  map[string]*node
	closed bool
}

// NewClient makes a client; it opens no connection yet.
func NewClient(o Options) *Client {
	o = o.withDefaults()
	return &Client{opts: o, buffers: newBuffers(o.MaxHeld, o.RequestTimeout), nodes: make(map[string]*node)}
}

// Close ends every connection. Calls under way return ErrClosed.
func (c *Client) Close() error {
	c.mu.Lock()
	nodes := c.nodes
	c.nodes, c.closed = nil, true
	c.mu.Unlock()
	for _, n := range nodes {
		n.drop(ErrClosed)
	}
	return nil
}

// longOut is a buffer for a long request.
func (c *Client) longOut() []byte {
	if b, ok := c.outs.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return nil
}

// Trim lets go of the memory of large answers that is kept for the next ones: for
// whoever asks much at once, and then nothing for long.
func (c *Client) Trim() { c.buffers.trim() }

// Retain closes the connections to nodes for which keep is false, and forgets
// them: nodes that have left the cluster cost nothing.
func (c *Client) Retain(keep func(addr string) bool) {
	var gone []*node
	c.mu.Lock()
	for addr, n := range c.nodes {
		if !keep(addr) {
			gone = append(gone, n)
			delete(c.nodes, addr)
		}
	}
	c.mu.Unlock()
	for _, n := range gone {
		n.drop(errors.New("node left the cluster"))
	}
}

func (c *Client) node(addr string) (*node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	n := c.nodes[addr]
	if n == nil {
		n = &node{client: c, addr: addr, dialing: make(chan struct{}, 1)}
		c.nodes[addr] = n
	}
	return n, nil
}

// Call sends one request and waits for its answer, which the caller may keep.
// An answer whose code is not Success is a *ResponseError.
func (c *Client) Call(ctx context.Context, addr string, r Request) (Response, error) {
	var resp Response
	var failed error
	c.Pipeline(ctx, addr, 1, func(int) Request { return r }, func(_ int, got Response, err error) {
		resp, failed = got, err
		resp.Body = append([]byte(nil), got.Body...)
	})
	return resp, failed
}

// Pipeline sends n requests to one node, up to the window at once, and calls
// handle for each as its answer or its failure comes: once for every request,
// in the order of arrival, all from the calling goroutine. The body of an
// answer is valid until handle returns. When the connection ends or cannot be
// opened, every request that has no answer yet fails; none is sent twice.
// Neither request nor handle may ask the same node: the batch keeps its part
// of the window meanwhile.
func (c *Client) Pipeline(ctx context.Context, addr string, n int, request func(i int) Request, handle func(i int, r Response, err error)) {
	if n <= 0 {
		return
	}
	b := c.batch(n)
	b.ctx, b.addr, b.request, b.handle = ctx, addr, request, handle
	b.run(c)
	if n == 1 {
		b.clear()
		c.singles.Put(b)
	}
}

// batch is one for n requests. Those of a single one are used again: what is asked
// behind rounds is asked one by one, thousands of times.
func (c *Client) batch(n int) *batch {
	if n == 1 {
		if b, ok := c.singles.Get().(*batch); ok {
			return b
		}
	}
	b := &batch{opts: &c.opts, n: n, results: make(chan result, min(n, c.opts.Window)), timer: time.NewTimer(time.Hour)}
	b.timer.Stop()
	return b
}

// node is one address: its connection, if there is one, and when the next may
// be tried.
type node struct {
	client *Client
	addr   string

	dialing chan struct{} // held while a connection is being opened

	mu         sync.Mutex
	conn       *conn
	cancelDial context.CancelFunc // set while a connection is being opened
	backoff    time.Duration
	retryAt    time.Time
	lastErr    error
	dropped    error
}

// connect returns the living connection or opens one.
func (n *node) connect(ctx context.Context) (*conn, error) {
	select {
	case n.dialing <- struct{}{}:
		defer func() { <-n.dialing }()
	case <-ctx.Done():
		return nil, contextError(ctx)
	}
	n.mu.Lock()
	conn, dropped := n.conn, n.dropped
	n.mu.Unlock()
	switch {
	case dropped != nil:
		return nil, &DialError{Err: dropped}
	case conn != nil && conn.alive():
		return conn, nil
	}
	n.mu.Lock()
	retryAt, lastErr := n.retryAt, n.lastErr
	n.mu.Unlock()
	if wait := time.Until(retryAt); wait > 0 {
		return nil, &DialError{Err: lastErr, RetryIn: wait}
	}
	return n.dial(ctx)
}

func (n *node) dial(ctx context.Context) (*conn, error) {
	dialCtx, cancel := context.WithTimeout(ctx, n.client.opts.DialTimeout)
	defer cancel()
	n.mu.Lock()
	n.cancelDial = cancel
	if n.dropped != nil {
		cancel()
	}
	n.mu.Unlock()
	nc, err := open(dialCtx, &n.client.opts, n.addr)
	return n.opened(ctx, nc, err)
}

// opened takes what a dial came to.
func (n *node) opened(ctx context.Context, nc net.Conn, err error) (*conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cancelDial = nil
	switch {
	case n.dropped != nil:
		if err == nil {
			closeAtOnce(nc)
		}
		return nil, &DialError{Err: n.dropped}
	case err == nil:
		n.conn = newConn(nc, n, n.backoff > 0)
		return n.conn, nil
	case ctx.Err() != nil: // the caller's haste, not the node's fault
		return nil, &DialError{Err: contextError(ctx)}
	}
	n.pause(err)
	return nil, &DialError{Err: err}
}

// pause puts off the next attempt. The caller holds the lock.
func (n *node) pause(why error) {
	o := &n.client.opts
	n.backoff = min(max(2*n.backoff, o.BackoffMin), o.BackoffMax)
	pause := time.Duration(float64(n.backoff) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // a pause needs no secrecy
	n.retryAt, n.lastErr = time.Now().Add(pause), why
}

// letIn is called when the node has answered the first request of a connection,
// and not refused the login.
func (n *node) letIn() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.backoff, n.retryAt, n.lastErr = 0, time.Time{}, nil
}

// failed is called when a connection ends on which the node let nothing in: what
// ended it ends the next one too, for a while. The caller holds the connection's
// lock.
func (n *node) failed(c *conn, why error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == c && n.dropped == nil {
		n.pause(why)
	}
}

// drop ends the node for good, and a dial under way with it.
func (n *node) drop(why error) {
	n.mu.Lock()
	conn := n.conn
	n.conn, n.dropped = nil, why
	if n.cancelDial != nil {
		n.cancelDial()
	}
	n.mu.Unlock()
	if conn != nil {
		conn.fail(why)
	}
}
