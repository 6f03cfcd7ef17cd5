package store

import (
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// began is when the first round of every story ended.
func began() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// stage takes snapshots of a cluster: one topic, one group, as many queues as
// the lists have, every ten seconds. Lists may be changed between rounds.
type stage struct {
	History

	round   int
	parts   map[string]*brokerStage
	groups  map[string]*model.Group
	brokers []string
}

const interval = 10 * time.Second

// brokerStage is what one broker will tell in the next round.
type brokerStage struct {
	topics  map[string]*topicStage
	order   []string
	others  []model.TopicStats
	waits   []model.Wait
	age     int
	missing int
	last    *model.Part
}

// topicStage are a topic's offsets, by queue, and commits by group.
type topicStage struct {
	ends, begins []int64
	commits      map[string][]int64
	taken        time.Time
}

func newStage() *stage {
	return &stage{parts: make(map[string]*brokerStage), groups: map[string]*model.Group{"billing": {Name: "billing", Known: true}}}
}

func (s *stage) broker(name string) *brokerStage {
	if s.parts[name] == nil {
		s.parts[name] = &brokerStage{topics: make(map[string]*topicStage)}
		s.brokers = append(s.brokers, name)
	}
	return s.parts[name]
}

func (b *brokerStage) topic(name string) *topicStage {
	if b.topics[name] == nil {
		b.topics[name] = &topicStage{commits: make(map[string][]int64)}
		b.order = append(b.order, name)
	}
	return b.topics[name]
}

// set says what broker a tells of topic orders and group billing.
func (s *stage) set(ends, commits []int64) {
	t := s.broker("a").topic("orders")
	t.ends, t.commits["billing"] = ends, commits
}

// now is when the round under way ends.
func (s *stage) now() time.Time { return began().Add(time.Duration(s.round) * interval) }

// next takes the next round.
func (s *stage) next() {
	snap := &model.Snapshot{Cluster: "c", Ended: s.now()}
	for _, g := range []string{"billing", "cache", "archive"} {
		if s.groups[g] != nil {
			snap.Groups = append(snap.Groups, s.groups[g])
		}
	}
	for _, name := range s.brokers {
		b := s.parts[name]
		part := b.last
		if b.age == 0 {
			part = b.part(name, s.now())
			share(part, b.last)
		}
		b.last = part
		snap.Parts = append(snap.Parts, model.PartOfRound{Part: part, Age: b.age, Missing: b.missing})
	}
	s.Add(snap)
	s.round++
}

func (b *brokerStage) part(name string, now time.Time) *model.Part {
	p := &model.Part{Broker: name, Taken: now, Others: b.others, Waits: b.waits}
	for _, topic := range b.order {
		t := b.topics[topic]
		if t == nil {
			continue
		}
		first := p.Ends.Len()
		p.Topics = append(p.Topics, model.Topic{Name: topic, First: int32(first), Queues: int32(len(t.ends))})
		p.TopicsTaken = append(p.TopicsTaken, stampOf(t.taken))
		p.Ends.Append(t.ends...)
		for q := range t.ends {
			begin := model.Unknown
			if q < len(t.begins) {
				begin = t.begins[q]
			}
			p.Begins.Append(begin)
		}
		for _, group := range []string{"billing", "cache", "archive"} {
			if c, ok := t.commits[group]; ok {
				p.Commits = append(p.Commits, model.Commits{Group: groupIn(p, group), Topic: int32(len(p.Topics) - 1), First: int32(p.Committed.Len())})
				p.Committed.Append(c...)
			}
		}
	}
	return p
}

// groupIn is the place of a group among a part's, where it is put if need be.
func groupIn(p *model.Part, name string) int32 {
	if i := slices.Index(p.Groups, name); i >= 0 {
		return int32(i)
	}
	p.Groups = append(p.Groups, name)
	return int32(len(p.Groups) - 1)
}

// share has a part share lists with the one before, as sources do.
func share(p, last *model.Part) {
	if last != nil && slices.Equal(p.Topics, last.Topics) {
		p.Topics = last.Topics
	}
	if last != nil && slices.Equal(p.Groups, last.Groups) {
		p.Groups = last.Groups
	}
	if last != nil && slices.Equal(p.Commits, last.Commits) {
		p.Commits = last.Commits
	}
}

// known says whether anything is known of a topic.
func (e Ends) known() bool { return e.part != nil }

// find says when a message was stored.
func find(e Ends, id int, offset int64) Span { return e.Find(id, offset) }

// samples are what is kept of a queue.
func (e Ends) samples(id int) queue {
	switch {
	case e.apart != nil && id < len(e.apart.queues):
		return e.apart.queues[id]
	case e.apart == nil && e.part != nil:
		return e.part.samples(&e.part.topics[e.place], id, nil)
	}
	return nil
}

// samples are what is kept of a queue of topic orders on broker a.
func (s *stage) samples(id int) queue {
	return s.EndsOf(model.TopicOnBroker{Topic: "orders", Broker: "a"}).samples(id)
}

// find is what is known of a message of topic orders on broker a, in seconds
// since the first round; a time that is not known is -1 s.
func (s *stage) find(queue int, offset int64) [3]time.Duration {
	span := find(s.EndsOf(model.TopicOnBroker{Topic: "orders", Broker: "a"}), queue, offset)
	return [3]time.Duration{span.From.duration(), span.At.duration(), span.To.duration()}
}

func (t Tick) duration() time.Duration {
	if t == NoTick {
		return -time.Second
	}
	return time.Duration(t) * Unit
}

func (s *stage) wantSpan(t *testing.T, what string, offset int64, from, at, to time.Duration) {
	t.Helper()
	if got, want := s.find(0, offset), [3]time.Duration{from, at, to}; got != want {
		t.Errorf("%s: message %d: %v, want %v", what, offset, got, want)
	}
}

// PairOf is how a group has got on with a topic; nil where it has no commits.
func (h *History) PairOf(topic, group string) *Pair {
	if number := h.pairs.find(pairKey{h.topics.find(topic), h.groups.find(group)}); number != nowhere {
		return h.pairs.at(number)
	}
	return nil
}

// stampOf is a time, or none.
func stampOf(t time.Time) model.Stamp {
	if t.IsZero() {
		return model.NoStamp
	}
	return model.StampOf(t)
}
