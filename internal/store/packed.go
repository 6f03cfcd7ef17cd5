package store

import (
	"encoding/binary"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// packed is the samples of one queue in about a third of the bytes, laid out so
// that neither one more nor the question whether the oldest is still needed takes
// reading all of them. It is never changed in place. Without samples it is empty;
// else it has
//
//   - how many there are,
//   - how far the last but one is from the oldest, in end and time, where it is
//     another one,
//   - the newest, as what it differs by from the last but one,
//   - all others, the oldest first, each as what it differs by from the one before.
//
// What has nothing before it differs from a sample of zeros. Numbers are varints
// (encoding/binary's, without sign).
type packed []byte

// minus is what a sample differs by from one before it.
func minus(s, before sample) sample { return sample{s.end - before.end, s.at - before.at, s.off} }

// after is the sample that differs by that from one before it.
func after(before, d sample) sample { return sample{before.end + d.end, before.at + d.at, d.off} }

// offShift makes the kinds of anchors small: they become 0 and 1.
const offShift = 2

// appendSample appends a sample, or what it differs by.
func appendSample(room []byte, s sample) []byte {
	room = binary.AppendUvarint(room, uint64(s.end))
	room = binary.AppendUvarint(room, uint64(uint32(s.at)))
	return binary.AppendUvarint(room, uint64(s.off+offShift))
}

// sample reads what appendSample wrote at i, and says what is behind it.
func (p packed) sample(i int) (s sample, next int) {
	end, i := p.varint(i)
	at, i := p.varint(i)
	off, i := p.varint(i)
	return sample{int64(end), Tick(uint32(at)), uint32(off) - offShift}, i
}

// varint reads the number at i, and says where the next one begins.
func (p packed) varint(i int) (n uint64, next int) {
	if b := p[i]; b < 0x80 {
		return uint64(b), i + 1
	}
	return p.longVarint(i)
}

func (p packed) longVarint(i int) (n uint64, next int) {
	for shift := 0; ; shift += 7 {
		b := p[i]
		i++
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n, i
		}
	}
}

// appendHead appends what stands in front of the others.
func appendHead(room []byte, n int, between, differs sample) []byte {
	room = binary.AppendUvarint(room, uint64(n))
	if n > 2 {
		room = binary.AppendUvarint(room, uint64(between.end))
		room = binary.AppendUvarint(room, uint64(uint32(between.at)))
	}
	return appendSample(room, differs)
}

// opened is what stands at both ends of a packed queue.
type opened struct {
	head

	newest sample
	second int64 // end of the sample next to the oldest; that of the newest where there is none
}

// head is what stands in front of the others.
type head struct {
	n       int
	between sample // what the last but one differs by from the oldest
	differs sample // what the newest differs by from the last but one
	others  packed // all but the newest
}

// open reads what stands at the ends of a queue that has samples.
func (p packed) open() (o opened) {
	o.read(p)
	last := o.between
	if o.n > 1 {
		oldest, i := o.others.sample(0)
		last = after(oldest, last)
		if o.n > 2 {
			more, _ := o.others.varint(i)
			o.second = oldest.end + int64(more)
		}
	}
	if o.newest = after(last, o.differs); o.n <= 2 {
		o.second = o.newest.end
	}
	return o
}

// read reads the head of a queue that has samples.
func (h *head) read(p packed) {
	n, i := p.varint(0)
	if h.n = int(n); n > 2 {
		var end, at uint64
		end, i = p.varint(i)
		at, i = p.varint(i)
		h.between = sample{end: int64(end), at: Tick(uint32(at))}
	}
	h.differs, i = p.sample(i)
	h.others = p[i:]
}

// appendPacked appends the samples of a queue, packed.
func appendPacked(room []byte, q queue) []byte {
	n := len(q)
	if n == 0 {
		return room
	}
	var between, before sample
	if n > 1 {
		before = q[n-2]
		between = minus(before, q[0])
	}
	room = appendHead(room, n, between, minus(q[n-1], before))
	before = sample{}
	for _, s := range q[:n-1] {
		room = appendSample(room, minus(s, before))
		before = s
	}
	return room
}

// packAll packs all queues.
func packAll(queues []queue) []packed {
	list := make([]packed, len(queues))
	for id, q := range queues {
		list[id] = appendPacked(nil, q)
	}
	return list
}

// appendUpTo appends the samples up to the first that ends behind an offset: those
// that bound the message at the offset.
func (p packed) appendUpTo(q queue, offset int64) queue {
	if len(p) == 0 {
		return q
	}
	var h head
	h.read(p)
	var s, d sample
	for i := 0; i < len(h.others); {
		d, i = h.others.sample(i)
		s = after(s, d)
		if q = append(q, s); s.end > offset {
			return q
		}
	}
	return append(q, after(s, h.differs))
}

// last is the newest end, Unknown where there is none.
func (p packed) last() int64 {
	if len(p) == 0 {
		return model.Unknown
	}
	o := p.open()
	return o.newest.end
}

// keeps says whether all samples are needed for the message at an offset: queue.prune
// drops none.
func (p packed) keeps(offset int64) bool {
	if len(p) == 0 {
		return true
	}
	o := p.open()
	return o.n == 1 || o.second > offset
}

// appendAdded appends a queue, which was pruned, with one more look as queue.add
// takes it, where nothing is needed for that but what stands at its ends: the end
// has not gone back, and there are fewer than that.
func (p packed) appendAdded(room []byte, at Tick, end int64, fewer int) (added []byte, ok bool) {
	if len(p) == 0 {
		return appendHead(room, 1, sample{}, sample{end: end, at: at}), true
	}
	o := p.open()
	if end < o.newest.end || o.n >= fewer {
		return room, false
	}
	at = max(at, o.newest.at)
	last := o.differs
	if end == o.newest.end && !last.isAnchor() && (o.n == 1 || last.end == 0) {
		last.at += at - o.newest.at // nothing has come since
		return append(appendHead(room, o.n, o.between, last), o.others...), true
	}
	o.newest.next(end, at)
	last.off = o.newest.off
	if o.n > 1 {
		o.between = after(o.between, last)
	}
	room = appendHead(room, o.n+1, o.between, minus(sample{end: end, at: at}, o.newest))
	return appendSample(append(room, o.others...), last), true
}
