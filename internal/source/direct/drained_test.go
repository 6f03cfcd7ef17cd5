package direct

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// lines of queues about a topic, without the time of its newest message.
func linesOf(r source.Round, topic string) []string {
	var list []string
	for _, line := range queues(r) {
		if strings.HasPrefix(line, topic+" ") {
			list = append(list, line[:strings.LastIndex(line, " ")])
		}
	}
	return list
}

// TestDrainedTopicUnreadable: whether a topic that nobody may write to is there is
// not for an answer that failed to decide.
func TestDrainedTopicUnreadable(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release497, 0, "broker-a", "broker-b"), nil)
	s.Shop()
	s.Must(s.MQ.ResizeTopic("orders", 4, 0))
	last := s.RowsOf("all is well", s.Check("all is well"))
	bad := s.MQ.Broker("broker-a")
	bad.Inject(fakemq.Fault{
		Code: remoting.GetConsumeStats, Fields: map[string]string{"topic": "orders"},
		Effect: fakemq.Refuse(remoting.SystemError, "oops"),
	})
	hit := func(l sourcetest.Labels) bool { return l.Topic == "orders" && l.Broker == "broker-a" }
	for round := 1; round <= keep+2; round++ {
		s.Consume("billing", "orders", 1)
		r := s.Collect()
		want := s.Truth().Only(not(hit))
		if round <= keep {
			want = join(want, last.Only(hit))
		}
		s.Compare(fmt.Sprintf("round %d", round), r, want)
		s.wantFailures("unreadable", r, bad, remoting.GetConsumeStats)
		s.wantIncomplete("unreadable", r, 1)
	}
	bad.ClearFaults()
	s.wantIncomplete("readable", s.Check("readable"), 0)
}

// TestPlanOfDrainedTopics: one question more for each, and none of a broker that
// tells the ends in bulk.
func TestPlanOfDrainedTopics(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), nil)
		s.Shop()
		s.Check("all is well")
		for _, topic := range []string{"orders", "audit"} {
			s.Must(s.MQ.ResizeTopic(topic, 3, 0))
		}
		s.Check("drained")
		before := s.watch()
		s.Check("later")
		got := before.all()
		if bulk := release == fakemq.Release550; bulk && got[202] > 0 || !bulk && got[208] != 2 {
			t.Errorf("requests %v", got)
		}
	})
}

// TestEveryTopicIsDrained: that a broker does not know the bulk request is learned
// from any other that tells the ends.
func TestEveryTopicIsDrained(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release497, 0, "broker-a"), nil)
	s.Topic("orders", 4)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 1)
	s.Produce("orders", 40)
	s.Consume("billing", "orders", 20)
	for _, topic := range []string{"orders", "%RETRY%billing"} {
		s.Must(s.MQ.ResizeTopic(topic, 4, 0))
	}
	s.Check("the first round")
	before := s.watch()
	s.Check("the second")
	if got := before.all(); got[202] != 2 || got[208] != 2 {
		t.Errorf("requests %v: want 202 and 208 once for each topic", got)
	}
}

// TestDrainedTopicNobodyCommittedOn: its ends are known as those of others.
func TestDrainedTopicNobodyCommittedOn(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), slow)
		s.Shop()
		s.Topic("quiet", 3)
		s.Topic("half", 3)
		s.Produce("quiet", 30)
		s.Produce("half", 30)
		s.Must(s.MQ.ResizeTopic("quiet", 3, 0))
		s.Must(s.MQ.ResizeTopic("half", 3, 1))
		begin := 0 // of queues that are only read
		if release != fakemq.Release550 {
			begin = -1
		}
		r := s.cycle()
		for topic, want := range map[string][]string{
			"quiet": {fmt.Sprintf("quiet broker-a 0: %d 10", begin), fmt.Sprintf("quiet broker-a 1: %d 10", begin), fmt.Sprintf("quiet broker-a 2: %d 10", begin)},
			"half":  {"half broker-a 0: 0 10", fmt.Sprintf("half broker-a 1: %d 10", begin), fmt.Sprintf("half broker-a 2: %d 10", begin)},
		} {
			if got := linesOf(r, topic); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		}
		if r.Snapshots[0].SlowTaken.IsZero() {
			t.Error("the cycle is late")
		}
	})
}

// TestDrainedBehindRoundsUnreadable: the request that failed is the one that is
// counted, and the cycle is late.
func TestDrainedBehindRoundsUnreadable(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release497, 0, "broker-a"), slow)
	s.Shop()
	s.Topic("quiet", 3)
	s.Must(s.MQ.ResizeTopic("quiet", 3, 0))
	bad := s.MQ.Broker("broker-a")
	bad.Inject(fakemq.Fault{
		Code: remoting.GetConsumeStats, Fields: map[string]string{"topic": "quiet"},
		Effect: fakemq.Refuse(remoting.SystemError, "oops"),
	})
	s.round(0)
	s.clock.Advance(time.Second)
	r := s.Collect()
	s.wantFailures("behind the first round", r, bad, remoting.GetConsumeStats)
	if !r.Snapshots[0].SlowTaken.IsZero() {
		t.Error("nothing is late")
	}
}

// TestBeginningsOfDrainedQueues: what nobody tells any more is not known, however
// long it was: retention goes on.
func TestBeginningsOfDrainedQueues(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), slow)
		s.Shop()
		s.Topic("quiet", 2)
		s.Produce("quiet", 20)
		s.cycle() // its beginnings are told while nobody has committed on it
		s.Group(fakemq.Group{Name: "late", Topics: []string{"quiet"}}, 1)
		s.Must(s.MQ.Commit("late", "quiet", "broker-a", 0, 2))
		s.Must(s.MQ.Commit("late", "quiet", "broker-a", 1, 2))
		s.cycle()
		s.Must(s.MQ.ResizeTopic("quiet", 2, 0))
		s.Must(s.MQ.Expire("quiet", "broker-a", 0, 7))
		s.Must(s.MQ.Expire("quiet", "broker-a", 1, 8))
		want := []string{"quiet broker-a 0: 7 10", "quiet broker-a 1: 8 10"}
		if release != fakemq.Release550 {
			want = []string{"quiet broker-a 0: -1 10", "quiet broker-a 1: -1 10"}
		}
		for range quietCycles {
			s.cycle()
		}
		if got := linesOf(s.cycle(), "quiet"); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestUncommittedDrainedQueue: where such a queue begins nobody tells before 5.3.0,
// so nobody knows where a group without a commit will start.
func TestUncommittedDrainedQueue(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), nil)
		s.Shop()
		s.Topic("quiet", 2)
		s.Produce("quiet", 20)
		s.Group(fakemq.Group{Name: "late", Topics: []string{"quiet"}}, 0)
		s.Must(s.MQ.Commit("late", "quiet", "broker-a", 0, 2))
		s.Check("it counts from 0")
		s.Must(s.MQ.ResizeTopic("quiet", 2, 0))
		want, rows := 1, s.Truth().Only(not(func(l sourcetest.Labels) bool { return l.Topic == "quiet" && l.Queue == 1 }))
		if release == fakemq.Release550 {
			want, rows = 0, s.Truth()
		}
		r := s.Collect()
		s.noFailures("drained", r)
		s.Compare("drained", r, rows)
		if n := sourcetest.Uncommitted(r, "quiet", "late"); n != want {
			t.Errorf("%d queues that nobody knows the start of, want %d", n, want)
		}
	})
}

// TestNewestOfDrainedTopic: when the last message came does not change by who may
// write.
func TestNewestOfDrainedTopic(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), slow)
		s.Shop()
		s.cycle()
		s.Must(s.MQ.ProduceTo("orders", "broker-a", 3, 1))
		want := s.newest(s.cycle(), "orders")
		for _, write := range []int{1, 0} {
			s.Must(s.MQ.ResizeTopic("orders", 4, write))
			s.cycle()
			if got := s.newest(s.cycle(), "orders"); got != want {
				t.Errorf("%d queues to write: the newest message is of %d, want %d", write, got, want)
			}
		}
		s.Must(s.MQ.DeleteTopic("orders"))
		s.Topic("orders", 4)
		s.Must(s.MQ.ProduceTo("orders", "broker-a", 0, 5))
		s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 5))
		now := s.clock.Now().UnixMilli()
		if got := s.newest(s.cycle(), "orders"); got < now-1 {
			t.Errorf("made anew: the newest message is of %d, now is %d", got, now)
		}
	})
}

// newest is when the newest message of a topic on broker-a was stored.
func (s *stage) newest(r source.Round, topic string) int64 {
	s.t.Helper()
	p := s.part(r, "broker-a")
	for i := range p.Topics {
		if p.Topics[i].Name == topic {
			return p.Stored[i]
		}
	}
	s.t.Fatalf("%s is not there", topic)
	return 0
}
