package fakemq

import (
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

func TestHistoryIsBoundedAndNearlyExact(t *testing.T) {
	var h history
	const limit, batches = 64, 10_000
	for i := range int64(batches) {
		h.add(i*10, 1000+i, limit)
	}
	if len(h.marks) > limit {
		t.Fatalf("%d marks, want at most %d", len(h.marks), limit)
	}
	last := int64(0)
	for offset := range int64(batches * 10) {
		at, stored, now := h.at(offset), 1000+offset/10, int64(1000+batches)
		if at > stored || at < last {
			t.Fatalf("message %d stored at %d, said to be at %d, the one before at %d", offset, stored, at, last)
		}
		if age := now - stored; stored-at > age/2 {
			t.Fatalf("message %d is %d old, said to be %d", offset, age, now-at)
		}
		last = at
	}
	if got := h.at(batches*10 - 1); got != 1000+batches-1 {
		t.Errorf("newest message at %d, want %d", got, 1000+batches-1)
	}
	kept := h.at(batches * 5)
	h.expire(batches * 5)
	if h.at(batches*5) != kept || h.at(0) >= 0 {
		t.Errorf("after expiry: first kept message at %d, want %d; one deleted at %d", h.at(batches*5), kept, h.at(0))
	}
}

func TestStoreTimes(t *testing.T) {
	begin := time.UnixMilli(1_700_000_000_000)
	clock := NewManualClock(begin)
	mq := start(t, Options{Clock: clock})
	must(t, mq.AddTopic(Topic{Name: "orders", Queues: 1}))
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	for range 3 {
		must(t, mq.Produce("orders", 10))
		clock.Advance(time.Minute)
	}
	must(t, mq.Commit("g", "orders", "broker-a", 0, 10))
	b := mq.Broker("broker-a")
	must(t, remoting.DecodeTopicStats(askOK(t, b, 202, "topic", "orders"), func(_ *remoting.MessageQueue, o *remoting.TopicOffset) {
		if want := begin.Add(2 * time.Minute).UnixMilli(); o.LastUpdate != want {
			t.Errorf("last stored at %d, want %d", o.LastUpdate, want)
		}
	}))
	must(t, remoting.DecodeConsumeStats(askOK(t, b, 208, "consumerGroup", "g"), func(_ *remoting.MessageQueue, o *remoting.ConsumeOffset) {
		if want := begin.UnixMilli(); o.LastTimestamp != want {
			t.Errorf("last consumed was stored at %d, want %d", o.LastTimestamp, want)
		}
	}))
	// The next message to consume was stored in the second minute, two ago.
	lines, err := shape(askOK(t, b, 303, "topic", "orders", "group", "g"))
	if err != nil || !lines[".consumeTimeSpanSet.*.delayTime integer"] {
		t.Errorf("303: %v, %v", lines, err)
	}
	mq.mu.RLock()
	defer mq.mu.RUnlock()
	span := string(appendTimeSpan(nil, mq.byName["broker-a"].topics["orders"], 0, 10, mq.now()))
	if want := `"delayTime":120000,`; !contains(span, want) {
		t.Errorf("303 says %s, want %s", span, want)
	}
}

func TestMeter(t *testing.T) {
	var m meter
	for at := int64(1); at < 60_000; at += 100 {
		m.add(at, 5)
	}
	if got := m.perSecond(60_000); got < 45 || got > 55 {
		t.Errorf("rate %v, want about 50", got)
	}
	if got := m.perSecond(600_000); got != 0 {
		t.Errorf("rate long after the last count: %v", got)
	}
}
