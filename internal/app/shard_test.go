package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// crossed is the shop with more groups on its topics, some of which live in the
// same processes, so that topics, brokers, queues and processes are in several
// shards.
func crossed(t *testing.T) *fakemq.Cluster {
	t.Helper()
	mq := shop(t)
	for i := range 12 {
		group := fmt.Sprintf("group-%02d", i)
		must(t, mq.AddGroup(fakemq.Group{Name: group, Topics: []string{"orders", "audit"}}))
		for p := range 2 {
			addConsumer(t, mq, group, fakemq.Consumer{IP: "10.1.0." + fmt.Sprint(p), PID: i % 3})
		}
		_, err := mq.Consume(group, "orders", int64(20*i))
		must(t, err)
	}
	return mq
}

// sharded are the settings of one of several processes.
func sharded(t *testing.T, mq *fakemq.Cluster, index, total int) config.Valid {
	t.Helper()
	valid, err := config.Load(config.Sources{
		Flags: config.Said{
			config.KeyNameServers: mq.NameServers(), "shard.index": {fmt.Sprint(index)}, "shard.total": {fmt.Sprint(total)},
			"metrics.enable": {"queue_lag_seconds,queue_max_offset,queue_consumer_offset"},
		},
		Getenv: func(string) string { return "" },
	})
	must(t, err)
	return valid
}

// settled is an exposition when every queue has its holder, and all is there
// that is asked behind rounds.
func settled(t *testing.T, a stepped) series {
	t.Helper()
	for _, tgt := range a.targets() {
		eventually(t, "every queue of an online group has its holder", func() bool {
			a.round()
			for _, r := range tgt.state.Load().reports {
				for i := range r.Pairs {
					if r.Pairs[i].Unowned > 0 {
						return false
					}
				}
			}
			return true
		})
	}
	for range 2 {
		for _, tgt := range a.targets() {
			settle(t, tgt)
		}
		a.round()
	}
	return a.scrape()
}

// The parts of four shards add up to the whole, series by series.
func TestFourShardsAddUpToTheWhole(t *testing.T) {
	mq := crossed(t)
	// firstRound makes one, and counts the questions about groups in it.
	firstRound := func(a stepped) int {
		before := mq.Requests()[remoting.GetConsumerConnectionList]
		a.round()
		return mq.Requests()[remoting.GetConsumerConnectionList] - before
	}
	one := newStepped(t, sharded(t, mq, 0, 1))
	groups := firstRound(one)
	whole := settled(t, one)
	const shards = 4
	var parts [shards]series
	questions := 0
	for i := range shards {
		a := newStepped(t, sharded(t, mq, i, shards))
		asked := firstRound(a)
		questions += asked
		if asked == 0 || asked > groups-shards {
			t.Errorf("shard %d asked %d questions, of %d", i, asked, groups)
		}
		parts[i] = settled(t, a)
		parts[i].want(t, series{
			`rocketmq_up{cluster="shop"}`: 1, "rocketmq_exporter_shard_index{}": float64(i), "rocketmq_exporter_shards{}": shards,
		})
	}
	if questions != groups {
		t.Errorf("%d questions about groups, the whole asks %d", questions, groups)
	}

	for _, id := range family.All() {
		f := id.Family()
		if f.Set == family.Exporter || id == family.Up {
			continue
		}
		all := whole.of(f.FullName("rocketmq"))
		if !f.OfGroups() {
			// The first shard has it, and nobody else.
			for i, part := range parts {
				if n := len(part.of(f.FullName("rocketmq"))); i > 0 && n > 0 || i == 0 && n != len(all) {
					t.Errorf("%s: shard %d has %d series of %d", f.Name, i, n, len(all))
				}
			}
			continue
		}
		sum := make(series)
		in := make(map[string]int)
		for _, part := range parts {
			for k, v := range part.of(f.FullName("rocketmq")) {
				sum[k] += v
				in[k]++
			}
		}
		if len(sum) != len(all) {
			t.Errorf("%s: %d series in shards, %d in the whole", f.Name, len(sum), len(all))
		}
		for k, v := range all {
			if sum[k] != v && !strings.Contains(f.Name, "seconds") {
				t.Errorf("%s: the shards add up to %v, the whole is %v", k, sum[k], v)
			}
			if strings.Contains(k, "consumerGroup=") && in[k] != 1 {
				t.Errorf("%s is in %d shards", k, in[k])
			}
		}
	}
	// The test must show what it is to show: sums that are in several parts.
	spread := 0
	for _, part := range parts {
		if _, ok := part[`rocketmq_msg_diff_topic{cluster="shop",topic="orders"}`]; ok {
			spread++
		}
	}
	if spread != shards {
		t.Errorf("the topic is in %d shards: no sum is parted", spread)
	}
}

func TestThePageNamesItsShard(t *testing.T) {
	mq := shop(t)
	for total, want := range map[int]bool{1: false, 4: true} {
		a := newStepped(t, sharded(t, mq, 0, total))
		if got := strings.Contains(a.get("/").Body.String(), "shard 0 of 4"); got != want {
			t.Errorf("of %d: %v", total, got)
		}
	}
}
