package direct

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// TestTopicUnreadable: a topic whose ends cannot be read costs its own rows and
// no others, and those only after some rounds.
func TestTopicUnreadable(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]fakemq.Effect{
		"refused": fakemq.Refuse(remoting.SystemError, "oops"), "garbled": fakemq.Garble(),
	} {
		for _, topic := range []string{"orders", "notices"} { // the latter is broadcast
			t.Run(name+" "+topic, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, brokers(fakemq.Release497, 0, "broker-a", "broker-b"), nil)
				s.Shop()
				s.Check("all is well")
				last := s.RowsOf("all is well", s.Check("all is well"))
				bad := s.MQ.Broker("broker-a")
				bad.Inject(fakemq.Fault{Code: remoting.GetTopicStatsInfo, Fields: map[string]string{"topic": topic}, Effect: effect})
				hit := func(l sourcetest.Labels) bool { return l.Topic == topic && l.Broker == "broker-a" }
				for round := 1; round <= keep+2; round++ {
					s.More()
					r := s.Collect()
					want := s.Truth().Only(not(hit))
					if round <= keep {
						want = join(want, last.Only(hit))
					}
					s.Compare(fmt.Sprintf("round %d", round), r, want)
					s.wantFailures("unreadable", r, bad, remoting.GetTopicStatsInfo)
					s.wantIncomplete("unreadable", r, 1)
				}
				bad.ClearFaults()
				s.wantIncomplete("readable", s.Check("readable"), 0)
			})
		}
	}
}

// TestBulkUnreadable: an answer in bulk that makes no sense costs the topics in
// it; one that is refused costs nothing, they are asked for one by one.
func TestBulkUnreadable(t *testing.T) {
	t.Parallel()
	setUp := func(t *testing.T) (s *stage, bad *fakemq.Node) {
		t.Helper()
		s = newStage(t, brokers(fakemq.Release550, 0, "broker-a", "broker-b"), nil)
		s.Shop()
		s.Check("all is well")
		return s, s.MQ.Broker("broker-a")
	}
	t.Run("garbled", func(t *testing.T) {
		t.Parallel()
		s, bad := setUp(t)
		last := s.RowsOf("all is well", s.Check("all is well"))
		bad.Inject(fakemq.Fault{Code: remoting.GetConsumeStats, Effect: fakemq.Garble()})
		for round := 1; round <= keep+2; round++ {
			s.More()
			r := s.Collect()
			want := s.Truth().Only(onBroker("broker-b"))
			if round <= keep {
				want = join(want, last.Only(onBroker("broker-a")))
			}
			s.Compare("garbled", r, want)
			s.wantFailures("garbled", r, bad, remoting.GetConsumeStats)
			s.wantIncomplete("garbled", r, 1)
		}
		bad.ClearFaults()
		s.Check("well again")
	})
	t.Run("refused for once", func(t *testing.T) {
		t.Parallel()
		s, bad := setUp(t)
		bad.Inject(fakemq.Fault{Code: remoting.GetConsumeStats, Times: 1, Effect: fakemq.Refuse(remoting.SystemError, "oops")})
		s.More()
		r := s.Collect()
		s.Compare("refused", r, s.Truth())
		s.wantFailures("refused", r, bad, remoting.GetConsumeStats)
		s.wantIncomplete("refused", r, 0)
		w := s.watch()
		s.Check("not refused")
		if got := w.of("broker-a"); got[208] != 1 || got[202] != 0 {
			t.Errorf("requests %v: want the ends in bulk again", got)
		}
	})
	t.Run("refused always", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
		s.Shop()
		s.MQ.Broker("broker-a").Inject(fakemq.Fault{Code: remoting.GetConsumeStats, Effect: fakemq.Refuse(remoting.SystemError, "no")})
		r := s.Collect()
		s.Compare("refused", r, s.Truth())
		w := s.watch()
		s.Check("it is not asked for again")
		if got := w.all(); got[208] != 0 {
			t.Errorf("requests %v: want none in bulk", got)
		}
	})
}

// TestTopicDeletedMeanwhile: between the answer with the commits and the one
// with the ends. It is nobody's failure, and proves nothing about the broker.
func TestTopicDeletedMeanwhile(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		var mq atomic.Pointer[fakemq.Cluster]
		o := brokers(release, 0, "broker-a")
		o.Trace = func(_ string, req *remoting.Command) {
			topic, _ := req.Field("topic")
			list, _ := req.Field("topicList")
			if c := mq.Load(); c != nil && strings.Contains(topic+";"+list, "short-lived") {
				mq.Store(nil)
				if err := c.DeleteTopic("short-lived"); err != nil {
					t.Error(err)
				}
				if err := c.DeleteTopic("%RETRY%g"); err != nil {
					t.Error(err)
				}
			}
		}
		s := newStage(t, o, nil)
		s.Topic("short-lived", 4)
		s.Group(fakemq.Group{Name: "g", Topics: []string{"short-lived"}}, 1)
		s.Produce("short-lived", 100)
		s.Consume("g", "short-lived", 50)
		mq.Store(s.MQ)
		r := s.Check("deleted meanwhile")
		if mq.Load() != nil {
			t.Fatal("it was not deleted")
		}
		s.wantIncomplete("deleted meanwhile", r, 0)
		s.Shop()
		s.Check("other topics")
		w := s.watch()
		s.Check("other topics, later")
		if got := w.all(); (got[208] > 0) != (release == fakemq.Release550) || (got[202] > 0) != (release == fakemq.Release497) {
			t.Errorf("requests %v: not those of the release", got)
		}
	})
}

// TestGarbledBeginnings: a garbled answer about beginnings may not decide what
// counts.
func TestGarbledBeginnings(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	s.Topic("orders", 4)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 0)
	s.Produce("orders", 40)
	s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 3))
	all := s.RowsOf("all is well", s.Check("all is well"))
	bad := s.MQ.Broker("broker-a")
	bad.Inject(fakemq.Fault{Code: remoting.GetTopicStatsInfo, Effect: fakemq.Body([]byte(
		`{"offsetTable":{{"brokerName":"broker-a","queueId":1,"topic":"orders"}:{"lastUpdateTimestamp":0,"maxOffset":10,"minOffset":0},{"bro`))})
	r := s.Collect()
	s.Compare("garbled", r, all.Only(func(l sourcetest.Labels) bool { return l.Queue == 0 && l.Topic == "orders" }))
	s.wantFailures("garbled", r, bad, remoting.GetTopicStatsInfo)
	if n := sourcetest.Uncommitted(r, "orders", "billing"); n != 3 {
		t.Errorf("%d queues that nobody knows the start of, want 3", n)
	}
}

// TestOddEntries: what makes no sense in an answer that is sound otherwise is
// counted and passed over.
func TestOddEntries(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	s.Shop()
	s.Check("all is well")
	want := s.Truth().Only(onTopic("orders"))
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{Code: remoting.GetAllConsumerOffset, Effect: fakemq.Body([]byte(
		`{"offsetTable":{"orders@billing":{0:18,1:17,2:17,3:18,-1:4,70000:5,4:99,2147483647:1},"no-group":{0:1},"orders@a@b":{0:1},` +
			`"gone@billing":{0:1},"orders@gone":{0:1},"":{},"@":{0:0},"orders@archive":null,"audit@archive":{0:-7}}}`))})
	r := s.Collect()
	got := s.RowsOf("odd", r)
	for l := range want {
		if _, ok := got[l]; !ok {
			t.Errorf("odd: %v is missing", l)
		}
	}
	if n := r.Snapshots[0].Odd; n < 6 {
		t.Errorf("%d odd entries, want those that make no sense counted", n)
	}
	s.noFailures("odd", r)
}

// TestForgedSize: a few bytes must not make the exporter hold gigabytes.
func TestForgedSize(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	s.Shop()
	var topics, groups, commits strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&topics, `%s"t%d":{"readQueueNums":65535}`, comma(i), i)
		fmt.Fprintf(&groups, `%s"g%d":{}`, comma(i), i)
		fmt.Fprintf(&commits, `%s"t%d@g%d":{}`, comma(i), i, i)
	}
	node := s.MQ.Broker("broker-a")
	for code, body := range map[remoting.RequestCode]string{
		remoting.GetAllTopicConfig:       `{"topicConfigTable":{"huge":{"readQueueNums":2147483647},` + topics.String() + `}}`,
		remoting.GetAllSubscriptionGroup: `{"subscriptionGroupTable":{` + groups.String() + `}}`,
		remoting.GetAllConsumerOffset:    `{"offsetTable":{` + commits.String() + `}}`,
		remoting.GetConsumeStats:         `{"offsetTable":{}}`,
	} {
		node.Inject(fakemq.Fault{Code: code, Effect: fakemq.Body([]byte(body))})
	}
	r := s.Collect()
	if n := r.Snapshots[0].Odd; n != 2000-maxRows/65535+1 {
		t.Errorf("odd: %d", n)
	}
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// TestTopicMadeAnewUnseen: a topic that was deleted and made anew, while the
// commits of its broker could not be read, has its rows at once.
func TestTopicMadeAnewUnseen(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), nil)
		s.Shop()
		s.Check("all is well")
		b := s.MQ.Broker("broker-a")
		b.Inject(fakemq.Fault{Code: remoting.GetAllConsumerOffset, Effect: fakemq.Garble()})
		s.Must(s.MQ.DeleteTopic("orders"))
		s.Collect()
		b.ClearFaults()
		s.Topic("orders", 4)
		s.Produce("orders", 20)
		s.Consume("billing", "orders", 5)
		s.Check("it is there again")
	})
}
