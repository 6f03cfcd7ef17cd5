package app

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/console"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// target is one installation that is read, and what its last round brought.
type target struct {
	name    string // as the settings name it
	console string // that the page links to; may be empty
	src     source.Source
	stats   *stats
	now     func() time.Time

	counters map[string]*lag.Consumed // by cluster; of the goroutine that publishes

	// state is replaced as a whole after each round and never written to:
	// scrapes and pages read it without a lock.
	state atomic.Pointer[state]
}

// state is what the last round brought.
type state struct {
	reports  []*lag.Report
	end      web.Round
	failures []source.Failure
	took     time.Duration
}

// publish takes the end of a round.
func (t *target) publish(r source.Round, took time.Duration) {
	s := &state{failures: r.Failures, took: took}
	for _, snap := range r.Snapshots {
		report := lag.Build(snap)
		t.consumed(snap.Cluster).Count(report)
		s.reports = append(s.reports, report)
	}
	t.forgetConsumed(r.Snapshots)
	s.end = endOf(s.reports, r.Failures)
	t.stats.round(s, t.now())
	t.state.Store(s)
}

// consumed counts for one cluster.
func (t *target) consumed(cluster string) *lag.Consumed {
	if t.counters == nil {
		t.counters = make(map[string]*lag.Consumed)
	}
	if t.counters[cluster] == nil {
		t.counters[cluster] = &lag.Consumed{}
	}
	return t.counters[cluster]
}

// forgetConsumed lets go of clusters that are no more.
func (t *target) forgetConsumed(snaps []*model.Snapshot) {
	maps.DeleteFunc(t.counters, func(cluster string, _ *lag.Consumed) bool {
		return !slices.ContainsFunc(snaps, func(s *model.Snapshot) bool { return s.Cluster == cluster })
	})
}

// endOf tells how much of what the round was to read it has read. Consumer
// processes that do not answer cost their labels and no more: they do not make
// a round partial.
func endOf(reports []*lag.Report, failures []source.Failure) web.Round {
	reached := slices.ContainsFunc(reports, (*lag.Report).Up)
	if !reached {
		return web.Failed
	}
	for _, r := range reports {
		if !r.Up() || r.Incomplete > 0 || slices.ContainsFunc(r.Snapshot.Brokers, down) {
			return web.Partial
		}
	}
	for _, f := range failures {
		if !isProcessStep(f.Step) {
			return web.Partial
		}
	}
	return web.Whole
}

// isProcessStep tells the requests that are handed on to consumer processes.
func isProcessStep(step string) bool {
	return step == remoting.GetConsumerRunningInfo.String() || step == console.PathRunningInfo
}

func down(b model.Broker) bool { return !b.Up }

// label is the value of the label cluster for what concerns the target as a
// whole: the name of its one cluster, or while it has none or several, its own.
func (t *target) label() string {
	if s := t.state.Load(); s != nil && len(s.reports) == 1 {
		return s.reports[0].Snapshot.Cluster
	}
	return t.name
}

// clusters is what the page shows of the target.
func (t *target) clusters() []web.Cluster {
	s := t.state.Load()
	if s == nil {
		return []web.Cluster{{Name: t.name, Console: t.console}}
	}
	var list []web.Cluster
	for _, r := range s.reports {
		list = append(list, web.Cluster{
			Name: r.Snapshot.Cluster, LastRound: s.end, LastError: s.errorText(),
			RoundDuration: s.took, Report: r, Console: t.console,
		})
	}
	return list
}

// shownFailures is how many failures the page spells out.
const shownFailures = 3

func (s *state) errorText() string {
	list := slices.Clone(s.failures)
	slices.SortStableFunc(list, func(a, b source.Failure) int { return cmp.Compare(b.Count, a.Count) })
	var text []string
	for _, f := range list[:min(len(list), shownFailures)] {
		if f.Count > 1 {
			text = append(text, fmt.Sprintf("%v (%d times)", f.Err, f.Count))
		} else {
			text = append(text, f.Err.Error())
		}
	}
	if more := len(list) - shownFailures; more > 0 {
		text = append(text, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(text, "; ")
}
