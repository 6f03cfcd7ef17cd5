package direct

import (
	"hash/maphash"
	"slices"
	"time"
)

// noteLayouts sees which groups have other processes or queues than in the
// round before. A rebalance follows, maybe only when the clients have learned
// of it; until then all queues may well be held, by the wrong ones.
func (r *round) noteLayouts() {
	for _, c := range r.src.clusters {
		moved := c.sawBrokers()
		for _, b := range c.brokers {
			moved = moved || b.relaid
		}
		some := false
		for _, g := range c.sortedGroups() {
			if g.relay = moved || g.laidOut != g.versions.members; g.relay {
				g.layout, g.laidOut, some = 0, g.versions.members, true
			}
		}
		for _, b := range c.brokers {
			if some && b.part != nil {
				b.addLayout(r.src.seed)
			}
		}
		for _, g := range c.sortedGroups() {
			g.noteLayout(r.began)
		}
	}
}

// sawBrokers says whether the cluster has other brokers than when it was called
// last.
func (c *cluster) sawBrokers() bool {
	if slices.Equal(c.brokered, c.chosenFor) {
		return false
	}
	c.brokered = c.chosenFor
	return true
}

// addLayout adds up which queues of a broker each group has, of the groups whose
// layout is being made. A sum, so that the order does not matter.
func (b *broker) addLayout(seed maphash.Seed) {
	of := maphash.String(seed, b.name)
	for i := range b.part.Commits {
		g := b.groupOf(i)
		if g == nil || !g.relay || len(g.clients) == 0 {
			continue
		}
		topic := &b.part.Topics[b.part.Commits[i].Topic]
		if g.topics.Has(topic.Name) {
			g.layout += maphash.String(seed, topic.Name) * of * uint64(topic.Queues+1)
		}
	}
}

func (g *group) noteLayout(now time.Time) {
	layout := g.layout ^ g.members
	if len(g.clients) == 0 {
		layout = 0
	}
	if layout != 0 && g.lastLayout != 0 && g.lastLayout != layout {
		g.recheck = recheck{pause: firstPause, at: now, until: now.Add(rebalanceTime)}
	}
	g.lastLayout = layout
}

// rebalanceTime is longer than clients take to learn of other queues (30 s,
// ClientConfig.pollNameServerInterval) and to deal them out anew (20 s,
// RebalanceService).
const rebalanceTime = 2 * time.Minute

// recheck says when a group whose queues are not all held by somebody known,
// or held by two, is asked again: at once, then with growing pauses.
type recheck struct {
	pause time.Duration
	at    time.Time
	until time.Time // asked again until then in any case
}

// firstPause is short: a rebalance is over in a moment, mostly before the next
// round.
const firstPause = time.Second

func (c *recheck) note(settled bool, now time.Time, longest time.Duration) {
	switch {
	case settled && !now.Before(c.until):
		*c = recheck{}
	case c.pause == 0:
		c.pause = firstPause
		c.at = now.Add(c.pause)
	case !now.Before(c.at):
		c.pause = min(2*c.pause, longest)
		c.at = now.Add(c.pause)
	}
}

func (c *recheck) due(now time.Time) bool { return c.pause > 0 && !now.Before(c.at) }
