package lag

import (
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// ticks is a time as facts have it.
func ticks(d time.Duration) int64 { return int64(d / store.Unit) }

// pairFacts are those of a pair with a backlog that has just come, and of which
// nothing else is known.
func pairFacts(change func(*facts)) facts {
	f := facts{
		rows: 1, backlog: 10, age: 0, sinceMove: unknown, sinceBack: unknown, back: unknown, online: unknown, offline: unknown,
	}
	change(&f)
	return f
}

// TestStates has a row for each rule, and for what keeps it from holding.
func TestStates(t *testing.T) {
	const short, long = 10 * time.Second, time.Hour
	for _, c := range []struct {
		name  string
		facts func(*facts)
		rule  string
		state State
	}{
		{"no queue", func(f *facts) { f.rows, f.backlog = 0, 0 }, "nothing is known of any queue", Undecided},

		{"offline for long", func(f *facts) { f.offline = ticks(long) }, "messages wait and nobody is online", Stopped},
		{"offline for long, back once", func(f *facts) { f.offline, f.sinceBack, f.back = ticks(long), ticks(time.Minute), ticks(time.Minute) },
			"messages wait and nobody is online", Stopped},
		{"offline for a moment", func(f *facts) { f.offline = ticks(short) }, "no message waits for long", OK},
		{"offline and nothing waits", func(f *facts) { f.offline, f.backlog = ticks(long), 0 }, "no message waits for long", OK},

		{"stands", func(f *facts) {
			f.online, f.still, f.age, f.atLeast = ticks(long), ticks(long), ticks(long), ticks(long)
		},
			"messages wait, members are online and commits do not move", Stalled},
		{"stands, age not known", func(f *facts) { f.online, f.still, f.age = ticks(long), ticks(long), unknown },
			"messages wait, members are online and commits do not move", Stalled},
		{"stands for a moment", func(f *facts) { f.online, f.still = ticks(long), ticks(short) }, "no message waits for long", OK},
		{"stands, and has just come online", func(f *facts) {
			f.online, f.still, f.age, f.atLeast, f.sinceMove = ticks(short), ticks(long), ticks(long), ticks(long), ticks(long)
		}, "messages wait and commits move", Lagging},
		{"stands with nothing before it", func(f *facts) { f.online, f.still, f.backlog = ticks(long), ticks(long), 0 }, "no message waits for long", OK},
		{"stands, nobody knows who is online", func(f *facts) {
			f.still, f.age, f.atLeast, f.sinceMove = ticks(long), ticks(long), ticks(long), ticks(long)
		}, "nobody can tell yet", Undecided},

		{"went back", func(f *facts) { f.online, f.sinceBack, f.back = ticks(long), ticks(time.Minute), ticks(time.Minute) },
			"commits went back and stayed back", Rewound},
		{"went back, has caught up", func(f *facts) { f.backlog, f.sinceBack, f.back = 0, ticks(4*time.Minute), ticks(time.Minute) },
			"commits went back and stayed back", Rewound},
		{"went back for a moment", func(f *facts) { f.sinceBack, f.back = ticks(time.Minute), ticks(short) }, "no message waits for long", OK},
		{"went back just now", func(f *facts) { f.sinceBack, f.back = ticks(short), ticks(short) }, "no message waits for long", OK},
		{"went back long ago", func(f *facts) {
			f.sinceBack, f.back, f.sinceMove, f.age, f.atLeast = ticks(long), ticks(long), ticks(short), ticks(long), ticks(long)
		}, "messages wait and commits move", Lagging},

		{"caught up", func(f *facts) { f.backlog = 0 }, "no message waits for long", OK},
		{"a moment behind", func(f *facts) { f.age = ticks(short) }, "no message waits for long", OK},
		{"maybe a moment behind: a round is longer than that", func(f *facts) { f.age, f.atLeast = ticks(5*time.Minute), ticks(short) },
			"no message waits for long", OK},
		{"at most a moment behind", func(f *facts) { f.age, f.atMost = ticks(short), true }, "no message waits for long", OK},
		{"at most an hour behind, at least a moment", func(f *facts) { f.age, f.atMost, f.atLeast = ticks(long), true, ticks(short) },
			"nobody can tell yet", Undecided},
		{"age not known", func(f *facts) { f.age = unknown }, "nobody can tell yet", Undecided},

		{"behind, and consumes", func(f *facts) {
			f.online, f.age, f.atLeast, f.sinceMove = ticks(long), ticks(long), ticks(long), ticks(short)
		},
			"messages wait and commits move", Lagging},
		{"behind by more than anybody knows, and consumes", func(f *facts) { f.age, f.atLeast, f.sinceMove = unknown, ticks(long), ticks(short) },
			"messages wait and commits move", Lagging},
		{"behind, and was never seen to consume", func(f *facts) { f.online, f.age, f.atLeast = ticks(short), ticks(long), ticks(long) },
			"nobody can tell yet", Undecided},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, rules := pairFacts(c.facts), DefaultRules()
			for _, r := range table() {
				if !r.holds(&f, &rules) {
					continue
				}
				if r.name != c.rule || r.state != c.state {
					t.Errorf("%q: %v, want %q: %v", r.name, r.state, c.rule, c.state)
				}
				break
			}
		})
	}
}

// TestRulesAreNamed: each rule has a name of its own and the table decides of
// everything.
func TestRulesAreNamed(t *testing.T) {
	names := map[string]bool{}
	states := map[State]bool{}
	for _, r := range table() {
		if names[r.name] || r.name == "" {
			t.Errorf("rule %q is there twice", r.name)
		}
		names[r.name], states[r.state] = true, true
	}
	rules := DefaultRules()
	if last := table()[len(table())-1]; !last.holds(&facts{}, &rules) {
		t.Error("nothing decides where no rule holds")
	}
	seen := map[string]bool{}
	for _, s := range States() {
		if !states[s] || seen[s.String()] {
			t.Errorf("state %v: a rule leads to it: %t, its name is taken: %t", s, states[s], seen[s.String()])
		}
		seen[s.String()] = true
	}
}

// TestRulesAreSettings: what lasts how long is the user's to say.
func TestRulesAreSettings(t *testing.T) {
	hour := Rules{Lagging: time.Hour, Stalled: time.Hour, Stopped: time.Hour, RewoundAfter: time.Hour, RewoundFor: 2 * time.Hour}
	for _, c := range []struct {
		facts func(*facts, int64)
		state State
	}{
		{func(f *facts, d int64) { f.offline, f.age = d, unknown }, Stopped},
		{func(f *facts, d int64) { f.online, f.still, f.age = d, d, unknown }, Stalled},
		{func(f *facts, d int64) { f.sinceBack, f.back, f.age = d, d, unknown }, Rewound},
		{func(f *facts, d int64) { f.atLeast, f.age, f.sinceMove = d, d, 0 }, Lagging},
	} {
		for _, step := range []struct {
			d    time.Duration
			want bool
		}{{59 * time.Minute, false}, {time.Hour, true}} {
			f := pairFacts(func(f *facts) { c.facts(f, ticks(step.d)) })
			for _, r := range table() {
				if r.holds(&f, &hour) {
					if got := r.state == c.state; got != step.want {
						t.Errorf("%v after %v: %v, %q", c.state, step.d, r.state, r.name)
					}
					break
				}
			}
		}
	}
}
