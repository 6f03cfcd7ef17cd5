package lag

import "github.com/rocketmq-exporter/rocketmq_exporter/internal/model"

// Consumed counts how many messages each group consumes of each topic, from the
// commits of one snapshot after another. The zero value is ready; it is used by
// one goroutine, for the snapshots of one cluster.
//
// A pair's count begins as the sum of its commits, and then grows by what each
// queue's commit grows. So it is the sum of the commits as long as nothing odd
// happens, and a counter when something does: a commit that goes back, a broker
// that is away for a while, or a queue that is committed for the first time, at
// whatever offset, must not look like a consumption.
type Consumed struct {
	counts map[pairKey]*count
	parts  map[string]*model.Part // by broker: the last one with offsets
	local  map[localKey]*model.LocalCommits
	round  uint64
}

type pairKey struct{ topic, group string }

// localKey names the offsets that one process of a broadcasting group keeps.
type localKey struct {
	model.TopicOnBroker

	group, clientID string
}

type count struct {
	messages   int64
	began, met uint64 // rounds
}

// Count takes the next snapshot of the cluster, and fills in its report's Pairs.
func (c *Consumed) Count(r *Report) {
	if c.counts == nil {
		c.counts = make(map[pairKey]*count)
		c.parts = make(map[string]*model.Part)
	}
	c.round++
	c.countParts(r.Snapshot)
	c.countLocal(r.Snapshot)
	for i := range r.Pairs {
		p := &r.Pairs[i]
		if n := c.counts[pairKey{p.Topic, p.Group}]; n != nil {
			p.Consumed = n.messages
		}
	}
	for key, n := range c.counts {
		if n.met != c.round {
			delete(c.counts, key)
		}
	}
}

// of is the count of a pair. It is new in the round in which it began.
func (c *Consumed) of(topic, group string) *count {
	key := pairKey{topic, group}
	n := c.counts[key]
	if n == nil {
		n = &count{began: c.round}
		c.counts[key] = n
	}
	n.met = c.round
	return n
}

// add counts one queue's commit after the last one that was seen of it.
func (c *Consumed) add(n *count, last, now int64) {
	switch {
	case now == model.Unknown:
	case last != model.Unknown:
		n.messages = plus(n.messages, max(now-last, 0))
	case n.began == c.round:
		n.messages = plus(n.messages, now)
	}
}

func (c *Consumed) countParts(s *model.Snapshot) {
	broadcasting := make(map[string]bool)
	for _, g := range s.Groups {
		if g.Model == model.Broadcasting {
			broadcasting[g.Name] = true
		}
	}
	brokers := make(map[string]*model.Part, len(s.Parts))
	for _, p := range s.Parts {
		last := c.parts[p.Broker]
		if p.Age > 0 && len(p.Commits) == 0 && last != nil {
			brokers[p.Broker] = last // away for long: it counts on where it was
			continue
		}
		brokers[p.Broker] = p.Part
		c.countPart(p.Part, last, broadcasting)
	}
	c.parts = brokers
}

func (c *Consumed) countPart(part, last *model.Part, broadcasting map[string]bool) {
	find := finder{part: last}
	for i := range part.Commits {
		commits := &part.Commits[i]
		if broadcasting[commits.Group] {
			continue
		}
		topic := &part.Topics[commits.Topic]
		n := c.of(topic.Name, commits.Group)
		if part == last {
			continue
		}
		before := find.committed(i, topic.Name, commits.Group)
		for q, now := range part.Committed[commits.First : commits.First+topic.Queues] {
			c.add(n, at(before, q), now)
		}
	}
}

// at is the commit of a queue, Unknown where there is none.
func at(list []int64, q int) int64 {
	if q < len(list) {
		return list[q]
	}
	return model.Unknown
}

// finder finds commits in the part of an earlier round. They mostly stand where
// they stood; only otherwise an index is made.
type finder struct {
	part  *model.Part
	index map[pairKey]int
}

func (f *finder) committed(i int, topic, group string) []int64 {
	if f.part == nil {
		return nil
	}
	if i >= len(f.part.Commits) || f.part.Commits[i].Group != group || f.topic(i).Name != topic {
		if f.index == nil {
			f.index = make(map[pairKey]int, len(f.part.Commits))
			for j := range f.part.Commits {
				f.index[pairKey{f.topic(j).Name, f.part.Commits[j].Group}] = j
			}
		}
		var ok bool
		if i, ok = f.index[pairKey{topic, group}]; !ok {
			return nil
		}
	}
	first := f.part.Commits[i].First
	return f.part.Committed[first : first+f.topic(i).Queues]
}

func (f *finder) topic(i int) *model.Topic { return &f.part.Topics[f.part.Commits[i].Topic] }

// countLocal counts what the processes of broadcasting groups consume.
func (c *Consumed) countLocal(s *model.Snapshot) {
	local := make(map[localKey]*model.LocalCommits, len(c.local))
	for _, g := range s.Groups {
		if g.Model != model.Broadcasting {
			continue
		}
		for i := range g.Local {
			l := &g.Local[i]
			key := localKey{TopicOnBroker: l.TopicOnBroker, group: g.Name}
			if l.Client != model.NoClient {
				key.clientID = g.Clients[l.Client].ID
			}
			n := c.of(l.Topic, g.Name)
			var before []int64
			if last := c.local[key]; last != nil {
				before = last.Committed
			}
			for q, now := range l.Committed {
				c.add(n, at(before, q), now)
			}
			local[key] = l
		}
	}
	c.local = local
}
