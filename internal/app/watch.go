package app

import (
	"context"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
)

// Sight is what is known of all clusters at one time.
type Sight struct {
	Reports []*lag.Report
	// Rounds is how many rounds every entry of the settings has had at least.
	Rounds int
	// Failures are those of the last round of each.
	Failures []source.Failure
	// Unreached are the entries of which the last round reached nothing.
	Unreached []string
	// Whole: the last round of each read all that there is.
	Whole bool
}

// Watch reads all clusters, each in its own time, and serves nothing. After each
// round of any it hands over what is known of all, until ctx ends or show
// returns false. What is not shown in time is passed over for what is newer.
func (a *App) Watch(ctx context.Context, show func(Sight) (more bool)) {
	ctx, cancel := context.WithCancel(ctx)
	news := make(chan struct{}, 1)
	for _, t := range a.targets() {
		t.published = func() {
			select {
			case news <- struct{}{}:
			default:
			}
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Collect(ctx)
	}()
	for more := true; more; {
		select {
		case <-ctx.Done():
			more = false
		case <-news:
			more = show(a.sight())
		}
	}
	cancel()
	<-done
}

func (a *App) sight() Sight {
	s := Sight{Whole: true}
	for i, t := range a.targets() {
		last := t.state.Load()
		if last == nil {
			s.Rounds, s.Whole = 0, false
			continue
		}
		if i == 0 || last.round < s.Rounds {
			s.Rounds = last.round
		}
		if last.end == web.Failed {
			s.Unreached = append(s.Unreached, t.name())
		}
		s.Whole = s.Whole && last.end == web.Whole
		s.Reports = slices.Concat(s.Reports, last.reports)
		s.Failures = slices.Concat(s.Failures, last.failures)
	}
	return s
}
