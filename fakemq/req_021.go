package fakemq

import (
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerTopicConfigs answers GET_ALL_TOPIC_CONFIG (TopicConfigSerializeWrapper;
// from 5.x on TopicConfigAndMappingSerializeWrapper).
func answerTopicConfigs(n *Node, _ *remoting.Command, a *answer) {
	b, five := n.broker, n.release.five()
	dst := a.begin("{")
	dst = appendVersion(dst, "dataVersion", b.topicVersion, five)
	if n.release.since(version540) {
		a.fields = []remoting.Field{{Key: "totalTopicNum", Value: strconv.Itoa(len(b.topicSeq))}}
	}
	if five {
		dst = appendVersion(dst, "mappingDataVersion", dataVersion{at: b.boot}, five)
	}
	dst = append(dst, `"topicConfigTable":{`...)
	var l list
	for _, t := range b.topicSeq {
		dst = append(l.next(dst), t.quoted...)
		dst = appendTopicConfig(append(dst, ':'), t, five)
	}
	dst = append(dst, '}')
	if five {
		dst = append(dst, `,"topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}`...)
	}
	a.end(dst, "}")
}

func appendTopicConfig(dst []byte, t *brokerTopic, five bool) []byte {
	dst = append(dst, '{')
	if five {
		dst = append(dst, `"attributes":{},`...)
	}
	dst = append(dst, `"order":`...)
	dst = strconv.AppendBool(dst, t.order)
	dst = appendInt(dst, `,"perm":`, int64(t.perm))
	dst = appendInt(dst, `,"readQueueNums":`, int64(t.read))
	dst = append(dst, `,"topicFilterType":"SINGLE_TAG","topicName":`...)
	dst = append(dst, t.quoted...)
	dst = appendInt(dst, `,"topicSysFlag":0,"writeQueueNums":`, int64(t.write))
	return append(dst, '}')
}

// answerTopicConfig answers GET_TOPIC_CONFIG (TopicConfigAndQueueMapping,
// without a mapping: there are no static topics).
func answerTopicConfig(n *Node, req *remoting.Command, a *answer) {
	name, ok := need(req, a, "topic")
	if !ok {
		return
	}
	t := n.broker.topics[name]
	if t == nil {
		a.refuse(remoting.TopicNotExist, "No topic in this broker. topic: "+name)
		return
	}
	a.body = appendTopicConfig(a.body, t, true)
}
