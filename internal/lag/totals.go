package lag

import "github.com/rocketmq-exporter/rocketmq_exporter/internal/model"

// totals lists all topics, with what was produced and what is kept of each.
func (f *frame) totals() []TopicTotal {
	if f.past == nil {
		return nil
	}
	totals := make([]TopicTotal, len(f.topics))
	told := make([]bool, len(f.topics))
	add := func(place int32, ends, begins []int64, stored int64) {
		t := &totals[place]
		if !told[place] {
			told[place], t.Last = true, unknown
		}
		t.Last = max(t.Last, stored)
		for q, end := range ends {
			begin := model.ValueAt(begins, q)
			switch {
			case t.Stored == unknown:
			case end == unknown || begin == unknown:
				t.Stored = unknown
			default:
				t.Stored = plus(t.Stored, max(end-begin, 0))
			}
		}
		if len(ends) == 0 {
			t.Stored = unknown
		}
	}
	var ends, begins model.Run
	for n, part := range f.snapshot.Parts {
		places := f.parts[n].topics
		for i := range part.Topics {
			if t := &part.Topics[i]; i == 0 || places[i] != places[i-1] {
				add(places[i], ends.Read(&part.Ends, t.First, t.Queues), begins.Read(&part.Begins, t.First, t.Queues), model.ValueAt(part.Stored, i))
			}
		}
		for i := range part.Others {
			o := &part.Others[i]
			add(f.places.topics[o.Topic], o.Ends, o.Begins, o.Stored)
		}
	}
	known := totals[:0]
	for i, name := range f.topics {
		kept := f.past.TopicOf(name)
		if !kept.Known() {
			continue
		}
		t := &totals[i]
		if !told[i] {
			t.Stored, t.Last = unknown, unknown
		}
		t.Name, t.Produced = name, kept.Produced
		known = append(known, *t)
	}
	return known
}

// deadLetters counts the dead letters of each group. Where every broker has
// told which topics it has, a group without a dead-letter topic has none, which
// is known: increase() then sees the first.
func (f *frame) deadLetters() []Count {
	if f.past == nil {
		return nil
	}
	list, whole := make([]Count, 0, len(f.groups)), true
	for _, part := range f.snapshot.Parts {
		whole = whole && part.Others != nil
	}
	for _, g := range f.groups {
		name := dlqPrefix + g.Name
		_, exists := f.places.topics[name]
		switch kept := f.past.TopicOf(name); {
		case kept.Known():
			list = append(list, Count{g.Name, kept.Produced})
		case whole && !exists:
			list = append(list, Count{g.Name, 0})
		}
	}
	return list
}
