package store

import (
	"math"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// apart is the ends of a topic that is not in its broker's part: nobody has
// committed on it, or only broadcasting groups consume it, or it could not be
// read for too long. There are few, or they have few queues.
type apart struct {
	name    string
	topic   *Topic
	queues  []queue
	slowest []int64 // of a round: the first offset that somebody still needs
	taken   Tick    // when they were read last
	young   bool    // the topic was not there at taken
	met     uint64
}

// meetApart are the ends of a topic apart, in this round.
func (h *History) meetApart(p *Part, topic string) *apart {
	a := p.apart[topic]
	if a == nil {
		a = &apart{name: topic, taken: NoTick}
		if p.whole {
			// The broker had no such topic: all of it came since.
			a.taken, a.young = p.wholeAt, true
		}
		if place, ok := p.place(topic); ok {
			a = p.detach(place, topic)
		}
		p.setApart(a)
	}
	if a.met != h.round {
		a.met, a.slowest = h.round, nobody(a.slowest, len(a.slowest))
	}
	a.topic = h.meetTopic(a.topic, topic)
	return a
}

func (p *Part) setApart(a *apart) {
	if p.apart == nil {
		p.apart = make(map[string]*apart)
	}
	p.apart[a.name] = a
}

// detach takes a topic out of the columns.
func (p *Part) detach(place int, topic string) *apart {
	l := &p.topics[place]
	a := &apart{name: topic, topic: l.topic, taken: l.taken, young: l.young, queues: make([]queue, l.width)}
	for id := range a.queues {
		a.queues[id], _ = p.samples(l, id, nil)
	}
	*l = noLooks()
	return a
}

// attach puts what was apart in front of the looks at a topic.
func (a *apart) attach() looks {
	l := noLooks()
	l.topic, l.older, l.taken, l.young, l.width = a.topic, a.queues, a.taken, a.young, int32(len(a.queues))
	return l
}

func noLooks() looks { return looks{last: -1, before: -1, taken: NoTick} }

// need says that a reader of a queue is at an offset.
func (a *apart) need(id int, offset, begin int64) {
	for len(a.slowest) <= id {
		a.slowest = append(a.slowest, math.MaxInt64)
	}
	need(&a.slowest[id], offset, begin)
}

// takeApart takes the ends of a topic apart, unless they were taken before.
func (h *History) takeApart(a *apart, at Tick, ends, begins []int64) {
	if at <= a.taken || len(ends) == 0 {
		return
	}
	known := len(a.queues)
	for len(a.queues) < len(ends) {
		a.queues = append(a.queues, nil)
	}
	for id, end := range ends {
		if end == model.Unknown {
			continue
		}
		q := &a.queues[id]
		if a.topic.produce(h.round, q.last(), end, (known > 0 && id >= known || a.young) && value(begins, id) <= 0) {
			*q = queue{{at: a.taken}}
		}
		slowest := int64(math.MaxInt64)
		if id < len(a.slowest) {
			slowest = a.slowest[id]
		}
		q.add(at, end, slowest)
	}
	a.taken, a.young = at, false
}
