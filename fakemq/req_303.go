package fakemq

import (
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerTimeSpan answers QUERY_CONSUME_TIME_SPAN (QueryConsumeTimeSpanBody). As
// in RocketMQ a store time that is not known counts as -1, which makes a delay
// of all the time since 1970.
func answerTimeSpan(n *Node, req *remoting.Command, a *answer) {
	t := n.topicOrRefuse(req, a)
	if t == nil {
		return
	}
	group, ok := need(req, a, "group")
	if !ok {
		return
	}
	o := n.commits(t, group)
	dst := a.begin(`{"consumeTimeSpanSet":[`)
	var l list
	for id := range int(t.write) {
		committed := int64(never)
		if o != nil && !o.broadcast {
			committed = o.committed[id]
		}
		dst = appendTimeSpan(l.next(dst), t, id, committed, n.broker.now())
	}
	a.end(dst, "]}")
}

func appendTimeSpan(dst []byte, t *brokerTopic, id int, committed, now int64) []byte {
	first, last := t.storedAt(id, t.min[id]), t.storedAt(id, t.max[id]-1)
	consumed := first
	if committed > 0 {
		consumed = t.storedAt(id, committed-1)
	}
	var delayed int64
	if committed < t.max[id] {
		delayed = now - t.storedAt(id, committed)
	}
	dst = appendInstant(append(dst, '{'), "consumeTimeStamp", consumed)
	dst = appendInt(dst, `,"delayTime":`, delayed)
	dst = appendInstant(append(dst, ','), "maxTimeStamp", last)
	dst = append(dst, `,"messageQueue":`...)
	dst = appendQueue(dst, t, id)
	dst = appendInstant(append(dst, ','), "minTimeStamp", first)
	return append(dst, '}')
}

// appendInstant writes a time twice: in ms since 1970 and as
// UtilAll.timeMillisToHumanString2 has it, in local time.
func appendInstant(dst []byte, key string, at int64) []byte {
	dst = append(dst, '"')
	dst = append(dst, key...)
	dst = appendInt(dst, `":`, at)
	dst = append(dst, `,"`...)
	dst = append(dst, key...)
	dst = append(dst, `Str":"`...)
	text := time.UnixMilli(at).Format("2006-01-02#15:04:05.000")
	dst = append(dst, strings.Replace(text, ".", ":", 1)...)
	return append(dst, '"')
}
