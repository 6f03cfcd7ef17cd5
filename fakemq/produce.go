package fakemq

import "fmt"

// Produce stores n messages of a topic now, dealt out over the write queues of
// all brokers that can be written, as producers do in turn.
func (c *Cluster) Produce(topic string, n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.produce(topic, n); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	return nil
}

func (c *Cluster) produce(topic string, n int64) error {
	if n < 0 {
		return fmt.Errorf("topic %q: %d messages", topic, n)
	}
	parts := c.topicParts(topic)
	if len(parts) == 0 {
		return fmt.Errorf("topic %q: no broker has it", topic)
	}
	type queue struct {
		t  *brokerTopic
		id int
	}
	var queues []queue
	var produced int64
	for _, t := range parts {
		if t.perm&PermWrite == 0 || !t.broker.writable() {
			continue
		}
		for id := range int(t.write) {
			queues = append(queues, queue{t, id})
			produced += t.max[id]
		}
	}
	if len(queues) == 0 {
		return fmt.Errorf("topic %q: no broker that has it can be written", topic)
	}
	// What was produced so far says whose turn it is: no cursor to keep.
	each, rest, turn := n/int64(len(queues)), n%int64(len(queues)), produced%int64(len(queues))
	for i, q := range queues {
		share := each
		if (int64(i)-turn+int64(len(queues)))%int64(len(queues)) < rest {
			share++
		}
		q.t.append(q.id, share, q.t.broker.now(), c.opts.Marks)
	}
	return nil
}

// ProduceTo stores n messages in one queue now, whatever the state of the
// broker.
func (c *Cluster) ProduceTo(topic, broker string, queue int, n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.queue(topic, broker, queue)
	if err != nil || n < 0 {
		return fmt.Errorf("produce %d messages: %w", n, orNegative(err))
	}
	t.append(queue, n, t.broker.now(), c.opts.Marks)
	return nil
}

// Expire deletes what a queue holds before the offset first, as retention does.
func (c *Cluster) Expire(topic, broker string, queue int, first int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.queue(topic, broker, queue)
	if err != nil {
		return fmt.Errorf("expire: %w", err)
	}
	if first < t.min[queue] || first > t.max[queue] {
		return fmt.Errorf("expire: topic %q on %q, queue %d: offset %d: allowed are %d to %d", topic, broker, queue, first, t.min[queue], t.max[queue])
	}
	t.min[queue] = first
	t.stored[queue].expire(first)
	return nil
}

// DeadLetter gives up n messages of a group: they go to its dead-letter topic,
// which the broker makes with the first of them (SendMessageProcessor).
func (c *Cluster) DeadLetter(group, broker string, n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.byName[broker]
	if b == nil || c.groups[group] == nil || n < 0 {
		return fmt.Errorf("%d dead letters of group %q on broker %q: no such group or broker, or less than none", n, group, broker)
	}
	name := dlqPrefix + group
	t := b.topics[name]
	if t == nil {
		t = newBrokerTopic(b, name, 1, 1, PermRead|PermWrite)
		b.addTopic(t, b.now())
	}
	t.append(0, n, b.now(), c.opts.Marks)
	return nil
}

// queue finds one queue.
func (c *Cluster) queue(topic, broker string, queue int) (*brokerTopic, error) {
	b := c.byName[broker]
	if b == nil {
		return nil, fmt.Errorf("no broker %q", broker)
	}
	t := b.topics[topic]
	if t == nil {
		return nil, fmt.Errorf("broker %q has no topic %q", broker, topic)
	}
	if queue < 0 || queue >= len(t.max) {
		return nil, fmt.Errorf("topic %q on %q: queue %d: there are 0 to %d", topic, broker, queue, len(t.max)-1)
	}
	return t, nil
}

func orNegative(err error) error {
	if err != nil {
		return err
	}
	return errNegative
}
