package fakemq

import (
	"slices"
	"strings"
)

// rebalance deals the queues anew after processes came or went.
func (g *group) rebalance() {
	g.sorted = slices.Clone(g.processes)
	slices.SortStableFunc(g.sorted, func(a, b *process) int { return strings.Compare(a.ID, b.ID) })
	g.dropped = nil
}

// allocation is how the queues of one topic are dealt to the processes of a
// clustering group: all clients sort the queues by broker and id, the client
// ids too, and take contiguous shares of even size
// (AllocateMessageQueueAveragely).
type allocation struct {
	group *group
	parts []*brokerTopic // readable, by broker name
	total int            // queues
}

func (c *Cluster) allocate(g *group, topic string) allocation {
	a := allocation{group: g}
	if len(g.processes) == 0 || !g.subscribes(topic) || g.pop[topic] {
		return a // nobody holds a queue of a topic that is popped
	}
	for _, t := range c.topicParts(topic) {
		if t.perm&PermRead != 0 && t.broker.listed() {
			a.parts = append(a.parts, t)
			a.total += int(t.read)
		}
	}
	return a
}

// share is the range of the sorted queues that the i-th of k processes holds.
func share(i, k, total int) (from, to int) {
	each, rest := total/k, total%k
	from = i*each + min(i, rest)
	to = from + each
	if i < rest {
		to++
	}
	return from, to
}

// ownerIndex is the inverse of share: which of k processes holds a queue.
func ownerIndex(queue, k, total int) int {
	each, rest := total/k, total%k
	if larger := rest * (each + 1); queue >= larger {
		return rest + (queue-larger)/each
	}
	return queue / (each + 1)
}

// owner is the process that holds a queue, nil where nobody does.
func (a allocation) owner(t *brokerTopic, queue int) *process {
	if queue >= int(t.read) || a.group.dropped[queueRef{t, queue}] {
		return nil
	}
	at := 0
	for _, part := range a.parts {
		if part == t {
			return a.group.sorted[ownerIndex(at+queue, len(a.group.sorted), a.total)]
		}
		at += int(part.read)
	}
	return nil
}

// held calls queue for each queue that a process holds.
func (a allocation) held(p *process, queue func(t *brokerTopic, id int)) {
	i := slices.Index(a.group.sorted, p)
	if i < 0 || a.total == 0 {
		return
	}
	from, to := share(i, len(a.group.sorted), a.total)
	at := 0
	for _, t := range a.parts {
		for id := max(0, from-at); id < min(int(t.read), to-at); id++ {
			if !a.group.dropped[queueRef{t, id}] {
				queue(t, id)
			}
		}
		at += int(t.read)
	}
}
