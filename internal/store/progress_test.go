package store

import (
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// TestConsumed follows one pair, topic orders of group billing, through rounds.
func TestConsumed(t *testing.T) {
	type part = map[string][]int64 // commits by broker; nil: nothing is known of it
	for _, c := range []struct {
		name   string
		rounds []part
		want   []int64
	}{
		{"begins as the sum of the commits and grows with them",
			[]part{{"a": {10, 20}, "b": {5}}, {"a": {11, 22}, "b": {5}}}, []int64{35, 38}},
		{"a commit that goes back consumes nothing, and what follows counts again",
			[]part{{"a": {100, 50}}, {"a": {10, 50}}, {"a": {15, 51}}}, []int64{150, 150, 156}},
		{"a first commit at whatever offset is no consumption",
			[]part{{"a": {100, -1}}, {"a": {101, 5000}}, {"a": {101, 5003}}}, []int64{100, 101, 104}},
		{"a broker that is away counts on where it was",
			[]part{{"a": {100}, "b": {40}}, {"a": {101}, "b": nil}, {"a": {102}, "b": nil}, {"a": {103}, "b": {47}}},
			[]int64{140, 141, 142, 150}},
		{"a broker that was down at the start adds nothing but what it consumes",
			[]part{{"a": {100}, "b": nil}, {"a": {101}, "b": {5000}}, {"a": {101}, "b": {5002}}}, []int64{100, 101, 103}},
		{"more queues",
			[]part{{"a": {100}}, {"a": {101, 7}}, {"a": {101, 9}}}, []int64{100, 101, 103}},
		{"fewer queues",
			[]part{{"a": {100, 50}}, {"a": {101}}, {"a": {102}}}, []int64{150, 151, 152}},
		{"a pair that was gone begins anew",
			[]part{{"a": {100}}, {"a": {}}, {"a": {120}}}, []int64{100, 0, 120}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h History
			for i, p := range c.rounds {
				s := &model.Snapshot{Groups: []*model.Group{{Name: "billing"}}}
				for _, broker := range []string{"a", "b"} {
					if commits, ok := p[broker]; ok {
						s.Parts = append(s.Parts, partOf(broker, commits))
					}
				}
				h.Add(s)
				if got := consumed(&h); got != c.want[i] {
					t.Errorf("round %d: %d, want %d", i, got, c.want[i])
				}
			}
		})
	}
}

func consumed(h *History) int64 {
	if p := h.PairOf("orders", "billing"); p != nil {
		return p.Consumed
	}
	return 0
}

// partOf is a broker's part with one pair; nil commits are a part that is lost.
func partOf(broker string, commits []int64) model.PartOfRound {
	p := model.PartOfRound{Part: &model.Part{Broker: broker}}
	if commits == nil {
		p.Age = 9
	}
	if len(commits) == 0 {
		return p
	}
	p.Topics = []model.Topic{{Name: "orders", Queues: int32(len(commits))}}
	p.Groups, p.Commits = []string{"billing"}, []model.Commits{{}}
	p.Committed = model.OffsetsOf(commits...)
	for range commits {
		p.Ends.Append(9999)
		p.Begins.Append(1)
	}
	return p
}

// TestConsumedStaleIsNothingNew: a part that stands in for a broker that cannot
// be read is the same one again.
func TestConsumedStaleIsNothingNew(t *testing.T) {
	var h History
	fresh := partOf("a", []int64{100})
	for age, want := range []int64{100, 100, 100} {
		p := fresh
		p.Age = age
		h.Add(&model.Snapshot{Groups: []*model.Group{{Name: "billing"}}, Parts: []model.PartOfRound{p}})
		if got := consumed(&h); got != want {
			t.Errorf("age %d: %d, want %d", age, got, want)
		}
	}
}

// TestConsumedBroadcasting: each process counts, whichever place it has in the
// group, and one that joins brings nothing.
func TestConsumedBroadcasting(t *testing.T) {
	var h History
	on := model.TopicOnBroker{Topic: "notices", Broker: "a"}
	round := func(want int64, commits map[string]int64, order ...string) {
		t.Helper()
		g := &model.Group{Name: "cache", Model: model.Broadcasting, Known: true}
		for i, id := range order {
			g.Clients = append(g.Clients, model.Client{ID: id, IP: id})
			g.Local = append(g.Local, model.LocalCommits{TopicOnBroker: on, Client: i, Committed: []int64{commits[id]}, Ends: []int64{1000}})
		}
		h.Add(&model.Snapshot{Groups: []*model.Group{g}})
		if got := h.PairOf("notices", "cache").Consumed; got != want {
			t.Errorf("%v: %d, want %d", commits, got, want)
		}
	}
	round(30, map[string]int64{"x": 10, "y": 20}, "x", "y")
	round(33, map[string]int64{"x": 11, "y": 22}, "y", "x")
	round(34, map[string]int64{"w": 500, "x": 11, "y": 23}, "w", "x", "y")
	round(36, map[string]int64{"w": 502, "y": 23}, "w", "y")
}

// TestFindsMovedCommits: commits need not stand where they stood.
func TestFindsMovedCommits(t *testing.T) {
	var h History
	part := func(first, second string, commits ...int64) model.PartOfRound {
		return model.PartOfRound{Part: &model.Part{
			Broker: "a", Topics: []model.Topic{{Name: first, Queues: 1}, {Name: second, First: 1, Queues: 1}},
			Groups:    []string{"billing"},
			Commits:   []model.Commits{{}, {Topic: 1, First: 1}},
			Committed: model.OffsetsOf(commits...), Ends: model.OffsetsOf(99, 99), Begins: model.OffsetsOf(1, 1),
		}}
	}
	groups := []*model.Group{{Name: "billing"}}
	h.Add(&model.Snapshot{Groups: groups, Parts: []model.PartOfRound{part("orders", "payments", 10, 20)}})
	h.Add(&model.Snapshot{Groups: groups, Parts: []model.PartOfRound{part("payments", "orders", 23, 11)}})
	orders, payments := h.PairOf("orders", "billing").Consumed, h.PairOf("payments", "billing").Consumed
	if orders != 11 || payments != 23 {
		t.Errorf("orders %d, payments %d; want 11, 23", orders, payments)
	}
}

// TestOtherGroupsInTheSamePlaces: entries of commits that are the same list are of
// other groups where the list of groups is another one.
func TestOtherGroupsInTheSamePlaces(t *testing.T) {
	var h History
	groups := []*model.Group{{Name: "archive"}, {Name: "billing"}, {Name: "cache"}}
	last := partOf("a", []int64{10})
	h.Add(&model.Snapshot{Groups: groups, Parts: []model.PartOfRound{last}})
	for _, step := range []struct {
		groups           []string
		commit           int64
		billing, archive int64
	}{{[]string{"billing"}, 12, 12, 0}, {[]string{"archive"}, 500, 0, 500}, {[]string{"archive"}, 501, 0, 501}, {[]string{"billing"}, 20, 20, 0}} {
		next := partOf("a", []int64{step.commit})
		next.Topics, next.Commits, next.Groups = last.Topics, last.Commits, step.groups
		h.Add(&model.Snapshot{Groups: groups, Parts: []model.PartOfRound{next}})
		var archive int64
		if p := h.PairOf("orders", "archive"); p != nil {
			archive = p.Consumed
		}
		if consumed(&h) != step.billing || archive != step.archive {
			t.Errorf("%v at %d: billing %d, archive %d; want %d, %d", step.groups, step.commit, consumed(&h), archive, step.billing, step.archive)
		}
	}
}

// TestMoved: since when the messages of a queue wait.
func TestMoved(t *testing.T) {
	type round struct {
		end, commit int64
		wait        time.Duration // how long they have
	}
	for _, c := range []struct {
		name   string
		rounds []round
	}{
		{"stands from the first look on", []round{{100, 5, 0}, {100, 5, interval}, {200, 5, 2 * interval}}},
		{"moves", []round{{100, 5, 0}, {100, 5, interval}, {100, 6, 0}, {100, 6, interval}}},
		{"nothing waits", []round{{5, 5, 0}, {5, 5, 0}, {5, 5, 0}, {9, 5, interval}, {9, 5, 2 * interval}}},
		{"ahead of the end", []round{{5, 9, 0}, {5, 9, 0}}},
		{"an end that nobody told", []round{{100, 5, 0}, {-1, 5, interval}, {100, 5, 2 * interval}}},
		{"never committed", []round{{0, -1, 0}, {0, -1, 0}, {3, -1, interval}, {3, -1, 2 * interval}, {3, 3, 0}}},
		{"goes back", []round{{100, 50, 0}, {100, 50, interval}, {100, 20, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			for i, r := range c.rounds {
				s.set([]int64{r.end}, []int64{r.commit})
				s.next()
				now := s.Tick(began().Add(time.Duration(i) * interval))
				if got := (now - s.Part(0).Moved(0, 1)[0]).duration(); got != r.wait {
					t.Errorf("round %d: %v, want %v", i, got, r.wait)
				}
			}
		})
	}
}

// TestMovedWhileAway: nobody knows what commits did while their broker was away
// for long.
func TestMovedWhileAway(t *testing.T) {
	s := newStage()
	s.set([]int64{100}, []int64{5})
	s.next()
	whole := s.parts["a"].last
	for range 2 {
		s.parts["a"].age++
		s.next()
	}
	s.parts["a"].last = &model.Part{Broker: "a"}
	s.next()
	s.parts["a"].age, s.parts["a"].last = 0, whole
	s.next()
	if got, want := s.Part(0).Moved(0, 1)[0].duration(), 4*interval; got != want {
		t.Errorf("moved %v after the first look, want %v", got, want)
	}
	if p := s.PairOf("orders", "billing"); p.Consumed != 5 || p.Moved != NoTick {
		t.Errorf("%+v", p)
	}
}

// TestBack: when commits went back, and when they were where they had been.
func TestBack(t *testing.T) {
	s := newStage()
	step := func(commits []int64, back, returned time.Duration) {
		t.Helper()
		s.set([]int64{1000, 1000}, commits)
		s.next()
		p := s.PairOf("orders", "billing")
		if p.Back.duration() != back || p.Returned.duration() != returned {
			t.Errorf("round %d: back %v, returned %v; want %v, %v", s.round-1, p.Back.duration(), p.Returned.duration(), back, returned)
		}
	}
	step([]int64{500, 500}, none, none)
	step([]int64{510, 500}, none, none)
	step([]int64{400, 500}, 2*interval, none)
	step([]int64{450, 900}, 2*interval, none) // that the other one runs ahead does not count
	step([]int64{450, 890}, 4*interval, none)
	step([]int64{510, 890}, 4*interval, none)
	step([]int64{510, 900}, 4*interval, 6*interval)
	step([]int64{600, 900}, 4*interval, 6*interval)
	step([]int64{599, 900}, 8*interval, none)
	for range int(backTime.duration()/interval) - 1 {
		step([]int64{20, 900}, 9*interval, none)
	}
	step([]int64{20, 900}, 9*interval, 8*interval+backTime.duration())
}

// TestBackIsBounded: of many queues that go back some are remembered.
func TestBackIsBounded(t *testing.T) {
	s := newStage()
	for _, at := range []int64{500, 100, 200} {
		list := slices.Repeat([]int64{at}, 100)
		s.set(slices.Repeat([]int64{1000}, 100), list)
		s.next()
	}
	p := s.PairOf("orders", "billing")
	if len(p.back) != maxBack || p.Back.duration() != interval || p.Returned != NoTick {
		t.Errorf("%d of 100 queues: %+v", len(p.back), p)
	}
	s.set(slices.Repeat([]int64{1000}, 100), slices.Repeat([]int64{500}, 100))
	if s.next(); len(p.back) != 0 || p.Returned.duration() != 3*interval {
		t.Errorf("%+v", p)
	}
}

// TestMembers: since when somebody is online.
func TestMembers(t *testing.T) {
	s := newStage()
	g := s.groups["billing"]
	step := func(change func(), online, known bool, since time.Duration) {
		t.Helper()
		change()
		s.next()
		m := s.MembersOf("billing")
		if m.Online != online || m.Known != known || m.Since.duration() != since {
			t.Errorf("round %d: %+v, want online %t, known %t, since %v", s.round-1, m, online, known, since)
		}
	}
	step(func() {}, false, true, 0)
	step(func() {}, false, true, 0)
	step(func() { g.Clients = make([]model.Client, 2) }, true, true, 2*interval)
	step(func() { g.Clients = make([]model.Client, 1) }, true, true, 2*interval)
	step(func() { g.Known = false }, false, false, 4*interval)
	step(func() { g.Known = true }, true, true, 5*interval)
	delete(s.groups, "billing")
	if s.next(); s.MembersOf("billing") != nil {
		t.Error("a deleted group is still known")
	}
}

// TestLocal: the processes of a broadcasting group, on a topic that is not among
// those of the broker.
func TestLocal(t *testing.T) {
	s := newStage()
	on := model.TopicOnBroker{Topic: "notices", Broker: "a"}
	s.broker("a")
	g := &model.Group{Name: "cache", Model: model.Broadcasting, Known: true, Clients: []model.Client{{ID: "x"}, {ID: "y"}}}
	s.groups["cache"] = g
	step := func(end, x, y int64, waitX, waitY time.Duration) {
		t.Helper()
		at := s.now()
		g.Local = nil
		for i, commit := range []int64{x, y} {
			g.Local = append(g.Local, model.LocalCommits{TopicOnBroker: on, Taken: at, Client: i, Committed: []int64{commit}, Ends: []int64{end}})
		}
		s.next()
		for i, want := range []time.Duration{waitX, waitY} {
			if got := (s.Tick(at) - s.LocalOf("cache")[i].Moved(0)).duration(); got != want {
				t.Errorf("round %d: process %d waits for %v, want %v", s.round-1, i, got, want)
			}
		}
	}
	step(100, 100, 90, 0, 0)
	step(200, 200, 90, 0, interval)
	step(300, 200, 95, interval, 0)
	span := find(s.EndsOf(on), 0, 200)
	if want := (Span{s.Tick(began().Add(interval)), s.Tick(began().Add(2 * interval)), s.Tick(began().Add(interval))}); span != want {
		t.Errorf("message 200: %+v, want %+v", span, want)
	}
	if got := s.TopicOf("notices").Produced; got != 300 {
		t.Errorf("produced %d, want 300", got)
	}
	delete(s.groups, "cache")
	if s.next(); s.EndsOf(on).known() || len(s.local) != 0 {
		t.Error("what nobody tells of any more is still known")
	}
}
