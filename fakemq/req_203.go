package fakemq

import (
	"fmt"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerConnections answers GET_CONSUMER_CONNECTION_LIST (ConsumerConnection).
// Slaves know a group's processes too: consumers send them heartbeats.
func answerConnections(n *Node, req *remoting.Command, a *answer) {
	name, ok := need(req, a, "consumerGroup")
	if !ok {
		return
	}
	g := n.mq.groups[name]
	if g == nil || !g.onlineAt(n.broker) {
		a.refuse(remoting.ConsumerNotOnline, "the consumer group["+name+"] not online")
		return
	}
	dst := a.begin(`{"connectionSet":[`)
	var l list
	for _, p := range g.processes {
		dst = appendConnection(l.next(dst), p)
	}
	dst = append(dst, `],"consumeFromWhere":"`...)
	dst = append(dst, g.fromWhere()...)
	dst = append(dst, `","consumeType":"`...)
	dst = append(dst, g.consumeType()...)
	dst = append(dst, `","messageModel":"`...)
	dst = append(dst, g.model()...)
	dst = append(dst, `","subscriptionTable":{`...)
	l = list{}
	for _, topic := range g.topics {
		dst = append(l.next(dst), quote(topic)...)
		dst = append(dst, ':')
		dst = appendSubscription(dst, g, topic)
	}
	a.end(dst, "}}")
}

func appendConnection(dst []byte, p *process) []byte {
	dst = append(dst, `{"clientAddr":`...)
	dst = remoting.AppendJSONString(dst, p.Addr)
	dst = append(dst, `,"clientId":`...)
	dst = remoting.AppendJSONString(dst, p.ID)
	dst = append(dst, `,"language":`...)
	dst = remoting.AppendJSONString(dst, p.Language)
	dst = appendInt(dst, `,"version":`, int64(p.Version))
	return append(dst, '}')
}

// appendSubscription writes one SubscriptionData.
func appendSubscription(dst []byte, g *group, topic string) []byte {
	dst = append(dst, `{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*"`...)
	dst = appendInt(dst, `,"subVersion":`, g.subbedAt)
	dst = append(dst, `,"tagsSet":[],"topic":`...)
	dst = append(dst, quote(topic)...)
	return append(dst, '}')
}

func (g *group) fromWhere() string {
	if g.FromLast {
		return "CONSUME_FROM_LAST_OFFSET"
	}
	return "CONSUME_FROM_FIRST_OFFSET"
}

func (g *group) consumeType() string {
	if g.Pull {
		return "CONSUME_ACTIVELY"
	}
	return "CONSUME_PASSIVELY"
}

// answerConsumerIDs answers GET_CONSUMER_LIST_BY_GROUP
// (GetConsumerListByGroupResponseBody).
func answerConsumerIDs(n *Node, req *remoting.Command, a *answer) {
	name, ok := need(req, a, "consumerGroup")
	if !ok {
		return
	}
	g := n.mq.groups[name]
	if g == nil || !g.onlineAt(n.broker) {
		a.refuse(remoting.SystemError, fmt.Sprintf("no consumer for this group, %s", name))
		return
	}
	ids := make([]string, 0, len(g.processes))
	for _, p := range g.processes {
		ids = append(ids, p.ID)
	}
	dst := a.begin(`{"consumerIdList":`)
	a.body = append(appendStrings(dst, ids), '}')
}
