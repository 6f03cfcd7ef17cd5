package fakemq

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// popping is a group of two processes that pops orders.
func popping(t *testing.T) (mq *Cluster, ids []string) {
	t.Helper()
	mq = start(t, Options{})
	must(t, mq.AddTopic(Topic{Name: "orders", Queues: 2}))
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	for range 2 {
		ids = append(ids, mustID(t)(mq.AddConsumer("g", Consumer{})))
	}
	must(t, mq.SetPop("g", "orders", true))
	must(t, mq.Produce("orders", 100))
	return mq, ids
}

func TestPoppedMessagesAreInFlightUntilAcknowledged(t *testing.T) {
	mq, ids := popping(t)
	if n, err := mq.Consume("g", "orders", 60); n != 60 || err != nil {
		t.Fatalf("popped %d, %v", n, err)
	}
	var left int64
	for _, r := range rows(mq, "g", "orders") {
		left += r.Backlog
		if r.ClientID != "" {
			t.Errorf("a process holds a queue that is popped: %+v", r)
		}
	}
	want := []InFlight{{"g", "orders", ids[0], 30}, {"g", "orders", ids[1], 30}}
	if got := mq.InFlight(); left != 40 || !slices.Equal(got, want) {
		t.Errorf("%d left, in flight %+v, want 40 and %+v", left, got, want)
	}
	if n, err := mq.Ack("g", ids[0], "orders", 25); n != 25 || err != nil {
		t.Errorf("acknowledged %d, %v", n, err)
	}
	if n, err := mq.ExpirePopped("g", ids[1], "orders", 99); n != 30 || err != nil {
		t.Errorf("expired %d, %v", n, err)
	}
	if got := mq.InFlight(); got[0].Messages != 5 || got[1].Messages != 0 {
		t.Errorf("in flight %+v", got)
	}
	retry := slices.DeleteFunc(mq.Queues(), func(q Queue) bool { return q.Topic != "%RETRY%g_orders" })
	if len(retry) != 1 || retry[0].End != 30 {
		t.Errorf("POP retry topic %+v", retry)
	}
	// What comes back is popped again, beside what was never popped.
	if n, err := mq.Consume("g", "orders", 100); n != 70 || err != nil {
		t.Errorf("popped %d, %v; want the 40 that were left and the 30 that came back", n, err)
	}
	must(t, mq.SetPop("g", "orders", false))
	if rs := rows(mq, "g", "orders"); rs[0].ClientID == "" || len(mq.InFlight()) > 0 {
		t.Errorf("no longer popped: %+v, in flight %+v", rs, mq.InFlight())
	}
}

func TestAnswersAboutPop(t *testing.T) {
	mq, ids := popping(t)
	if _, err := mq.Consume("g", "orders", 7); err != nil {
		t.Fatal(err)
	}
	b := mq.Broker("broker-a")
	var modes, popped, held []string
	must(t, remoting.DecodeRequestModes(askOK(t, b, 402), func(m remoting.RequestMode) {
		modes = append(modes, fmt.Sprintf("%s %s %s", m.Topic, m.Group, m.Mode))
	}))
	body := askOK(t, b, 307, "consumerGroup", "g", "clientId", ids[1])
	must(t, remoting.DecodePopQueues(body, func(q remoting.PopQueue) {
		popped = append(popped, fmt.Sprintf("%s %s %d %d", q.Topic, q.Broker, q.QueueID, q.Waiting))
	}))
	must(t, remoting.DecodeRunningInfo(body, func(q remoting.RunningQueue) { held = append(held, string(q.Topic)) }))
	if !slices.Equal(modes, []string{"orders g POP"}) || !slices.Equal(popped, []string{"orders broker-a -1 4"}) || slices.Contains(held, "orders") {
		t.Errorf("modes %q, popped %q, held %q", modes, popped, held)
	}
}

func TestNoPopWhereItCannotBe(t *testing.T) {
	mq := start(t, Options{Release: Release497})
	must(t, mq.AddTopic(Topic{Name: "orders"}))
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	must(t, mq.AddGroup(Group{Name: "bc", Topics: []string{"orders"}, Broadcasting: true}))
	for _, c := range []struct{ group, topic, words string }{
		{"g", "orders", "4.x"}, {"g", "nosuch", "nosuch"}, {"nosuch", "orders", "nosuch"}, {"bc", "orders", "clustering"},
	} {
		if err := mq.SetPop(c.group, c.topic, true); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s on %s: %v", c.group, c.topic, err)
		}
	}
	if _, err := mq.Ack("g", "nobody", "orders", 1); err == nil {
		t.Error("acknowledged by nobody")
	}
}

func TestTrafficPopsAndAcknowledges(t *testing.T) {
	mq, _ := popping(t)
	tr := NewTraffic(mq, 1)
	must(t, tr.Consume("g", 5))
	tr.Step(12 * time.Second)
	var waiting int64
	for _, f := range mq.InFlight() {
		waiting += f.Messages
	}
	rs := rows(mq, "g", "orders")
	if got := rs[0].Committed + rs[1].Committed; got <= waiting || waiting == 0 || got > 120 {
		t.Errorf("popped %d, of which %d wait: want that some are acknowledged", got, waiting)
	}
}

func TestReplication(t *testing.T) {
	mq := start(t, Options{Clusters: []ClusterOptions{{Slaves: 2}}})
	must(t, mq.AddTopic(Topic{Name: "orders"}))
	must(t, mq.Produce("orders", 100))
	end := int64(100 * messageBytes)
	status := func(id int64) remoting.HAStatus {
		t.Helper()
		h, err := remoting.DecodeHAStatus(askOK(t, mq.BrokerID("broker-a", id), 907))
		must(t, err)
		return h
	}
	check := func(step string, want ...remoting.HAStatus) {
		t.Helper()
		for id, w := range want {
			if got := status(int64(id)); got != w {
				t.Errorf("%s: process %d: %+v, want %+v", step, id, got, w)
			}
		}
	}
	check("all is well", remoting.HAStatus{Master: true, End: end, Slaves: 2, InSync: 2}, remoting.HAStatus{End: end}, remoting.HAStatus{End: end})
	mq.BrokerID("broker-a", 1).FallBehind(1000)
	mq.BrokerID("broker-a", 2).Detach()
	must(t, mq.Produce("orders", 1))
	check("one is behind, one detached", remoting.HAStatus{Master: true, End: end + messageBytes, Slaves: 1, InSync: 1},
		remoting.HAStatus{End: end + messageBytes - 1000}, remoting.HAStatus{End: end})
	var told string
	must(t, remoting.DecodeRuntimeInfo(askOK(t, mq.BrokerID("broker-a", 2), 28), func(k, v []byte) {
		if string(k) == "commitLogMaxOffset" {
			told = string(v)
		}
	}))
	if told != fmt.Sprint(end) {
		t.Errorf("the detached slave's runtime: %s, want %d", told, end)
	}
	mq.BrokerID("broker-a", 2).Attach()
	mq.BrokerID("broker-a", 1).Stop()
	check("one is attached, one is dead", remoting.HAStatus{Master: true, End: end + messageBytes, Slaves: 1, InSync: 1})
	must(t, mq.Produce("orders", maxBehind/messageBytes))
	mq.BrokerID("broker-a", 2).FallBehind(maxBehind)
	if h := status(0); h.Slaves != 1 || h.InSync != 0 {
		t.Errorf("a slave that is far behind: %+v", h)
	}
}

// A broker's clock is in all that it tells, and in nothing else.
func TestSkewedClock(t *testing.T) {
	clock := NewManualClock(time.UnixMilli(1_000_000))
	mq := start(t, Options{Clock: clock, Clusters: []ClusterOptions{{Skew: time.Minute}}})
	must(t, mq.AddTopic(Topic{Name: "orders", Queues: 1}))
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	must(t, mq.Produce("orders", 5))
	must(t, mq.Commit("g", "orders", "broker-a", 0, 2))
	clock.Advance(30 * time.Second)
	b := mq.Broker("broker-a")
	must(t, remoting.DecodeTopicStats(askOK(t, b, 202, "topic", "orders"), func(_ *remoting.MessageQueue, o *remoting.TopicOffset) {
		if o.LastUpdate != 1_060_000 {
			t.Errorf("stored at %d", o.LastUpdate)
		}
	}))
	must(t, remoting.DecodeTimeSpans(askOK(t, b, 303, "topic", "orders", "group", "g"), func(s remoting.TimeSpan) {
		if s.Delay != 30_000 || s.Earliest != 1_060_000 {
			t.Errorf("time span %+v", s)
		}
	}))
	table := map[string]string{}
	must(t, remoting.DecodeRuntimeInfo(askOK(t, b, 28), func(k, v []byte) { table[string(k)] = string(v) }))
	if table["bootTimestamp"] != "1060000" || !strings.Contains(table["runtime"], "0 minutes, 30 seconds") {
		t.Errorf("boot %s, runtime %s", table["bootTimestamp"], table["runtime"])
	}
}

// Where nothing is stored at the commit, the broker takes its clock for the age,
// and 1 more.
func TestTimeSpanWithoutAMessage(t *testing.T) {
	clock := NewManualClock(time.UnixMilli(1_000_000))
	mq := start(t, Options{Clock: clock})
	must(t, mq.AddTopic(Topic{Name: "orders", Queues: 3}))
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	for q := range 2 {
		must(t, mq.ProduceTo("orders", "broker-a", q, 4))
		clock.Advance(time.Second)
		must(t, mq.ProduceTo("orders", "broker-a", q, 4))
	}
	must(t, mq.Commit("g", "orders", "broker-a", 0, 1))
	must(t, mq.Expire("orders", "broker-a", 0, 4))
	now := clock.Now().UnixMilli()
	want := []string{
		fmt.Sprintf("0: %d %d -1 %d", 1_001_000, 1_001_000, now+1),            // the commit is no longer kept
		fmt.Sprintf("1: %d %d %d %d", 1_001_000, 1_002_000, 1_001_000, now+1), // never committed
		"2: -1 -1 -1 " + fmt.Sprint(now+1),                                    // empty, and never committed: -1 is before its end
	}
	var got []string
	must(t, remoting.DecodeTimeSpans(askOK(t, mq.Broker("broker-a"), 303, "topic", "orders", "group", "g"), func(s remoting.TimeSpan) {
		got = append(got, fmt.Sprintf("%d: %d %d %d %d", s.QueueID, s.Earliest, s.Latest, s.Consumed, s.Delay))
	}))
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestRetention(t *testing.T) {
	clock := NewManualClock(time.UnixMilli(1_000_000))
	mq := start(t, Options{Clock: clock})
	must(t, mq.AddTopic(Topic{Name: "orders", Queues: 1}))
	tr := NewTraffic(mq, 1)
	must(t, tr.Produce("orders", 10, 0))
	must(t, tr.Retain("orders", 20*time.Second))
	tr.Step(30 * time.Second)
	q := slices.DeleteFunc(mq.Queues(), func(q Queue) bool { return q.Topic != "orders" })[0]
	if q.End != 300 || q.End-q.Begin != 210 || q.Newest != clock.Now().UnixMilli() {
		t.Errorf("%+v: want the messages of 20 seconds and a step to be kept of 300", q)
	}
	must(t, tr.Retain("orders", 0))
	tr.Step(10 * time.Second)
	if again := slices.DeleteFunc(mq.Queues(), func(q Queue) bool { return q.Topic != "orders" })[0]; again.Begin != q.Begin {
		t.Errorf("retention ended, and the queue begins at %d, before at %d", again.Begin, q.Begin)
	}
	if err := tr.Retain("orders", -1); err == nil {
		t.Error("kept for less than no time")
	}
}

func TestTimer(t *testing.T) {
	mq := start(t, Options{})
	must(t, mq.AddTopic(Topic{Name: "later"}))
	must(t, mq.SetTimer("broker-a", "later", 12))
	b := mq.Broker("broker-a")
	if body := string(askOK(t, b, 61)); !strings.Contains(body, `"timingCount":{"later":{"count":12,"timeStamp":`) {
		t.Errorf("61: %s", body)
	}
	if body := string(askOK(t, b, 28)); !strings.Contains(body, `"timerCongestNum":"12"`) {
		t.Errorf("28: %s", body)
	}
	if err := mq.SetTimer("broker-a", "nosuch", 1); err == nil {
		t.Error("a timer of no topic")
	}
}

// TestDialectOfFiveOne: 5.1.4 stands between the two that are known to the byte.
func TestDialectOfFiveOne(t *testing.T) {
	mq := shop(t, Release514)
	b, slave := mq.Broker("broker-a"), mq.BrokerID("broker-a", 1)
	for _, c := range []struct {
		node   *Node
		code   remoting.RequestCode
		fields []string
		has    []string
		lacks  []string
	}{
		{b, 28, nil, []string{`"brokerVersion":"441"`, `"brokerVersionDesc":"V5_1_4"`, "litePullThreadPoolQueueSize", "timerCongestNum", "getTransferredTps"}, []string{"ackThreadPool"}},
		{b, 43, nil, []string{"groupTopicMap", "dataVersion"}, []string{"pullOffsetTable"}},
		{b, 202, []string{"topic", "orders"}, []string{"lastUpdateTimestamp"}, []string{"topicPutTps"}},
		{b, 208, []string{"consumerGroup", "x", "topicList", "orders"}, []string{`"offsetTable":{}`}, nil},
		{b, 208, []string{"consumerGroup", "g", "topic", "orders"}, []string{"pullOffset"}, nil},
		{b, 402, nil, []string{`{"messageRequestModeMap":{}}`}, nil},
		{slave, 43, nil, []string{`"orders@g":{0:4}`}, nil},
	} {
		f := ask(t, c.node, c.code, c.fields...)
		for _, want := range c.has {
			if !strings.Contains(string(f.Body), want) {
				t.Errorf("%s: %s lacks %s", c.code, f.Body, want)
			}
		}
		for _, not := range c.lacks {
			if strings.Contains(string(f.Body), not) {
				t.Errorf("%s: %s has %s", c.code, f.Body, not)
			}
		}
		if f.Version != 441 || len(f.Fields) > 0 {
			t.Errorf("%s: header %+v", c.code, f.Command)
		}
	}
}
