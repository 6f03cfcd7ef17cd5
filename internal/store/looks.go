package store

import (
	"math"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// looks are the last two looks at the ends of one topic of a part. They stand in
// columns that all topics of the part share: nearly all that is ever asked is
// younger than the look before the last. What is older is kept queue by queue,
// while somebody is so far behind.
type looks struct {
	topic *Topic
	older []queue // by queue id, in front of the looks; nil where no queue has any

	// Places of the looks in the topics of their columns, -1 where there is
	// none, and their times.
	last, before      int32
	taken, takenFirst Tick
	width             int32 // queues that were ever seen
	young             bool  // the topic was not there at taken
}

// column is the ends of all topics of a part at one look.
type column struct {
	topics []model.Topic
	ends   []int64
}

// at are the ends of the topic at a place; none where there was no look.
func (c *column) at(place int32) []int64 {
	if place < 0 {
		return nil
	}
	t := &c.topics[place]
	return c.ends[t.First : t.First+t.Queues]
}

// samples are the older ones of a queue and those of the looks, appended to
// room, and how many of them are looks.
func (p *Part) samples(l *looks, id int, room queue) (q queue, seen int) {
	q = room
	if id < len(l.older) {
		q = append(q, l.older[id]...)
	}
	look := func(end int64, at Tick) {
		if end == model.Unknown {
			return
		}
		if n := len(q); n > 0 {
			q[n-1].next(end, at)
		}
		q = append(q, sample{end: end, at: at})
		seen++
	}
	look(value(p.before.at(l.before), id), l.takenFirst)
	look(value(p.now.at(l.last), id), l.taken)
	return q, seen
}

// look takes the ends of the topic at a place of a new column, unless they were
// taken before. Its slowest readers are known.
func (h *History) look(p *Part, next *column, place int, at Tick, begins []int64) {
	l := &p.topics[place]
	ends := next.at(int32(place))
	if at <= l.taken || len(ends) == 0 {
		p.carry(l, place, ends)
		return
	}
	k := looking{
		looks: l, history: h, known: int(l.width), now: p.now.at(l.last), before: p.before.at(l.before),
		slowest: p.slowest[next.topics[place].First:],
	}
	apart := false
	for id, end := range ends {
		apart = k.take(id, end, begins[id]) || apart
	}
	for id := len(ends); id < len(k.before); id++ {
		k.keep(id, k.before[id], l.takenFirst)
	}
	l.before, l.takenFirst = l.last, l.taken
	if apart {
		k.setApart(ends)
	}
	l.last, l.taken, l.young = int32(place), at, false
	l.width = max(l.width, int32(len(ends)))
	l.tidy()
}

// carry keeps the looks at a topic whose ends were not read anew: the column of
// the first one goes, and the last one stands in the new column.
func (p *Part) carry(l *looks, place int, ends []int64) {
	k := looking{looks: l, now: p.now.at(l.last), before: p.before.at(l.before)}
	for id, end := range k.before {
		k.keep(id, end, l.takenFirst)
	}
	l.before = -1
	if l.last >= 0 && slices.Equal(k.now, ends) {
		l.last = int32(place)
		return
	}
	for id, end := range k.now {
		k.keep(id, end, l.taken)
	}
	l.last = -1
}

// tidy lets go of lists in which there is nothing.
func (l *looks) tidy() {
	for _, q := range l.older {
		if len(q) > 0 {
			return
		}
	}
	l.older = nil
}

// looking is one look under way.
type looking struct {
	*looks

	history     *History
	known       int     // queues that were ever seen
	now, before []int64 // the looks so far
	slowest     []int64
}

// take takes the end of one queue. When that went back, no earlier look holds;
// apart says that the last one must not be used for it.
func (k *looking) take(id int, end, begin int64) (apart bool) {
	first, last := value(k.before, id), value(k.now, id)
	if end == model.Unknown {
		k.keep(id, first, k.takenFirst)
		return false
	}
	before := k.lastEnd(id)
	if isNew := (k.known > 0 && id >= k.known || k.young) && begin <= 0; k.topic.produce(k.history.round, before, end, isNew) {
		k.set(id, queue{{at: k.taken}})
		return false
	}
	reach := min(k.slowest[id], end)
	switch {
	case end < before:
		// The topic was made anew, or an older copy took over: when these
		// messages were stored nobody has seen.
		k.set(id, nil)
		return last != model.Unknown
	case last != model.Unknown && last <= reach:
		k.set(id, nil)
	case first == model.Unknown:
		if id < len(k.older) {
			k.older[id].prune(reach)
		}
	default:
		if first <= reach {
			k.set(id, nil)
		}
		k.keep(id, first, k.takenFirst)
		k.older[id].prune(reach)
	}
	return false
}

// lastEnd is the newest end of a queue, Unknown where there is none.
func (k *looking) lastEnd(id int) int64 {
	if end := value(k.now, id); end != model.Unknown {
		return end
	}
	if end := value(k.before, id); end != model.Unknown {
		return end
	}
	if id < len(k.older) {
		return k.older[id].last()
	}
	return model.Unknown
}

// keep keeps a look at a queue whose column goes.
func (k *looking) keep(id int, end int64, at Tick) {
	if end == model.Unknown {
		return
	}
	k.widen(id)
	k.older[id].add(at, end, model.Unknown)
}

func (k *looking) set(id int, q queue) {
	if q != nil {
		k.widen(id)
	}
	if id < len(k.older) {
		k.older[id] = q
	}
}

func (k *looking) widen(id int) {
	if n := max(id+1, len(k.now), len(k.before)); n > len(k.older) {
		k.older = append(k.older, make([]queue, n-len(k.older))...)
	}
}

// setApart keeps the last look apart for the queues for which it still holds.
func (k *looking) setApart(ends []int64) {
	for id, last := range k.now {
		if end := value(ends, id); end == model.Unknown || last <= end {
			k.keep(id, last, k.taken)
		}
	}
	k.looks.before = -1
}

// need says that a reader of a queue is at an offset: where it never committed
// it is at 0 if the queue begins there, and it is nowhere before the beginning.
func need(slowest *int64, offset, begin int64) {
	if offset != model.Unknown || begin == 0 {
		*slowest = min(*slowest, max(offset, begin, 0))
	}
}

// nobody has made room for n slowest readers, of which there is none yet.
func nobody(room []int64, n int) []int64 {
	room = slices.Grow(room[:0], n)[:n]
	for i := range room {
		room[i] = math.MaxInt64
	}
	return room
}
