package store

import (
	"math"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// looks are the last two looks at the ends of one topic of a part. They stand in
// columns that all topics of the part share: nearly all that is ever asked is
// younger than the look before the last. What is older is kept queue by queue,
// while somebody is so far behind. A large cluster has tens of thousands of
// these: numbers stand in them where pointers would be larger.
type looks struct {
	topic int32 // number in History.topics; nowhere: nothing is kept of it here
	older int32 // place in Part.older; nowhere where no queue has older samples

	// Places of the looks in the topics of their columns, none where there is
	// none, and their times.
	last, before      int32
	taken, takenFirst Tick
	width             int32 // queues that were ever seen
	young             bool  // the topic was not there at taken

	// Since the last look, and in the round before it, what was told of old
	// messages got lost or has changed, so that it must be told again.
	retell, retold bool
}

func noLooks() looks {
	return looks{topic: nowhere, older: nowhere, last: nowhere, before: nowhere, taken: NoTick}
}

// column is the ends of all topics of a part at one look.
type column struct {
	topics []model.Topic
	ends   model.Offsets
}

// at are the ends of the topic at a place, laid out in the room; none where there
// was no look.
func (c *column) at(place int32, room *model.Run) []int64 {
	if place < 0 {
		return nil
	}
	t := &c.topics[place]
	return room.Read(&c.ends, t.First, t.Queues)
}

// end is that of one queue of the topic; Unknown where there was no look at it.
func (c *column) end(place int32, id int) int64 {
	if place < 0 || id >= int(c.topics[place].Queues) {
		return model.Unknown
	}
	return c.ends.At(int(c.topics[place].First) + id)
}

// samples are the older ones of a queue and those of the looks, appended to
// room.
func (p *Part) samples(l *looks, id int, room queue) queue {
	q, _ := p.samplesUpTo(l, id, room, math.MaxInt64)
	return q
}

// samplesUpTo are the samples that bound the messages up to an offset, and how
// many of them are looks.
func (p *Part) samplesUpTo(l *looks, id int, room queue, offset int64) (q queue, seen int) {
	q = p.older.at(l.older).at(id).appendUpTo(room, offset)
	return withLooks(q, p.before.end(l.before, id), l.takenFirst, p.now.end(l.last, id), l.taken)
}

// withLooks are samples with the last two looks behind them, and how many those
// are.
func withLooks(q queue, first int64, takenFirst Tick, last int64, taken Tick) (with queue, seen int) {
	n := len(q)
	for _, s := range [2]sample{{end: first, at: takenFirst}, {end: last, at: taken}} {
		if s.end == model.Unknown {
			continue
		}
		if n := len(q); n > 0 {
			q[n-1].next(s.end, s.at)
		}
		q = append(q, s)
	}
	return q, len(q) - n
}

// find says when the message at an offset of a queue was stored: mostly between the
// last two looks.
func (p *Part) find(l *looks, id int, offset int64) Span {
	if last := p.now.end(l.last, id); last != model.Unknown {
		if offset >= last { // it has not come yet
			return Span{l.taken, NoTick, l.taken}
		}
		if first := p.before.end(l.before, id); first != model.Unknown && offset >= first {
			a := sample{end: first, at: l.takenFirst}
			a.next(last, l.taken)
			return a.span(sample{end: last, at: l.taken}, offset)
		}
	}
	var room [maxSamples + 2]sample
	q, _ := p.samplesUpTo(l, id, room[:0], offset)
	return q.find(offset)
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
