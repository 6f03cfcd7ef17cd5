package remoting

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// buffers lends memory for frames and bounds how much of it is lent for large
// ones at a time: whoever reads a further one waits until others were handled.
// Nodes send faster than answers are decoded, so without a bound all answers of
// a round would lie in memory at once.
//
// What is slow in coming while others wait is set aside, and makes room for them:
// else a few nodes that stop in the middle of an answer would hold up all others.
// There is as much room aside, and no more: see makeWay.
type buffers struct {
	small sync.Pool // of *buffer
	most  int64     // bytes of large frames, and as many aside
	// patience is for how long a frame may be on its way while others wait.
	patience time.Duration

	mu      sync.Mutex
	lent    int64
	aside   int64       // bytes lent besides
	coming  []*buffer   // of large frames that are on their way
	waiting []*claim    // in the order of their coming
	watch   *time.Timer // calls makeWay while somebody waits
	watched bool
	// Large buffers to be used again. A sync.Pool would lose them to the
	// garbage collector between two rounds.
	free      []*buffer
	freeBytes int64
}

// buffer is memory for one frame.
type buffer struct {
	bytes []byte
	claim int64 // bytes that count as lent; 0: it is a small one
	// Of a large frame: who reads it, since when, and whether it is set aside.
	reader *conn
	since  time.Time
	aside  bool
}

// claim is a reader that waits for its turn.
type claim struct {
	bytes   int64
	granted chan struct{}
}

const (
	// smallFrame is the longest frame that counts as small: such are bounded
	// by the requests in flight.
	smallFrame = 16 << 10
	// keepBuffer bounds a buffer that is used again, and most all of them, with
	// what is lent: large answers must not hold their memory for ever.
	keepBuffer = 2 << 20
	// DefaultMaxHeld is some ten answers that tell of a thousand queues each:
	// more than two processors decode before the next ones are there. Twice as
	// much makes no round of twenty brokers shorter.
	DefaultMaxHeld = 2 << 20
)

// newBuffers makes buffers for frames that may each take a time to come.
func newBuffers(most int64, timeout time.Duration) buffers {
	return buffers{most: most, patience: timeout / 20}
}

// get lends a connection a buffer for a frame of n bytes; nil: the connection
// ended before there was room.
func (p *buffers) get(n int, c *conn) *buffer {
	if n <= smallFrame {
		return fromPool(&p.small)
	}
	// One that stops in the middle of a frame must not keep all until it is set
	// aside, and two of them have room there.
	size := min(int64(n), p.most/2)
	if !p.wait(size, c.ended) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.takeFree(n)
	b.claim, b.reader, b.since = size, c, time.Now()
	p.coming = append(p.coming, b)
	return b
}

// arrived notes that the whole frame is there: how long it is held from now on
// is not for its node to say.
func (p *buffers) arrived(b *buffer) {
	if b.claim == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notComing(b)
}

func (p *buffers) notComing(b *buffer) {
	if i := slices.Index(p.coming, b); i >= 0 {
		last := len(p.coming) - 1
		p.coming[i], p.coming[last] = p.coming[last], nil
		p.coming = p.coming[:last]
	}
	b.reader = nil
}

func fromPool(pool *sync.Pool) *buffer {
	if b, ok := pool.Get().(*buffer); ok {
		return b
	}
	return &buffer{}
}

// takeFree takes the smallest free buffer in which n bytes have room, or makes
// one: the others are for answers of another kind.
func (p *buffers) takeFree(n int) *buffer {
	best := -1
	for i, b := range p.free {
		if cap(b.bytes) >= n && (best < 0 || cap(b.bytes) < cap(p.free[best].bytes)) {
			best = i
		}
	}
	if best >= 0 {
		return p.removeFree(best)
	}
	p.makeRoom()
	return &buffer{}
}

func (p *buffers) removeFree(i int) *buffer {
	b, last := p.free[i], len(p.free)-1
	p.free[i], p.free[last] = p.free[last], nil
	p.free = p.free[:last]
	p.freeBytes -= int64(cap(b.bytes))
	return b
}

// makeRoom lets go of free buffers, the smallest first, until they and what is
// lent are within the bound.
func (p *buffers) makeRoom() {
	for len(p.free) > 0 && p.freeBytes+p.lent > p.most {
		smallest := 0
		for i, b := range p.free {
			if cap(b.bytes) < cap(p.free[smallest].bytes) {
				smallest = i
			}
		}
		p.removeFree(smallest)
	}
}

// wait waits until so many more bytes may be lent, and claims them. It is false
// when who waits has ended before.
func (p *buffers) wait(n int64, ended <-chan struct{}) bool {
	p.mu.Lock()
	if len(p.waiting) == 0 && p.fits(n) {
		p.lent += n
		p.mu.Unlock()
		return true
	}
	c := &claim{n, make(chan struct{})}
	p.waiting = append(p.waiting, c)
	p.watchOver()
	p.mu.Unlock()
	select {
	case <-c.granted:
		return true
	case <-ended:
		p.withdraw(c)
		return false
	}
}

// withdraw takes a claim back that is waiting, or was granted a moment ago.
func (p *buffers) withdraw(c *claim) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, c); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	} else {
		p.lent -= c.bytes
	}
	p.grant()
}

// grant lends to those that wait, as far as there is room.
func (p *buffers) grant() {
	for ; len(p.waiting) > 0 && p.fits(p.waiting[0].bytes); p.waiting = p.waiting[1:] {
		p.lent += p.waiting[0].bytes
		close(p.waiting[0].granted)
	}
}

// watchOver has makeWay called in a while, unless it will be.
func (p *buffers) watchOver() {
	switch {
	case p.watched:
		return
	case p.watch == nil:
		p.watch = time.AfterFunc(p.patience, p.makeWay)
	default:
		p.watch.Reset(p.patience)
	}
	p.watched = true
}

// makeWay sets aside, while others wait, what has been on its way for too long: it
// goes on coming, and takes no room of theirs any more. When there is no room
// aside either, connections are given up of which nothing is to be hoped.
func (p *buffers) makeWay() {
	p.mu.Lock()
	p.watched = false
	if len(p.waiting) == 0 {
		p.mu.Unlock()
		return
	}
	now, full := time.Now(), false
	for _, b := range p.coming {
		switch {
		case b.aside || now.Sub(b.since) < p.patience:
		case p.aside+b.claim > p.most:
			full = true
		default:
			b.aside = true
			p.aside, p.lent = p.aside+b.claim, p.lent-b.claim
		}
	}
	var hopeless []*conn
	for _, b := range p.coming {
		if full && p.isHopeless(b, now) {
			hopeless = append(hopeless, b.reader)
		}
	}
	p.grant()
	if len(p.waiting) > 0 {
		p.watchOver()
	}
	p.mu.Unlock()
	for _, c := range hopeless {
		c.fail(fmt.Errorf("%w: an answer stopped on its way, while others waited for its memory", ErrTimeout))
	}
}

// isHopeless says whether nothing has come of a frame for several times as long
// as it takes to send what a network has lost again, or whether it has taken so
// long that nobody waits for it any more.
func (p *buffers) isHopeless(b *buffer, now time.Time) bool {
	return b.reader.silent(now) >= 4*p.patience || now.Sub(b.since) >= b.reader.opts.RequestTimeout
}

func (p *buffers) fits(n int64) bool { return p.lent == 0 || p.lent+n <= p.most }

// trim lets go of the free buffers.
func (p *buffers) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free, p.freeBytes = nil, 0
}

// put takes a buffer back.
func (p *buffers) put(b *buffer) {
	if b.claim == 0 {
		if cap(b.bytes) <= readStep {
			p.small.Put(b)
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notComing(b)
	if b.aside {
		p.aside -= b.claim
	} else {
		p.lent -= b.claim
	}
	b.claim, b.aside = 0, false
	if size := int64(cap(b.bytes)); size > 0 && size <= keepBuffer {
		p.free = append(p.free, b)
		p.freeBytes += size
		p.makeRoom()
	}
	p.grant()
}
