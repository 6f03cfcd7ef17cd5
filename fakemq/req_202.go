package fakemq

import "github.com/rocketmq-exporter/rocketmq_exporter/remoting"

// answerTopicStats answers GET_TOPIC_STATS_INFO (TopicStatsTable). 4.x lists
// the write queues, 5.x what is more of read and write.
func answerTopicStats(n *Node, req *remoting.Command, a *answer) {
	t := n.topicOrRefuse(req, a)
	if t == nil {
		return
	}
	queues := int(t.write)
	if n.release.five() {
		queues = int(max(t.read, t.write))
	}
	dst := a.begin(`{"offsetTable":{`)
	var l list
	for id := range queues {
		dst = appendQueueKey(l.next(dst), t, id)
		var last int64
		if t.max[id] > 0 {
			last = t.stored[id].at(t.max[id] - 1)
		}
		dst = appendInt(dst, `{"lastUpdateTimestamp":`, last)
		dst = appendInt(dst, `,"maxOffset":`, t.max[id])
		dst = appendInt(dst, `,"minOffset":`, t.min[id])
		dst = append(dst, '}')
	}
	dst = append(dst, '}')
	if n.release.five() {
		dst = appendDouble(dst, `,"topicPutTps":`, t.putRate.perSecond(n.mq.now()))
	}
	a.end(dst, "}")
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
