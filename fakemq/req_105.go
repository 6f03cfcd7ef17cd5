package fakemq

import (
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerRoute answers GET_ROUTEINFO_BY_TOPIC (TopicRouteData). Broker ids are
// quoted there: the nodes' own releases write standard JSON for clients from
// 4.9.4 on, and the recorded answers do so without being asked.
func answerRoute(n *Node, req *remoting.Command, a *answer) {
	topic, ok := need(req, a, "topic")
	if !ok {
		return
	}
	parts := slices.DeleteFunc(n.mq.topicParts(topic), func(t *brokerTopic) bool { return !t.broker.listed() })
	if len(parts) == 0 {
		a.refuse(remoting.TopicNotExist, noRoute(n, topic))
		return
	}
	dst := a.begin(`{"brokerDatas":[`)
	var l list
	for _, t := range parts {
		dst = appendBroker(l.next(dst), t.broker, n.release, quotedIDs(req))
	}
	dst = append(dst, `],"filterServerTable":{},"queueDatas":[`...)
	l = list{}
	for _, t := range parts {
		dst = append(l.next(dst), `{"brokerName":`...)
		dst = append(dst, t.broker.quoted...)
		dst = appendInt(dst, `,"perm":`, int64(t.perm))
		dst = appendInt(dst, `,"readQueueNums":`, int64(t.read))
		dst = appendInt(dst, `,"topicSysFlag":0,"writeQueueNums":`, int64(t.write))
		dst = append(dst, '}')
	}
	a.end(dst, "]}")
}

// noRoute are a name server's words for a topic that it does not know.
func noRoute(n *Node, topic string) string {
	return "No topic route info in name server for the topic: " + topic + "\nSee " + n.release.faq() + " for further details."
}

// standardJSONVersion is 4.9.4: clients from there on get standard JSON from
// name servers without asking (ClientRequestProcessor).
const standardJSONVersion = 401

// quotedIDs says whether a route is to be standard JSON.
func quotedIDs(req *remoting.Command) bool {
	asked, _ := req.Field("acceptStandardJsonOnly")
	return asked == "true" || req.Version >= standardJSONVersion
}

// answerAllTopics answers GET_ALL_TOPIC_LIST_FROM_NAMESERVER (TopicList).
func answerAllTopics(n *Node, _ *remoting.Command, a *answer) {
	a.body = appendTopicList(a.body, n.topicNames(func(*broker) bool { return true }), "")
}

// answerClusterTopics answers GET_TOPICS_BY_CLUSTER (TopicList).
func answerClusterTopics(n *Node, req *remoting.Command, a *answer) {
	cluster, ok := need(req, a, "cluster")
	if !ok {
		return
	}
	a.body = appendTopicList(a.body, n.topicNames(func(b *broker) bool { return b.cluster == cluster }), "")
}

// answerSystemTopicsNS answers GET_SYSTEM_TOPIC_LIST_FROM_NS: the names of
// clusters and brokers, and the address of some broker.
func answerSystemTopicsNS(n *Node, _ *remoting.Command, a *answer) {
	names, some := n.mq.systemNames()
	addr := ""
	if some != nil {
		addr = some.nodes[0].Addr()
	}
	a.body = appendTopicList(a.body, names, addr)
}

// systemNames are the names of clusters and brokers, and some broker.
func (c *Cluster) systemNames() (names []string, some *broker) {
	for _, b := range c.brokers {
		if b.listed() {
			names = append(names, b.cluster, b.name)
			some = b
		}
	}
	slices.Sort(names)
	return slices.Compact(names), some
}

// topicNames are the topics of the brokers that the name server lists.
func (n *Node) topicNames(match func(*broker) bool) []string {
	var names []string
	seen := map[string]bool{}
	for _, b := range n.mq.brokers {
		if !b.listed() || !match(b) {
			continue
		}
		for _, t := range b.topicSeq {
			if !seen[t.name] {
				seen[t.name] = true
				names = append(names, t.name)
			}
		}
	}
	return names
}

func appendTopicList(dst []byte, names []string, brokerAddr string) []byte {
	dst = append(dst, '{')
	if brokerAddr != "" {
		dst = append(dst, `"brokerAddr":`...)
		dst = append(dst, quote(brokerAddr)...)
		dst = append(dst, ',')
	}
	dst = append(dst, `"topicList":`...)
	return append(appendStrings(dst, names), '}')
}
