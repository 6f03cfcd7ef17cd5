package store

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

const none = -time.Second // a time that is not known

// TestFind: a message is as old as the samples around it say.
func TestFind(t *testing.T) {
	s := newStage()
	for _, end := range []int64{100, 200, 200, 200, 210} {
		s.set([]int64{end}, []int64{50})
		s.next()
	}
	s.wantSpan(t, "was there before", 99, none, none, 0)
	s.wantSpan(t, "first that was seen to come", 100, 0, 0, interval)
	s.wantSpan(t, "half way", 150, 0, interval/2, interval)
	s.wantSpan(t, "last of the first batch", 199, 0, 9900*time.Millisecond, interval)
	s.wantSpan(t, "after an idle time", 200, 3*interval, 3*interval, 4*interval)
	s.wantSpan(t, "has not come yet", 210, 4*interval, 4*interval, none)
	if got, want := s.find(7, 1), [3]time.Duration{none, none, none}; got != want {
		t.Errorf("of a queue that is not there: %v, want %v", got, want)
	}
}

// TestFindNothing: what nobody has told of is asked in vain, and that is all.
func TestFindNothing(t *testing.T) {
	var h History
	if span := find(h.EndsOf(model.TopicOnBroker{Topic: "no", Broker: "none"}), 0, 3); span != (Span{NoTick, NoTick, NoTick}) {
		t.Errorf("%+v", span)
	}
	if !h.Holds(nil) || (*History)(nil).Holds(nil) {
		t.Error("no history holds a snapshot")
	}
}

// TestPrune: what the slowest reader has behind it is forgotten, and a queue
// that is consumed keeps two samples.
func TestPrune(t *testing.T) {
	s := newStage()
	for i := range int64(50) {
		s.set([]int64{100 * (i + 1), 7}, []int64{100*i + 90, 7})
		s.next()
		for id := range 2 {
			if q := s.samples(id); len(q) > 2 {
				t.Fatalf("round %d: queue %d has %d samples", i, id, len(q))
			}
		}
		if older := s.Part(0).older; len(older) > 0 {
			t.Fatalf("round %d: apart from the last two looks %v is kept", i, older)
		}
		if i > 0 {
			s.wantSpan(t, "of the slowest reader", 100*i+90, time.Duration(i-1)*interval, time.Duration(i-1)*interval+9*time.Second, time.Duration(i)*interval)
		}
	}
}

// TestSlowestReader: every group counts, the processes of broadcasting ones
// too; deleted groups and the leftovers of broadcasting ones do not.
func TestSlowestReader(t *testing.T) {
	samples := func(change func(*stage)) int {
		s := newStage()
		for i := range int64(8) {
			s.set([]int64{100 * (i + 1)}, []int64{100 * (i + 1)})
			change(s)
			s.next()
		}
		return len(s.samples(0))
	}
	slow := func(s *stage) { s.parts["a"].topics["orders"].commits["archive"] = []int64{100} }
	for _, c := range []struct {
		name   string
		change func(*stage)
		want   int
	}{
		{"one group", func(*stage) {}, 2},
		{"a slow one", func(s *stage) { slow(s); s.groups["archive"] = &model.Group{Name: "archive"} }, 8},
		{"a slow one that was deleted", slow, 2},
		{"a leftover", func(s *stage) {
			slow(s)
			s.groups["archive"] = &model.Group{Name: "archive", Model: model.Broadcasting}
		}, 2},
		{"a slow process", func(s *stage) {
			s.groups["archive"] = &model.Group{Name: "archive", Model: model.Broadcasting, Clients: []model.Client{{ID: "x"}}, Local: []model.LocalCommits{{
				TopicOnBroker: model.TopicOnBroker{Topic: "orders", Broker: "a"}, Taken: s.now(), Committed: []int64{100}, Ends: []int64{100 * int64(s.round+1)},
			}}}
		}, 8},
		{"one that never committed where the queue begins at 0", func(s *stage) {
			s.parts["a"].topics["orders"].commits["billing"] = []int64{model.Unknown}
			s.parts["a"].topics["orders"].begins = []int64{0}
		}, 8},
		{"one that never committed where retention moved the beginning", func(s *stage) {
			s.parts["a"].topics["orders"].commits["billing"] = []int64{model.Unknown}
			s.parts["a"].topics["orders"].begins = []int64{5}
		}, 2},
		{"messages that retention deleted", func(s *stage) {
			s.parts["a"].topics["orders"].commits["billing"] = []int64{5}
			s.parts["a"].topics["orders"].begins = []int64{100 * int64(s.round+1)}
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := samples(c.change); got != c.want {
				t.Errorf("%d samples, want %d", got, c.want)
			}
		})
	}
}

// TestMadeAnew: when ends go back, nothing that was known holds.
func TestMadeAnew(t *testing.T) {
	s := newStage()
	for _, end := range []int64{100, 200, 30, 60} {
		s.set([]int64{end}, []int64{10})
		s.next()
	}
	s.wantSpan(t, "older than the first look", 20, none, none, 2*interval)
	s.wantSpan(t, "come since", 45, 2*interval, 2*interval+interval/2, 3*interval)
}

// TestStandIns: offsets that are of an earlier round are no new sample.
func TestStandIns(t *testing.T) {
	for _, c := range []struct {
		name  string
		stale func(*stage)
		fresh func(*stage)
	}{
		{"of a broker", func(s *stage) { s.parts["a"].age++ }, func(s *stage) { s.parts["a"].age = 0 }},
		{"of a topic", func(s *stage) {
			s.parts["a"].missing, s.parts["a"].topics["orders"].taken = 1, began().Add(interval)
		}, func(s *stage) { s.parts["a"].missing, s.parts["a"].topics["orders"].taken = 0, time.Time{} }},
		{"of a topic that is out of sight", func(s *stage) {
			s.parts["a"].missing = 1
			s.parts["a"].order = nil
		}, func(s *stage) { s.parts["a"].missing, s.parts["a"].order = 0, []string{"orders"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			s.set([]int64{100}, []int64{50})
			s.next()
			s.set([]int64{200}, []int64{50})
			s.next()
			for range 3 {
				c.stale(s)
				s.next()
			}
			c.fresh(s)
			s.set([]int64{250}, []int64{50})
			s.next()
			s.wantSpan(t, "come while nobody looked", 200, interval, interval, 5*interval)
			s.wantSpan(t, "come before", 150, 0, interval/2, interval)
		})
	}
}

// TestForgetsTopics: what a broker has no more is forgotten.
func TestForgetsTopics(t *testing.T) {
	s := newStage()
	s.set([]int64{100}, []int64{50})
	s.next()
	s.parts["a"].order = nil
	s.next()
	on := model.TopicOnBroker{Topic: "orders", Broker: "a"}
	if s.EndsOf(on).known() || s.PairOf("orders", "billing") != nil || s.TopicOf("orders") != nil {
		t.Error("a deleted topic is still known")
	}
	s.parts["a"].order = []string{"orders"}
	s.next()
	s.brokers = nil
	s.next()
	if s.EndsOf(on).known() || len(s.History.brokers) != 0 {
		t.Error("a broker that is gone is still known")
	}
}

// TestNewQueues: a queue that was not there the last time begins then.
func TestNewQueues(t *testing.T) {
	s := newStage()
	s.set([]int64{100}, []int64{50})
	s.parts["a"].others = []model.TopicStats{}
	s.next()
	s.set([]int64{100, 40}, []int64{50, 0})
	s.parts["a"].topic("new").ends = []int64{8}
	s.next()
	if got, want := s.find(1, 20), [3]time.Duration{0, interval / 2, interval}; got != want {
		t.Errorf("queue 1: %v, want %v", got, want)
	}
	span := find(s.EndsOf(model.TopicOnBroker{Topic: "new", Broker: "a"}), 0, 4)
	if span != (Span{0, s.Tick(began().Add(interval)), s.Tick(began().Add(interval / 2))}) {
		t.Errorf("new topic: %+v", span)
	}
}

// wait has broker a tell an age of the first queue, that was asked for a commit.
func (s *stage) wait(group string, commit int64, age time.Duration) {
	s.parts["a"].waits = append(s.parts["a"].waits, model.Wait{
		Topic: "orders", Group: group, Taken: s.now(), Committed: []int64{commit}, Ages: []int64{age.Milliseconds()},
	})
}

// TestAnchors: what a broker was asked for reaches back behind the history, and
// not into it.
func TestAnchors(t *testing.T) {
	s := newStage()
	s.groups["archive"] = &model.Group{Name: "archive"}
	commits := func(end, billing, archive int64) {
		s.set([]int64{end}, []int64{billing})
		s.parts["a"].topics["orders"].commits["archive"] = []int64{archive}
		s.parts["a"].waits = nil
	}
	commits(1000, 100, 600)
	s.wait("billing", 100, time.Hour)
	s.next()
	s.wantSpan(t, "asked for", 100, -time.Hour, -time.Hour, -time.Hour)
	s.wantSpan(t, "behind it", 500, -time.Hour, none, 0)
	s.wantSpan(t, "in front of it", 99, none, none, -time.Hour)

	commits(1100, 100, 600)
	s.wait("archive", 600, 10*time.Minute)
	s.next()
	ten := interval - 10*time.Minute
	s.wantSpan(t, "both", 500, -time.Hour, none, ten)
	s.wantSpan(t, "asked for later", 600, ten, ten, ten)
	s.wantSpan(t, "behind both", 999, ten, none, 0)
	s.wantSpan(t, "seen", 1050, 0, interval/2, interval)

	// The group has moved on since it was asked for.
	commits(1200, 300, 600)
	s.wait("billing", 200, 20*time.Minute)
	s.next()
	twenty := 2*interval - 20*time.Minute
	s.wantSpan(t, "not asked for itself", 300, twenty, none, ten)
	s.wantSpan(t, "in front of it", 299, -time.Hour, none, twenty)
	commits(1200, 300, 600)
	s.wait("billing", 300, 15*time.Minute)
	s.next()
	fifteen := 3*interval - 15*time.Minute
	s.wantSpan(t, "asked for in the end", 300, fifteen, fifteen, fifteen)
	commits(1200, 300, 600)
	s.wait("billing", 250, 30*time.Minute)
	s.next()
	s.wantSpan(t, "what is exact stays", 300, fifteen, fifteen, fifteen)

	// An answer that does not fit is none.
	for _, odd := range []func(){
		func() { s.wait("billing", 301, time.Minute) }, // it went back since
		func() { s.wait("none", 300, time.Minute) },
		func() { s.wait("billing", model.Unknown, time.Minute) },
		func() { s.wait("billing", 300, -time.Millisecond) },
		func() {
			s.parts["a"].waits = []model.Wait{{Topic: "orders", Group: "billing", Taken: s.now(), Committed: []int64{300}, Ages: []int64{math.MaxInt64}}}
		},
		func() { s.parts["a"].waits = []model.Wait{{Topic: "orders", Group: "billing", Taken: s.now()}} },
	} {
		commits(1200, 300, 600)
		odd()
		s.next()
		s.wantSpan(t, "between", 300, fifteen, fifteen, fifteen)
	}

	commits(1300, 1250, 1250)
	s.wait("billing", 1250, 9*time.Hour) // against what was seen: a clock that jumped
	s.next()
	seen := s.find(0, 1250)
	if seen[0] < interval {
		t.Errorf("message 1250, which was seen to come: %v", seen)
	}
}

// TestAnchorsAtTheBeginning: where retention has deleted the message at the
// commit, or nothing was committed, what was asked for is the first that is kept.
func TestAnchorsAtTheBeginning(t *testing.T) {
	for _, c := range []struct {
		name          string
		commit, begin int64
		asked         int64
		want          [3]time.Duration // of the message asked for
	}{
		{"below the beginning", 50, 80, 80, [3]time.Duration{-time.Hour, -time.Hour, -time.Hour}},
		{"the beginning moved on", 50, 90, 80, [3]time.Duration{none, none, -time.Hour}},
		{"nothing committed, from the start", model.Unknown, 0, 0, [3]time.Duration{-time.Hour, -time.Hour, -time.Hour}},
		{"nothing committed, nobody knows from where", model.Unknown, 80, 80, [3]time.Duration{none, none, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			s.set([]int64{1000}, []int64{c.commit})
			s.parts["a"].topics["orders"].begins = []int64{c.begin}
			s.wait("billing", c.asked, time.Hour)
			s.next()
			if got := s.find(0, c.asked); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestManyAnchors: however many answers come, they stay few.
func TestManyAnchors(t *testing.T) {
	s := newStage()
	s.groups["archive"] = &model.Group{Name: "archive"}
	for i := range int64(200) {
		s.set([]int64{100_000}, []int64{0})
		s.parts["a"].topics["orders"].commits["archive"] = []int64{i * 10}
		s.parts["a"].waits = nil
		s.wait("archive", i*10-i%2, time.Duration(10_000_000-40_000*i)*time.Millisecond)
		s.next()
	}
	q := s.samples(0)
	if len(q) > maxSamples+2 {
		t.Errorf("%d samples", len(q))
	}
	for i := 1; i < len(q); i++ {
		if q[i].at < q[i-1].at || q[i].end < q[i-1].end {
			t.Errorf("sample %d goes back: %+v after %+v", i, q[i], q[i-1])
		}
	}
}

// producer stores messages in some manner, and knows when.
type producer struct {
	rng    *rand.Rand
	stored []Tick // by offset
	mode   int
	left   Tick
}

// run lets time pass from one tick to another.
func (p *producer) run(from, to Tick) {
	for now := from; now < to; now++ {
		if p.left--; p.left <= 0 {
			p.mode, p.left = p.rng.IntN(4), Tick(p.rng.IntN(5000))
		}
		n := 0
		switch p.mode {
		case 1:
			n = p.rng.IntN(3)
		case 2:
			n = max(0, p.rng.IntN(200)-198)
		case 3:
			n = p.rng.IntN(40) * (int(now) / 100 % 2)
		}
		for range n {
			p.stored = append(p.stored, now)
		}
	}
}

// TestStoreTimes: with any traffic, any pauses between rounds, and a reader that
// stands, runs or waits, the true store time is within what is known, and within
// one interval while few samples are needed.
func TestStoreTimes(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 3))
		p := &producer{rng: rng}
		var q queue
		now, reader, thinned := Tick(0), int64(0), false
		for round := range 400 {
			gap := Tick(1 + rng.IntN(300))
			p.run(now, now+gap)
			now += gap
			end := int64(len(p.stored))
			q.add(now, end, reader)
			if len(q) > maxSamples {
				t.Fatalf("seed %d, round %d: %d samples", seed, round, len(q))
			}
			thinned = len(q) > 2 && (thinned || len(q) == maxSamples)
			for range 4 {
				if end <= reader {
					break
				}
				offset := reader + rng.Int64N(end-reader)
				span, truth := q.find(offset), p.stored[offset]
				first := round == 0 || span.At == NoTick
				if first && span.To >= truth && span.From == NoTick {
					continue // older than the history
				}
				if truth < span.From || truth > span.To || span.At < span.From || span.At > span.To {
					t.Fatalf("seed %d, round %d: message %d of %d was stored at %d, known is %+v\n%v", seed, round, offset, end, truth, span, q)
				}
				if wide := span.To - span.From; !thinned && wide > 300 {
					t.Fatalf("seed %d, round %d: message %d: %+v with %d samples", seed, round, offset, span, len(q))
				}
			}
			if rng.IntN(3) == 0 && seed%3 > 0 {
				reader += rng.Int64N(end - reader + 1)
			}
		}
	}
}

// TestErrorOfOldMessages: of a queue that is behind by a day, all store times
// are known to a share of their age; to about an interval where the traffic is
// even. So it is before samples are left out and behind that.
func TestErrorOfOldMessages(t *testing.T) {
	const gap, day = 150, 864_000 // 15 s
	for _, c := range []struct {
		name  string
		rate  func(now Tick, rng *rand.Rand) int
		share float64 // of the age, besides two intervals
	}{
		{"even", func(Tick, *rand.Rand) int { return 3 }, 0.001},
		{"noisy", func(_ Tick, rng *rand.Rand) int { return rng.IntN(9) }, 0.004},
		{"by day and night", func(now Tick, rng *rand.Rand) int {
			return rng.IntN(2 + int(20*(1+math.Sin(float64(now)/day*2*math.Pi))))
		}, 0.05},
		{"in bursts", func(now Tick, rng *rand.Rand) int { return 50 * (int(now) / 6000 % 2) * rng.IntN(2) }, 0.10},
		{"in bursts of an hour", func(now Tick, rng *rand.Rand) int { return 50 * (int(now) / 36000 % 2) * rng.IntN(2) }, 0.10},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 6))
			var q queue
			var stored []Tick
			worst, fewest, most := 0.0, maxSamples, 0
			for now := range Tick(day) {
				if now%gap == 0 {
					q.add(now, int64(len(stored)), 0)
				}
				if now%gap == 0 && (now > day-2*turns*gap || now > day/2 && now%(97*gap) == 0) {
					fewest, most = min(fewest, len(q)), max(most, len(q))
					worst = max(worst, worstShare(q, stored, 2*gap, rng))
				}
				for range c.rate(now, rng) {
					stored = append(stored, now)
				}
			}
			t.Logf("%d to %d samples, error besides two intervals: %.4f of the age", fewest, most, worst)
			if worst > c.share {
				t.Errorf("the error is two intervals and %.4f of the age, want at most %.4f", worst, c.share)
			}
			if fewest != fewSamples+1 || most != maxSamples {
				t.Errorf("%d to %d samples, want %d to %d", fewest, most, fewSamples+1, maxSamples)
			}
		})
	}
}

// worstShare is by how much more than some time estimates are off, as a share of
// the messages' age, of many that were stored then.
func worstShare(q queue, stored []Tick, besides float64, rng *rand.Rand) float64 {
	worst, end := 0.0, q[len(q)-1]
	for range 2000 {
		offset := rng.Int64N(end.end)
		span := q.find(offset)
		off := math.Abs(float64(span.At - stored[offset]))
		worst = max(worst, (off-besides)/float64(end.at-stored[offset]))
	}
	return worst
}
