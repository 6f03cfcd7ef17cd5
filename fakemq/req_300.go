package fakemq

import (
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerWhoConsumes answers QUERY_TOPIC_CONSUME_BY_WHO (GroupList): the groups
// that subscribe the topic and are online, and those with commits of it.
func answerWhoConsumes(n *Node, req *remoting.Command, a *answer) {
	topic, ok := need(req, a, "topic")
	if !ok {
		return
	}
	dst := a.begin(`{"groupList":`)
	a.body = append(appendStrings(dst, n.consumersOf(topic)), '}')
}

// consumersOf are the groups of a topic that a node knows.
func (n *Node) consumersOf(topic string) []string {
	var names []string
	for _, g := range n.mq.groupSeq {
		if g.onlineAt(n.broker) && g.subscribes(topic) {
			names = append(names, g.name)
		}
	}
	for _, o := range n.broker.offsetSeq {
		if o.topic == topic && !o.broadcast {
			names = append(names, o.group)
		}
	}
	slices.SortFunc(names, strings.Compare)
	return slices.Compact(names)
}

// answerSystemTopics answers GET_SYSTEM_TOPIC_LIST_FROM_BROKER (TopicList).
func answerSystemTopics(n *Node, _ *remoting.Command, a *answer) {
	a.body = appendTopicList(a.body, n.broker.system, "")
}
