package lag

// addTotals lists all topics, with what was produced and what is kept of each.
func (b *builder) addTotals() {
	totals := make([]TopicTotal, len(b.topics))
	told := make([]bool, len(b.topics))
	add := func(topic string, ends, begins, stored []int64) {
		place := b.places.topics[topic]
		t := &totals[place]
		if !told[place] {
			told[place], t.Last = true, unknown
		}
		for q, end := range ends {
			t.Last = max(t.Last, value(stored, q))
			begin := value(begins, q)
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
	for _, part := range b.report.Snapshot.Parts {
		for i := range part.Topics {
			if t := &part.Topics[i]; !part.Repeats(i) {
				var stored []int64
				if part.Stored != nil {
					stored = part.Stored[t.First : t.First+t.Queues]
				}
				add(t.Name, part.Ends[t.First:t.First+t.Queues], part.Begins[t.First:t.First+t.Queues], stored)
			}
		}
		for i := range part.Others {
			o := &part.Others[i]
			add(o.Topic, o.Ends, o.Begins, o.Stored)
		}
	}
	for i, name := range b.topics {
		kept := b.past.TopicOf(name)
		if !kept.Known() {
			continue
		}
		t := &totals[i]
		if !told[i] {
			t.Stored, t.Last = unknown, unknown
		}
		t.Name, t.Produced = name, kept.Produced
		b.report.Totals = append(b.report.Totals, *t)
	}
}

// addDeadLetters counts the dead letters of each group. Where every broker has
// told which topics it has, a group without a dead-letter topic has none, which
// is known: increase() then sees the first.
func (b *builder) addDeadLetters() {
	whole := true
	for _, part := range b.report.Snapshot.Parts {
		whole = whole && part.Others != nil
	}
	for _, g := range b.groups {
		name := dlqPrefix + g.Name
		_, exists := b.places.topics[name]
		switch kept := b.past.TopicOf(name); {
		case kept.Known():
			b.report.DeadLetters = append(b.report.DeadLetters, Count{g.Name, kept.Produced})
		case whole && !exists:
			b.report.DeadLetters = append(b.report.DeadLetters, Count{g.Name, 0})
		}
	}
}
