package store

import (
	"math"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// apart is the ends of a topic that is not in its broker's part: nobody has
// committed on it, or only broadcasting groups consume it, or it could not be
// read for too long. There are few, or they have few queues.
type apart struct {
	name    string
	number  int32 // in History.topics
	topic   *Topic
	queues  []queue
	slowest []int64 // of a round: the first offset that somebody still needs
	taken   Tick    // when they were read last
	young   bool    // the topic was not there at taken
	met     uint32  // round
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
		if place := p.place(topic); place >= 0 {
			a = h.detach(p, place)
		}
		p.setApart(a)
	}
	if a.met != h.round {
		a.met, a.slowest = h.round, nobody(a.slowest, len(a.slowest))
	}
	h.keepApart(a)
	return a
}

// keepApart keeps a topic apart for this round.
func (h *History) keepApart(a *apart) {
	if a.topic == nil {
		a.number = h.meetTopic(a.name)
		a.topic = h.topics.at(a.number)
		return
	}
	h.keepTopic(a.number)
}

func (p *Part) setApart(a *apart) {
	if p.apart == nil {
		p.apart = make(map[string]*apart)
	}
	p.apart[a.name] = a
}

// detach takes a topic out of the columns.
func (h *History) detach(p *Part, place int32) *apart {
	l := &p.topics[place]
	a := &apart{name: p.names[place].Name, taken: l.taken, young: l.young, queues: make([]queue, l.width)}
	if l.topic != nowhere {
		a.number, a.topic = l.topic, h.topics.at(l.topic)
	}
	for id := range a.queues {
		a.queues[id] = p.samples(l, id, nil)
	}
	*l = noLooks()
	return a
}

// attach puts what was apart in front of the looks at a topic.
func (p *Part) attach(a *apart) looks {
	l := noLooks()
	l.topic, l.taken, l.young, l.width, l.retell = a.number, a.taken, a.young, int32(len(a.queues)), true
	l.older = p.older.append(packAll(a.queues))
	return l
}

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
	came := a.topic.production(h.round)
	for id, end := range ends {
		if end == model.Unknown {
			continue
		}
		q := &a.queues[id]
		if came.produce(q.last(), end, (known > 0 && id >= known || a.young) && model.ValueAt(begins, id) <= 0) {
			*q = queue{{at: a.taken}}
		}
		slowest := int64(math.MaxInt64)
		if id < len(a.slowest) {
			slowest = a.slowest[id]
		}
		q.add(at, end, slowest)
		if cap(*q) > 4*len(*q) {
			*q = slices.Clip(slices.Clone(*q))
		}
	}
	a.topic.grow(h.round, &came)
	a.taken, a.young = at, false
}
