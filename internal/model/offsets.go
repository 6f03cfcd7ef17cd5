package model

import "slices"

// blockLen is how many offsets share a base: half a kilobyte of them, so that a
// broker of few queues wastes little.
const blockLen = 128

// baseUnit is what bases are multiples of, so that offsets which have moved on a
// little since the last round mostly have the base that they had.
const baseUnit = 1 << 31

// Offsets is a list of offsets, Unknown among them, in four bytes each. A large
// cluster has millions at a time, and neighbours are mostly within four thousand
// million of each other; where they are not, eight bytes are taken. The zero value
// is empty. A copy is the same list; what is in a Snapshot is written to no more.
type Offsets struct {
	blocks []block
	n      int
}

// block is blockLen offsets. Who reads them asks first for values: where the compiler
// knows that there are some it need not touch the first of them to see that, which
// is mostly in another cache line than what is read.
type block struct {
	base int64 // of values, whose 0 is Unknown and whose 1 is the base
	// One of the two. Blocks of several lists may share them.
	values *[blockLen]uint32
	wide   *[blockLen]int64
}

// OffsetsOf is a list of these.
func OffsetsOf(values ...int64) Offsets {
	var o Offsets
	o.Append(values...)
	return o
}

// MakeOffsets is an empty list with room for n.
func MakeOffsets(n int) Offsets {
	return Offsets{blocks: make([]block, 0, (n+blockLen-1)/blockLen)}
}

// Len is how many there are.
func (o *Offsets) Len() int { return o.n }

// At is the one at a place from 0 to Len()-1.
func (o *Offsets) At(i int) int64 {
	b := &o.blocks[uint(i)/blockLen]
	if values := b.values; values != nil { // says it at once: see block
		return b.of(values[uint(i)%blockLen])
	}
	return b.wide[uint(i)%blockLen]
}

func (b *block) of(code uint32) int64 {
	if code == 0 {
		return Unknown
	}
	return b.base + int64(code) - 1
}

// AppendTo appends n offsets, those from first on, to a list.
func (o *Offsets) AppendTo(list []int64, first, n int) []int64 {
	at := len(list)
	list = slices.Grow(list, n)[:at+n]
	for to := list[at:]; len(to) > 0; {
		b, from := &o.blocks[uint(first)/blockLen], uint(first)%blockLen
		n := b.copy(to, from)
		to, first = to[n:], first+n
	}
	return list
}

// copy copies those from a place on, as many as there is room for, and says how
// many that were.
func (b *block) copy(to []int64, from uint) int {
	values := b.values
	if values == nil {
		return copy(to, b.wide[from:])
	}
	codes := values[from:]
	codes = codes[:min(len(codes), len(to))]
	to = to[:len(codes)]
	base := b.base - 1
	for i, code := range codes {
		v := base + int64(code)
		if code == 0 {
			v = Unknown
		}
		to[i] = v
	}
	return len(codes)
}

// Append adds some to the end.
func (o *Offsets) Append(values ...int64) {
	first := o.n
	o.AppendUnknown(len(values))
	for i, v := range values {
		o.Set(first+i, v)
	}
}

// AppendFrom adds n offsets of another list, those from first on, to the end.
func (o *Offsets) AppendFrom(other *Offsets, first, n int) {
	at := o.n
	o.AppendUnknown(n)
	for i := range n {
		o.Set(at+i, other.At(first+i))
	}
}

// AppendUnknown adds Unknown n times to the end.
func (o *Offsets) AppendUnknown(n int) {
	for o.n += n; len(o.blocks)*blockLen < o.n; {
		o.blocks = append(o.blocks, block{values: new([blockLen]uint32)})
	}
}

// Set replaces the one at a place from 0 to Len()-1. What is below 0 is Unknown.
func (o *Offsets) Set(i int, v int64) {
	b, at := &o.blocks[uint(i)/blockLen], uint(i)%blockLen
	values := b.values
	switch code := v - b.base; {
	case values == nil:
		b.wide[at] = max(v, Unknown)
	case v < 0:
		values[at] = 0
	case code >= 0 && code < baseUnit<<1-1:
		values[at] = uint32(code) + 1
	default:
		b.setFar(at, v)
	}
}

// setFar is for what is far from the base.
func (b *block) setFar(at uint, v int64) {
	if *b.values == ([blockLen]uint32{}) {
		b.base = v / baseUnit * baseUnit
		b.values[at] = uint32(v-b.base) + 1
		return
	}
	wide := new([blockLen]int64)
	for i, code := range b.values {
		wide[i] = b.of(code)
	}
	wide[at] = v
	b.values, b.wide = nil, wide
}

// Share lets go of memory for what an earlier list has at the same places.
func (o *Offsets) Share(earlier *Offsets) {
	for i := range o.blocks[:min(len(o.blocks), len(earlier.blocks))] {
		b, e := &o.blocks[i], &earlier.blocks[i]
		switch {
		case b.wide != nil && e.wide != nil && *b.wide == *e.wide,
			b.values != nil && e.values != nil && b.base == e.base && *b.values == *e.values:
			*b = *e
		}
	}
}

// Run is room in which runs of offsets are laid out one after the other.
type Run []int64

// Read is n offsets of a list, those from first on, until the room is used again.
func (r *Run) Read(o *Offsets, first, n int32) []int64 {
	*r = o.AppendTo((*r)[:0], int(first), int(n))
	return *r
}
