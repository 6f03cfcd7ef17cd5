package remoting

import "sync"

// buffers lends memory for frames and bounds how much of it is lent for large
// ones at a time: whoever reads a further one waits until others were handled.
// Nodes send faster than answers are decoded, so without a bound all answers of
// a round would lie in memory at once.
type buffers struct {
	small sync.Pool // of *buffer
	most  int64     // bytes of large frames

	mu      sync.Mutex
	lent    int64
	waiting []*claim // in the order of their coming
	// Large buffers to be used again. A sync.Pool would lose them to the
	// garbage collector between two rounds.
	free      []*buffer
	freeBytes int64
}

// buffer is memory for one frame.
type buffer struct {
	bytes []byte
	claim int64 // bytes that count as lent; 0: it is a small one
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

// get lends a buffer for a frame of n bytes.
func (p *buffers) get(n int) *buffer {
	if n <= smallFrame {
		return fromPool(&p.small)
	}
	// A node that stops in the middle of a frame keeps what it has claimed
	// until its time is up: one must never keep all.
	size := min(int64(n), p.most/2)
	p.wait(size)
	b := p.takeFree(n)
	b.claim = size
	return b
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
	p.mu.Lock()
	defer p.mu.Unlock()
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

// wait waits until so many more bytes may be lent.
func (p *buffers) wait(n int64) {
	p.mu.Lock()
	if len(p.waiting) == 0 && p.fits(n) {
		p.lent += n
		p.mu.Unlock()
		return
	}
	c := &claim{n, make(chan struct{})}
	p.waiting = append(p.waiting, c)
	p.mu.Unlock()
	<-c.granted
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
	n := b.claim
	b.claim = 0
	p.lent -= n
	if size := int64(cap(b.bytes)); size > 0 && size <= keepBuffer {
		p.free = append(p.free, b)
		p.freeBytes += size
		p.makeRoom()
	}
	for ; len(p.waiting) > 0 && p.fits(p.waiting[0].bytes); p.waiting = p.waiting[1:] {
		p.lent += p.waiting[0].bytes
		close(p.waiting[0].granted)
	}
}
