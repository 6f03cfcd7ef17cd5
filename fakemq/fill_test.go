package fakemq

import (
	"strings"
	"testing"
	"time"
)

var brokersOfFour = []ClusterOptions{{Brokers: []string{"broker-0", "broker-1", "broker-2", "broker-3"}}}

// filled is topics of 2 queues on 2 of 4 brokers, and groups of 2 topics.
func filled(t testing.TB, processes int) *Cluster {
	mq := start(t, Options{Clusters: brokersOfFour, Clock: NewManualClock(time.UnixMilli(1_000_000))})
	must(t, mq.Fill(Size{Topics: 10, Spread: 2, Queues: 2, Groups: 5, TopicsPerGroup: 2, Processes: processes}))
	return mq
}

func TestFill(t *testing.T) {
	mq := filled(t, 3)
	rows := mq.Backlog()
	// 2 topics of 2 queues on 2 brokers each, and the queue of the retry topic
	// on the 4 brokers of both.
	if want := 5 * (2*2*2 + 4); len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	processes := make(map[string]bool)
	for _, r := range rows {
		if retry := strings.HasPrefix(r.Topic, "%RETRY%"); retry && (r.End != 0 || r.Committed != 0) {
			t.Errorf("a retry topic is not empty: %+v", r)
		} else if !retry && (r.Committed <= 0 || r.Backlog >= filledFar || r.Ahead > 0) {
			t.Errorf("a row is not a little behind: %+v", r)
		}
		if r.ClientID == "" {
			t.Errorf("nobody holds %+v", r)
		}
		processes[r.ClientID] = true
	}
	if len(processes) != 5*3 {
		t.Errorf("%d processes hold queues, want 15", len(processes))
	}
}

func TestFillIsTheSameAgain(t *testing.T) {
	a, b := filled(t, 0).Backlog(), filled(t, 0).Backlog()
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("once %+v, once %+v", a[i], b[i])
		}
	}
}

func TestDrift(t *testing.T) {
	mq := filled(t, 1)
	must(t, mq.KillConsumer(FilledGroup(0), mq.ClientIDs(FilledGroup(0))[0]))
	before := mq.Backlog()
	mq.Drift(100)
	for i, now := range mq.Backlog() {
		then := before[i]
		came, went := now.End-then.End, now.Committed-then.Committed
		switch {
		case strings.HasPrefix(now.Topic, "%RETRY%"):
			if came != 0 || went != 0 {
				t.Errorf("a retry topic moved: %+v", now)
			}
		case came != 100:
			t.Errorf("%d messages came to %+v", came, now)
		case now.Group == FilledGroup(0) && went != 0:
			t.Errorf("a group that is offline committed %d: %+v", went, now)
		case now.Group != FilledGroup(0) && went != 100:
			t.Errorf("%d messages were consumed of %+v", went, now)
		}
	}
}

func TestFillRefuses(t *testing.T) {
	mq := start(t, Options{})
	err := mq.Fill(Size{Topics: 0, Spread: 2, Queues: 1 << 20, Groups: -1, TopicsPerGroup: 2, Processes: -1})
	if err == nil {
		t.Fatal("it was filled")
	}
	for _, want := range []string{"topics: 0", "brokers of a topic: 2", "queues of a topic on a broker: 1048576", "groups: -1", "topics of a group: 2", "processes of a group: -1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
