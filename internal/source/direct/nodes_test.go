package direct

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

func TestBrokerDead(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), nil)
		s.Shop()
		last := s.RowsOf("all is well", s.Check("all is well"))
		s.MQ.Broker("broker-a").Stop()
		s.More()
		for round := 1; round <= keep+2; round++ {
			r := s.Collect()
			s.wantFailures("down", r, s.MQ.Broker("broker-a"), 0)
			if states := up(r); states["broker-a/0"] || !states["broker-b/0"] {
				t.Errorf("round %d: up: %v", round, states)
			}
			s.wantIncomplete("down", r, 1)
			want := s.Truth().Only(onBroker("broker-b"))
			if round <= keep {
				want = join(want, last.Only(onBroker("broker-a")))
			}
			s.Compare("down", r, want)
		}
		s.Restart(s.MQ.Broker("broker-a"))
		r := s.Check("back")
		if states := up(r); !states["broker-a/0"] {
			t.Errorf("back: up: %v", states)
		}
		s.wantIncomplete("back", r, 0)
	})
}

// TestNeverReached: brokers that were never read are incomplete, not empty.
func TestNeverReached(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a", "broker-b"), nil)
	s.Shop()
	s.MQ.Broker("broker-a").Stop()
	r := s.Collect()
	s.Compare("one broker", r, s.Truth().Only(onBroker("broker-b")))
	s.wantIncomplete("one broker", r, 1)
	s.Restart(s.MQ.Broker("broker-a"))
	s.wantIncomplete("both", s.Check("both"), 0)
}

// TestNothingReached: a source that was never reached says so under its name.
func TestNothingReached(t *testing.T) {
	t.Parallel()
	o := brokers(fakemq.Release550, 0, "broker-a")
	o.NameServers = 2
	s := newStage(t, o, nil)
	for i := range 2 {
		s.MQ.NameServer(i).Stop()
	}
	r := s.Collect()
	addrs := s.MQ.NameServers()
	if len(r.Snapshots) != 1 || r.Snapshots[0].Cluster != addrs[0]+";"+addrs[1] {
		t.Fatalf("snapshots: %+v", r.Snapshots)
	}
	if ns := r.Snapshots[0].NameServers; len(ns) != 2 || ns[0].Up || ns[1].Up {
		t.Errorf("name servers: %+v", ns)
	}
	if len(r.Failures) != 2 {
		t.Errorf("failures: %q", failures(r))
	}
}

func TestMasterDown(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release497, 2, "broker-a"), nil)
	s.Shop()
	s.Check("master")
	master := s.MQ.Broker("broker-a")
	master.Stop()
	last := s.RowsOf("still listed", s.Collect())
	s.Compare("still listed", source.Round{Snapshots: s.Collect().Snapshots}, last)

	master.Deregister()
	w := s.watch()
	r := s.Collect()
	s.Compare("a slave acts", r, s.Truth())
	s.wantIncomplete("a slave acts", r, 0)
	if w.of("broker-a#1")[43] != 1 || w.of("broker-a#2")[43] != 0 {
		t.Errorf("commits asked of slave 1 %d times, of slave 2 %d times; want the lower id only", w.of("broker-a#1")[43], w.of("broker-a#2")[43])
	}
	for id, want := range map[int64]model.Role{1: model.ActingMaster, 2: model.Slave} {
		if got, ok := role(r, "broker-a", id); !ok || got != want {
			t.Errorf("role of process %d: %v, want %v", id, got, want)
		}
	}
	if states := up(r); !maps.Equal(states, map[string]bool{"broker-a/0": false, "broker-a/1": true, "broker-a/2": true}) {
		t.Errorf("up: %v", states)
	}

	s.MQ.BrokerID("broker-a", 1).Deregister()
	s.MQ.BrokerID("broker-a", 1).Stop()
	r = s.Collect()
	s.Compare("the next slave acts", r, s.Truth())
	if got, _ := role(r, "broker-a", 2); got != model.ActingMaster {
		t.Errorf("role of slave 2: %v", got)
	}

	s.Restart(master)
	s.More()
	r = s.Collect()
	s.Compare("the master is back", r, s.Truth())
	for id, want := range map[int64]model.Role{0: model.Master, 2: model.Slave} {
		if got, _ := role(r, "broker-a", id); got != want {
			t.Errorf("role of process %d: %v, want %v", id, got, want)
		}
	}
}

// TestActingMasterWithoutCommits: a slave of 5.5.0 has not got the commits of
// its master. That is not the same as a cluster in which nobody consumes.
func TestActingMasterWithoutCommits(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 1, "broker-a", "broker-b"), nil)
	s.Shop()
	last := s.RowsOf("master", s.Check("master"))
	s.MQ.Broker("broker-a").Stop()
	s.MQ.Broker("broker-a").Deregister()
	for round := 1; round <= keep+2; round++ {
		r := s.Collect()
		s.wantIncomplete("a slave acts", r, 1)
		want := s.Truth().Only(onBroker("broker-b"))
		if round <= keep {
			want = join(want, last.Only(onBroker("broker-a")))
		}
		s.Compare("a slave acts", r, want)
		if states := up(r); !states["broker-a/1"] {
			t.Errorf("up: %v", states)
		}
	}
	s.Restart(s.MQ.Broker("broker-a"))
	s.Check("the master is back")
}

func TestNameServerDead(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 1, "broker-a", "broker-b"), nil)
		s.Shop()
		s.Check("all is well")
		ns := s.MQ.NameServer(0)
		ns.Stop()
		for range keep + 2 {
			s.clock.Advance(time.Hour) // brokers that answer are not forgotten
			s.More()
			r := s.Collect()
			s.Compare("no name server", r, s.Truth())
			s.wantFailures("no name server", r, ns, remoting.GetBrokerClusterInfo)
			s.wantIncomplete("no name server", r, 0)
			if r.Snapshots[0].NameServers[0].Up {
				t.Error("a dead name server is up")
			}
			s.settlePulses()
		}
		s.Restart(ns)
		if r := s.Check("it is back"); !r.Snapshots[0].NameServers[0].Up {
			t.Error("the name server is back and not up")
		}
	})
}

// TestTwoNameServers: one is down, then it is back and knows nothing yet.
func TestTwoNameServers(t *testing.T) {
	t.Parallel()
	o := brokers(fakemq.Release550, 0, "broker-a", "broker-b")
	o.NameServers = 2
	s := newStage(t, o, nil)
	s.Shop()
	first := s.MQ.NameServer(0)
	first.Stop()
	r := s.Collect()
	s.Compare("one is down", r, s.Truth())
	s.wantFailures("one is down", r, first, remoting.GetBrokerClusterInfo)
	if ns := r.Snapshots[0].NameServers; ns[0].Up || !ns[1].Up {
		t.Errorf("name servers: %+v", ns)
	}
	s.Restart(first)
	empty := first.Inject(fakemq.Fault{
		Code: remoting.GetBrokerClusterInfo, Effect: fakemq.Body([]byte(`{"brokerAddrTable":{},"clusterAddrTable":{}}`)),
	})
	s.More()
	s.Check("one is fresh and empty")
	empty.Remove()
	s.MQ.NameServer(1).Inject(fakemq.Fault{
		Code: remoting.GetBrokerClusterInfo, Effect: fakemq.Body([]byte(`{"brokerAddrTable":{},"clusterAddrTable":{}}`)),
	})
	s.More()
	s.Check("the other is")
}

func TestBrokerLeaves(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), func(o *Options) { o.ForgetAfter = 10 * time.Minute })
		s.Shop()
		last := s.RowsOf("all is well", s.Check("all is well"))
		gone := s.MQ.Broker("broker-b")
		gone.Deregister()
		s.Collect()
		if states := up(s.Collect()); !states["broker-b/0"] {
			t.Errorf("it is not listed but answers: up: %v", states)
		}
		gone.Stop()
		for round := 1; round <= keep+1; round++ {
			s.clock.Advance(time.Minute)
			r := s.Collect()
			want := s.Truth().Only(onBroker("broker-a"))
			if round <= keep {
				want = join(want, last.Only(onBroker("broker-b")))
			}
			s.compareSums("left", r, want)
			if states := up(r); states["broker-b/0"] || len(states) != 2 {
				t.Errorf("left: up: %v; want it down", states)
			}
		}
		s.clock.Advance(10 * time.Minute)
		s.Collect() // it is given one more chance
		r := s.Collect()
		if states := up(r); len(states) != 1 {
			t.Errorf("forgotten: brokers %v", states)
		}
		s.wantIncomplete("forgotten", r, 0)
		s.noFailures("forgotten", r)
		s.compareSums("forgotten", r, s.Truth().Only(onBroker("broker-a")))
		if n := len(s.src.clusters["c"].brokers); n != 1 {
			t.Errorf("brokers remembered: %d, want 1", n)
		}
	})
}

// compareSums compares without processes: who holds the queues of a broker that
// is not listed is not settled.
func (s *stage) compareSums(step string, r source.Round, want sourcetest.Rows) {
	s.t.Helper()
	without := func(rows sourcetest.Rows) map[sourcetest.Labels]int64 {
		sums := map[sourcetest.Labels]int64{}
		for l, n := range rows {
			l.IP, l.PID = "", ""
			sums[l] += n
		}
		return sums
	}
	if got, want := without(s.RowsOf(step, r)), without(want); !maps.Equal(got, want) {
		s.t.Errorf("%s: rows %v\nwant %v", step, got, want)
	}
}

// TestOddAnswers: whatever a broker answers to the request for its commits
// costs the numbers of that broker in that round, and no more.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	const soon = time.Second // for what is never answered
	commits := remoting.GetAllConsumerOffset
	for _, c := range []struct {
		name   string
		effect fakemq.Effect
	}{
		{"garbled", fakemq.Garble()},
		{"cut", fakemq.Cut(150)},
		{"refused", fakemq.Refuse(remoting.SystemError, "java.lang.NullPointerException\n\tat a.b.C")},
		{"busy", fakemq.Refuse(remoting.SystemBusy, "[OVERLOAD]")},
		{"a frame of 2 GiB", fakemq.Huge()},
		{"not JSON", fakemq.Body([]byte("<html>"))},
		{"empty", fakemq.Body(nil)},
		{"half a document", fakemq.Body([]byte(`{"offsetTable":{"orders@billing":{0:1,1:`))},
		{"other types", fakemq.Body([]byte(`{"offsetTable":{"orders@billing":{"a":"b"}}}`))},
		{"a list", fakemq.Body([]byte(`[]`))},
		{"disconnected", fakemq.Disconnect()},
		{"never", fakemq.Drop()},
		{"an answer to somebody else", fakemq.WrongOpaque()},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, release fakemq.Release) {
				s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), func(o *Options) { o.Remoting.RequestTimeout = soon })
				s.Shop()
				last := s.RowsOf("all is well", s.Check("all is well"))
				odd := s.MQ.Broker("broker-a")
				odd.Inject(fakemq.Fault{Code: commits, Effect: c.effect})
				s.More()
				r := s.Collect()
				s.Compare("odd", r, join(s.Truth().Only(onBroker("broker-b")), last.Only(onBroker("broker-a"))))
				s.wantIncomplete("odd", r, 1)
				s.wantFailures("odd", r, odd, 0)
				if !asksFor(r, commits) {
					t.Errorf("failures %q: want one of %s", failures(r), commits)
				}
				odd.ClearFaults()
				s.settlePulses()
				s.Check("well again")
			})
		})
	}
}

func asksFor(r source.Round, code remoting.RequestCode) bool {
	for _, f := range r.Failures {
		if f.Step == code.String() {
			return true
		}
	}
	return false
}

// TestOddPorts: something else listens where a broker should.
func TestOddPorts(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]fakemq.Mode{"a web server": fakemq.HTTP, "somebody silent": fakemq.Silent} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, release fakemq.Release) {
				s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), func(o *Options) { o.Remoting.RequestTimeout = time.Second })
				s.Shop()
				last := s.RowsOf("all is well", s.Check("all is well"))
				odd := s.MQ.Broker("broker-a")
				odd.SetMode(mode)
				s.More()
				r := s.Collect()
				s.Compare("odd", r, join(s.Truth().Only(onBroker("broker-b")), last.Only(onBroker("broker-a"))))
				s.wantIncomplete("odd", r, 1)
				s.wantFailures("odd", r, odd, 0)
				if states := up(r); states["broker-a/0"] || !states["broker-b/0"] {
					t.Errorf("up: %v", states)
				}
				odd.SetMode(fakemq.Normal)
				s.settlePulses()
				s.Collect() // the connection that was open may end in this round
				s.Check("well again")
			})
		})
	}
}

// TestDeadline: a node that takes longer than a round has costs what it has to
// tell, and nothing that others tell.
func TestDeadline(t *testing.T) {
	const round = 5 * time.Second // a quarter of what is left is still enough for a busy machine
	never := make(chan struct{})  // the stage's end ends the waiting
	both(t, func(t *testing.T, release fakemq.Release) {
		for _, code := range []remoting.RequestCode{
			remoting.GetAllConsumerOffset, remoting.GetTopicStatsInfo, remoting.GetConsumeStats,
			remoting.GetConsumerConnectionList,
		} {
			if release == fakemq.Release550 && code == remoting.GetTopicStatsInfo {
				continue
			}
			if release == fakemq.Release497 && code == remoting.GetConsumeStats {
				continue
			}
			t.Run(code.String(), func(t *testing.T) {
				t.Parallel()
				s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), nil)
				s.Shop()
				last := s.RowsOf("all is well", s.Check("all is well"))
				for _, g := range []string{"billing", "archive", "cache"} {
					s.group(g).home = "broker-a"
				}
				s.More()
				slow := s.MQ.Broker("broker-a")
				slow.Inject(fakemq.Fault{Code: code, Effect: fakemq.Gate(never)})
				ctx, cancel := context.WithTimeout(t.Context(), round)
				defer cancel()
				r := s.src.Collect(ctx)
				want := join(s.Truth().Only(onBroker("broker-b")), last.Only(onBroker("broker-a")))
				if code == remoting.GetConsumerConnectionList {
					want = s.Truth() // another broker tells who is online
				}
				s.Compare("slow", r, want)
				s.wantFailures("slow", r, slow, code)
				if states := up(r); !states["broker-b/0"] {
					t.Errorf("up: %v", states)
				}
			})
		}
	})
}

// TestSilentNameServer: it may not use up the round of those who know where the
// brokers are.
func TestSilentNameServer(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a", "broker-b"), nil)
	s.Shop()
	s.Check("all is well")
	s.More()
	s.MQ.NameServer(0).SetMode(fakemq.Silent)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	s.src.Collect(ctx) // the connection that was open may have ended at once
	ctx, cancel = context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	s.More()
	r := s.src.Collect(ctx)
	s.Compare("silent", r, s.Truth())
	s.wantFailures("silent", r, s.MQ.NameServer(0), remoting.GetBrokerClusterInfo)
}

// TestDeadlineElsewhere: a broker that is asked in place of another about a
// group may not use up the round either.
func TestDeadlineElsewhere(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release497, 0, "broker-a", "broker-b"), nil)
	s.Shop()
	s.Check("all is well")
	s.More()
	s.group("billing").home, s.group("archive").home, s.group("cache").home = "broker-b", "broker-b", "broker-b"
	billing := map[string]string{"consumerGroup": "billing"}
	s.MQ.Broker("broker-b").Inject(fakemq.Fault{
		Code: remoting.GetConsumerConnectionList, Fields: billing, Effect: fakemq.Refuse(remoting.SystemBusy, "busy"),
	})
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{
		Code: remoting.GetConsumerConnectionList, Fields: billing, Effect: fakemq.Gate(make(chan struct{})),
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	s.Compare("slow elsewhere", s.src.Collect(ctx), s.Truth())
}

// TestBrokerMoves: a broker that came back under another address is one broker.
func TestBrokerMoves(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release497, 1, "broker-a"), nil)
	s.Shop()
	s.Check("master")
	s.MQ.Broker("broker-a").Stop()
	s.MQ.NameServer(0).Inject(fakemq.Fault{Code: remoting.GetBrokerClusterInfo, Effect: fakemq.Body([]byte(
		`{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"` + s.MQ.BrokerID("broker-a", 1).Addr() + `"},"brokerName":"broker-a","cluster":"c"}},` +
			`"clusterAddrTable":{"c":["broker-a"]}}`))})
	r := s.Collect()
	s.Compare("moved", r, s.Truth())
	s.wantIncomplete("moved", r, 0)
	s.noFailures("moved", r)
	if n := len(r.Snapshots[0].Brokers); n != 1 {
		t.Errorf("%d processes: %+v", n, r.Snapshots[0].Brokers)
	}
}

// TestBrokerNamesAreSystemTopics: also that of a broker that joins later.
func TestBrokerNamesAreSystemTopics(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a", "broker-b"), nil)
	s.MQ.Broker("broker-b").Deregister()
	s.Topic("orders", 2, "broker-a")
	s.Must(s.MQ.AddTopic(fakemq.Topic{Name: "broker-b", Queues: 2, Brokers: []string{"broker-a"}}))
	s.Group(fakemq.Group{Name: "curious", Topics: []string{"orders", "broker-b"}, Brokers: []string{"broker-a"}}, 1)
	s.Produce("orders", 10)
	s.Consume("curious", "orders", 5)
	s.Must(s.MQ.Commit("curious", "broker-b", "broker-a", 0, 0))
	onA := onBroker("broker-a")
	s.compareOnly("broker-b is no broker", onA, s.Truth().Only(onA))
	s.MQ.Broker("broker-b").Register()
	s.compareOnly("broker-b is a broker", onA, s.Truth().Only(onA).Only(not(onTopic("broker-b"))))
}

// TestAddressOfAnother: who answers at the address of a broker that is away is not
// that broker, when name servers list another one there.
func TestAddressOfAnother(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), nil)
		s.Shop()
		last := s.RowsOf("all is well", s.Check("all is well"))
		s.settlePulses()
		addr := s.MQ.Broker("broker-a").Addr()
		swap := s.MQ.NameServer(0).Inject(fakemq.Fault{Code: remoting.GetBrokerClusterInfo, Effect: fakemq.Body(fmt.Appendf(nil,
			`{"brokerAddrTable":{"broker-b":{"brokerName":"broker-b","cluster":"c","brokerAddrs":{0:%q}}}}`, addr))})
		s.More()
		for i := 1; i <= keep+2; i++ {
			r := s.Collect()
			want := sourcetest.Rows{}
			if i <= keep {
				want = last.Only(onBroker("broker-a"))
			}
			if got := s.RowsOf("another is there", r).Only(onBroker("broker-a")); !maps.Equal(got, want) {
				t.Errorf("round %d: rows of broker-a %v, want %v", i, got, want)
			}
			if states := up(r); states["broker-a/0"] || !states["broker-b/0"] {
				t.Errorf("round %d: up: %v", i, states)
			}
			s.wantIncomplete("another is there", r, 1)
			if list := failures(r); !slices.Equal(list, []string{addr + " GET_BROKER_CLUSTER_INFO address_taken"}) {
				t.Errorf("round %d: failures: %q", i, list)
			}
		}
		swap.Remove()
		r := s.Check("it is back")
		s.noFailures("it is back", r)
		if states := up(r); !states["broker-a/0"] || !states["broker-b/0"] {
			t.Errorf("back: up: %v", states)
		}
	})
}
