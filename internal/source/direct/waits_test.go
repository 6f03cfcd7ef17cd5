package direct

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// waitStage is a stage whose brokers have a clock of their own, an hour ahead.
func waitStage(t *testing.T, release fakemq.Release) (s *stage, clock *fakemq.ManualClock) {
	t.Helper()
	clock = fakemq.NewManualClock(time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC))
	o := brokers(release, 0, "broker-a")
	o.Clock = clock
	o.Clusters[0].Skew = time.Hour
	return newStage(t, o, slow), clock
}

// filled: orders has four queues of ten messages, one a second.
func (s *stage) filled(clock *fakemq.ManualClock, groups ...string) {
	s.t.Helper()
	s.Topic("orders", 4)
	for _, g := range groups {
		s.Group(fakemq.Group{Name: g, Topics: []string{"orders"}}, 0)
	}
	for range 10 {
		s.Produce("orders", 4)
		clock.Advance(time.Second)
	}
}

// waits says "group queue: committed age" of all ages on orders.
func (s *stage) waits(r source.Round) []string {
	s.t.Helper()
	var list []string
	for _, w := range s.part(r, "broker-a").Waits {
		for q := range w.Ages {
			if w.Topic == "orders" && w.Ages[q] != model.Unknown {
				list = append(list, fmt.Sprintf("%s %d: %d %v", w.Group, q, w.Committed[q], time.Duration(w.Ages[q])*time.Millisecond))
			}
		}
	}
	return list
}

func (s *stage) wantWaits(step string, r source.Round, want ...string) {
	s.t.Helper()
	if got := s.waits(r); !slices.Equal(got, want) {
		s.t.Errorf("%s: ages %q, want %q", step, got, want)
	}
}

// TestAgesOfWhatWasThereBefore: a commit on what came before anybody watched has
// its exact age asked for, once; when it moves, again, until it has passed.
func TestAgesOfWhatWasThereBefore(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s, clock := waitStage(t, release)
		s.filled(clock, "billing")
		s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 2))
		s.Must(s.MQ.Commit("billing", "orders", "broker-a", 1, 10)) // has consumed all
		asked := func() int { return s.MQ.Requests()[remoting.QueryConsumeTimeSpan] }

		s.wantWaits("nothing was asked yet", s.round(0))
		// Queues 2 and 3 were never committed and begin at 0.
		r := s.round(time.Second)
		s.wantWaits("behind the first round", r, "billing 0: 2 8s", "billing 2: 0 10s", "billing 3: 0 10s")
		n := asked()
		clock.Advance(time.Minute)
		for range 5 {
			r = s.round(15 * time.Second)
		}
		s.wantWaits("it stands where it stood", r, "billing 0: 2 8s", "billing 2: 0 10s", "billing 3: 0 10s")
		if asked() != n {
			t.Errorf("asked %d times more about a commit that has not moved", asked()-n)
		}

		s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 5))
		s.round(time.Second)
		r = s.round(time.Second)
		s.wantWaits("it moved", r, "billing 0: 5 1m5s", "billing 2: 0 1m10s", "billing 3: 0 1m10s")
		s.Produce("orders", 40)
		for q := range 4 {
			s.Must(s.MQ.Commit("billing", "orders", "broker-a", q, 10))
		}
		n = asked()
		s.round(time.Second)
		s.wantWaits("it has passed what was there before", s.round(time.Second))
		if asked() != n {
			t.Errorf("asked %d times about what came while somebody watched", asked()-n)
		}
	})
}

// TestAgeOfACommitThatWentBack: what every group had behind it need not be
// remembered by anybody, so it is asked for again.
func TestAgeOfACommitThatWentBack(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s, clock := waitStage(t, release)
		s.filled(clock, "billing", "archive")
		for q := range 4 {
			s.Must(s.MQ.Commit("billing", "orders", "broker-a", q, 10))
			s.Must(s.MQ.Commit("archive", "orders", "broker-a", q, 10))
		}
		s.round(0)
		for range 10 {
			s.Produce("orders", 4)
			clock.Advance(time.Second)
		}
		for q := range 4 {
			s.Must(s.MQ.Commit("billing", "orders", "broker-a", q, 20))
			s.Must(s.MQ.Commit("archive", "orders", "broker-a", q, 15))
		}
		s.round(time.Second)
		n := s.MQ.Requests()[remoting.QueryConsumeTimeSpan]
		s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 17)) // archive still needs that
		s.wantWaits("a little", s.round(time.Second))
		s.wantWaits("a little", s.round(time.Second))
		if got := s.MQ.Requests()[remoting.QueryConsumeTimeSpan]; got != n {
			t.Errorf("asked %d times about what is still remembered", got-n)
		}
		s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 12))
		s.round(time.Second)
		s.wantWaits("far", s.round(time.Second), "billing 0: 12 8s")
		s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 15))
		s.round(time.Second)
		s.wantWaits("it is back", s.round(time.Second))
	})
}

// TestAgeOfWhatIsNoLongerKept: the age is that of the oldest message kept.
func TestAgeOfWhatIsNoLongerKept(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s, clock := waitStage(t, release)
		s.filled(clock, "billing")
		for q := range 4 {
			s.Must(s.MQ.Commit("billing", "orders", "broker-a", q, 2))
			s.Must(s.MQ.Expire("orders", "broker-a", q, int64(q+1)))
		}
		for range 3 {
			s.round(time.Second)
		}
		s.wantWaits("some commits are no longer kept", s.round(time.Second),
			"billing 0: 2 8s", "billing 1: 2 8s", "billing 2: 3 7s", "billing 3: 4 6s")
		s.Must(s.MQ.Expire("orders", "broker-a", 0, 9))
		s.cycle()
		s.wantWaits("more went", s.round(time.Second),
			"billing 0: 9 1s", "billing 1: 2 8s", "billing 2: 3 7s", "billing 3: 4 6s")
	})
}

// TestNoAgeWhereThereIsNoBacklog: of broadcasting groups, of topics that a group
// left, of dead letters, of queues where nobody knows where a group will start.
func TestNoAgeWhereThereIsNoBacklog(t *testing.T) {
	t.Parallel()
	s, clock := waitStage(t, fakemq.Release514)
	s.filled(clock, "left", "behind")
	s.Group(fakemq.Group{Name: "cache", Topics: []string{"orders"}, Broadcasting: true}, 1)
	s.Consume("cache", "orders", 3)
	s.Topic("other", 1)
	s.Must(s.MQ.DeadLetter("behind", "broker-a", 9))
	s.Group(fakemq.Group{Name: "undertaker", Topics: []string{"%DLQ%behind"}}, 0)
	s.Must(s.MQ.Commit("undertaker", "%DLQ%behind", "broker-a", 0, 1))
	s.Must(s.MQ.Commit("left", "orders", "broker-a", 0, 1))
	s.Must(s.MQ.Subscribe("left", "other"))
	s.Consumer("left", fakemq.Consumer{})
	s.Must(s.MQ.Expire("orders", "broker-a", 3, 1))
	for q := range 3 {
		s.Must(s.MQ.Commit("behind", "orders", "broker-a", q, 9))
	}
	for range 3 {
		s.round(time.Second)
	}
	r := s.round(time.Second)
	s.wantWaits("one group is behind", r, "behind 0: 9 1s", "behind 1: 9 1s", "behind 2: 9 1s")
	for _, w := range s.part(r, "broker-a").Waits {
		if w.Topic != "orders" || w.Group != "behind" {
			t.Errorf("asked about %s on %s", w.Group, w.Topic)
		}
	}
}

// TestWorstFirst: behind a round only so many pairs are asked about, the largest
// backlog first; those that are known wait for the others.
func TestWorstFirst(t *testing.T) {
	t.Parallel()
	s, _ := waitStage(t, fakemq.Release550)
	s.Topic("orders", 8)
	s.Produce("orders", 8*1000)
	const groups = 150
	for i := range groups {
		name := fmt.Sprintf("g%03d", i)
		s.Group(fakemq.Group{Name: name, Topics: []string{"orders"}}, 0)
		for q := range 8 {
			s.Must(s.MQ.Commit(name, "orders", "broker-a", q, int64(groups-i)))
		}
	}
	told := func(r source.Round) map[string]bool {
		known := map[string]bool{}
		for _, w := range s.part(r, "broker-a").Waits {
			known[w.Group] = true
		}
		return known
	}
	s.round(0)
	each := min(maxWaitPairs, maxWaitQueues/8)
	for round := 1; round <= 3; round++ {
		known := told(s.round(time.Second))
		if want := min(groups, round*each); len(known) != want {
			t.Errorf("after %d rounds %d ages are known, want %d", round, len(known), want)
		}
		for i := groups - 1; i >= groups-len(known); i-- {
			if name := fmt.Sprintf("g%03d", i); !known[name] {
				t.Errorf("after %d rounds the age of %s is not known, and of smaller ones it is", round, name)
			}
		}
	}
}

// TestRefusedAges: not asked for again before the next cycle.
func TestRefusedAges(t *testing.T) {
	t.Parallel()
	s, clock := waitStage(t, fakemq.Release550)
	s.filled(clock, "billing")
	s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 2))
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{Code: remoting.QueryConsumeTimeSpan, Effect: fakemq.Garble()})
	failed := 0
	for range 8 {
		s.clock.Advance(15 * time.Second)
		r := s.Collect()
		s.settleErrands()
		failed += len(r.Failures)
		if len(r.Failures) > 0 {
			s.wantFailures("garbled", r, s.MQ.Broker("broker-a"), remoting.QueryConsumeTimeSpan)
		}
		s.wantWaits("garbled", r)
	}
	if failed < 1 || failed > 2 {
		t.Errorf("%d failures in two cycles", failed)
	}
	s.MQ.Broker("broker-a").ClearFaults()
	s.cycle()
	s.cycle()
	s.wantWaits("answered", s.round(time.Second), "billing 0: 2 8s", "billing 1: 0 10s", "billing 2: 0 10s", "billing 3: 0 10s")
}

// TestAgesThatAreNotToldHoldUpNothing: a broker that does not come to reading old
// messages from its disk still tells its topics' stats.
func TestAgesThatAreNotToldHoldUpNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), func(o *Options) {
		slow(o)
		o.Remoting.RequestTimeout = 100 * time.Millisecond
	})
	groups := []string{"archive", "billing", "fraud", "mail", "search"}
	s.filled(fakemq.NewManualClock(time.Now()), groups...)
	for _, g := range groups {
		for q := range 4 {
			s.Must(s.MQ.Commit(g, "orders", "broker-a", q, 2))
		}
	}
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{Code: remoting.QueryConsumeTimeSpan, Effect: fakemq.Drop()})
	for range 2 {
		s.Collect()
		s.settleErrands()
	}
	p := s.part(s.Collect(), "broker-a")
	i := slices.IndexFunc(p.Topics, func(t model.Topic) bool { return t.Name == "orders" })
	if p.Begins.At(int(p.Topics[i].First)) != 0 {
		t.Error("where orders begin is not known")
	}
	if s.MQ.Requests()[remoting.QueryConsumeTimeSpan] == 0 {
		t.Error("no age was asked for")
	}
}
