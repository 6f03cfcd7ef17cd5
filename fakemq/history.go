package fakemq

import (
	"math"
	"sort"
)

// mark says that the messages of a queue from offset on, up to the next mark,
// were stored at one time.
type mark struct {
	offset int64
	at     int64 // ms since 1970
}

// history is when the messages of one queue were stored, in bounded memory:
// each batch is one mark, and when there are too many, marks go so that those
// left lie the farther apart the older they are. Old messages then seem a
// little older than they are, in proportion to their age; the newest message's
// time is always exact.
type history struct{ marks []mark }

func (h *history) add(offset, at int64, limit int) {
	if n := len(h.marks); n > 0 && h.marks[n-1].at == at {
		return
	}
	if len(h.marks) >= limit {
		h.thin(at, limit)
	}
	h.marks = append(h.marks, mark{offset, at})
}

// thin makes room for a quarter of limit.
func (h *history) thin(now int64, limit int) {
	// With marks apart by a part p of their age, log(oldest age)/p marks
	// reach back to the oldest: a first guess at p.
	apart := math.Log1p(float64(now-h.marks[0].at)) / float64(limit)
	for ; len(h.marks) > limit*3/4; apart *= 1.25 {
		h.spread(now, apart/2)
	}
}

// spread keeps the newest mark, the oldest, and of the others as few as leave
// no gap of more than apart of its age where there was none.
func (h *history) spread(now int64, apart float64) {
	last := len(h.marks) - 1
	to, newer := last, h.marks[last].at
	for i := last - 1; i >= 0; i-- {
		m := h.marks[i]
		if i == 0 || float64(newer-h.marks[i-1].at) > apart*float64(now-newer) {
			to--
			h.marks[to], newer = m, m.at
		}
	}
	h.marks = append(h.marks[:0], h.marks[to:]...)
}

// at is the store time of the message at offset, -1 where it is not known, as
// MessageStore.getMessageStoreTimeStamp has it.
func (h *history) at(offset int64) int64 {
	i := sort.Search(len(h.marks), func(i int) bool { return h.marks[i].offset > offset })
	if i == 0 {
		return -1
	}
	return h.marks[i-1].at
}

// since is the first offset that was stored at a time or later, end where none
// was.
func (h *history) since(at, end int64) int64 {
	i := sort.Search(len(h.marks), func(i int) bool { return h.marks[i].at >= at })
	if i == len(h.marks) {
		return end
	}
	return h.marks[i].offset
}

// expire forgets what lies wholly before first.
func (h *history) expire(first int64) {
	i := sort.Search(len(h.marks), func(i int) bool { return h.marks[i].offset > first })
	if i > 1 {
		h.marks = append(h.marks[:0], h.marks[i-1:]...)
	}
}

// meter turns counts into a rate per second over at least ten seconds, which
// is how often a broker samples its own (StatsItemSet).
type meter struct {
	since int64 // ms since 1970 of the first count in n
	n     int64
	rate  float64
}

const meterWindow = 10_000 // ms

func (m *meter) add(now, n int64) {
	m.roll(now)
	m.n += n
}

// perSecond is the rate of the last full window. It must not change the meter:
// answers are made under a read lock.
func (m *meter) perSecond(now int64) float64 {
	switch age := now - m.since; {
	case m.since == 0 || age >= 6*meterWindow:
		return 0
	case age >= meterWindow:
		return float64(m.n) * 1000 / float64(age)
	}
	return m.rate
}

func (m *meter) roll(now int64) {
	if now-m.since < meterWindow {
		return
	}
	m.rate = m.perSecond(now)
	m.since, m.n = now, 0
}
