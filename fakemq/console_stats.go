package fakemq

import "strconv"

// javaQueue is a queue as the key of a map, quoted. The console's JSON writer,
// Jackson, has no words for a key that is an object and takes its toString.
func javaQueue(t *brokerTopic, id int) string {
	return quote("MessageQueue [topic=" + t.name + ", brokerName=" + t.broker.name + ", queueId=" + strconv.Itoa(id) + "]")
}

// answerTopicTable answers /topic/stats.query (TopicStatsTable), whose rate is
// never filled in. Where no broker lists a queue the admin client throws
// (examineTopicStats).
func answerTopicTable(x *call, dst []byte) ([]byte, error) {
	topic, err := x.need("topic", "String")
	if err != nil {
		return dst, err
	}
	a := x.console.admin
	a.mq.mu.RLock()
	defer a.mq.mu.RUnlock()
	brokers, err := a.topicRoute(topic)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	if a.release.two() {
		dst = append(dst, `"topicPutTps":0.0,`...)
	}
	dst = append(dst, `"offsetTable":{`...)
	var l list
	for _, b := range brokers {
		n, err := b.reach()
		if err != nil {
			return dst, err
		}
		t := b.topics[topic]
		for id := range n.statsQueues(t) {
			dst = append(l.next(dst), javaQueue(t, id)...)
			dst = appendInt(dst, `:{"minOffset":`, t.min[id])
			dst = appendInt(dst, `,"maxOffset":`, t.max[id])
			dst = appendInt(dst, `,"lastUpdateTimestamp":`, t.lastStored(id))
			dst = append(dst, '}')
		}
	}
	if !l.begun {
		return dst, a.exception("MQClientException", "Not found the topic stats info")
	}
	return append(dst, "}}"...), nil
}

// answerTopicRoute answers /topic/route.query (TopicRouteData).
func answerTopicRoute(x *call, dst []byte) ([]byte, error) {
	topic, err := x.need("topic", "String")
	if err != nil {
		return dst, err
	}
	a := x.console.admin
	a.mq.mu.RLock()
	defer a.mq.mu.RUnlock()
	brokers, err := a.topicRoute(topic)
	if err != nil {
		return dst, err
	}
	dst = append(dst, `{"orderTopicConf":null,"queueDatas":[`...)
	var l list
	for _, b := range brokers {
		t := b.topics[topic]
		dst = append(l.next(dst), `{"brokerName":`...)
		dst = append(dst, b.quoted...)
		dst = appendInt(dst, `,"readQueueNums":`, int64(t.read))
		dst = appendInt(dst, `,"writeQueueNums":`, int64(t.write))
		dst = appendInt(dst, `,"perm":`, int64(t.perm))
		dst = append(dst, `,"topicSysFlag":0}`...)
	}
	dst = append(dst, `],"brokerDatas":[`...)
	l = list{}
	for _, b := range brokers {
		dst = appendConsoleBroker(l.next(dst), b, a.release)
	}
	dst = append(dst, `],"filterServerTable":{}`...)
	if a.release.two() {
		dst = append(dst, `,"topicQueueMappingByBroker":null`...)
	}
	return append(dst, '}'), nil
}
