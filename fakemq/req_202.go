package fakemq

import "github.com/rocketmq-exporter/rocketmq_exporter/remoting"

// answerTopicStats answers GET_TOPIC_STATS_INFO (TopicStatsTable). Before 5.3.0
// it lists the write queues, which may be none, since then what is more of read
// and write.
func answerTopicStats(n *Node, req *remoting.Command, a *answer) {
	t := n.topicOrRefuse(req, a)
	if t == nil {
		return
	}
	dst := a.begin(`{"offsetTable":{`)
	var l list
	for id := range n.statsQueues(t) {
		dst = appendQueueKey(l.next(dst), t, id)
		dst = appendInt(dst, `{"lastUpdateTimestamp":`, t.lastStored(id))
		dst = appendInt(dst, `,"maxOffset":`, t.max[id])
		dst = appendInt(dst, `,"minOffset":`, t.min[id])
		dst = append(dst, '}')
	}
	dst = append(dst, '}')
	if n.release.since(version532) {
		dst = appendDouble(dst, `,"topicPutTps":`, t.putRate.perSecond(n.broker.now()))
	}
	a.end(dst, "}")
}

// statsQueues is how many queues the stats of a topic list.
func (n *Node) statsQueues(t *brokerTopic) int {
	if n.release.since(version530) {
		return int(max(t.read, t.write))
	}
	return int(t.write)
}

// lastStored is when a queue's last message was stored: 0 where there never was
// one, -1 where it is no longer kept.
func (t *brokerTopic) lastStored(queue int) int64 {
	if t.max[queue] == 0 {
		return 0
	}
	return t.storedAt(queue, t.max[queue]-1)
}

// storedAt is when the message at an offset was stored, -1 where there is none
// (MessageStore.getMessageStoreTimeStamp).
func (t *brokerTopic) storedAt(queue int, offset int64) int64 {
	if offset < t.min[queue] || offset >= t.max[queue] {
		return -1
	}
	return t.stored[queue].at(offset)
}

// topicOrRefuse finds the topic that a request names.
func (n *Node) topicOrRefuse(req *remoting.Command, a *answer) *brokerTopic {
	name, ok := need(req, a, "topic")
	if !ok {
		return nil
	}
	t := n.broker.topics[name]
	if t == nil {
		a.refuse(remoting.TopicNotExist, "topic["+name+"] not exist")
	}
	return t
}
