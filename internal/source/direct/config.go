package direct

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// configs is what a broker process has told of its topics and groups, as far
// as they are wanted. A body that is the same as in the last round, which is
// the usual case, is not decoded again.
type configs struct {
	seed                 maphash.Seed
	topics               map[string]*topic
	sorted               []*topic // by name
	groups               map[string]string
	topicsSum, groupsSum uint64
}

// topic is one topic of one broker, as its settings say.
type topic struct {
	name   string
	queues int // those that consumers read: ids 0 to queues-1

	// Of the round: the topic's place in the part, under construction or
	// sealed, and what became of the request for its ends.
	slot  int
	state topicState
	// undecided: where some queue of it begins decides whether a missing
	// commit counts.
	undecided bool
	behind    bool // some group has something to consume

	topicMemory
}

// notInPart is the slot of a topic that is in no part.
const notInPart = -1

type topicState uint8

const (
	unused  topicState = iota
	wanted             // in the part, ends not there yet
	read               // ends are in the part
	gone               // the broker does not know it any more
	missing            // could not be read
)

// maxQueues bounds the queues of one topic on one broker that are believed.
const maxQueues = 1 << 16

// forgetSums has the next answers decoded, even if they are the same.
func (k *configs) forgetSums() { k.seed = maphash.MakeSeed() }

// setTopics takes the answer to GET_ALL_TOPIC_CONFIG. odd counts topics whose
// number of queues is beyond belief.
func (k *configs) setTopics(body []byte, c *cluster, names *interner) (odd int, err error) {
	sum := maphash.Bytes(k.seed, body)
	if k.topics != nil && sum == k.topicsSum {
		return 0, nil
	}
	topics := make(map[string]*topic, len(k.topics))
	err = remoting.DecodeTopicConfigs(body, func(t remoting.TopicConfig) {
		switch {
		case t.ReadQueues < 0 || t.ReadQueues > maxQueues:
			odd++
		case t.ReadQueues > 0:
			if name := names.text(t.Name); c.wanted.Topic(name) {
				topics[name] = &topic{name: name, queues: int(t.ReadQueues)}
			}
		}
	})
	if err == nil {
		k.replaceTopics(topics)
		k.topicsSum = sum
	}
	return odd, err
}

// replaceTopics takes the topics that there are now. What is remembered of one
// stays while it is among them.
func (k *configs) replaceTopics(topics map[string]*topic) {
	k.sorted = make([]*topic, 0, len(topics))
	for name, t := range topics {
		if before := k.topics[name]; before != nil {
			t.topicMemory = before.topicMemory
		}
		k.sorted = append(k.sorted, t)
	}
	slices.SortFunc(k.sorted, func(a, b *topic) int { return strings.Compare(a.name, b.name) })
	k.topics = topics
}

// setGroups takes the answer to GET_ALL_SUBSCRIPTIONGROUP_CONFIG.
func (k *configs) setGroups(body []byte, c *cluster, names *interner) error {
	sum := maphash.Bytes(k.seed, body)
	if k.groups != nil && sum == k.groupsSum {
		return nil
	}
	groups := make(map[string]string, len(k.groups))
	err := remoting.DecodeGroups(body, func(b []byte) {
		if name := names.text(b); c.wanted.Group(name) {
			groups[name] = name
		}
	})
	if err == nil {
		k.groups, k.groupsSum = groups, sum
	}
	return err
}
