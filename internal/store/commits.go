package store

import (
	"sync/atomic"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// meetCommits finds the pairs of a new part's commits, and where the commits
// stood before.
func (h *History) meetCommits(p *Part, in *model.Part) {
	e := &p.earlier
	pairs := p.pairs
	f := finder{names: e.names, groups: e.groups, commits: e.commits}
	if !model.SameList(e.commits, in.Commits) || !model.SameList(e.groups, in.Groups) || !model.SameList(e.names, in.Topics) || e.committed.Len() != in.Committed.Len() {
		e.from = make([]int32, len(in.Commits))
		pairs = make([]int32, len(in.Commits))
	}
	for i := range in.Commits {
		c, last := &in.Commits[i], nowhere
		if e.from == nil {
			last = p.pairs[i]
		} else if e.from[i] = f.entry(in.Topics[c.Topic].Name, in.GroupOf(c)); e.from[i] != nowhere {
			last = p.pairs[e.from[i]]
		}
		pairs[i] = h.meetAt(last, p, in, c)
	}
	p.pairs = pairs
}

// meetAt is the number of an entry's pair, which was known by a number in the
// round before, or none where its commits do not count.
func (h *History) meetAt(last int32, p *Part, in *model.Part, c *model.Commits) int32 {
	if last != nowhere {
		if m := h.groups.at(h.pairs.at(last).group); m.listed != h.round || m.broadcasting {
			return nowhere
		}
		h.pairs.again(h.round, last)
		return last
	}
	group := h.groups.find(in.GroupOf(c))
	if group == nowhere {
		return nowhere
	}
	if m := h.groups.at(group); m.listed != h.round || m.broadcasting {
		return nowhere
	}
	return h.meet(p.topics[firstOf(in, c.Topic)].topic, group)
}

// takeCommits counts the commits of one broker, and finds its slowest readers.
func (h *History) takeCommits(p *Part, d *desk, in *model.Part) {
	moved := p.moved
	if p.earlier.from != nil || len(moved) != in.Committed.Len() {
		moved = make([]Tick, in.Committed.Len())
	}
	for i := range in.Commits {
		h.takeEntry(p, d, in, i, moved)
	}
	p.moved = moved
}

// takeEntry takes the i-th entry of the commits.
func (h *History) takeEntry(p *Part, d *desk, in *model.Part, i int, moved []Tick) {
	c := &in.Commits[i]
	t := &in.Topics[c.Topic]
	at := d.takenAt(h, in, int(c.Topic))
	moved = moved[c.First : c.First+t.Queues]
	if p.pairs[i] == nowhere {
		for q := range moved {
			moved[q] = at // nobody watches them; should they count some day, they wait since then
		}
		return
	}
	pair := h.pairs.at(p.pairs[i])
	first := &in.Topics[firstOf(in, c.Topic)]
	slowest := d.slowest[first.First : first.First+first.Queues]
	commits := d.commits.Read(&in.Committed, c.First, t.Queues)
	before, since := p.earlier.of(i, &d.committed)
	n := counting{odd: len(pair.back) > 0, begins: pair.began == h.round}
	for q, now := range commits {
		if n.count(model.ValueAt(before, q), now) || q >= len(since) || !isBehind(now, in.Ends.At(int(t.First)+q)) {
			moved[q] = at
		} else {
			moved[q] = since[q]
		}
		if q < len(slowest) && (now == model.Unknown || now < slowest[q]) {
			need(&slowest[q], now, in.Begins.At(int(t.First)+q))
		}
	}
	switch {
	case n.odd:
		p.odd = append(p.odd, int32(i))
	default:
		pair.count(at, &n)
	}
}

// isBehind says whether a message may wait at a commit.
func isBehind(commit, end int64) bool { return end == model.Unknown || commit < end && end > 0 }

// counting is the commits of a pair on one broker, one after the other.
type counting struct {
	begins   bool // the pair does in this round
	odd      bool // one went back, or some are on their way back
	moved    bool
	consumed int64
}

// count counts one queue's commit after the one before as Pair.note does, and says
// whether it moved.
func (n *counting) count(last, now int64) (moved bool) {
	switch {
	case now == model.Unknown || last == now:
		return false
	case last == model.Unknown && n.begins:
		n.consumed = plus(n.consumed, now)
		return false
	case last == model.Unknown:
	case now > last:
		n.consumed = plus(n.consumed, now-last)
	default:
		n.odd = true
	}
	n.moved = true
	return true
}

// count adds what was counted. Others may do so at the same time.
func (p *Pair) count(at Tick, n *counting) {
	addTo(&p.Consumed, n.consumed)
	moved := (*int32)(&p.Moved)
	for n.moved {
		old := atomic.LoadInt32(moved)
		if old >= int32(at) || atomic.CompareAndSwapInt32(moved, old, int32(at)) {
			return
		}
	}
}

// countOdd counts the entries that are not simply added: which of a pair's queues
// are remembered depends on their order.
func (h *History) countOdd(p *Part, in *model.Part) {
	var commits, committed model.Run
	for _, i := range p.odd {
		c := &in.Commits[i]
		t := &in.Topics[c.Topic]
		before, _ := p.earlier.of(int(i), &committed)
		pair, at := h.pairs.at(p.pairs[i]), h.Tick(in.TakenAt(int(c.Topic)))
		for q, now := range commits.Read(&in.Committed, c.First, t.Queues) {
			pair.note(h.round, at, queueKey{broker: in.Broker, id: q}, model.ValueAt(before, q), now)
		}
	}
}

// of are the commits that an entry had, laid out in the room, and the times since
// which they stand.
func (e *earlier) of(i int, room *model.Run) (committed []int64, since []Tick) {
	if e.from != nil {
		if i = int(e.from[i]); i < 0 {
			return nil, nil
		}
	}
	c := &e.commits[i]
	n := e.names[c.Topic].Queues
	if e.moved != nil {
		since = e.moved[c.First : c.First+n]
	}
	return room.Read(&e.committed, c.First, n), since
}

// firstOf is the place of the first topic of that name: the one that is kept.
func firstOf(in *model.Part, topic int32) int32 {
	for in.Repeats(int(topic)) {
		topic--
	}
	return topic
}

// finder finds commits among those of an earlier round. They mostly stand where
// they stood, or come in the same order; only otherwise an index is made.
type finder struct {
	names   []model.Topic
	groups  []string
	commits []model.Commits
	next    int32 // behind the one that was found last
	index   map[entryName]int32
}

type entryName struct{ topic, group string }

// entry is the place of a group's commits on a topic, none where there are none.
func (f *finder) entry(topic, group string) int32 {
	if int(f.next) < len(f.commits) && f.name(f.next) == (entryName{topic, group}) {
		f.next++
		return f.next - 1
	}
	if f.index == nil {
		f.index = make(map[entryName]int32, len(f.commits))
		for i := range f.commits {
			f.index[f.name(int32(i))] = int32(i)
		}
	}
	if i, ok := f.index[entryName{topic, group}]; ok {
		f.next = i + 1
		return i
	}
	return nowhere
}

func (f *finder) name(i int32) entryName {
	c := &f.commits[i]
	return entryName{f.names[c.Topic].Name, f.groups[c.Group]}
}
