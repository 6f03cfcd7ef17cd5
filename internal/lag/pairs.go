package lag

import (
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// pairing is a pair in the making: what its queues tell.
type pairing struct {
	pair *Pair       // nil: none is under way
	kept *store.Pair // nil: nothing is known of its past

	worst          age // of all queues; unknown where that of one is
	dark           bool
	still          int64
	lost           int64
	ratio          float64
	unlimited      bool // the beginning of a queue with a backlog is not known
	owned, unowned int
}

func (b *builder) isUnderWay(topic string) bool {
	return b.pair != nil && b.pair.Topic == topic
}

// begin begins a pair. They come in the order of group and topic.
func (b *builder) begin(topic string) {
	b.report.Pairs = append(b.report.Pairs, Pair{
		Topic: topic, Group: b.group.Name, Lag: NoLag, Retained: -1, Members: int(unknown), Unowned: int(unknown),
		Lost: unknown, InFlight: unknown, PopRetry: unknown, group: b.index, holders: b.holders,
	})
	b.pairing = pairing{pair: &b.report.Pairs[len(b.report.Pairs)-1]}
}

// note takes what is known of the first message not consumed in a queue with a
// backlog, and for how long its commit has stood.
func (p *pairing) note(a *age, still int64) {
	p.still = max(p.still, still)
	p.worst.atLeast = max(p.worst.atLeast, a.atLeast)
	switch {
	case a.ticks == unknown:
		p.dark = true
	case a.ticks > p.worst.ticks:
		p.worst.ticks, p.worst.atMost = a.ticks, a.atMost
	}
}

// retain takes the offsets of a queue with a backlog: what retention has
// deleted of it, and how near it is to the rest.
func (p *pairing) retain(begin, committed, end int64) {
	if begin == unknown {
		p.unlimited = true
		return
	}
	p.lost = plus(p.lost, max(min(begin, end)-committed, 0))
	ratio := 1.0
	if kept := end - begin; kept > end-committed {
		ratio = float64(end-committed) / float64(kept)
	}
	p.ratio = max(p.ratio, ratio)
}

// countOwned counts who of n queues has an owner.
func (p *pairing) countOwned(owners []int32, n int) {
	for q := range n {
		if q < len(owners) && owners[q] != model.NoOwner {
			p.owned++
		} else {
			p.unowned++
		}
	}
}

// consumeActively is the consume type of pull consumers (ConsumeType).
const consumeActively = "CONSUME_ACTIVELY"

// unownedQueues is how many queues no member holds. Clients that pull need not
// tell what they hold, and POP clients hold none.
func (p *pairing) unownedQueues(g *model.Group) int {
	_, pop := g.Pop[p.pair.Topic]
	_, popRetry := popRetryOf(g.Name, p.pair.Topic)
	switch {
	case !g.Known || len(g.Clients) == 0 || !g.Told, g.Model == model.Broadcasting, pop, popRetry:
	case p.owned == 0 && g.ConsumeType == consumeActively:
	default:
		return p.unowned
	}
	return int(unknown)
}

// conclude finishes the pair under way.
func (b *builder) conclude() {
	p := b.pair
	if p == nil {
		return
	}
	g := b.group
	if g.Known {
		p.Members = len(g.Clients)
	}
	p.Unowned = b.unownedQueues(g)
	if !b.unlimited {
		p.Lost, p.Retained = b.lost, b.ratio
	}
	for i := range g.InFlight {
		if in := &g.InFlight[i]; in.Topic == p.Topic {
			p.InFlight = plus(max(p.InFlight, 0), max(in.Messages, 0))
		}
	}
	if b.past != nil {
		if !b.dark && p.Rows > 0 {
			p.Lag, p.AtMost = time.Duration(b.worst.ticks)*store.Unit, b.worst.atMost
		}
		if b.kept != nil {
			p.Consumed = b.kept.Consumed
		}
	} else if p.Rows > 0 && p.Backlog == 0 {
		p.Lag = 0
	}
	p.State = b.judge()
	b.pairing = pairing{}
}

// judge finds the state of the pair under way.
func (b *builder) judge() State {
	b.facts = b.gather()
	for i := range b.table {
		if b.table[i].holds(&b.facts, &b.rules) {
			return b.table[i].state
		}
	}
	return Undecided
}

// gather puts together what the state depends on.
func (b *builder) gather() facts {
	f := facts{
		rows: b.pair.Rows, backlog: b.pair.Backlog, age: b.worst.ticks, atMost: b.worst.atMost, atLeast: b.worst.atLeast,
		still: b.still, sinceMove: unknown, sinceBack: unknown, back: unknown, online: unknown, offline: unknown,
	}
	if b.dark {
		f.age = unknown
	}
	if b.past == nil {
		if f.backlog > 0 {
			f.age = unknown
		}
		return f
	}
	f.online, f.offline = b.online, b.offline
	if kept := b.kept; kept != nil {
		if kept.Moved != store.NoTick {
			f.sinceMove = since(b.now, kept.Moved)
		}
		if kept.Back != store.NoTick {
			f.sinceBack = since(b.now, kept.Back)
			if f.back = f.sinceBack; kept.Returned != store.NoTick {
				f.back = since(kept.Returned, kept.Back)
			}
		}
	}
	return f
}
