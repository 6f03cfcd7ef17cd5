package fakemq

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// admin is the cluster as a console sees it: what the admin client that is
// built into it learns from nodes (DefaultMQAdminExtImpl of 4.9.0 and 5.3.3).
// Its callers hold the read lock. Where that client takes a broker by chance,
// this one takes the first.
type admin struct {
	mq      *Cluster
	release ConsoleRelease
}

// javaError is what an exception says, as the console shows it.
type javaError string

// Error is the exception's message.
func (e javaError) Error() string { return string(e) }

// clientError is an exception with a response code (MQClientException,
// MQBrokerException).
func (a admin) clientError(class string, code remoting.ResponseCode, desc string) error {
	return a.exception(class, "CODE: "+strconv.Itoa(int(code))+"  DESC: "+desc)
}

// exception is one of the client. Words that name no page yet get one (FAQUrl).
func (a admin) exception(class, words string) error {
	msg := "org.apache.rocketmq.client.exception." + class + ": " + words
	if !strings.Contains(words, "\nSee ") {
		faq := Release497.faq()
		if a.release.two() {
			faq = Release550.faq()
		}
		msg += "\nFor more information, please visit the url, " + faq
	}
	return javaError(msg)
}

func connectError(addr string) error {
	return javaError("org.apache.rocketmq.remoting.exception.RemotingConnectException: connect to " + addr + " failed")
}

// nameServer is the first that runs.
func (a admin) nameServer() (*Node, error) {
	for _, n := range a.mq.nameServers {
		if n.Running() {
			return n, nil
		}
	}
	return nil, connectError("null")
}

// topicRoute are the brokers of a topic (examineTopicRouteInfo).
func (a admin) topicRoute(topic string) ([]*broker, error) {
	ns, err := a.nameServer()
	if err != nil {
		return nil, err
	}
	var bs []*broker
	for _, b := range a.mq.brokers {
		if b.topics[topic] != nil && b.listed() {
			bs = append(bs, b)
		}
	}
	if len(bs) == 0 {
		return nil, a.clientError("MQClientException", remoting.TopicNotExist, noRoute(ns, topic))
	}
	return bs, nil
}

// reach is the node of a broker that is asked: the master, or a slave where
// name servers list none (BrokerData.selectBrokerAddr).
func (b *broker) reach() (*Node, error) {
	i := slices.IndexFunc(b.nodes, (*Node).isRegistered)
	if n := b.nodes[max(i, 0)]; !n.Running() {
		return nil, connectError(n.Addr())
	}
	return b.nodes[max(i, 0)], nil
}

// at is the node with an address.
func (a admin) at(addr string) (*Node, error) {
	for _, n := range a.mq.nodes {
		if n.Addr() == addr && n.Running() {
			return n, nil
		}
	}
	return nil, connectError(addr)
}

// queueStat is how far a group is in one queue (OffsetWrapper).
type queueStat struct {
	on             *brokerTopic
	queue          int
	end, committed int64
	last           int64 // store time of the last consumed message, ms since 1970
}

// consumeStats asks all brokers of a group (examineConsumeStats), for one
// topic or for all that it has commits of. They are sorted by topic, broker
// and queue.
func (a admin) consumeStats(group, topic string) (stats []queueStat, perSecond float64, err error) {
	brokers, err := a.groupRoute(group, topic)
	if err != nil {
		return nil, 0, err
	}
	for _, b := range brokers {
		n, err := b.reach()
		if err != nil {
			return nil, 0, err
		}
		own, rate := n.groupStats(group, topic)
		stats, perSecond = append(stats, own...), perSecond+rate
	}
	if len(stats) == 0 {
		return nil, 0, a.clientError("MQClientException", remoting.ConsumerNotOnline,
			"Not found the consumer group consume stats, because return offset table is empty, maybe the consumer not consume any message")
	}
	sortStats(stats)
	return stats, perSecond, nil
}

// groupRoute are the brokers that are asked for a group: those of its retry
// topic. From 5.x on the client makes do with those of the topic.
func (a admin) groupRoute(group, topic string) ([]*broker, error) {
	brokers, err := a.topicRoute(retryTopic(group))
	if err != nil && topic != "" && a.release.two() {
		return a.topicRoute(topic)
	}
	return brokers, err
}

func sortStats(stats []queueStat) {
	slices.SortFunc(stats, func(a, b queueStat) int {
		return cmp.Or(cmp.Compare(a.on.name, b.on.name), cmp.Compare(a.on.broker.name, b.on.broker.name), cmp.Compare(a.queue, b.queue))
	})
}

// groupStats are what a node answers to GET_CONSUME_STATS.
func (n *Node) groupStats(group, topic string) (stats []queueStat, perSecond float64) {
	for _, t := range n.statsTopics(topic, group) {
		o := n.commits(t, group)
		for id := range int(t.read) {
			committed, _, last := t.progress(o, id)
			stats = append(stats, queueStat{on: t, queue: id, end: t.max[id], committed: committed, last: last})
		}
		if o != nil {
			perSecond += o.gotRate.perSecond(n.broker.now())
		}
	}
	return stats, perSecond
}

// connection finds a group's processes (examineConsumerConnectionInfo).
func (a admin) connection(group string) (*group, error) {
	brokers, err := a.topicRoute(retryTopic(group))
	if err != nil {
		return nil, err
	}
	n, err := brokers[0].reach()
	if err != nil {
		return nil, err
	}
	return a.connectionAt(n, group)
}

func (a admin) connectionAt(n *Node, name string) (*group, error) {
	g := a.mq.groups[name]
	if g == nil || !g.onlineAt(n.broker) {
		return nil, a.clientError("MQBrokerException", remoting.ConsumerNotOnline,
			"the consumer group["+name+"] not online BROKER: "+n.Addr())
	}
	return g, nil
}

// consumers are the groups of a topic as its first broker knows them
// (queryTopicConsumeByWho): those of other brokers are missed.
func (a admin) consumers(topic string) ([]string, error) {
	brokers, err := a.topicRoute(topic)
	if err != nil {
		return nil, err
	}
	n, err := brokers[0].reach()
	if err != nil {
		return nil, err
	}
	return n.consumersOf(topic), nil
}
