package store

import (
	"slices"
	"sync/atomic"

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

	began uint32 // the round in which an end was first told; 0: none was
	met   uint32 // the last round in which a broker had it
}

// Known says whether anything was told of the topic's ends.
func (t *Topic) Known() bool { return t != nil && t.began > 0 }

// production is what has come to a topic on one broker in a round.
type production struct {
	begins bool // the topic does in this round
	told   bool // some end was
	came   int64
}

// production begins to count. Several brokers may have a part of the topic, and
// be counted at once.
func (t *Topic) production(round uint32) production {
	began := atomic.LoadUint32(&t.began)
	return production{begins: began == 0 || began == round}
}

// produce counts what has come to one queue: since its last end, or where there
// is none, all of it when the queue is new. It says whether it was new.
func (p *production) produce(last, end int64, isNew bool) bool {
	p.told = true
	switch {
	case last != model.Unknown:
		p.came = plus(p.came, max(end-last, 0))
	case isNew: // it began at 0 since
		p.came = plus(p.came, end)
		return true
	case p.begins:
		p.came = plus(p.came, end)
	}
	return false
}

// grow adds what has come.
func (t *Topic) grow(round uint32, p *production) {
	if p.told && p.begins {
		atomic.StoreUint32(&t.began, round)
	}
	addTo(&t.Produced, p.came)
}

// addTo adds to a number that others may add to at the same time.
func addTo(sum *int64, n int64) {
	for n != 0 {
		old := atomic.LoadInt64(sum)
		if atomic.CompareAndSwapInt64(sum, old, plus(old, n)) {
			return
		}
	}
}

// meetTopic is the number of a topic that a broker has.
func (h *History) meetTopic(name string) int32 {
	number, _ := h.topics.meet(h.round, name)
	h.keepTopic(number)
	return number
}

// keepTopic keeps what was produced of a topic that a broker has. Where none had
// it in the round before, it begins anew.
func (h *History) keepTopic(number int32) {
	h.topics.again(h.round, number)
	t := h.topics.at(number)
	if t.met+1 < h.round {
		*t = Topic{}
	}
	t.met = h.round
}

// addTopics finds the looks at the topics of a new part, in its order.
func (h *History) addTopics(p *Part, in *model.Part) {
	if !sameTopics(p.names, in.Topics) {
		h.arrange(p, in)
	}
	for i := range p.topics {
		l, name := &p.topics[i], in.Topics[i].Name
		if l.topic == nowhere && !in.Repeats(i) {
			if a := p.apart[name]; a != nil {
				*l = p.attach(a)
				delete(p.apart, name)
			} else {
				l.topic = h.meetTopic(name)
			}
		}
		if l.topic != nowhere {
			h.keepTopic(l.topic)
		}
	}
	p.names = in.Topics
}

func sameTopics(a, b []model.Topic) bool {
	if model.SameList(a, b) {
		return true
	}
	return slices.EqualFunc(a, b, func(x, y model.Topic) bool { return x.Name == y.Name })
}

// arrange puts the looks at topics in the order of a new part. What is not in it
// is apart from now on.
func (h *History) arrange(p *Part, in *model.Part) {
	topics := make([]looks, len(in.Topics))
	moved := make([]bool, len(p.topics))
	next := int32(0) // where the topic stands, if it stands behind the one before as ever
	for i := range in.Topics {
		name := in.Topics[i].Name
		topics[i] = noLooks()
		if in.Repeats(i) {
			next++
			continue
		}
		if p.apart[name] != nil {
			continue // see addTopics
		}
		place := next
		if int(place) >= len(p.names) || p.names[place].Name != name || place > 0 && p.names[place-1].Name == name {
			place = p.place(name)
		}
		if place >= 0 {
			topics[i], moved[place], next = p.topics[place], true, place+1
		} else if p.whole {
			// The broker had no such topic: all of it came since.
			topics[i].taken, topics[i].young = p.wholeAt, true
		}
	}
	for place := range p.topics {
		if name := p.names[place].Name; !moved[place] && p.topics[place].topic != nowhere && p.apart[name] == nil {
			p.setApart(h.detach(p, int32(place)))
		}
	}
	p.topics, p.places = topics, nil
}

// place is where a topic stands in the part, none where it is not in it.
func (p *Part) place(topic string) int32 {
	p.placing.Lock()
	defer p.placing.Unlock()
	if p.places == nil {
		p.places = make(map[string]int32, len(p.topics))
		for i := range slices.Backward(p.names) { // of several the first
			p.places[p.names[i].Name] = int32(i)
		}
	}
	if place, ok := p.places[topic]; ok {
		return place
	}
	return nowhere
}

// named are the ends of a topic.
func (p *Part) named(topic string) Ends {
	if a := p.apart[topic]; a != nil {
		return Ends{part: p, apart: a}
	}
	if place := p.place(topic); place >= 0 {
		return Ends{part: p, place: place}
	}
	return Ends{}
}

// addOthers takes the ends of topics that are not among the part's own.
func (h *History) addOthers(p *Part, in *model.Part) {
	for i := range in.Others {
		o := &in.Others[i]
		h.takeApart(h.meetApart(p, o.Topic), h.Tick(o.Taken), o.Ends, o.Begins)
	}
}

// forgetEnds lets go of topics that the broker has no more.
func (h *History) forgetEnds(p *Part, in *model.PartOfRound) {
	gone := p.isLast(in.Part) && in.Age == 0 && in.Missing == 0
	p.whole, p.wholeAt = gone && in.Others != nil, h.Tick(in.Taken)
	for name, a := range p.apart {
		switch {
		case a.met == h.round:
		case gone:
			delete(p.apart, name)
		default:
			h.keepApart(a)
		}
	}
	if p.met == h.round {
		return
	}
	for i := range p.topics {
		if l := &p.topics[i]; l.topic != nowhere {
			h.keepTopic(l.topic)
		}
	}
}
