package sourcetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// slowStories are about what a source may ask behind its rounds: it is told a
// while later.
func slowStories() []story {
	still := func(slaves int) fakemq.Options {
		return fakemq.Options{
			Clock: fakemq.NewManualClock(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)),
			Clusters: []fakemq.ClusterOptions{{
				Brokers: []string{"broker-a", "broker-b"}, Slaves: slaves, Skew: time.Hour,
			}},
		}
	}
	return []story{
		{name: "every queue of every topic", options: twoBrokers(), play: everyQueue},
		{name: "every queue, of the system too", options: twoBrokers(), selection: source.Selection{System: true}, play: everyQueue},
		{name: "how old is what was there before", options: still(0), play: oldBacklog},
		{name: "what brokers tell of themselves", options: still(1), play: runtimes},
		{name: "POP", options: twoBrokers(), play: pop},
	}
}

// Await reads rounds, in which nothing may fail, until one leads to what is
// wanted; wrong says what is not so yet.
func (s *Stage) Await(step string, wrong func(source.Round) []string) source.Round {
	s.tb.Helper()
	for end := time.Now().Add(time.Minute); ; {
		r := s.Collect()
		for _, f := range r.Failures {
			s.tb.Errorf("%s: failure: %+v", step, f)
		}
		list := wrong(r)
		if len(list) == 0 {
			return r
		}
		if s.tb.Failed() || time.Now().After(end) {
			slices.Sort(list)
			s.tb.Fatalf("%s: %d things are wrong:\n%s", step, len(list), strings.Join(list[:min(12, len(list))], "\n"))
		}
	}
}

// queueLabels name one queue.
type queueLabels struct {
	cluster, topic, broker string
	queue                  int
}

// span is where a queue begins and ends, and when its topic's newest message on
// the broker was stored.
type span struct{ begin, end, stored int64 }

// spans are those of all queues in a round, of a topic that stands there with
// several ends the latest.
func spans(r source.Round) map[queueLabels]span {
	all := map[queueLabels]span{}
	for _, snap := range r.Snapshots {
		for _, p := range snap.Parts {
			for i := range p.Topics {
				t := &p.Topics[i]
				for q := range int(t.Queues) {
					key, at := queueLabels{snap.Cluster, t.Name, p.Broker, q}, int(t.First)+q
					if _, ok := all[key]; !ok && p.Stored != nil {
						all[key] = span{p.Begins.At(at), p.Ends.At(at), p.Stored[i]}
					}
				}
			}
			for _, o := range p.Others {
				for q := range o.Ends {
					all[queueLabels{snap.Cluster, o.Topic, p.Broker, q}] = span{o.Begins[q], o.Ends[q], o.Stored}
				}
			}
		}
	}
	return all
}

// Newest is when the newest message of each topic on each broker was stored.
func Newest(mq *fakemq.Cluster) map[model.TopicOnBroker]int64 {
	newest := make(map[model.TopicOnBroker]int64)
	for _, q := range mq.Queues() {
		on := model.TopicOnBroker{Topic: q.Topic, Broker: q.Broker}
		if at, ok := newest[on]; !ok || at < q.Newest {
			newest[on] = q.Newest
		}
	}
	return newest
}

// wrongSpans compares a round with the truth of all queues that are wanted.
func (s *Stage) wrongSpans(r source.Round) []string {
	var wrong []string
	got, newest := spans(r), Newest(s.MQ)
	for _, q := range s.MQ.Queues() {
		if !s.wanted(fakemq.Row{Cluster: q.Cluster, Topic: q.Topic, Broker: q.Broker}) {
			continue
		}
		key := queueLabels{q.Cluster, q.Topic, q.Broker, q.Queue}
		if is, want := got[key], (span{q.Begin, q.End, newest[model.TopicOnBroker{Topic: q.Topic, Broker: q.Broker}]}); is != want {
			wrong = append(wrong, fmt.Sprintf("%v: %v, want %v", key, is, want))
		}
		delete(got, key)
	}
	for key := range maps.Keys(got) {
		wrong = append(wrong, fmt.Sprintf("%v: there is no such queue", key))
	}
	return wrong
}

func everyQueue(s *Stage) {
	s.Shop()

	s.Produce("notices", 30)
	s.Topic("unread", 3)
	s.Topic("empty", 1, "broker-b")
	s.Produce("unread", 60)
	s.Must(s.MQ.DeadLetter("billing", "broker-a", 5))
	s.Must(s.MQ.Expire("orders", "broker-a", 0, 7))
	s.Must(s.MQ.Expire("unread", "broker-b", 1, 10)) // all of it
	s.Await("all is known", s.wrongSpans)
	s.Produce("unread", 7)
	s.Produce("orders", 70)
	s.Must(s.MQ.DeadLetter("billing", "broker-b", 1))
	s.Must(s.MQ.Expire("orders", "broker-a", 0, 20))
	s.Await("more came and went", s.wrongSpans)
	s.Must(s.MQ.DeleteTopic("unread"))
	s.Must(s.MQ.DeleteTopic("audit"))
	r := s.Collect()
	for key := range spans(r) {
		if key.topic == "unread" || key.topic == "audit" {
			s.tb.Errorf("deleted, and not gone at once: %v", key)
		}
	}
	s.Topic("audit", 3)
	s.Produce("audit", 4)
	s.Await("one was made anew", s.wrongSpans)
}

// wrongAges compares what is told of the age of a backlog that was there before
// the source, whose clock of the fake stands still.
func (s *Stage) wrongAges(r source.Round) []string {
	type key struct {
		topic, group, broker string
		queue                int
	}
	ages, consumed := map[key][2]int64{}, map[key]int64{}
	for _, snap := range r.Snapshots {
		for _, p := range snap.Parts {
			for _, w := range p.Waits {
				for q := range w.Ages {
					ages[key{w.Topic, w.Group, p.Broker, q}] = [2]int64{w.Committed[q], w.Ages[q]}
				}
			}
			for _, c := range p.Commits {
				t := &p.Topics[c.Topic]
				for q := range int(t.Queues) {
					if p.ConsumedAt != nil {
						consumed[key{t.Name, p.GroupOf(&c), p.Broker, q}] = p.ConsumedAt[int(c.First)+q]
					}
				}
			}
		}
	}
	if !s.able.Ages && len(ages) > 0 {
		return []string{"ages are told by a source that cannot know them"}
	}
	var wrong []string
	for _, row := range s.MQ.Backlog() {
		k := key{row.Topic, row.Group, row.Broker, row.Queue}
		// The brokers' clock is an hour ahead, which is in no age.
		now := s.MQ.Now().Add(time.Hour).UnixMilli()
		switch {
		case row.Backlog == 0 || row.Uncommitted && row.Begin > 0:
		case s.able.Ages:
			want := [2]int64{max(row.Committed, row.Begin), now - row.Next}
			if got, ok := ages[k]; !ok || got != want {
				wrong = append(wrong, fmt.Sprintf("%v: age %v (there: %t), want %v", k, got, ok, want))
			}
		default:
			if got, ok := consumed[k]; !ok || got != row.Consumed {
				wrong = append(wrong, fmt.Sprintf("%v: consumed what was stored at %d (there: %t), want %d", k, got, ok, row.Consumed))
			}
		}
	}
	return wrong
}

func oldBacklog(s *Stage) {
	clock := s.MQ.Clock().(*fakemq.ManualClock) //nolint:forcetypeassert // the story's own
	s.Topic("orders", 4)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 1)
	s.Group(fakemq.Group{Name: "gone", Topics: []string{"orders"}}, 0)
	for range 20 {
		s.Produce("orders", 16)
		clock.Advance(time.Second)
	}
	s.Consume("billing", "orders", 65)
	for q := range 4 {
		s.Must(s.MQ.Commit("gone", "orders", "broker-a", q, int64(7*q+3)))
	}
	s.Must(s.MQ.Expire("orders", "broker-a", 0, 9)) // beyond both groups' commits
	s.Await("at the start", s.wrongAges)
	clock.Advance(time.Minute)
	s.Consume("billing", "orders", 12)
	s.Must(s.MQ.Expire("orders", "broker-a", 0, 16))
	s.Await("a group went on, and messages were lost", s.wrongAges)
}

// value is what a process told under a key; -1 where it did not.
func value(r source.Round, broker string, id int64, key model.RuntimeKey) float64 {
	for _, snap := range r.Snapshots {
		for _, b := range snap.Brokers {
			if b.Name != broker || b.ID != id || b.Runtime == nil {
				continue
			}
			if v, ok := b.Runtime.Values[key]; ok {
				return v
			}
		}
	}
	return -1
}

func runtimes(s *Stage) {
	s.Shop()
	s.Must(s.MQ.Delay("broker-b", 3, 7, 9))
	s.MQ.Broker("broker-a").SetRuntime("putLatency99", "12.50")
	s.MQ.Broker("broker-a").SetRuntime("sendThreadPoolQueueHeadWaitTimeMills", "150")
	s.MQ.BrokerID("broker-b", 1).SetRuntime("commitLogDiskRatio", "0.81")
	s.MQ.BrokerID("broker-b", 1).FallBehind(512)
	s.MQ.BrokerID("broker-a", 1).HideRuntime("commitLogDiskRatio")
	r := s.Await("all is told", func(r source.Round) []string {
		var wrong []string
		for _, c := range []struct {
			broker string
			id     int64
			key    model.RuntimeKey
			want   float64
		}{
			{"broker-a", 0, model.RuntimePutLatency99, 0.0125},
			{"broker-a", 0, model.RuntimeCommitLogDisk, 0.25},
			{"broker-a", 1, model.RuntimeCommitLogDisk, -1},
			{"broker-b", 1, model.RuntimeCommitLogDisk, 0.81},
			{"broker-a", 1, model.RuntimeSlaveBehind, 0},
			{"broker-b", 1, model.RuntimeSlaveBehind, 512},
			{"broker-b", 0, model.RuntimeSlaveBehind, -1},
		} {
			if got := value(r, c.broker, c.id, c.key); got != c.want {
				wrong = append(wrong, fmt.Sprintf("%s/%d, key %d: %v, want %v", c.broker, c.id, c.key, got, c.want))
			}
		}
		return wrong
	})
	for _, snap := range r.Snapshots {
		for _, b := range snap.Brokers {
			if want := s.MQ.Now().Add(time.Hour); !b.Runtime.Clock.Equal(want) {
				s.tb.Errorf("%s/%d: its clock shows %v, want %v", b.Name, b.ID, b.Runtime.Clock, want)
			}
			delays := 0
			if b.Name == "broker-b" {
				delays = 1
			}
			if len(b.Runtime.Delays) != delays {
				s.tb.Errorf("%s/%d: delay levels %v", b.Name, b.ID, b.Runtime.Delays)
			}
			if wait := b.Runtime.Pools[0].HeadWait; (wait == 150) != (b.Name == "broker-a" && b.ID == 0) {
				s.tb.Errorf("%s/%d: pools %v", b.Name, b.ID, b.Runtime.Pools)
			}
		}
	}
}

func pop(s *Stage) {
	s.Shop()
	ids := s.MQ.ClientIDs("billing")
	if err := s.MQ.SetPop("billing", "orders", true); err != nil {
		return // brokers of 4.x do not know it
	}
	s.Consumer("billing", fakemq.Consumer{Language: "GO"}) // which cannot tell
	s.Produce("orders", 100)
	s.Consume("billing", "orders", 60)
	wrong := func(r source.Round) []string {
		g := s.GroupOf(r, "billing")
		if !s.able.Pop {
			if len(g.Pop)+len(g.InFlight) > 0 {
				return []string{"told by a source that cannot know it"}
			}
			return nil
		}
		got := map[string]int64{}
		for _, f := range g.InFlight {
			got[g.Clients[f.Client].ID+" "+f.Topic] += f.Messages
		}
		want := map[string]int64{}
		for _, f := range s.MQ.InFlight() {
			if slices.Contains(ids, f.ClientID) {
				want[f.ClientID+" "+f.Topic] = f.Messages
			}
		}
		if _, ok := g.Pop["orders"]; !ok || !maps.Equal(got, want) {
			return []string{fmt.Sprintf("POPs %v, in flight %v, want %v", g.Pop, got, want)}
		}
		return nil
	}
	s.Await("popped", wrong)
	_, err := s.MQ.Ack("billing", ids[0], "orders", 11)
	s.Must(err)
	s.Await("some are acknowledged", wrong)
	s.Check("what is popped counts as consumed")
	if g := s.GroupOf(s.Collect(), "archive"); len(g.Pop)+len(g.InFlight) > 0 {
		s.tb.Errorf("a group that does not POP: %v, %v", g.Pop, g.InFlight)
	}
}
