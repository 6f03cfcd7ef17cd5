package fakemq

import "fmt"

// Consume lets a group's processes consume up to n messages of a topic and
// commit them, spread over its queues; in a broadcasting group each process
// consumes n. Of a topic that the group POPs they pop n, which are in flight
// until Ack. It returns how many were consumed. A queue that was never committed
// begins where the group says, at its beginning or its end.
func (c *Cluster) Consume(group, topic string, n int64) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[group]
	switch {
	case g == nil:
		return 0, fmt.Errorf("consume: no group %q", group)
	case !g.subscribes(topic):
		return 0, fmt.Errorf("consume: group %q does not subscribe topic %q", group, topic)
	case len(g.processes) == 0:
		return 0, fmt.Errorf("consume: group %q has no process", group)
	case n < 0:
		return 0, fmt.Errorf("consume %d messages: %w", n, errNegative)
	}
	if g.broadcasting() {
		var consumed int64
		for _, p := range g.processes {
			consumed += consumeSome(c.localQueues(p, topic), n)
		}
		return consumed, nil
	}
	if g.pop[topic] {
		return c.pop(g, topic, n), nil
	}
	var queues []cursor
	for _, p := range g.sorted {
		queues = append(queues, c.heldQueues(p, topic)...)
	}
	return consumeSome(queues, n), nil
}

// pop lets the processes of a group pop up to n messages, in turn.
func (c *Cluster) pop(g *group, topic string, n int64) int64 {
	left := n
	for i, p := range g.sorted {
		share := left / int64(len(g.sorted)-i)
		if i == len(g.sorted)-1 {
			share = left
		}
		left -= consumeSome(c.popQueues(p, topic), share)
	}
	return n - left
}

// cursor is where one process stands in one queue.
type cursor struct {
	at, end int64
	commit  func(offset int64)
}

// consumeSome moves cursors forward by up to n messages, evenly as far as
// there is something to consume, and commits those that moved.
func consumeSome(queues []cursor, n int64) int64 {
	left := n
	moved := make([]int64, len(queues))
	for open := len(queues); left > 0 && open > 0; {
		each := max(1, left/int64(open))
		open = 0
		for i, q := range queues {
			step := min(each, left, q.end-q.at-moved[i])
			if step <= 0 {
				continue
			}
			moved[i] += step
			left -= step
			if q.at+moved[i] < q.end {
				open++
			}
		}
	}
	for i, q := range queues {
		if moved[i] > 0 {
			q.commit(q.at + moved[i])
		}
	}
	return n - left
}

// heldQueues are the queues that a process of a clustering group holds.
func (c *Cluster) heldQueues(p *process, topic string) []cursor {
	var qs []cursor
	c.allocate(p.group, topic).held(p, func(t *brokerTopic, id int) {
		if !t.broker.writable() {
			return // nobody takes the commit
		}
		o := t.offsetsOf(p.group.name, false)
		qs = append(qs, cursor{
			at:     p.group.start(t, id, o.committed[id]),
			end:    t.max[id],
			commit: func(offset int64) { o.commit(id, offset, t.broker.now()) },
		})
	})
	return qs
}

// localQueues are all queues, as a process of a broadcasting group sees them.
func (c *Cluster) localQueues(p *process, topic string) []cursor {
	var qs []cursor
	for _, t := range c.topicParts(topic) {
		if !t.broker.writable() {
			continue
		}
		for id, at := range p.localOf(t)[:t.read] {
			qs = append(qs, cursor{
				at:     p.group.start(t, id, at),
				end:    t.max[id],
				commit: func(offset int64) { p.commitLocal(t, id, offset, t.broker.now()) },
			})
		}
	}
	return qs
}

// start is where a group goes on in a queue: at its commit, but never before
// the queue's beginning.
func (g *group) start(t *brokerTopic, queue int, committed int64) int64 {
	if committed == never && g.FromLast && !isRetry(t.name) {
		return t.max[queue]
	}
	return max(committed, t.min[queue])
}
