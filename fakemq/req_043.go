package fakemq

import (
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerOffsets answers GET_ALL_CONSUMER_OFFSET (ConsumerOffsetManager.encode):
// every commit of the broker.
//
// A slave of 5.5.0 cannot read its master's answer to this request once there
// are pulled offsets, and so keeps an empty table; here too.
func answerOffsets(n *Node, _ *remoting.Command, a *answer) {
	seq, five := n.broker.offsetSeq, n.release.five()
	if five && n.id != remoting.MasterID {
		seq = nil
	}
	dst := append(a.body, '{')
	if five {
		dst = appendVersion(dst, "dataVersion", n.broker.offsetVersion, five)
		dst = appendGroupTopics(dst, seq)
	}
	dst = append(dst, `"offsetTable":{`...)
	var l list
	for _, o := range seq {
		dst = appendOffsets(l.next(dst), o.quoted, o.committed)
	}
	dst = append(dst, '}')
	if five {
		dst = append(dst, `,"pullOffsetTable":{`...)
		l = list{}
		for _, o := range seq {
			key := o.quoted
			if o.broadcast { // pulls of broadcasting groups stand under the plain key
				key = quote(offsetKey{topic: o.topic, group: o.group}.String())
			}
			dst = appendOffsets(l.next(dst), key, o.pulled)
		}
		dst = append(dst, '}')
	}
	a.body = append(dst, '}')
}

// appendOffsets writes one table; its keys are bare numbers.
func appendOffsets(dst []byte, key string, offsets []int64) []byte {
	dst = append(dst, key...)
	dst = append(dst, ":{"...)
	var l list
	for queue, offset := range offsets {
		if offset == never {
			continue
		}
		dst = strconv.AppendInt(l.next(dst), int64(queue), 10)
		dst = append(dst, ':')
		dst = strconv.AppendInt(dst, offset, 10)
	}
	return append(dst, '}')
}

// appendGroupTopics writes which topics each group has commits of.
func appendGroupTopics(dst []byte, seq []*offsets) []byte {
	var names []string
	topics := map[string][]string{}
	for _, o := range seq {
		if o.broadcast {
			continue
		}
		if topics[o.group] == nil {
			names = append(names, o.group)
		}
		topics[o.group] = append(topics[o.group], o.topic)
	}
	dst = append(dst, `"groupTopicMap":{`...)
	var l list
	for _, name := range names {
		dst = append(l.next(dst), quote(name)...)
		dst = append(dst, ':')
		dst = appendStrings(dst, topics[name])
	}
	return append(dst, "},"...)
}
