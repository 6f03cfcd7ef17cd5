package direct

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// popStage has billing pop orders with two Java processes and one in Go, which
// cannot tell what it has popped.
func popStage(t *testing.T, release fakemq.Release) (s *stage, ids []string) {
	t.Helper()
	s = newStage(t, brokers(release, 0, "broker-a", "broker-b"), slow)
	s.Shop()
	ids = s.MQ.ClientIDs("billing")
	ids = append(ids, s.Consumer("billing", fakemq.Consumer{Language: "GO"}))
	s.Must(s.MQ.SetPop("billing", "orders", true))
	return s, ids
}

// popped says "topic client: messages" of a group, and the topics that it POPs.
func (s *stage) popped(r source.Round, group string) (topics, inFlight []string) {
	s.t.Helper()
	g := s.GroupOf(r, group)
	for _, f := range g.InFlight {
		inFlight = append(inFlight, fmt.Sprintf("%s %s: %d", f.Topic, g.Clients[f.Client].ID, f.Messages))
	}
	slices.Sort(inFlight)
	return slices.Sorted(maps.Keys(g.Pop)), inFlight
}

// truePopped is what the fake knows of the processes that can tell.
func (s *stage) truePopped(group string, tell ...string) []string {
	var list []string
	for _, f := range s.MQ.InFlight() {
		if f.Group == group && slices.Contains(tell, f.ClientID) {
			list = append(list, fmt.Sprintf("%s %s: %d", f.Topic, f.ClientID, f.Messages))
		}
	}
	slices.Sort(list)
	return list
}

func (s *stage) wantPopped(step string, r source.Round, group string, topics, inFlight []string) {
	s.t.Helper()
	gotTopics, got := s.popped(r, group)
	if !slices.Equal(gotTopics, topics) || !slices.Equal(got, inFlight) {
		s.t.Errorf("%s: POPs %q, in flight %q; want %q and %q", step, gotTopics, got, topics, inFlight)
	}
}

// settleAsker waits until no process is being asked.
func (s *stage) settleAsker() {
	s.t.Helper()
	for {
		s.src.asker.mu.Lock()
		n := len(s.src.asker.queued)
		s.src.asker.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-s.t.Context().Done():
			s.t.Fatal("processes are asked without an end")
		case <-time.After(time.Millisecond):
		}
	}
}

// TestInFlight: what processes popped and did not acknowledge is told a round
// later; a process that cannot tell has no entry.
func TestInFlight(t *testing.T) {
	for _, release := range []fakemq.Release{fakemq.Release514, fakemq.Release550} {
		t.Run(string(release), func(t *testing.T) {
			t.Parallel()
			s, ids := popStage(t, release)
			s.cycle()
			for _, step := range []func(){
				func() {},
				func() { s.Consume("billing", "orders", 50) },
				func() {
					_, err := s.MQ.Ack("billing", ids[0], "orders", 7)
					s.Must(err)
				},
				func() { s.Must(s.MQ.KillConsumer("billing", ids[0])) },
			} {
				step()
				s.round(time.Second)
				s.settleAsker()
				r := s.round(time.Second)
				tell := slices.DeleteFunc(s.MQ.ClientIDs("billing"), func(id string) bool { return id == ids[2] })
				s.wantPopped("a step", r, "billing", []string{"orders"}, s.truePopped("billing", tell...))
				s.Compare("a step", r, s.Truth())
			}
			// Another group on the same topic is none of that.
			s.Group(fakemq.Group{Name: "usual", Topics: []string{"orders"}}, 1)
			s.Consume("usual", "orders", 5)
			s.wantPopped("another group", s.cycle(), "usual", nil, nil)
			for _, id := range s.MQ.ClientIDs("billing") {
				s.Must(s.MQ.KillConsumer("billing", id))
			}
			s.round(time.Second)
			s.wantPopped("offline", s.round(time.Second), "billing", []string{"orders"}, nil)
			s.Must(s.MQ.SetPop("billing", "orders", false))
			s.wantPopped("as usual again", s.cycle(), "billing", nil, nil)
		})
	}
}

// TestMutePopProcess: its last numbers stand in for some rounds.
func TestMutePopProcess(t *testing.T) {
	t.Parallel()
	s, ids := popStage(t, fakemq.Release550)
	s.Consume("billing", "orders", 50)
	s.cycle()
	s.settleAsker()
	s.round(time.Second)
	s.settleAsker() // else the last question may meet the fault already
	for _, b := range []string{"broker-a", "broker-b"} {
		s.MQ.Broker(b).Inject(fakemq.Fault{
			Code: remoting.GetConsumerRunningInfo, Fields: map[string]string{"clientId": ids[0]},
			Effect: fakemq.Refuse(remoting.ConsumeMsgTimeout, "no"),
		})
	}
	told := 0
	for range keep + 4 {
		s.settleAsker()
		r := s.Collect()
		if _, inFlight := s.popped(r, "billing"); len(inFlight) == 2 {
			told++
		} else if len(inFlight) != 1 {
			t.Fatalf("in flight %q", inFlight)
		}
		s.clock.Advance(time.Second)
	}
	if told < keep || told > keep+1 {
		t.Errorf("a process that does not answer told of its messages for %d rounds, want %d or one more", told, keep)
	}
}

// offlinePoppers is popStage with nobody online, so that the modes alone say what
// billing POPs.
func offlinePoppers(t *testing.T) *stage {
	t.Helper()
	s, ids := popStage(t, fakemq.Release550)
	for _, id := range ids {
		s.Must(s.MQ.KillConsumer("billing", id))
	}
	s.cycle()
	s.wantPopped("all is well", s.cycle(), "billing", []string{"orders"}, nil)
	return s
}

// TestModesThatNobodyTells: the last good ones stand in for as many answers as
// rounds do for others, whatever the failure is.
func TestModesThatNobodyTells(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]fakemq.Effect{
		"refused":      fakemq.Refuse(remoting.SystemError, "no"),
		"garbled":      fakemq.Garble(),
		"disconnected": fakemq.Disconnect(),
	} {
		for _, interval := range []time.Duration{15 * time.Second, 3 * time.Minute} { // of rounds, the cycle takes 1 min
			t.Run(fmt.Sprintf("%s, every %v", name, interval), func(t *testing.T) {
				t.Parallel()
				s := offlinePoppers(t)
				for _, b := range []string{"broker-a", "broker-b"} {
					s.MQ.Broker(b).Inject(fakemq.Fault{Code: remoting.GetAllMessageRequestMode, Effect: effect})
				}
				began, stood := s.clock.Now(), time.Duration(0)
				for s.clock.Now().Sub(began) < 10*max(interval, time.Minute) {
					s.clock.Advance(interval)
					r := s.Collect()
					s.settleErrands()
					if topics, _ := s.popped(r, "billing"); len(topics) > 0 {
						stood = s.clock.Now().Sub(began)
					}
				}
				cycle := max(interval, time.Minute)
				if stood < keep*cycle || stood > (keep+2)*cycle+time.Second {
					t.Errorf("the modes stood for %v, want %d cycles of %v", stood, keep, cycle)
				}
				for _, b := range []string{"broker-a", "broker-b"} {
					s.MQ.Broker(b).ClearFaults()
				}
				s.clock.Advance(time.Minute)
				s.Collect()
				s.settleErrands()
				s.wantPopped("told again", s.cycle(), "billing", []string{"orders"}, nil)
			})
		}
	}
}

// TestModesOfABrokerThatIsDown are gone when its rows are, and asked for when it is
// back.
func TestModesOfABrokerThatIsDown(t *testing.T) {
	t.Parallel()
	s := offlinePoppers(t)
	s.Must(s.MQ.SetPop("billing", "orders", false))
	down := s.src.clusters["c"].brokers["broker-b"]
	s.MQ.Broker("broker-b").Stop()
	for round := 1; round <= keep+1; round++ {
		s.clock.Advance(time.Second)
		s.Collect()
		s.settleErrands()
		if stands := len(down.pop) > 0; stands != (round <= keep) {
			t.Errorf("round %d: the modes stand: %v", round, stands)
		}
	}
	s.Must(s.MQ.SetPop("billing", "orders", true))
	s.Must(s.MQ.Broker("broker-b").Start())
	s.clock.Advance(time.Second)
	s.Collect()
	s.settleErrands()
	s.clock.Advance(time.Second)
	s.Collect()
	if len(down.pop) == 0 {
		t.Error("it is back, and was not asked at once")
	}
}

// TestNobodyHoldsWhatIsPopped: processes are not asked again and again who holds
// such a queue.
func TestNobodyHoldsWhatIsPopped(t *testing.T) {
	t.Parallel()
	s, _ := popStage(t, fakemq.Release550)
	for range 12 { // a rebalance is over
		s.round(15 * time.Second)
		s.settleAsker()
	}
	w := s.watch()
	for range 4 {
		s.round(15 * time.Second)
		s.settleAsker()
	}
	// Each round two processes that pop and two that broadcast.
	if n := w.all()[remoting.GetConsumerRunningInfo]; n != 4*4 {
		t.Errorf("%d requests to processes in four rounds, want 16", n)
	}
}

// TestRequestsOfFive: whether a broker knows those is found out once, and again
// when another process answers.
func TestRequestsOfFive(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release497, 1, "broker-a"), slow)
	s.Shop()
	w := s.watch()
	for range 4 {
		s.cycle()
	}
	if got := w.all(); got[402] != 1 || got[907] != 2 {
		t.Errorf("requests %v: want 402 once, and 907 once of each process", got)
	}
	w = s.watch()
	s.MQ.Broker("broker-a").SetRuntime("bootTimestamp", "1700000000000")
	for range 3 {
		s.cycle()
	}
	if got := w.all(); got[402] != 1 || got[907] != 1 {
		t.Errorf("the broker was started anew: requests %v: want 402 and 907 once more", got)
	}
}

// TestTold: whether all processes have said which queues they hold.
func TestTold(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), nil)
		s.Shop()
		r := s.Check("all told")
		if !s.GroupOf(r, "billing").Told {
			t.Error("all processes of billing have told")
		}
		s.MQ.Broker("broker-a").Inject(fakemq.Fault{
			Code: remoting.GetConsumerRunningInfo, Fields: map[string]string{"consumerGroup": "billing"},
			Effect: fakemq.Refuse(remoting.ConsumeMsgTimeout, "no"),
		})
		s.Consumer("billing", fakemq.Consumer{})
		r = s.Collect()
		if s.GroupOf(r, "billing").Told || !s.GroupOf(r, "archive").Told {
			t.Error("a process of billing has not told, and all of archive have")
		}
		s.MQ.Broker("broker-a").ClearFaults()
		s.clock.Advance(time.Minute)
		s.Collect() // no round waits for those that did not answer before
		s.settleAsker()
		if r = s.Check("it answers"); !s.GroupOf(r, "billing").Told {
			t.Error("all processes of billing have told again")
		}
		for _, id := range s.MQ.ClientIDs("archive") {
			s.Must(s.MQ.KillConsumer("archive", id))
		}
		if r = s.Check("offline"); !s.GroupOf(r, "archive").Told {
			t.Error("there is nobody who could not have told")
		}
	})
}

// TestSomeProcessPops: that another process of the group has popped nothing does not
// hide what the first has popped.
func TestSomeProcessPops(t *testing.T) {
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	s.Topic("orders", 4)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 2)
	s.Consume("billing", "orders", 0)
	s.Check("nobody pops")
	g := s.group("billing")
	r := &round{src: s.src, began: s.clock.Now()}
	for i, popped := range []map[string]int64{{"orders": 3}, nil} {
		r.takeAnswer(answer{
			question: question{askKey: askKey{"c", "billing", g.clients[i].ID}, members: g.members}, held: &held{popped: popped},
		})
	}
	r.setPop(s.src.clusters["c"], g, nil)
	want := []model.InFlight{{Topic: "orders", Client: 0, Messages: 3}}
	if _, pop := g.pop["orders"]; !pop || !slices.Equal(g.inFlight, want) {
		t.Errorf("in flight %v, want %v; pop %v", g.inFlight, want, g.pop)
	}
}
