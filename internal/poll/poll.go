// Package poll decides when a source is read: at once, then at every interval,
// one round at a time, each within its deadline. It also says once in the log
// what fails, and once when it works again, however often it fails in between.
//
// It may hold timing and the log of failures. It does not know what is read.
package poll

import (
	"context"
	"log/slog"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// Options are the settings of a Loop.
type Options struct {
	Interval time.Duration // from the beginning of one round to that of the next
	Deadline time.Duration // of one round
	Logger   *slog.Logger
	// Settle says how long a failure must not have happened again until it has
	// ended. It is for what a source does not try in every round; nil, and 0,
	// is for what it does.
	Settle func(source.Failure) time.Duration
	// Publish is handed each round as it ends, with the time that it took.
	Publish func(source.Round, time.Duration)
}

// Loop reads src until ctx ends. A round that takes longer than the interval
// delays the next; rounds are never made up for.
func Loop(ctx context.Context, src source.Source, o Options) {
	failures := newFailureLog(o.Logger, o.Settle)
	for ctx.Err() == nil {
		began := time.Now()
		// Not a Ticker: after a long round its next tick would come too soon.
		next := time.NewTimer(o.Interval)
		round := collect(ctx, src, o.Deadline)
		if ctx.Err() != nil {
			return // cut short from outside: it says nothing about the cluster
		}
		failures.note(round.Failures)
		o.Publish(round, time.Since(began))
		src.Behind()
		select {
		case <-ctx.Done():
		case <-next.C:
		}
	}
}

func collect(ctx context.Context, src source.Source, deadline time.Duration) source.Round {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	return src.Collect(ctx)
}
