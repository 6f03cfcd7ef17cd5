package store

import (
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// TestProduced follows topic orders through rounds.
func TestProduced(t *testing.T) {
	set := func(broker string, ends ...int64) func(*stage) {
		return func(s *stage) {
			b := s.broker(broker)
			b.age, b.missing = 0, 0
			if ends == nil {
				delete(b.topics, "orders")
				b.order = nil
				return
			}
			b.topic("orders").ends = ends
		}
	}
	away := func(broker string) func(*stage) {
		return func(s *stage) {
			b := s.broker(broker)
			if b.age++; b.last == nil || b.age > 2 {
				b.last = &model.Part{Broker: broker}
			}
		}
	}
	other := func(broker string, taken int, ends ...int64) func(*stage) {
		return func(s *stage) {
			at := began().Add(time.Duration(taken)*interval - interval/2)
			s.broker(broker).others = []model.TopicStats{{Topic: "orders", Taken: at, Ends: ends}}
		}
	}
	whole := func(broker string) func(*stage) {
		return func(s *stage) { s.broker(broker).others = []model.TopicStats{} }
	}
	type round = []func(*stage)
	for _, c := range []struct {
		name   string
		rounds []round
		want   []int64 // -1: not known
	}{
		{"begins as the sum of the ends and grows with them",
			[]round{{set("a", 10, 20), set("b", 5)}, {set("a", 11, 22)}}, []int64{35, 38}},
		{"a topic that is made anew takes nothing away",
			[]round{{set("a", 100)}, {set("a", 7)}, {set("a", 9)}}, []int64{100, 100, 102}},
		{"a broker that is away counts on where it was",
			[]round{{set("a", 100), set("b", 40)}, {away("b"), set("a", 101)}, {away("b")}, {away("b")}, {away("b")}, {set("b", 47)}},
			[]int64{140, 141, 141, 141, 141, 148}},
		{"a broker that was down at the start adds only what comes then",
			[]round{{set("a", 100), away("b")}, {set("b", 5000)}, {set("b", 5002)}}, []int64{100, 100, 102}},
		{"an end that nobody told is none",
			[]round{{set("a", -1, 5)}, {set("a", 3, 6)}, {set("a", -1, 7)}, {set("a", 9, 8)}}, []int64{5, 6, 7, 14}},
		{"more queues begin at 0",
			[]round{{set("a", 100)}, {set("a", 101, 7)}}, []int64{100, 108}},
		{"a topic that comes new to a broker begins at 0",
			[]round{{set("a", 100), whole("a"), whole("b")}, {set("b", 40)}, {set("b", 41)}}, []int64{100, 140, 141}},
		{"where nobody tells all topics of a broker, one that comes may be old",
			[]round{{set("a", 100), set("b")}, {set("b", 40)}, {set("b", 41)}}, []int64{100, 100, 101}},
		{"nobody has told of its queues yet",
			[]round{{other("a", 0)}, {other("a", 0)}, {other("a", 1, 50)}, {other("a", 1, 50)}, {other("a", 3, 52)}}, []int64{-1, -1, 50, 50, 52}},
		{"that somebody begins to consume it changes nothing",
			[]round{{other("a", 0, 50)}, {whole("a"), set("a", 60)}, {set("a", 61)}}, []int64{50, 60, 61}},
		{"that nobody consumes it any more, with stats that are older, counts nothing twice",
			[]round{{set("a", 50), whole("a")}, {set("a", 60)}, {set("a"), other("a", 0, 55)}, {other("a", 2, 62)}}, []int64{50, 60, 60, 62}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			for i, r := range c.rounds {
				for _, change := range r {
					change(s)
				}
				s.next()
				got := int64(-1)
				if topic := s.TopicOf("orders"); topic.Known() {
					got = topic.Produced
				}
				if got != c.want[i] {
					t.Errorf("round %d: %d, want %d", i, got, c.want[i])
				}
			}
		})
	}
}

// TestRepeatedTopic: of a topic that stands in a part several times the first
// has the latest ends.
func TestRepeatedTopic(t *testing.T) {
	var h History
	for i := range int64(3) {
		h.Add(&model.Snapshot{Groups: []*model.Group{{Name: "g"}, {Name: "h"}}, Ended: began().Add(interval), Parts: []model.PartOfRound{{Part: &model.Part{
			Broker: "a", Taken: began(), Ends: model.OffsetsOf(100+10*i, 95+10*i), Begins: model.OffsetsOf(0, 0),
			Topics: []model.Topic{
				{Name: "orders", Queues: 1}, {Name: "orders", First: 1, Queues: 1},
			},
			TopicsTaken: []model.Stamp{stampOf(began().Add(interval * 2)), stampOf(began().Add(interval))},
			Groups:      []string{"g", "h"}, Commits: []model.Commits{{}, {Group: 1, Topic: 1, First: 1}}, Committed: model.OffsetsOf(100+10*i, 20),
		}}}})
		if h.Part(0).Ends(0) != h.Part(0).Ends(1) {
			t.Fatal("one topic has two histories")
		}
	}
	if got := h.TopicOf("orders").Produced; got != 100 {
		t.Errorf("produced %d: ends that were not read anew count", got)
	}
	if p := h.PairOf("orders", "h"); p.Consumed != 20 {
		t.Errorf("%+v", p)
	}
}
