package direct

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// TestHomeDies: who is online is asked of another broker in the same round.
func TestHomeDies(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), nil)
		s.Shop()
		last := s.RowsOf("all is well", s.Check("all is well"))
		for _, name := range []string{"billing", "archive", "cache"} {
			s.group(name).home = "broker-a"
		}
		s.MQ.Broker("broker-a").Stop()
		s.More()
		r := s.Collect()
		s.Compare("home died", r, join(s.Truth().Only(onBroker("broker-b")), last.Only(onBroker("broker-a"))))
		for _, name := range []string{"billing", "archive", "cache"} {
			if g := s.group(name); g.home != "broker-b" || g.age != 0 || !g.known || len(g.clients) == 0 {
				t.Errorf("group %s: home %s, told %d rounds ago, %d clients", name, g.home, g.age, len(g.clients))
			}
		}
	})
}

// TestHomesAreSpread: brokers share the questions who is online, each group is asked
// about once, and at a broker that has its commits.
func TestHomesAreSpread(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		names := []string{"broker-a", "broker-b", "broker-c", "broker-d"}
		s := newStage(t, brokers(release, 0, names...), nil)
		s.Topic("orders", 4)
		s.Topic("audit", 4, "broker-b")
		const everywhere, onOne = 40, 8
		for i := range everywhere {
			s.consumed(fmt.Sprintf("of-all-%d", i), "orders")
		}
		for i := range onOne {
			s.consumed(fmt.Sprintf("of-one-%d", i), "audit")
		}
		for round := range 2 {
			asked := s.watch()
			s.Check(fmt.Sprintf("round %d", round))
			total := 0
			for _, name := range names {
				n := asked.of(name)[remoting.GetConsumerConnectionList]
				total += n
				if least := everywhere / len(names) / 2; n < least || name != "broker-b" && n > everywhere/2 {
					t.Errorf("round %d: %s was asked about %d groups of %d", round, name, n, everywhere+onOne)
				}
			}
			if total != everywhere+onOne {
				t.Errorf("round %d: brokers were asked about groups %d times, want %d", round, total, everywhere+onOne)
			}
		}
		for i := range onOne {
			if g := s.group(fmt.Sprintf("of-one-%d", i)); g.home != "broker-b" {
				t.Errorf("group %s is asked about at %s", g.name, g.home)
			}
		}
	})
}

// consumed has one process of a group consume a topic.
func (s *stage) consumed(group, topic string) {
	s.t.Helper()
	s.Group(fakemq.Group{Name: group, Topics: []string{topic}}, 1)
	s.Produce(topic, 10)
	s.Consume(group, topic, 5)
}

// TestClaimRest: what is left goes to brokers that have commits of it, about as much to
// each, once.
func TestClaimRest(t *testing.T) {
	a, b, c := &broker{name: "a"}, &broker{name: "b"}, &broker{name: "c"}
	of := &cluster{groups: map[string]*group{}, unclaimed: map[*group][]*broker{}}
	for i := range 20 {
		g := &group{name: fmt.Sprintf("group-%02d", i)}
		of.groups[g.name] = g
		switch {
		case i < 4:
			of.unclaimed[g] = []*broker{c}
		case i < 16:
			of.unclaimed[g] = []*broker{c, a, b}
		case i == 16: // the broker whose turn it was has claimed it
			of.unclaimed[g], g.home = []*broker{c}, "a"
		}
	}
	r := &round{src: &Source{clusters: map[string]*cluster{"x": of}}}
	claimed := r.claimRest()
	if len(claimed[a]) != 6 || len(claimed[b]) != 5 || len(claimed[c]) != 5 {
		t.Errorf("%d, %d and %d groups, want 6, 5 and 5", len(claimed[a]), len(claimed[b]), len(claimed[c]))
	}
	for host, groups := range claimed {
		for _, g := range groups {
			if g.home != host.name || !slices.Equal(g.tried, []string{host.name}) {
				t.Errorf("%s: home %s, tried %v, want %s", g.name, g.home, g.tried, host.name)
			}
		}
	}
	if again := r.claimRest(); len(again) > 0 || of.unclaimed != nil {
		t.Errorf("a second time: %v", again)
	}
}

// TestTurnIsDown: a new group is asked about elsewhere, in the same round, while the
// broker whose turn it is cannot be read; and so is one that is known when its broker
// goes. The others share them.
func TestTurnIsDown(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		const groups = 30
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b", "broker-c"), nil)
		s.Topic("orders", 4)
		for i := range groups {
			s.consumed(fmt.Sprintf("group-%d", i), "orders")
		}
		check := func(step string, names ...string) {
			t.Helper()
			asked := s.watch()
			s.Compare(step, s.Collect(), s.Truth().Only(onBroker(names...)))
			homes := map[string]int{}
			for i := range groups {
				g := s.group(fmt.Sprintf("group-%d", i))
				if homes[g.home]++; !g.known || len(g.clients) != 1 {
					t.Errorf("%s: group %s: known %t, %d clients", step, g.name, g.known, len(g.clients))
				}
			}
			for _, name := range names {
				if n := asked.of(name)[remoting.GetConsumerConnectionList]; n != homes[name] || n < groups/len(names)/2 {
					t.Errorf("%s: %s was asked %d times, homes are %v", step, name, n, homes)
				}
			}
		}
		s.MQ.Broker("broker-c").Stop()
		check("one is down from the start", "broker-a", "broker-b")
		s.Restart(s.MQ.Broker("broker-c"))
		s.settlePulses()
		s.Check("it is back")
		for i := range groups {
			s.group(fmt.Sprintf("group-%d", i)).home = "broker-b"
		}
		s.MQ.Broker("broker-b").Stop()
		last := s.Collect()
		if len(last.Failures) == 0 {
			t.Error("nothing failed")
		}
		homes := map[string]int{}
		for i := range groups {
			homes[s.group(fmt.Sprintf("group-%d", i)).home]++
		}
		if homes["broker-a"] < groups/4 || homes["broker-c"] < groups/4 || homes["broker-b"] > 0 {
			t.Errorf("when their broker has gone homes are %v", homes)
		}
	})
}

// TestOnlyBrokerDies: nobody else can tell who is online. Rows keep their
// processes for some rounds, and a broadcasting group that is offline
// afterwards is still known as one.
func TestOnlyBrokerDies(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), nil)
		s.Topic("notices", 4)
		// A former life as a clustering group has left commits behind.
		s.Group(fakemq.Group{Name: "cache", Topics: []string{"notices"}}, 1)
		s.Produce("notices", 100)
		s.Consume("cache", "notices", 40)
		s.Must(s.MQ.DeleteGroup("cache", false))
		ids := s.Group(fakemq.Group{Name: "cache", Topics: []string{"notices"}, Broadcasting: true}, 2)
		s.Consume("cache", "notices", 30)
		last := s.RowsOf("all is well", s.Check("all is well"))

		node := s.MQ.Broker("broker-a")
		node.Stop()
		for round := 1; round <= 2*keep; round++ {
			r := s.Collect()
			want := sourcetest.Rows{}
			if round <= keep {
				want = last
			}
			s.Compare(fmt.Sprintf("round %d", round), r, want)
		}
		for _, id := range ids {
			s.Must(s.MQ.KillConsumer("cache", id))
		}
		s.Restart(node)
		s.settlePulses()
		r := s.Check("the broker is back, the group is offline")
		if g := s.GroupOf(r, "cache"); g.Model != model.Broadcasting {
			t.Errorf("model %q", g.Model)
		}
	})
}

// TestOtherBrokersDoNotKnow: a group whose clients only know the broker that
// has died is not offline because others have never heard of them.
func TestOtherBrokersDoNotKnow(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), nil)
		s.Topic("audit", 4, "broker-a")
		s.Group(fakemq.Group{Name: "archive", Topics: []string{"audit"}, Brokers: []string{"broker-a", "broker-b"}}, 1)
		s.Produce("audit", 100)
		s.Consume("archive", "audit", 70)
		s.MQ.Broker("broker-b").Inject(fakemq.Fault{
			Code: remoting.GetConsumerConnectionList, Fields: map[string]string{"consumerGroup": "archive"},
			Effect: fakemq.Refuse(remoting.ConsumerNotOnline, "not online"),
		})
		onA := onBroker("broker-a")
		last := s.RowsOf("all is well", s.Check("all is well")).Only(onA)
		s.MQ.Broker("broker-a").Stop()
		for round := 1; round <= keep; round++ {
			s.compareOnly(fmt.Sprintf("round %d", round), onA, last)
		}
		s.compareOnly("it is over", onA, sourcetest.Rows{})
		s.Restart(s.MQ.Broker("broker-a"))
		s.settlePulses()
		s.Collect() // broker-b may be asked first
		s.compareOnly("it is back", onA, s.Truth().Only(onA))
	})
}

// compareOnly reads a round and compares some of its rows.
func (s *stage) compareOnly(step string, match func(sourcetest.Labels) bool, want sourcetest.Rows) {
	s.t.Helper()
	got := s.RowsOf(step, s.Collect()).Only(match)
	if len(got) != len(want) {
		s.t.Errorf("%s: rows %v, want %v", step, got, want)
		return
	}
	for l, n := range want {
		if is, ok := got[l]; !ok || is != n {
			s.t.Errorf("%s: %v: %d (there: %t), want %d; rows %v", step, l, is, ok, n, got)
		}
	}
}

// TestComesOnline: heartbeats of a group reach one of three brokers. When its
// commits move it is found at once, else within as many rounds as it has
// brokers.
func TestComesOnline(t *testing.T) {
	t.Parallel()
	for _, commits := range []bool{true, false} {
		t.Run(fmt.Sprintf("commits move: %t", commits), func(t *testing.T) {
			t.Parallel()
			names := []string{"broker-a", "broker-b", "broker-c"}
			s := newStage(t, brokers(fakemq.Release550, 0, names...), nil)
			s.Topic("orders", 4)
			ids := s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 1)
			s.Produce("orders", 100)
			s.Consume("billing", "orders", 60)
			s.Must(s.MQ.KillConsumer("billing", ids[0]))
			for range 4 {
				s.Check("offline")
			}
			home := s.group("billing").home
			silent := 0
			for _, name := range names { // only the broker that is asked last knows of it
				if last := (names[2] == home && name == names[1]) || (names[2] != home && name == names[2]); last {
					continue
				}
				silent++
				s.MQ.Broker(name).Inject(fakemq.Fault{
					Code: remoting.GetConsumerConnectionList, Fields: map[string]string{"consumerGroup": "billing"},
					Effect: fakemq.Refuse(remoting.ConsumerNotOnline, "not online"),
				})
			}
			if silent != 2 {
				t.Fatalf("%d brokers do not know of the group", silent)
			}
			s.Consumer("billing", fakemq.Consumer{})
			if commits {
				s.Consume("billing", "orders", 10)
			} else {
				for range len(names) - 1 {
					s.Collect()
				}
			}
			s.Check("online")
		})
	}
}

// TestConnectionsUnreadable: nobody can tell who is online; the rows keep their
// processes for some rounds and lose them then, and nothing else.
func TestConnectionsUnreadable(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), nil)
		s.Shop()
		s.Check("all is well")
		for _, name := range []string{"broker-a", "broker-b"} {
			s.MQ.Broker(name).Inject(fakemq.Fault{
				Code: remoting.GetConsumerConnectionList, Fields: map[string]string{"consumerGroup": "billing"}, Effect: fakemq.Garble(),
			})
		}
		for round := 1; round <= keep+1; round++ {
			s.More()
			r := s.Collect()
			want := s.Truth()
			if round > keep {
				nobody := sourcetest.Rows{}
				for l, n := range want {
					if l.Group == "billing" {
						l.IP, l.PID = "", ""
					}
					nobody[l] = n
				}
				want = nobody
			}
			s.Compare(fmt.Sprintf("round %d", round), r, want)
			if g := s.GroupOf(r, "billing"); g.Known != (round <= keep) {
				t.Errorf("round %d: who is online is known: %t", round, g.Known)
			}
		}
	})
}

// TestMinimum: where no process of a broadcasting group can be asked, brokers
// of 5.1 and later know how far the slowest is; it stays as long as a broker's
// other numbers do.
func TestMinimum(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a", "broker-b"), nil)
	s.Topic("notices", 2)
	s.Must(s.MQ.AddGroup(fakemq.Group{Name: "cache", Topics: []string{"notices"}, Broadcasting: true}))
	for range 2 {
		s.Consumer("cache", fakemq.Consumer{})
	}
	for _, name := range []string{"broker-a", "broker-b"} {
		s.MQ.Broker(name).Inject(fakemq.Fault{
			Code: remoting.GetConsumerRunningInfo, Effect: fakemq.Refuse(remoting.ConsumeMsgTimeout, "no answer"),
		})
	}
	s.Produce("notices", 100)
	s.Consume("cache", "notices", 100)
	s.Produce("notices", 40)
	s.Consume("cache", "notices", 20)
	want := sourcetest.Rows{}
	for _, row := range s.MQ.Backlog() {
		if row.Group == "cache" {
			l := sourcetest.Labels{Cluster: row.Cluster, Topic: row.Topic, Group: row.Group, Broker: row.Broker, Queue: int32(row.Queue)}
			want[l] = max(want[l], row.Backlog)
		}
	}
	if len(want) != 4 || want.Total() == 0 {
		t.Fatalf("rows to come: %v", want)
	}
	s.Compare("the slowest", s.Collect(), want)
	a := s.MQ.Broker("broker-a")
	a.Inject(fakemq.Fault{Code: remoting.GetConsumeStats, Effect: fakemq.Garble()})
	s.Must(s.MQ.CommitLocal("cache", s.MQ.ClientIDs("cache")[0], "notices", "broker-a", 0, 1))
	s.Compare("its ends cannot be read", s.Collect(), want)
	a.ClearFaults()
	s.Must(s.MQ.CommitLocal("cache", s.MQ.ClientIDs("cache")[0], "notices", "broker-a", 0, 30))
	a.Inject(fakemq.Fault{
		Code: remoting.GetConsumerRunningInfo, Effect: fakemq.Refuse(remoting.ConsumeMsgTimeout, "no answer"),
	})
	s.Compare("they can again", s.Collect(), want)
	a.Stop()
	for round := 1; round <= keep+1; round++ {
		if round > keep {
			want = want.Only(onBroker("broker-b"))
		}
		s.Compare(fmt.Sprintf("round %d", round), s.Collect(), want)
	}
}

// TestNeverSeenOnline: a broadcasting group of 5.1 and later is known by its
// minimum, also when nobody was online since the exporter started.
func TestNeverSeenOnline(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	s.Topic("notices", 4)
	s.Group(fakemq.Group{Name: "cache", Topics: []string{"notices"}}, 1)
	s.Produce("notices", 100)
	s.Consume("cache", "notices", 40)
	s.Must(s.MQ.DeleteGroup("cache", false))
	ids := s.Group(fakemq.Group{Name: "cache", Topics: []string{"notices"}, Broadcasting: true}, 1)
	s.Consume("cache", "notices", 60)
	s.Must(s.MQ.KillConsumer("cache", ids[0]))
	r := s.Check("offline from the beginning")
	if n := len(s.RowsOf("offline", r)); n != 0 {
		t.Errorf("%d rows of a broadcasting group that is offline", n)
	}
}
