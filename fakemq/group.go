package fakemq

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Group describes a consumer group to make.
type Group struct {
	Name string
	// Broadcasting groups give every message to each of their processes;
	// others, the clustering ones, to one of them.
	Broadcasting bool
	// Topics that the group's processes subscribe. A clustering group
	// subscribes its own retry topic besides.
	Topics []string
	// Pull groups ask for messages themselves (CONSUME_ACTIVELY); others are
	// called (CONSUME_PASSIVELY).
	Pull bool
	// Orderly groups consume each queue in order.
	Orderly bool
	// FromLast groups begin at a queue's end, others at its beginning.
	FromLast bool
	// Brokers that know the group. None is those that have one of Topics.
	Brokers []string
}

// group is the truth of one consumer group.
type group struct {
	Group
	name      string
	topics    []string          // subscribed, the retry topic among them, sorted
	subbedAt  int64             // ms since 1970
	processes []*process        // online, in the order of their coming
	sorted    []*process        // the same by client id, as allocation sees them
	dropped   map[queueRef]bool // queues given up until the next rebalance
	brokers   map[*broker]bool  // where the group is known
	pop       map[string]bool   // topics that it consumes by POP
}

// queueRef names one queue.
type queueRef struct {
	topic *brokerTopic
	queue int
}

func (g *group) broadcasting() bool { return g.Broadcasting }

func (g *group) model() string {
	if g.Broadcasting {
		return remoting.Broadcasting
	}
	return remoting.Clustering
}

func (g *group) subscribes(topic string) bool {
	_, ok := slices.BinarySearch(g.topics, topic)
	return ok
}

// onlineAt says whether a broker sees processes of the group: they send
// heartbeats to the brokers that have one of their topics.
func (g *group) onlineAt(b *broker) bool {
	return len(g.processes) > 0 && slices.ContainsFunc(g.topics, func(t string) bool { return b.topics[t] != nil })
}

// AddGroup makes a consumer group without processes. Its retry topic is made
// with it, as a broker does when it hears of a group for the first time.
func (c *Cluster) AddGroup(in Group) error {
	if err := checkName("group", in.Name); err != nil {
		return fmt.Errorf("add group: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.groups[in.Name] != nil {
		return fmt.Errorf("add group %q: there is one", in.Name)
	}
	brokers, err := c.groupBrokers(in)
	if err != nil {
		return fmt.Errorf("add group %q: %w", in.Name, err)
	}
	g := &group{Group: in, name: in.Name, brokers: map[*broker]bool{}}
	g.subscribe(in.Topics, c.now())
	for _, b := range brokers {
		c.introduce(g, b)
	}
	c.groups[in.Name] = g
	c.groupSeq = append(c.groupSeq, g)
	return nil
}

func (c *Cluster) groupBrokers(in Group) ([]*broker, error) {
	for _, t := range in.Topics {
		if err := checkName("topic", t); err != nil {
			return nil, err
		}
	}
	if len(in.Brokers) > 0 || len(in.Topics) == 0 {
		return c.pick(in.Brokers)
	}
	var bs []*broker
	for _, b := range c.brokers {
		if slices.ContainsFunc(in.Topics, func(t string) bool { return b.topics[t] != nil }) {
			bs = append(bs, b)
		}
	}
	if len(bs) == 0 {
		return nil, fmt.Errorf("no broker has one of its topics %s", strings.Join(in.Topics, ", "))
	}
	return bs, nil
}

// introduce makes a group known at a broker.
func (c *Cluster) introduce(g *group, b *broker) {
	g.brokers[b] = true
	b.addGroup(g.name, b.now())
	if name := retryTopic(g.name); b.topics[name] == nil {
		b.addTopic(newBrokerTopic(b, name, 1, 1, PermRead|PermWrite), b.now())
	}
	c.settle(g)
}

func (g *group) subscribe(topics []string, now int64) {
	g.topics = slices.Clone(topics)
	if !g.broadcasting() {
		g.topics = append(g.topics, retryTopic(g.name))
	}
	slices.Sort(g.topics)
	g.topics = slices.Compact(g.topics)
	g.subbedAt = now
	g.dropped = nil
}

// Subscribe changes what a group's processes subscribe. Commits of topics that
// they left stay on the brokers.
func (c *Cluster) Subscribe(group string, topics ...string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[group]
	if g == nil {
		return fmt.Errorf("subscribe: no group %q", group)
	}
	in := g.Group
	in.Topics, in.Brokers = topics, nil
	brokers, err := c.groupBrokers(in)
	if err != nil {
		return fmt.Errorf("subscribe: group %q: %w", group, err)
	}
	g.Topics = slices.Clone(topics)
	g.subscribe(topics, c.now())
	for _, b := range brokers {
		c.introduce(g, b)
	}
	return nil
}

// DeleteGroup deletes a group with its processes. Its commits stay on the
// brokers unless cleanOffsets (the -r of mqadmin deleteSubGroup).
func (c *Cluster) DeleteGroup(name string, cleanOffsets bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[name]
	if g == nil {
		return fmt.Errorf("delete group %q: there is none", name)
	}
	delete(c.groups, name)
	c.groupSeq = slices.DeleteFunc(c.groupSeq, func(other *group) bool { return other == g })
	for _, b := range c.brokers {
		b.removeGroup(name, b.now())
		if cleanOffsets {
			b.removeOffsets(func(o *offsets) bool { return o.group == name })
		}
	}
	return nil
}
