package fakemq

import (
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerBrokerConsumeStats answers GET_BROKER_CONSUME_STATS (ConsumeStatsList)
// with its gaps: only groups and topics that have settings, only topics that
// an online group subscribes, write queues instead of read queues, and in 5.x
// no pulled offsets, so that the sum of messages in flight is negative.
func answerBrokerConsumeStats(n *Node, req *remoting.Command, a *answer) {
	ordered, ok := need(req, a, "isOrder")
	if !ok {
		return
	}
	var sums diffs
	dst := a.begin(`{"brokerAddr":`)
	dst = append(dst, quote(n.Addr())...)
	dst = append(dst, `,"consumeStatsList":[`...)
	var groups list
	for _, name := range n.broker.groupSeq {
		dst = append(groups.next(dst), '{')
		dst = append(dst, quote(name)...)
		dst = append(dst, ":["...)
		var topics list
		for _, t := range n.subscribedTopics(name) {
			if ordered == "true" && !t.order {
				continue
			}
			dst = n.appendGroupStats(topics.next(dst), t, name, &sums)
		}
		dst = append(dst, "]}"...)
	}
	dst = appendInt(dst, `],"totalDiff":`, sums.diff)
	if n.release.five() {
		dst = appendInt(dst, `,"totalInflightDiff":`, sums.inflight)
	}
	a.end(dst, "}")
}

type diffs struct{ diff, inflight int64 }

func (n *Node) subscribedTopics(group string) []*brokerTopic {
	topics := n.topicsCommitted(group)
	g := n.mq.groups[group]
	if g == nil || !g.onlineAt(n.broker) {
		return topics
	}
	return slices.DeleteFunc(topics, func(t *brokerTopic) bool { return !g.subscribes(t.name) })
}

func (n *Node) appendGroupStats(dst []byte, t *brokerTopic, group string, sums *diffs) []byte {
	o := n.commits(t, group)
	dst = appendDouble(dst, `{"consumeTps":`, o.gotRate.perSecond(n.broker.now()))
	dst = append(dst, `,"offsetTable":{`...)
	var l list
	for id := range int(t.write) {
		committed := max(o.committed[id], 0)
		var last int64
		if committed > 0 {
			last = max(t.storedAt(id, committed-1), 0)
		}
		sums.diff += t.max[id] - committed
		sums.inflight -= committed
		dst = appendQueueKey(l.next(dst), t, id)
		dst = appendInt(dst, `{"brokerOffset":`, t.max[id])
		dst = appendInt(dst, `,"consumerOffset":`, committed)
		dst = appendInt(dst, `,"lastTimestamp":`, last)
		if n.release.five() {
			dst = append(dst, `,"pullOffset":0`...)
		}
		dst = append(dst, '}')
	}
	return append(dst, "}}"...)
}
