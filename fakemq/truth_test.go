package fakemq

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

func TestOwnerIndexIsTheInverseOfShare(t *testing.T) {
	err := quick.Check(func(a, b uint8) bool {
		total, k := int(a), 1+int(b)%40
		next := 0
		for i := range k {
			from, to := share(i, k, total)
			if from != next || to-from > total/k+1 {
				return false
			}
			for q := from; q < to; q++ {
				if ownerIndex(q, k, total) != i {
					return false
				}
			}
			next = to
		}
		return next == total
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

// twoBrokers is a cluster with topics, groups and processes drawn from a seed.
func twoBrokers(t testing.TB, seed uint64, release Release) *Cluster {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	mq := start(t, Options{Release: release, Clusters: []ClusterOptions{{Brokers: []string{"broker-b", "broker-a"}}}})
	topics := []string{"t0", "t1", "t2"}
	for _, topic := range topics {
		must(t, mq.AddTopic(Topic{Name: topic, Queues: 1 + rng.IntN(9), Begin: int64(rng.IntN(50))}))
		must(t, mq.Produce(topic, int64(rng.IntN(500))))
	}
	for i := range 6 {
		g := Group{Name: fmt.Sprintf("g%d", i), Topics: topics[:1+rng.IntN(3)], Broadcasting: i == 5}
		must(t, mq.AddGroup(g))
		for range rng.IntN(5) {
			mustID(t)(mq.AddConsumer(g.Name, Consumer{}))
		}
		for _, topic := range g.Topics {
			if len(mq.ClientIDs(g.Name)) > 0 {
				if _, err := mq.Consume(g.Name, topic, int64(rng.IntN(300))); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return mq
}

type queueKey struct {
	topic, group, broker string
	queue                int
}

// Backlog says what the answers to 43 and 208 say.
func TestBacklogIsWhatBrokersSay(t *testing.T) {
	for seed := range uint64(20) {
		for _, release := range []Release{Release497, Release550} {
			mq := twoBrokers(t, seed, release)
			want := map[queueKey][3]int64{}
			for _, r := range mq.Backlog() {
				if !r.Broadcast {
					want[queueKey{r.Topic, r.Group, r.Broker, r.Queue}] = [3]int64{r.End, max(0, r.Committed), r.Backlog}
				}
			}
			got, commits := brokersSay(t, mq)
			if len(got) != len(want) {
				t.Errorf("seed %d, %s: %d rows, brokers say %d", seed, release, len(want), len(got))
			}
			for k, w := range want {
				if got[k] != w {
					t.Errorf("seed %d, %s: %+v: %v, brokers say %v", seed, release, k, w, got[k])
				}
			}
			for _, r := range mq.Backlog() {
				committed, ok := commits[queueKey{r.Topic, r.Group, r.Broker, r.Queue}]
				if !r.Broadcast && (ok == r.Uncommitted || ok && committed != r.Committed) {
					t.Errorf("seed %d, %s: %+v: 43 has %d, %v", seed, release, r, committed, ok)
				}
			}
		}
	}
}

// brokersSay gathers end, commit and difference from 208, and commits from 43.
func brokersSay(t *testing.T, mq *Cluster) (stats map[queueKey][3]int64, commits map[queueKey]int64) {
	t.Helper()
	stats, commits = map[queueKey][3]int64{}, map[queueKey]int64{}
	for _, name := range []string{"broker-a", "broker-b"} {
		b := mq.Broker(name)
		var key remoting.OffsetKey
		_, err := remoting.DecodeConsumerOffsets(askOK(t, b, 43), func(k *remoting.OffsetKey) bool {
			key = *k
			return !k.Broadcast
		}, func(queue int32, offset int64) {
			commits[queueKey{string(key.Topic), string(key.Group), name, int(queue)}] = offset
		})
		must(t, err)
		must(t, remoting.DecodeGroups(askOK(t, b, 201), func(g []byte) {
			group := string(g)
			must(t, remoting.DecodeConsumeStats(askOK(t, b, 208, "consumerGroup", group), func(q *remoting.MessageQueue, o *remoting.ConsumeOffset) {
				stats[queueKey{string(q.Topic), group, string(q.Broker), int(q.QueueID)}] =
					[3]int64{o.BrokerOffset, o.ConsumerOffset, max(0, o.BrokerOffset-o.ConsumerOffset)}
			}))
		}))
	}
	return stats, commits
}

// Every queue of an online clustering group has one owner, and that process
// says so itself.
func TestEveryQueueHasOneOwner(t *testing.T) {
	for seed := range uint64(10) {
		mq := twoBrokers(t, seed, Release550)
		held := map[queueKey]string{}
		for i := range 5 {
			group := fmt.Sprintf("g%d", i)
			for _, id := range mq.ClientIDs(group) {
				body := askOK(t, mq.Broker("broker-a"), 307, "consumerGroup", group, "clientId", id)
				must(t, remoting.DecodeRunningInfo(body, func(q remoting.RunningQueue) {
					k := queueKey{string(q.Topic), group, string(q.Broker), int(q.QueueID)}
					if held[k] != "" {
						t.Errorf("seed %d: %+v is held by %s and %s", seed, k, held[k], id)
					}
					held[k] = id
				}))
			}
		}
		for _, r := range mq.Backlog() {
			k := queueKey{r.Topic, r.Group, r.Broker, r.Queue}
			if online := len(mq.ClientIDs(r.Group)) > 0; !r.Broadcast && (online != (r.ClientID != "") || held[k] != r.ClientID) {
				t.Errorf("seed %d: %+v: process says %q", seed, r, held[k])
			}
		}
	}
}

// rows are the backlog rows of one group and topic.
func rows(mq *Cluster, group, topic string) []Row {
	return slices.DeleteFunc(mq.Backlog(), func(r Row) bool { return r.Group != group || r.Topic != topic })
}

func sumOf(rs []Row) (sum int64) {
	for _, r := range rs {
		sum += r.Backlog
	}
	return sum
}

func TestProduceAndConsume(t *testing.T) {
	mq := withOrders(t, Options{})
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	id := mustID(t)(mq.AddConsumer("g", Consumer{IP: "10.9.8.7", PID: 77}))
	must(t, mq.Produce("orders", 3))
	must(t, mq.Produce("orders", 99))
	if n, err := mq.Consume("g", "orders", 42); n != 42 || err != nil {
		t.Fatalf("consumed %d, %v", n, err)
	}
	rs := rows(mq, "g", "orders")
	if len(rs) != 4 || sumOf(rs) != 60 || rs[0].ClientID != id || rs[0].End+rs[3].End != 51 {
		t.Errorf("rows %+v", rs)
	}
	if n, err := mq.Consume("g", "orders", 100); n != 60 || err != nil {
		t.Errorf("consumed %d, %v; want the rest", n, err)
	}
	if rs := rows(mq, "g", retryTopic("g")); len(rs) != 1 || rs[0].Committed != 0 || rs[0].Uncommitted {
		t.Errorf("retry topic %+v", rs)
	}
}

func TestCommitsAheadBehindAndNever(t *testing.T) {
	clock := NewManualClock(time.UnixMilli(1000))
	mq := withOrders(t, Options{Clock: clock})
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	must(t, mq.ProduceTo("orders", "broker-a", 0, 10))
	must(t, mq.ProduceTo("orders", "broker-a", 1, 4))
	clock.Advance(time.Second)
	must(t, mq.ProduceTo("orders", "broker-a", 1, 6))
	must(t, mq.ProduceTo("orders", "broker-a", 2, 10))
	must(t, mq.Commit("g", "orders", "broker-a", 0, 25))
	must(t, mq.Commit("g", "orders", "broker-a", 1, 8))
	must(t, mq.Commit("g", "orders", "broker-a", 1, 3))
	must(t, mq.Expire("orders", "broker-a", 1, 5))
	want := []Row{
		{Queue: 0, Begin: 0, End: 10, Committed: 25, Ahead: 15, Newest: 1000, Next: -1, Consumed: -1},
		{Queue: 1, Begin: 5, End: 10, Committed: 3, Backlog: 7, Newest: 2000, Next: 2000, Consumed: -1},
		{Queue: 2, Begin: 0, End: 10, Committed: -1, Backlog: 10, Newest: 2000, Next: 2000, Consumed: -1, Uncommitted: true},
		{Queue: 3, Committed: -1, Newest: -1, Next: -1, Consumed: -1, Uncommitted: true},
	}
	got := rows(mq, "g", "orders")
	for i := range got {
		got[i].Cluster, got[i].Topic, got[i].Group, got[i].Broker = "", "", "", ""
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDeletedTopicKeepsItsCommitsOnlyIn4x(t *testing.T) {
	for release, want := range map[Release]int64{Release497: 10, Release550: 0} {
		mq := start(t, Options{Release: release})
		must(t, mq.AddTopic(Topic{Name: "orders", Queues: 1}))
		must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
		must(t, mq.Produce("orders", 10))
		must(t, mq.Commit("g", "orders", "broker-a", 0, 10))
		must(t, mq.DeleteTopic("orders"))
		if rs := rows(mq, "g", "orders"); len(rs) > 0 {
			t.Errorf("%s: rows of a deleted topic: %+v", release, rs)
		}
		must(t, mq.AddTopic(Topic{Name: "orders", Queues: 2}))
		rs := rows(mq, "g", "orders")
		if want == 0 && len(rs) > 0 || want > 0 && (len(rs) != 2 || rs[0].Ahead != want || !rs[1].Uncommitted) {
			t.Errorf("%s: rows of the topic made again: %+v", release, rs)
		}
	}
}

func TestDeletedGroup(t *testing.T) {
	for _, clean := range []bool{false, true} {
		mq := withOrders(t, Options{})
		must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
		must(t, mq.Commit("g", "orders", "broker-a", 0, 0))
		must(t, mq.DeleteGroup("g", clean))
		keys := 0
		_, err := remoting.DecodeConsumerOffsets(askOK(t, mq.Broker("broker-a"), 43), func(*remoting.OffsetKey) bool { keys++; return false }, nil)
		if err != nil || (keys == 0) != clean || len(mq.Backlog()) > 0 {
			t.Errorf("clean %v: %d keys, %v, rows %+v", clean, keys, err, mq.Backlog())
		}
		must(t, remoting.DecodeGroups(askOK(t, mq.Broker("broker-a"), 201), func(name []byte) {
			if string(name) == "g" {
				t.Error("the group is still listed")
			}
		}))
	}
}

func TestUnsubscribedTopicHasNoBacklogWhileOnline(t *testing.T) {
	mq := withOrders(t, Options{})
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders", "payments"}}))
	must(t, mq.Produce("payments", 8))
	must(t, mq.Commit("g", "payments", "broker-a", 0, 0))
	id := mustID(t)(mq.AddConsumer("g", Consumer{}))
	must(t, mq.Subscribe("g", "orders"))
	if rs := rows(mq, "g", "payments"); len(rs) > 0 {
		t.Errorf("online: %+v", rs)
	}
	must(t, mq.KillConsumer("g", id))
	if rs := rows(mq, "g", "payments"); sumOf(rs) != 8 || rs[0].ClientID != "" {
		t.Errorf("offline: %+v", rs)
	}
}

func TestBroadcasting(t *testing.T) {
	mq := withOrders(t, Options{})
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}, Broadcasting: true}))
	var ids []string
	for _, ip := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.2"} {
		ids = append(ids, mustID(t)(mq.AddConsumer("g", Consumer{IP: ip})))
	}
	if !slices.Equal(ids, []string{"10.0.0.1@DEFAULT", "10.0.0.2@DEFAULT", "10.0.0.2@DEFAULT"}) {
		t.Errorf("client ids %v", ids)
	}
	must(t, mq.ProduceTo("orders", "broker-a", 0, 10))
	must(t, mq.CommitLocal("g", ids[0], "orders", "broker-a", 0, 10))
	must(t, mq.CommitLocal("g", ids[1], "orders", "broker-a", 0, 4))
	rs := rows(mq, "g", "orders")
	if len(rs) != 12 || sumOf(rs) != 0+6+10 || !rs[0].Broadcast {
		t.Errorf("rows %+v", rs)
	}
	slowest := int64(-1)
	_, err := remoting.DecodeConsumerOffsets(askOK(t, mq.Broker("broker-a"), 43), func(k *remoting.OffsetKey) bool { return k.Broadcast },
		func(_ int32, offset int64) { slowest = offset })
	if err != nil || slowest != 0 {
		t.Errorf("slowest process is at %d, %v; want 0, where the third one stands", slowest, err)
	}
	if err := mq.Commit("g", "orders", "broker-a", 0, 1); err == nil {
		t.Error("a broadcasting group committed to the broker")
	}
}

func TestRebalanceAndDroppedQueue(t *testing.T) {
	mq := withOrders(t, Options{})
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	must(t, mq.Commit("g", "orders", "broker-a", 0, 0))
	owners := func() (out []string) {
		for _, r := range rows(mq, "g", "orders") {
			out = append(out, r.ClientID)
		}
		return out
	}
	a := mustID(t)(mq.AddConsumer("g", Consumer{ID: "a"}))
	if got := owners(); !slices.Equal(got, []string{a, a, a, a}) {
		t.Errorf("one process: %v", got)
	}
	b := mustID(t)(mq.AddConsumer("g", Consumer{ID: "b"}))
	if got := owners(); !slices.Equal(got, []string{a, a, b, b}) {
		t.Errorf("two processes: %v", got)
	}
	must(t, mq.DropQueue("g", "orders", "broker-a", 2))
	if got := owners(); !slices.Equal(got, []string{a, a, "", b}) {
		t.Errorf("one queue given up: %v", got)
	}
	must(t, mq.KillConsumer("g", a))
	if got := owners(); !slices.Equal(got, []string{b, b, b, b}) {
		t.Errorf("one process left: %v", got)
	}
}

func TestResizeTopic(t *testing.T) {
	mq := withOrders(t, Options{})
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	must(t, mq.ProduceTo("orders", "broker-a", 3, 7))
	must(t, mq.Commit("g", "orders", "broker-a", 0, 0))
	must(t, mq.ResizeTopic("orders", 2, 2))
	if rs := rows(mq, "g", "orders"); len(rs) != 2 || sumOf(rs) != 0 {
		t.Errorf("smaller: %+v", rs)
	}
	must(t, mq.ResizeTopic("orders", 6, 6))
	if rs := rows(mq, "g", "orders"); len(rs) != 6 || rs[3].Backlog != 7 {
		t.Errorf("larger: %+v", rs)
	}
}

// Which queues of a topic answers list is of reading or of writing, or of both.
func TestTopicWithoutQueuesOfOneKind(t *testing.T) {
	for _, r := range Releases() {
		t.Run(string(r), func(t *testing.T) {
			mq := withOrders(t, Options{Release: r})
			must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
			mustID(t)(mq.AddConsumer("g", Consumer{}))
			must(t, mq.Produce("orders", 40))
			must(t, mq.Commit("g", "orders", "broker-a", 0, 3))
			whenSince := func(version int32, n int) int {
				if r.since(version) {
					return n
				}
				return 0
			}
			for _, c := range []struct {
				read, write                int
				stats, one, listed, ofAges int
			}{
				{4, 0, whenSince(version530, 4), 4, whenSince(version532, 4), 0},
				{0, 4, 4, 0, 0, 4},
				{0, 0, 0, 0, 0, 0},
			} {
				must(t, mq.ResizeTopic("orders", c.read, c.write))
				for _, q := range []struct {
					code   remoting.RequestCode
					fields []string
					want   int
				}{
					{202, []string{"topic", "orders"}, c.stats},
					{208, []string{"consumerGroup", "x", "topic", "orders"}, c.one},
					{208, []string{"consumerGroup", "x", "topicList", "orders"}, c.listed},
					{303, []string{"topic", "orders", "group", "g"}, c.ofAges},
				} {
					body := string(askOK(t, mq.Broker("broker-a"), q.code, q.fields...))
					if n := strings.Count(body, `"queueId":`); n != q.want {
						t.Errorf("%d to read, %d to write: %s: %d queues, want %d: %s", c.read, c.write, q.code, n, q.want, body)
					}
				}
				if rs := rows(mq, "g", "orders"); len(rs) != c.read {
					t.Errorf("%d to read: %d rows", c.read, len(rs))
				}
			}
			if err := mq.Produce("orders", 1); err == nil || !strings.Contains(err.Error(), "can be written") {
				t.Errorf("produce: %v", err)
			}
		})
	}
}
