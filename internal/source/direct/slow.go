package direct

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Bounds of what one broker is asked behind one round. They are what a broker of
// 4.x answers in every round of a large cluster anyway, but one at a time.
const (
	maxStatsTopics = 2000
	maxStatsQueues = 1 << 14
)

// runErrands plans what the brokers are asked behind this round, and puts what
// was found behind earlier ones into its parts.
func (r *round) runErrands() {
	late := make(map[*cluster]bool)
	for _, w := range r.sources {
		b := w.broker
		if w.build.err != nil || b.part == nil {
			late[b.cluster] = true
			continue
		}
		b.part.Others = b.known.others()
		wanted := w.survey()
		b.part.Waits = b.waits.of(r.began)
		if b.errands.busy() || r.src.opts.SlowEvery < 0 {
			continue
		}
		list := slices.Concat(w.endsErrands(), w.waitErrands(wanted), w.modeErrands(), w.replicaErrands())
		stats, behind := w.statsErrands()
		if behind {
			late[b.cluster] = true
		}
		b.errands.start(r.src, append(list, stats...))
	}
	for _, c := range r.src.clusters {
		if !late[c] {
			c.slow = r.began
		}
	}
}

// endsErrands ask for the ends of topics that nobody has committed on, in bulk:
// of dead-letter topics behind every round, of the rest once a cycle.
func (w *reading) endsErrands() []errand {
	if w.proc.bulk != answers {
		return nil
	}
	b := w.broker
	due := w.due(b.endsAsked)
	if due {
		b.endsAsked = w.began
	}
	var topics []*topic
	for _, t := range b.known.sorted {
		if t.state == unused && (due || strings.HasPrefix(t.name, dlqPrefix)) {
			topics = append(topics, t)
		}
	}
	var list []errand
	for _, topics := range chunk(topics) {
		list = append(list, w.endsErrand(topics))
	}
	return list
}

// due says whether what was asked then is to be asked again.
func (w *reading) due(asked time.Time) bool { return w.began.Sub(asked) >= w.src.opts.SlowEvery }

// dlqPrefix begins the names of dead-letter topics (MixAll.DLQ_GROUP_TOPIC_PREFIX).
const dlqPrefix = "%DLQ%"

// waiting is a topic whose stats are to be asked for.
type waiting struct {
	*topic
	period time.Duration // how often
	age    time.Duration // since they were
}

// overdue is the age of the stats in periods.
func (t *waiting) overdue() float64 { return float64(t.age) / float64(t.period) }

// statsErrands ask for the stats of topics: of new ones at once, of the others in
// turn, as many as it takes to come round in one cycle, those first that have
// waited for longest. Late says that some are older than they should be, or not
// known yet.
func (w *reading) statsErrands() (list []errand, late bool) {
	topics, elapsed := w.needStats(), time.Duration(0)
	if !w.src.lastBegan.IsZero() {
		elapsed = w.began.Sub(w.src.lastBegan)
	}
	slices.SortStableFunc(topics, func(a, b waiting) int { return cmp.Compare(b.overdue(), a.overdue()) })
	share, queues := &w.broker.share, 0
	for i := range topics {
		*share += float64(elapsed) / float64(topics[i].period)
	}
	for i := range topics {
		t := &topics[i]
		isNew, isDue := t.asked == never, t.age+elapsed > t.period
		late = late || isNew || t.age > 2*max(t.period, elapsed)
		if !isNew && !isDue && *share < 1 || len(list) >= maxStatsTopics || queues+t.queues > maxStatsQueues && queues > 0 {
			break
		}
		if !isNew {
			*share--
		}
		list = append(list, w.statsErrand(t.topic))
		queues += t.queues
	}
	*share = min(max(*share, 0), 1)
	return list, late
}

// needStats lists the topics whose stats no round asks for.
func (w *reading) needStats() []waiting {
	list := w.src.waiting[:0]
	for _, t := range w.broker.known.sorted {
		if w.proc.bulk == ignores && t.state != unused {
			continue // the round itself asked for them
		}
		period := w.src.opts.SlowEvery
		if !t.behind && t.failures == 0 && w.isQuiet(t) {
			period *= quietCycles
		}
		list = append(list, waiting{t, period, t.asked.until(w.began)})
	}
	w.src.waiting = list
	return list
}

// isQuiet says whether a topic's queues end where they did when its stats were
// asked for.
func (w *reading) isQuiet(t *topic) bool {
	switch {
	case !t.hasStats || w.proc.bulk != answers:
		return false
	case t.state == unused:
		return slices.Equal(t.list(listEnds), t.list(listAtEnds))
	}
	return slices.Equal(w.endsOf(t), t.list(listAtEnds))
}
