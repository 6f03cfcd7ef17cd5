package lag

import (
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// pairing is what the queues of a pair in the making tell, besides what stands in
// the pair itself. There is one of each pair at a time. Times are in ticks.
type pairing struct {
	kept  *store.Pair // nil: nothing is known of its past
	topic int32       // place of its name

	// Of the first messages not consumed: the greatest age that is known, and the
	// greatest lower bound; and for how long a commit has stood.
	ticks, atLeast, still int32
	unowned               int32 // queues without an owner
	owned                 bool  // some queue has one

	atMost    bool // ticks are
	dark      bool // the age in some queue is not known
	unlimited bool // the beginning of a queue with a backlog is not known
}

// note takes what is known of the first message not consumed in a queue with a
// backlog, and for how long its commit has stood.
func (p *pairing) note(a *age, still int64) {
	p.still = max(p.still, int32(still))
	p.atLeast = max(p.atLeast, int32(a.atLeast))
	switch {
	case a.ticks == unknown:
		p.dark = true
	case a.ticks > int64(p.ticks):
		p.ticks, p.atMost = int32(a.ticks), a.atMost
	}
}

// retain takes the offsets of a queue with a backlog: what retention has
// deleted of it, and how near it is to the rest.
func (p *pairing) retain(pair *Pair, begin, committed, end int64) {
	if begin == unknown {
		p.unlimited = true
		return
	}
	pair.Lost = plus(pair.Lost, max(min(begin, end)-committed, 0))
	ratio := 1.0
	if kept := end - begin; kept > end-committed {
		ratio = float64(end-committed) / float64(kept)
	}
	pair.Retained = max(pair.Retained, ratio)
}

// countOwned counts who of n queues has an owner.
func (p *pairing) countOwned(owners *owners, n int) {
	for q := range n {
		if owners.at(q) != model.NoOwner {
			p.owned = true
		} else {
			p.unowned++
		}
	}
}

// consumeActively is the consume type of pull consumers (ConsumeType).
const consumeActively = "CONSUME_ACTIVELY"

// unownedQueues is how many queues of a topic no member holds. Clients that pull
// need not tell what they hold, and POP clients hold none.
func (p *pairing) unownedQueues(g *model.Group, topic string) int32 {
	_, pop := g.Pop[topic]
	_, popRetry := popRetryOf(g.Name, topic)
	switch {
	case !g.Known || len(g.Clients) == 0 || !g.Told, g.Model == model.Broadcasting, pop, popRetry:
	case !p.owned && g.ConsumeType == consumeActively:
	default:
		return p.unowned
	}
	return int32(unknown)
}

// conclude finishes a pair of the group under way.
func (b *builder) conclude(p *Pair, of *pairing) {
	g := b.group
	if g.Known {
		p.Members = int32(len(g.Clients))
	}
	p.Unowned = of.unownedQueues(g, p.Topic)
	if of.unlimited {
		p.Lost, p.Retained = unknown, -1
	}
	for i := range g.InFlight {
		if in := &g.InFlight[i]; in.Topic == p.Topic {
			p.InFlight = plus(max(p.InFlight, 0), max(in.Messages, 0))
		}
	}
	if b.past != nil {
		if !of.dark && p.Rows > 0 {
			p.Lag, p.AtMost = time.Duration(of.ticks)*store.Unit, of.atMost
		}
		if of.kept != nil {
			p.Consumed = of.kept.Consumed
		}
	} else if p.Rows > 0 && p.Backlog == 0 {
		p.Lag = 0
	}
	p.State = b.judge(p, of)
	if p.Rows > 0 {
		b.topicSums[of.topic] = plus(max(b.topicSums[of.topic], 0), p.Backlog)
	}
}

// judge finds the state of a pair.
func (b *builder) judge(p *Pair, of *pairing) State {
	b.facts = b.gather(p, of)
	for i := range b.table {
		if b.table[i].holds(&b.facts, &b.rules) {
			return b.table[i].state
		}
	}
	return Undecided
}

// gather puts together what the state depends on.
func (b *builder) gather(p *Pair, of *pairing) facts {
	f := facts{
		rows: int(p.Rows), backlog: p.Backlog, age: int64(of.ticks), atMost: of.atMost, atLeast: int64(of.atLeast),
		still: int64(of.still), sinceMove: unknown, sinceBack: unknown, back: unknown, online: unknown, offline: unknown,
	}
	if of.dark {
		f.age = unknown
	}
	if b.past == nil {
		if f.backlog > 0 {
			f.age = unknown
		}
		return f
	}
	f.online, f.offline = b.online, b.offline
	if kept := of.kept; kept != nil {
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
