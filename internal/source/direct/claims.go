package direct

import (
	"hash/maphash"
	"slices"
	"sort"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// claim is a run of queues of one topic on one broker that a process says it
// holds. A large cluster has hundreds of thousands, so no name is in it.
type claim struct {
	high        uint32 // of the ref
	low         uint16
	first, last uint16
}

// ref stands for a topic on a broker in claims. It is a fingerprint of 48 bits,
// with a seed that nobody knows: that two of the few topics of one group share
// it by chance happens once in a billion years, and would cost a label.
type ref uint64

// queueRef is a ref and a queue id behind it, in the lowest bits.
type queueRef uint64

const (
	queueBits = 16 // maxQueues
	queueMask = 1<<queueBits - 1
)

func (c *claim) ref() ref { return ref(c.high)<<queueBits | ref(c.low) }

func refOf(seed maphash.Seed, broker uint64, topic []byte) ref {
	return ref((broker ^ maphash.Bytes(seed, topic)) >> queueBits)
}

func (r ref) queue(id int32) queueRef { return queueRef(r)<<queueBits | queueRef(id) }

// brokerRef is what refOf wants of a broker.
func brokerRef(seed maphash.Seed, broker []byte) uint64 {
	return 0x9e3779b97f4a7c15 * maphash.Bytes(seed, broker)
}

// claimsOf puts queues together to runs, in the order of their refs. Mostly a
// process holds several in a row (AllocateMessageQueueAveragely).
func claimsOf(queues []queueRef) []claim {
	slices.Sort(queues)
	queues = slices.Compact(queues)
	runs := 0
	for i := range queues {
		if i == 0 || !continues(queues, i) {
			runs++
		}
	}
	if runs == 0 {
		return nil
	}
	claims := make([]claim, 0, runs)
	for i, q := range queues {
		id := uint16(q & queueMask)
		if i > 0 && continues(queues, i) {
			claims[len(claims)-1].last = id
			continue
		}
		claims = append(claims, claim{high: uint32(q >> (2 * queueBits)), low: uint16(q >> queueBits), first: id, last: id})
	}
	return claims
}

// continues says whether a queue is the next one of the same topic.
func continues(queues []queueRef, i int) bool {
	return queues[i] == queues[i-1]+1 && queues[i]&queueMask != 0
}

// claimant is a process of a clustering group and what it claims.
type claimant struct {
	client int32   // index in the group's clients
	claims []claim // sorted
	asked  model.Stamp
}

// claimants are those of the group's processes that have said what they hold.
func (g *group) claimants() []claimant {
	if !g.stale {
		return g.claiming
	}
	g.stale = false
	before := g.claiming
	g.claiming = make([]claimant, 0, len(g.clients))
	for i := range g.clients {
		if h := g.held[g.clients[i].ID]; h != nil && len(h.claims) > 0 && !g.repeated(i) {
			g.claiming = append(g.claiming, claimant{int32(i), h.claims, h.asked})
		}
	}
	if !slices.EqualFunc(before, g.claiming, func(a, b claimant) bool {
		return a.client == b.client && slices.Equal(a.claims, b.claims)
	}) {
		g.versions.claims++
	}
	return g.claiming
}

// own says who holds the queues of one topic on one broker. Where two processes
// claim a queue, as they do for a moment in a rebalance, the one that was asked
// last has it, and twice is true.
func own(owners []int32, topic ref, claimants []claimant) (twice bool) {
	for i := range claimants {
		c := &claimants[i]
		at := sort.Search(len(c.claims), func(i int) bool { return c.claims[i].ref() >= topic })
		for ; at < len(c.claims) && c.claims[at].ref() == topic; at++ {
			run := &c.claims[at]
			for q := int(run.first); q <= int(run.last) && q < len(owners); q++ {
				if owners[q] != model.NoOwner {
					twice = true
					if askedOf(claimants, owners[q]) > c.asked {
						continue
					}
				}
				owners[q] = c.client
			}
		}
	}
	return twice
}

func askedOf(claimants []claimant, client int32) model.Stamp {
	for i := range claimants {
		if claimants[i].client == client {
			return claimants[i].asked
		}
	}
	return model.NoStamp
}

// assignOwners says who holds each queue, part by part, and which groups have
// queues that nobody is known to hold, or two do. What has not changed since the
// last round stays: the lists of brokers with the same commits, and in them the
// queues of groups that are as they were and had all their queues held.
func (r *round) assignOwners(c *cluster) {
	groups := c.sortedGroups()
	changed := !model.SameList(groups, c.assigned)
	c.assigned = groups
	for _, g := range groups {
		g.claimants()
		g.versions.deals = g.deals()
		g.moved = g.open || g.versions != g.assigned
		g.open, g.assigned = false, g.versions
		changed = changed || g.moved
	}
	brokers := c.sortedBrokers()
	open := make([][]*group, len(brokers))
	places := make([]int, len(brokers))
	for i := range places {
		places[i] = i
	}
	source.Each(r.atOnce(), places, func(i int) {
		open[i] = brokers[i].assign(r.src.seed, changed)
	})
	for _, list := range open {
		for _, g := range list {
			g.open = true
		}
	}
}

// assign says who holds the queues of a broker's part, in the order of its
// commits. It returns the groups of which some queue has no owner, or two.
func (b *broker) assign(seed maphash.Seed, changed bool) (open []*group) {
	if b.part == nil {
		b.owners = nil
		return nil
	}
	all := b.relaid || b.owners.Len() != b.part.Committed.Len()
	if !all && !changed {
		return nil
	}
	list := sharingOwners{list: b.owners}
	if all {
		list = sharingOwners{list: model.MakeOwners(b.part.Committed.Len()), own: true}
	}
	broker := brokerRef(seed, []byte(b.name))
	var row []int32
	for i := range b.part.Commits {
		g := b.groupOf(i)
		if !all && g != nil && !g.moved {
			continue
		}
		commits := &b.part.Commits[i]
		t := &b.part.Topics[commits.Topic]
		row = slices.Grow(row[:0], int(t.Queues))[:t.Queues]
		for q := range row {
			row[q] = model.NoOwner
		}
		if g != nil && g.deals() {
			twice := own(row, refOf(seed, broker, []byte(t.Name)), g.claiming)
			if twice || g.lacksOwner(t.Name, row) {
				open = append(open, g)
			}
		}
		list.put(int(commits.First), row)
	}
	if !b.owners.Equal(list.list) {
		b.owners = list.list
	}
	return open
}

// sharingOwners is a list of owners that is the one of the round before while it
// has the same values.
type sharingOwners struct {
	list *model.Owners
	own  bool
}

func (s *sharingOwners) put(first int, row []int32) {
	if !s.own {
		if s.list.Has(first, row) {
			return
		}
		s.list, s.own = s.list.Clone(), true
	}
	s.list.Put(first, row)
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
	return g.topics.Has(topic) && slices.Contains(owners, model.NoOwner)
}
