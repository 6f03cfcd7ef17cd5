package console

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
)

// stage is a fake RocketMQ, a console before it, a source that reads that, and
// the source's clock.
type stage struct {
	*sourcetest.Stage
	t       *testing.T
	console *fakemq.Console
	src     *Source
	clock   *fakemq.ManualClock
}

const keep = 3 // rounds

// newStage sets a stage with brokers of the release that fits the console's.
func newStage(t *testing.T, c fakemq.ConsoleOptions, names []string, change func(*Options)) *stage {
	t.Helper()
	st := &stage{t: t, clock: fakemq.NewManualClock(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC))}
	o := fakemq.Options{
		Release: fakemq.Release550, ClientTimeout: 2 * time.Second,
		Clusters: []fakemq.ClusterOptions{{Name: "c", Brokers: names}},
	}
	if c.Release == fakemq.Console100 {
		o.Release = fakemq.Release497
	}
	st.Stage = sourcetest.Start(t, o, source.Selection{}, func(tb testing.TB, mq *fakemq.Cluster, _ source.Selection) source.Source {
		st.console = startConsole(tb, mq, c)
		o := Options{KeepRounds: keep, CallTimeout: time.Minute, ProcessTimeout: time.Minute, SlowEvery: -1, Now: st.clock.Now}
		if change != nil {
			change(&o)
		}
		st.src = newSource(tb, st.console, o)
		return st.src
	})
	return st
}

// both runs a test before both releases of the console.
func both(t *testing.T, test func(t *testing.T, r fakemq.ConsoleRelease)) {
	t.Helper()
	t.Parallel()
	sourcetest.EachRelease(t, test, fakemq.Console100, fakemq.Console211)
}

// whole reads a round in which nothing may fail, and which must be true.
func (s *stage) whole(step string) sourcetest.Rows {
	s.t.Helper()
	r := s.Check(step)
	if n := sourcetest.Incomplete(r); n > 0 {
		s.t.Errorf("%s: %d brokers are incomplete", step, n)
	}
	return s.Truth()
}

func ofGroup(name string) func(sourcetest.Labels) bool {
	return func(l sourcetest.Labels) bool { return l.Group == name }
}

func onBroker(name string) func(sourcetest.Labels) bool {
	return func(l sourcetest.Labels) bool { return l.Broker == name }
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

// backlogOf adds up what a snapshot says of a group on a topic; -1 for nothing. It
// is simpler than the report on purpose.
func backlogOf(snap *model.Snapshot, group, topic string) int64 {
	sum := int64(-1)
	add := func(end, committed int64) {
		if end != model.Unknown && committed != model.Unknown {
			sum = max(sum, 0) + end - committed
		}
	}
	for _, g := range snap.Groups {
		if g.Name != group || g.Model != model.Broadcasting {
			continue
		}
		for _, l := range g.Local {
			for q, committed := range l.Committed {
				add(l.Ends[q], committed)
			}
		}
		return sum
	}
	for _, p := range snap.Parts {
		for _, c := range p.Commits {
			t := p.Topics[c.Topic]
			for q := range int(t.Queues) {
				if p.GroupOf(&c) == group && t.Name == topic {
					add(p.Ends.At(int(t.First)+q), p.Committed.At(int(c.First)+q))
				}
			}
		}
	}
	return sum
}

// ups says which brokers' masters a round calls up.
func ups(r source.Round) string {
	var list []string
	for _, snap := range r.Snapshots {
		for _, b := range snap.Brokers {
			if b.Up {
				list = append(list, b.Name)
			}
		}
	}
	return strings.Join(list, " ")
}

// failuresOf says what failed in a round, as "step reason".
func failuresOf(r source.Round) map[string]int {
	all := map[string]int{}
	for _, f := range r.Failures {
		all[f.Step+" "+f.Reason] += f.Count
	}
	return all
}
