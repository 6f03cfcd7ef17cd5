package store

import (
	"encoding/binary"
	"slices"
)

// older keeps the samples of topics in front of the last two looks, each topic's
// in one piece: where a queue is far behind these are most of what a History
// holds. The zero value keeps none.
type older struct {
	pieces []piece
	free   []int32 // places in pieces
}

// at is the piece at a place; empty for none.
func (o *older) at(place int32) piece {
	if place < 0 {
		return nil
	}
	return o.pieces[place]
}

// set keeps samples by queue id in place of others, and says where: at none,
// when there are none.
func (o *older) set(place int32, queues []queue, room *[]byte) int32 {
	for len(queues) > 0 && len(queues[len(queues)-1]) == 0 {
		queues = queues[:len(queues)-1]
	}
	if len(queues) == 0 {
		o.drop(place)
		return nowhere
	}
	made := appendPiece((*room)[:0], queues)
	*room = made
	if place < 0 {
		place = o.place()
	}
	old := o.pieces[place]
	if len(made) > cap(old) || cap(old) > 2*len(made) {
		old = make(piece, 0, len(made)+len(made)/16)
	}
	o.pieces[place] = append(old[:0], made...)
	return place
}

func (o *older) place() int32 {
	if n := len(o.free); n > 0 {
		place := o.free[n-1]
		o.free = o.free[:n-1]
		return place
	}
	o.pieces = append(o.pieces, nil)
	return int32(len(o.pieces) - 1)
}

// drop lets go of the piece at a place.
func (o *older) drop(place int32) {
	switch {
	case place < 0:
	case len(o.free)+1 == len(o.pieces):
		*o = older{}
	default:
		o.pieces[place] = nil
		o.free = append(o.free, place)
	}
}

// piece is the samples of all queues of a topic, in about a third of the bytes.
// First stands where the samples of each queue id begin, and where the last ones
// end, in four bytes each; then the samples, each as the differences of end and
// time to the one before, and off, as varints (encoding/binary's, without sign).
type piece []byte

const pieceWord = 4

func appendPiece(room []byte, queues []queue) piece {
	room = append(room, make([]byte, pieceWord*(len(queues)+1))...)
	for id, q := range queues {
		binary.LittleEndian.PutUint32(room[pieceWord*id:], uint32(len(room)))
		var last sample
		for _, s := range q {
			room = binary.AppendUvarint(room, uint64(s.end-last.end))
			room = binary.AppendUvarint(room, uint64(uint32(s.at-last.at)))
			room = binary.AppendUvarint(room, uint64(s.off+offShift))
			last = s
		}
	}
	binary.LittleEndian.PutUint32(room[pieceWord*len(queues):], uint32(len(room)))
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
