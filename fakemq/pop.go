package fakemq

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// SetPop has a clustering group consume a topic by POP, or as usual again
// (mqadmin setConsumeMode): its brokers then deal out messages to whichever
// process asks, nobody holds a queue, and a commit moves when messages are
// popped, not when they are acknowledged. Brokers of 4.x do not know it.
func (c *Cluster) SetPop(group, topic string, pop bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[group]
	parts := c.topicParts(topic)
	switch {
	case g == nil || g.broadcasting():
		return fmt.Errorf("set POP: no clustering group %q", group)
	case len(parts) == 0:
		return fmt.Errorf("set POP of group %q: no broker has topic %q", group, topic)
	case slices.ContainsFunc(parts, func(t *brokerTopic) bool { return !t.broker.release.five() }):
		return fmt.Errorf("set POP of group %q on topic %q: brokers of 4.x do not know POP", group, topic)
	}
	if g.pop == nil {
		g.pop = map[string]bool{}
	}
	if g.pop[topic] = pop; !pop {
		delete(g.pop, topic)
	}
	return nil
}

// Ack acknowledges up to n messages of a topic that a process has popped, and
// returns how many it did.
func (c *Cluster) Ack(group, clientID, topic string, n int64) (int64, error) {
	return c.settlePopped(group, clientID, topic, n, func(*brokerTopic, int64) {})
}

// ExpirePopped lets the invisible time of up to n messages end that a process has
// popped and not acknowledged: they go to the group's POP retry topic, to be
// popped again (PopReviveService).
func (c *Cluster) ExpirePopped(group, clientID, topic string, n int64) (int64, error) {
	return c.settlePopped(group, clientID, topic, n, func(t *brokerTopic, n int64) {
		name := popRetryTopic(group, topic)
		retry := t.broker.topics[name]
		if retry == nil {
			retry = newBrokerTopic(t.broker, name, 1, 1, PermRead|PermWrite)
			t.broker.addTopic(retry, t.broker.now())
			o := retry.offsetsOf(group, false)
			o.commit(0, 0, t.broker.now())
		}
		retry.append(0, n, t.broker.now(), c.opts.Marks)
	})
}

// popRetryTopic is the topic of messages that a group has popped of a topic and
// not acknowledged in time (KeyBuilder.buildPopRetryTopicV1).
func popRetryTopic(group, topic string) string { return retryPrefix + group + "_" + topic }

func (c *Cluster) settlePopped(group, clientID, topic string, n int64, each func(t *brokerTopic, n int64)) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.process(group, clientID)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("popped messages of %q: %w", clientID, orNegative(err))
	}
	left := n
	for _, t := range c.topicParts(topic) {
		if part := min(left, p.popped[t]); part > 0 {
			p.popped[t] -= part
			left -= part
			each(t, part)
		}
	}
	return n - left, nil
}

// popQueues are the queues from which a process can pop messages of a topic:
// all of them, and those of the retry topic.
func (c *Cluster) popQueues(p *process, topic string) []cursor {
	var qs []cursor
	for _, name := range []string{popRetryTopic(p.group.name, topic), topic} {
		for _, t := range c.topicParts(name) {
			if !t.broker.writable() {
				continue
			}
			of := t.broker.topics[topic]
			if of == nil {
				continue
			}
			o := t.offsetsOf(p.group.name, false)
			for id := range int(t.read) {
				at := p.group.start(t, id, o.committed[id])
				qs = append(qs, cursor{at: at, end: t.max[id], commit: func(offset int64) {
					o.commit(id, offset, t.broker.now())
					if p.popped == nil {
						p.popped = map[*brokerTopic]int64{}
					}
					p.popped[of] += offset - max(at, 0)
				}})
			}
		}
	}
	return qs
}

// InFlight is how many messages of a topic one process has popped from all
// brokers and not acknowledged.
type InFlight struct {
	Group, Topic, ClientID string
	Messages               int64
}

// InFlight is what is in flight, of each process and each topic that its group
// POPs, also where that is nothing, sorted by group, topic and client id.
func (c *Cluster) InFlight() []InFlight {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var list []InFlight
	for _, g := range c.groupSeq {
		for _, topic := range sortedKeys(g.pop) {
			for _, p := range g.processes {
				list = append(list, InFlight{g.name, topic, p.ID, c.waiting(p, topic)})
			}
		}
	}
	slices.SortFunc(list, func(a, b InFlight) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Topic, b.Topic), strings.Compare(a.ClientID, b.ClientID))
	})
	return list
}

func (c *Cluster) waiting(p *process, topic string) int64 {
	var n int64
	for _, t := range c.topicParts(topic) {
		n += p.popped[t]
	}
	return n
}

// appendPopped writes one entry per topic and broker that a process pops from
// (mqPopTable, PopProcessQueueInfo), with the key that appendKey writes.
func (c *Cluster) appendPopped(dst []byte, p *process, appendKey func(dst []byte, t *brokerTopic, id int) []byte) []byte {
	var l list
	for _, topic := range sortedKeys(p.group.pop) {
		for _, t := range c.topicParts(topic) {
			dst = appendKey(l.next(dst), t, allQueues)
			dst = append(dst, `{"droped":false,"lastPopTimestamp":`...)
			dst = appendInt(dst, "", c.now())
			dst = appendInt(dst, `,"waitAckCount":`, p.popped[t])
			dst = append(dst, '}')
		}
	}
	return dst
}

// allQueues is the queue id that stands for all queues of a broker.
const allQueues = -1

// answerRequestModes answers GET_ALL_MESSAGE_REQUEST_MODE
// (MessageRequestModeSerializeWrapper).
func answerRequestModes(n *Node, _ *remoting.Command, a *answer) {
	byTopic := map[string][]string{}
	for _, g := range n.mq.groupSeq {
		for topic := range g.pop {
			if n.broker.topics[topic] != nil {
				byTopic[topic] = append(byTopic[topic], g.name)
			}
		}
	}
	dst := a.begin(`{"messageRequestModeMap":{`)
	var l list
	for _, topic := range sortedKeys(byTopic) {
		dst = append(l.next(dst), quote(topic)...)
		dst = append(dst, ":{"...)
		var groups list
		for _, group := range byTopic[topic] {
			dst = append(groups.next(dst), quote(group)...)
			dst = append(dst, `:{"consumerGroup":`...)
			dst = append(dst, quote(group)...)
			dst = append(dst, `,"mode":"POP","popShareQueueNum":8,"topic":`...)
			dst = append(dst, quote(topic)...)
			dst = append(dst, '}')
		}
		dst = append(dst, '}')
	}
	a.end(dst, "}}")
}
