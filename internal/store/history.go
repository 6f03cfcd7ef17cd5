// Package store holds what is kept between rounds so that lag can be told in
// seconds and in states: when the ends of queues passed which offsets, when
// commits moved, how much was produced and consumed, and since when who was
// online.
//
// It may hold this short history, its bounds, and the questions that are asked
// of it. It takes one snapshot after another and draws no conclusions: those
// are package lag's. It has no clock; all times are the snapshots'.
package store

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Tick is a time of the history: tenths of a second since its first snapshot
// ended, by the exporter's clock. What was before is negative.
type Tick int32

// Unit is one Tick.
const Unit = 100 * time.Millisecond

// NoTick stands where a time is not known. It is before every other.
const NoTick Tick = math.MinInt32

// History is the short history of one cluster. The zero value is ready. One
// goroutine adds to it; until it adds again, any may ask.
//
// Its memory grows with queues and commits and not with time: a queue keeps its
// last two ends, four bytes each, and while somebody is further behind, up to
// maxSamples more.
//
// Of the snapshots it keeps, between rounds: of the last one, of each part the
// lists Topics, Ends, Groups, Commits, Committed and Waits, and of broadcasting
// groups' processes the Committed; of the one before, of each part Ends, and
// Topics where they are not the same list as in the last. It keeps no other list
// of them, no earlier snapshot, and no snapshot or part as a whole. Strings are
// shared.
type History struct {
	epoch    time.Time
	snapshot weak.Pointer[model.Snapshot] // the last one
	round    uint32

	brokers map[string]*Part
	parts   []*Part // as the last snapshot has them
	pairs   ledger[pairKey, Pair]
	topics  ledger[string, Topic]
	groups  ledger[string, Members]
	order   []int32 // numbers of the last snapshot's groups
	local   map[localKey]*Local
	locals  map[string][]*Local   // by group, as the last snapshot has them
	alone   []*model.LocalCommits // of a round: of topics that are not among their brokers' own
	desks   []desk
	spare   spareRoom // while a round is added
}

// Add takes the next snapshot of the cluster.
func (h *History) Add(s *model.Snapshot) {
	if h.round == 0 {
		h.epoch = s.Ended
	}
	h.round++
	h.snapshot = weak.Make(s)
	h.addGroups(s)
	h.meetParts(s)
	h.addLocal(s)
	h.each(func(d *desk, i int) { h.take(h.parts[i], d, s.Parts[i].Part) })
	h.spare.clear()
	for i, p := range h.parts {
		h.finish(p, s.Parts[i].Part)
	}
	for _, l := range h.alone {
		h.takeApart(h.meetApart(h.brokers[l.Broker], l.Topic), h.Tick(l.Taken), l.Ends, nil)
	}
	h.alone = nil
	for i, p := range h.parts {
		h.forgetEnds(p, &s.Parts[i])
	}
	h.pairs.forget(h.round)
	h.topics.forget(h.round)
	h.groups.forget(h.round)
}

// meetParts meets the topics and commits of all brokers.
func (h *History) meetParts(s *model.Snapshot) {
	brokers := make(map[string]*Part, len(s.Parts))
	h.parts = h.parts[:0]
	for i := range s.Parts {
		p := h.brokers[s.Parts[i].Broker]
		if p == nil || p.added == h.round {
			p = &Part{history: h}
		}
		p.added = h.round
		brokers[s.Parts[i].Broker] = p
		h.parts = append(h.parts, p)
		h.meetPart(p, &s.Parts[i])
	}
	h.brokers = brokers
}

// each does something with each part, with several at once where there are
// processors for it.
func (h *History) each(do func(d *desk, i int)) {
	n := max(min(runtime.GOMAXPROCS(0), len(h.parts)), 1)
	if len(h.desks) != n {
		h.desks = make([]desk, n)
	}
	if n == 1 {
		for i := range h.parts {
			do(&h.desks[0], i)
		}
		return
	}
	var next atomic.Int32
	var done sync.WaitGroup
	for d := range h.desks {
		done.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(h.parts); i = int(next.Add(1)) - 1 {
				do(&h.desks[d], i)
			}
		})
	}
	done.Wait()
}

// Holds says whether a snapshot is the last one that was added. Questions are
// about the last one.
func (h *History) Holds(s *model.Snapshot) bool { return h != nil && h.snapshot == weak.Make(s) }

// Tick is a time in the history's own units.
func (h *History) Tick(t time.Time) Tick {
	const most = math.MaxInt32 - 1 // nearly seven years
	return Tick(min(max(t.Sub(h.epoch)/Unit, -most), most))
}

// Part is what is kept of the i-th part of the last snapshot.
func (h *History) Part(i int) *Part { return h.parts[i] }

// TopicOf is what was produced of a topic; nil where nothing is known.
func (h *History) TopicOf(name string) *Topic {
	if number := h.topics.find(name); number != nowhere && h.topics.at(number).met == h.round {
		return h.topics.at(number)
	}
	return nil
}

// MembersOf says since when a group is online or offline; nil where there is no
// such group.
func (h *History) MembersOf(group string) *Members {
	if number := h.groups.find(group); number != nowhere && h.groups.at(number).listed == h.round {
		return h.groups.at(number)
	}
	return nil
}

// LocalOf is how the processes of a broadcasting group have got on, in the order
// of its Local.
func (h *History) LocalOf(group string) []*Local { return h.locals[group] }

// EndsOf are the ends of a topic on a broker.
func (h *History) EndsOf(on model.TopicOnBroker) Ends {
	if p := h.brokers[on.Broker]; p != nil {
		return p.named(on.Topic)
	}
	return Ends{}
}
