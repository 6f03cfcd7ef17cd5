package fakemq

import (
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerConsumeStats answers GET_CONSUME_STATS (ConsumeStats) for the topics
// that the request lists (5.3.2 and later), else for the one that it names,
// else for all that the group has commits of. Unless it listed them, topics
// that an online group does not subscribe are left out. Groups and topics that
// do not exist are no error.
func answerConsumeStats(n *Node, req *remoting.Command, a *answer) {
	name, ok := need(req, a, "consumerGroup")
	if !ok {
		return
	}
	var rate float64
	var l list
	dst := a.begin(`{"consumeTps":`)
	rateAt := len(dst)
	dst = append(dst, `,"offsetTable":{`...)
	for _, t := range n.consumeStatsTopics(req, name) {
		o := n.commits(t, name)
		dst = appendConsumeStats(dst, &l, n, t, o)
		if o != nil {
			rate += o.gotRate.perSecond(n.broker.now())
		}
	}
	dst = append(dst, "}}"...)
	a.body = slices.Insert(dst, rateAt, appendDouble(nil, "", rate)...)
}

// commits finds the table of a group's commits on a topic; of a broadcasting
// group, what is known of its pulls. Slaves of 5.5.0 have none (see
// answerOffsets).
func (n *Node) commits(t *brokerTopic, group string) *offsets {
	if n.lacksCommits() {
		return nil
	}
	if o := n.broker.offsets[offsetKey{topic: t.name, group: group}]; o != nil {
		return o
	}
	return n.broker.offsets[offsetKey{topic: t.name, group: group, broadcast: true}]
}

func (n *Node) consumeStatsTopics(req *remoting.Command, group string) []*brokerTopic {
	if listed, _ := req.Field("topicList"); listed != "" && n.release.since(version532) {
		return n.topicsNamed(strings.Split(listed, ";"))
	}
	named, _ := req.Field("topic")
	return n.statsTopics(named, group)
}

// statsTopics are the topics that the stats of a group tell of: the one named,
// or all that it has commits of.
func (n *Node) statsTopics(named, group string) []*brokerTopic {
	var topics []*brokerTopic
	if strings.TrimSpace(named) != "" {
		topics = n.topicsNamed([]string{named})
	} else {
		topics = n.topicsCommitted(group)
	}
	g := n.mq.groups[group]
	if g == nil || !g.onlineAt(n.broker) {
		return topics
	}
	return slices.DeleteFunc(topics, func(t *brokerTopic) bool { return !g.subscribes(t.name) })
}

func (n *Node) topicsNamed(names []string) []*brokerTopic {
	topics := make([]*brokerTopic, 0, len(names))
	for _, name := range names {
		if t := n.broker.topics[name]; t != nil {
			topics = append(topics, t)
		}
	}
	return topics
}

// topicsCommitted are the topics that a group has commits of
// (ConsumerOffsetManager.whichTopicByConsumer).
func (n *Node) topicsCommitted(group string) []*brokerTopic {
	own := n.broker.committed.of[group]
	if own == nil || n.lacksCommits() {
		return nil
	}
	topics := make([]*brokerTopic, 0, len(own.tables))
	for _, o := range own.tables {
		if o.on != nil {
			topics = append(topics, o.on)
		}
	}
	return topics
}

// appendConsumeStats writes one entry per readable queue (OffsetWrapper). A
// queue that was never committed reads as 0.
func appendConsumeStats(dst []byte, l *list, n *Node, t *brokerTopic, o *offsets) []byte {
	for id := range int(t.read) {
		committed, pulled, last := t.progress(o, id)
		dst = appendQueueKey(l.next(dst), t, id)
		dst = appendInt(dst, `{"brokerOffset":`, t.max[id])
		dst = appendInt(dst, `,"consumerOffset":`, committed)
		dst = appendInt(dst, `,"lastTimestamp":`, last)
		if n.release.five() {
			dst = appendInt(dst, `,"pullOffset":`, max(committed, pulled))
		}
		dst = append(dst, '}')
	}
	return dst
}

// progress is how far a group's table of commits, nil where there is none, is
// in a queue, and when the last message before the commit was stored.
func (t *brokerTopic) progress(o *offsets, id int) (committed, pulled, last int64) {
	if o != nil {
		pulled = o.lastPulled()[id]
		if !o.broadcast {
			committed = max(o.committed[id], 0)
		}
	}
	if committed > 0 {
		last = max(t.storedAt(id, committed-1), 0)
	}
	return committed, pulled, last
}
