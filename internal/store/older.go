package store

import (
	"encoding/binary"
	"slices"
)

// older keeps the samples of topics in front of the last two looks, each topic's
// in one piece, one after the other: where a queue is far behind these are most of
// what a History holds. It is made anew in each round that looks at the part: pieces
// change all the time, and as things of their own they would leave holes of all
// sizes in memory. The zero value keeps none.
type older []byte

// at is the piece at a place; empty for none.
func (o *older) at(place int32) piece {
	if place < 0 {
		return nil
	}
	p := piece((*o)[place:])
	return p[:p.word(p.queues())]
}

// append adds samples by queue id, and says where: nowhere, when there are none.
func (o *older) append(queues []queue) (place int32) {
	for len(queues) > 0 && len(queues[len(queues)-1]) == 0 {
		queues = queues[:len(queues)-1]
	}
	if len(queues) == 0 {
		return nowhere
	}
	place = int32(len(*o))
	*o = appendPiece(*o, queues)
	return place
}

// keep adds a piece of another round as it is.
func (o *older) keep(p piece) (place int32) {
	if len(p) == 0 {
		return nowhere
	}
	place = int32(len(*o))
	*o = append(*o, p...)
	return place
}

// clipped is without the room that it was given to grow.
func (o *older) clipped() older {
	if cap(*o)-len(*o) <= len(*o)/8 {
		return *o
	}
	return slices.Clip(slices.Clone(*o))
}

// piece is the samples of all queues of a topic, in about a third of the bytes.
// First stands where the samples of each queue id begin, and where the last ones
// end, in four bytes each; then the samples, each as the differences of end and
// time to the one before, and off, as varints (encoding/binary's, without sign).
type piece []byte

const pieceWord = 4

func appendPiece(room []byte, queues []queue) []byte {
	first := len(room)
	room = append(room, make([]byte, pieceWord*(len(queues)+1))...)
	for id, q := range queues {
		binary.LittleEndian.PutUint32(room[first+pieceWord*id:], uint32(len(room)-first))
		var last sample
		for _, s := range q {
			room = binary.AppendUvarint(room, uint64(s.end-last.end))
			room = binary.AppendUvarint(room, uint64(uint32(s.at-last.at)))
			room = binary.AppendUvarint(room, uint64(s.off+offShift))
			last = s
		}
	}
	binary.LittleEndian.PutUint32(room[first+pieceWord*len(queues):], uint32(len(room)-first))
	return room
}

// offShift makes the kinds of anchors small: they become 0 and 1.
const offShift = 2

// queues is how many queues there are in it.
func (p piece) queues() int {
	if len(p) == 0 {
		return 0
	}
	return p.word(0)/pieceWord - 1
}

func (p piece) word(i int) int { return int(binary.LittleEndian.Uint32(p[pieceWord*i:])) }

// appendUpTo appends the samples of a queue up to the first that ends behind an
// offset: those that bound the message at the offset.
func (p piece) appendUpTo(q queue, id int, offset int64) queue {
	if id >= p.queues() {
		return q
	}
	var s sample
	for i, end := p.word(id), p.word(id+1); i < end; {
		var more, later, off uint64
		more, i = p.varint(i)
		later, i = p.varint(i)
		off, i = p.varint(i)
		s = sample{end: s.end + int64(more), at: s.at + Tick(uint32(later)), off: uint32(off) - offShift}
		if q = append(q, s); s.end > offset {
			break
		}
	}
	return q
}

// varint reads the number at i, and says where the next one begins.
func (p piece) varint(i int) (n uint64, next int) {
	if b := p[i]; b < 0x80 {
		return uint64(b), i + 1
	}
	n, size := binary.Uvarint(p[i:])
	return n, i + size
}

// cleared is a list with room for n queues, used again, and no samples in them.
func cleared(queues []queue, n int) []queue {
	queues = slices.Grow(queues[:0], n)[:n]
	for id := range queues {
		queues[id] = queues[id][:0]
	}
	return queues
}
