package store

import (
	"math"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Pair is how one group has got on with one topic.
//
// Consumed begins as the sum of its commits, and then grows by what each queue's
// commit grows. So it is the sum of the commits as long as nothing odd happens,
// and a counter when something does: a commit that goes back, a broker that is
// away for a while, or a queue that is committed for the first time, at
// whatever offset, must not look like a consumption.
type Pair struct {
	Consumed int64
	// Moved is when a commit was last seen to move; NoTick: never.
	Moved Tick
	// Back is when a commit last went back, NoTick if none did. Returned is
	// when all that did were where they had been again, NoTick while they are
	// not. A broker that crashed has lost the commits of some seconds, and its
	// clients soon commit them again.
	Back, Returned Tick

	began, met uint64 // rounds
	back       []backQueue
}

// backQueue is a queue whose commit went back, from where and when.
type backQueue struct {
	queueKey

	high int64
	at   Tick
}

// queueKey names a queue of a topic; client is the process of a broadcasting
// group, which keeps its own commits.
type queueKey struct {
	broker, client string
	id             int
}

const (
	// maxBack bounds the queues of a pair of which that is known. When all are
	// set back they go forward alike.
	maxBack = 4
	// backTime is for how long it is: a commit that was set back on purpose
	// need never return.
	backTime = Tick(10 * time.Minute / Unit)
)

type pairKey struct{ topic, group string }

// meet is a pair of this round. It is new in the round in which it began.
func (h *History) meet(topic, group string) *Pair {
	key := pairKey{topic, group}
	p := h.pairs[key]
	if p == nil {
		p = &Pair{began: h.round, Moved: NoTick, Back: NoTick, Returned: NoTick}
		h.pairs[key] = p
	}
	p.met = h.round
	return p
}

// note takes one queue's commit after the one that was seen of it before, and
// says whether it moved.
func (p *Pair) note(round uint64, at Tick, key queueKey, last, now int64) (moved bool) {
	if len(p.back) > 0 {
		p.returns(at, key, now)
	}
	switch {
	case now == model.Unknown || last == now:
		return false
	case last == model.Unknown && p.began == round:
		p.Consumed = plus(p.Consumed, now)
		return false
	case last == model.Unknown:
	case now > last:
		p.Consumed = plus(p.Consumed, now-last)
	default:
		p.goesBack(at, key, last)
	}
	p.Moved = max(p.Moved, at)
	return true
}

func (p *Pair) goesBack(at Tick, key queueKey, from int64) {
	p.Back, p.Returned = max(p.Back, at), NoTick
	known := func(b backQueue) bool { return b.queueKey == key }
	if len(p.back) < maxBack && !slices.ContainsFunc(p.back, known) {
		p.back = append(p.back, backQueue{key, from, at})
	}
}

// returns lets go of a queue that is where it was, or was set back long ago.
func (p *Pair) returns(at Tick, key queueKey, now int64) {
	p.back = slices.DeleteFunc(p.back, func(b backQueue) bool {
		return b.queueKey == key && now >= b.high || at-b.at >= backTime
	})
	if len(p.back) == 0 {
		p.back, p.Returned = nil, at
	}
}

// plus adds numbers that are not negative. Where only forged offsets can lead
// it stops at the largest number.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Part is what is kept of one broker's offsets.
type Part struct {
	last  *model.Part // the last one with offsets
	blank bool        // the broker has been away for so long that it has none

	// In the order of last.Commits and last.Committed.
	pairs []*Pair // nil: the group's commits at brokers do not count
	moved []Tick

	names       []model.Topic  // the topics of last
	places      map[string]int // of names; nil while nobody has asked
	topics      []looks        // in the order of names
	now, before column         // of the last two looks
	apart       map[string]*apart
	slowest     []int64 // of a round, in the order of last.Ends: the first offset that somebody still needs

	met     uint64 // the round in which last came
	whole   bool   // the part of the round before had every topic
	wholeAt Tick   // when that was taken
}

// Ends are those of the i-th topic of the part.
func (p *Part) Ends(topic int) Ends {
	if p.topics[topic].topic == nil {
		return p.named(p.names[topic].Name) // of several the first, or it is apart
	}
	return Ends{part: p, place: topic}
}

// Pair is how the group of the i-th entry of the part's commits has got on with
// the topic; nil where its commits do not count.
func (p *Part) Pair(commits int) *Pair { return p.pairs[commits] }

// Moved is when the commit at that place in the part's Committed was last seen
// to move, or to have no message before it: since then its messages wait.
func (p *Part) Moved(commit int) Tick { return p.moved[commit] }

// addCommits takes the commits of one broker.
func (h *History) addCommits(p *Part, in *model.PartOfRound) {
	away := in.Age > 0 && len(in.Commits) == 0 && p.last != nil
	if away || in.Part == p.last {
		p.blank = p.blank || away
		for _, pair := range p.pairs {
			if pair != nil {
				pair.met = h.round
			}
		}
		return
	}
	h.addTopics(p, in.Part)
	w := commitWalk{History: h, part: in.Part, find: finder{part: p.last}, kept: p}
	w.pairs = slices.Grow([]*Pair(nil), len(in.Commits))
	w.moved = make([]Tick, len(in.Committed))
	for i := range in.Commits {
		w.take(i)
	}
	p.last, p.pairs, p.moved, p.blank, p.met = in.Part, w.pairs, w.moved, false, h.round
}

// commitWalk goes through the commits of a part.
type commitWalk struct {
	*History

	part  *model.Part
	find  finder // in the part of the round before
	kept  *Part
	pairs []*Pair
	moved []Tick
}

// take takes the i-th entry of the commits.
func (w *commitWalk) take(i int) {
	c := &w.part.Commits[i]
	m := w.groups[c.Group]
	if m == nil || m.broadcasting {
		w.pairs = append(w.pairs, nil)
		return
	}
	topic := &w.part.Topics[c.Topic]
	pair, before, since := w.before(i, topic.Name, c.Group)
	w.pairs = append(w.pairs, pair)
	at, slowest := w.Tick(w.part.TakenAt(topic)), w.kept.slowestOf(w.part, int(c.Topic))
	key := queueKey{broker: w.part.Broker}
	for q := range int(topic.Queues) {
		now, end := w.part.Committed[int(c.First)+q], w.part.Ends[int(topic.First)+q]
		key.id = q
		moved := pair.note(w.round, at, key, value(before, q), now)
		w.moved[int(c.First)+q] = at
		if q < len(since) && !moved && (end == model.Unknown || now < end && end > 0) {
			w.moved[int(c.First)+q] = since[q]
		}
		if q < len(slowest) {
			need(&slowest[q], now, w.part.Begins[int(topic.First)+q])
		}
	}
}

// slowestOf are the slowest readers of a topic: where it stands in the part
// several times, those of the first.
func (p *Part) slowestOf(in *model.Part, topic int) []int64 {
	for in.Repeats(topic) {
		topic--
	}
	t := &in.Topics[topic]
	return p.slowest[t.First : t.First+t.Queues]
}

// before is the pair of an entry, and its commits of the round before with the
// times since which they stand.
func (w *commitWalk) before(i int, topic, group string) (pair *Pair, commits []int64, since []Tick) {
	j := w.find.entry(i, topic, group)
	if j < 0 {
		return w.meet(topic, group), nil, nil
	}
	last := w.find.part
	first := last.Commits[j].First
	n := last.Topics[last.Commits[j].Topic].Queues
	commits = last.Committed[first : first+n]
	if !w.kept.blank {
		since = w.kept.moved[first : first+n]
	}
	if pair = w.kept.pairs[j]; pair == nil || pair.met+1 < w.round {
		return w.meet(topic, group), commits, since
	}
	pair.met = w.round
	return pair, commits, since
}

// value is that of a queue, Unknown where there is none.
func value(list []int64, q int) int64 {
	if q < len(list) {
		return list[q]
	}
	return model.Unknown
}

// finder finds commits in the part of an earlier round. They mostly stand where
// they stood; only otherwise an index is made.
type finder struct {
	part  *model.Part
	index map[pairKey]int
}

// entry is the place of a group's commits on a topic, -1 where there are none.
func (f *finder) entry(i int, topic, group string) int {
	if f.part == nil {
		return -1
	}
	if i < len(f.part.Commits) && f.part.Commits[i].Group == group && f.topic(i) == topic {
		return i
	}
	if f.index == nil {
		f.index = make(map[pairKey]int, len(f.part.Commits))
		for j := range f.part.Commits {
			f.index[pairKey{f.topic(j), f.part.Commits[j].Group}] = j
		}
	}
	if j, ok := f.index[pairKey{topic, group}]; ok {
		return j
	}
	return -1
}

func (f *finder) topic(i int) string { return f.part.Topics[f.part.Commits[i].Topic].Name }
