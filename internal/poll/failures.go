package poll

import (
	"log/slog"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// failureLog says what fails: when it begins, not while it goes on, and when
// it has ended.
type failureLog struct {
	log    *slog.Logger
	settle func(source.Failure) time.Duration // may be nil
	failed map[failureKey]*failing
}

// failureKey is what makes two failures the same one. The error's words are not
// in it: they may hold a port or a time that changes.
type failureKey struct{ cluster, target, step, reason string }

type failing struct {
	rounds, count int
	settled       time.Time // from when on a round without it means that it has ended
	now           bool      // it failed in this round too
}

func newFailureLog(log *slog.Logger, settle func(source.Failure) time.Duration) *failureLog {
	return &failureLog{log: log, settle: settle, failed: make(map[failureKey]*failing)}
}

// note takes the failures of one round. What is remembered is bounded by what
// failed in the last one, and in those before while it may fail again.
func (f *failureLog) note(list []source.Failure) {
	now := time.Now()
	for _, fail := range list {
		key := failureKey{fail.Cluster, fail.Target, fail.Step, fail.Reason}
		known := f.failed[key]
		if known == nil {
			known = &failing{}
			f.failed[key] = known
			f.log.Warn("Cannot be read; repetitions are only counted",
				"cluster", fail.Cluster, "target", fail.Target, "request", fail.Step,
				"reason", fail.Reason, "count", fail.Count, "err", fail.Err)
		}
		known.rounds++
		known.count += fail.Count
		known.now, known.settled = true, now
		if f.settle != nil {
			known.settled = now.Add(f.settle(fail))
		}
	}
	for key, known := range f.failed {
		if known.now || now.Before(known.settled) {
			known.now = false
			continue
		}
		delete(f.failed, key)
		f.log.Info("No longer fails",
			"cluster", key.cluster, "target", key.target, "request", key.step,
			"reason", key.reason, "rounds", known.rounds, "count", known.count)
	}
}
