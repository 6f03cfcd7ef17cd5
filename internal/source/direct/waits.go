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
	asked   uint64    // fingerprint of where the group was to go on then
	retryAt time.Time // after a failure
	needed  time.Time // the last round whose commits need it
}

func (w *waits) set(k pairKey, told *toldWait) {
	if w.byPair == nil {
		w.byPair = make(map[pairKey]*toldWait)
	}
	w.byPair[k], w.changed = told, true
}

// keepNeeded lets go of the ages that the round does not need any more.
func (w *waits) keepNeeded(round time.Time) {
	for k, told := range w.byPair {
		if told.needed != round {
			delete(w.byPair, k)
			w.changed = true
		}
	}
}

// sorted lists the ages.
func (w *waits) sorted() []model.Wait {
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

// wantedWait is a pair whose exact age is to be asked for.
type wantedWait struct {
	commits int // index in Part.Commits
	backlog int64
	known   bool // an earlier age is
}

// survey looks at all commits of the round: which topics somebody is behind on,
// and which pairs go on at what was there before anybody watched, so that their
// age must be asked for.
func (w *reading) survey(s *scratch) []wantedWait {
	part, wanted := w.broker.part, s.wanted[:0]
	passed := slowestCommits(s.passed, w.build.last)
	for i := range part.Commits {
		c := &part.Commits[i]
		topic, t := &part.Topics[c.Topic], w.inPart[c.Topic]
		if t == nil {
			continue
		}
		want := wantedWait{commits: i}
		first, isOld := w.firstOf(int(c.Topic), passed), false
		for q := range int(topic.Queues) {
			at, end := startOf(part.Committed.At(int(c.First)+q), part.Begins.At(int(topic.First)+q)), part.Ends.At(int(topic.First)+q)
			if at == model.Unknown || at >= end {
				continue
			}
			if t.behind = true; q < len(first) && at < first[q] {
				isOld = true
				want.backlog += end - at
			}
		}
		if isOld && w.counts(topic.Name, i) && w.isWanted(&want, first) {
			wanted = append(wanted, want)
		}
	}
	s.wanted, s.passed, s.slowest = wanted, passed, slowestCommits(s.slowest, part)
	w.follow(s.slowest, passed)
	return wanted
}

// slowestCommits is where the slowest group goes on in each queue of a part, or
// the queue's end where that comes first; Unknown where nobody knows of any. It is
// made in list.
func slowestCommits(list []int64, part *model.Part) []int64 {
	list = appendUnknown(slices.Grow(list[:0], part.Ends.Len()), part.Ends.Len())
	for i := range part.Commits {
		c := &part.Commits[i]
		topic := &part.Topics[c.Topic]
		first, slowest := int(topic.First), list[topic.First:topic.First+topic.Queues]
		for q := range slowest {
			at := min(startOf(part.Committed.At(int(c.First)+q), part.Begins.At(first+q)), part.Ends.At(first+q))
			if at != model.Unknown && (slowest[q] == model.Unknown || at < slowest[q]) {
				slowest[q] = at
			}
		}
	}
	return list
}

// firstOf are the first ends of a topic of the part: its own, or what all groups
// had passed in the last part.
func (w *reading) firstOf(i int, passed []int64) []int64 {
	if first := w.inPart[i].first(); first != nil {
		return first
	}
	return queuesAt(passed, w.build.last, w.from[i])
}

// follow notes what every group has behind it.
func (w *reading) follow(slowest, passed []int64) {
	for i, t := range w.inPart {
		if t == nil {
			continue
		}
		now := queuesAt(slowest, w.broker.part, int32(i))
		first := t.first()
		if first == nil {
			before := queuesAt(passed, w.build.last, w.from[i])
			if !wasBefore(now, before) {
				continue
			}
			first = slices.Clone(before) // a group went back
		}
		arrived := len(first) <= len(now)
		for q := range min(len(now), len(first)) {
			if now[q] != model.Unknown {
				first[q] = max(first[q], now[q])
			}
			arrived = arrived && first[q] == now[q] && now[q] != model.Unknown
		}
		if arrived {
			first = nil // they are where the slowest group of the part is
		}
		t.setFirst(first)
	}
}

// wasBefore says whether some queue is known to have been further than now.
func wasBefore(now, before []int64) bool {
	for q := range min(len(now), len(before)) {
		if now[q] < before[q] {
			return true
		}
	}
	return false
}

// isWanted says whether a pair that needs an age is to be asked for it.
func (w *reading) isWanted(want *wantedWait, first []int64) bool {
	c := &w.broker.part.Commits[want.commits]
	told := w.broker.waits.byPair[pairKey{w.inPart[c.Topic].name, w.broker.part.GroupOf(c)}]
	if told == nil {
		return true
	}
	told.needed, want.known = w.began, true
	if w.began.Before(told.retryAt) {
		return false
	}
	_, asked := w.starts(want.commits, first, nil)
	return asked != told.asked
}

// starts are where a group goes on in the queues that need an age, because it is
// below the first ends; Unknown in the others. They are appended to list, unless
// that is nil. The fingerprint is the same while they are.
func (w *reading) starts(commits int, first, list []int64) (starts []int64, fingerprint uint64) {
	part := w.broker.part
	c := &part.Commits[commits]
	topic := &part.Topics[c.Topic]
	fingerprint = uint64(topic.Queues)
	for q := range int(topic.Queues) {
		at := startOf(part.Committed.At(int(c.First)+q), part.Begins.At(int(topic.First)+q))
		if at >= part.Ends.At(int(topic.First)+q) || q >= len(first) || at >= first[q] {
			at = model.Unknown
		}
		fingerprint = mixed(fingerprint, at)
		if list != nil {
			list = append(list, at)
		}
	}
	return list, fingerprint
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
func (w *reading) counts(topic string, commits int) bool {
	g := w.broker.groupOf(commits)
	if strings.HasPrefix(topic, dlqPrefix) || g == nil || g.model == model.Broadcasting {
		return false
	}
	return g.topics.Has(topic) || len(g.topics) == 0
}

// waitErrands ask for the ages of pairs: first of those of which none is known,
// then of those that moved on, the largest backlog first, within the bounds.
func (w *reading) waitErrands(wanted []wantedWait) []errand {
	slices.SortStableFunc(wanted, func(a, b wantedWait) int {
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
	for _, want := range wanted {
		width := int(w.broker.part.Topics[w.broker.part.Commits[want.commits].Topic].Queues)
		if pairs == maxWaitPairs || queues+width > maxWaitQueues && queues > 0 {
			break
		}
		pairs++
		queues += width
		list = append(list, w.waitErrand(want.commits)...)
	}
	return list
}

// waitErrand asks for the ages of one pair. Where the group goes on at the
// beginning of a queue, that is asked for just before.
func (w *reading) waitErrand(commits int) []errand {
	c := &w.broker.part.Commits[commits]
	t := w.inPart[c.Topic]
	queues, addr, now := int(w.broker.part.Topics[c.Topic].Queues), w.proc.addr, w.src.opts.Now
	committed := w.broker.part.Committed.AppendTo(nil, int(c.First), queues)
	start, asked := w.starts(commits, t.first(), make([]int64, 0, queues))
	key := pairKey{t.name, w.broker.part.GroupOf(c)}
	told := &toldWait{asked: asked, Wait: model.Wait{Topic: key.topic, Group: key.group}}

	var list []errand
	var stats topicStats
	if atBeginning(start, committed) {
		ask := w.statsErrand(t)
		list = append(list, errand{addr, ask.request, func(body []byte, err error) finding {
			if err == nil {
				stats, _ = readStats(body, queues, now())
			}
			return ask.read(body, err)
		}})
	}
	return append(list, errand{addr, remoting.Request{
		Code:   remoting.QueryConsumeTimeSpan,
		Fields: []remoting.Field{{Key: "topic", Value: key.topic}, {Key: "group", Value: key.group}},
	}, func(body []byte, err error) finding {
		if told.Taken = now(); err == nil {
			told.Committed, told.Ages, err = readWait(body, committed, start, stats)
			err = bodyOf(addr, err)
		}
		return func(w *reading) { w.takeWait(addr, key, told, err) }
	}})
}

// atBeginning says whether a group goes on somewhere else than at its commit.
func atBeginning(start, committed []int64) bool {
	for q, at := range start {
		if at != model.Unknown && at != committed[q] {
			return true
		}
	}
	return false
}

// readWait reads an answer to QUERY_CONSUME_TIME_SPAN for the queues with a start.
// The commits are those of the round before it: if the next round finds them
// unchanged, they are what the ages belong to.
func readWait(body []byte, committed, start []int64, stats topicStats) (at, ages []int64, err error) {
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
		if begins := stats.begins(); q < len(begins) && begins[q] != model.Unknown && s.Earliest > 0 {
			at[q], ages[q] = begins[q], max(s.Delay-1-s.Earliest, 0)
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
		told.asked, told.retryAt = 0, w.began.Add(w.src.opts.SlowEvery)
		w.fail(w.broker.cluster.name, addr, remoting.QueryConsumeTimeSpan, err)
	}
	w.broker.waits.set(key, told)
}
