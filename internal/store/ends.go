package store

import (
	"math"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Ends are the ends of one topic's queues on one broker over time. The zero
// value knows of none.
type Ends struct {
	part  *Part
	place int32 // in the part's topics
	apart *apart
}

// Find says when the message at an offset of a queue was stored.
func (e Ends) Find(id int, offset int64) Span {
	switch {
	case e.apart != nil && id < len(e.apart.queues):
		return e.apart.queues[id].find(offset)
	case e.apart == nil && e.part != nil:
		return e.part.find(&e.part.topics[e.place], id, offset)
	}
	return Span{NoTick, NoTick, NoTick}
}

// queue is the history of one queue, the oldest sample first: times and ends
// never fall. In front of what was seen may stand what was told: anchors.
type queue []sample

// sample says that at some time the queue ended at an offset: the messages
// before it were stored until then, the others later.
type sample struct {
	end int64
	at  Tick
	// off is how far a store time that lies on the straight line from this
	// sample to the next can be from the true one, in ticks. Behind an anchor
	// there is no such line, since nobody has looked.
	off uint32
}

// Kinds of anchors, in the place of off.
const (
	exact = math.MaxUint32     // the message at the offset was stored at the time
	bound = math.MaxUint32 - 1 // it was not stored before
)

func (s *sample) isAnchor() bool { return s.off >= bound }

// Span is what is known of when a message was stored.
type Span struct {
	// Not before From and not after To; NoTick where nothing bounds it.
	From, To Tick
	// At is the estimate, NoTick where the exporter did not see the message
	// arrive and was not told.
	At Tick
}

// find says when the message at an offset was stored.
func (q *queue) find(offset int64) Span {
	s := *q
	i := len(s) - 1
	for i >= 0 && s[i].end > offset {
		i--
	}
	switch {
	case len(s) == 0:
		return Span{NoTick, NoTick, NoTick}
	case i < 0: // it was there already
		return Span{NoTick, s[0].at, NoTick}
	case i == len(s)-1: // it has not come yet
		return Span{s[i].at, NoTick, s[i].at}
	case !s[i].isAnchor():
		return s[i].span(s[i+1], offset)
	case s[i].end == offset && s[i].off == exact:
		return Span{s[i].at, s[i].at, s[i].at}
	}
	return Span{s[i].at, s[i+1].at, NoTick}
}

// span says when a message on the line to the next sample was stored.
func (s *sample) span(next sample, offset int64) Span {
	at, off := between(*s, next, offset), int64(s.off)
	return Span{
		From: Tick(max(int64(s.at), int64(at)-off)),
		To:   Tick(min(int64(next.at), int64(at)+off)),
		At:   at,
	}
}

// between is the time of an offset on the line between two samples.
func between(a, b sample, offset int64) Tick {
	if b.end <= a.end {
		return a.at
	}
	part := float64(offset-a.end) / float64(b.end-a.end)
	return a.at + Tick(part*(float64(b.at)-float64(a.at)))
}

// add takes the end of a queue at a time, and how far the slowest reader of it
// is: what lies before that is not needed any more. It says whether something
// else was lost that cannot be seen again.
func (q *queue) add(at Tick, end, slowest int64) (lost bool) {
	q.prune(min(slowest, end))
	s := *q
	n := len(s)
	switch {
	case n == 0:
		*q = append(s, sample{end: end, at: at})
		return false
	case end < s[n-1].end:
		// The topic was made anew, or an older copy took over: when these
		// messages were stored nobody has seen.
		*q = append(s[:0], sample{end: end, at: at})
		return true
	}
	last := &s[n-1]
	at = max(at, last.at)
	if end == last.end && !last.isAnchor() && (n == 1 || s[n-2].end == end) {
		last.at = at // nothing has come since
		return false
	}
	last.next(end, at)
	if n >= maxSamples {
		lost = q.thin(at)
	}
	*q = append(*q, sample{end: end, at: at})
	return lost
}

// next notes how far off the line to the next sample can be.
func (s *sample) next(end int64, at Tick) {
	switch {
	case s.isAnchor():
	case end == s.end:
		s.off = 0
	default:
		s.off = uint32(int64(at) - int64(s.at))
	}
}

// prune drops the samples in front of the one that bounds a message at offset,
// and says whether there were any.
func (q *queue) prune(offset int64) bool {
	s := *q
	from := 0
	for from+1 < len(s) && s[from+1].end <= offset {
		from++
	}
	if from > 0 {
		*q = s[:copy(s, s[from:])]
	}
	return from > 0
}

// last is the newest end, Unknown where there is none.
func (q *queue) last() int64 {
	s := *q
	if len(s) == 0 {
		return model.Unknown
	}
	return s[len(s)-1].end
}

// lastLine is how far off the line behind the newest sample is said to be, where
// that is no anchor.
func (q *queue) lastLine() (off uint32, ok bool) {
	s := *q
	if len(s) == 0 || s[len(s)-1].isAnchor() {
		return 0, false
	}
	return s[len(s)-1].off, true
}

// anchor takes a store time that was told, and says whether that is news: where
// the history does not reach so far back.
func (q *queue) anchor(at Tick, offset int64, kind uint32) bool {
	s := *q
	i := 0
	for i < len(s) && s[i].isAnchor() && s[i].end < offset {
		i++
	}
	if i == len(s) || s[i].end < offset || !s[i].isAnchor() && s[i].end == offset {
		return false // seen by itself
	}
	if i > 0 {
		at = max(at, s[i-1].at)
	}
	if s[i].end != offset {
		*q = slices.Insert(s, i, sample{end: offset, at: min(at, s[i].at), off: kind})
		return true
	}
	if i+1 < len(s) {
		at = min(at, s[i+1].at)
	}
	before := s[i]
	switch {
	case kind == exact:
		s[i].at, s[i].off = at, exact
	case s[i].off == bound:
		s[i].at = max(s[i].at, at)
	}
	return s[i] != before
}
