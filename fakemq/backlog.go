package fakemq

import (
	"cmp"
	"slices"
)

// Row is the truth of one queue and one group; in a broadcasting group, of one
// queue and one process.
type Row struct {
	Cluster, Topic, Group, Broker string

	Queue     int
	ClientID  string // the process that holds the queue, empty where nobody does
	Begin     int64  // first offset still kept
	End       int64  // offset of the next message to come
	Committed int64  // -1 where the queue was never committed
	Backlog   int64  // messages to come, from 0 where never committed; never negative
	Ahead     int64  // how far the commit lies beyond the end
	// When messages were stored, in ms since 1970 by the broker's clock, -1
	// where there is no such message: the queue's newest, the one that the group
	// consumes next, and the one in front of its commit.
	Newest, Next, Consumed int64
	// Uncommitted: the group committed other queues of the topic on this
	// broker, and never this one.
	Uncommitted bool
	// Broadcast: the row is the process's own; Committed is kept by it.
	Broadcast bool
}

// Backlog is the truth that an observer must find, sorted by topic, group,
// broker, queue and client id.
//
// A clustering group has rows for the readable queues of each topic and broker
// where it has commits; while it is online only for topics that it subscribes.
// That is what GET_ALL_CONSUMER_OFFSET and GET_CONSUME_STATS tell. A
// broadcasting group has rows while it is online. Retry topics count as
// topics. Deleted groups and topics have no rows.
func (c *Cluster) Backlog() []Row {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var rows []Row
	for _, g := range c.groupSeq {
		if g.broadcasting() {
			rows = c.appendBroadcast(rows, g)
		}
	}
	for _, b := range c.brokers {
		rows = c.appendCommitted(rows, b)
	}
	slices.SortFunc(rows, compareRows)
	return rows
}

func compareRows(a, b Row) int {
	return cmp.Or(
		cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Broker, b.Broker),
		cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.ClientID, b.ClientID),
	)
}

func (c *Cluster) appendCommitted(rows []Row, b *broker) []Row {
	for _, o := range b.offsetSeq {
		g := c.groups[o.group]
		if o.on == nil || o.broadcast || g == nil || g.broadcasting() || g.onlineAt(b) && !g.subscribes(o.topic) {
			continue
		}
		a := c.allocate(g, o.topic)
		for id := range int(o.on.read) {
			row := newRow(g, o.on, id, o.committed[id])
			if p := a.owner(o.on, id); p != nil {
				row.ClientID = p.ID
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func (c *Cluster) appendBroadcast(rows []Row, g *group) []Row {
	for _, topic := range g.topics {
		for _, t := range c.topicParts(topic) {
			for _, p := range g.processes {
				for id, at := range p.local[t][:t.read] {
					row := newRow(g, t, id, at)
					row.ClientID, row.Broadcast = p.ID, true
					rows = append(rows, row)
				}
			}
		}
	}
	return rows
}

func newRow(g *group, t *brokerTopic, id int, committed int64) Row {
	diff := t.max[id] - max(committed, 0)
	return Row{
		Newest: t.storedAt(id, t.max[id]-1), Next: t.storedAt(id, max(committed, t.min[id])), Consumed: t.storedAt(id, committed-1),
		Cluster: t.broker.cluster, Topic: t.name, Group: g.name, Broker: t.broker.name, Queue: id,
		Begin: t.min[id], End: t.max[id], Committed: committed,
		Backlog: max(diff, 0), Ahead: max(-diff, 0), Uncommitted: committed == never,
	}
}

// Queue is the truth of one queue.
type Queue struct {
	Cluster, Topic, Broker string

	Queue      int
	Begin, End int64
	Newest     int64 // store time of the newest message, as in Row
}

// Queues is the truth of all readable queues of all topics, those of the system
// too, sorted by topic, broker and queue.
func (c *Cluster) Queues() []Queue {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var list []Queue
	for _, b := range c.brokers {
		for _, t := range b.topicSeq {
			for id := range int(t.read) {
				list = append(list, Queue{b.cluster, t.name, b.name, id, t.min[id], t.max[id], t.storedAt(id, t.max[id]-1)})
			}
		}
	}
	slices.SortFunc(list, func(a, b Queue) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.Queue, b.Queue))
	})
	return list
}
