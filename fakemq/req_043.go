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
	b, five := n.broker, n.release.five()
	seq, groups := b.offsetSeq, b.committed.order
	if n.lacksCommits() {
		seq, groups = nil, nil
	}
	dst := a.begin("{")
	if five {
		dst = appendVersion(dst, "dataVersion", b.offsetVersion, five)
		dst = appendGroupTopics(dst, groups)
	}
	dst = append(dst, `"offsetTable":{`...)
	var l list
	for _, o := range seq {
		dst = appendOffsets(l.next(dst), o.quoted, o.committed)
	}
	dst = append(dst, '}')
	if n.release.since(version550) {
		// Pulls of broadcasting groups stand under the plain key.
		dst = append(dst, `,"pullOffsetTable":{`...)
		l = list{}
		for _, o := range seq {
			dst = appendOffsets(l.next(dst), o.plain, o.lastPulled())
		}
		dst = append(dst, '}')
	}
	a.end(dst, "}")
}

// lacksCommits says whether the node is a slave of 5.5.0.
func (n *Node) lacksCommits() bool { return n.release.since(version550) && n.id != remoting.MasterID }

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
func appendGroupTopics(dst []byte, groups []*groupOffsets) []byte {
	dst = append(dst, `"groupTopicMap":{`...)
	var l list
	for _, g := range groups {
		dst = append(l.next(dst), g.quoted...)
		dst = append(dst, ":["...)
		var topics list
		for _, o := range g.tables {
			dst = append(topics.next(dst), o.quotedTopic...)
		}
		dst = append(dst, ']')
	}
	return append(dst, "},"...)
}
