package direct

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Bounds of what one broker is asked behind one round. They are what a broker of
// 4.x answers in every round of a large cluster anyway, but one at a time.
const (
	maxStatsTopics = 2000
	maxStatsQueues = 1 << 14
	// maxNewTopics are those of them that nobody was asked about yet. When a large
	// cluster is met first that is every topic, and what is told of all at once
	// would be the most memory that is ever needed.
	maxNewTopics = 1000
)

// showFound puts what was found behind earlier rounds into the parts of this one,
// besides what stands there for each queue.
func (r *round) showFound() {
	r.eachSource(func(w *reading) {
		if b := w.broker; w.build.err == nil && b.part != nil {
			b.part.Others, b.part.Waits = b.known.others(), b.waits.sorted()
		}
		// The plan needs no more of it, and comes after the report is made, which
		// is when most memory is in use.
		w.build = &partBuilder{last: w.build.last, err: w.build.err}
	})
}

// planErrands plans what the brokers are asked behind this round. Nobody waits for
// it: the round is shown by then.
func (r *round) planErrands() {
	r.eachSource((*reading).planErrands)
	late := make(map[*cluster]bool)
	for _, w := range r.sources {
		if w.late {
			late[w.broker.cluster] = true
		}
	}
	for _, c := range r.src.clusters {
		if !late[c] {
			c.slow = r.began
		}
	}
}

func (w *reading) planErrands() {
	b := w.broker
	if w.build.err != nil || b.part == nil {
		w.late = true
		return
	}
	s := w.src.scratches.get()
	defer w.src.scratches.put(s)
	wanted := w.survey(s)
	b.waits.keepNeeded(w.began)
	if w.src.opts.SlowEvery < 0 {
		return
	}
	s.waiting, w.late = w.needStats(s.waiting[:0])
	w.late = w.late || w.modesLate()
	if b.errands.busy() {
		return
	}
	list := slices.Concat(w.endsErrands(), w.modeErrands(), w.replicaErrands())
	b.errands.plan = errandPlan{list, w.dueStats(s.waiting), w.waitErrands(wanted)}
}

// scratch is memory for planning errands, of one broker after the other.
type scratch struct {
	waiting []waiting
	wanted  []wantedWait
	// By queue of a part: what all groups had passed in the round before, and
	// where the slowest group is.
	passed, slowest []int64
}

// scratches lends them.
type scratches struct {
	mu   sync.Mutex
	free []*scratch
}

func (l *scratches) get() *scratch {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.free)
	if n == 0 {
		return &scratch{}
	}
	s := l.free[n-1]
	l.free = l.free[:n-1]
	return s
}

func (l *scratches) put(s *scratch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, s)
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
	for i := range b.known.topics.list {
		t := &b.known.topics.list[i]
		if t.isApart() && (due || strings.HasPrefix(t.name, dlqPrefix)) {
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
	place   int32         // of the topic, in the broker's list
	overdue float32       // the age of the stats in periods
	period  time.Duration // how often
	age     time.Duration // since they were
}

// elapsed is the time since the round before; 0 in the first one.
func (w *reading) elapsed() time.Duration {
	if w.src.lastBegan.IsZero() {
		return 0
	}
	return w.began.Sub(w.src.lastBegan)
}

// dueStats are the topics whose stats are to be asked for: new ones at once, the
// others in turn, as many as it takes to come round in one cycle, those first that
// have waited for longest.
func (w *reading) dueStats(topics []waiting) statsList {
	elapsed := w.elapsed()
	slices.SortFunc(topics, func(a, b waiting) int {
		return cmp.Or(cmp.Compare(b.overdue, a.overdue), cmp.Compare(a.place, b.place))
	})
	list := statsList{addr: w.proc.addr, now: w.src.opts.Now}
	share, queues, news := &w.broker.share, 0, 0
	for i := range topics {
		*share += float64(elapsed) / float64(topics[i].period)
	}
	for i := range topics {
		one := &topics[i]
		t := &w.broker.known.topics.list[one.place]
		isNew, isDue := t.asked == model.NoStamp, one.age+elapsed > one.period
		if isNew && news == maxNewTopics {
			continue
		}
		if !isNew && !isDue && *share < 1 || len(list.topics) >= maxStatsTopics || queues+int(t.queues) > maxStatsQueues && queues > 0 {
			break
		}
		if isNew {
			news++
		} else {
			*share--
		}
		list.topics = append(list.topics, statsTopic{t.name, int32(t.queues)})
		queues += int(t.queues)
	}
	*share = min(max(*share, 0), 1)
	return list
}

// needStats lists the topics whose stats no round asks for. Late says that some are
// older than they should be, or not known: also where they were asked for, and the
// broker did not tell.
func (w *reading) needStats(list []waiting) (topics []waiting, late bool) {
	elapsed := w.elapsed()
	for i := range w.broker.known.topics.list {
		t := &w.broker.known.topics.list[i]
		if t.state == unused && !t.apart || t.state != unused && w.proc.bulk == ignores {
			continue // it is another shard's, or the round itself asked
		}
		period, believed := w.src.opts.SlowEvery, w.src.opts.SlowEvery
		if !t.behind && w.isQuiet(t) {
			if believed *= quietCycles; t.failures == 0 {
				period = believed
			}
		}
		age := ageOf(t.asked, w.began)
		late = late || t.toldAge(w.began) > 2*max(believed, elapsed)
		list = append(list, waiting{int32(i), float32(age) / float32(period), period, age})
	}
	return list, late
}

// isQuiet says whether a topic's queues end where they did when its stats were
// asked for.
func (w *reading) isQuiet(t *topic) bool {
	if !t.hasStats || w.proc.bulk != answers || t.state != unused && t.placed == notInPart {
		return false
	}
	return fingerprint(w.endsOf(t)) == t.atEnds
}
