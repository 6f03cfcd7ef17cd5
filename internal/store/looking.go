package store

import (
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// desk is what one goroutine works with, so that its room is used again.
type desk struct {
	// Of the part under way, in the order of its Ends: the first offset that
	// somebody still needs.
	slowest []int64
	taken   Tick // when most of it was
	// Of the topic or the entry under way, by queue id: its ends in this look
	// and the last two, its beginnings, its commits in this round and the last.
	ends, now, before, begins, commits, committed model.Run
	queues                                        []packed
	room                                          []byte // of those that changed
	queue                                         queue  // one of them, unpacked
	front                                         [fewFront + 1]sample
	older                                         older // of the part under way, after this round
}

// clear lets go of the part, and of room that only a topic of very many queues
// needed.
func (d *desk) clear() {
	clear(d.queues[:cap(d.queues)]) // what they were packed in may go
	if cap(d.queues) > 256 || cap(d.ends) > 256 {
		*d = desk{slowest: d.slowest}
	}
}

// takenAt is when the ends and commits of a topic of the part under way were read.
func (d *desk) takenAt(h *History, in *model.Part, topic int) Tick {
	if own := in.OwnTaken(topic); own != model.NoStamp {
		return h.Tick(own.Time())
	}
	return d.taken
}

// looking is one look at a topic under way.
type looking struct {
	*looks

	part        *Part
	desk        *desk
	known       int      // queues that were ever seen
	now, before []int64  // the looks so far
	older       []packed // by queue id
	slowest     []int64
	changed     bool // older did
	production
}

// look takes the ends of the topic at a place of a new column, unless they were
// taken before, and the ages that were told of it. Its slowest readers are known.
func (h *History) look(p *Part, d *desk, in *model.Part, place int, waits []toldWait) {
	l, t := &p.topics[place], &in.Topics[place]
	l.retold, l.retell = l.retell, false
	at, ends := d.takenAt(h, in, place), d.ends.Read(&in.Ends, t.First, t.Queues)
	if len(waits) == 0 && h.pass(p, d, place, at, ends, d.slowest[t.First:t.First+t.Queues]) {
		return
	}
	k := looking{
		looks: l, part: p, desk: d, known: int(l.width), now: p.now.at(l.last, &d.now), before: p.before.at(l.before, &d.before),
		older: p.older.at(l.older).appendTo(d.queues[:0]),
	}
	d.room = d.room[:0]
	if at <= l.taken || len(ends) == 0 {
		k.carry(place, ends)
	} else {
		k.slowest = d.slowest[t.First : t.First+t.Queues]
		topic := h.topics.at(l.topic)
		k.production = topic.production(h.round)
		k.take(place, at, ends, d.begins.Read(&in.Begins, t.First, t.Queues))
		topic.grow(h.round, &k.production)
	}
	for i := range waits {
		h.tell(&k, in, &waits[i])
	}
	k.close()
}

// pass takes the ends of a topic whose readers have all passed the last look, and
// says whether it is one: most are. Nobody needs what is older, of which there is
// nothing, so that only what has come must be counted.
func (h *History) pass(p *Part, d *desk, place int, at Tick, ends, slowest []int64) bool {
	l := &p.topics[place]
	if at <= l.taken || l.older != nowhere || len(ends) == 0 || len(ends) < int(l.width) {
		return false
	}
	now, came := p.now.at(l.last, &d.now), int64(0)
	if len(now) < len(ends) {
		return false
	}
	for id, end := range ends {
		last := now[id]
		if last == model.Unknown || end < last || slowest[id] < last {
			return false
		}
		came = plus(came, end-last)
	}
	topic := h.topics.at(l.topic)
	made := topic.production(h.round)
	made.told, made.came = true, came
	topic.grow(h.round, &made)
	l.next(place, at, len(ends))
	return true
}

// next notes that there is a new look, at as many queues.
func (l *looks) next(place int, at Tick, queues int) {
	l.before, l.takenFirst = l.last, l.taken
	l.last, l.taken, l.young = int32(place), at, false
	l.width = max(l.width, int32(queues))
}

// carry keeps the looks at a topic whose ends were not read anew: the column of
// the first one goes, and the last one stands in the new column.
func (k *looking) carry(place int, ends []int64) {
	l := k.looks
	for id, end := range k.before {
		k.keep(id, end, l.takenFirst, model.Unknown)
	}
	k.before, l.before = nil, nowhere
	if l.last >= 0 && slices.Equal(k.now, ends) {
		l.last = int32(place)
		return
	}
	for id, end := range k.now {
		k.keep(id, end, l.taken, model.Unknown)
	}
	k.now, l.last = nil, nowhere
}

// take takes the ends of all queues.
func (k *looking) take(place int, at Tick, ends, begins []int64) {
	l, apart := k.looks, false
	for id, end := range ends {
		apart = k.takeOne(id, end, begins[id]) || apart
	}
	for id := len(ends); id < len(k.before); id++ {
		k.keep(id, k.before[id], l.takenFirst, model.Unknown)
	}
	if apart {
		k.setApart(ends)
	}
	k.before, k.now = k.now, ends
	l.next(place, at, len(ends))
	if apart {
		l.before, k.before = nowhere, nil
	}
}

// takeOne takes the end of one queue. When that went back, no earlier look holds;
// apart says that the last one must not be used for it.
func (k *looking) takeOne(id int, end, begin int64) (apart bool) {
	first, last := model.ValueAt(k.before, id), model.ValueAt(k.now, id)
	if end == model.Unknown {
		k.keep(id, first, k.takenFirst, model.Unknown)
		return false
	}
	before := k.lastEnd(id)
	if k.produce(before, end, (k.known > 0 && id >= k.known || k.young) && begin <= 0) {
		k.drop(id)
		k.keep(id, 0, k.taken, model.Unknown)
		return false
	}
	reach := min(k.slowest[id], end)
	switch {
	case end < before:
		// The topic was made anew, or an older copy took over: when these
		// messages were stored nobody has seen.
		k.drop(id)
		return last != model.Unknown
	case last != model.Unknown && last <= reach:
		k.drop(id)
	case first == model.Unknown:
		k.prune(id, reach)
	default:
		if first <= reach {
			k.drop(id)
		}
		k.keep(id, first, k.takenFirst, reach)
	}
	return false
}
