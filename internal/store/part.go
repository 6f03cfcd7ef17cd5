package store

import (
	"sync"
	"weak"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Part is what is kept of one broker's offsets.
type Part struct {
	last  weak.Pointer[model.Part] // the last one with offsets
	blank bool                     // the broker has been away for so long that it has none

	// Lists of last, and in the order of its Commits and Committed, which
	// pairs they are and when they moved.
	groups    []string
	commits   []model.Commits
	committed model.Offsets
	pairs     []int32 // numbers in History.pairs; nowhere: the group's commits at brokers do not count
	moved     []Tick
	earlier   earlier // while a round is added
	odd       []int32 // of a round: entries of commits that are not simply counted, see countOdd
	waits     waits

	names       []model.Topic    // the topics of last
	placing     sync.Mutex       // of places: questions may be asked at once
	places      map[string]int32 // of names; nil while nobody has asked
	topics      []looks          // in the order of names
	older       older            // samples in front of the looks
	grew        int              // by how much older did in the last round
	now, before column           // of the last two looks
	apart       map[string]*apart
	needs       []localNeed // of a round

	history *History
	added   uint32 // the last round that had the broker
	met     uint32 // the round in which last came
	whole   bool   // the part of the round before had every topic
	wholeAt Tick   // when that was taken
}

// localNeed says that a process that keeps its own offsets is at one.
type localNeed struct {
	queue  int // in the order of the part's Ends
	offset int64
}

// earlier is what a part was before the round that is added.
type earlier struct {
	names     []model.Topic
	groups    []string
	commits   []model.Commits
	committed model.Offsets
	moved     []Tick  // nil where nobody has watched since
	from      []int32 // where its commits stood, in their new order, nowhere for new ones; nil: where they stand
}

// isLast says whether the offsets of a part are those that came last.
func (p *Part) isLast(in *model.Part) bool { return p.met > 0 && p.last == weak.Make(in) }

// Ends are those of the i-th topic of the part.
func (p *Part) Ends(topic int) Ends {
	if p.topics[topic].topic != nowhere { // mostly
		return Ends{part: p, place: int32(topic)}
	}
	name := p.names[topic].Name
	for topic > 0 && p.names[topic-1].Name == name {
		topic-- // of several the first
	}
	if p.topics[topic].topic != nowhere {
		return Ends{part: p, place: int32(topic)}
	}
	if a := p.apart[name]; a != nil {
		return Ends{part: p, apart: a}
	}
	return Ends{}
}

// Pair is how the group of the i-th entry of the part's commits has got on with
// the topic; nil where its commits do not count.
func (p *Part) Pair(commits int) *Pair {
	if number := p.pairs[commits]; number != nowhere {
		return p.history.pairs.at(number)
	}
	return nil
}

// Moved says of n commits, from the one at that place in the part's Committed on,
// when they were last seen to move, or to have no message before them: since then
// their messages wait.
func (p *Part) Moved(commit, n int32) []Tick { return p.moved[commit : commit+n] }

// meetPart meets what a broker tells of, and says whether that is new.
func (h *History) meetPart(p *Part, in *model.PartOfRound) {
	away := in.Age > 0 && len(in.Commits) == 0 && p.met > 0
	if away || p.isLast(in.Part) {
		p.blank = p.blank || away
		for _, number := range p.pairs {
			if number != nowhere {
				h.pairs.again(h.round, number)
				h.groups.again(h.round, h.pairs.at(number).group)
			}
		}
		return
	}
	p.earlier = earlier{names: p.names, groups: p.groups, commits: p.commits, committed: p.committed, moved: p.moved}
	if p.blank {
		p.earlier.moved = nil
	}
	h.addTopics(p, in.Part)
	h.meetCommits(p, in.Part)
	p.groups, p.commits, p.committed = in.Groups, in.Commits, in.Committed
	p.last, p.blank, p.met = weak.Make(in.Part), false, h.round
}

// take takes the offsets of one broker, now that all readers are known. Parts may
// be taken at once.
func (h *History) take(p *Part, d *desk, in *model.Part) {
	if p.met != h.round {
		return // it is away
	}
	d.slowest, d.taken = nobody(d.slowest, in.Ends.Len()), h.Tick(in.Taken)
	h.takeCommits(p, d, in)
	for _, n := range p.needs {
		need(&d.slowest[n.queue], n.offset, model.Unknown)
	}
	p.waits.match(in)
	d.older = p.older.next(p.grew, &h.spare)
	waits := p.waits.told
	for i := range in.Topics {
		if in.Repeats(i) {
			continue
		}
		n := 0
		for n < len(waits) && int(waits[n].topic) == i {
			n++
		}
		h.look(p, d, in, i, waits[:n])
		waits = waits[n:]
	}
	p.grew = len(d.older) - len(p.older)
	h.spare.leave(p.older)
	p.older, d.older = d.older.clipped(), nil
	d.clear()
	p.before, p.now = p.now, column{in.Topics, in.Ends}
}

// finish takes what several brokers may say something of.
func (h *History) finish(p *Part, in *model.Part) {
	if p.met == h.round {
		h.countOdd(p, in)
		p.earlier, p.odd, p.needs = earlier{}, nil, nil
	}
	if p.isLast(in) {
		h.addOthers(p, in)
	}
}
