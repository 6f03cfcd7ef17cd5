package fakemq

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// moving is a cluster with a manual clock and traffic on one topic.
func moving(t testing.TB, seed uint64) (*Cluster, *Traffic) {
	t.Helper()
	mq := start(t, Options{
		Clock:    NewManualClock(time.UnixMilli(1_700_000_000_000)),
		Clusters: []ClusterOptions{{Brokers: []string{"broker-a", "broker-b"}}},
	})
	must(t, mq.AddTopic(Topic{Name: "orders"}))
	tr := NewTraffic(mq, seed)
	must(t, tr.Produce("orders", 100, 0.5))
	for _, name := range []string{"quick", "slow", "hung"} {
		must(t, mq.AddGroup(Group{Name: name, Topics: []string{"orders"}}))
		mustID(t)(mq.AddConsumer(name, Consumer{ID: name + "-1"}))
		mustID(t)(mq.AddConsumer(name, Consumer{ID: name + "-2"}))
		for _, b := range []string{"broker-a", "broker-b"} {
			for q := range 4 {
				must(t, mq.Commit(name, "orders", b, q, 0))
			}
		}
	}
	must(t, tr.Consume("quick", 200))
	must(t, tr.Consume("slow", 40))
	must(t, tr.Consume("hung", 0))
	return mq, tr
}

func TestStepsOfOneSeedAreEqual(t *testing.T) {
	var first []Row
	for i := range 3 {
		mq, tr := moving(t, 7)
		tr.Step(90 * time.Second)
		tr.Step(1500 * time.Millisecond)
		if i == 0 {
			first = mq.Backlog()
		} else if !slices.Equal(mq.Backlog(), first) {
			t.Fatal("the same seed led elsewhere")
		}
	}
	mq, tr := moving(t, 8)
	tr.Step(91500 * time.Millisecond)
	if slices.Equal(mq.Backlog(), first) {
		t.Error("another seed led to the same numbers")
	}
}

func TestTrafficDoesWhatItsRatesSay(t *testing.T) {
	mq, tr := moving(t, 1)
	tr.Step(10 * time.Minute)
	produced := int64(0)
	for _, r := range rows(mq, "quick", "orders") {
		produced += r.End
	}
	if produced < 57_000 || produced > 63_000 {
		t.Errorf("%d messages in ten minutes at 100/s", produced)
	}
	if body := string(askOK(t, mq.Broker("broker-a"), 202, "topic", "orders")); contains(body, `"topicPutTps":0.0`) {
		t.Errorf("no rate in %s", body)
	}
	if got := sumOf(rows(mq, "quick", "orders")); got > 100*6*2 {
		t.Errorf("the quick group is behind by %d", got)
	}
	if got := sumOf(rows(mq, "slow", "orders")); got < produced-600*80 || got > produced-590*80 {
		t.Errorf("the slow group is behind by %d of %d, want about %d", got, produced, produced-600*80)
	}
	if got := sumOf(rows(mq, "hung", "orders")); got != produced {
		t.Errorf("the hung group is behind by %d of %d", got, produced)
	}
}

func TestCommitsComeEveryFiveSeconds(t *testing.T) {
	mq, tr := moving(t, 3)
	commits := 0
	last := int64(-1)
	for range 60 {
		tr.Step(time.Second)
		if at := rows(mq, "slow", "orders")[0].Committed; at != last {
			commits++
			last = at
		}
	}
	if commits < 11 || commits > 14 {
		t.Errorf("%d commits in a minute, want one every five seconds", commits)
	}
}

func TestTrafficPassesOverWhatIsGone(t *testing.T) {
	mq, tr := moving(t, 4)
	tr.Step(10 * time.Second)
	mq.Broker("broker-a").Stop()
	before := rows(mq, "quick", "orders")
	tr.Step(20 * time.Second)
	for i, r := range rows(mq, "quick", "orders") {
		if moved := r.End != before[i].End || r.Committed != before[i].Committed; moved != (r.Broker == "broker-b") {
			t.Errorf("%s, queue %d: from %+v to %+v", r.Broker, r.Queue, before[i], r)
		}
	}
	must(t, mq.KillConsumer("quick", "quick-1"))
	must(t, mq.DeleteGroup("slow", true))
	must(t, mq.DeleteTopic("orders"))
	tr.Step(20 * time.Second)
}

func TestPlansHappenInOrder(t *testing.T) {
	_, tr := moving(t, 5)
	var got []int
	tr.After(20*time.Second, func() { got = append(got, 2) })
	tr.After(10*time.Second, func() {
		got = append(got, 1)
		tr.After(15*time.Second, func() { got = append(got, 3) })
	})
	tr.Step(24 * time.Second)
	tr.Step(2 * time.Second)
	if !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("order %v", got)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	mq := withOrders(t, Options{})
	tr := NewTraffic(mq, 1)
	must(t, tr.Produce("orders", 1e6, 0))
	ctx, cancel := context.WithCancel(t.Context())
	tr.After(time.Nanosecond, cancel)
	if err := tr.Run(ctx, time.Millisecond); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestBadRates(t *testing.T) {
	tr := NewTraffic(withOrders(t, Options{}), 1)
	zero := 0.0
	for _, err := range []error{
		tr.Produce("orders", -1, 0), tr.Produce("orders", zero/zero, 0), tr.Produce("orders", 1, 2),
		tr.Consume("g", -1), tr.ConsumeAs("g", "x", 1/zero), tr.Run(t.Context(), 0),
	} {
		if err == nil {
			t.Error("no error")
		}
	}
}
