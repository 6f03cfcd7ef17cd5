package direct

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Bounds of what one broker is asked for exact ages behind one round: for each
// queue it reads up to four messages from its commit log, from the disk where
// they are old.
const (
	maxWaitPairs  = 64
	maxWaitQueues = 512
)

// pairKey names a topic and a group.
type pairKey struct{ topic, group string }

// waits are the ages that a broker told.
type waits struct {
	byPair  map[pairKey]*toldWait
	list    []model.Wait // the same in the order of topic and group; replaced, not written to
	changed bool         // byPair, since list was made
}

// toldWait is what was told of one pair.
type toldWait struct {
	model.Wait
	asked   []int64   // where the group was to go on in each queue then
	retryAt time.Time // after a failure
}

func (w *waits) set(k pairKey, told *toldWait) {
	if w.byPair == nil {
		w.byPair = make(map[pairKey]*toldWait)
	}
	w.byPair[k], w.changed = told, true
}

// of lets go of the ages that nobody needs any more, and lists the others.
func (w *waits) of(s *survey) []model.Wait {
	for k := range w.byPair {
		if !s.pending[k] {
			delete(w.byPair, k)
			w.changed = true
		}
	}
	if !w.changed {
		return w.list
	}
	w.list, w.changed = make([]model.Wait, 0, len(w.byPair)), false
	for _, told := range w.byPair {
		if told.Ages != nil {
			w.list = append(w.list, told.Wait)
		}
	}
	slices.SortFunc(w.list, func(a, b model.Wait) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), strings.Compare(a.Group, b.Group))
	})
	return w.list
}

// survey is what the commits of a part say of the slower cycle's work.
type survey struct {
	// pending are the pairs with something to consume that was there before
	// anybody watched, and wanted those of them whose age is to be asked for.
	pending map[pairKey]bool
	wanted  []wantedWait
}

// wantedWait is a pair whose exact age is to be asked for.
type wantedWait struct {
	pairKey

	of        *topic
	committed []int64 // of the round
	start     []int64 // where the group goes on in the queues that need an age
	backlog   int64
	known     bool // an earlier age is
	begins    bool // the group goes on where some queue begins
}

// survey looks at all commits of the round.
func (w *reading) survey() *survey {
	s := &survey{pending: make(map[pairKey]bool)}
	part := w.broker.part
	var start []int64
	for i := range part.Commits {
		c := &part.Commits[i]
		topic, t := &part.Topics[c.Topic], w.inPart[c.Topic]
		if t == nil {
			continue
		}
		want := wantedWait{pairKey: pairKey{topic.Name, c.Group}, of: t, committed: part.Committed[c.First : c.First+topic.Queues]}
		start = start[:0]
		isOld := false
		for q, committed := range want.committed {
			at, end := startOf(committed, part.Begins[topic.First+q]), part.Ends[topic.First+q]
			isBehind := at != model.Unknown && at < end
			t.behind = t.behind || isBehind
			if !isBehind || q >= len(t.first) || at >= t.first[q] {
				start = append(start, model.Unknown)
				continue
			}
			isOld = true
			start = append(start, at)
			want.backlog += end - at
			want.begins = want.begins || at != committed
		}
		if isOld && w.counts(topic.Name, c.Group) {
			want.start = start
			s.add(want, w)
		}
	}
	return s
}

// startOf is where a group goes on in a queue: at its commit, or where that is
// no longer kept, at the queue's beginning. Without a commit it is the beginning
// of a queue that still begins at 0.
func startOf(committed, begin int64) int64 {
	switch {
	case committed == model.Unknown && begin != 0:
		return model.Unknown
	case committed < begin:
		return begin
	}
	return committed
}

// counts says whether a pair has a backlog at the broker.
func (w *reading) counts(topic, group string) bool {
	g := w.broker.cluster.groups[group]
	if strings.HasPrefix(topic, dlqPrefix) || g == nil || g.model == model.Broadcasting {
		return false
	}
	_, subscribed := g.topics[topic]
	return subscribed || len(g.topics) == 0
}

// add notes a pair, whose age is wanted unless it is known.
func (s *survey) add(want wantedWait, w *reading) {
	s.pending[want.pairKey] = true
	told := w.broker.waits.byPair[want.pairKey]
	want.known = told != nil
	if told != nil && (w.began.Before(told.retryAt) || told.answers(want.start)) {
		return
	}
	want.start = slices.Clone(want.start)
	s.wanted = append(s.wanted, want)
}

// answers says whether all queues that need an age were asked for it where the
// group goes on now.
func (t *toldWait) answers(start []int64) bool {
	for q, at := range start {
		if at != model.Unknown && (q >= len(t.asked) || t.asked[q] != at) {
			return false
		}
	}
	return true
}

// waitErrands ask for the ages of pairs: first of those of which none is known,
// then of those that moved on, the largest backlog first, within the bounds.
func (w *reading) waitErrands(s *survey) []errand {
	slices.SortStableFunc(s.wanted, func(a, b wantedWait) int {
		if a.known != b.known {
			if b.known {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.backlog, a.backlog)
	})
	var list []errand
	pairs, queues := 0, 0
	for i := range s.wanted {
		want := &s.wanted[i]
		if pairs == maxWaitPairs || queues+want.of.queues > maxWaitQueues && queues > 0 {
			break
		}
		pairs++
		queues += want.of.queues
		list = append(list, w.waitErrand(want)...)
	}
	return list
}

// waitErrand asks for the ages of one pair. Where the group goes on at the
// beginning of a queue, that is asked for just before.
func (w *reading) waitErrand(want *wantedWait) []errand {
	var list []errand
	var stats *topicStats
	queues, now := want.of.queues, w.src.opts.Now
	if want.begins {
		ask := w.statsErrand(want.of)
		list = append(list, errand{ask.addr, ask.request, func(body []byte, err error) finding {
			if err == nil {
				stats, _ = readStats(body, queues, now())
			}
			return ask.read(body, err)
		}})
	}
	key, committed := want.pairKey, slices.Clone(want.committed)
	told := &toldWait{asked: want.start, Wait: model.Wait{Topic: key.topic, Group: key.group}}
	addr := w.proc.addr
	return append(list, errand{addr, remoting.Request{
		Code:   remoting.QueryConsumeTimeSpan,
		Fields: []remoting.Field{{Key: "topic", Value: key.topic}, {Key: "group", Value: key.group}},
	}, func(body []byte, err error) finding {
		if told.Taken = now(); err == nil {
			told.Committed, told.Ages, err = readWait(body, committed, told.asked, stats)
			err = bodyOf(addr, err)
		}
		return func(w *reading) { w.takeWait(addr, key, told, err) }
	}})
}

// readWait reads an answer to QUERY_CONSUME_TIME_SPAN for the queues with a start.
// The commits are those of the round before it: if the next round finds them
// unchanged, they are what the ages belong to.
func readWait(body []byte, committed, start []int64, stats *topicStats) (at, ages []int64, err error) {
	at, ages = appendUnknown(nil, len(committed)), appendUnknown(nil, len(committed))
	err = remoting.DecodeTimeSpans(body, func(s remoting.TimeSpan) {
		q, newest := int(s.QueueID), max(s.Earliest, s.Latest, s.Consumed)
		if q < 0 || q >= len(start) || start[q] == model.Unknown || newest <= 0 || s.Delay == 0 {
			return
		}
		if s.Delay <= newest {
			// A real age: it is less than all the time since 1970. A clock
			// that was set back makes it negative.
			at[q], ages[q] = committed[q], max(s.Delay, 0)
			return
		}
		// There is no message at the commit: the broker took its clock for the
		// age, and 1 more. The oldest message is the one that comes next.
		if stats != nil && q < len(stats.begins) && stats.begins[q] != model.Unknown && s.Earliest > 0 {
			at[q], ages[q] = stats.begins[q], max(s.Delay-1-s.Earliest, 0)
		}
	})
	return at, ages, err
}

// takeWait notes what was told of a pair. Of a failure it notes until when the
// pair is not asked about again.
func (w *reading) takeWait(addr string, key pairKey, told *toldWait, err error) {
	if isNotFound(err) {
		return
	}
	if err != nil {
		told.Committed, told.Ages = nil, nil
		told.asked, told.retryAt = nil, w.began.Add(w.src.opts.SlowEvery)
		w.fail(w.broker.cluster.name, addr, remoting.QueryConsumeTimeSpan, err)
	}
	w.broker.waits.set(key, told)
}
