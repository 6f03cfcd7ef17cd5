package exposition

import (
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// startPair starts a series of a pair.
func (e *encoder) startPair(p *lag.Pair) {
	e.start()
	e.label(p.Topic)
	e.label(p.Group)
}

// pair writes one value of a pair.
func (e *encoder) pair(p *lag.Pair, value int64) {
	e.startPair(p)
	e.end(value)
}

func (e *encoder) pairs(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; p.Rows > 0 {
			e.pair(p, p.Backlog)
		}
	}
}

func (e *encoder) consumed(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; p.Rows > 0 {
			e.pair(p, p.Consumed)
		}
	}
}

// judged says whether anything is known of a pair's queues. Where it is, a 0
// is known too, and written: an alert needs it.
func judged(p *lag.Pair) bool {
	return p.Rows > 0 || p.Uncommitted > 0
}

func (e *encoder) uncommitted(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; judged(p) {
			e.pair(p, int64(p.Uncommitted))
		}
	}
}

func (e *encoder) ahead(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; judged(p) {
			e.pair(p, p.Ahead)
		}
	}
}

func (e *encoder) lost(r *lag.Report) {
	e.known(r, func(p *lag.Pair) int64 { return p.Lost })
}

func (e *encoder) unowned(r *lag.Report) {
	e.known(r, func(p *lag.Pair) int64 { return int64(p.Unowned) })
}

func (e *encoder) inFlight(r *lag.Report) {
	e.known(r, func(p *lag.Pair) int64 { return p.InFlight })
}

func (e *encoder) popRetry(r *lag.Report) {
	e.known(r, func(p *lag.Pair) int64 { return p.PopRetry })
}

// known writes a value of each pair that has rows where it is not Unknown.
func (e *encoder) known(r *lag.Report, value func(*lag.Pair) int64) {
	for i := range r.Pairs {
		p := &r.Pairs[i]
		if v := value(p); p.Rows > 0 && v != model.Unknown {
			e.pair(p, v)
		}
	}
}

func (e *encoder) lag(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; p.Rows > 0 && p.Lag != lag.NoLag {
			e.startPair(p)
			e.endSeconds(p.Lag)
		}
	}
}

func (e *encoder) retained(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; p.Rows > 0 && p.Retained >= 0 {
			e.startPair(p)
			e.endFloat(p.Retained)
		}
	}
}

// states writes every state of each pair, of which one is 1. There are many:
// what they share is escaped once.
func (e *encoder) states(r *lag.Report) {
	states := lag.States()
	for i := range r.Pairs {
		p := &r.Pairs[i]
		e.detail = append(append(e.detail[:0], e.lead...), e.family.keys[1]...)
		e.detail = append(appendEscaped(e.detail, p.Topic), e.family.keys[2]...)
		e.detail = appendEscaped(e.detail, p.Group)
		if e.measure != nil {
			e.measure.weights.label(1, p.Topic)
			e.measure.weights.label(2, p.Group)
		}
		for _, s := range states {
			e.startWith(e.detail, 3)
			e.label(s.String())
			e.endBool(p.State == s)
		}
	}
}

func (e *encoder) deadLetters(r *lag.Report) {
	for i := range r.DeadLetters {
		e.start()
		e.label(r.DeadLetters[i].Name)
		e.end(r.DeadLetters[i].Messages)
	}
}

// total writes one value of a topic where it is not Unknown.
func (e *encoder) total(r *lag.Report, value func(*lag.TopicTotal) int64) {
	for i := range r.Totals {
		t := &r.Totals[i]
		if v := value(t); v != model.Unknown {
			e.start()
			e.label(t.Name)
			e.end(v)
		}
	}
}

func (e *encoder) produced(r *lag.Report) {
	e.total(r, func(t *lag.TopicTotal) int64 { return t.Produced })
}

func (e *encoder) stored(r *lag.Report) {
	e.total(r, func(t *lag.TopicTotal) int64 { return t.Stored })
}

func (e *encoder) lastMessages(r *lag.Report) {
	for i := range r.Totals {
		if t := &r.Totals[i]; t.Last != model.Unknown {
			e.start()
			e.label(t.Name)
			e.endTime(time.UnixMilli(t.Last))
		}
	}
}
