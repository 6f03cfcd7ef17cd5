package lag

import (
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// Rules say how long something must last before it is a state: what a healthy
// group does for a moment must not show.
type Rules struct {
	// Lagging is how old the oldest message must be that a group has not
	// consumed. Less is ok: commits come every few seconds, and ages are known
	// to one collection interval.
	Lagging time.Duration
	// Stalled is how long messages must have waited in a queue, with members
	// online, without its commit moving. While nobody is known to be online, it
	// is also how long a move counts as consuming.
	Stalled time.Duration
	// Stopped is how long nobody must have been online.
	Stopped time.Duration
	// RewoundAfter is how long commits must stay back after they went back,
	// and RewoundFor how long that shows: a broker that crashed has lost the
	// commits of some seconds, and its clients soon commit them again.
	RewoundAfter, RewoundFor time.Duration
}

// DefaultRules are the rules where nobody says otherwise.
func DefaultRules() Rules {
	return Rules{
		Lagging: time.Minute, Stalled: 2 * time.Minute, Stopped: time.Minute,
		RewoundAfter: 30 * time.Second, RewoundFor: 5 * time.Minute,
	}
}

// facts are what a pair's state is judged by. Times are in ticks.
type facts struct {
	rows    int
	backlog int64
	// age is that of the oldest message not consumed, Unknown where that of
	// some queue is not known; atMost: it is an upper bound. atLeast is a
	// lower bound that is always known.
	age     int64
	atMost  bool
	atLeast int64
	// still is how long messages have waited without a move of their queue's
	// commit, in the queue where that is longest.
	still int64
	// sinceMove is how long ago a commit of any queue moved; Unknown: never.
	sinceMove int64
	// sinceBack is how long ago commits went back, Unknown if they did not,
	// and back how long they stayed back.
	sinceBack, back int64
	// online and offline are for how long members have been; Unknown if they
	// are not.
	online, offline int64
}

// rule is one reason for a state.
type rule struct {
	name  string
	state State
	holds func(f *facts, r *Rules) bool
}

// table lists the rules; the first one that holds decides.
func table() []rule {
	return []rule{
		{"nothing is known of any queue", Undecided, func(f *facts, _ *Rules) bool {
			return f.rows == 0
		}},
		{"messages wait and nobody is online", Stopped, func(f *facts, r *Rules) bool {
			return f.backlog > 0 && lasts(f.offline, r.Stopped)
		}},
		{"messages wait, members are online and commits do not move", Stalled, func(f *facts, r *Rules) bool {
			return f.backlog > 0 && lasts(f.still, r.Stalled) && lasts(f.online, r.Stalled)
		}},
		{"commits went back and stayed back", Rewound, func(f *facts, r *Rules) bool {
			return lasts(f.back, r.RewoundAfter) && !lasts(f.sinceBack, r.RewoundFor)
		}},
		{"no message waits for long", OK, func(f *facts, r *Rules) bool {
			young := f.age != unknown && !lasts(f.age, r.Lagging)
			return f.backlog == 0 || young || f.age != unknown && !f.atMost && !lasts(f.atLeast, r.Lagging)
		}},
		{"messages wait and commits move", Lagging, func(f *facts, r *Rules) bool {
			moves := f.sinceMove != unknown && (f.online != unknown || !lasts(f.sinceMove, r.Stalled))
			return lasts(f.atLeast, r.Lagging) && moves
		}},
		{"nobody can tell yet", Undecided, func(*facts, *Rules) bool { return true }},
	}
}

// lasts says whether ticks are as long as a time. What is not known does not
// last.
func lasts(ticks int64, d time.Duration) bool {
	return ticks != unknown && time.Duration(ticks)*store.Unit >= d
}
