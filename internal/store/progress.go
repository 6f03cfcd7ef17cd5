package store

import (
	"math"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Pair is how one group has got on with one topic.
//
// Consumed begins as the sum of its commits, and then grows by what each queue's
// commit grows. So it is the sum of the commits as long as nothing odd happens,
// and a counter when something does: a commit that goes back, a broker that is
// away for a while, or a queue that is committed for the first time, at
// whatever offset, must not look like a consumption.
type Pair struct {
	Consumed int64
	// Moved is when a commit was last seen to move; NoTick: never.
	Moved Tick
	// Back is when a commit last went back, NoTick if none did. Returned is
	// when all that did were where they had been again, NoTick while they are
	// not. A broker that crashed has lost the commits of some seconds, and its
	// clients soon commit them again.
	Back, Returned Tick

	began uint32 // round
	group int32  // number in History.groups
	back  []backQueue
}

// backQueue is a queue whose commit went back, from where and when.
type backQueue struct {
	queueKey

	high int64
	at   Tick
}

// queueKey names a queue of a topic; client is the process of a broadcasting
// group, which keeps its own commits.
type queueKey struct {
	broker, client string
	id             int
}

const (
	// maxBack bounds the queues of a pair of which that is known. When all are
	// set back they go forward alike.
	maxBack = 4
	// backTime is for how long it is: a commit that was set back on purpose
	// need never return.
	backTime = Tick(10 * time.Minute / Unit)
)

// pairKey is the numbers of a topic and a group.
type pairKey struct{ topic, group int32 }

// meet is the number of a pair of this round. It is new in the round in which it
// began.
func (h *History) meet(topic, group int32) int32 {
	number, isNew := h.pairs.meet(h.round, pairKey{topic, group})
	if isNew {
		*h.pairs.at(number) = Pair{began: h.round, group: group, Moved: NoTick, Back: NoTick, Returned: NoTick}
	}
	return number
}

// note takes one queue's commit after the one that was seen of it before, and
// says whether it moved.
func (p *Pair) note(round uint32, at Tick, key queueKey, last, now int64) (moved bool) {
	if len(p.back) > 0 {
		p.returns(at, key, now)
	}
	switch {
	case now == model.Unknown || last == now:
		return false
	case last == model.Unknown && p.began == round:
		p.Consumed = plus(p.Consumed, now)
		return false
	case last == model.Unknown:
	case now > last:
		p.Consumed = plus(p.Consumed, now-last)
	default:
		p.goesBack(at, key, last)
	}
	p.Moved = max(p.Moved, at)
	return true
}

func (p *Pair) goesBack(at Tick, key queueKey, from int64) {
	p.Back, p.Returned = max(p.Back, at), NoTick
	known := func(b backQueue) bool { return b.queueKey == key }
	if len(p.back) < maxBack && !slices.ContainsFunc(p.back, known) {
		p.back = append(p.back, backQueue{key, from, at})
	}
}

// returns lets go of a queue that is where it was, or was set back long ago.
func (p *Pair) returns(at Tick, key queueKey, now int64) {
	p.back = slices.DeleteFunc(p.back, func(b backQueue) bool {
		return b.queueKey == key && now >= b.high || at-b.at >= backTime
	})
	if len(p.back) == 0 {
		p.back, p.Returned = nil, at
	}
}

// plus adds numbers that are not negative. Where only forged offsets can lead
// it stops at the largest number.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
