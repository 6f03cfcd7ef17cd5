package direct

import (
	"hash/maphash"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// configs is what a broker process has told of its topics and groups, as far
// as they are wanted. A body that is the same as in the last round, which is
// the usual case, is not decoded again.
type configs struct {
	seed                 maphash.Seed // the source's
	topics               topicList
	groups               *groupSet // nil: none were told yet
	topicsSum, groupsSum uint64    // of the bodies; 0: to be decoded in any case
}

// maxQueues bounds the queues of one topic on one broker that are believed.
const maxQueues = 1<<16 - 1

// forgetSums has the next answers decoded, even if they are the same.
func (k *configs) forgetSums() { k.topicsSum, k.groupsSum = 0, 0 }

// setTopics takes the answer to GET_ALL_TOPIC_CONFIG. odd counts topics whose
// number of queues is beyond belief, by itself or with those of the others.
func (k *configs) setTopics(body []byte, c *cluster, names *interner) (odd int, err error) {
	sum := maphash.Bytes(k.seed, body)
	if sum == k.topicsSum {
		return 0, nil
	}
	topics, queues := make([]topic, 0, len(k.topics.list)+1), 0
	err = remoting.DecodeTopicConfigs(body, func(t remoting.TopicConfig) {
		switch {
		case t.ReadQueues < 0 || t.ReadQueues > maxQueues || queues+int(t.ReadQueues) > maxRows:
			odd++
		case t.ReadQueues > 0:
			queues += int(t.ReadQueues)
			if name := names.text(t.Name); c.wanted.Topic(name) {
				topics = append(topics, topic{
					name: name, queues: uint16(t.ReadQueues), apart: c.wanted.Idle(name), slot: notInPart, topicMemory: topicMemory{placed: notInPart},
				})
			}
		}
	})
	if err == nil {
		k.topics = k.topics.replacedBy(topics, k.seed)
		k.topicsSum = sum
	}
	return odd, err
}

// topic is the topic of a name; nil: there is none, or it is not wanted.
func (k *configs) topic(name []byte) *topic {
	return k.topics.find(uint32(maphash.Bytes(k.seed, name)), name)
}

// topicNamed is topic.
func (k *configs) topicNamed(name string) *topic {
	return k.topics.find(uint32(maphash.String(k.seed, name)), []byte(name))
}

// setGroups takes the answer to GET_ALL_SUBSCRIPTIONGROUP_CONFIG.
func (k *configs) setGroups(body []byte, c *cluster, names *interner) error {
	sum := maphash.Bytes(k.seed, body)
	if k.groups != nil && sum == k.groupsSum {
		return nil
	}
	list := make([]string, 0, k.groups.len()+1)
	err := remoting.DecodeGroups(body, func(b []byte) {
		if name := names.text(b); c.wanted.Group(name) {
			list = append(list, name)
		}
	})
	if err == nil {
		k.groups, k.groupsSum = c.groupSet(list), sum
	}
	return err
}
