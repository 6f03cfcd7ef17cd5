package remoting

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// batch is one call of Pipeline: it keeps the window full and hands out
// results, all in the caller's goroutine.
type batch struct {
	ctx     context.Context //nolint:containedctx // lives as long as one call
	addr    string
	opts    *Options
	n       int
	request func(i int) Request
	handle  func(i int, r Response, err error)
	results chan result // room for every request in flight

	timer *time.Timer

	conn   *conn
	next   int // first request not yet sent
	flight []inflight
}

// clear readies a batch that has ended for the next one: nothing is in flight, and
// nothing more comes.
func (b *batch) clear() {
	b.ctx, b.addr, b.request, b.handle = nil, "", nil, nil
	b.conn, b.next, b.flight = nil, 0, b.flight[:0]
}

// inflight is a request that was sent. They stand in the order of sending.
type inflight struct {
	index    int
	opaque   int32
	code     RequestCode
	size     int // bytes on the wire
	sentAt   time.Time
	deadline time.Time
}

func (b *batch) run(c *Client) {
	n, err := c.node(b.addr)
	if err == nil {
		b.conn, err = n.connect(b.ctx)
	}
	if err != nil {
		b.failRest(err)
		return
	}
	defer b.timer.Stop()
	defer b.abandon()
	for b.next < b.n || len(b.flight) > 0 {
		sent := b.next
		err := b.fill()
		if b.next > sent {
			b.conn.flush()
		}
		if err != nil {
			b.failRest(err)
			continue // what is in flight still has its results to come
		}
		if len(b.flight) == 0 {
			continue
		}
		b.timer.Reset(time.Until(b.earliest()))
		select {
		case r := <-b.results:
			b.take(r)
			b.drain()
		case <-b.timer.C:
			b.expire(time.Now())
		case <-b.ctx.Done():
			b.abort(contextError(b.ctx))
		}
	}
}

// abandon frees what a panic of the caller's functions has left in flight;
// after any other end there is nothing.
func (b *batch) abandon() {
	for _, f := range b.flight {
		if !b.conn.forget(f.opaque) {
			b.giveBack(<-b.results)
		}
	}
}

// giveBack gives the buffer of a result back.
func (b *batch) giveBack(r result) {
	if r.buffer != nil {
		b.conn.buffers.put(r.buffer)
	}
}

// fill sends while the window has room. With nothing of its own in flight it
// waits for room, which other batches on the same connection hold.
func (b *batch) fill() error {
	for b.next < b.n && len(b.flight) < cap(b.results) {
		if b.ctx.Err() != nil {
			return contextError(b.ctx)
		}
		if len(b.flight) > 0 {
			select {
			case b.conn.window <- struct{}{}:
			default:
				return nil
			}
		} else {
			select {
			case b.conn.window <- struct{}{}:
			case <-b.ctx.Done():
				return contextError(b.ctx)
			}
		}
		if err := b.sendNext(); err != nil {
			return err
		}
	}
	return nil
}

// sendNext sends one request for the token that fill took. A request that
// cannot be written fails alone; an error is the connection's.
func (b *batch) sendNext() error {
	sent := false
	defer func() {
		if !sent {
			<-b.conn.window
		}
	}()
	r := b.request(b.next)
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = b.opts.RequestTimeout
	}
	opaque, size, err := b.conn.send(b, r)
	switch {
	case errors.Is(err, ErrConnection):
		return err
	case err != nil:
		index := b.next
		b.next++
		b.finish(index, r.Code, Response{}, err, Exchange{})
		return nil
	}
	sent = true
	now := time.Now()
	b.flight = append(b.flight, inflight{b.next, opaque, r.Code, size, now, now.Add(timeout)})
	b.next++
	return nil
}

func (b *batch) earliest() time.Time {
	first := time.Now().Add(time.Hour)
	for _, f := range b.flight {
		if f.deadline.Before(first) {
			first = f.deadline
		}
	}
	return first
}

// drain takes the results that are already there, so that their successors go
// out in one write.
func (b *batch) drain() {
	for {
		select {
		case r := <-b.results:
			b.take(r)
		default:
			return
		}
	}
}

// take hands one result out and gives its buffer back.
func (b *batch) take(r result) {
	defer b.giveBack(r)
	f, ok := b.remove(r.opaque)
	if !ok {
		return
	}
	var resp Response
	err := r.err
	if err == nil {
		resp = Response{Remark: r.cmd.Remark, Fields: r.cmd.Fields, Body: r.cmd.Body}
		if code := ResponseCode(r.cmd.Code); code != Success {
			err = &ResponseError{Code: code, Remark: r.cmd.Remark}
		}
	}
	b.finish(f.index, f.code, resp, err, Exchange{Sent: f.size, Received: r.size, Took: r.at.Sub(f.sentAt)})
}

// finish tells the observer and the caller of the end of one request.
func (b *batch) finish(index int, code RequestCode, r Response, err error, x Exchange) {
	if err != nil {
		err = &requestError{addr: b.addr, code: code, err: err}
		r = Response{}
	}
	x.Addr, x.Code, x.Err = b.addr, code, err
	b.opts.Observe(x)
	b.handle(index, r, err)
}

func (b *batch) remove(opaque int32) (inflight, bool) {
	for i, f := range b.flight {
		if f.opaque == opaque {
			b.flight = append(b.flight[:i], b.flight[i+1:]...)
			return f, true
		}
	}
	return inflight{}, false
}

// expire fails the requests whose time is up. When the peer has sent not a byte
// for as long as one request may take, the connection is given up too: the
// peer may be gone without a word.
func (b *batch) expire(now time.Time) {
	expired := false
	for i := 0; i < len(b.flight); {
		f := b.flight[i]
		if f.deadline.After(now) || !b.conn.forget(f.opaque) {
			i++ // in time, or its result is in the channel
			continue
		}
		expired = true
		b.flight = append(b.flight[:i], b.flight[i+1:]...)
		b.finish(f.index, f.code, Response{}, fmt.Errorf("%w (%v)", ErrTimeout, f.deadline.Sub(f.sentAt)), Exchange{Sent: f.size, Took: now.Sub(f.sentAt)})
	}
	if expired && b.conn.silent(now) >= b.opts.RequestTimeout {
		b.conn.fail(fmt.Errorf("%w: the peer is silent", ErrTimeout))
	}
}

// abort ends the batch for the caller's reason: what is in flight and what was
// never sent fails.
func (b *batch) abort(why error) {
	for i := 0; i < len(b.flight); {
		f := b.flight[i]
		if !b.conn.forget(f.opaque) {
			i++
			continue
		}
		b.flight = append(b.flight[:i], b.flight[i+1:]...)
		b.finish(f.index, f.code, Response{}, why, Exchange{Sent: f.size, Took: time.Since(f.sentAt)})
	}
	for len(b.flight) > 0 { // their results are in the channel, or a moment away
		b.take(<-b.results)
	}
	b.failRest(why)
}

// failRest fails every request that was not sent.
func (b *batch) failRest(why error) {
	for b.next < b.n {
		index := b.next
		b.next++
		b.finish(index, b.request(index).Code, Response{}, why, Exchange{})
	}
}
