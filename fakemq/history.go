package fakemq

import "sort"

// mark says that the messages of a queue from offset on, up to the next mark,
// were stored at one time.
type mark struct {
	offset int64
	at     int64 // ms since 1970
}

// history is when the messages of one queue were stored, in bounded memory:
// each batch is one mark, and when there are too many, every second one of the
// older half goes, so that old messages seem a little older than they are. The
// newest message's time is always exact.
type history struct{ marks []mark }

func (h *history) add(offset, at int64, limit int) {
	if n := len(h.marks); n > 0 && h.marks[n-1].at == at {
		return
	}
	if len(h.marks) >= limit {
		h.thin()
	}
	h.marks = append(h.marks, mark{offset, at})
}

func (h *history) thin() {
	kept := h.marks[:0]
	for i, m := range h.marks {
		if i%2 == 0 || i >= len(h.marks)/2 {
			kept = append(kept, m)
		}
	}
	h.marks = kept
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
