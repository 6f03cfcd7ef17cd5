package store

import (
	"encoding/binary"
	"slices"
	"sync"
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
func (o *older) append(queues []packed) (place int32) {
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

// next is room for those of the next round, which mostly grow as they did in the
// last one.
func (o *older) next(grew int, spare *spareRoom) older {
	n := len(*o) + max(grew, 0)
	if room := spare.take(n+n/128, n+n/8); room != nil {
		return room
	}
	return make(older, 0, n+n/32+min(max(grew, 0), n/16)) // in the next round it fits another part
}

// spareRoom is what parts have left in a round, for the next parts: while a round is
// added there are few pieces too many, and between rounds none.
type spareRoom struct {
	mu    sync.Mutex
	rooms []older
}

// mostSpare bounds them: where parts are of all sizes most would fit no other.
const mostSpare = 4

// take takes the smallest room for at least n and at most so many bytes; nil: there
// is none.
func (s *spareRoom) take(n, most int) older {
	s.mu.Lock()
	defer s.mu.Unlock()
	best := -1
	for i, room := range s.rooms {
		if c := cap(room); c >= n && c <= most && (best < 0 || c < cap(s.rooms[best])) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	room := s.rooms[best]
	s.rooms = slices.Delete(s.rooms, best, best+1)
	return room
}

// leave leaves room that nobody looks into any more.
func (s *spareRoom) leave(room older) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cap(room) > 0 && len(s.rooms) < mostSpare {
		s.rooms = append(s.rooms, room[:0])
	}
}

func (s *spareRoom) clear() { s.rooms = nil }

// clipped is without the room that it was given to grow.
func (o *older) clipped() older {
	if cap(*o)-len(*o) <= len(*o)/8 {
		return *o
	}
	return slices.Clip(slices.Clone(*o))
}

// piece is the samples of all queues of a topic. First stands where those of each
// queue id begin, and where the last ones end, in four bytes each; then the
// samples.
type piece []byte

const pieceWord = 4

func appendPiece(room []byte, queues []packed) []byte {
	first, end := len(room), pieceWord*(len(queues)+1)
	for _, q := range queues {
		room = binary.LittleEndian.AppendUint32(room, uint32(end))
		end += len(q)
	}
	room = binary.LittleEndian.AppendUint32(room, uint32(end))
	room = slices.Grow(room, first+end-len(room))
	for _, q := range queues {
		room = append(room, q...)
	}
	return room
}

// queues is how many queues there are in it.
func (p piece) queues() int {
	if len(p) == 0 {
		return 0
	}
	return p.word(0)/pieceWord - 1
}

func (p piece) word(i int) int { return int(binary.LittleEndian.Uint32(p[pieceWord*i:])) }

// at are the samples of a queue, none where it has none.
func (p piece) at(id int) packed {
	if id >= p.queues() {
		return nil
	}
	return packed(p[p.word(id):p.word(id+1)])
}

// appendTo appends the samples of each queue.
func (p piece) appendTo(queues []packed) []packed {
	for id := range p.queues() {
		queues = append(queues, p.at(id))
	}
	return queues
}
