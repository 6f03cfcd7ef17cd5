package remoting

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestArena: few pieces, of which regions are lent that are as long as they should
// be, and what is given back is one with what is free beside it.
func TestArena(t *testing.T) {
	const bound = 2 << 20
	var a arena
	lend := func(n int) region {
		t.Helper()
		r, ok := a.lend(n, bound, true)
		if !ok {
			t.Fatalf("no %d bytes of %d", n, bound)
		}
		checkArena(t, &a, bound)
		return r
	}
	sizes := func(want ...int) {
		t.Helper()
		var got []int
		for _, p := range a.pieces {
			got = append(got, len(p.memory))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("pieces of %d bytes, want %d", got, want)
		}
	}
	first := lend(20 << 10)
	sizes(64 << 10)
	if b := first.bytes(); len(b) != 0 || cap(b) != 20<<10 {
		t.Errorf("%d bytes of %d, want none of %d", len(b), cap(b), 20<<10)
	}
	long := lend(600 << 10)
	sizes(64<<10, 600<<10)
	second := lend(30 << 10)
	rest := lend(300 << 10)
	sizes(64<<10, 600<<10, 1<<20)
	if second.piece != first.piece || second.from != first.to {
		t.Error("a short region was not lent of the hole that fits best")
	}
	if _, ok := a.lend(1<<20, bound, true); ok {
		t.Error("more was lent than there is room for")
	}
	for _, r := range []region{first, long, second} {
		a.giveBack(r, bound)
		checkArena(t, &a, bound)
	}
	if _, ok := a.lend(bound/2, bound, false); ok {
		t.Error("a piece was made without leave")
	}
	half := lend(1000 << 10) // for which the two of which nothing is lent make room
	sizes(1<<20, 1<<20)
	a.giveBack(half, bound)
	if !a.reserve(bound/4, bound) {
		t.Error("pieces of which nothing is lent did not make room")
	}
	sizes(1 << 20)
	a.trim()
	a.giveBack(rest, bound)
	sizes()
	a.giveBackReserved(bound/4, make([]byte, 10, bound/4+10), bound)
	sizes(bound/4 + 10)
	a.trim()
	sizes()
	if a.size != 0 || a.reserved != 0 {
		t.Errorf("%d bytes are left, %d reserved", a.size, a.reserved)
	}
}

// TestArenaShrinks: of pieces beyond the bound, which was a wider one, nothing is
// lent any more, and they go.
func TestArenaShrinks(t *testing.T) {
	const bound = 1 << 20
	var a arena
	first, _ := a.lend(bound, bound, true)
	second, _ := a.lend(bound/2, 2*bound, true)
	if _, ok := a.lend(bound/4, bound, true); ok {
		t.Error("a piece beyond the bound was lent of")
	}
	a.giveBack(second, bound)
	if a.size != bound {
		t.Errorf("%d bytes are kept, want %d", a.size, bound)
	}
	a.giveBack(first, bound)
	checkArena(t, &a, bound)
}

// checkArena checks what holds of an arena at any time.
func checkArena(t *testing.T, a *arena, bound int64) {
	t.Helper()
	size := a.reserved
	for _, p := range a.pieces {
		size += p.size()
		end := -1
		for _, h := range p.holes {
			if h.from <= end || h.to <= h.from || h.to > len(p.memory) {
				t.Fatalf("holes %v in a piece of %d bytes", p.holes, len(p.memory))
			}
			end = h.to
		}
	}
	if size != a.size || size > bound {
		t.Fatalf("%d bytes, counted as %d, want at most %d", size, a.size, bound)
	}
}

// TestTrimWhileLent: what is lent stays as it is, and goes when it is put back.
func TestTrimWhileLent(t *testing.T) {
	p := newBuffers(1<<20, time.Second)
	b, c := p.get(100_000, &conn{}), p.get(300_000, &conn{})
	b.bytes = append(b.bytes, "here"...)
	p.trim()
	d := p.get(20_000, &conn{})
	d.bytes = append(d.bytes, "there"...)
	if string(b.bytes) != "here" {
		t.Errorf("%q, want what was read", b.bytes)
	}
	p.put(c)
	p.put(b)
	if n := len(p.arena.pieces); n != 1 {
		t.Errorf("%d pieces are kept, want the one of which something was lent since", n)
	}
	p.put(d)
	p.trim()
	if p.arena.size != 0 || p.lent != 0 {
		t.Errorf("%d bytes are kept, %d lent", p.arena.size, p.lent)
	}
}

// TestBuffersAtOnce: what many readers have at once is theirs alone.
func TestBuffersAtOnce(t *testing.T) {
	p := newBuffers(1<<20, time.Hour)
	var readers sync.WaitGroup
	for i := range 16 {
		readers.Go(func() {
			random, own := rand.New(rand.NewPCG(1, uint64(i))), byte(i)
			for range 100 {
				n := smallFrame + 1 + random.IntN(300_000)
				b := p.get(n, &conn{})
				b.bytes = append(b.bytes, bytes.Repeat([]byte{own}, n)...)
				p.arrived(b)
				if random.IntN(20) == 0 {
					p.trim()
				}
				if bytes.Count(b.bytes, []byte{own}) != n {
					t.Errorf("a frame of %d bytes was written over", n)
				}
				p.put(b)
			}
		})
	}
	readers.Wait()
	p.trim()
	if p.lent != 0 || p.arena.size != 0 {
		t.Errorf("%d bytes are lent, %d kept", p.lent, p.arena.size)
	}
}

// lending is what a run of random steps knows of buffers.
type lending struct {
	t       *testing.T
	p       *buffers
	random  *rand.Rand
	lent    map[*buffer]bool
	waiting []*claim
}

// FuzzBuffers: whatever is lent, set aside, withdrawn and put back, no two frames
// overlap, holes are merged, memory stays within its bound, turns are taken in the order of coming,
// and in the end all is free.
func FuzzBuffers(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint16(1000))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) {
		p := newBuffers(1<<19, time.Hour)
		l := &lending{t: t, p: &p, random: rand.New(rand.NewPCG(seed, 0)), lent: make(map[*buffer]bool)}
		for range steps {
			l.step()
			l.check()
		}
		l.end()
	})
}

// step does one thing at random.
func (l *lending) step() {
	p := l.p
	switch k := l.random.IntN(100); {
	case k < 45:
		l.ask()
	case k < 90:
		if b := l.any(); b != nil {
			delete(l.lent, b)
			p.put(b)
		}
	case k < 94:
		if b := l.any(); b != nil && !b.aside && p.aside+b.claim <= p.most {
			p.setAside(b)
			p.grant()
		}
	case k < 97:
		if n := len(l.waiting); n > 0 {
			i := l.random.IntN(n)
			c := l.waiting[i]
			l.waiting = slices.Delete(l.waiting, i, i+1)
			p.withdraw(c)
		}
	case k < 98:
		p.trim()
	}
	l.granted()
}

// ask wants a frame as get does, but does not block.
func (l *lending) ask() {
	longest := []int{40_000, 100_000, 300_000, 1 << 20}[l.random.IntN(4)]
	n := smallFrame + 1 + l.random.IntN(longest-smallFrame)
	if len(l.p.waiting) == 0 {
		if b := l.p.lend(n, &conn{}); b != nil {
			l.took(b, n)
			return
		}
	}
	c := &claim{bytes: n, reader: &conn{}, granted: make(chan struct{})}
	l.p.waiting = append(l.p.waiting, c)
	l.waiting = append(l.waiting, c)
}

// granted notes what was lent to those that waited: the first ones.
func (l *lending) granted() {
	for len(l.waiting) > len(l.p.waiting) {
		c := l.waiting[0]
		if c.buffer == nil {
			l.t.Fatalf("somebody that came later was let past %d bytes", c.bytes)
		}
		l.waiting = l.waiting[1:]
		if l.random.IntN(10) == 0 {
			l.p.withdraw(c) // its connection ended a moment ago
		} else {
			l.took(c.buffer, c.bytes)
		}
	}
	if !slices.Equal(l.waiting, l.p.waiting) {
		l.t.Fatal("turns are not in the order of coming")
	}
}

// took notes what was lent for a frame of n bytes, a part of which may have come.
func (l *lending) took(b *buffer, n int) {
	switch {
	case b.region.piece != nil:
		if len(b.bytes) != 0 || cap(b.bytes) != n {
			l.t.Fatalf("%d bytes of %d were lent for %d", len(b.bytes), cap(b.bytes), n)
		}
	case n <= 1<<18 || cap(b.bytes) != 0:
		l.t.Fatalf("%d bytes have memory of their own", n)
	case l.random.IntN(2) == 0:
		b.bytes = make([]byte, n)
	}
	l.lent[b] = true
}

// any is one of those that are lent; nil: there is none.
func (l *lending) any() *buffer {
	if len(l.p.coming) == 0 {
		return nil
	}
	return l.p.coming[l.random.IntN(len(l.p.coming))]
}

func (l *lending) check() {
	p := l.p
	checkArena(l.t, &p.arena, 2*p.most)
	var lent, aside int64
	lying := make(map[*piece][]hole)
	for b := range l.lent {
		if b.aside {
			aside += b.claim
		} else {
			lent += b.claim
		}
		lying[b.region.piece] = append(lying[b.region.piece], hole{b.region.from, b.region.to})
	}
	for _, piece := range p.arena.pieces {
		l.checkTiled(piece, lying[piece])
		delete(lying, piece)
	}
	if delete(lying, nil); len(lying) > 0 {
		l.t.Fatal("a piece has gone of which something is lent")
	}
	if lent != p.lent || aside != p.aside || lent > p.most || aside > p.most {
		l.t.Fatalf("%d bytes lent and %d aside, counted as %d and %d, want at most %d of each", lent, aside, p.lent, p.aside, p.most)
	}
	if len(l.lent) == 0 && len(l.waiting) > 0 {
		l.t.Fatal("all is free, and somebody waits")
	}
}

// checkTiled checks that a piece is what is lent of it and holes, none of which
// touch.
func (l *lending) checkTiled(p *piece, lent []hole) {
	tiles := slices.Concat(lent, p.holes)
	slices.SortFunc(tiles, func(a, b hole) int { return a.from - b.from })
	end := 0
	for _, h := range tiles {
		if h.from != end {
			l.t.Fatalf("%v are lent of a piece of %d bytes, with the holes %v", lent, len(p.memory), p.holes)
		}
		end = h.to
	}
	if end != len(p.memory) {
		l.t.Fatalf("%v are lent of a piece of %d bytes, with the holes %v", lent, len(p.memory), p.holes)
	}
}

// end puts all back, with those that wait.
func (l *lending) end() {
	p := l.p
	for len(l.lent) > 0 {
		b := l.any()
		delete(l.lent, b)
		p.put(b)
		l.granted()
		l.check()
	}
	if p.lent != 0 || p.aside != 0 || len(p.coming) != 0 || p.arena.reserved != 0 {
		l.t.Fatalf("%d bytes lent, %d aside, %d reserved, %d frames coming", p.lent, p.aside, p.arena.reserved, len(p.coming))
	}
	for _, piece := range p.arena.pieces {
		if !piece.idle() {
			l.t.Fatalf("holes %v in a piece of %d bytes of which nothing is lent", piece.holes, len(piece.memory))
		}
	}
	checkArena(l.t, &p.arena, p.most)
	p.trim()
	if p.arena.size != 0 {
		l.t.Fatalf("%d bytes are left", p.arena.size)
	}
}
