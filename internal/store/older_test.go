package store

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// TestOlder: samples come back from a piece as they went in, however large the
// numbers are, and pieces that are kept or made anew do not mix.
func TestOlder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var o older
		places, want := []int32{nowhere, nowhere, nowhere}, make([][]queue, 3)
		for range 30 {
			last, changed := o, rng.IntN(len(places))
			o = nil
			for i, place := range places {
				if i != changed {
					places[i] = o.keep(last.at(place))
					continue
				}
				want[i] = make([]queue, rng.IntN(6))
				for id := range want[i] {
					want[i][id] = someQueue(rng)
				}
				places[i] = o.append(packAll(want[i]))
			}
			o = o.clipped()
			for i, place := range places {
				checkPiece(t, seed, o.at(place), want[i])
			}
		}
		o = nil
		for i := range places {
			places[i] = o.append(nil)
		}
		if !slices.Equal(places, []int32{nowhere, nowhere, nowhere}) || len(o) > 0 {
			t.Fatalf("seed %d: nothing is kept at %v in %v", seed, places, o)
		}
	}
}

// someQueue has samples that rise, as those of a queue do, by anything.
func someQueue(rng *rand.Rand) queue {
	var q queue
	s := sample{end: rng.Int64N(math.MaxInt64 >> rng.IntN(63)), at: Tick(-rng.Int32N(math.MaxInt32))}
	for range rng.IntN(maxSamples) {
		s.end += rng.Int64N(max(1, (math.MaxInt64-s.end)>>rng.IntN(60)))
		s.at += Tick(rng.Int64N((math.MaxInt32-int64(s.at))>>rng.IntN(30) + 1))
		s.off = []uint32{exact, bound, 0, rng.Uint32N(math.MaxInt32), uint32(rng.IntN(300))}[rng.IntN(5)]
		q = append(q, s)
	}
	return q
}

func checkPiece(t *testing.T, seed uint64, p piece, want []queue) {
	t.Helper()
	for id := range max(p.queues(), len(want)) + 1 {
		var q queue
		if id < len(want) {
			q = want[id]
		}
		if got := p.at(id).appendUpTo(nil, math.MaxInt64); !slices.Equal(got, q) {
			t.Fatalf("seed %d, queue %d: %v, want %v", seed, id, got, q)
		}
		for i, s := range q {
			if got := p.at(id).appendUpTo(nil, s.end-1); len(got) > i+1 || got[len(got)-1].end < s.end {
				t.Fatalf("seed %d, queue %d: the message at %d is bounded by %v of %v", seed, id, s.end-1, got, q)
			}
		}
	}
}

// TestLedger: numbers stay while their keys are met, and none is given twice.
func TestLedger(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var l ledger[int, int]
	known := make(map[int]int32)
	for round := uint32(1); round < 300; round++ {
		if round%50 == 0 {
			clear(known)
			if l.forget(round); len(l.numbers) != 0 || l.blocks != nil {
				t.Fatalf("round %d had nothing, %d are kept", round, len(l.numbers))
			}
			continue
		}
		met := make(map[int]int32)
		for range rng.IntN(400) {
			key := rng.IntN(500)
			number, isNew := l.meet(round, key)
			if last, ok := known[key]; ok && last != number {
				t.Fatalf("round %d: %d had number %d, now %d", round, key, last, number)
			} else if _, again := met[key]; isNew == (ok || again) {
				t.Fatalf("round %d: %d is new: %t", round, key, isNew)
			}
			met[key], known[key], *l.at(number) = number, number, key
		}
		l.forget(round)
		known = met
		for key, number := range known {
			if *l.at(number) != key || l.find(key) != number {
				t.Fatalf("round %d: number %d of %d has %d", round, number, key, *l.at(number))
			}
		}
		if len(l.numbers) != len(known) {
			t.Fatalf("round %d: %d are kept, want %d", round, len(l.numbers), len(known))
		}
	}
}

// TestWaitsSettle: ages that were told are not taken again, whatever else comes,
// until something about them changes; and then they are.
func TestWaitsSettle(t *testing.T) {
	s := newStage()
	told := func() *toldWait { return &s.Part(0).waits.told[0] }
	s.set([]int64{1000}, []int64{100})
	s.parts["a"].topic("orders").begins = []int64{10}
	s.wait("billing", 100, time.Hour)
	s.next()
	s.wantSpan(t, "asked for", 100, -time.Hour, -time.Hour, -time.Hour)
	if !told().settled {
		t.Fatal("an age of a commit that stands is not settled")
	}
	// Forge what is kept: it stays forged while nobody takes the age again.
	forge := func() {
		p := s.Part(0)
		l := &p.topics[0]
		q := p.older.at(l.older).at(0).appendUpTo(nil, math.MaxInt64)
		q[0].at--
		l.older, l.retell, l.retold = p.older.append(packAll([]queue{q})), false, false
	}
	for _, c := range []struct {
		name   string
		change func()
		again  bool
	}{
		{"nothing", func() {}, false},
		{"more messages", func() { s.set([]int64{1100}, []int64{100}) }, false},
		{"the same age anew", func() { s.parts["a"].waits = nil; s.wait("billing", 100, time.Hour+interval) }, true},
		{"the age of another group", func() {
			s.groups["archive"] = &model.Group{Name: "archive"}
			s.parts["a"].topics["orders"].commits["archive"] = []int64{500}
			s.wait("archive", 500, time.Hour/2)
		}, true},
	} {
		s.next() // so that nothing is under way
		forge()
		forged := s.find(0, 100)
		c.change()
		s.next()
		if got := s.find(0, 100); (got != forged) != c.again {
			t.Errorf("%s: message 100 is of %v, was forged to be of %v; told again: want %t", c.name, got, forged, c.again)
		}
	}
}
