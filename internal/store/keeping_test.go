package store

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// FuzzKeeping: whatever is done to packed queues, they are the bytes that they
// would be if each time all samples were unpacked and packed again.
func FuzzKeeping(f *testing.F) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 9))
		script := make([]byte, 1000)
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		f.Add(script)
		for i := range script {
			script[i] %= []byte{20, 33, 240}[seed%3] // small numbers, mostly looks
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		s := keepingStage{t: t, script: script}
		for s.History.round = 1; len(s.script) > 0; s.History.round++ {
			s.round()
		}
	})
}

// keepingStage plays the bytes of a script on two queues.
type keepingStage struct {
	History

	t       *testing.T
	script  []byte
	part    Part
	desk    desk
	looks   looks
	k       looking
	slow    slowly
	at, end int64
}

// slowly is what is expected of a looking, in lists.
type slowly struct {
	queues          [2]queue
	changed, retell bool
}

func (s *keepingStage) byte() byte {
	if len(s.script) == 0 {
		return 0
	}
	b := s.script[0]
	s.script = s.script[1:]
	return b
}

// number is mostly small, and can be any.
func (s *keepingStage) number() int64 {
	switch b := s.byte(); {
	case b < 240:
		return int64(b % 64)
	case b < 248:
		return int64(s.byte())<<(b%8*7) + int64(s.byte())
	case b < 252:
		return []int64{math.MaxInt64, math.MinInt64, model.Unknown, math.MaxInt32}[b-248]
	}
	var room [8]byte
	for i := range room {
		room[i] = s.byte()
	}
	return int64(binary.LittleEndian.Uint64(room[:]))
}

// round looks at the queues and does a few things to them.
func (s *keepingStage) round() {
	s.part.history = &s.History
	s.looks.older, s.looks.retell = s.part.older.append(s.k.older), false
	s.k = looking{looks: &s.looks, part: &s.part, desk: &s.desk, older: s.part.older.at(s.looks.older).appendTo(s.desk.queues[:0])}
	s.desk.room = s.desk.room[:0]
	s.slow.changed, s.slow.retell = false, false
	for range 1 + s.byte()%3 {
		s.step(int(s.byte() % 2))
		s.check()
	}
	// As close does, so that what is read in the next round stands in an arena.
	s.desk.older = nil
	s.k.close()
	s.part.older, s.desk.older = s.desk.older.clipped(), nil
	s.k.older = s.part.older.at(s.looks.older).appendTo(nil)
}

// step does the same to a queue in both.
func (s *keepingStage) step(id int) {
	q := &s.slow.queues[id]
	switch b := s.byte(); {
	case b%32 < 24 && b < 250:
		s.end, s.at = s.end+s.number(), s.at+s.number()
		slowest := model.Unknown
		if b%32 > 20 && len(*q) > 0 {
			slowest = (*q)[int(s.byte())%min(len(*q), 4)].end
		}
		s.slow.keep(id, s.end, Tick(s.at), slowest, s.k.fewer(id))
		s.k.keep(id, s.end, Tick(s.at), slowest)
	case b%32 < 26:
		reach := s.end - s.number()
		s.slow.prune(id, reach)
		s.k.prune(id, reach)
	case b%32 < 30:
		at, offset, kind := Tick(s.at-s.number()), s.end, []uint32{exact, bound}[s.byte()%2]
		if len(*q) > 0 {
			offset = (*q)[0].end
		}
		offset += 8 - s.number()
		s.k.before, s.k.now, s.k.takenFirst, s.k.taken = []int64{s.end, s.end}, []int64{s.end + 1, s.end + 1}, Tick(s.at), Tick(s.at+1)
		s.slow.anchor(&s.k, id, at, offset, kind)
		s.k.anchor(id, at, offset, kind)
		s.k.before, s.k.now = nil, nil
	case b > 250:
		s.slow.drop(id)
		s.k.drop(id)
	}
}

func (l *slowly) keep(id int, end int64, at Tick, slowest int64, fewer int) {
	if end == model.Unknown {
		return
	}
	l.prune(id, min(slowest, end))
	q := &l.queues[id]
	for most := len(*q) >= fewer; most && len(*q) > fewSamples; {
		l.retell = thinByOne(q, at) || l.retell
	}
	l.retell = q.add(at, end, slowest) || l.retell
	l.changed = true
}

func (l *slowly) prune(id int, reach int64) {
	if q := &l.queues[id]; q.prune(reach) {
		l.changed, l.retell = true, l.retell || (*q)[0].isAnchor()
	}
}

func (l *slowly) drop(id int) {
	if len(l.queues[id]) > 0 {
		l.queues[id], l.changed, l.retell = nil, true, true
	}
}

func (l *slowly) anchor(k *looking, id int, at Tick, offset int64, kind uint32) {
	off, isLine := l.queues[id].lastLine()
	q, seen := withLooks(slices.Clone(l.queues[id]), k.before[id], k.takenFirst, k.now[id], k.taken)
	if len(q) == 0 {
		return
	}
	now := q[len(q)-1].at
	if !q.anchor(at, offset, kind) {
		return
	}
	q = q[:len(q)-seen]
	if isLine {
		q[len(q)-1].off = off
	}
	for most := len(q) > maxSamples; most && len(q) > fewSamples; {
		thinByOne(&q, now)
	}
	l.queues[id], l.changed, l.retell = q, true, true
}

// check compares both.
func (s *keepingStage) check() {
	s.t.Helper()
	if s.k.changed != s.slow.changed || s.looks.retell != s.slow.retell {
		s.t.Fatalf("changed %t, to be told again %t, want %t and %t", s.k.changed, s.looks.retell, s.slow.changed, s.slow.retell)
	}
	for id, want := range s.slow.queues {
		var got packed
		if id < len(s.k.older) {
			got = s.k.older[id]
		}
		if !bytes.Equal(got, appendPacked(nil, want)) || !slices.Equal(got.appendUpTo(nil, math.MaxInt64), want) {
			s.t.Fatalf("queue %d: %v, want %v", id, got.appendUpTo(nil, math.MaxInt64), want)
		}
		if got.last() != want.last() {
			s.t.Fatalf("queue %d ends at %d, want %d", id, got.last(), want.last())
		}
		offset := s.end - s.number()
		some := got.appendUpTo(nil, offset)
		if n := len(some); !slices.Equal(some, want[:n]) || n < len(want) && want[n-1].end <= offset {
			s.t.Fatalf("queue %d, message %d: %v of %v", id, offset, some, want)
		}
	}
}

// TestAnchorOfTooMany: a topic that was apart comes back with its looks among its
// older samples, which are more than others have then. One that is told is one too
// many.
func TestAnchorOfTooMany(t *testing.T) {
	s := keepingStage{t: t}
	s.part.history = &s.History
	var q queue
	for i := range int64(maxSamples + 1) {
		q = append(q, sample{end: 100 + 10*i, at: Tick(150 * i), off: 150})
	}
	s.k = looking{
		looks: &s.looks, part: &s.part, desk: &s.desk, older: packAll([]queue{q}),
		before: []int64{1000}, now: []int64{1010},
	}
	s.looks.takenFirst, s.looks.taken = 6000, 6150
	if !s.k.anchor(0, -500, 50, exact) {
		t.Fatal("the anchor is not taken")
	}
	got := s.k.older[0].appendUpTo(nil, math.MaxInt64)
	if len(got) > maxSamples || got[0] != (sample{50, -500, exact}) {
		t.Errorf("%d samples, the first one %v: want at most %d, and what was told", len(got), got[0], maxSamples)
	}
}

// TestDeskLetsGo: between rounds nothing refers to what older samples were packed
// in before.
func TestDeskLetsGo(t *testing.T) {
	s := newStage()
	for i := range int64(10) {
		s.set([]int64{100 * (i + 1), 100 * (i + 1)}, []int64{50, 50})
		s.next()
		for d := range s.desks {
			for id, q := range s.desks[d].queues[:cap(s.desks[d].queues)] {
				if q != nil {
					t.Fatalf("round %d: desk %d still has queue %d", i, d, id)
				}
			}
		}
	}
	if len(s.Part(0).older) == 0 {
		t.Error("nothing is older: the test tests nothing")
	}
}

// TestThin: to leave out several samples at once is to leave out one again and
// again.
func TestThin(t *testing.T) {
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 8))
		var q queue
		for len(q) < maxSamples+2 {
			q = append(q, someQueue(rng)...)
		}
		q = q[:maxSamples+rng.IntN(3)]
		ends, times := make([]int64, len(q)), make([]Tick, len(q))
		for i, s := range q {
			ends[i], times[i] = s.end, s.at
		}
		slices.Sort(ends)
		slices.Sort(times)
		for i := range q {
			q[i].end, q[i].at = ends[i], times[i]
		}
		now, want, lost := Tick(rng.Int32()), slices.Clone(q), false
		for len(want) > fewSamples {
			lost = thinByOne(&want, now) || lost
		}
		if got := q.thin(now); got != lost || !slices.Equal(q, want) {
			t.Fatalf("seed %d: an anchor was left out: %t, want %t\n got %v\nwant %v", seed, got, lost, q, want)
		}
	}
}

// thinByOne leaves out the sample that changes times least for their age.
func thinByOne(q *queue, now Tick) (anchor bool) {
	s := *q
	best, least := 1, omission{share: math.MaxInt64}
	for i := 1; i+1 < len(s); i++ {
		if o := omit(&s[i-1], &s[i], &s[i+1], now); o.share < least.share {
			best, least = i, o
		}
	}
	s[best-1].off, anchor = least.off, s[best].isAnchor()
	*q = slices.Delete(s, best, best+1)
	return anchor
}
