package fakemq

import (
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerGroups answers GET_ALL_SUBSCRIPTIONGROUP_CONFIG
// (SubscriptionGroupManager.encode).
func answerGroups(n *Node, _ *remoting.Command, a *answer) {
	b, five := n.broker, n.release.five()
	dst := a.begin("{")
	dst = appendVersion(dst, "dataVersion", b.groupVersion, five)
	if n.release.since(version540) {
		a.fields = []remoting.Field{{Key: "totalGroupNum", Value: strconv.Itoa(len(b.groupSeq))}}
	}
	if five {
		dst = append(dst, `"forbiddenTable":{},`...)
	}
	dst = append(dst, `"subscriptionGroupTable":{`...)
	var l list
	for _, name := range b.groupSeq {
		dst = appendGroup(l.next(dst), name, five)
	}
	a.end(dst, "}}")
}

// appendGroup writes one SubscriptionGroupConfig. Consuming in order is a matter
// of a group's processes: consumeMessageOrderly is for those that pop.
func appendGroup(dst []byte, name string, five bool) []byte {
	dst = remoting.AppendJSONString(dst, name)
	dst = append(dst, ":{"...)
	if five {
		dst = append(dst, `"attributes":{},`...)
	}
	dst = append(dst, `"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable":true,`...)
	if five {
		dst = append(dst, `"consumeMessageOrderly":false,"consumeTimeoutMinute":15,`...)
	}
	dst = append(dst, `"groupName":`...)
	dst = remoting.AppendJSONString(dst, name)
	if five {
		dst = append(dst, `,"groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":0`...)
	}
	return append(dst, `,"notifyConsumerIdsChangedEnable":true,"retryMaxTimes":16,"retryQueueNums":1,"whichBrokerWhenConsumeSlowly":1}`...)
}
