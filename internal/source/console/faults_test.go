package console

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
)

var twoBrokers = []string{"broker-a", "broker-b"}

func TestConsoleDown(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, fakemq.ConsoleOptions{Release: release}, twoBrokers, nil)
		s.Shop()
		last := s.whole("well")
		taken := s.src.Collect(t.Context()).Snapshots[0].Taken
		s.console.Stop()
		for round := 1; round <= keep+1; round++ {
			s.More()
			s.clock.Advance(15 * time.Second)
			r := s.Collect()
			if f := failuresOf(r); len(f) != 2 || f[pathClusters+" connect"] != 1 || f[pathTopics+" connect"] != 1 {
				t.Errorf("round %d: failures %v", round, f)
			}
			if up := ups(r); up != "" {
				t.Errorf("round %d: %s up, and the console is down", round, up)
			}
			if n := sourcetest.Incomplete(r); n != 2 {
				t.Errorf("round %d: %d brokers are incomplete, want 2", round, n)
			}
			if !r.Snapshots[0].Taken.Equal(taken) {
				t.Errorf("round %d: taken %v, want %v", round, r.Snapshots[0].Taken, taken)
			}
			if round > keep {
				last = sourcetest.Rows{}
			}
			s.Compare("down", r, last)
		}
		if err := s.console.Start(); err != nil {
			t.Fatal(err)
		}
		s.whole("well again")
	})
}

func TestNeverReached(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	src, err := New(Options{URL: web.URL + "/rmq/#/topic"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	r := src.Collect(t.Context())
	if f := failuresOf(r); len(f) != 2 || f[pathClusters+" http_status"] != 1 || f[pathTopics+" http_status"] != 1 {
		t.Errorf("failures %v", f)
	}
	if len(r.Snapshots) != 1 || r.Snapshots[0].Cluster != src.client.base.Host || len(r.Snapshots[0].Brokers) > 0 {
		t.Errorf("snapshots %+v", r.Snapshots)
	}
	if text := r.Failures[0].Err.Error(); !strings.Contains(text, "context path") || !strings.Contains(text, "/rmq/") {
		t.Errorf("%s", text)
	}
}

// TestOneGroupFails: whatever becomes of the call for one group costs that group
// and no other.
func TestOneGroupFails(t *testing.T) {
	flood := int64(500 << 20)
	for name, c := range map[string]struct {
		effect fakemq.ConsoleEffect
		reason string
	}{
		"refused":      {fakemq.ConsoleRefuse("java.lang.NullPointerException"), reasonRefused},
		"HTML":         {fakemq.ConsolePage(http.StatusOK), reasonNotJSON},
		"bad gateway":  {fakemq.ConsolePage(http.StatusBadGateway), reasonHTTPStatus},
		"cut":          {fakemq.ConsoleCut(60), reasonMalformed},
		"broken off":   {fakemq.ConsoleBreak(60), reasonMalformed},
		"disconnected": {fakemq.ConsoleDisconnect(), reasonConnect},
		"garbled":      {fakemq.ConsoleBody(http.StatusOK, "application/json", []byte(`{"status":0,"data":[[}]`)), reasonMalformed},
		"other shape":  {fakemq.ConsoleBody(http.StatusOK, "application/json", []byte(`{"status":0,"data":{"a":1},"errMsg":null}`)), reasonMalformed},
		"no status":    {fakemq.ConsoleBody(http.StatusOK, "application/json", []byte(`{"data":[]}`)), reasonMalformed},
		"nothing":      {fakemq.ConsoleBody(http.StatusOK, "application/json", nil), reasonNotJSON},
		"500 MB":       {fakemq.ConsoleFlood(flood), reasonMalformed}, // a topic list where rows should be
		"too large":    {fakemq.ConsoleBody(http.StatusOK, "application/json", []byte(`{"status":0,"data":[`+strings.Repeat(" ", 1<<20)+`]}`)), reasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
				s := newStage(t, fakemq.ConsoleOptions{Release: release}, twoBrokers, func(o *Options) { o.MaxAnswer = 1 << 20 })
				s.Shop()
				last := s.whole("well").Only(ofGroup("billing"))
				s.console.Inject(fakemq.ConsoleFault{Path: pathRows, Query: map[string]string{"consumerGroup": "billing"}, Effect: c.effect})
				for round := 1; round <= keep+1; round++ {
					s.More()
					r := s.Collect()
					if f := failuresOf(r); f[pathRows+" "+c.reason] == 0 || len(f) != 1 {
						t.Errorf("round %d: failures %v, want %s", round, r.Failures, c.reason)
					}
					if n := sourcetest.Incomplete(r); n == 0 {
						t.Errorf("round %d: nothing is incomplete", round)
					}
					if round > keep {
						last = sourcetest.Rows{}
					}
					s.Compare(name, r, join(s.Truth().Only(not(ofGroup("billing"))), last))
				}
				s.console.ClearFaults()
				s.whole("well again")
			})
		})
	}
}

// TestFloodIsNotHeld: an answer of 500 MB is given up at the bound.
func TestFloodIsNotHeld(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{}, twoBrokers, func(o *Options) { o.MaxAnswer = 1 << 20 })
	s.Shop()
	var received int64
	s.src.client.opts.Observe = func(x Exchange) {
		if x.Path == pathTopics {
			received = x.Received
		}
	}
	s.console.Inject(fakemq.ConsoleFault{Path: pathTopics, Effect: fakemq.ConsoleFlood(500 << 20)})
	r := s.Collect()
	if f := failuresOf(r); f[pathTopics+" too_large"] != 1 {
		t.Errorf("failures %v", r.Failures)
	}
	if received == 0 || received > 1<<20 {
		t.Errorf("%d bytes of it were read", received)
	}
	s.Compare("without the topics", r, s.Truth())
}

// TestDripAndDeadline: an answer that never ends costs the time of one call, and
// no round outlives its deadline.
func TestDripAndDeadline(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{}, twoBrokers, nil)
	s.Shop()
	s.whole("well")
	s.src.client.opts.CallTimeout, s.src.opts.CallTimeout = 20*time.Millisecond, 20*time.Millisecond
	s.console.Inject(fakemq.ConsoleFault{Path: pathTopics, Effect: fakemq.ConsoleDrip(time.Millisecond)})
	if f := failuresOf(s.Collect()); f[pathTopics+" timeout"] != 1 {
		t.Errorf("drip: failures %v", f)
	}
	s.src.client.opts.CallTimeout, s.src.opts.CallTimeout = time.Minute, time.Minute
	s.console.Inject(fakemq.ConsoleFault{Effect: fakemq.ConsoleGate(make(chan struct{}))})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	r := s.src.Collect(ctx)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the round took %v", took)
	}
	for _, f := range r.Failures {
		if f.Reason != reasonTimeout {
			t.Errorf("deadline: %+v", f)
		}
	}
	if ups(r) != "" {
		t.Errorf("%s up, and nobody answered", ups(r))
	}
}

// TestBrokerDown: one broker of two is gone. Where the console refuses for that
// to list the brokers, name servers tell them.
func TestBrokerDown(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, fakemq.ConsoleOptions{Release: release}, twoBrokers, nil)
		s.Shop()
		last := s.whole("well")
		node := s.MQ.Broker("broker-b")
		node.Stop()
		s.More()
		r := s.Collect()
		if up := ups(r); up != "broker-a" && release == fakemq.Console211 || strings.Contains(up, "broker-b") {
			t.Errorf("up: %s", up)
		}
		if release == fakemq.Console211 {
			// 2.x is told which brokers to ask, so that the other one's
			// rows are fresh. The ends of a topic are told whole or not.
			s.Compare("down", r, join(
				s.Truth().Only(onBroker("broker-a")).Only(not(ofGroup("cache"))),
				last.Only(onBroker("broker-a")).Only(ofGroup("cache")), last.Only(onBroker("broker-b"))))
		} else {
			s.Compare("down", r, last)
		}
		node.Deregister()
		for round := 2; round <= keep+2; round++ {
			s.More()
			r = s.Collect()
			if round > keep {
				last = sourcetest.Rows{}
			}
			s.Compare("gone from the name servers", r, join(s.Truth().Only(onBroker("broker-a")), last.Only(onBroker("broker-b"))))
			if up := ups(r); up != "broker-a" {
				t.Errorf("round %d: up: %s", round, up)
			}
			if n := sourcetest.Incomplete(r); n != 1 {
				t.Errorf("round %d: %d brokers are incomplete, want 1", round, n)
			}
		}
		s.Restart(node)
		node.Register()
		s.whole("well again")
		s.clock.Advance(2 * time.Hour)
		node.Deregister()
		node.Stop()
		s.Collect()
		s.clock.Advance(2 * time.Hour)
		if r := s.Collect(); len(r.Snapshots[0].Brokers) != 1 {
			t.Errorf("after an hour: brokers %+v", r.Snapshots[0].Brokers)
		}
	})
}

// TestSlowProcess: a process that hangs delays what the console says of its
// group, beyond the time of a call. The answer serves a later round.
func TestSlowProcess(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, fakemq.ConsoleOptions{Release: release}, twoBrokers, nil)
		s.Shop()
		s.whole("well")
		open := make(chan struct{})
		s.console.Inject(fakemq.ConsoleFault{Path: pathRows, Query: map[string]string{"consumerGroup": "billing"}, Effect: fakemq.ConsoleGate(open)})
		s.src.opts.CallTimeout = 30 * time.Second // of the call that runs on, four times as much
		g := s.src.groups["billing"]
		// Its first quarter must do for what does not hang, also on a busy machine.
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		r := s.src.Collect(ctx)
		if f := failuresOf(r); f[pathRows+" timeout"] != 1 {
			t.Fatalf("failures %v", r.Failures)
		}
		if g.call == nil {
			t.Fatal("the call was given up")
		}
		if r := s.Collect(); len(r.Failures) > 0 || sourcetest.Incomplete(r) == 0 {
			t.Errorf("while it runs on: failures %v, %d incomplete", r.Failures, sourcetest.Incomplete(r))
		}
		s.More()
		close(open)
		<-g.call.done
		s.whole("it has come")
		if g.call != nil || s.src.late != 0 {
			t.Errorf("%d calls are still counted", s.src.late)
		}
		s.console.ClearFaults()
		s.whole("well again")
		if g.slow {
			t.Error("the group is still taken for slow")
		}
	})
}

// TestCloseEndsCalls: what runs on ends with the source.
func TestCloseEndsCalls(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{}, twoBrokers, nil)
	s.Shop()
	s.whole("well")
	s.console.Inject(fakemq.ConsoleFault{Path: pathRows, Effect: fakemq.ConsoleGate(make(chan struct{}))})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s.src.Collect(ctx)
	if err := s.src.Close(); err != nil {
		t.Error(err)
	}
}

// TestOneOfAThousand: one group of a thousand that fails costs only itself.
func TestOneOfAThousand(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{}, []string{"broker-a"}, nil)
	world(t, s.MQ, 1000, 250, 1)
	s.console.Inject(fakemq.ConsoleFault{Path: pathRows, Query: map[string]string{"consumerGroup": "group-0007"}, Effect: fakemq.ConsolePage(http.StatusBadGateway)})
	r := s.Collect()
	if f := failuresOf(r); len(r.Failures) != 1 || f[pathRows+" http_status"] != 1 {
		t.Errorf("failures %v", r.Failures)
	}
	s.Compare("one fails", r, s.Truth().Only(not(ofGroup("group-0007"))))
}

// TestBroadcasterSilent: a process of a broadcasting group that does not answer
// keeps its last numbers for some rounds, and is not asked all the time.
func TestBroadcasterSilent(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{}, []string{"broker-a"}, nil)
	s.Shop()
	last := s.whole("well").Only(ofGroup("cache"))
	fault := s.console.Inject(fakemq.ConsoleFault{Path: pathRunning, Effect: fakemq.ConsoleRefuse("RemotingTimeoutException")})
	for round := 1; round <= keep+1; round++ {
		s.More()
		s.clock.Advance(5 * time.Second)
		r := s.Collect()
		if f := failuresOf(r); round == 1 && f[pathRunning+" refused"] != 2 {
			t.Errorf("failures %v", r.Failures)
		}
		if round > keep {
			last = sourcetest.Rows{}
		}
		s.Compare("silent", r, join(s.Truth().Only(not(ofGroup("cache"))), last))
	}
	if n := fault.Hits(); n != 4 { // at once, after 10 s
		t.Errorf("asked %d times, want 4", n)
	}
	fault.Remove()
	s.clock.Advance(time.Minute)
	s.whole("well again")
}

// TestModelNotTold: while nobody tells whether a group broadcasts, its rows are
// not believed.
func TestModelNotTold(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, fakemq.ConsoleOptions{Release: release}, []string{"broker-a"}, nil)
		s.Shop()
		for _, path := range []string{pathGroups, pathRefresh, pathConnection} {
			s.console.Inject(fakemq.ConsoleFault{Path: path, Effect: fakemq.ConsoleRefuse("Cache is being built, please try again later")})
		}
		r := s.Collect()
		s.Compare("not told", r, sourcetest.Rows{})
		if s.Rows(r) == 0 {
			t.Error("no group was found by its retry topic")
		}
		s.console.ClearFaults()
		s.whole("told")
	})
}

// Rows is how many groups a round knows.
func (s *stage) Rows(r source.Round) int {
	n := 0
	for _, snap := range r.Snapshots {
		n += len(snap.Groups)
	}
	return n
}

// TestBeginningMoves: what was told behind a round of a queue's beginning does not
// stand in for what the next round is to ask for.
func TestBeginningMoves(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, fakemq.ConsoleOptions{Release: release}, []string{"broker-a"}, func(o *Options) {
			o.SlowEvery, o.BeginRounds = 1, 1
		})
		s.Topic("orders", 2)
		s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 0)
		s.Produce("orders", 40)
		s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 3))
		s.whole("both begin at 0")
		s.src.Settle(t.Context())
		s.Must(s.MQ.Expire("orders", "broker-a", 1, 4))
		r := s.Check("retention has moved a beginning")
		if n := sourcetest.Uncommitted(r, "orders", "billing"); n != 1 {
			t.Errorf("%d queues that nobody knows the start of, want 1", n)
		}
	})
}

// TestDrainedTopic: of a topic that nobody may write to, brokers of before 5.3.0
// tell no stats, and the console refuses to show none. What was known of it and
// cannot change stays.
func TestDrainedTopic(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, fakemq.ConsoleOptions{Release: release}, []string{"broker-a", "broker-b"}, func(o *Options) {
			o.SlowEvery, o.BeginRounds = 1, 1
		})
		s.Topic("orders", 2)
		s.Topic("quiet", 2)
		s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 0)
		s.Produce("orders", 40)
		for _, broker := range []string{"broker-a", "broker-b"} {
			s.Must(s.MQ.Commit("billing", "orders", broker, 0, 3))
			s.Must(s.MQ.Expire("orders", broker, 1, 4))
		}
		round := func(step string) (uncommitted int, newest []int64) {
			t.Helper()
			s.Collect()
			s.src.Settle(t.Context())
			r := s.Check(step)
			for _, p := range r.Snapshots[0].Parts {
				for i := range p.Topics {
					if p.Topics[i].Name == "orders" {
						newest = append(newest, p.Stored[i])
					}
				}
			}
			if r.Snapshots[0].SlowTaken.IsZero() {
				t.Errorf("%s: the slower cycle is late", step)
			}
			return sourcetest.Uncommitted(r, "orders", "billing"), newest
		}
		s.Collect()
		s.src.Settle(t.Context())
		was, newest := round("retention has moved a beginning")
		if was != 2 {
			t.Fatalf("%d queues that nobody knows the start of, want 2", was)
		}
		for _, resize := range []func() error{
			func() error { return s.MQ.ResizeTopic("orders", 2, 1) },
			func() error { return s.MQ.ResizeTopic("orders", 2, 0, "broker-a") },
			func() error { return errors.Join(s.MQ.ResizeTopic("orders", 2, 0), s.MQ.ResizeTopic("quiet", 2, 0)) },
		} {
			s.Must(resize())
			s.clock.Advance(time.Minute)
			if n, at := round("it is drained"); n != was || !slices.Equal(at, newest) {
				t.Errorf("%d queues that nobody knows the start of, want %d; the newest messages are of %d, want %d", n, was, at, newest)
			}
		}
	})
}

// TestSlowCycleRefused: a topic that was asked for is not as young as the cycle
// when the console did not tell.
func TestSlowCycleRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{}, []string{"broker-a"}, func(o *Options) { o.SlowEvery = time.Minute })
	s.Shop()
	cycles := func(n int) (ago time.Duration) {
		t.Helper()
		for range 4 * n {
			s.clock.Advance(15 * time.Second)
			r := s.Collect()
			s.src.Settle(t.Context())
			ago = s.clock.Now().Sub(r.Snapshots[0].SlowTaken)
		}
		return ago
	}
	if ago := cycles(4); ago > time.Minute {
		t.Fatalf("all is well, and the slower cycle was last on time %v ago", ago)
	}
	s.Topic("quiet", 1)
	no := s.console.Inject(fakemq.ConsoleFault{
		Path: pathStats, Query: map[string]string{"topic": "quiet"}, Effect: fakemq.ConsoleRefuse("oops"),
	})
	if ago := cycles(10); ago < 9*time.Minute {
		t.Errorf("a topic is refused, and the slower cycle was last on time %v ago", ago)
	}
	no.Remove()
	if ago := cycles(4); ago > time.Minute {
		t.Errorf("all is told again, and the slower cycle was last on time %v ago", ago)
	}
}

// TestStatsNotKnown: a console without the stats of topics shows what it shows.
func TestStatsNotKnown(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{}, []string{"broker-a"}, func(o *Options) { o.GroupRounds = 4 })
	s.Shop()
	s.Must(s.MQ.AddTopic(fakemq.Topic{Name: "old", Queues: 2, Begin: 100}))
	s.Must(s.MQ.Subscribe("billing", "orders", "old"))
	s.Produce("old", 20)
	s.Must(s.MQ.Commit("billing", "old", "broker-a", 0, 103))
	fault := s.console.Inject(fakemq.ConsoleFault{Path: pathStats, Effect: fakemq.ConsolePage(http.StatusNotFound)})
	for range 3 {
		r := s.Collect()
		if len(r.Failures) > 0 {
			t.Errorf("failures %v", r.Failures)
		}
		if n := backlogOf(r.Snapshots[0], "billing", "old"); n != 7+110 {
			t.Errorf("backlog %d, want 7 and 110 from 0, as the console shows", n)
		}
	}
	if fault.Hits() > 4 { // those that were under way at the same time
		t.Errorf("stats were asked for %d times", fault.Hits())
	}
	fault.Remove()
	for range s.src.opts.GroupRounds {
		s.Collect()
	}
	s.whole("it knows them now")
}

func TestReason(t *testing.T) {
	t.Parallel()
	if r := Reason(errors.New("connection reset")); r != reasonConnect {
		t.Errorf("%q", r)
	}
	if r := Reason(context.Canceled); r != reasonCanceled {
		t.Errorf("%q", r)
	}
}

// TestSlaveDown: a slave that cannot be reached makes the console refuse to list
// any broker. It costs that slave.
func TestSlaveDown(t *testing.T) {
	t.Parallel()
	st := &stage{t: t}
	st.Stage = sourcetest.Start(t, fakemq.Options{Clusters: []fakemq.ClusterOptions{{Brokers: twoBrokers, Slaves: 1}}}, source.Selection{},
		func(tb testing.TB, mq *fakemq.Cluster, sel source.Selection) source.Source {
			st.console = startConsole(tb, mq, fakemq.ConsoleOptions{})
			st.src = newSource(tb, st.console, Options{Selection: sel})
			return st.src
		})
	st.Shop()
	down := st.MQ.BrokerID("broker-b", 1)
	down.Stop()
	for range keep + 2 { // from the first round on
		st.More()
		r := st.Collect()
		if f := failuresOf(r); len(r.Failures) != 1 || f[pathClusters+" refused"] != 1 {
			t.Errorf("failures %v", r.Failures)
		}
		if n := sourcetest.Incomplete(r); n != 0 {
			t.Errorf("%d brokers are incomplete", n)
		}
		st.Compare("a slave is down", r, st.Truth())
		for _, b := range r.Snapshots[0].Brokers {
			if b.Up != (b.Addr != down.Addr()) {
				t.Errorf("broker %+v", b)
			}
		}
	}
	st.Restart(down)
	st.whole("well again")
}

// TestRefreshNotGranted: a user of a 2.x console who may not have the list of
// groups made anew gets the old one, and is told.
func TestRefreshNotGranted(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{Release: fakemq.Console211}, []string{"broker-a"}, nil)
	s.Shop()
	s.console.Inject(fakemq.ConsoleFault{Path: pathRefresh, Effect: fakemq.ConsoleRefuse("no permission")})
	r := s.Collect()
	s.Compare("refused", r, s.Truth())
	if f := failuresOf(r); f[pathRefresh+" refused"] != 1 || len(f) != 1 {
		t.Errorf("failures %v", r.Failures)
	}
	s.More()
	r = s.Collect()
	s.Compare("and later", r, s.Truth())
	if len(r.Failures) != 0 {
		t.Errorf("asked again at once: %v", r.Failures)
	}
}
