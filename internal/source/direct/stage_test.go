package direct

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// stage is a fake RocketMQ, a direct source that reads it, and that source's
// clock.
type stage struct {
	*sourcetest.Stage
	t     *testing.T
	src   *Source
	clock *fakemq.ManualClock
}

const keep = 3 // rounds

// newStage sets a stage. A node that could not be reached is tried again in the
// next round, and a round waits for processes as long as a busy machine needs;
// change says what a test wants otherwise.
func newStage(t *testing.T, o fakemq.Options, change func(*Options)) *stage {
	t.Helper()
	clock := fakemq.NewManualClock(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC))
	s := sourcetest.Start(t, o, source.Selection{}, func(tb testing.TB, mq *fakemq.Cluster, _ source.Selection) source.Source {
		tb.Cleanup(func() { onlyReads(tb, mq) })
		o := Options{
			NameServers: mq.NameServers(),
			KeepRounds:  keep,
			SlowEvery:   -1,
			OwnerWait:   time.Minute,
			Remoting:    remoting.Options{BackoffMin: 1, BackoffMax: 1},
			Now: func() time.Time { // stands still for nobody
				clock.Advance(time.Millisecond)
				return clock.Now()
			},
		}
		if change != nil {
			change(&o)
		}
		return New(o)
	})
	return &stage{Stage: s, t: t, src: s.Source.(*Source), clock: clock}
}

// brokers are the options of one cluster.
func brokers(r fakemq.Release, slaves int, names ...string) fakemq.Options {
	return fakemq.Options{Release: r, Clusters: []fakemq.ClusterOptions{{Name: "c", Brokers: names, Slaves: slaves}}}
}

// both runs a test in both dialects.
func both(t *testing.T, test func(t *testing.T, r fakemq.Release)) {
	t.Helper()
	t.Parallel()
	sourcetest.EachRelease(t, test, fakemq.Release497, fakemq.Release550)
}

func (s *stage) group(name string) *group {
	s.t.Helper()
	for _, c := range s.src.clusters {
		if g := c.groups[name]; g != nil {
			return g
		}
	}
	s.t.Fatalf("group %q is not remembered", name)
	return nil
}

func onBroker(names ...string) func(sourcetest.Labels) bool {
	return func(l sourcetest.Labels) bool {
		return strings.Contains(" "+strings.Join(names, " ")+" ", " "+l.Broker+" ")
	}
}

func onTopic(name string) func(sourcetest.Labels) bool {
	return func(l sourcetest.Labels) bool { return l.Topic == name }
}

func not(match func(sourcetest.Labels) bool) func(sourcetest.Labels) bool {
	return func(l sourcetest.Labels) bool { return !match(l) }
}

// join puts rows together that have no labels in common.
func join(list ...sourcetest.Rows) sourcetest.Rows {
	all := sourcetest.Rows{}
	for _, rows := range list {
		maps.Copy(all, rows)
	}
	return all
}

// up says which processes of brokers a round calls up, as "name/id".
func up(r source.Round) map[string]bool {
	all := map[string]bool{}
	for _, s := range r.Snapshots {
		for _, b := range s.Brokers {
			all[fmt.Sprintf("%s/%d", b.Name, b.ID)] = b.Up
		}
	}
	return all
}

func role(r source.Round, name string, id int64) (model.Role, bool) {
	for _, s := range r.Snapshots {
		for _, b := range s.Brokers {
			if b.Name == name && b.ID == id {
				return b.Role, true
			}
		}
	}
	return 0, false
}

// failures of a round, as "target request reason".
func failures(r source.Round) []string {
	var list []string
	for _, f := range r.Failures {
		list = append(list, f.Target+" "+f.Step+" "+f.Reason)
	}
	return list
}

// wantFailures holds every failure of a round against the one node and request
// that is at fault. Without a request it may be any.
func (s *stage) wantFailures(step string, r source.Round, node *fakemq.Node, request remoting.RequestCode) {
	s.t.Helper()
	if len(r.Failures) == 0 {
		s.t.Errorf("%s: nothing failed", step)
	}
	for _, f := range r.Failures {
		if f.Target != node.Addr() || request != 0 && f.Step != request.String() {
			s.t.Errorf("%s: failure of %s at %s, want only such of %s at %s: %v", step, f.Step, f.Target, request, node.Addr(), f.Err)
		}
		if text := f.Err.Error(); !strings.Contains(text, node.Addr()) || !strings.Contains(text, f.Step) {
			s.t.Errorf("%s: the message names not both node and request: %s", step, text)
		}
		if f.Reason == "" || f.Count == 0 {
			s.t.Errorf("%s: failure %+v", step, f)
		}
	}
}

// noFailures ends in an error where something failed.
func (s *stage) noFailures(step string, r source.Round) {
	s.t.Helper()
	for _, f := range r.Failures {
		s.t.Errorf("%s: failure: %+v", step, f)
	}
}

func (s *stage) wantIncomplete(step string, r source.Round, n int) {
	s.t.Helper()
	if got := sourcetest.Incomplete(r); got != n {
		s.t.Errorf("%s: %d incomplete brokers, want %d", step, got, n)
	}
}

// requests counts what nodes receive from now on.
type requests struct {
	mq     *fakemq.Cluster
	before map[string]map[remoting.RequestCode]int
}

func (s *stage) watch() *requests {
	w := &requests{mq: s.MQ, before: map[string]map[remoting.RequestCode]int{}}
	for _, n := range s.MQ.Nodes() {
		w.before[n.Name()] = n.Requests()
	}
	return w
}

// of is what a node has received since.
func (w *requests) of(node string) map[remoting.RequestCode]int {
	got := map[remoting.RequestCode]int{}
	for _, n := range w.mq.Nodes() {
		for code, times := range n.Requests() {
			if d := times - w.before[n.Name()][code]; d > 0 && (node == "" || n.Name() == node) {
				got[code] += d
			}
		}
	}
	return got
}

// all is what all nodes together have received.
func (w *requests) all() map[remoting.RequestCode]int { return w.of("") }

// seen is a record of requests, for Options.Trace of a fake.
type seen struct {
	mu   sync.Mutex
	list []string
}

func (s *seen) trace(fields ...string) func(string, *remoting.Command) {
	return func(node string, req *remoting.Command) {
		line := fmt.Sprintf("%s %d", node, req.Code)
		for _, key := range fields {
			if v, ok := req.Field(key); ok {
				line += " " + key + "=" + v
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.list = append(s.list, line)
	}
}

// take returns what was seen since the last call.
func (s *seen) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list = nil
	return list
}

// settlePulses waits until no question of how a process is stands open.
func (s *stage) settlePulses() {
	s.t.Helper()
	for _, c := range s.src.clusters {
		for _, b := range c.brokers {
			for _, p := range b.procs {
				p.pulse.mu.Lock()
				asking := p.pulse.asking
				p.pulse.mu.Unlock()
				if asking != nil {
					<-asking
				}
			}
		}
	}
}

// slow has a stage run the slower cycle, once a minute.
func slow(o *Options) { o.SlowEvery = time.Minute }

// settleErrands waits until nothing is asked behind a round.
func (s *stage) settleErrands() { s.src.Settle(s.t.Context()) }

// round reads a round after some time, in which nothing may fail, and waits for
// what is asked behind it.
func (s *stage) round(pass time.Duration) source.Round {
	s.t.Helper()
	s.clock.Advance(pass)
	r := s.Collect()
	s.noFailures("a round", r)
	s.settleErrands()
	s.settlePulses()
	return r
}

// cycle lets the slower cycle come round once, and reads a round that has all of
// it.
func (s *stage) cycle() source.Round {
	s.t.Helper()
	for range 4 {
		s.round(15 * time.Second)
	}
	return s.round(time.Second)
}

// part is the offsets of a broker in a round.
func (s *stage) part(r source.Round, broker string) *model.Part {
	s.t.Helper()
	for _, snap := range r.Snapshots {
		for _, p := range snap.Parts {
			if p.Broker == broker {
				return p.Part
			}
		}
	}
	s.t.Fatalf("no part of %s", broker)
	return nil
}
