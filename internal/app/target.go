package app

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/console"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// target is one installation that is read, and what its last round brought.
type target struct {
	config config.Cluster // what it says of showing may have changed since: see shown
	src    source.Source
	stats  *stats
	now    func() time.Time

	stop    context.CancelFunc // nil while it is not read
	stopped chan struct{}      // closed when it is no longer

	// Of the goroutine that publishes.
	main   string                    // RocketMQ's name of the cluster that has the target's name
	pasts  map[string]*store.History // by cluster
	rounds int                       // so far
	// inherited are the brokers that main and pasts are about, while those are
	// of a target whose place this one took; nil when they are its own.
	inherited map[brokerAt]bool
	// published is called after each round; nil: nobody wants to know.
	published func()

	state latest
	mu    sync.Mutex // of whoever replaces state, and of shown
	shown shown
}

// shown is what settings say of how a target is shown.
type shown struct {
	states  lag.Rules // of consumer groups, from the next round on
	rules   exposition.Rules
	console string // that the page links to; may be empty
}

// publish takes the end of a round.
func (t *target) publish(r source.Round, took time.Duration) {
	t.rounds++
	s := &state{failures: r.Failures, took: took, steps: r.Steps, round: t.rounds}
	t.disown(r.Snapshots)
	t.rename(r.Snapshots)
	for _, snap := range r.Snapshots {
		t.past(snap.Cluster).Add(snap)
	}
	t.forgetPasts(r.Snapshots)
	t.replace(s, r.Snapshots)
	if t.published != nil {
		t.published()
	}
}

// replace has the end of a round seen, in place of the last one.
func (t *target) replace(s *state, snaps []*model.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state.Replace(func() *state {
		for _, snap := range snaps {
			s.reports = append(s.reports, lag.BuildAfter(snap, t.past(snap.Cluster), t.shown.states))
		}
		s.end = endOf(s.reports, s.failures)
		s.show(t.shown)
		t.stats.round(s, t.now())
		return s
	})
}

// show has the target shown as other settings say, from now on.
func (t *target) show(c config.Cluster) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shown = newShown(c)
	if last := t.state.Load(); last != nil {
		s := *last
		s.show(t.shown)
		t.state.Store(&s)
	}
}

// showAsBefore lets a target that takes another's place show what that one
// showed, until it knows better.
func (t *target) showAsBefore(old *target) {
	if old == nil {
		return
	}
	t.state.Store(old.state.Load())
}

// views is what is shown of the last round, nil before there was one, until done.
func (t *target) views() (list []*exposition.View, done func()) {
	s, done := t.state.Use()
	if s != nil {
		list = s.views
	}
	return list, done
}

// isShown is how the target is shown now.
func (t *target) isShown() shown {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shown
}

// readsAs says whether other settings read the same in the same way.
func (t *target) readsAs(c config.Cluster) bool {
	return reflect.DeepEqual(withoutShown(t.config), withoutShown(c))
}

// rename gives the clusters their values of the label cluster. The settings'
// name is that of one cluster: of several behind the same name servers it goes
// to the one with the most brokers, which keeps it while it is there, and the
// others are called NAME/RocketMQ's name. So two entries of the settings never
// share a value, whatever their clusters call themselves.
func (t *target) rename(snaps []*model.Snapshot) {
	if t.config.Name == "" || len(snaps) == 0 {
		return
	}
	if !slices.ContainsFunc(snaps, func(s *model.Snapshot) bool { return s.Cluster == t.main }) {
		t.main = slices.MaxFunc(snaps, func(a, b *model.Snapshot) int {
			return cmp.Or(cmp.Compare(len(a.Brokers), len(b.Brokers)), cmp.Compare(b.Cluster, a.Cluster))
		}).Cluster
	}
	for i, s := range snaps {
		renamed := *s
		renamed.Cluster = t.config.Name
		if s.Cluster != t.main {
			renamed.Cluster += "/" + s.Cluster
		}
		snaps[i] = &renamed
	}
}

// past is that of one cluster.
func (t *target) past(cluster string) *store.History {
	if t.pasts == nil {
		t.pasts = make(map[string]*store.History)
	}
	if t.pasts[cluster] == nil {
		t.pasts[cluster] = &store.History{}
	}
	return t.pasts[cluster]
}

// forgetPasts lets go of clusters that are no more.
func (t *target) forgetPasts(snaps []*model.Snapshot) {
	maps.DeleteFunc(t.pasts, func(cluster string, _ *store.History) bool {
		return !slices.ContainsFunc(snaps, func(s *model.Snapshot) bool { return s.Cluster == cluster })
	})
}

// label is the value of the label cluster for what concerns the target as a
// whole: the name of its one cluster, or while it has none or several, its own.
func (t *target) label() string {
	if s := t.state.Load(); s != nil && len(s.reports) == 1 && t.config.Name == "" {
		return s.reports[0].Snapshot.Cluster
	}
	return t.name()
}

// name is what the target is called before anything is known of it.
func (t *target) name() string { return nameOf(t.config) }

// nameOf is the name that the settings give to a cluster, or as the sources call
// one that they have never reached.
func nameOf(c config.Cluster) string {
	if c.Console.URL != "" {
		return cmp.Or(c.Name, c.Console.Host())
	}
	return cmp.Or(c.Name, strings.Join(c.NameServers, ";"))
}

// reads is what the log says of what is read.
func (t *target) reads() []any {
	list := []any{"target", t.name()}
	if t.config.Console.URL != "" {
		return append(list, "console", t.config.Console.URL)
	}
	return append(list, "namesrv", t.config.NameServers)
}

// settle tells what need not fail again in the next round although nothing got
// better: what a source asks in the background, or not in every round.
func (t *target) settle(f source.Failure) time.Duration {
	round := max(t.config.Interval, t.config.Timeout) // at most
	switch f.Step {
	case remoting.GetConsumerRunningInfo.String():
		// Processes that did not answer are asked again after pauses that
		// grow to OwnerRefresh, and two at a time.
		return 2 * (t.config.OwnerRefresh + t.config.Interval)
	case remoting.GetBrokerRuntimeInfo.String():
		return backgroundTimeout
	case remoting.GetTopicStatsInfo.String(), remoting.QueryConsumeTimeSpan.String(),
		remoting.GetAllMessageRequestMode.String(), remoting.GetBrokerHAStatus.String():
		return 2 * (t.config.SlowCycle + round)
	case console.PathRunningInfo:
		return consoleProcessPause + 2*round
	case consoleGroups:
		return (consoleGroupRounds + 1) * round
	case consoleConnection:
		return (consoleOfflineRounds + 1) * round
	}
	return 0
}

// backgroundTimeout is longer than a request takes to fail, with its dialing.
const backgroundTimeout = 10 * time.Second
