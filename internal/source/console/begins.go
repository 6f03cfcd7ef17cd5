package console

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// stats is what was told of a topic's queues on one broker. Brokers of before 5.3.0
// leave out queues that are only read any more, which may be all.
type stats struct {
	span
	round int // since when it may have changed
	taken time.Time
	// earlier is what was told before of queues that are left out now: where they
	// began at least, and when the newest message was stored.
	earlier span
}

// takeStats takes what was told of a topic in a round, or behind it; nil: it is to
// be forgotten.
func (s *Source) takeStats(topic string, spans map[model.TopicOnBroker]span, round int, taken time.Time) {
	before := make(map[model.TopicOnBroker]*stats)
	for on, told := range s.stats {
		if on.Topic == topic {
			before[on] = told
			delete(s.stats, on) // it may have left a broker
		}
	}
	for on, span := range spans {
		if on.Topic == topic {
			s.stats[on] = &stats{span: span, round: round, taken: taken, earlier: nothing()}
		}
	}
	if spans == nil {
		return
	}
	for on, told := range before {
		now := s.stats[on]
		if now == nil {
			now = &stats{span: nothing(), round: round, taken: taken}
			s.stats[on] = now
		}
		if told.isOf(now.ends) {
			now.earlier = told.joined()
		} else {
			now.earlier = nothing() // it was of another topic of that name
		}
	}
}

// nothing is what is known of queues that nobody told of.
func nothing() span { return span{stored: model.Unknown} }

// joined is what was last told of each queue.
func (s *stats) joined() span {
	all := span{begins: widen(slices.Clone(s.begins), len(s.earlier.begins)), stored: max(s.stored, s.earlier.stored)}
	for q := range all.begins {
		if all.begins[q] == model.Unknown {
			all.begins[q] = model.ValueAt(s.earlier.begins, q)
		}
	}
	return all
}

// beganAt is where a queue began when that was told last.
func (s *stats) beganAt(q int) int64 {
	if begin := model.ValueAt(s.begins, q); begin != model.Unknown {
		return begin
	}
	return model.ValueAt(s.earlier.begins, q)
}

// newest is when the newest message of so many queues was stored.
func (s *stats) newest(queues int) int64 {
	for q := range queues {
		if model.ValueAt(s.begins, q) == model.Unknown {
			return max(s.stored, s.earlier.stored)
		}
	}
	return s.stored
}

// dropStats lets go of what was told of topics and brokers that are no more, and
// of topics that were made anew.
func (r *round) dropStats() {
	s := r.src
	maps.DeleteFunc(s.stats, func(on model.TopicOnBroker, _ *stats) bool {
		_, listed := s.topics[on.Topic]
		return !listed || s.brokers[on.Broker] == nil
	})
	for _, g := range s.groups {
		for on, c := range g.cells {
			if told := s.stats[on]; told != nil && c.age == 0 && c.taken.After(told.taken) && !told.isOf(c.ends) {
				delete(s.stats, on)
				delete(s.slow.topics, on.Topic)
			}
		}
	}
}

// isOf says whether stats can be of the queues that have these ends now: where an
// end has gone back, the topic was made anew.
func (s *stats) isOf(ends []int64) bool {
	for q := range min(len(ends), len(s.ends)) {
		if ends[q] != model.Unknown && ends[q] < s.ends[q] {
			return false
		}
	}
	return true
}

// maxBeginnings bounds the topics whose beginnings are asked for in a round.
const maxBeginnings = 64

// readBeginnings asks where those queues begin whose commit is shown as 0: they
// may never have been committed, and then it depends on that whether they have
// a backlog.
func (r *round) readBeginnings() {
	s := r.src
	var names []string
	for topic := range r.doubtful() {
		names = append(names, topic)
	}
	slices.SortFunc(names, strings.Compare)
	if len(names) > maxBeginnings {
		// A different part of them each round.
		first := s.rounds * maxBeginnings % len(names)
		names = slices.Concat(names[first:], names[:first])[:maxBeginnings]
	}
	source.Each(s.opts.Parallel, names, func(topic string) {
		spans, err := r.askStats(topic)
		if err != nil {
			r.fail(pathStats, err)
		}
		if spans == nil {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		s.takeStats(topic, spans, s.rounds, s.opts.Now())
	})
}

// doubtful are the topics with a queue in doubt whose beginning is not known, or
// was 0 when it was read some rounds ago.
func (r *round) doubtful() map[string]bool {
	s := r.src
	topics := make(map[string]bool)
	for _, g := range s.groups {
		if !g.listed || g.model == model.Broadcasting {
			continue
		}
		for on, c := range g.cells {
			if c.age > 0 || strings.HasPrefix(on.Topic, dlqPrefix) {
				continue
			}
			known := s.stats[on]
			for q := range c.ends {
				if !c.inDoubt(q) {
					continue
				}
				if known == nil || known.beganAt(q) == model.Unknown || known.beganAt(q) == 0 && s.rounds-known.round >= s.opts.BeginRounds {
					topics[on.Topic] = true
				}
			}
		}
	}
	return topics
}

// inDoubt says whether a queue may never have been committed: the console shows
// that as 0.
func (c *cell) inDoubt(q int) bool { return c.committed[q] <= 0 && c.ends[q] > 0 }

// committedAt is the commit of a queue as far as it can be known.
func (s *Source) committedAt(on model.TopicOnBroker, c *cell, q int) int64 {
	if !c.inDoubt(q) {
		return c.committed[q]
	}
	if b := s.stats[on]; b != nil && b.beganAt(q) > 0 {
		return model.Unknown
	}
	// While it begins at 0, or nobody tells where it begins, as the console
	// shows it.
	return max(c.committed[q], 0)
}
