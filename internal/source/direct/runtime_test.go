package direct

import (
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// runtimeOf is what a process told of itself; nil where it told nothing.
func (s *stage) runtimeOf(r source.Round, broker string, id int64) *model.Runtime {
	s.t.Helper()
	for _, snap := range r.Snapshots {
		for i := range snap.Brokers {
			if b := &snap.Brokers[i]; b.Name == broker && b.ID == id {
				return b.Runtime
			}
		}
	}
	s.t.Fatalf("no process %d of %s in the round", id, broker)
	return nil
}

// later reads a round in which what is asked now and then is of the moment.
func (s *stage) later(pass time.Duration) source.Round {
	s.t.Helper()
	s.clock.Advance(pass)
	s.Collect()
	s.settlePulses()
	return s.Collect()
}

func TestRuntimeOfEveryProcess(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 1, "broker-a"), nil)
		s.Shop()
		s.MQ.Broker("broker-a").SetRuntime("sendThreadPoolQueueHeadWaitTimeMills", "199")
		s.MQ.BrokerID("broker-a", 1).SetRuntime("commitLogDiskRatio", "0.75")
		r := s.Check("first round")
		master, slave := s.runtimeOf(r, "broker-a", 0), s.runtimeOf(r, "broker-a", 1)
		if master == nil || slave == nil {
			t.Fatal("a process told nothing")
		}
		if v := slave.Values[model.RuntimeCommitLogDisk]; v != 0.75 {
			t.Errorf("the slave's disk: %v, want 0.75", v)
		}
		if p := master.Pools[0]; p != (model.ThreadPool{Name: "send", Queued: 0, Capacity: 10000, HeadWait: 199}) {
			t.Errorf("the master's send pool: %+v", p)
		}
		if v, ok := master.Values[model.RuntimeActive]; ok != (release == fakemq.Release550) || ok && v != 1 {
			t.Errorf("the master is active: %v, told: %v", v, ok)
		}
		put := master.Values[model.RuntimePutMessages]
		s.Produce("orders", 10)
		r = s.later(time.Hour)
		if v := s.runtimeOf(r, "broker-a", 0).Values[model.RuntimePutMessages]; v != put+10 {
			t.Errorf("messages stored: %v, want %v", v, put+10)
		}
	})
}

// TestOddRuntime: an odd value costs one value, and is counted once for each
// time that it was told.
func TestOddRuntime(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	s.Shop()
	s.MQ.Broker("broker-a").SetRuntime("putLatency99", "fast")
	s.MQ.Broker("broker-a").HideRuntime("brokerActive")
	for step, want := range []int{1, 0, 0} {
		r := s.Check("a round")
		if odd := r.Snapshots[0].Odd; odd != want {
			t.Errorf("round %d: %d odd entries, want %d", step, odd, want)
		}
		info := s.runtimeOf(r, "broker-a", 0)
		for key, want := range map[model.RuntimeKey]bool{
			model.RuntimePutLatency99: false, model.RuntimeActive: false, model.RuntimePutLatency999: true,
		} {
			if _, ok := info.Values[key]; ok != want {
				t.Errorf("round %d: key %d is told: %v, want %v", step, key, ok, want)
			}
		}
	}
}

// TestRuntimeOfADeadBroker: what it last told stands in for some rounds.
func TestRuntimeOfADeadBroker(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a", "broker-b"), nil)
	s.Shop()
	s.Check("all is well")
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{
		Code: remoting.GetBrokerRuntimeInfo, Effect: fakemq.Refuse(remoting.SystemError, "no"),
	})
	s.clock.Advance(time.Hour)
	told := 0 // rounds, the one that asks among them; it may have the answer or not
	for range keep + 3 {
		r := s.Collect()
		s.settlePulses()
		if info := s.runtimeOf(r, "broker-a", 0); info != nil {
			told++
		}
		if s.runtimeOf(r, "broker-b", 0) == nil {
			t.Error("the other broker tells nothing")
		}
	}
	if told != keep && told != keep+1 {
		t.Errorf("it stood in for %d rounds, want %d or, with the one that asked, one more", told, keep)
	}
	s.MQ.Broker("broker-a").ClearFaults()
	if r := s.later(time.Hour); s.runtimeOf(r, "broker-a", 0) == nil {
		t.Error("the broker answers again, and tells nothing")
	}
}
