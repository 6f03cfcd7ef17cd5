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
	// Where large frames lie. A sync.Pool would lose it to the garbage collector
	// between two rounds.
	arena arena
}

// buffer is memory for one frame.
type buffer struct {
	bytes []byte
	claim int64 // bytes that count as lent; 0: it is a small one
	// Of a large frame: where its bytes are, unless it has memory of its own, who
	// reads it, since when, and whether it is set aside.
	region region
	reader *conn
	since  time.Time
	aside  bool
}

// claim is a reader that waits for its turn.
type claim struct {
	bytes   int
	reader  *conn
	buffer  *buffer // what it was granted
	granted chan struct{}
}

const (
	// smallFrame is the longest frame that counts as small: such are bounded
	// by the requests in flight.
	smallFrame = 16 << 10
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
	p.mu.Lock()
	if len(p.waiting) == 0 {
		if b := p.lend(n, c); b != nil {
			p.mu.Unlock()
			return b
		}
	}
	turn := &claim{bytes: n, reader: c, granted: make(chan struct{})}
	p.waiting = append(p.waiting, turn)
	p.watchOver()
	p.mu.Unlock()
	select {
	case <-turn.granted:
		return turn.buffer
	case <-c.ended:
		p.withdraw(turn)
		return nil
	}
}

// lend lends a buffer for a large frame; nil: there is no room.
func (p *buffers) lend(n int, c *conn) *buffer {
	// One that stops in the middle of a frame must not keep all until it is set
	// aside, and two of them have room there.
	half := max(1, p.most/2)
	size := min(int64(n), half)
	if p.lent+size > p.most {
		return nil
	}
	// Nothing is allocated for a longer one before its bytes are there: such has
	// memory of its own, unless there is a hole for it.
	believed := n <= readStep && int64(n) <= half
	r, ok := p.arena.lend(n, p.bound(), believed)
	if !ok && (believed || !p.arena.reserve(size, p.bound())) {
		return nil
	}
	b := &buffer{bytes: r.bytes(), claim: size, region: r, reader: c, since: time.Now()}
	p.lent += size
	p.coming = append(p.coming, b)
	return b
}

// bound is how many bytes the arena may have: as many again while something is
// aside, which may lie anywhere in it.
func (p *buffers) bound() int64 {
	if p.aside > 0 {
		return 2 * p.most
	}
	return p.most
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

// withdraw takes a claim back that is waiting, or was granted a moment ago.
func (p *buffers) withdraw(c *claim) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, c); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	} else {
		p.takeBack(c.buffer)
	}
	p.grant()
}

// grant lends to those that wait, as far as there is room.
func (p *buffers) grant() {
	for len(p.waiting) > 0 {
		c := p.waiting[0]
		if c.buffer = p.lend(c.bytes, c.reader); c.buffer == nil {
			return
		}
		close(c.granted)
		p.waiting = slices.Delete(p.waiting, 0, 1)
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
			p.setAside(b)
		}
	}
	p.grant()
	var hopeless []*conn
	if len(p.waiting) > 0 {
		p.watchOver()
		// Also when only what is aside leaves no hole that is long enough.
		full = full || p.lent == 0
	}
	for _, b := range p.coming {
		if full && p.isHopeless(b, now) {
			hopeless = append(hopeless, b.reader)
		}
	}
	p.mu.Unlock()
	for _, c := range hopeless {
		c.fail(fmt.Errorf("%w: an answer stopped on its way, while others waited for its memory", ErrTimeout))
	}
}

func (p *buffers) setAside(b *buffer) {
	b.aside = true
	p.aside, p.lent = p.aside+b.claim, p.lent-b.claim
}

// isHopeless says whether nothing has come of a frame for several times as long
// as it takes to send what a network has lost again, or whether it has taken so
// long that nobody waits for it any more.
func (p *buffers) isHopeless(b *buffer, now time.Time) bool {
	return b.reader.silent(now) >= 4*p.patience || now.Sub(b.since) >= b.reader.opts.RequestTimeout
}

// trim lets go of the memory for large frames, of what is lent as soon as it is
// put back.
func (p *buffers) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arena.trim()
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
	p.takeBack(b)
	p.grant()
}

// takeBack takes a large frame's buffer back.
func (p *buffers) takeBack(b *buffer) {
	p.notComing(b)
	if b.aside {
		p.aside -= b.claim
	} else {
		p.lent -= b.claim
	}
	if b.region.piece != nil {
		p.arena.giveBack(b.region, p.bound())
	} else {
		p.arena.giveBackReserved(b.claim, b.bytes, p.bound())
	}
	b.bytes, b.region = nil, region{}
}
