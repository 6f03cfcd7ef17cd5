package console

import (
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// beginning is where the queues of a topic on one broker begin.
type beginning struct {
	begins []int64
	round  int // when it was read
	used   int // round in which it was last needed
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
		r.mu.Lock()
		defer r.mu.Unlock()
		for on, span := range spans {
			if on.Topic == topic {
				s.begins[on] = &beginning{begins: span.begins, round: s.rounds, used: s.rounds}
			}
		}
	})
	for on, b := range s.begins {
		if s.rounds-b.used > s.opts.BeginRounds {
			delete(s.begins, on)
		}
	}
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
			known := s.begins[on]
			for q := range c.ends {
				if !c.inDoubt(q) {
					continue
				}
				if known != nil {
					known.used = s.rounds
				}
				if known == nil || q >= len(known.begins) || known.begins[q] <= 0 && s.rounds-known.round >= s.opts.BeginRounds {
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
	if b := s.begins[on]; b != nil && q < len(b.begins) && b.begins[q] > 0 {
		return model.Unknown
	}
	// While it begins at 0, or nobody tells where it begins, as the console
	// shows it.
	return max(c.committed[q], 0)
}
