package remoting

import "sync"

// buffers lends memory for frames and bounds how much of it is lent for large
// ones at a time: whoever reads a further one waits until others were handled.
// Nodes send faster than answers are decoded, so without a bound all answers of
// a round would lie in memory at once.
type buffers struct {
	small, large sync.Pool // of *buffer
	most         int64     // bytes of large frames

	mu      sync.Mutex
	lent    int64
	waiting []*claim // in the order of their coming
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
	// keepBuffer bounds the buffers that are used again: one large answer must
	// not hold its memory for ever.
	keepBuffer = 2 << 20
	// DefaultMaxHeld is about what eight brokers answer in one go that have
	// ten thousand queues each.
	DefaultMaxHeld = 8 << 20
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
	b := fromPool(&p.large)
	b.claim = size
	return b
}

func fromPool(pool *sync.Pool) *buffer {
	if b, ok := pool.Get().(*buffer); ok {
		return b
	}
	return &buffer{}
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

// put takes a buffer back.
func (p *buffers) put(b *buffer) {
	pool := &p.small
	if b.claim > 0 {
		pool = &p.large
		p.giveBack(b.claim)
		b.claim = 0
	}
	if cap(b.bytes) <= keepBuffer {
		pool.Put(b)
	}
}

func (p *buffers) giveBack(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.lent -= n; len(p.waiting) > 0 && p.fits(p.waiting[0].bytes); p.waiting = p.waiting[1:] {
		p.lent += p.waiting[0].bytes
		close(p.waiting[0].granted)
	}
}
