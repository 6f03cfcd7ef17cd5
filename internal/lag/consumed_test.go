package lag

import (
	"testing"

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
			var consumed Consumed
			for i, p := range c.rounds {
				s := &model.Snapshot{Groups: []*model.Group{{Name: "billing"}}}
				for _, broker := range []string{"a", "b"} {
					if commits, ok := p[broker]; ok {
						s.Parts = append(s.Parts, partOf(broker, commits))
					}
				}
				r := Build(s)
				consumed.Count(r)
				got := int64(0)
				if len(r.Pairs) > 0 {
					got = r.Pairs[0].Consumed
				}
				if got != c.want[i] {
					t.Errorf("round %d: %d, want %d", i, got, c.want[i])
				}
			}
		})
	}
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
	p.Topics = []model.Topic{{Name: "orders", Queues: len(commits)}}
	p.Commits = []model.Commits{{Group: "billing"}}
	p.Committed = commits
	for range commits {
		p.Ends, p.Begins = append(p.Ends, 9999), append(p.Begins, 1)
	}
	return p
}

// TestConsumedStaleIsNothingNew: a part that stands in for a broker that cannot
// be read is the same one again.
func TestConsumedStaleIsNothingNew(t *testing.T) {
	var consumed Consumed
	fresh := partOf("a", []int64{100})
	for age, want := range []int64{100, 100, 100} {
		p := fresh
		p.Age = age
		r := Build(&model.Snapshot{Groups: []*model.Group{{Name: "billing"}}, Parts: []model.PartOfRound{p}})
		if consumed.Count(r); r.Pairs[0].Consumed != want {
			t.Errorf("age %d: %d, want %d", age, r.Pairs[0].Consumed, want)
		}
	}
}

// TestConsumedBroadcasting: each process counts, whichever place it has in the
// group, and one that joins brings nothing.
func TestConsumedBroadcasting(t *testing.T) {
	var consumed Consumed
	on := model.TopicOnBroker{Topic: "notices", Broker: "a"}
	round := func(want int64, commits map[string]int64, order ...string) {
		t.Helper()
		g := &model.Group{Name: "cache", Model: model.Broadcasting, Known: true}
		for i, id := range order {
			g.Clients = append(g.Clients, model.Client{ID: id, IP: id})
			g.Local = append(g.Local, model.LocalCommits{TopicOnBroker: on, Client: i, Committed: []int64{commits[id]}, Ends: []int64{1000}})
		}
		r := Build(&model.Snapshot{Groups: []*model.Group{g}})
		if consumed.Count(r); r.Pairs[0].Consumed != want {
			t.Errorf("%v: %d, want %d", commits, r.Pairs[0].Consumed, want)
		}
	}
	round(30, map[string]int64{"x": 10, "y": 20}, "x", "y")
	round(33, map[string]int64{"x": 11, "y": 22}, "y", "x")
	round(34, map[string]int64{"w": 500, "x": 11, "y": 23}, "w", "x", "y")
	round(36, map[string]int64{"w": 502, "y": 23}, "w", "y")
}

// TestConsumedFindsMovedCommits: commits need not stand where they stood.
func TestConsumedFindsMovedCommits(t *testing.T) {
	var consumed Consumed
	part := func(first, second string, commits ...int64) model.PartOfRound {
		return model.PartOfRound{Part: &model.Part{
			Broker: "a", Topics: []model.Topic{{Name: first, Queues: 1}, {Name: second, First: 1, Queues: 1}},
			Commits:   []model.Commits{{Group: "billing"}, {Group: "billing", Topic: 1, First: 1}},
			Committed: commits, Ends: []int64{99, 99}, Begins: []int64{1, 1},
		}}
	}
	groups := []*model.Group{{Name: "billing"}}
	consumed.Count(Build(&model.Snapshot{Groups: groups, Parts: []model.PartOfRound{part("orders", "payments", 10, 20)}}))
	r := Build(&model.Snapshot{Groups: groups, Parts: []model.PartOfRound{part("payments", "orders", 23, 11)}})
	consumed.Count(r)
	if orders, payments := r.Pairs[0].Consumed, r.Pairs[1].Consumed; orders != 11 || payments != 23 {
		t.Errorf("orders %d, payments %d; want 11, 23", orders, payments)
	}
}
