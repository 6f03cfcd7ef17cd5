package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// TestLooks: whatever happens to topics, columns and lists together know what a
// list per queue would, and never what is wrong.
func TestLooks(t *testing.T) {
	for seed := range uint64(120) {
		w := newLookWorld(seed)
		for round := range 60 {
			w.next()
			if err := w.compare(); err != "" {
				t.Fatalf("seed %d, round %d: %s", seed, round, err)
			}
		}
	}
}

// lookWorld is one broker of which anything is told, beside what lists know.
type lookWorld struct {
	History

	rng    *rand.Rand
	now    time.Time
	topics map[string]*lookTopic
	part   *model.Part

	lists     map[string]*apart
	thinned   map[string]bool // queues of which both may have left out something else
	produced  map[string]*Topic
	lastWhole bool
	lastTaken Tick
}

// lookTopic is a topic as the broker has it.
type lookTopic struct {
	ends, commits []int64
	stored        [][]batch // by queue
	anew          bool      // it, or some queue of it, began anew: maybe nobody noticed
	taken         time.Time // of the ends that were told last
	told          []int64
}

// batch is messages that were stored between two times: those in front of end
// that are in no earlier one.
type batch struct {
	end      int64
	from, to time.Time
}

func newLookWorld(seed uint64) *lookWorld {
	return &lookWorld{
		rng: rand.New(rand.NewPCG(seed, 11)), now: began(), topics: make(map[string]*lookTopic),
		lists: make(map[string]*apart), thinned: make(map[string]bool), produced: make(map[string]*Topic),
	}
}

func (w *lookWorld) chance(percent int) bool { return w.rng.IntN(100) < percent }

// live lets the topics come, go, grow, shrink, be consumed and be made anew.
func (w *lookWorld) live() {
	before := w.now
	w.now = w.now.Add(time.Duration(1+w.rng.IntN(200)) * Unit)
	for i := range 4 {
		name := fmt.Sprintf("topic-%d", i)
		t := w.topics[name]
		switch {
		case t == nil && w.chance(20):
			t = &lookTopic{anew: w.lists[name] != nil}
			w.topics[name] = t
		case t == nil:
			continue
		case w.chance(4):
			delete(w.topics, name)
			continue
		case w.chance(3):
			clear(t.ends)
			clear(t.commits)
			clear(t.stored)
			t.anew = true
		}
		if n := 1 + w.rng.IntN(4); len(t.ends) == 0 || w.chance(5) {
			t.anew = t.anew || n < len(t.ends)
			t.ends, t.commits, t.stored = resized(t.ends, n), resized(t.commits, n), resized(t.stored, n)
		}
		for q := range t.ends {
			if w.chance(70) {
				t.ends[q] += w.rng.Int64N(50)
				t.stored[q] = append(t.stored[q], batch{t.ends[q], before, w.now})
			}
			if w.chance(60) {
				t.commits[q] = min(t.ends[q], t.commits[q]+w.rng.Int64N(60))
			}
		}
	}
}

func resized[T any](list []T, n int) []T {
	return append(slices.Clone(list[:min(len(list), n)]), make([]T, max(0, n-len(list)))...)
}

// next takes a round of what may be told of them.
func (w *lookWorld) next() {
	w.live()
	in := model.PartOfRound{Part: w.part, Age: 1}
	if w.part == nil || !w.chance(10) {
		in = w.tell()
	}
	w.part = in.Part
	w.Add(&model.Snapshot{Ended: w.now, Groups: []*model.Group{{Name: "g"}}, Parts: []model.PartOfRound{in}})
	w.note(&in)
}

func (w *lookWorld) tell() model.PartOfRound {
	p := &model.Part{Broker: "a", Taken: w.now}
	in := model.PartOfRound{Part: p}
	if w.chance(80) {
		p.Others = []model.TopicStats{}
	}
	for i := range w.rng.Perm(4) {
		name := fmt.Sprintf("topic-%d", i)
		t := w.topics[name]
		switch {
		case t == nil:
		case w.chance(6):
			in.Missing++
		case w.chance(8) && p.Others != nil:
			t.taken, t.told = w.now, slices.Clone(t.ends)
			p.Others = append(p.Others, model.TopicStats{Topic: name, Taken: w.now, Ends: t.told})
		case w.chance(8) && t.told != nil:
			w.add(p, name, t, t.taken)
			in.Missing++
		default:
			t.taken, t.told = w.now, slices.Clone(t.ends)
			for q := range t.told {
				if w.chance(4) {
					t.told[q] = model.Unknown
				}
			}
			w.add(p, name, t, time.Time{})
		}
	}
	return in
}

func (w *lookWorld) add(p *model.Part, name string, t *lookTopic, taken time.Time) {
	p.Topics = append(p.Topics, model.Topic{Name: name, First: int32(p.Ends.Len()), Queues: int32(len(t.told))})
	p.TopicsTaken = append(p.TopicsTaken, stampOf(taken))
	p.Groups = []string{"g"}
	p.Commits = append(p.Commits, model.Commits{Topic: int32(len(p.Topics) - 1), First: int32(p.Committed.Len())})
	p.Ends.Append(t.told...)
	p.Begins.Append(make([]int64, len(t.told))...)
	p.Committed.Append(resized(t.commits, len(t.told))...)
}

// note notes the same in lists.
func (w *lookWorld) note(in *model.PartOfRound) {
	met := make(map[string]bool)
	list := func(name string) *apart {
		a := w.lists[name]
		if a == nil {
			a = &apart{taken: NoTick}
			if w.lastWhole {
				a.taken, a.young = w.lastTaken, true
			}
			w.lists[name] = a
		}
		if w.produced[name] == nil {
			w.produced[name] = &Topic{}
		}
		a.topic, a.slowest, met[name] = w.produced[name], nil, true
		return a
	}
	if in.Age == 0 {
		for i := range in.Topics {
			topic := &in.Topics[i]
			a, ends := list(topic.Name), in.Ends.AppendTo(nil, int(topic.First), int(topic.Queues))
			for q := range ends {
				a.need(q, in.Committed.At(int(in.Commits[i].First)+q), 0)
			}
			w.takeApart(a, w.Tick(in.TakenAt(i)), ends, in.Begins.AppendTo(nil, int(topic.First), int(topic.Queues)))
		}
		for _, o := range in.Others {
			w.takeApart(list(o.Topic), w.Tick(o.Taken), o.Ends, o.Begins)
		}
	}
	gone := in.Age == 0 && in.Missing == 0
	for name := range w.lists {
		if !met[name] && gone {
			delete(w.lists, name)
			delete(w.produced, name)
		}
	}
	w.lastWhole, w.lastTaken = gone && in.Others != nil, w.Tick(in.Taken)
}

// compare asks both the same.
func (w *lookWorld) compare() string {
	for i := range 4 {
		name := fmt.Sprintf("topic-%d", i)
		list, ends := w.lists[name], w.EndsOf(model.TopicOnBroker{Topic: name, Broker: "a"})
		if list == nil {
			if ends.known() {
				return name + " is still known"
			}
			continue
		}
		if got, want := w.TopicOf(name).Produced, w.produced[name].Produced; got != want {
			return fmt.Sprintf("%s: produced %d, want %d", name, got, want)
		}
		for id, q := range list.queues {
			last := max(q.last(), 0)
			reader := last
			if id < len(list.slowest) {
				reader = min(list.slowest[id], last)
			}
			own := ends.samples(id)
			key := fmt.Sprint(name, id)
			if len(q) >= maxSamples {
				w.thinned[key] = true
			} else if len(q) <= 2 && len(own) <= 3 {
				delete(w.thinned, key)
			}
			for range 20 {
				offset := reader + w.rng.Int64N(last-reader+3)
				got, want := find(ends, id, offset), q.find(offset)
				if want.From == NoTick && got.To <= want.To {
					got.To = want.To // a list takes the last of two looks at the same end, when it was there at the first
				}
				switch {
				case !w.thinned[key] && got != want:
					return fmt.Sprintf("%s, queue %d, message %d: %+v, want %+v\n got %v\nwant %v", name, id, offset, got, want, own, q)
				case !w.isTrue(name, id, offset, got):
					return fmt.Sprintf("%s, queue %d, message %d: %+v is not true\n got %v\nstored %v", name, id, offset, got, own, w.topics[name].stored[id])
				}
			}
		}
	}
	return ""
}

// isTrue says whether a message may have been stored when it is said to.
func (w *lookWorld) isTrue(name string, id int, offset int64, span Span) bool {
	t := w.topics[name]
	if t == nil || t.anew || id >= len(t.ends) || len(t.told) != len(t.ends) || id >= len(t.told) || t.told[id] > t.ends[id] || offset >= t.told[id] {
		return true // it is not there any more, or nobody was told
	}
	for _, b := range t.stored[id] {
		if offset < b.end {
			return (span.From == NoTick || !b.to.Before(w.epoch.Add(time.Duration(span.From)*Unit))) &&
				(span.To == NoTick || !b.from.After(w.epoch.Add(time.Duration(span.To)*Unit)))
		}
	}
	return true
}
