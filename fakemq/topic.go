package fakemq

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Bits of a topic's permission (PermName).
const (
	PermInherit = 1
	PermWrite   = 2
	PermRead    = 4
)

// Topic describes a topic to make.
type Topic struct {
	Name string
	// Queues is how many queues the topic has on each broker, for reading
	// and for writing. 0 is 4. ReadQueues and WriteQueues, where not 0, say
	// it apart.
	Queues, ReadQueues, WriteQueues int
	Perm                            int // 0 is read and write
	Order                           bool
	// Brokers that hold the topic. None is all brokers of all clusters.
	Brokers []string
	// Begin is the offset at which each queue begins: what came before has
	// been deleted by retention.
	Begin int64
}

// brokerTopic is one topic on one broker.
type brokerTopic struct {
	name, quoted string
	broker       *broker
	read, write  int32
	perm         int
	order        bool
	system       bool

	// One entry per queue that was ever there: shrinking a topic keeps its
	// queues' files.
	min, max []int64
	stored   []history
	produced int64 // since the boot
	putRate  meter
}

const maxQueues = 1 << 16 // per topic and broker

func newBrokerTopic(b *broker, name string, read, write, perm int) *brokerTopic {
	t := &brokerTopic{name: name, quoted: quote(name), broker: b, perm: perm}
	t.resize(read, write)
	return t
}

func (t *brokerTopic) resize(read, write int) {
	t.read, t.write = int32(read), int32(write)
	if n := max(read, write) - len(t.max); n > 0 {
		t.min = append(t.min, make([]int64, n)...)
		t.max = append(t.max, make([]int64, n)...)
		t.stored = append(t.stored, make([]history, n)...)
	}
}

// append stores n messages in a queue.
func (t *brokerTopic) append(queue int, n, now int64, marks int) {
	if n <= 0 {
		return
	}
	t.stored[queue].add(t.max[queue], now, marks)
	t.max[queue] += n
	t.putRate.add(now, n)
	t.produced += n
	t.broker.put += n
	t.broker.putRate.add(now, n)
	t.broker.bytes += n * messageBytes
}

// messageBytes is the size that every message is taken to have in the commit
// log.
const messageBytes = 256

// AddTopic makes a topic on the brokers it names. None of them may have it.
func (c *Cluster) AddTopic(t Topic) error {
	t.Queues = cmp.Or(t.Queues, 4)
	t.ReadQueues = cmp.Or(t.ReadQueues, t.Queues)
	t.WriteQueues = cmp.Or(t.WriteQueues, t.Queues)
	t.Perm = cmp.Or(t.Perm, PermRead|PermWrite)
	if err := checkTopic(t); err != nil {
		return fmt.Errorf("add topic: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	brokers, err := c.pick(t.Brokers)
	if err != nil {
		return fmt.Errorf("add topic %q: %w", t.Name, err)
	}
	for _, b := range brokers {
		if b.topics[t.Name] != nil {
			return fmt.Errorf("add topic %q: broker %q has it already", t.Name, b.name)
		}
	}
	for _, b := range brokers {
		bt := newBrokerTopic(b, t.Name, t.ReadQueues, t.WriteQueues, t.Perm)
		bt.order = t.Order
		for i := range bt.max {
			bt.min[i], bt.max[i] = t.Begin, t.Begin
		}
		b.addTopic(bt, b.now())
	}
	c.settleTopic(t.Name)
	return nil
}

func checkTopic(t Topic) error {
	if err := checkName("topic", t.Name); err != nil {
		return err
	}
	if err := checkQueues(1, t.ReadQueues, t.WriteQueues); err != nil {
		return fmt.Errorf("topic %q: %w", t.Name, err)
	}
	if t.Begin < 0 || t.Perm < 0 || t.Perm > 7 {
		return fmt.Errorf("topic %q: begin %d, perm %d: allowed are offsets from 0 and the bits 4, 2, 1", t.Name, t.Begin, t.Perm)
	}
	return nil
}

func checkQueues(least, read, write int) error {
	if min(read, write) < least || max(read, write) > maxQueues {
		return fmt.Errorf("%d read and %d write queues: allowed are %d to %d", read, write, least, maxQueues)
	}
	return nil
}

// DeleteTopic deletes a topic on every broker. As in RocketMQ, brokers of 5.x
// forget its commits and those of 4.x keep them.
func (c *Cluster) DeleteTopic(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ts := c.topicParts(name)
	if len(ts) == 0 {
		return fmt.Errorf("delete topic %q: there is none", name)
	}
	for _, t := range ts {
		t.broker.removeTopic(name, t.broker.now())
	}
	return nil
}

// ResizeTopic changes how many queues a topic has, on the brokers named or on
// all that have it. Brokers take 0 as well: a topic that is only read any more, or
// only written.
func (c *Cluster) ResizeTopic(name string, read, write int, brokers ...string) error {
	if err := checkQueues(0, read, write); err != nil {
		return fmt.Errorf("resize topic %q: %w", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ts := c.topicParts(name)
	if len(brokers) > 0 {
		ts = slices.DeleteFunc(ts, func(t *brokerTopic) bool { return !slices.Contains(brokers, t.broker.name) })
	}
	if len(ts) == 0 {
		return fmt.Errorf("resize topic %q: no broker has it", name)
	}
	for _, t := range ts {
		t.resize(read, write)
		t.broker.topicVersion.bump(t.broker.now())
		for _, o := range t.broker.offsetSeq {
			if o.on == t {
				o.fit()
			}
		}
	}
	c.settleTopic(name)
	return nil
}

// topicParts are a topic's parts on the brokers that have it, by broker name.
func (c *Cluster) topicParts(name string) []*brokerTopic {
	var ts []*brokerTopic
	for _, b := range c.brokers {
		if t := b.topics[name]; t != nil {
			ts = append(ts, t)
		}
	}
	return ts
}

// pick finds brokers by name, or all where there is no name.
func (c *Cluster) pick(names []string) ([]*broker, error) {
	if len(names) == 0 {
		return c.brokers, nil
	}
	var bs []*broker
	var bad []error
	for _, name := range names {
		if b := c.byName[name]; b != nil {
			bs = append(bs, b)
		} else {
			bad = append(bad, fmt.Errorf("no broker %q", name))
		}
	}
	return bs, errors.Join(bad...)
}

// The prefixes of topics that belong to a group (MixAll).
const (
	retryPrefix = "%RETRY%"
	dlqPrefix   = "%DLQ%"
)

func retryTopic(group string) string { return retryPrefix + group }

func isRetry(topic string) bool { return strings.HasPrefix(topic, retryPrefix) }
