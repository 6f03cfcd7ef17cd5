package remoting

import "slices"

// arena is memory of which regions are lent. A frame has just as much as it is
// long, and what is given back is one hole with what is free beside it: buffers
// of frames that are 20 to 600 kB long would fit none but their own kind, and each
// round would make them anew.
//
// It grows in few pieces: who has only some answers of 20 kB holds no more than
// they need. Who calls it says what is the bound at the moment, and has a lock.
type arena struct {
	pieces []*piece // in the order of their making
	size   int64    // bytes of all pieces, and of what is reserved
	// reserved are bytes of large frames whose memory is none of the arena's.
	reserved int64
}

// piece is contiguous memory.
type piece struct {
	memory  []byte
	holes   []hole // in their order; between two of them something is lent
	leaving bool   // goes as soon as nothing of it is lent, unless something is lent again
}

// hole is what is free between two bytes of a piece.
type hole struct{ from, to int }

// region is what is lent of a piece; without one it is none.
type region struct {
	piece    *piece
	from, to int
}

// firstPiece is the least that an arena makes, unless that is more than half of it.
const firstPiece = 64 << 10

// lend lends n bytes: of the smallest hole that is long enough, so that long ones
// stay for long frames, or else of a new piece, if it may make one.
func (a *arena) lend(n int, bound int64, grow bool) (r region, ok bool) {
	p, i := a.smallestHole(n, bound)
	if p == nil && grow && a.makePiece(n, bound) {
		p, i = a.pieces[len(a.pieces)-1], 0
	}
	if p == nil {
		return region{}, false
	}
	return p.lend(i, n), true
}

// smallestHole looks for one of at least n bytes. Pieces beyond the bound, which
// was a wider one when they were made, are not lent of, so that they soon go.
func (a *arena) smallestHole(n int, bound int64) (in *piece, index int) {
	least, upto := 0, a.reserved
	for _, p := range a.pieces {
		if upto += p.size(); upto > bound {
			break
		}
		for i, h := range p.holes {
			if size := h.to - h.from; size >= n && (in == nil || size < least) {
				in, index, least = p, i, size
			}
		}
	}
	return in, index
}

// makePiece makes a piece of at least n bytes: one of three times what there was,
// as far as the bound allows, so that large clusters have few pieces; and of no more
// than a frame may cost whose length is forged.
func (a *arena) makePiece(n int, bound int64) bool {
	size := max(int64(n), min(firstPiece, bound/2), min(3*a.size, readStep))
	if !a.makeRoom(int64(n), bound) {
		return false
	}
	a.add(make([]byte, min(size, bound-a.size)))
	return true
}

func (a *arena) add(memory []byte) {
	p := &piece{memory: memory, holes: []hole{{0, len(memory)}}}
	a.pieces = append(a.pieces, p)
	a.size += p.size()
}

// reserve counts n bytes that are none of the arena's, if there is room for them.
func (a *arena) reserve(n, bound int64) bool {
	if !a.makeRoom(n, bound) {
		return false
	}
	a.size, a.reserved = a.size+n, a.reserved+n
	return true
}

// makeRoom says whether n bytes more are within the bound: without the pieces of
// which nothing is lent, if need be, which then go.
func (a *arena) makeRoom(n, bound int64) bool {
	if a.size+n <= bound {
		return true
	}
	size := a.size
	for _, p := range a.pieces {
		if p.idle() {
			size -= p.size()
		}
	}
	if size+n > bound {
		return false
	}
	a.drop((*piece).idle)
	return true
}

// giveBack takes a region back.
func (a *arena) giveBack(r region, bound int64) {
	r.piece.giveBack(r)
	a.drop(func(p *piece) bool { return p.idle() && p.leaving })
	a.shrink(bound)
}

// giveBackReserved takes back what was reserved, and keeps the memory that a frame
// was read into: the next one that is as long finds it there.
func (a *arena) giveBackReserved(n int64, memory []byte, bound int64) {
	a.size, a.reserved = a.size-n, a.reserved-n
	memory = memory[:cap(memory)]
	if len(memory) > smallFrame && a.size+int64(len(memory)) <= bound {
		a.add(memory)
	}
	a.shrink(bound)
}

// shrink lets go of pieces beyond the bound of which nothing is lent, the youngest
// first: those are not lent of any more.
func (a *arena) shrink(bound int64) {
	for i := len(a.pieces) - 1; i >= 0 && a.size > bound; i-- {
		if p := a.pieces[i]; p.idle() {
			a.drop(func(other *piece) bool { return other == p })
		}
	}
}

// trim lets go of all pieces: of those of which something is lent when it was
// given back.
func (a *arena) trim() {
	a.drop((*piece).idle)
	for _, p := range a.pieces {
		p.leaving = true
	}
}

func (a *arena) drop(which func(*piece) bool) {
	a.pieces = slices.DeleteFunc(a.pieces, func(p *piece) bool {
		if !which(p) {
			return false
		}
		a.size -= p.size()
		return true
	})
}

func (p *piece) size() int64 { return int64(len(p.memory)) }

func (p *piece) idle() bool {
	return len(p.holes) == 1 && p.holes[0] == hole{0, len(p.memory)}
}

// lend lends the first n bytes of a hole.
func (p *piece) lend(i, n int) region {
	h := &p.holes[i]
	r := region{p, h.from, h.from + n}
	if h.from = r.to; h.from == h.to {
		p.holes = slices.Delete(p.holes, i, i+1)
	}
	p.leaving = false
	return r
}

// giveBack makes a region a hole, one with those that it touches.
func (p *piece) giveBack(r region) {
	h := hole{r.from, r.to}
	i, _ := slices.BinarySearchFunc(p.holes, h.from, func(h hole, from int) int { return h.from - from })
	end := i
	if i < len(p.holes) && p.holes[i].from == h.to {
		h.to, end = p.holes[i].to, i+1
	}
	if i > 0 && p.holes[i-1].to == h.from {
		i--
		h.from = p.holes[i].from
	}
	p.holes = slices.Replace(p.holes, i, end, h)
}

// bytes are the region's, and end with it: who appends to them runs over nobody.
func (r region) bytes() []byte {
	if r.piece == nil {
		return nil
	}
	return r.piece.memory[r.from:r.from:r.to]
}
