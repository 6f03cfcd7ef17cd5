package realmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// The Go client has one logger for the whole process, which prints to standard
// error. It has to be silenced before the first client starts to read it.
//
//nolint:gochecknoinits // rlog has no other place for it: clients read the logger without a lock
func init() { rlog.SetLogger(silence{}) }

// silence is an rlog.Logger that drops everything.
type silence struct{}

func (silence) Debug(string, map[string]any)   {}
func (silence) Info(string, map[string]any)    {}
func (silence) Warning(string, map[string]any) {}
func (silence) Error(string, map[string]any)   {}
func (silence) Fatal(string, map[string]any)   {}
func (silence) Level(string)                   {}
func (silence) OutputPath(string) error        { return nil }

// GoConsumer is a consumer of the project's Go client, in this process.
type GoConsumer struct {
	client   rocketmq.PushConsumer
	consumed atomic.Int64
	shutdown func() error
}

// StartGoConsumer starts a Go consumer from the first message on. It commits
// ten seconds after its start for the first time, then each five seconds.
func (c *Cluster) StartGoConsumer(group, topic string) (*GoConsumer, error) {
	client, err := rocketmq.NewPushConsumer(
		consumer.WithNameServer(c.NameServers()),
		consumer.WithGroupName(group),
		consumer.WithInstance(c.goInstance()),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithCredentials(c.goCredentials()),
	)
	if err != nil {
		return nil, fmt.Errorf("start a Go consumer of group %s: %w", group, err)
	}
	g := &GoConsumer{client: client, shutdown: sync.OnceValue(client.Shutdown)}
	err = client.Subscribe(topic, consumer.MessageSelector{},
		func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
			g.consumed.Add(int64(len(messages)))
			return consumer.ConsumeSuccess, nil
		})
	if err == nil {
		err = client.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start a Go consumer of group %s: %w", group, err)
	}
	c.addClient(g)
	return g, nil
}

// Consumed is the number of messages so far.
func (g *GoConsumer) Consumed() int64 { return g.consumed.Load() }

// Stop shuts the consumer down. Messages that it has counted and not yet noted
// as consumed are left out of its last commit (pushConsumer.Shutdown): await
// their commit before, where that matters.
func (g *GoConsumer) Stop(ctx context.Context) error {
	return withContext(ctx, "stop a Go consumer", g.shutdown)
}

func (g *GoConsumer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return g.Stop(ctx)
}

// GoProducer is a producer of the project's Go client, in this process.
type GoProducer struct {
	client   rocketmq.Producer
	shutdown func() error
}

// StartGoProducer starts a Go producer.
func (c *Cluster) StartGoProducer(group string) (*GoProducer, error) {
	client, err := rocketmq.NewProducer(
		producer.WithNameServer(c.NameServers()),
		producer.WithGroupName(group),
		producer.WithInstanceName(c.goInstance()),
		producer.WithSendMsgTimeout(10*time.Second),
		producer.WithCredentials(c.goCredentials()),
	)
	if err == nil {
		err = client.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start a Go producer of group %s: %w", group, err)
	}
	p := &GoProducer{client: client, shutdown: sync.OnceValue(client.Shutdown)}
	c.addClient(p)
	return p, nil
}

// Send sends one message and waits until the broker has it.
func (p *GoProducer) Send(ctx context.Context, topic string, body []byte) error {
	result, err := p.client.SendSync(ctx, primitive.NewMessage(topic, body))
	if err != nil {
		return fmt.Errorf("send to %s by the Go client: %w", topic, err)
	}
	if result.Status != primitive.SendOK {
		return fmt.Errorf("send to %s by the Go client: status %d", topic, result.Status)
	}
	return nil
}

// Stop shuts the producer down.
func (p *GoProducer) Stop(ctx context.Context) error {
	return withContext(ctx, "stop a Go producer", p.shutdown)
}

func (p *GoProducer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return p.Stop(ctx)
}

// goInstance is the second part of a Go client's id, new each time. Clients of
// one process with the same id are one, and those of two clusters would have to
// share their name servers (GetOrNewRocketMQClient). No two running clusters
// have a name server's port in common.
func (c *Cluster) goInstance() string {
	_, port, _ := net.SplitHostPort(c.NameServerAt(0).Addr())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started++
	return fmt.Sprintf("go-%s-%d", port, c.started)
}

func (c *Cluster) goCredentials() primitive.Credentials {
	if c.options.Credentials == nil {
		return primitive.Credentials{}
	}
	return primitive.Credentials{AccessKey: c.options.Credentials.AccessKey, SecretKey: c.options.Credentials.SecretKey}
}

// withContext calls a function that takes no context and waits as long as ctx allows.
func withContext(ctx context.Context, what string, function func() error) error {
	done := make(chan error, 1)
	go func() { done <- function() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New(what), context.Cause(ctx))
	}
}
