package store

import (
	"slices"

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

// produce counts what has come to one queue of it: since its last end, or where
// there is none, all of it when the queue is new. It says whether it was new.
func (t *Topic) produce(round uint64, last, end int64, isNew bool) bool {
	if t.began == 0 {
		t.began = round
	}
	switch {
	case last != model.Unknown:
		t.Produced = plus(t.Produced, max(end-last, 0))
	case isNew: // it began at 0 since
		t.Produced = plus(t.Produced, end)
		return true
	case t.began == round:
		t.Produced = plus(t.Produced, end)
	}
	return false
}

// meetTopic is a topic of this round: t, while it is the one that is known.
func (h *History) meetTopic(t *Topic, name string) *Topic {
	if t == nil || t.met+1 < h.round {
		if t = h.topics[name]; t == nil {
			t = &Topic{}
			h.topics[name] = t
		}
	}
	t.met = h.round
	return t
}

// addTopics finds the looks at the topics of a new part, in its order. Their
// slowest readers are to be told with need.
func (h *History) addTopics(p *Part, in *model.Part) {
	if len(p.apart) > 0 || !sameTopics(p.names, in.Topics) {
		p.arrange(in)
	}
	for i := range p.topics {
		if !in.Repeats(i) {
			p.topics[i].topic = h.meetTopic(p.topics[i].topic, in.Topics[i].Name)
		}
	}
	p.names, p.slowest = in.Topics, nobody(p.slowest, len(in.Ends))
}

func sameTopics(a, b []model.Topic) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) > 0 && &a[0] == &b[0] {
		return true
	}
	for i := range a {
		if a[i].Name != b[i].Name {
			return false
		}
	}
	return true
}

// arrange puts the looks at topics in the order of a new part. What is not in it
// is apart from now on.
func (p *Part) arrange(in *model.Part) {
	topics := make([]looks, len(in.Topics))
	moved := make([]bool, len(p.topics))
	for i := range in.Topics {
		name := in.Topics[i].Name
		topics[i] = noLooks()
		if in.Repeats(i) {
			continue
		}
		if a := p.apart[name]; a != nil {
			topics[i] = a.attach()
			delete(p.apart, name)
		} else if place, ok := p.place(name); ok {
			topics[i], moved[place] = p.topics[place], true
		} else if p.whole {
			// The broker had no such topic: all of it came since.
			topics[i].taken, topics[i].young = p.wholeAt, true
		}
	}
	for place := range p.topics {
		if name := p.names[place].Name; !moved[place] && p.topics[place].topic != nil && p.apart[name] == nil {
			p.setApart(p.detach(place, name))
		}
	}
	p.topics, p.places = topics, nil
}

// place is where a topic stands in the part.
func (p *Part) place(topic string) (place int, ok bool) {
	if p.places == nil {
		p.places = make(map[string]int, len(p.topics))
		for i := range slices.Backward(p.names) { // of several the first
			p.places[p.names[i].Name] = i
		}
	}
	place, ok = p.places[topic]
	return place, ok
}

// named are the ends of a topic.
func (p *Part) named(topic string) Ends {
	if a := p.apart[topic]; a != nil {
		return Ends{part: p, apart: a}
	}
	if place, ok := p.place(topic); ok {
		return Ends{part: p, place: place}
	}
	return Ends{}
}

// addEnds takes the ends of one broker, now that all readers are known.
func (h *History) addEnds(p *Part, in *model.PartOfRound) {
	if p.last != in.Part {
		return // it is away
	}
	if p.met == h.round {
		next := column{in.Topics, in.Ends}
		for i := range in.Topics {
			if t := &in.Topics[i]; !in.Repeats(i) {
				h.look(p, &next, i, h.Tick(in.TakenAt(t)), in.Begins[t.First:t.First+t.Queues])
			}
		}
		p.before, p.now = p.now, next
	}
	for i := range in.Others {
		o := &in.Others[i]
		h.takeApart(h.meetApart(p, o.Topic), h.Tick(o.Taken), o.Ends, o.Begins)
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
			p.Ends(int(c.Topic)).tell(h.Tick(w.Taken), w, part.Committed[c.First:c.First+t.Queues], part.Begins[t.First:t.First+t.Queues])
		}
	}
}

// forgetEnds lets go of topics that the broker has no more.
func (h *History) forgetEnds(p *Part, in *model.PartOfRound) {
	gone := p.last == in.Part && in.Age == 0 && in.Missing == 0
	p.whole, p.wholeAt = gone && in.Others != nil, h.Tick(in.Taken)
	for name, a := range p.apart {
		switch {
		case a.met == h.round:
		case gone:
			delete(p.apart, name)
		default:
			a.topic = h.meetTopic(a.topic, name)
		}
	}
	if p.met == h.round {
		return
	}
	for i := range p.topics {
		if l := &p.topics[i]; l.topic != nil {
			l.topic = h.meetTopic(l.topic, p.names[i].Name)
		}
	}
}
