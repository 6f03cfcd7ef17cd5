package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/console"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// state is what the last round brought.
type state struct {
	reports  []*lag.Report
	views    []*exposition.View // of the reports
	console  string             // that the page links to; may be empty
	end      web.Round
	failures []source.Failure
	took     time.Duration
	steps    []source.Step
	round    int // the first is 1
}

// latest is the state that scrapes and pages see: replaced as a whole after each
// round, and never written to.
type latest struct {
	mu sync.RWMutex
	s  *state

	users *users // of s; nil before there was any
}

// users are those who write what a state has, which takes a while.
type users struct {
	mu   sync.Mutex
	n    int
	gone chan struct{} // closed when all are; nil: nobody waits for that
}

func (u *users) add() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.n++
}

func (u *users) done() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 && u.gone != nil {
		close(u.gone)
		u.gone = nil
	}
}

// wait waits for all to be done, but not long. Nobody may come meanwhile.
func (u *users) wait(atMost time.Duration) {
	u.mu.Lock()
	if u.n == 0 {
		u.mu.Unlock()
		return
	}
	gone := make(chan struct{})
	u.gone = gone
	u.mu.Unlock()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C:
		u.mu.Lock()
		defer u.mu.Unlock()
		u.gone = nil
	}
}

// lastUse is for how long a round's end waits for scrapes of the one before: several
// times what one takes that is read without a pause. Others keep what they have.
const lastUse = 250 * time.Millisecond

// Load is the state; nil before there was any.
func (l *latest) Load() *state {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.s
}

// Use is the state, for who calls done as soon as it is not needed any more, and
// loads no other before.
func (l *latest) Use() (s *state, done func()) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.s == nil {
		return nil, func() {}
	}
	l.users.add()
	return l.s, l.users.done
}

// Store replaces the state.
func (l *latest) Store(s *state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.s = s; l.users == nil {
		l.users = new(users)
	}
}

// Replace replaces the state by one that is still to be made. The old one is let
// go before: two reports of a large cluster would be much of all memory. So scrapes
// of it that are under way are waited for, and whoever wants to see meanwhile waits,
// which is some tens of milliseconds for 225,000 rows.
func (l *latest) Replace(build func() *state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users != nil {
		l.users.wait(lastUse)
	}
	// Who is slow keeps a state that is no more: no other round waits for that.
	l.s, l.users = nil, new(users)
	l.s = build()
}

// show decides what of the reports is shown.
func (s *state) show(as shown) {
	s.console, s.views = as.console, nil
	for _, r := range s.reports {
		s.views = append(s.views, as.rules.View(r))
	}
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

// clusters is what the page shows of the target.
func (t *target) clusters() []web.Cluster {
	s := t.state.Load()
	if s == nil {
		return []web.Cluster{{Name: t.name(), Console: t.isShown().console}}
	}
	var list []web.Cluster
	for _, r := range s.reports {
		list = append(list, web.Cluster{
			Name: r.Snapshot.Cluster, LastRound: s.end, LastError: s.errorText(),
			RoundDuration: s.took, Report: r, Console: s.console,
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
