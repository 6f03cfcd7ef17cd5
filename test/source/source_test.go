package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

// version514 is between the two that most tests use: it has POP and 907, and no
// ends in bulk.
const version514 = "5.1.4"

const within = 2 * time.Minute // a busy machine may take it; a test that passes waits for the event only

// bench is a real cluster and a source that reads it, whose slower cycle takes
// no time.
type bench struct {
	*testing.T
	version string
	mq      *realmq.Cluster
	src     *direct.Source
}

// four tells a release of before 5.0.
func (b *bench) four() bool { return strings.HasPrefix(b.version, "4.") }

// TestRealClusters boots one cluster of each release, all at the same time.
func TestRealClusters(t *testing.T) {
	for _, version := range []string{realmq.Version4, version514, realmq.Version5} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			b := start(t, version)
			b.fill()
			t.Run("runtime values", b.runtimes)
			t.Run("the fake speaks as the broker does", b.dialect)
			t.Run("beginnings and store times", b.queues)
			t.Run("ages of what was there before", b.ages)
			t.Run("a topic is drained", b.drained)
			t.Run("a process that is not there", b.absent)
			t.Run("POP", b.pop)
			t.Run("retention", b.retention)
			t.Run("replication", b.replication)
		})
	}
}

// start boots a broker with small files, and where it costs no third JVM a slave
// of it.
func start(t *testing.T, version string) *bench {
	t.Helper()
	properties := map[string]string{
		"mappedFileSizeCommitLog": "4194304", "mapedFileSizeCommitLog": "4194304",
		"deleteWhen":            "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23",
		"cleanResourceInterval": "1000", "deleteCommitLogFilesInterval": "1",
		"maxMessageSize": "1048576",
	}
	brokers := []realmq.BrokerOptions{{Name: "broker-a", HeapMB: 384, Properties: properties}}
	if version != version514 {
		brokers = append(brokers, realmq.BrokerOptions{Name: "broker-a", ID: 1, HeapMB: 384, Properties: properties})
	}
	mq := realmq.Start(t, realmq.Options{Version: version, Brokers: brokers})
	src := direct.New(direct.Options{NameServers: mq.NameServers(), SlowEvery: 1, RuntimeEvery: 1})
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &bench{t, version, mq, src}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// fill makes topics with and without somebody who has committed on them.
func (b *bench) fill() {
	ctx := b.Context()
	for topic, queues := range map[string]int{"orders": 4, "unread": 3, "empty": 1, "expiring": 1} {
		b.must(b.mq.CreateTopic(ctx, realmq.Topic{Name: topic, Queues: queues}))
	}
	for _, group := range []string{"billing", "slow", "old"} {
		b.must(b.mq.CreateGroup(ctx, realmq.Group{Name: group}))
	}
	b.must(b.mq.Produce(ctx, realmq.Messages{Topic: "orders", Count: 40}))
	b.must(b.mq.Produce(ctx, realmq.Messages{Topic: "unread", Count: 10}))
	b.must(b.mq.Produce(ctx, realmq.Messages{Topic: "orders", Count: 3, DelayLevel: 18}))
	b.must(b.mq.Produce(ctx, realmq.Messages{Topic: "unread", Count: 1, DelayLevel: 1}))
	for q := range 4 {
		b.commit("billing", "orders", q, 10)
		b.commit("slow", "orders", q, int64(2*q+1))
	}
}

func (b *bench) commit(group, topic string, queue int, offset int64) {
	b.Helper()
	b.must(b.mq.CommitOffset(b.Context(), group, realmq.Queue{Topic: topic, Broker: "broker-a", ID: queue}, offset))
}

// absent: the words for a process that its broker does not know are those by which it
// is told from one that fails.
func (b *bench) absent(t *testing.T) {
	client := remoting.NewClient(remoting.Options{})
	defer func() { b.must(client.Close()) }()
	_, err := client.Call(t.Context(), b.mq.Brokers()[0].Addr(), remoting.Request{
		Code:   remoting.GetConsumerRunningInfo,
		Fields: []remoting.Field{{Key: "consumerGroup", Value: "billing"}, {Key: "clientId", Value: "10.0.0.1@7"}},
	})
	if got := remoting.Reason(err); got != "offline" {
		t.Errorf("%v: %q", err, got)
	}
}

// eventually reads rounds until check finds nothing wrong in one.
func (b *bench) eventually(t *testing.T, what string, check func(ctx context.Context, s *model.Snapshot) error) {
	t.Helper()
	var last error
	realmq.Eventually(t, within, func(ctx context.Context) error {
		r := b.src.Collect(ctx)
		b.src.Settle(ctx)
		if len(r.Failures) > 0 {
			return fmt.Errorf("%s: %w", what, r.Failures[0].Err)
		}
		last = check(ctx, r.Snapshots[0])
		return last
	})
}

// named finds a topic's place in a part; -1.
func named(p *model.Part, topic string) int {
	return slices.IndexFunc(p.Topics, func(t model.Topic) bool { return t.Name == topic })
}

// queues compares beginnings, ends and store times of every queue of topics of
// both kinds with what the admin client says.
func (b *bench) queues(t *testing.T) {
	for _, topic := range []string{"orders", "unread", "empty"} {
		b.eventually(t, topic, func(ctx context.Context, s *model.Snapshot) error {
			offsets, err := b.mq.Offsets(ctx, topic)
			if err != nil {
				return err
			}
			return sameQueues(s.Parts[0].Part, topic, offsets)
		})
	}
}

func sameQueues(p *model.Part, topic string, offsets []realmq.QueueOffsets) error {
	var begins, ends []int64
	stored, newest := model.Unknown, model.Unknown
	if i := named(p, topic); i >= 0 {
		first, n := int(p.Topics[i].First), int(p.Topics[i].Queues)
		begins, ends, stored = p.Begins.AppendTo(nil, first, n), p.Ends.AppendTo(nil, first, n), p.Stored[i]
	} else if i := slices.IndexFunc(p.Others, func(o model.TopicStats) bool { return o.Topic == topic }); i >= 0 {
		begins, ends, stored = p.Others[i].Begins, p.Others[i].Ends, p.Others[i].Stored
	}
	if len(ends) != len(offsets) {
		return fmt.Errorf("%s: %d queues, want %d", topic, len(ends), len(offsets))
	}
	for _, o := range offsets {
		if !o.LastStore.IsZero() {
			newest = max(newest, o.LastStore.UnixMilli())
		}
		if q := o.ID; begins[q] != o.Min || ends[q] != o.Max {
			return fmt.Errorf("%s, queue %d: %d to %d; want %d to %d", topic, q, begins[q], ends[q], o.Min, o.Max)
		}
	}
	if stored != newest {
		return fmt.Errorf("%s: the newest of %d; want %d", topic, stored, newest)
	}
	return nil
}

// ages compares what was asked of a pair that is behind with what the admin
// client is told.
func (b *bench) ages(t *testing.T) {
	b.eventually(t, "ages", func(ctx context.Context, s *model.Snapshot) error {
		spans, err := b.mq.TimeSpans(ctx, "orders", "slow")
		if err != nil {
			return err
		}
		w := waits(s.Parts[0].Part, "orders", "slow")
		if w == nil {
			return errors.New("no ages")
		}
		for _, span := range spans {
			got := time.Duration(w.Ages[span.ID])*time.Millisecond + time.Since(w.Taken)
			if w.Committed[span.ID] != int64(2*span.ID+1) || w.Ages[span.ID] < 0 || (got-span.Delay).Abs() > 5*time.Second {
				return fmt.Errorf("queue %d: %v at %d, the broker says %v", span.ID, got, w.Committed[span.ID], span.Delay)
			}
		}
		return nil
	})
}

func waits(p *model.Part, topic, group string) *model.Wait {
	for i := range p.Waits {
		if w := &p.Waits[i]; w.Topic == topic && w.Group == group {
			return w
		}
	}
	return nil
}

// retention has the broker delete messages, also one that a group was to go on
// with. What is left of it is as old as the first that is there.
func (b *bench) retention(t *testing.T) {
	queue := 0
	b.must(b.mq.Produce(t.Context(), realmq.Messages{Topic: "expiring", Count: 2, QueueID: &queue}))
	b.commit("old", "expiring", 0, 1)
	b.must(b.mq.Produce(t.Context(), realmq.Messages{Topic: "expiring", Count: 20, BodySize: 900_000, QueueID: &queue}))
	_, err := b.mq.Admin(t.Context(), "updateBrokerConfig", "-b", b.mq.Brokers()[0].Addr(), "-k", "fileReservedTime", "-v", "0")
	b.must(err)
	b.eventually(t, "old messages are deleted", func(ctx context.Context, s *model.Snapshot) error {
		offsets, err := b.mq.Offsets(ctx, "expiring")
		if err != nil {
			return err
		}
		if offsets[0].Min <= 1 {
			return errors.New("none is deleted yet")
		}
		p := s.Parts[0].Part
		if err := sameQueues(p, "expiring", offsets); err != nil {
			return err
		}
		spans, err := b.mq.TimeSpans(ctx, "expiring", "old")
		if err != nil {
			return err
		}
		w := waits(p, "expiring", "old")
		if w == nil {
			return errors.New("no ages")
		}
		got, want := time.Duration(w.Ages[0])*time.Millisecond+time.Since(w.Taken), time.Since(spans[0].Oldest)
		if spans[0].Delay < 1000*time.Hour || w.Committed[0] != offsets[0].Min || w.Ages[0] < 0 || (got-want).Abs() > 5*time.Second {
			return fmt.Errorf("%v at %d, the broker says %+v; want %v at %d", got, w.Committed[0], spans[0], want, offsets[0].Min)
		}
		return nil
	})
}

// pop: what a consumer has popped and not consumed is in flight; of 4.x there is
// no such thing.
func (b *bench) pop(t *testing.T) {
	if b.four() {
		r := b.src.Collect(t.Context())
		for _, g := range r.Snapshots[0].Groups {
			if len(g.Pop)+len(g.InFlight) > 0 {
				t.Errorf("group %s: %v, %v", g.Name, g.Pop, g.InFlight)
			}
		}
		return
	}
	ctx := t.Context()
	b.must(b.mq.CreateTopic(ctx, realmq.Topic{Name: "popped", Queues: 2}))
	b.must(b.mq.Produce(ctx, realmq.Messages{Topic: "popped", Count: 64}))
	consumer, err := b.mq.StartConsumer(ctx, realmq.ConsumerOptions{
		Group: "poppers", Topics: []string{"popped"}, Pop: true, Delay: 10 * time.Minute, Threads: 1,
	})
	b.must(err)
	b.eventually(t, "messages are in flight", func(_ context.Context, s *model.Snapshot) error {
		i := slices.IndexFunc(s.Groups, func(g *model.Group) bool { return g.Name == "poppers" })
		if i < 0 || len(s.Groups[i].Clients) != 1 {
			return errors.New("nobody is there")
		}
		g := s.Groups[i]
		if _, ok := g.Pop["popped"]; !ok {
			return fmt.Errorf("it POPs %v", g.Pop)
		}
		var waiting, committed int64
		for _, f := range g.InFlight {
			if f.Topic == "popped" && g.Clients[f.Client].ID == consumer.ClientID() {
				waiting += f.Messages
			}
		}
		p := s.Parts[0].Part
		for _, c := range p.Commits {
			if p.GroupOf(&c) == "poppers" && p.Topics[c.Topic].Name == "popped" {
				for q := range p.Topics[c.Topic].Queues {
					committed += max(p.Committed.At(int(c.First+q)), 0)
				}
			}
		}
		// The first message has its ten minutes to go: none is acknowledged.
		if waiting == 0 || waiting != committed {
			return fmt.Errorf("%d messages are in flight, %d were popped", waiting, committed)
		}
		t.Logf("%d messages are in flight", waiting)
		return nil
	})
	b.must(consumer.Kill())
	b.eventually(t, "nobody is left to tell", func(_ context.Context, s *model.Snapshot) error {
		for _, g := range s.Groups {
			if g.Name == "poppers" && (len(g.Clients) > 0 || len(g.InFlight) > 0 || len(g.Pop) == 0) {
				return fmt.Errorf("%d clients, in flight %v, POPs %v", len(g.Clients), g.InFlight, g.Pop)
			}
		}
		return nil
	})
}
