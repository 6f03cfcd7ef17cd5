package lag_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

const interval = 15 * time.Second

// film is a cluster over some rounds.
type film struct {
	past  store.History
	round int
}

func (f *film) now() time.Time {
	return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(time.Duration(f.round) * interval)
}

// shoot takes the next round, which describe puts together. Parts without a time of
// their own are of this round.
func (f *film) shoot(t *testing.T, describe func(w *world)) *lag.Report {
	t.Helper()
	var w world
	describe(&w)
	w.Ended = f.now()
	for i := range w.Parts {
		if p := w.Parts[i].Part; p.Taken.IsZero() {
			p.Taken = f.now()
		}
	}
	f.past.Add(&w.Snapshot)
	f.round++
	r := lag.BuildAfter(&w.Snapshot, &f.past, lag.DefaultRules())
	if err := consistent(r); err != nil {
		t.Errorf("round %d: %v", f.round-1, err)
	}
	return r
}

// pair finds one pair of a report.
func pair(t *testing.T, r *lag.Report, topic, group string) lag.Pair {
	t.Helper()
	i := slices.IndexFunc(r.Pairs, func(p lag.Pair) bool { return p.Topic == topic && p.Group == group })
	if i < 0 {
		t.Fatalf("no pair of %s and %s", topic, group)
	}
	return r.Pairs[i]
}

// orders is one topic on broker a with its group billing online.
func orders(ends, commits []int64) func(w *world) {
	return func(w *world) {
		w.topic("a", "orders", nil, ends)
		w.commit("a", "orders", "billing", commits...)
		w.online("billing", []string{"orders"}, "10.0.0.1@7#1")
	}
}

func ago(d time.Duration) int32 { return int32(d / lag.AgeUnit) }

// TestAges: each queue has the age of its first message, the pair that of the
// oldest, as soon as the exporter has seen it come.
func TestAges(t *testing.T) {
	const dark = lag.NoAge
	var f film
	for i, c := range []struct {
		ends, commits []int64
		ages          []int32
		lag           time.Duration
	}{
		{[]int64{100, 50}, []int64{100, 50}, []int32{0, 0}, 0},
		{[]int64{200, 50}, []int64{100, 50}, []int32{ago(interval), 0}, interval},
		{[]int64{300, 60}, []int64{150, 50}, []int32{ago(3 * interval / 2), ago(interval)}, 3 * interval / 2},
		{[]int64{400, 60}, []int64{400, 50}, []int32{0, ago(2 * interval)}, 2 * interval},
		{[]int64{400, 60}, []int64{90, 60}, []int32{dark, 0}, lag.NoLag}, // it went back behind what is known
		{[]int64{7, 60}, []int64{90, 60}, []int32{0, 0}, 0},              // made anew
		{[]int64{9, 60}, []int64{7, 61}, []int32{ago(interval), 0}, interval},
		{[]int64{9, unknown}, []int64{9, 0}, []int32{0}, 0},
	} {
		r := f.shoot(t, orders(c.ends, c.commits))
		if p := pair(t, r, "orders", "billing"); !slices.Equal(r.Age, c.ages) || p.Lag != c.lag || p.AtMost {
			t.Errorf("round %d: ages %v, lag %v, at most: %t; want %v, %v", i, r.Age, p.Lag, p.AtMost, c.ages, c.lag)
		}
	}
}

// TestAgesOfStandIns: what was not read does not grow older.
func TestAgesOfStandIns(t *testing.T) {
	var f film
	f.shoot(t, orders([]int64{100}, []int64{100}))
	r := f.shoot(t, orders([]int64{200}, []int64{100}))
	part := r.Snapshot.Parts[0].Part
	for age := 1; age <= 3; age++ {
		r = f.shoot(t, func(w *world) {
			w.Parts = []model.PartOfRound{{Part: part, Age: age}}
			w.online("billing", []string{"orders"}, "10.0.0.1@7#1")
		})
		if p := pair(t, r, "orders", "billing"); p.Lag != interval {
			t.Errorf("%d rounds later: %v, want %v", age, p.Lag, interval)
		}
	}
	if p := pair(t, f.shoot(t, orders([]int64{200}, []int64{100})), "orders", "billing"); p.Lag != 5*interval {
		t.Errorf("when it is back: %v, want %v", p.Lag, 5*interval)
	}
}

// TestBounds: before there is a history, what brokers tell bounds the age.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		name       string
		skew       time.Duration // of the broker's clock
		noClock    bool
		consumedAt time.Duration // before now; 0: not told
		wait       time.Duration // told of the commit; 0: not
		stands     int           // rounds that the commit has stood
		lag        time.Duration
		atMost     bool
	}{
		{name: "nothing is told", lag: lag.NoLag},
		{name: "the last consumed message", consumedAt: time.Hour, lag: time.Hour + 2*time.Second, atMost: true},
		{name: "by a clock that is ahead", skew: 30 * time.Minute, consumedAt: time.Hour, lag: time.Hour + 2*time.Second, atMost: true},
		{name: "by a clock that is behind", skew: -48 * time.Hour, consumedAt: time.Second, lag: 3 * time.Second, atMost: true},
		{name: "by a clock that nobody knows", noClock: true, skew: -48 * time.Hour, consumedAt: time.Second, lag: lag.NoLag},
		{name: "in the future", consumedAt: -time.Hour, lag: 0},
		{name: "asked for", wait: 20 * time.Minute, lag: 20 * time.Minute},
		{name: "asked for is better", wait: 20 * time.Minute, consumedAt: time.Hour, lag: 20 * time.Minute},
		{name: "it has stood for longer than that", consumedAt: time.Second, stands: 4, lag: 4 * interval, atMost: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f film
			var r *lag.Report
			for range c.stands + 1 {
				r = f.shoot(t, func(w *world) {
					orders([]int64{1000}, []int64{400})(w)
					clock := f.now().Add(c.skew)
					w.Brokers = []model.Broker{
						{Name: "a", ID: 1, Role: model.Slave, Runtime: &model.Runtime{Taken: f.now(), Clock: clock.Add(77 * time.Hour)}},
						{Name: "a", Role: model.Master, Runtime: &model.Runtime{Taken: f.now()}},
					}
					if !c.noClock {
						w.Brokers[1].Runtime.Clock = clock
					}
					if c.consumedAt != 0 {
						w.part("a").ConsumedAt = []int64{clock.Add(-c.consumedAt).UnixMilli()}
					}
					if c.wait != 0 {
						w.part("a").Waits = []model.Wait{{
							Topic: "orders", Group: "billing", Taken: f.now(), Committed: []int64{400}, Ages: []int64{c.wait.Milliseconds()},
						}}
					}
				})
			}
			if p := pair(t, r, "orders", "billing"); p.Lag != c.lag || p.AtMost != c.atMost {
				t.Errorf("lag %v, at most: %t; want %v, %t", p.Lag, p.AtMost, c.lag, c.atMost)
			}
		})
	}
}

// TestAgeOfLostMessages: what retention has deleted waits no more; the oldest
// message that is left does.
func TestAgeOfLostMessages(t *testing.T) {
	var f film
	round := func(begin, end int64) lag.Pair {
		r := f.shoot(t, func(w *world) {
			w.topic("a", "orders", []int64{begin}, []int64{end})
			w.commit("a", "orders", "billing", 100)
			w.offline("billing", "")
		})
		return pair(t, r, "orders", "billing")
	}
	round(0, 100)
	round(0, 200)
	if p := round(0, 300); p.Lag != 2*interval || p.Lost != 0 || p.Retained != 200.0/300 {
		t.Errorf("all is kept: %+v", p)
	}
	if p := round(200, 300); p.Lag != 2*interval || p.Lost != 100 || p.Retained != 1 || p.Backlog != 200 {
		t.Errorf("100 are lost: %+v", p)
	}
	if p := round(300, 300); p.Lost != 200 || p.Retained != 1 || p.Lag != 0 || p.Backlog != 200 {
		t.Errorf("all are lost: %+v", p)
	}
}

// TestRetention: what is lost, and how near loss is.
func TestRetention(t *testing.T) {
	for _, c := range []struct {
		name                  string
		begins, ends, commits []int64
		lost                  int64
		ratio                 float64
	}{
		{"nothing is behind", []int64{10, unknown}, []int64{100, 100}, []int64{100, 100}, 0, 0},
		{"half of what is kept", []int64{0}, []int64{100}, []int64{50}, 0, 0.5},
		{"the worst queue counts", []int64{0, 80}, []int64{100, 100}, []int64{50, 85}, 0, 0.75},
		{"on the edge", []int64{50}, []int64{100}, []int64{50}, 0, 1},
		{"some is lost", []int64{60, 20}, []int64{100, 100}, []int64{50, 15}, 15, 1},
		{"a beginning that matters is not known", []int64{60, unknown}, []int64{100, 100}, []int64{50, 15}, unknown, -1},
		{"all is lost", []int64{100}, []int64{100}, []int64{50}, 50, 1},
		{"ahead of the end", []int64{0}, []int64{100}, []int64{150}, 0, 0},
		{"never committed, from the beginning", []int64{0}, []int64{100}, []int64{unknown}, 0, 1},
		{"never committed, nobody knows from where", []int64{5, 0}, []int64{100, 100}, []int64{unknown, 75}, 0, 0.25},
		{"a beginning beyond the end", []int64{500}, []int64{100}, []int64{50}, 50, 1},
		{"forged", []int64{math.MaxInt64, math.MaxInt64}, []int64{math.MaxInt64, math.MaxInt64}, []int64{0, 0}, math.MaxInt64, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f film
			r := f.shoot(t, func(w *world) {
				w.topic("a", "orders", c.begins, c.ends)
				w.commit("a", "orders", "billing", c.commits...)
				w.offline("billing", "")
			})
			if p := pair(t, r, "orders", "billing"); p.Lost != c.lost || p.Retained != c.ratio {
				t.Errorf("lost %d, retained %v; want %d, %v", p.Lost, p.Retained, c.lost, c.ratio)
			}
		})
	}
}

// TestUnowned: queues that nobody holds, where that can be known.
func TestUnowned(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(w *world, g *model.Group)
		want   int
	}{
		{"all are held", func(_ *world, g *model.Group) { own(g, "orders", "a", 0, 0, 0) }, 0},
		{"one is not", func(_ *world, g *model.Group) { own(g, "orders", "a", 0, model.NoOwner, 0) }, 1},
		{"one is newer than the answer", func(_ *world, g *model.Group) { own(g, "orders", "a", 0, 0) }, 1},
		{"none is", func(_ *world, _ *model.Group) {}, 3},
		{"on one of two brokers", func(w *world, g *model.Group) {
			w.topic("b", "orders", nil, []int64{1})
			w.commit("b", "orders", "billing", 1)
			own(g, "orders", "a", 0, 0, 0)
		}, 1},
		{"a queue without a row counts", func(w *world, g *model.Group) {
			w.part("a").Ends.Set(2, unknown)
			own(g, "orders", "a", 0, 0)
		}, 1},
		{"not every member has told", func(_ *world, g *model.Group) { g.Told = false }, -1},
		{"nobody is online", func(_ *world, g *model.Group) { g.Clients = nil }, -1},
		{"nobody knows who is online", func(_ *world, g *model.Group) { g.Known = false }, -1},
		{"members that pull need not tell", func(_ *world, g *model.Group) { g.ConsumeType = "CONSUME_ACTIVELY" }, -1},
		{"members that pull and tell", func(_ *world, g *model.Group) {
			g.ConsumeType = "CONSUME_ACTIVELY"
			own(g, "orders", "a", 0, model.NoOwner, 0)
		}, 1},
		{"nobody holds a queue to pop from it", func(_ *world, g *model.Group) { g.Pop = map[string]struct{}{"orders": {}} }, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f film
			r := f.shoot(t, func(w *world) {
				orders([]int64{5, 5, 5}, []int64{1, 5, 5})(w)
				w.Groups[0].Told = true
				c.change(w, w.Groups[0])
			})
			if p := pair(t, r, "orders", "billing"); int(p.Unowned) != c.want {
				t.Errorf("%d queues, want %d", p.Unowned, c.want)
			}
		})
	}
}

// TestPop: what is popped and not acknowledged stands beside the backlog, and
// what waits to be popped again under the topic that it came from. Sums count
// nothing twice.
func TestPop(t *testing.T) {
	var f film
	r := f.shoot(t, func(w *world) {
		for topic, backlog := range map[string]int64{
			"orders": 3, "ord_ers": 4, "%RETRY%billing": 5, "%RETRY%billing_orders": 10, "%RETRY%billing+orders": 20,
			"%RETRY%billing_ord_ers": 40, "%RETRY%billing_gone": 80, "quiet": 0,
		} {
			w.topic("a", topic, nil, []int64{backlog})
			w.commit("a", topic, "billing", 0)
		}
		// A group whose own retry topic looks like billing's.
		w.topic("a", "%RETRY%billing_x", nil, []int64{160})
		w.commit("a", "%RETRY%billing_x", "billing_x", 0)
		w.topic("a", "x", nil, []int64{1})
		w.commit("a", "x", "billing", 0)
		w.offline("billing_x", "")
		g := w.offline("billing", "")
		g.Known, g.Pop = false, map[string]struct{}{"orders": {}, "ord_ers": {}, "quiet": {}}
		g.Clients = []model.Client{{ID: "1"}, {ID: "2"}}
		g.InFlight = []model.InFlight{
			{Topic: "orders", Client: 0, Messages: 7}, {Topic: "orders", Client: 1, Messages: 8}, {Topic: "quiet"}, {Topic: "none", Messages: 9},
		}
	})
	for _, want := range []struct {
		topic              string
		inFlight, popRetry int64
	}{
		{"orders", 15, 30}, {"ord_ers", unknown, 40}, {"quiet", 0, unknown}, {"x", unknown, unknown},
		{"%RETRY%billing", unknown, unknown}, {"%RETRY%billing_orders", unknown, unknown},
	} {
		if p := pair(t, r, want.topic, "billing"); p.InFlight != want.inFlight || p.PopRetry != want.popRetry {
			t.Errorf("%s: in flight %d, to be popped again %d; want %d, %d", want.topic, p.InFlight, p.PopRetry, want.inFlight, want.popRetry)
		}
	}
	if got := r.Groups[0]; got.Backlog != 3+4+5+10+20+40+80+1 {
		t.Errorf("sum of %s: %d", got.Name, got.Backlog)
	}
}

// TestMembers: how many are online, where that is known.
func TestMembers(t *testing.T) {
	r := lag.Build(&func() *world {
		var w world
		for _, g := range []string{"online", "offline", "unknown"} {
			w.topic("a", g, nil, []int64{1})
			w.commit("a", g, g, 1)
		}
		w.online("online", []string{"online"}, "10.0.0.1@7#1", "10.0.0.1@8#1")
		w.offline("offline", "")
		w.offline("unknown", "").Known = false
		return &w
	}().Snapshot)
	for group, want := range map[string]int{"online": 2, "offline": 0, "unknown": -1} {
		if p := pair(t, r, group, group); int(p.Members) != want {
			t.Errorf("%s: %d members, want %d", group, p.Members, want)
		}
	}
}

// TestTotals: every topic has its totals, whoever consumes it.
func TestTotals(t *testing.T) {
	var f film
	round := func(describe func(w *world), want ...lag.TopicTotal) {
		t.Helper()
		if got := f.shoot(t, describe).Totals; !slices.Equal(got, want) {
			t.Errorf("round %d:\n%+v\nwant:\n%+v", f.round-1, got, want)
		}
	}
	first := func(w *world) {
		w.topic("a", "orders", []int64{10, 0}, []int64{100, 50})
		w.part("a").Stored = []int64{7000}
		w.part("a").Others = []model.TopicStats{
			{Topic: "idle", Taken: f.now(), Ends: []int64{30}, Begins: []int64{20}, Stored: 3000},
			{Topic: "mute", Stored: unknown},
			{Topic: "orphan", Taken: f.now(), Ends: []int64{4}, Begins: []int64{unknown}, Stored: unknown},
		}
		w.topic("b", "orders", []int64{0}, []int64{9})
		w.part("b").Stored = []int64{unknown}
	}
	want := []lag.TopicTotal{
		{Name: "idle", Produced: 30, Stored: 10, Last: 3000},
		{Name: "orders", Produced: 159, Stored: 149, Last: 7000},
		{Name: "orphan", Produced: 4, Stored: unknown, Last: unknown},
	}
	round(first, want...)
	want[1].Produced++
	want[1].Stored++
	round(func(w *world) {
		first(w)
		w.part("a").Ends.Set(0, w.part("a").Ends.At(0)+1)
	}, want...)
	round(func(*world) {})
	if got := lag.Build(&model.Snapshot{}).Totals; len(got) != 0 {
		t.Errorf("of nothing: %+v", got)
	}
}

// TestDeadLetters: a group without a dead-letter topic has none, as soon as that
// is known.
func TestDeadLetters(t *testing.T) {
	var f film
	round := func(want []lag.Count, others ...[]model.TopicStats) {
		t.Helper()
		r := f.shoot(t, func(w *world) {
			for i, list := range others {
				w.part(string(rune('a' + i))).Others = list
			}
			w.offline("billing", "")
			w.offline("archive", "")
		})
		if !slices.Equal(r.DeadLetters, want) {
			t.Errorf("round %d: %+v, want %+v", f.round-1, r.DeadLetters, want)
		}
	}
	dlq := func(end int64) model.TopicStats {
		return model.TopicStats{Topic: "%DLQ%billing", Taken: f.now(), Ends: []int64{end}, Stored: unknown}
	}
	gone := model.TopicStats{Topic: "%DLQ%deleted", Taken: f.now(), Ends: []int64{9}, Stored: unknown}
	round(nil, nil, []model.TopicStats{})
	round([]lag.Count{{Name: "billing", Messages: 3}}, nil, []model.TopicStats{dlq(3)})
	round([]lag.Count{{Name: "archive"}, {Name: "billing", Messages: 4}}, []model.TopicStats{}, []model.TopicStats{dlq(4), gone})
	round([]lag.Count{{Name: "archive"}, {Name: "billing", Messages: 6}}, []model.TopicStats{dlq(2)}, []model.TopicStats{dlq(4)})
	round([]lag.Count{{Name: "archive"}, {Name: "billing", Messages: 6}}, []model.TopicStats{{Topic: "%DLQ%billing"}}, []model.TopicStats{})
	round([]lag.Count{{Name: "archive"}, {Name: "billing"}}, []model.TopicStats{}, []model.TopicStats{})
}

// TestStory follows the states of groups over time.
func TestStory(t *testing.T) {
	type step struct {
		rounds  int
		produce int64
		consume int64
		back    int64
		members int  // -1: nobody knows
		away    bool // the broker is
		want    lag.State
		any     bool // whatever it is
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"healthy", []step{{rounds: 1, members: 1, want: lag.OK}, {rounds: 30, produce: 100, consume: 100, members: 1, want: lag.OK}}},
		{"falls behind and catches up", []step{
			{rounds: 5, produce: 100, consume: 100, members: 1, want: lag.OK},
			{rounds: 8, produce: 100, consume: 50, members: 1, want: lag.OK}, // a minute is not reached yet
			{rounds: 20, produce: 100, consume: 50, members: 1, want: lag.Lagging},
			{rounds: 12, produce: 100, consume: 200, members: 1, any: true},
			{rounds: 5, produce: 100, consume: 100, members: 1, want: lag.OK},
		}},
		{"hangs, and goes on", []step{
			{rounds: 5, produce: 100, consume: 100, members: 1, want: lag.OK},
			{rounds: 4, produce: 100, members: 1, want: lag.OK},
			{rounds: 3, produce: 100, members: 1, want: lag.Lagging},
			{rounds: 20, produce: 100, members: 1, want: lag.Stalled},
			{rounds: 3, produce: 100, consume: 50, members: 1, want: lag.Lagging},
		}},
		{"ends, and is started again", []step{
			{rounds: 5, produce: 100, consume: 100, members: 1, want: lag.OK},
			{rounds: 4, produce: 100, members: 0, want: lag.OK},
			{rounds: 20, produce: 100, members: 0, want: lag.Stopped},
			{rounds: 2, produce: 100, members: 1, want: lag.Lagging},
			{rounds: 3, produce: 100, consume: 100, members: 1, want: lag.Lagging},
		}},
		{"ended with nothing to do", []step{
			{rounds: 5, produce: 100, consume: 100, members: 1, want: lag.OK},
			{rounds: 50, members: 0, want: lag.OK},
			{rounds: 5, produce: 1, members: 0, want: lag.Stopped},
		}},
		{"the exporter starts while it hangs", []step{
			{rounds: 1, produce: 1000, members: 1, want: lag.Undecided},
			{rounds: 7, produce: 100, members: 1, want: lag.Undecided},
			{rounds: 5, produce: 100, members: 1, want: lag.Stalled},
		}},
		{"the exporter starts while it consumes", []step{
			{rounds: 1, produce: 1000, members: 1, want: lag.Undecided},
			{rounds: 3, produce: 100, consume: 100, members: 1, want: lag.Undecided},
			{rounds: 3, produce: 100, consume: 100, members: 1, want: lag.Lagging},
		}},
		{"nobody knows who is online", []step{
			{rounds: 5, produce: 100, consume: 100, members: -1, want: lag.OK},
			{rounds: 4, produce: 100, members: -1, want: lag.OK},
			{rounds: 3, produce: 100, members: -1, want: lag.Lagging},
			{rounds: 20, produce: 100, members: -1, want: lag.Undecided},
		}},
		{"reset to an earlier time", []step{
			{rounds: 5, produce: 100, consume: 100, members: 1, want: lag.OK},
			{rounds: 1, back: 350, members: 1, any: true},
			{rounds: 1, members: 1, any: true},
			{rounds: 18, members: 1, consume: 10, want: lag.Rewound},
			{rounds: 9, members: 1, consume: 10, want: lag.Lagging},
		}},
		{"a broker that crashed has lost some seconds of commits", []step{
			{rounds: 5, produce: 100, consume: 100, members: 1, want: lag.OK},
			{rounds: 1, back: 50, members: 1, any: true},
			{rounds: 20, consume: 60, members: 1, want: lag.OK},
		}},
		{"the broker is away", []step{
			{rounds: 5, produce: 100, consume: 100, members: 1, want: lag.OK},
			{rounds: 3, produce: 100, members: 1, want: lag.OK},
			{rounds: 20, away: true, members: 1, want: lag.OK},
			{rounds: 1, members: 1, want: lag.Lagging},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f film
			end, commit := int64(1000), int64(1000)
			var part *model.Part
			for i, s := range c.steps {
				for j := range s.rounds {
					end += s.produce
					commit = min(commit+s.consume, end) - s.back
					r := f.shoot(t, func(w *world) {
						switch {
						case s.away && j < 3:
							w.Parts = []model.PartOfRound{{Part: part, Age: j + 1}}
						case s.away: // the source has given its offsets up
							w.part("a").Age = j + 1
						default:
							w.topic("a", "orders", nil, []int64{end})
							w.commit("a", "orders", "billing", commit)
							part = w.Parts[0].Part
						}
						g := w.online("billing", []string{"orders"})
						g.Clients, g.Known = make([]model.Client, max(s.members, 0)), s.members >= 0
					})
					if s.away && j >= 3 {
						if len(r.Pairs) > 0 {
							t.Errorf("step %d, round %d: %+v of a broker that is away", i, j, r.Pairs)
						}
						continue
					}
					if p := pair(t, r, "orders", "billing"); p.State != s.want && !s.any {
						t.Errorf("step %d, round %d: %v, want %v (%+v)", i, j, p.State, s.want, p)
					}
				}
			}
		})
	}
}
