package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

// noGroup is in no cluster.
const noGroup = "NO_SUCH_GROUP"

// drained: an operator lets nobody write to a topic any more. What is in it is
// still to be consumed, and the fake tells of its queues what the broker tells.
func (b *bench) drained(t *testing.T) {
	const topic, group = "draining", "drainers"
	ctx, broker := t.Context(), b.mq.Brokers()[0].Addr()
	resize := func(read, write string) {
		t.Helper()
		out, err := b.mq.Admin(ctx, "updateTopic", "-b", broker, "-t", topic, "-r", read, "-w", write)
		if err != nil || !strings.Contains(out, "success") {
			t.Fatalf("updateTopic -r %s -w %s: %v\n%s", read, write, err, out)
		}
	}
	b.must(b.mq.CreateTopic(ctx, realmq.Topic{Name: topic, Queues: 4}))
	b.must(b.mq.CreateGroup(ctx, realmq.Group{Name: group, RetryTopic: true}))
	b.must(b.mq.Produce(ctx, realmq.Messages{Topic: topic, Count: 40}))
	for q := range 4 {
		b.commit(group, topic, q, int64(q+1))
	}
	ends := [4]int64{10, 10, 10, 10}

	resize("4", "0")
	b.listsAsTheFake(t, topic, group, 4, 0)
	b.eventually(t, "only read any more", func(_ context.Context, s *model.Snapshot) error {
		return wantPair(s.Parts[0].Part, topic, group, ends, [4]int64{1, 2, 3, 4})
	})
	rows, err := b.mq.ConsumerProgress(ctx, group)
	b.must(err)
	for _, row := range rows {
		if row.Topic == topic && row.Diff != ends[row.QueueID]-int64(row.QueueID+1) {
			t.Errorf("mqadmin: %+v", row)
		}
	}
	if out, err := b.mq.Admin(ctx, "topicStatus", "-t", topic); (err != nil) != b.before530() || err != nil && !strings.Contains(err.Error(), "Not found the topic stats info") {
		t.Errorf("topicStatus: %v\n%s", err, out)
	}

	// Nobody reads it: there is nothing to be behind on.
	resize("0", "4")
	b.listsAsTheFake(t, topic, group, 0, 4)
	b.eventually(t, "only written any more", func(_ context.Context, s *model.Snapshot) error {
		if named(s.Parts[0].Part, topic) >= 0 {
			return errors.New("it is there")
		}
		return nil
	})
}

// before530 tells the releases whose topic stats list write queues alone.
func (b *bench) before530() bool { return b.version != realmq.Version5 }

func wantPair(p *model.Part, topic, group string, ends, commits [4]int64) error {
	i := named(p, topic)
	if i < 0 {
		return errors.New("the topic is not there")
	}
	var gotEnds, got [4]int64
	if n := copy(gotEnds[:], p.Ends.AppendTo(nil, int(p.Topics[i].First), int(p.Topics[i].Queues))); n != 4 || gotEnds != ends {
		return fmt.Errorf("%d queues end at %v, want %v", n, gotEnds, ends)
	}
	for _, c := range p.Commits {
		if p.GroupOf(&c) == group && int(c.Topic) == i {
			copy(got[:], p.Committed.AppendTo(nil, int(c.First), 4))
		}
	}
	if got != commits {
		return fmt.Errorf("commits %v, want %v", got, commits)
	}
	return nil
}

// listsAsTheFake compares which queues of a topic answers of the broker list, and
// their ends, with those of the fake of the release.
func (b *bench) listsAsTheFake(t *testing.T, topic, group string, read, write int) {
	t.Helper()
	fake, err := fakemq.Start(fakemq.Options{Release: fakemq.Release(b.version)})
	b.must(err)
	defer fake.Close()
	b.must(fake.AddTopic(fakemq.Topic{Name: topic, Queues: 4}))
	b.must(fake.AddGroup(fakemq.Group{Name: group, Topics: []string{topic}}))
	b.must(fake.Produce(topic, 40))
	for q := range 4 {
		b.must(fake.Commit(group, topic, "broker-a", q, int64(q+1)))
	}
	b.must(fake.ResizeTopic(topic, read, write))
	client := remoting.NewClient(remoting.Options{})
	defer client.Close()
	for _, q := range listings(topic, group) {
		is, err := q.ask(t.Context(), client, b.mq.Brokers()[0].Addr())
		b.must(err)
		says, err := q.ask(t.Context(), client, fake.Broker("broker-a").Addr())
		b.must(err)
		if !maps.Equal(is, says) {
			t.Errorf("%d to read, %d to write: %s: the broker lists %v, the fake %v", read, write, q.request.Code, is, says)
		}
		t.Logf("%s, %d to read, %d to write: %s %v: %v", b.version, read, write, q.request.Code, q.request.Fields, is)
	}
}

// listing is a question whose answer lists queues of a topic.
type listing struct {
	request remoting.Request
	decode  func(body []byte, add func(queue int32, end int64)) error
}

func listings(topic, group string) []listing {
	field := func(key, value string) remoting.Field { return remoting.Field{Key: key, Value: value} }
	stats := func(body []byte, add func(int32, int64)) error {
		return remoting.DecodeTopicStats(body, func(q *remoting.MessageQueue, o *remoting.TopicOffset) { add(q.QueueID, o.Max) })
	}
	consume := func(body []byte, add func(int32, int64)) error {
		return remoting.DecodeConsumeStats(body, func(q *remoting.MessageQueue, o *remoting.ConsumeOffset) { add(q.QueueID, o.BrokerOffset) })
	}
	ages := func(body []byte, add func(int32, int64)) error {
		return remoting.DecodeTimeSpans(body, func(s remoting.TimeSpan) { add(s.QueueID, 0) })
	}
	return []listing{
		{remoting.Request{Code: remoting.GetTopicStatsInfo, Fields: []remoting.Field{field("topic", topic)}}, stats},
		{remoting.Request{Code: remoting.GetConsumeStats, Fields: []remoting.Field{field("consumerGroup", noGroup), field("topic", topic)}}, consume},
		{remoting.Request{Code: remoting.GetConsumeStats, Fields: []remoting.Field{field("consumerGroup", noGroup), field("topicList", topic)}}, consume},
		{remoting.Request{Code: remoting.QueryConsumeTimeSpan, Fields: []remoting.Field{field("topic", topic), field("group", group)}}, ages},
	}
}

// ask is the end of each queue that is listed.
func (q *listing) ask(ctx context.Context, client *remoting.Client, addr string) (map[int32]int64, error) {
	answer, err := client.Call(ctx, addr, q.request)
	if err != nil {
		return nil, err
	}
	ends := make(map[int32]int64)
	return ends, q.decode(answer.Body, func(queue int32, end int64) { ends[queue] = end })
}
