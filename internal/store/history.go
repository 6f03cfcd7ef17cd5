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
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Tick is a time of the history: tenths of a second since its first snapshot
// ended, by the exporter's clock. What was before is negative.
type Tick int32

// Unit is one Tick.
const Unit = 100 * time.Millisecond

// NoTick stands where a time is not known. It is before every other.
const NoTick Tick = math.MinInt32

// History is the short history of one cluster. The zero value is ready. It is
// used by one goroutine, and its answers hold until the next Add.
//
// Its memory grows with queues and commits and not with time: a queue keeps its
// last two ends, eight bytes each, and while somebody is further behind, up to
// maxSamples more.
type History struct {
	epoch    time.Time
	snapshot *model.Snapshot // the last one
	round    uint64

	brokers map[string]*Part
	parts   []*Part // as the last snapshot has them
	pairs   map[pairKey]*Pair
	topics  map[string]*Topic
	groups  map[string]*Members
	local   map[localKey]*Local
	locals  map[string][]*Local   // by group, as the last snapshot has them
	alone   []*model.LocalCommits // of a round: of topics that are not among their brokers' own
}

// Add takes the next snapshot of the cluster.
func (h *History) Add(s *model.Snapshot) {
	if h.brokers == nil {
		h.epoch = s.Ended
		h.pairs, h.topics = make(map[pairKey]*Pair), make(map[string]*Topic)
	}
	h.round++
	h.snapshot = s
	h.addGroups(s)
	h.addParts(s)
	h.addLocal(s)
	for i, p := range h.parts {
		h.addEnds(p, &s.Parts[i])
	}
	for _, l := range h.alone {
		h.takeApart(h.meetApart(h.brokers[l.Broker], l.Topic), h.Tick(l.Taken), l.Ends, nil)
	}
	for i, p := range h.parts {
		h.forgetEnds(p, &s.Parts[i])
	}
	h.forget()
}

// addParts takes the commits of all brokers.
func (h *History) addParts(s *model.Snapshot) {
	brokers := make(map[string]*Part, len(s.Parts))
	h.parts = h.parts[:0]
	for i := range s.Parts {
		p := h.brokers[s.Parts[i].Broker]
		if p == nil {
			p = &Part{}
		}
		brokers[s.Parts[i].Broker] = p
		h.parts = append(h.parts, p)
		h.addCommits(p, &s.Parts[i])
	}
	h.brokers = brokers
}

// forget lets go of what the round had no more.
func (h *History) forget() {
	for key, p := range h.pairs {
		if p.met != h.round {
			delete(h.pairs, key)
		}
	}
	for name, t := range h.topics {
		if t.met != h.round {
			delete(h.topics, name)
		}
	}
}

// Holds says whether a snapshot is the last one that was added. Questions are
// about the last one.
func (h *History) Holds(s *model.Snapshot) bool { return h != nil && h.snapshot == s }

// Tick is a time in the history's own units.
func (h *History) Tick(t time.Time) Tick {
	const most = math.MaxInt32 - 1 // nearly seven years
	return Tick(min(max(t.Sub(h.epoch)/Unit, -most), most))
}

// Part is what is kept of the i-th part of the last snapshot.
func (h *History) Part(i int) *Part { return h.parts[i] }

// TopicOf is what was produced of a topic; nil where nothing is known.
func (h *History) TopicOf(name string) *Topic { return h.topics[name] }

// MembersOf says since when a group is online or offline; nil where there is no
// such group.
func (h *History) MembersOf(group string) *Members { return h.groups[group] }

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
