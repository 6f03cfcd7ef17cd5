package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

// process is what a round says of a process of broker-a.
func process(s *model.Snapshot, id int64) *model.Broker {
	for i := range s.Brokers {
		if s.Brokers[i].ID == id {
			return &s.Brokers[i]
		}
	}
	return nil
}

// runtimes: which values each release tells, and that they are those of the
// broker.
func (b *bench) runtimes(t *testing.T) {
	wanted := []model.RuntimeKey{
		model.RuntimeBoot, model.RuntimePutMessages, model.RuntimeGetMessages, model.RuntimePutBytes, model.RuntimePutFailures,
		model.RuntimePutLatency99, model.RuntimePutLatency999, model.RuntimePageCacheLock,
		model.RuntimeCommitLogMin, model.RuntimeCommitLogMax,
		model.RuntimeDispatchBehind, model.RuntimeFlushBehind,
		model.RuntimeCommitLogDisk, model.RuntimeConsumeQueueDisk, model.RuntimeDiskSize, model.RuntimeDiskFree,
	}
	pools := []string{"send", "pull", "query", "endTransaction"}
	// A level that has delivered nothing yet is not told before 5.0.
	delays := []model.DelayLevel{{Level: 1, Delivered: 1, End: 1}}
	if !b.four() {
		delays = append(delays, model.DelayLevel{Level: 18, Delivered: 0, End: 3})
		// Before 5.0 not told of a log of less than two messages of the greatest size.
		wanted = append(wanted, model.RuntimeEarliestMessage)
		wanted = append(wanted, model.RuntimeActive, model.RuntimeTimerPending, model.RuntimeTimerEnqueue, model.RuntimeTimerBehind,
			model.RuntimeSlavesConnected, model.RuntimeSlavesInSync)
		pools = []string{"send", "pull", "query", "litePull", "endTransaction"}
	}
	if b.version == realmq.Version5 {
		pools = []string{"send", "pull", "query", "litePull", "ack", "endTransaction"}
	}
	slices.Sort(wanted)
	b.eventually(t, "all values", func(_ context.Context, s *model.Snapshot) error {
		if s.Odd != 0 {
			return fmt.Errorf("%d odd entries", s.Odd)
		}
		info := process(s, 0).Runtime
		if info == nil {
			return errors.New("the broker tells nothing")
		}
		if got := slices.Sorted(maps.Keys(info.Values)); !slices.Equal(got, wanted) {
			return fmt.Errorf("keys %v, want %v", got, wanted)
		}
		var names []string
		for _, p := range info.Pools {
			names = append(names, p.Name)
			if p.Queued < 0 || p.Capacity < 1000 || (p.HeadWait < 0) != (p.Name == "endTransaction") {
				return fmt.Errorf("pool %+v", p)
			}
		}
		if !slices.Equal(names, pools) {
			return fmt.Errorf("pools %v, want %v", names, pools)
		}
		if !slices.Equal(info.Delays, delays) {
			return fmt.Errorf("delay levels %v, want %v", info.Delays, delays)
		}
		if v := info.Values[model.RuntimeSlavesInSync]; !b.four() && int(v) != len(b.mq.Brokers())-1 {
			return fmt.Errorf("%v slaves are in sync", v)
		}
		return sensible(info)
	})
}

// sensible holds values against each other and the machine's clock.
func sensible(info *model.Runtime) error {
	v := info.Values
	now := float64(time.Now().Unix())
	switch {
	case info.Clock.Sub(info.Taken).Abs() > 2*time.Second:
		return fmt.Errorf("its clock shows %v at %v", info.Clock, info.Taken)
	case v[model.RuntimeBoot] > now || v[model.RuntimeBoot] < now-3600:
		return fmt.Errorf("it was started at %v, it is %v", v[model.RuntimeBoot], now)
	case v[model.RuntimePutMessages] < 50 || v[model.RuntimePutBytes] < 50*80:
		return fmt.Errorf("%v messages of %v bytes were stored, want 53 or more", v[model.RuntimePutMessages], v[model.RuntimePutBytes])
	case v[model.RuntimeCommitLogMax] < v[model.RuntimePutBytes]:
		return fmt.Errorf("%v bytes stored in a log that ends at %v", v[model.RuntimePutBytes], v[model.RuntimeCommitLogMax])
	case math.Abs(cmp.Or(v[model.RuntimeEarliestMessage], now)-now) > 3600:
		return fmt.Errorf("the oldest message is of %v", v[model.RuntimeEarliestMessage])
	case v[model.RuntimeCommitLogDisk] <= 0 || v[model.RuntimeDiskFree] <= 0 || v[model.RuntimeDiskFree] >= v[model.RuntimeDiskSize]:
		return fmt.Errorf("disk %v, %v of %v free", v[model.RuntimeCommitLogDisk], v[model.RuntimeDiskFree], v[model.RuntimeDiskSize])
	case v[model.RuntimePutLatency99] > 10 || v[model.RuntimePutLatency999] < v[model.RuntimePutLatency99]:
		return fmt.Errorf("latencies %v and %v", v[model.RuntimePutLatency99], v[model.RuntimePutLatency999])
	}
	return nil
}

// replication: a slave that has all, and one that is gone.
func (b *bench) replication(t *testing.T) {
	if len(b.mq.Brokers()) == 1 {
		return // 5.1.4, whose master alone is looked at
	}
	connected, inSync := 1.0, 1.0
	if b.four() {
		connected, inSync = -1, -1
	}
	value := func(s *model.Snapshot, id int64, key model.RuntimeKey) float64 {
		if p := process(s, id); p != nil && p.Runtime != nil {
			if v, ok := p.Runtime.Values[key]; ok {
				return v
			}
		}
		return -1
	}
	check := func(what string, connected, inSync float64, behind func(float64) bool) {
		t.Helper()
		b.eventually(t, what, func(_ context.Context, s *model.Snapshot) error {
			c, n, missing := value(s, 0, model.RuntimeSlavesConnected), value(s, 0, model.RuntimeSlavesInSync), value(s, 1, model.RuntimeSlaveBehind)
			if c != connected || n != inSync || !behind(missing) {
				return fmt.Errorf("%s: %v slaves, %v in sync, %v bytes behind; want %v and %v", what, c, n, missing, connected, inSync)
			}
			return nil
		})
	}
	check("the slave has all", connected, inSync, func(v float64) bool { return v == 0 })
	slave := b.mq.Brokers()[1]
	b.must(slave.Kill())
	if connected > 0 {
		connected, inSync = 0, 0
	}
	var told error
	// Its death is a failure of the rounds.
	for range 100 {
		r := b.src.Collect(t.Context())
		b.src.Settle(t.Context())
		s := r.Snapshots[0]
		c, n, missing := value(s, 0, model.RuntimeSlavesConnected), value(s, 0, model.RuntimeSlavesInSync), value(s, 1, model.RuntimeSlaveBehind)
		if told = nil; c != connected || n != inSync || missing != -1 || process(s, 1) != nil && process(s, 1).Up {
			told = fmt.Errorf("the slave is dead: %v slaves, %v in sync, %v bytes behind", c, n, missing)
		}
		if told == nil {
			break
		}
		select {
		case <-t.Context().Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	if told != nil {
		t.Error(told)
	}
}

// dialect compares the words of answers, which are the names of their fields,
// with those of the fake of that release.
func (b *bench) dialect(t *testing.T) {
	fake := b.fake(fakemq.Release(b.version))
	client := remoting.NewClient(remoting.Options{})
	defer client.Close()
	ask := func(addr string, code remoting.RequestCode, fields []string) (remoting.Response, error) {
		var list []remoting.Field
		for i := 0; i < len(fields); i += 2 {
			list = append(list, remoting.Field{Key: fields[i], Value: fields[i+1]})
		}
		return client.Call(t.Context(), addr, remoting.Request{Code: code, Fields: list})
	}
	for _, q := range []struct {
		code   remoting.RequestCode
		fields []string
	}{
		{remoting.GetAllTopicConfig, nil},
		{remoting.GetAllSubscriptionGroup, nil},
		{remoting.GetAllConsumerOffset, nil},
		{remoting.GetTopicStatsInfo, []string{"topic", "orders"}},
		{remoting.GetConsumeStats, []string{"consumerGroup", "billing", "topic", "orders"}},
		{remoting.GetConsumeStats, []string{"consumerGroup", "NO_SUCH_GROUP", "topicList", "orders;unread"}},
		{remoting.QueryConsumeTimeSpan, []string{"topic", "orders", "group", "slow"}},
		{remoting.GetBrokerRuntimeInfo, nil},
		{remoting.GetAllMessageRequestMode, nil},
		{remoting.GetBrokerHAStatus, nil},
		{remoting.GetBrokerConsumeStats, []string{"isOrder", "false"}},
	} {
		is, isErr := ask(b.mq.Brokers()[0].Addr(), q.code, q.fields)
		says, saysErr := ask(fake.Broker("broker-a").Addr(), q.code, q.fields)
		if remoting.Reason(isErr) != remoting.Reason(saysErr) {
			t.Errorf("%s: the broker answers %v, the fake %v", q.code, isErr, saysErr)
			continue
		}
		if want, got := words(is.Body), words(says.Body); !maps.Equal(want, got) {
			t.Errorf("%s: words only of the broker %v, only of the fake %v", q.code, without(want, got), without(got, want))
		}
		if want, got := fieldNames(is), fieldNames(says); !slices.Equal(want, got) {
			t.Errorf("%s: fields %v, the fake has %v", q.code, want, got)
		}
	}
}

// fake is a cluster with the same in it.
func (b *bench) fake(release fakemq.Release) *fakemq.Cluster {
	b.Helper()
	slaves := len(b.mq.Brokers()) - 1
	fake, err := fakemq.Start(fakemq.Options{Release: release, Clusters: []fakemq.ClusterOptions{{Slaves: slaves}}})
	b.must(err)
	b.Cleanup(fake.Close)
	for topic, queues := range map[string]int{"orders": 4, "unread": 3, "empty": 1, "expiring": 1} {
		b.must(fake.AddTopic(fakemq.Topic{Name: topic, Queues: queues}))
	}
	for _, group := range []string{"billing", "slow", "old"} {
		b.must(fake.AddGroup(fakemq.Group{Name: group, Topics: []string{"orders"}}))
	}
	b.must(fake.Produce("orders", 40))
	b.must(fake.Delay("broker-a", 18, 0, 3))
	b.must(fake.Delay("broker-a", 1, 1, 1))
	for q := range 4 {
		b.must(fake.Commit("billing", "orders", "broker-a", q, 10))
		b.must(fake.Commit("slow", "orders", "broker-a", q, int64(2*q+1)))
	}
	return fake
}

var word = regexp.MustCompile(`"([A-Za-z][A-Za-z0-9_]*)":`)

// words are the names of fields in a body. Names of topics and groups stand there
// too: those of the scenario, and of the system, are not compared.
func words(body []byte) map[string]bool {
	list := make(map[string]bool)
	for _, m := range word.FindAllSubmatch(body, -1) {
		name := string(m[1])
		switch {
		case name != strings.ToLower(name) && name == strings.ToUpper(name), strings.Contains(name, "_") && !strings.HasPrefix(name, "scheduleMessageOffset_"),
			slices.Contains([]string{"orders", "unread", "empty", "expiring", "billing", "slow", "old", "BenchmarkTest", "DefaultCluster"}, name):
		default:
			list[name] = true
		}
	}
	return list
}

func without(all, some map[string]bool) []string {
	var list []string
	for name := range all {
		if !some[name] {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func fieldNames(r remoting.Response) []string {
	var list []string
	for _, f := range r.Fields {
		list = append(list, f.Key)
	}
	slices.Sort(list)
	return list
}
