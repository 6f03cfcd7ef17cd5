package direct

import (
	"hash/maphash"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// claim is one queue that a process says it holds: above the queue's id the ref
// of its topic on its broker. A large cluster has millions, so no name is in it.
type claim uint64

const (
	claimQueueBits = 16 // maxQueues
	claimQueueMask = 1<<claimQueueBits - 1
)

// ref stands for a topic on a broker in claims. It is a fingerprint of 48 bits,
// with a seed that nobody knows: that two of the few topics of one group share
// it by chance happens once in a billion years, and would cost a label.
func ref(seed maphash.Seed, broker uint64, topic []byte) claim {
	return claim((broker ^ maphash.Bytes(seed, topic)) &^ claimQueueMask)
}

// brokerRef is what ref wants of a broker.
func brokerRef(seed maphash.Seed, broker []byte) uint64 {
	return 0x9e3779b97f4a7c15 * maphash.Bytes(seed, broker)
}

// claimant is a process of a clustering group and what it claims.
type claimant struct {
	client int32   // index in the group's clients
	claims []claim // sorted
	asked  time.Time
}

// claimants are those of the group's processes that have said what they hold.
func (g *group) claimants() []claimant {
	if !g.stale {
		return g.claiming
	}
	g.stale, g.claiming = false, nil
	for i := range g.clients {
		if h := g.held[g.clients[i].ID]; h != nil && len(h.claims) > 0 && !g.repeated(i) {
			g.claiming = append(g.claiming, claimant{int32(i), h.claims, h.asked})
		}
	}
	return g.claiming
}

// own says who holds the queues of one topic on one broker. Where two processes
// claim a queue, as they do for a moment in a rebalance, the one that was asked
// last has it, and twice is true.
func own(owners []int32, topic claim, claimants []claimant) (twice bool) {
	for i := range claimants {
		c := &claimants[i]
		at, _ := slices.BinarySearch(c.claims, topic)
		for _, one := range c.claims[at:] {
			if one&^claimQueueMask != topic {
				break
			}
			q := int(one & claimQueueMask)
			if q >= len(owners) {
				break
			}
			if owners[q] != model.NoOwner {
				twice = true
				if askedOf(claimants, owners[q]).After(c.asked) {
					continue
				}
			}
			owners[q] = c.client
		}
	}
	return twice
}

func askedOf(claimants []claimant, client int32) time.Time {
	for i := range claimants {
		if claimants[i].client == client {
			return claimants[i].asked
		}
	}
	return time.Time{}
}

// assignOwners says who holds each queue, part by part, and which groups have
// queues that nobody is known to hold, or two do.
func (r *round) assignOwners(c *cluster) {
	for _, b := range c.brokers {
		if b.part == nil {
			b.owners = nil
			continue
		}
		b.owners = kept(b.owners, r.ownersOf(c, b))
	}
}

// ownersOf is in the order of the part's Committed. It is lent.
func (r *round) ownersOf(c *cluster, b *broker) []int32 {
	part, seed := b.part, r.src.seed
	owners := slices.Grow(r.src.owners[:0], len(part.Committed))[:len(part.Committed)]
	r.src.owners = owners
	for i := range owners {
		owners[i] = model.NoOwner
	}
	broker := brokerRef(seed, []byte(b.name))
	topic, last := claim(0), -1 // the ref of the topic that was looked at last
	for i := range part.Commits {
		commits := &part.Commits[i]
		g := c.groups[commits.Group]
		if g == nil || !g.deals() {
			continue
		}
		t := &part.Topics[commits.Topic]
		if int(commits.Topic) != last {
			topic, last = ref(seed, broker, []byte(t.Name)), int(commits.Topic)
		}
		queues := owners[commits.First : commits.First+t.Queues]
		if own(queues, topic, g.claimants()) || g.lacksOwner(t.Name, queues) {
			g.open = true
		}
	}
	return owners
}

// kept is the list of an earlier round where it has the same values, else a copy
// of this one.
func kept(before, now []int32) []int32 {
	if slices.Equal(before, now) {
		return before
	}
	return slices.Clone(now)
}

// deals says whether the group's processes deal the queues out among them.
func (g *group) deals() bool {
	return g.known && len(g.clients) > 0 && g.model != model.Broadcasting
}

// lacksOwner says whether a queue of a topic that the group subscribes has no
// owner. Of topics that it POPs nobody holds any.
func (g *group) lacksOwner(topic string, owners []int32) bool {
	if _, pops := g.pop[topic]; pops {
		return false
	}
	_, subscribed := g.topics[topic]
	return subscribed && slices.Contains(owners, model.NoOwner)
}
