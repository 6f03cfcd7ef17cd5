package realmq

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait: a machine under load may take its time, and a
// test that passes never waits for it.
const patience = 90 * time.Second

func TestVersion4(t *testing.T) {
	t.Parallel()
	c := Start(t, Options{Version: Version4, TLS: true})
	t.Run("TLS", func(t *testing.T) { testTLS(t, c) })
	testCluster(t, c)
	must(t, c.Broker("broker-a").Stop(t.Context()))
	if c.Broker("broker-a").Running() {
		t.Error("the broker runs after Stop")
	}
}

func TestVersion5(t *testing.T) {
	t.Parallel()
	c := Start(t, Options{
		Version:     Version5,
		NameServers: 2,
		Brokers:     []BrokerOptions{{Name: "broker-a"}, {Name: "broker-b"}},
	})
	testCluster(t, c)
	t.Run("pop", func(t *testing.T) { testPop(t, c) })
	t.Run("name server restart", func(t *testing.T) { testNameServerRestart(t, c) })
}

// testCluster tests what all versions have in common, on one cluster since a
// boot is what costs the most.
func testCluster(t *testing.T, c *Cluster) {
	failing, gophers := startFailing(t, c), startGophers(t, c)
	t.Run("offsets", func(t *testing.T) { testOffsets(t, c) })
	t.Run("seed", func(t *testing.T) { testSeed(t, c) })
	t.Run("Java consumers", func(t *testing.T) { testJavaConsumers(t, c) })
	t.Run("broadcasting", func(t *testing.T) { testBroadcasting(t, c) })
	t.Run("Go client", func(t *testing.T) { testGoClient(t, c, gophers) })
	t.Run("mqadmin errors", func(t *testing.T) { testAdminErrors(t, c) })
	t.Run("deletion", func(t *testing.T) { testDeletion(t, c) })
	t.Run("retry", func(t *testing.T) { testRetry(t, c, failing) })
	t.Run("broker restart", func(t *testing.T) { testBrokerRestart(t, c) })
}

func testTLS(t *testing.T, c *Cluster) {
	for _, server := range []*Server{c.NameServerAt(0), c.Broker("broker-a")} {
		dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // its own certificate
		conn, err := dialer.DialContext(t.Context(), "tcp", server.Addr())
		if err != nil {
			t.Errorf("TLS to %s: %v", server.Name(), err)
			continue
		}
		conn.Close()
	}
}

func testOffsets(t *testing.T, c *Cluster) {
	// Longer than what mqadmin prints of a topic.
	topic := "offsets-" + strings.Repeat("x", 70)
	brokers := len(c.Brokers())
	must(t, c.CreateTopic(t.Context(), Topic{Name: topic, Queues: 4}))
	must(t, c.Produce(t.Context(), Messages{Topic: topic, Count: 1000 * brokers}))
	must(t, c.Produce(t.Context(), Messages{Topic: topic, Count: 10, Broker: "broker-a", QueueID: new(3), Tag: "a", BodySize: 2000}))
	must(t, c.CreateGroup(t.Context(), Group{Name: "committer", RetryTopic: true}))

	offsets, err := c.Offsets(t.Context(), topic)
	must(t, err)
	if len(offsets) != 4*brokers {
		t.Fatalf("%d queues, want 4 on each of %d brokers: %+v", len(offsets), brokers, offsets)
	}
	for _, queue := range offsets {
		want := int64(250)
		if queue.Broker == "broker-a" && queue.ID == 3 {
			want = 260
		}
		if queue.Min != 0 || queue.Max != want || time.Since(queue.LastStore) > 10*patience {
			t.Errorf("%+v, want offsets from 0 to %d, stored just now", queue, want)
		}
		must(t, c.CommitOffset(t.Context(), "committer", queue.Queue, int64(100+queue.ID)))
	}

	rows := agreeing(t, c, "committer")
	for _, row := range rows {
		if row.Topic == topic && row.ConsumerOffset != int64(100+row.QueueID) {
			t.Errorf("%+v, want what was committed, %d", row, 100+row.QueueID)
		}
	}
	commits, err := c.Commits(t.Context(), "broker-a")
	must(t, err)
	if got := commits[topic+"@committer"]; len(got) != 4 || got[0] != 100 || got[3] != 103 {
		t.Errorf("broker-a holds %v of the group, want 100 to 103 for queues 0 to 3", got)
	}
}

func testSeed(t *testing.T, c *Cluster) {
	seed := Seed{Topics: 12, Queues: 3, Messages: 5, Groups: 4, TopicsPerGroup: 6, Committed: 2, RetryTopics: true}
	times, err := c.Seed(t.Context(), seed)
	must(t, err)
	t.Logf("%+v", times)
	offsets, err := c.Offsets(t.Context(), seed.Topic(11))
	must(t, err)
	for _, queue := range offsets {
		if queue.Max != 5 {
			t.Errorf("%+v, want 5 messages", queue)
		}
	}
	commits, err := c.Commits(t.Context(), "broker-a")
	must(t, err)
	for g := range seed.Groups {
		for _, topic := range seed.GroupTopics(g) {
			if got := commits[topic+"@"+seed.Group(g)]; len(got) != 3 || got[0] != 2 || got[2] != 2 {
				t.Errorf("group %s has committed %v of %s, want 2 in each of 3 queues", seed.Group(g), got, topic)
			}
		}
	}
	if got, want := len(agreeing(t, c, seed.Group(0))), 6*3*len(c.Brokers()); got != want {
		t.Errorf("mqadmin lists %d queues of %s, want %d", got, seed.Group(0), want)
	}
}

func testJavaConsumers(t *testing.T, c *Cluster) {
	const group, topic, queues = "billing", "orders", 4
	total := queues * len(c.Brokers())
	must(t, c.CreateTopic(t.Context(), Topic{Name: topic, Queues: queues}))
	one := startConsumer(t, c, ConsumerOptions{Group: group, Topics: []string{topic}, ClientIP: "10.1.1.1", CommitInterval: time.Second})
	two := startConsumer(t, c, ConsumerOptions{Group: group, Topics: []string{topic}, ClientIP: "10.1.1.2", CommitInterval: time.Second})
	if one.PID() == two.PID() || !strings.HasPrefix(one.ClientID(), "10.1.1.1@") {
		t.Errorf("consumers %s (pid %d) and %s (pid %d)", one.ClientID(), one.PID(), two.ClientID(), two.PID())
	}
	awaitQueues(t, c, group, topic, map[string]int{one.ClientID(): total / 2, two.ClientID(): total / 2})

	must(t, c.Produce(t.Context(), Messages{Topic: topic, Count: 100 * total}))
	awaitConsumed(t, int64(100*total), one, two)
	awaitLag(t, c, group, topic, 0)
	ips := make(map[string]int)
	for _, row := range agreeing(t, c, group) {
		if row.Topic == topic {
			ips[row.ClientIP]++
		}
	}
	if ips["10.1.1.1"] != total/2 || ips["10.1.1.2"] != total/2 {
		t.Errorf("mqadmin shows the queues with clients %v, want %d each", ips, total/2)
	}

	must(t, two.Pause(t.Context()))
	before, err := two.Consumed(t.Context())
	must(t, err)
	must(t, c.Produce(t.Context(), Messages{Topic: topic, Count: 10 * total}))
	awaitConsumed(t, int64(105*total)-before, one) // its own half of the 10, and what it had
	awaitLag(t, c, group, topic, int64(5*total))
	must(t, two.Resume(t.Context()))
	awaitLag(t, c, group, topic, 0)

	must(t, two.Kill())
	if err := syscall.Kill(two.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the killed consumer's process: %v", err)
	}
	awaitQueues(t, c, group, topic, map[string]int{one.ClientID(): total})
	must(t, one.Stop(t.Context()))
	Eventually(t, patience, func(ctx context.Context) error {
		return wantClients(ctx, c, group, 0)
	})
}

func testBroadcasting(t *testing.T, c *Cluster) {
	must(t, c.CreateTopic(t.Context(), Topic{Name: "news", Queues: 2}))
	options := ConsumerOptions{Group: "readers", Topics: []string{"news"}, Model: Broadcasting, InstanceName: "one"}
	one := startConsumer(t, c, options)
	options.InstanceName = "two"
	two := startConsumer(t, c, options)
	// One of them stays behind, which nobody but itself knows.
	must(t, two.Pause(t.Context()))
	must(t, c.Produce(t.Context(), Messages{Topic: "news", Count: 20}))
	awaitConsumed(t, 20, one)
	awaitConsumed(t, 0, two)
	must(t, two.Resume(t.Context()))
	awaitConsumed(t, 20, two)
	must(t, one.Kill())
	must(t, two.Kill())
}

func testPop(t *testing.T, c *Cluster) {
	must(t, c.CreateTopic(t.Context(), Topic{Name: "popped", Queues: 2}))
	consumer := startConsumer(t, c, ConsumerOptions{Group: "poppers", Topics: []string{"popped"}, Pop: true})
	must(t, c.Produce(t.Context(), Messages{Topic: "popped", Count: 20}))
	awaitConsumed(t, 20, consumer)
	must(t, consumer.Kill())
}

// startGophers starts a consumer of the Go client and sends it messages. It
// commits ten seconds after its start at the earliest, so testGoClient looks at
// it later.
func startGophers(t *testing.T, c *Cluster) *GoConsumer {
	t.Helper()
	must(t, c.CreateTopic(t.Context(), Topic{Name: "go-topic", Queues: 2}))
	consumer, err := c.StartGoConsumer("gophers", "go-topic")
	must(t, err)
	producer, err := c.StartGoProducer("go-producers")
	must(t, err)
	for range 10 {
		must(t, producer.Send(t.Context(), "go-topic", []byte("hello")))
	}
	must(t, producer.Stop(t.Context()))
	return consumer
}

func testGoClient(t *testing.T, c *Cluster, consumer *GoConsumer) {
	const group, topic = "gophers", "go-topic"
	Eventually(t, patience, func(context.Context) error {
		if got := consumer.Consumed(); got != 10 {
			return fmt.Errorf("consumed %d, want 10", got)
		}
		return nil
	})
	// Awaited, since a heartbeat that a busy broker did not answer is repeated
	// half a minute later only.
	Eventually(t, patience, func(ctx context.Context) error {
		clients, err := c.Clients(ctx, group)
		if err == nil && (len(clients) != 1 || clients[0].Language != "GO") {
			err = fmt.Errorf("clients %+v, want one in GO", clients)
		}
		return err
	})
	// Its shutdown drops what it has consumed and not noted (pushConsumer.shutdown),
	// so the commit has to be there before.
	awaitLag(t, c, group, topic, 0)
	must(t, consumer.Stop(t.Context()))
	for _, row := range agreeing(t, c, group) {
		if row.Topic == topic && row.Diff != 0 {
			t.Errorf("%+v, want no lag after a shutdown", row)
		}
	}
}

func testAdminErrors(t *testing.T, c *Cluster) {
	out, err := c.Admin(t.Context(), "clusterList")
	must(t, err)
	if !strings.Contains(out, c.Broker("broker-a").Addr()) {
		t.Errorf("clusterList does not show %s:\n%s", c.Broker("broker-a").Addr(), out)
	}
	for _, args := range [][]string{
		{"noSuchCommand"},
		{"topicStatus"},                        // lacks -t
		{"topicStatus", "-t", "no-such-topic"}, // fails
	} {
		if out, err := c.Admin(t.Context(), args...); err == nil {
			t.Errorf("mqadmin %q succeeded:\n%s", args, out)
		}
	}
}

func testDeletion(t *testing.T, c *Cluster) {
	must(t, c.CreateTopic(t.Context(), Topic{Name: "doomed", Queues: 2}))
	must(t, c.CreateGroup(t.Context(), Group{Name: "doomed-group"}))
	queue := Queue{Topic: "doomed", Broker: "broker-a", ID: 1}
	must(t, c.CommitOffset(t.Context(), "doomed-group", queue, 0))
	must(t, c.DeleteGroup(t.Context(), "doomed-group", true))
	commits, err := c.Commits(t.Context(), "broker-a")
	must(t, err)
	if got, found := commits["doomed@doomed-group"]; found {
		t.Errorf("the deleted group still has commits: %v", got)
	}
	must(t, c.DeleteTopic(t.Context(), "doomed"))
	if offsets, err := c.Offsets(t.Context(), "doomed"); err == nil {
		t.Errorf("the deleted topic still has offsets: %+v", offsets)
	}
}

// startFailing starts a consumer that fails. The first retry comes ten seconds
// later, so testRetry looks at it towards the end.
func startFailing(t *testing.T, c *Cluster) *Consumer {
	t.Helper()
	must(t, c.CreateTopic(t.Context(), Topic{Name: "bad", Queues: 1, Brokers: []string{"broker-a"}}))
	must(t, c.Produce(t.Context(), Messages{Topic: "bad", Count: 3}))
	return startConsumer(t, c, ConsumerOptions{
		Group: "failing", Topics: []string{"bad"}, FailAlways: true, MaxReconsumeTimes: 1,
	})
}

func testRetry(t *testing.T, c *Cluster, failing *Consumer) {
	for _, topic := range []string{"%RETRY%failing", "%DLQ%failing"} {
		Eventually(t, patience, func(ctx context.Context) error {
			offsets, err := c.Offsets(ctx, topic)
			if err != nil {
				return err
			}
			// More where a busy broker answered too late and the client sent again.
			if sum := sumMax(offsets); sum < 3 {
				return fmt.Errorf("%d messages in %s, want 3", sum, topic)
			}
			return nil
		})
	}
	if got, err := failing.Consumed(t.Context()); err != nil || got != 0 {
		t.Errorf("the failing consumer has consumed %d, %v", got, err)
	}
	must(t, failing.Kill())
}

func testBrokerRestart(t *testing.T, c *Cluster) {
	const topic = "durable"
	broker := c.Broker("broker-a")
	must(t, c.CreateTopic(t.Context(), Topic{Name: topic, Queues: 1, Brokers: []string{"broker-a"}}))
	must(t, c.Produce(t.Context(), Messages{Topic: topic, Count: 7}))
	address, pid := broker.Addr(), broker.PID()
	if err := broker.Start(t.Context()); err == nil {
		t.Error("a running broker started again")
	}
	must(t, broker.Kill())
	if broker.Running() {
		t.Error("the broker runs after Kill")
	}
	Eventually(t, patience, func(ctx context.Context) error {
		if c.checkRegistered(ctx, c.NameServerAt(0).Addr(), address) == nil {
			return errors.New("the name server still lists the killed broker")
		}
		return nil
	})
	thief, err := net.Listen("tcp", address)
	must(t, err)
	if err := broker.Start(t.Context()); !errors.Is(err, errBindClash) {
		t.Errorf("start while another process has the port: %v", err)
	}
	must(t, thief.Close())
	must(t, broker.Start(t.Context()))
	if broker.Addr() != address || broker.PID() == pid {
		t.Errorf("the broker came back at %s with pid %d, was %s, %d", broker.Addr(), broker.PID(), address, pid)
	}
	must(t, c.checkRegistered(t.Context(), c.NameServerAt(0).Addr(), address))
	offsets, err := c.Offsets(t.Context(), topic)
	must(t, err)
	if sumMax(offsets) != 7 {
		t.Errorf("offsets after the restart: %+v, want 7 messages", offsets)
	}
}

func testNameServerRestart(t *testing.T, c *Cluster) {
	server := c.NameServerAt(1)
	address := server.Addr()
	must(t, server.Kill())
	must(t, server.Start(t.Context()))
	if server.Addr() != address {
		t.Errorf("the name server came back at %s, was %s", server.Addr(), address)
	}
	for _, broker := range c.Brokers() {
		must(t, c.checkRegistered(t.Context(), address, broker.Addr()))
	}
}

// agreeing returns what mqadmin prints of a group once the driver says the same.
// They ask one after the other, and between them a consumer may commit for the
// first time on its retry topic, which it does when a pull comes back empty.
func agreeing(t *testing.T, c *Cluster, group string) []ProgressRow {
	t.Helper()
	var rows []ProgressRow
	Eventually(t, patience, func(ctx context.Context) (err error) {
		if rows, err = c.ConsumerProgress(ctx, group); err != nil {
			return err
		}
		offsets, err := c.ConsumeStats(ctx, group)
		if err != nil {
			return err
		}
		return equalOffsets(rows, offsets)
	})
	return rows
}

// equalOffsets compares the queues of a group as mqadmin and as the driver have
// them.
func equalOffsets(rows []ProgressRow, offsets []GroupOffset) error {
	slices.SortFunc(offsets, func(a, b GroupOffset) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.ID, b.ID))
	})
	if len(rows) == 0 || len(rows) != len(offsets) {
		return fmt.Errorf("mqadmin has %d queues, the driver %d", len(rows), len(offsets))
	}
	for i, row := range rows {
		got := GroupOffset{
			Queue:          Queue{Topic: row.Topic, Broker: row.Broker, ID: row.QueueID},
			BrokerOffset:   row.BrokerOffset,
			ConsumerOffset: row.ConsumerOffset,
			LastConsumed:   offsets[i].LastConsumed,
		}
		if got != offsets[i] || row.Diff != row.BrokerOffset-row.ConsumerOffset {
			return fmt.Errorf("mqadmin has %+v, the driver %+v", row, offsets[i])
		}
	}
	return nil
}

func startConsumer(t *testing.T, c *Cluster, options ConsumerOptions) *Consumer {
	t.Helper()
	consumer, err := c.StartConsumer(t.Context(), options)
	must(t, err)
	return consumer
}

// awaitQueues waits until each client of a group holds as many queues of a topic.
func awaitQueues(t *testing.T, c *Cluster, group, topic string, want map[string]int) {
	t.Helper()
	Eventually(t, patience, func(ctx context.Context) error {
		if err := wantClients(ctx, c, group, len(want)); err != nil {
			return err
		}
		for client, queues := range want {
			assignments, err := c.Assignments(ctx, group, client)
			if err != nil {
				return err
			}
			held := 0
			for _, assignment := range assignments {
				if assignment.Topic == topic {
					held++
				}
			}
			if held != queues {
				return fmt.Errorf("%s holds %d queues of %s, want %d", client, held, topic, queues)
			}
		}
		return nil
	})
}

func wantClients(ctx context.Context, c *Cluster, group string, want int) error {
	clients, err := c.Clients(ctx, group)
	if err != nil {
		return err
	}
	if len(clients) != want {
		return fmt.Errorf("group %s has clients %+v, want %d", group, clients, want)
	}
	return nil
}

// awaitConsumed waits until the consumers have consumed so many messages together.
func awaitConsumed(t *testing.T, want int64, consumers ...*Consumer) {
	t.Helper()
	Eventually(t, patience, func(ctx context.Context) error {
		var sum int64
		for _, consumer := range consumers {
			consumed, err := consumer.Consumed(ctx)
			if err != nil {
				return err
			}
			sum += consumed
		}
		if sum != want {
			return fmt.Errorf("consumed %d messages, want %d", sum, want)
		}
		return nil
	})
}

// awaitLag waits until the committed offsets of a group leave so many messages of a topic.
func awaitLag(t *testing.T, c *Cluster, group, topic string, want int64) {
	t.Helper()
	Eventually(t, patience, func(ctx context.Context) error {
		offsets, err := c.ConsumeStats(ctx, group)
		if err != nil {
			return err
		}
		var lag int64
		for _, offset := range offsets {
			if offset.Topic == topic {
				lag += offset.BrokerOffset - offset.ConsumerOffset
			}
		}
		if lag != want {
			return fmt.Errorf("lag of %s in %s is %d, want %d", group, topic, lag, want)
		}
		return nil
	})
}

func sumMax(offsets []QueueOffsets) int64 {
	var sum int64
	for _, queue := range offsets {
		sum += queue.Max
	}
	return sum
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
