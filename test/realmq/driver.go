package realmq

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Queue is one queue of a topic on one broker.
type Queue struct {
	Topic, Broker string
	ID            int
}

// Topic describes a topic on some brokers.
type Topic struct {
	Name        string
	Queues      int      // for reading, and for writing unless WriteQueues is set; by default 4
	WriteQueues int      // by default Queues
	Perm        int      // 4 read, 2 write; by default both
	Brokers     []string // by default all masters
}

// Group describes a consumer group. Consumers create theirs by themselves.
type Group struct {
	Name          string
	RetryQueues   int // of its retry topic, by default 1
	RetryMaxTimes int // by default 16, after which a message goes to the dead letters

	// RetryTopic also creates the group's retry topic, as its first consumer
	// does. mqadmin and ConsumeStats find the brokers of a group by it.
	RetryTopic bool
}

// Messages describe what Produce sends.
type Messages struct {
	Topic      string
	Count      int
	Broker     string // by default all brokers of the topic
	QueueID    *int   // by default all writable queues, evenly
	BodySize   int    // bytes, by default 16
	Tag        string
	DelayLevel int // 1 (1 s) to 18 (2 h) of messageDelayLevel; 0 for none
}

// QueueOffsets are the ends of a queue.
type QueueOffsets struct {
	Queue
	Min, Max  int64     // the first offset that is there, and the one after the last
	LastStore time.Time // of the newest message; zero for an empty queue
}

// GroupOffset is how far a group has come in a queue, per GET_CONSUME_STATS.
type GroupOffset struct {
	Queue
	BrokerOffset   int64
	ConsumerOffset int64     // 0 also where nothing was committed
	LastConsumed   time.Time // when the newest consumed message was stored; zero if unknown
}

// TimeSpan is how long messages of a queue have lain there, for a group
// (QUERY_CONSUME_TIME_SPAN).
type TimeSpan struct {
	Queue
	Oldest, Newest time.Time // messages that are kept; zero for an empty queue
	LastConsumed   time.Time // zero if unknown
	// Delay is the age of the first message not consumed, 0 if there is none.
	// Where its store time is not known brokers tell all the time since 1970.
	Delay time.Duration
}

// Client is a connected consumer.
type Client struct {
	ID       string
	Addr     string // its side of the connection to the broker
	Language string // JAVA, GO and so on
	Version  int    // of the client, the ordinal of MQVersion.Version
}

// Assignment is a queue that a consumer holds.
type Assignment struct {
	Queue
	CommitOffset int64
}

// startDriver starts the process that serves the methods below: booting a JVM
// for each of them would take a second a time.
func (c *Cluster) startDriver(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTimeout, fmt.Errorf("no boot within %s", bootTimeout))
	defer cancel()
	home := filepath.Dir(c.driverLogPath())
	if err := writeHome(home, nil); err != nil {
		return err
	}
	java := c.clientCommand(home, "Driver", 256)
	java.args = []string{c.NameServer()}
	if c.options.Credentials != nil {
		java.args = append(java.args, c.options.Credentials.AccessKey, c.options.Credentials.SecretKey)
	}
	driver, _, err := startPeer(ctx, "driver", java.command(), c.driverLogPath())
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.driver = driver
	return nil
}

func (c *Cluster) driverLogPath() string { return filepath.Join(c.dir, "driver", "stderr.log") }

func (c *Cluster) drive(ctx context.Context, command string, args ...any) (*fields, error) {
	c.mu.Lock()
	driver := c.driver
	c.mu.Unlock()
	if driver == nil {
		return nil, fmt.Errorf("%s: the cluster is closed", command)
	}
	return driver.call(ctx, command, args...)
}

// CreateTopic creates or changes a topic and waits until it is routed.
func (c *Cluster) CreateTopic(ctx context.Context, topic Topic) error {
	brokers, err := c.masters(topic.Brokers)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic.Name, err)
	}
	queues := cmp.Or(topic.Queues, 4)
	_, err = c.drive(ctx, "createTopic", topic.Name, brokerList(brokers),
		queues, cmp.Or(topic.WriteQueues, queues), cmp.Or(topic.Perm, 6))
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic.Name, err)
	}
	return nil
}

// DeleteTopic deletes a topic from brokers and name servers. Offsets that were
// committed for it may stay.
func (c *Cluster) DeleteTopic(ctx context.Context, name string) error {
	clusters := make(map[string]bool)
	for _, broker := range c.brokers {
		clusters[broker.broker.ClusterName] = true
	}
	for cluster := range clusters {
		if _, err := c.drive(ctx, "deleteTopic", name, cluster); err != nil {
			return fmt.Errorf("delete topic %s: %w", name, err)
		}
	}
	return nil
}

// CreateGroup creates or changes a consumer group on all masters.
func (c *Cluster) CreateGroup(ctx context.Context, group Group) error {
	brokers, err := c.masters(nil)
	if err != nil {
		return err
	}
	_, err = c.drive(ctx, "createGroup", group.Name, brokerList(brokers),
		cmp.Or(group.RetryQueues, 1), cmp.Or(group.RetryMaxTimes, 16), group.RetryTopic)
	if err != nil {
		return fmt.Errorf("create group %s: %w", group.Name, err)
	}
	return nil
}

// DeleteGroup deletes a consumer group from all masters, with or without the
// offsets that it has committed.
func (c *Cluster) DeleteGroup(ctx context.Context, name string, withOffsets bool) error {
	brokers, err := c.masters(nil)
	if err != nil {
		return err
	}
	if _, err := c.drive(ctx, "deleteGroup", name, brokerList(brokers), withOffsets); err != nil {
		return fmt.Errorf("delete group %s: %w", name, err)
	}
	return nil
}

// Produce sends messages and returns when the brokers have them.
func (c *Cluster) Produce(ctx context.Context, messages Messages) error {
	queue := -1
	if messages.QueueID != nil {
		queue = *messages.QueueID
	}
	_, err := c.drive(ctx, "produce", messages.Topic, messages.Broker, queue, messages.Count,
		cmp.Or(messages.BodySize, 16), messages.Tag, messages.DelayLevel)
	if err != nil {
		return fmt.Errorf("produce to %s: %w", messages.Topic, err)
	}
	return nil
}

// CommitOffset sets how far a group has come, forwards or backwards, as a
// consumer's commit does: a consumer that holds the queue overwrites it.
func (c *Cluster) CommitOffset(ctx context.Context, group string, queue Queue, offset int64) error {
	broker, err := c.broker(queue.Broker)
	if err != nil {
		return fmt.Errorf("commit for group %s: %w", group, err)
	}
	_, err = c.drive(ctx, "commit", group, broker.Addr(), queue.Topic, queue.Broker, queue.ID, offset)
	if err != nil {
		return fmt.Errorf("commit for group %s: %w", group, err)
	}
	return nil
}

// Offsets returns the ends of every queue of a topic, in no order.
func (c *Cluster) Offsets(ctx context.Context, topic string) ([]QueueOffsets, error) {
	answer, err := c.drive(ctx, "offsets", topic)
	if err != nil {
		return nil, fmt.Errorf("offsets of topic %s: %w", topic, err)
	}
	var offsets []QueueOffsets
	for answer.more() {
		offsets = append(offsets, QueueOffsets{
			Queue:     Queue{Topic: topic, Broker: answer.text(), ID: int(answer.number())},
			Min:       answer.number(),
			Max:       answer.number(),
			LastStore: answer.unixMillis(),
		})
	}
	return offsets, answer.err
}

// ConsumeStats returns how far a group has come, its retry topic included, in
// no order. The brokers list the queues of topics that the group has committed
// or, while it is online, subscribes.
func (c *Cluster) ConsumeStats(ctx context.Context, group string) ([]GroupOffset, error) {
	answer, err := c.drive(ctx, "consumeStats", group)
	if err != nil {
		return nil, fmt.Errorf("consume stats of group %s: %w", group, err)
	}
	var offsets []GroupOffset
	for answer.more() {
		offsets = append(offsets, GroupOffset{
			Queue:          Queue{Topic: answer.text(), Broker: answer.text(), ID: int(answer.number())},
			BrokerOffset:   answer.number(),
			ConsumerOffset: answer.number(),
			LastConsumed:   answer.unixMillis(),
		})
	}
	return offsets, answer.err
}

// TimeSpans returns the ages of what a group has not consumed of a topic, in no
// order.
func (c *Cluster) TimeSpans(ctx context.Context, topic, group string) ([]TimeSpan, error) {
	answer, err := c.drive(ctx, "timeSpans", topic, group)
	if err != nil {
		return nil, fmt.Errorf("time spans of topic %s for group %s: %w", topic, group, err)
	}
	var spans []TimeSpan
	for answer.more() {
		spans = append(spans, TimeSpan{
			Queue:        Queue{Topic: topic, Broker: answer.text(), ID: int(answer.number())},
			Oldest:       answer.unixMillis(),
			Newest:       answer.unixMillis(),
			LastConsumed: answer.unixMillis(),
			Delay:        time.Duration(answer.number()) * time.Millisecond,
		})
	}
	return spans, answer.err
}

// Clients returns the connected consumers of a group; none is no error.
func (c *Cluster) Clients(ctx context.Context, group string) ([]Client, error) {
	answer, err := c.drive(ctx, "clients", group)
	if err != nil {
		return nil, fmt.Errorf("clients of group %s: %w", group, err)
	}
	var clients []Client
	for answer.more() {
		clients = append(clients, Client{
			ID: answer.text(), Addr: answer.text(), Language: answer.text(), Version: int(answer.number()),
		})
	}
	return clients, answer.err
}

// Assignments returns the queues that a consumer holds, as it says itself when
// a broker asks it (GET_CONSUMER_RUNNING_INFO). A consumer that does not
// answer costs ten seconds.
func (c *Cluster) Assignments(ctx context.Context, group, clientID string) ([]Assignment, error) {
	answer, err := c.drive(ctx, "assignments", group, clientID)
	if err != nil {
		return nil, fmt.Errorf("assignments of %s in group %s: %w", clientID, group, err)
	}
	var assignments []Assignment
	for answer.more() {
		assignments = append(assignments, Assignment{
			Queue:        Queue{Topic: answer.text(), Broker: answer.text(), ID: int(answer.number())},
			CommitOffset: answer.number(),
		})
	}
	return assignments, answer.err
}

// brokerList is the form in which the driver takes brokers.
func brokerList(brokers []*Server) string {
	var list []string
	for _, broker := range brokers {
		list = append(list, broker.name+"="+broker.Addr())
	}
	return strings.Join(list, ",")
}
