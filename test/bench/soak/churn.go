package main

import (
	"errors"
	"fmt"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/bench/lab"
)

// churn is what comes and goes in a cluster. Whatever comes has a name that
// nothing had before, so that what is never forgotten shows.
type churn struct {
	size   lab.Size
	times  int
	topics []string // that came, the oldest first
	groups []string
}

// Of each step.
const (
	churnedProcesses = 25 // that end, and as many that start, each in a group of its own
	churnedGroups    = 3
	churnedTopics    = 3
	churnedStays     = 20 // steps until what came goes
)

// step lets something come, and what came some steps ago go.
func (c *churn) step(mq *fakemq.Cluster) error {
	c.times++
	errs := []error{c.processes(mq)}
	for i := range churnedTopics {
		name := fmt.Sprintf("passing-topic-%06d-%d", c.times, i)
		errs = append(errs, mq.AddTopic(fakemq.Topic{Name: name, Queues: c.size.Queues, Brokers: c.brokers(i)}), mq.Produce(name, 10_000))
		c.topics = append(c.topics, name)
	}
	for i := range churnedGroups {
		name := fmt.Sprintf("passing-group-%06d-%d", c.times, i)
		topic := c.topics[len(c.topics)-churnedTopics+i%churnedTopics]
		errs = append(errs, mq.AddGroup(fakemq.Group{Name: name, Topics: []string{topic}, Broadcasting: i == 0}))
		for range c.size.Processes {
			_, err := mq.AddConsumer(name, fakemq.Consumer{})
			errs = append(errs, err)
		}
		_, err := mq.Consume(name, topic, 100)
		errs = append(errs, err)
		c.groups = append(c.groups, name)
	}
	for len(c.groups) > churnedGroups*churnedStays {
		errs = append(errs, mq.DeleteGroup(c.groups[0], true))
		c.groups = c.groups[1:]
	}
	for len(c.topics) > churnedTopics*churnedStays {
		errs = append(errs, mq.DeleteTopic(c.topics[0]))
		c.topics = c.topics[1:]
	}
	return errors.Join(errs...)
}

// processes restarts processes of the groups that stay.
func (c *churn) processes(mq *fakemq.Cluster) error {
	var errs []error
	for i := range churnedProcesses {
		group := fakemq.FilledGroup((c.times*churnedProcesses + i) % c.size.Groups)
		ids := mq.ClientIDs(group)
		errs = append(errs, mq.KillConsumer(group, ids[c.times%len(ids)]))
		_, err := mq.AddConsumer(group, fakemq.Consumer{})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c *churn) brokers(i int) []string {
	var names []string
	for j := range c.size.Spread {
		names = append(names, lab.BrokerName((c.times*c.size.Spread+i+j)%c.size.Brokers))
	}
	return names
}
