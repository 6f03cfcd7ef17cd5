package direct

import (
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// none stands for a value that must not be there.
const none = -1

// wantReplicas compares what is said of the slaves of broker-a: bytes behind of
// each, and of the master how many are connected and in sync.
func (s *stage) wantReplicas(step string, r source.Round, connected, inSync float64, behind ...float64) {
	s.t.Helper()
	value := func(id int64, key model.RuntimeKey) float64 {
		if info := s.runtimeOf(r, "broker-a", id); info != nil {
			if v, ok := info.Values[key]; ok {
				return v
			}
		}
		return none
	}
	if c, n := value(0, model.RuntimeSlavesConnected), value(0, model.RuntimeSlavesInSync); c != connected || n != inSync {
		s.t.Errorf("%s: the master tells of %v slaves, %v in sync; want %v and %v", step, c, n, connected, inSync)
	}
	for i, want := range behind {
		if v := value(int64(i+1), model.RuntimeSlaveBehind); v != want {
			s.t.Errorf("%s: slave %d is %v behind, want %v", step, i+1, v, want)
		}
	}
}

func TestSlavesBehind(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 2, "broker-a"), slow)
		s.Shop()
		connected, inSync := 2.0, 2.0
		four := release == fakemq.Release497
		if four { // nobody tells
			connected, inSync = none, none
		}
		s.wantReplicas("all is well", s.cycle(), connected, inSync, 0, 0)
		s.MQ.BrokerID("broker-a", 1).FallBehind(1000)
		s.wantReplicas("one is behind", s.cycle(), connected, inSync, 1000, 0)
		s.MQ.BrokerID("broker-a", 2).Detach()
		s.Produce("orders", 10)
		if !four {
			connected, inSync = 1, 1
		}
		s.wantReplicas("one copies no more", s.cycle(), connected, inSync, 1000, 2560)
		s.MQ.BrokerID("broker-a", 1).Stop()
		s.MQ.BrokerID("broker-a", 1).Deregister()
		for range 6 {
			s.clock.Advance(15 * time.Second)
			s.Collect()
			s.settleErrands()
		}
		if !four {
			connected, inSync = 0, 0
		}
		r := s.Collect()
		s.wantReplicas("the other is dead", r, connected, inSync, none, 2560)
		if states := up(r); states["broker-a/1"] {
			t.Error("a dead slave is up")
		}
		s.MQ.Broker("broker-a").Stop()
		for range keep + 2 {
			s.clock.Advance(15 * time.Second)
			r = s.Collect()
		}
		s.wantReplicas("the master is dead", r, none, none, none, none)
	})
}

// TestNoSlaves: a master without any is asked who copies from it, where it knows
// that request, and a broker of 4.x is not asked for its runtime once more.
func TestNoSlaves(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), slow)
		s.Shop()
		want := 0.0
		if release == fakemq.Release497 {
			want = none
		}
		s.cycle()
		w := s.watch()
		s.wantReplicas("alone", s.cycle(), want, want)
		if n := w.all()[28]; n > 2 {
			t.Errorf("asked %d times for its runtime in a cycle", n)
		}
	})
}
