package store

import (
	"math"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// lastEnd is the newest end of a queue, Unknown where there is none.
func (k *looking) lastEnd(id int) int64 {
	if end := model.ValueAt(k.now, id); end != model.Unknown {
		return end
	}
	if end := model.ValueAt(k.before, id); end != model.Unknown {
		return end
	}
	if id < len(k.older) {
		return k.older[id].last()
	}
	return model.Unknown
}

// keep keeps a look at a queue whose column goes, and drops what nobody needs any
// more, now that the slowest reader is at an offset.
func (k *looking) keep(id int, end int64, at Tick, slowest int64) {
	if end == model.Unknown {
		return
	}
	k.widen(id)
	k.changed = true
	k.prune(id, min(slowest, end))
	fewer, from := k.fewer(id), len(k.desk.room)
	if room, ok := k.older[id].appendAdded(k.desk.room, at, end, fewer); ok { // mostly
		k.desk.room, k.older[id] = room, room[from:]
		return
	}
	q := k.unpack(id)
	if len(q) >= fewer && q.thin(at) {
		k.retell = true
	}
	if q.add(at, end, slowest) {
		k.retell = true
	}
	k.pack(id, q)
}

// fewer is how many samples a queue must have fewer than, to get another one in
// this round as it is.
func (k *looking) fewer(id int) int {
	if (int(k.part.history.round%turns)+int(k.looks.topic)+id)%turns == 0 {
		return fewSamples + 1
	}
	return maxSamples
}

// unpack are the older samples of a queue, until the next ones are unpacked. There
// is room for those of the looks.
func (k *looking) unpack(id int) queue {
	k.desk.queue = k.older[id].appendUpTo(slices.Grow(k.desk.queue[:0], maxSamples+3), math.MaxInt64)
	return k.desk.queue
}

// pack keeps others instead.
func (k *looking) pack(id int, q queue) {
	from := len(k.desk.room)
	k.desk.room = appendPacked(k.desk.room, q)
	k.older[id] = k.desk.room[from:]
}

// drop drops what is older of a queue.
func (k *looking) drop(id int) {
	if id < len(k.older) && len(k.older[id]) > 0 {
		k.older[id] = nil
		k.changed, k.retell = true, true
	}
}

// prune drops what nobody needs any more.
func (k *looking) prune(id int, reach int64) {
	if id >= len(k.older) || k.older[id].keeps(reach) {
		return
	}
	oldest, ok := k.pruneFront(id, reach)
	if !ok {
		q := k.unpack(id)
		q.prune(reach)
		k.pack(id, q)
		oldest = q[0]
	}
	k.changed = true
	// What was in front of an anchor may have bounded its time.
	k.retell = k.retell || oldest.isAnchor()
}

// widen makes room for the older samples of a queue.
func (k *looking) widen(id int) {
	if n := id + 1 - len(k.older); n > 0 {
		k.older = append(k.older, make([]packed, n)...)
	}
}

// setApart keeps the last look apart for the queues for which it still holds.
func (k *looking) setApart(ends []int64) {
	for id, last := range k.now {
		if end := model.ValueAt(ends, id); end == model.Unknown || last <= end {
			k.keep(id, last, k.taken, model.Unknown)
		}
	}
}

// close keeps what is older.
func (k *looking) close() {
	k.desk.queues = k.older
	if k.changed {
		k.looks.older = k.desk.older.append(k.older)
	} else {
		k.looks.older = k.desk.older.keep(k.part.older.at(k.looks.older))
	}
}
