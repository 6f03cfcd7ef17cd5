package store

import (
	"math"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Topic is what was produced of one topic, on all brokers.
//
// Produced begins as the sum of the ends of its queues, and then grows by what
// each of them grows. What cannot have been seen to come, because the broker
// was told of for the first time, adds nothing; an end that goes back, because
// the topic was made anew or an older copy took over, takes nothing away.
type Topic struct {
	Produced int64

	began uint64 // the round in which an end was first told; 0: none was
	met   uint64 // round
}

// Known says whether anything was told of the topic's ends.
func (t *Topic) Known() bool { return t != nil && t.began > 0 }

// addTopics finds the ends of a new part's topics. Their slowest readers are to
// be told with need.
func (h *History) addTopics(p *Part, part *model.Part) {
	topics := make([]*Ends, len(part.Topics))
	for i := range part.Topics {
		t := &part.Topics[i]
		if part.Repeats(i) {
			topics[i] = topics[i-1]
			continue
		}
		e := (*Ends)(nil)
		if i < len(p.topics) && p.topics[i].name == t.Name {
			e = p.topics[i]
		}
		topics[i] = h.meetEnds(p, e, t.Name)
	}
	p.topics = topics
}

// meetEnds are the ends of a topic of this round: e, where they were found
// already.
func (h *History) meetEnds(p *Part, e *Ends, topic string) *Ends {
	if e == nil {
		e = p.ends[topic]
	}
	if e == nil {
		e = &Ends{name: topic, taken: NoTick}
		if p.whole {
			// The broker had no such topic: all of it came since.
			e.taken, e.young = p.before, true
		}
		p.ends[topic] = e
	}
	if e.met != h.round {
		e.met = h.round
		for q := range e.slowest {
			e.slowest[q] = math.MaxInt64
		}
	}
	h.meetTopic(e)
	return e
}

func (h *History) meetTopic(e *Ends) {
	if e.topic == nil || e.topic.met+1 < h.round {
		if e.topic = h.topics[e.name]; e.topic == nil {
			e.topic = &Topic{}
			h.topics[e.name] = e.topic
		}
	}
	e.topic.met = h.round
}

// addEnds takes the ends of one broker, now that all readers are known.
func (h *History) addEnds(p *Part, in *model.PartOfRound) {
	if p.last != in.Part {
		return // it is away
	}
	for i := range in.Topics {
		t := &in.Topics[i]
		if !in.Repeats(i) {
			h.take(p.topics[i], h.Tick(in.TakenAt(t)), in.Ends[t.First:t.First+t.Queues], in.Begins[t.First:t.First+t.Queues])
		}
	}
	for i := range in.Others {
		o := &in.Others[i]
		h.take(h.meetEnds(p, nil, o.Topic), h.Tick(o.Taken), o.Ends, o.Begins)
	}
	h.addWaits(p, in.Part)
}

// addWaits takes the ages that the broker was asked for.
func (h *History) addWaits(p *Part, part *model.Part) {
	if len(part.Waits) == 0 {
		return
	}
	waits := make(map[pairKey]*model.Wait, len(part.Waits))
	for i := range part.Waits {
		w := &part.Waits[i]
		waits[pairKey{w.Topic, w.Group}] = w
	}
	for i := range part.Commits {
		c := &part.Commits[i]
		t := &part.Topics[c.Topic]
		if w := waits[pairKey{t.Name, c.Group}]; w != nil {
			p.topics[c.Topic].tell(h.Tick(w.Taken), w, part.Committed[c.First:c.First+t.Queues], part.Begins[t.First:t.First+t.Queues])
		}
	}
}

// take takes the ends of one topic, unless they were taken before.
func (h *History) take(e *Ends, at Tick, ends, begins []int64) {
	if at <= e.taken || len(ends) == 0 {
		return
	}
	known := len(e.queues)
	for len(e.queues) < len(ends) {
		e.queues = append(e.queues, nil)
	}
	for id, end := range ends {
		if end == model.Unknown {
			continue
		}
		if e.topic.began == 0 {
			e.topic.began = h.round
		}
		q := &e.queues[id]
		switch {
		case len(*q) > 0:
			e.topic.Produced = plus(e.topic.Produced, max(end-(*q)[len(*q)-1].end, 0))
		case (known > 0 && id >= known || e.young) && value(begins, id) <= 0:
			// The queue was not there the last time: it began at 0 since.
			e.topic.Produced = plus(e.topic.Produced, end)
			*q = queue{{at: e.taken}}
		case e.topic.began == h.round:
			e.topic.Produced = plus(e.topic.Produced, end)
		}
		slowest := int64(math.MaxInt64)
		if id < len(e.slowest) {
			slowest = e.slowest[id]
		}
		q.add(at, end, slowest)
	}
	e.taken, e.young = at, false
}

// forgetEnds lets go of topics that the broker has no more.
func (h *History) forgetEnds(p *Part, in *model.PartOfRound) {
	gone := p.last == in.Part && in.Age == 0 && in.Missing == 0
	p.whole, p.before = gone && in.Others != nil, h.Tick(in.Taken)
	for name, e := range p.ends {
		switch {
		case e.met == h.round:
		case gone:
			delete(p.ends, name)
		default:
			h.meetTopic(e)
		}
	}
}
