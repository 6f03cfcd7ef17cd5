package fakemq

import (
	"slices"
	"strings"
)

// answerTopicNames answers /topic/list.query (TopicList): all topics, those of
// the system with a prefix. Only the protected names of one broker count as
// such.
func answerTopicNames(x *call, dst []byte) ([]byte, error) {
	c, a := x.console.mq, x.console.admin
	c.mu.RLock()
	defer c.mu.RUnlock()
	ns, err := a.nameServer()
	if err != nil {
		return dst, err
	}
	system, err := a.systemTopics()
	if err != nil {
		return dst, err
	}
	skipSystem, skipGroups := x.flag("skipSysProcess"), x.flag("skipRetryAndDlq")
	names := make([]string, 0, 64)
	for _, name := range ns.topicNames(func(*broker) bool { return true }) {
		switch {
		case skipGroups && (isRetry(name) || strings.HasPrefix(name, dlqPrefix)):
			continue
		case !skipSystem && system[name]:
			name = sysPrefix + name
		}
		names = append(names, name)
	}
	dst = append(dst, `{"topicList":`...)
	dst = appendStrings(dst, names)
	return append(dst, `,"brokerAddr":null}`...), nil
}

// sysPrefix is what the console puts before what belongs to the system.
const sysPrefix = "%SYS%"

// flag is an optional boolean parameter.
func (x *call) flag(name string) bool { return x.query.Get(name) == "true" }

// systemTopics are the names of clusters and brokers, and what some broker
// lists besides (MQClientAPIImpl.getSystemTopicList).
func (a admin) systemTopics() (map[string]bool, error) {
	names, some := a.mq.systemNames()
	if some != nil {
		n, err := some.reach()
		if err != nil {
			return nil, err
		}
		names = slices.Concat(names, n.broker.system)
	}
	system := make(map[string]bool, len(names))
	for _, name := range names {
		system[name] = true
	}
	return system, nil
}

// answerConsumersOfTopic answers /topic/queryConsumerByTopic.query: a map of
// group to TopicConsumerInfo. A group whose numbers cannot be had is there with
// no queue.
func answerConsumersOfTopic(x *call, dst []byte) ([]byte, error) {
	topic, err := x.need("topic", "String")
	if err != nil {
		return dst, err
	}
	c, a := x.console.mq, x.console.admin
	c.mu.RLock()
	groups, err := a.consumers(topic)
	c.mu.RUnlock()
	if err != nil {
		return dst, err
	}
	if err := x.await(groups...); err != nil {
		return dst, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	dst = append(dst, '{')
	var l list
	for _, group := range groups {
		dst = append(l.next(dst), quote(group)...)
		dst = append(dst, ':')
		stats, _, err := a.consumeStats(group, topic)
		if err != nil {
			dst = appendProgress(dst, topic, nil, nil)
			continue
		}
		dst = appendProgress(dst, topic, stats, a.holders(group))
	}
	return append(dst, '}'), nil
}

// answerTopicsOfConsumer answers /consumer/queryTopicByConsumer.query: a list
// of TopicConsumerInfo. 2.x asks the brokers that it is told, and lists a topic
// once for each of them.
func answerTopicsOfConsumer(x *call, dst []byte) ([]byte, error) {
	group, err := x.need("consumerGroup", "String")
	if err != nil {
		return dst, err
	}
	c, a := x.console.mq, x.console.admin
	var addresses []string
	if a.release.two() {
		group = strings.TrimPrefix(group, sysPrefix)
		if addresses, err = x.addresses(); err != nil {
			return dst, err
		}
	}
	if err := x.await(slices.Repeat([]string{group}, max(1, len(addresses)))...); err != nil {
		return dst, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	var l list
	dst = append(dst, '[')
	if !a.release.two() {
		stats, _, err := a.consumeStats(group, "")
		if err != nil {
			return dst, err
		}
		return append(appendTopics(dst, &l, stats, a.holders(group)), ']'), nil
	}
	for _, addr := range addresses {
		n, err := a.at(addr)
		if err != nil {
			return dst, err
		}
		stats, _ := n.groupStats(group, "")
		sortStats(stats)
		dst = appendTopics(dst, &l, stats, a.holders(group))
	}
	return append(dst, ']'), nil
}

// addresses are those that 2.x must be told; without them it fails at taking
// them apart.
func (x *call) addresses() ([]string, error) {
	if !x.query.Has("address") {
		return nil, javaError(`Cannot invoke "String.split(String)" because "address" is null`)
	}
	return strings.Split(x.query.Get("address"), ","), nil
}

// appendTopics writes a TopicConsumerInfo for each topic of sorted stats.
func appendTopics(dst []byte, l *list, stats []queueStat, h *holders) []byte {
	for len(stats) > 0 {
		topic, n := stats[0].on.name, 1
		for n < len(stats) && stats[n].on.name == topic {
			n++
		}
		dst = appendProgress(l.next(dst), topic, stats[:n], h)
		stats = stats[n:]
	}
	return dst
}

// appendProgress writes a TopicConsumerInfo with its QueueStatInfo entries.
func appendProgress(dst []byte, topic string, stats []queueStat, h *holders) []byte {
	var diff, last int64
	for i := range stats {
		diff += stats[i].end - stats[i].committed
		last = max(last, stats[i].last)
	}
	dst = append(dst, `{"topic":`...)
	dst = append(dst, quote(topic)...)
	dst = appendInt(dst, `,"diffTotal":`, diff)
	dst = appendInt(dst, `,"lastTimestamp":`, last)
	dst = append(dst, `,"queueStatInfoList":[`...)
	var l list
	for i := range stats {
		s := &stats[i]
		dst = append(l.next(dst), `{"brokerName":`...)
		dst = append(dst, s.on.broker.quoted...)
		dst = appendInt(dst, `,"queueId":`, int64(s.queue))
		dst = appendInt(dst, `,"brokerOffset":`, s.end)
		dst = appendInt(dst, `,"consumerOffset":`, s.committed)
		dst = append(dst, `,"clientInfo":`...)
		dst = appendTextOrNull(dst, h.of(s.on, s.queue))
		dst = appendInt(dst, `,"lastTimestamp":`, s.last)
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

func appendTextOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return append(dst, quote(s)...)
}
