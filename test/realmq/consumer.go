package realmq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Model is how the consumers of a group share messages.
type Model string

// The two models (MessageModel).
const (
	Clustering   Model = "CLUSTERING"
	Broadcasting Model = "BROADCASTING"
)

// ConsumerOptions describe a Java consumer (DefaultMQPushConsumer). It starts
// at the first message of a queue that its group has not committed.
type ConsumerOptions struct {
	Group      string
	Topics     []string
	Expression string // of tags, by default "*"
	Model      Model  // by default Clustering

	// InstanceName is the second part of the client id, by default chosen by
	// the client: process id and clock, or DEFAULT when broadcasting. The
	// offsets of a broadcasting consumer are kept by client id, so one that is
	// to carry on where another has ended needs its name.
	InstanceName string

	// ClientIP is the first part of the client id, by default an address of
	// the machine. It need not be true: brokers only show it.
	ClientIP string

	Delay             time.Duration // before each message is taken as consumed, in whole milliseconds
	FailAlways        bool          // send each message back (RECONSUME_LATER) instead
	MaxReconsumeTimes int           // by default the client's: 16, or forever if Orderly
	Orderly           bool
	Pop               bool // 5.x: have the brokers hand out messages, not queues
	PullBatch         int  // messages per pull, by default the client's 32
	Threads           int  // that consume, by default the client's 20

	// CommitInterval is the client's persistConsumerOffsetInterval, by default
	// its 5 s.
	CommitInterval time.Duration
}

// Consumer is a Java consumer in a process of its own.
type Consumer struct {
	peer     *peer
	clientID string
}

// StartConsumer starts a consumer and returns when the client has started,
// which is before it holds any queue. It ends with the cluster at the latest.
func (c *Cluster) StartConsumer(ctx context.Context, options ConsumerOptions) (*Consumer, error) {
	consumer, err := c.startConsumer(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("start a consumer of group %s: %w", options.Group, err)
	}
	return consumer, nil
}

func (c *Cluster) startConsumer(ctx context.Context, options ConsumerOptions) (*Consumer, error) {
	if options.Pop {
		if err := c.setPopMode(ctx, options); err != nil {
			return nil, err
		}
	}
	home, err := c.clientHome()
	if err != nil {
		return nil, err
	}
	java := c.clientCommand(home, "Consumer", 64)
	java.options = append(java.options,
		// One for all, as one home directory is for the consumers of a machine.
		"-Drocketmq.client.localOffsetStoreDir="+filepath.Join(c.dir, "broadcast-offsets"))
	java.args = c.consumerArgs(options)
	peer, answer, err := startPeer(ctx, "consumer of "+options.Group, java.command(), filepath.Join(home, "stderr.log"))
	if err != nil {
		return nil, err
	}
	consumer := &Consumer{peer: peer, clientID: answer.text()}
	c.addClient(consumer)
	return consumer, answer.err
}

// consumerArgs are the settings as java/Consumer.java takes them.
func (c *Cluster) consumerArgs(options ConsumerOptions) []string {
	args := []string{
		"nameServer=" + c.NameServer(),
		"group=" + options.Group,
		"topics=" + strings.Join(options.Topics, ","),
		"expression=" + cmp.Or(options.Expression, "*"),
		"model=" + string(cmp.Or(options.Model, Clustering)),
		fmt.Sprintf("delayMillis=%d", options.Delay.Milliseconds()),
	}
	add := func(key string, set bool, value any) {
		if set {
			args = append(args, fmt.Sprintf("%s=%v", key, value))
		}
	}
	add("instanceName", options.InstanceName != "", options.InstanceName)
	add("clientIP", options.ClientIP != "", options.ClientIP)
	add("failAlways", options.FailAlways, true)
	add("orderly", options.Orderly, true)
	add("pop", options.Pop, true)
	add("maxReconsumeTimes", options.MaxReconsumeTimes != 0, options.MaxReconsumeTimes)
	add("pullBatch", options.PullBatch != 0, options.PullBatch)
	add("threads", options.Threads != 0, options.Threads)
	add("commitIntervalMillis", options.CommitInterval != 0, options.CommitInterval.Milliseconds())
	if c.options.Credentials != nil {
		args = append(args, "accessKey="+c.options.Credentials.AccessKey, "secretKey="+c.options.Credentials.SecretKey)
	}
	return args
}

// setPopMode switches the topics to POP for the group, on all masters.
func (c *Cluster) setPopMode(ctx context.Context, options ConsumerOptions) error {
	if isVersion4(c.version) {
		return errors.New("POP came with RocketMQ 5.0")
	}
	brokers, err := c.masters(nil)
	if err != nil {
		return err
	}
	for _, topic := range options.Topics {
		for _, broker := range brokers {
			_, err := c.Admin(ctx, "setConsumeMode", "-b", broker.Addr(), "-t", topic, "-g", options.Group,
				"-m", "POP", "-q", "0")
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// PID is the id of the consumer's process.
func (c *Consumer) PID() int { return c.peer.pid }

// ClientID is the id under which brokers list the consumer.
func (c *Consumer) ClientID() string { return c.clientID }

// Consumed is the number of messages that were consumed without failing.
func (c *Consumer) Consumed(ctx context.Context) (int64, error) {
	answer, err := c.peer.call(ctx, "consumed")
	if err != nil {
		return 0, err
	}
	consumed := answer.number()
	return consumed, answer.err
}

// Pause stops pulling and consuming. Messages being consumed at that moment
// come to their end; the consumer stays connected and keeps its queues, and up
// to one more pull per queue may be cached in it.
func (c *Consumer) Pause(ctx context.Context) error {
	_, err := c.peer.call(ctx, "pause")
	return err
}

// Resume undoes Pause.
func (c *Consumer) Resume(ctx context.Context) error {
	_, err := c.peer.call(ctx, "resume")
	return err
}

// Stop shuts the consumer down as its client does it, with a last commit, and
// returns when the process is gone.
func (c *Consumer) Stop(ctx context.Context) error {
	if !c.peer.running() {
		return nil
	}
	if _, err := c.peer.call(ctx, "stop"); err != nil {
		return errors.Join(err, c.peer.kill())
	}
	return c.peer.hangUp(ctx)
}

// Kill ends the consumer by SIGKILL, as a crash would, and returns when it is gone.
func (c *Consumer) Kill() error { return c.peer.kill() }

// close ends the consumer with its cluster, where nothing of it matters any more.
func (c *Consumer) close() error { return c.peer.kill() }
