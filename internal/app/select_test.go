package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// crowd is a cluster of 50,000 rows: 20 groups of two processes each consume all
// of 125 topics, with 10 queues on each of two brokers, and each row has a
// backlog of its own.
func crowd(t *testing.T) *fakemq.Cluster {
	t.Helper()
	brokers := []string{"broker-a", "broker-b"}
	mq := start(t, fakemq.Options{Clusters: []fakemq.ClusterOptions{{Name: "crowd", Brokers: brokers}}})
	var topics []string
	for i := range 125 {
		name := fmt.Sprintf("topic-%03d", i)
		topics = append(topics, name)
		must(t, mq.AddTopic(fakemq.Topic{Name: name, Queues: 10}))
		must(t, mq.Produce(name, 2*10*100_000))
	}
	row := int64(0)
	for g := range 20 {
		group := fmt.Sprintf("group-%02d", g)
		must(t, mq.AddGroup(fakemq.Group{Name: group, Topics: topics}))
		for _, topic := range topics {
			for _, broker := range brokers {
				for q := range 10 {
					row++
					must(t, mq.Commit(group, topic, broker, q, row*7919%100_000))
				}
			}
		}
		for p := range 2 {
			addConsumer(t, mq, group, fakemq.Consumer{IP: fmt.Sprintf("10.0.%d.%d", g, p), PID: 7})
		}
	}
	return mq
}

// counts is how many series each metric about the clusters has.
func (s series) counts() map[string]int {
	n := make(map[string]int)
	for k := range s {
		name, _, _ := strings.Cut(k, "{")
		if strings.HasPrefix(name, "rocketmq_") && !strings.HasPrefix(name, "rocketmq_exporter_") {
			n[strings.TrimPrefix(name, "rocketmq_")]++
		}
	}
	return n
}

// Filters and limits on 50,000 rows: how many series there are, what is left
// out, and by which rule. No sum knows of any of it.
func TestFiltersAndLimitsOnFiftyThousandRows(t *testing.T) {
	mq := crowd(t)
	one := newStepped(t, settings(t, mq.NameServers()))
	eventually(t, "every queue has its holder", func() bool {
		one.round()
		r := one.targets()[0].state.Load().reports[0]
		return r.Rows() > 0 && !slices.ContainsFunc(r.Details, func(d lag.Detail) bool {
			return slices.ContainsFunc(r.AppendRows(nil, &d), func(row lag.Row) bool { return row.Holder == lag.NoHolder })
		})
	})
	whole := one.scrape()
	// Besides the rows there are the retry topics of the groups, of one queue.
	if n := whole.counts(); n["msg_diff_detail"] != 50_040 || n["msg_diff_topic_consumergroup"] != 2520 || n["msg_diff_clientinfo"] != 40 {
		t.Fatalf("%v", n)
	}
	filter := func(t *testing.T, include, exclude string) config.Filter {
		t.Helper()
		valid, err := config.Load(config.Sources{
			Flags:  config.Said{config.KeyNameServers: {"mq:1"}, "topics.include": {include}, "topics.exclude": {exclude}},
			Getenv: func(string) string { return "" },
		})
		must(t, err)
		return valid.Clusters[0].Topics
	}
	const perMetric, all = "series_per_metric", "series"
	for _, c := range []struct {
		name    string
		edit    func(*testing.T, *config.Cluster)
		want    map[string]int // series of these metrics
		sums    bool           // they are those of the whole
		dropped map[string]string
	}{
		{
			"topics", func(t *testing.T, k *config.Cluster) { k.Topics = filter(t, "topic-00.", "topic-005") },
			map[string]int{"msg_diff_detail": 9 * 20 * 20, "msg_diff_topic": 9, "msg_diff_topic_consumergroup": 180, "msg_diff_consumergroup": 20},
			false, nil,
		},
		{
			"groups", func(t *testing.T, k *config.Cluster) { k.Groups = filter(t, "", "group-1.*") },
			map[string]int{"msg_diff_detail": 25_020, "msg_diff_topic": 135, "msg_diff_consumergroup": 10, "consumergroup_members": 10},
			false, nil,
		},
		{
			"clients", func(t *testing.T, k *config.Cluster) { k.Clients = filter(t, "", `10\.0\.\d+\.0@7`) },
			map[string]int{"msg_diff_detail": 25_020, "msg_diff_clientinfo": 20, "consumergroup_client_info": 20, "msg_diff_topic": 145},
			true, map[string]string{"msg_diff_detail": "clients", "msg_diff_clientinfo": "clients", "consumergroup_client_info": "clients"},
		},
		{
			"by client", func(_ *testing.T, k *config.Cluster) { k.Detail = config.ByClient },
			map[string]int{"msg_diff_detail": 5040, "msg_diff_clientinfo": 40}, true, nil,
		},
		{
			"by group", func(_ *testing.T, k *config.Cluster) { k.Detail = config.ByGroup },
			map[string]int{"msg_diff_detail": 2520, "msg_diff_clientinfo": 40}, true, nil,
		},
		{
			"series of each metric", func(_ *testing.T, k *config.Cluster) { k.FamilyLimit = 1000 },
			map[string]int{"msg_diff_detail": 1000, "msg_diff_topic_consumergroup": 1000, "consumergroup_ahead_messages": 1000, "msg_diff_topic": 145, "msg_diff_clientinfo": 40},
			true, map[string]string{"msg_diff_detail": perMetric, "msg_diff_topic_consumergroup": perMetric},
		},
		{
			"series", func(_ *testing.T, k *config.Cluster) { k.Limit = 10_000 },
			map[string]int{"msg_diff_topic": 145, "msg_diff_clientinfo": 40, "msg_diff_consumergroup": 20},
			true, map[string]string{"msg_diff_detail": all},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := one
			if !c.sums { // another selection is another source
				a = newStepped(t, settings(t, mq.NameServers(), func(s *config.Config) { c.edit(t, &s.Clusters[0]) }))
			} else {
				k := a.targets()[0].config
				c.edit(t, &k)
				a.targets()[0].show(k)
				clear(a.targets()[0].stats.dropped)
			}
			a.round()
			got := a.scrape()
			n := got.counts()
			for metric, want := range c.want {
				if n[metric] != want {
					t.Errorf("%d series of %s, want %d", n[metric], metric, want)
				}
			}
			total := 0
			for _, v := range n {
				total += v
			}
			if c.name == "series" && (total > 10_000 || total < 9900) {
				t.Errorf("%d series", total)
			}
			for metric, rule := range c.dropped {
				k := key("rocketmq_exporter_series_dropped_total", map[string]string{"cluster": "crowd", "metric": "rocketmq_" + metric, "rule": rule})
				if left := float64(whole.counts()[metric] - n[metric]); left <= 0 || got[k] != left {
					t.Errorf("%s is %v, and %v are left out", k, got[k], left)
				}
			}
			if (len(got.of("rocketmq_exporter_series_dropped_total")) > 0) != (c.dropped != nil) {
				t.Errorf("left out: %v", got.of("rocketmq_exporter_series_dropped_total"))
			}
			if c.sums {
				for _, metric := range []string{"topic", "consumergroup", "broker", "queue"} {
					for k, v := range got.of("rocketmq_msg_diff_" + metric) {
						if whole[k] != v {
							t.Errorf("%s is %v, and was %v", k, v, whole[k])
						}
					}
				}
			}
			if c.name == "series of each metric" {
				keepsTheWorst(t, whole.of("rocketmq_msg_diff_detail"), got.of("rocketmq_msg_diff_detail"))
				keepsTheWorst(t, whole.of("rocketmq_msg_diff_topic_consumergroup"), got.of("rocketmq_msg_diff_topic_consumergroup"))
			}
		})
	}
}

// keepsTheWorst: nothing that is left out is more than what is kept.
func keepsTheWorst(t *testing.T, all, kept series) {
	t.Helper()
	least, most := float64(1<<62), 0.0
	for k, v := range all {
		if _, ok := kept[k]; ok {
			least = min(least, v)
		} else {
			most = max(most, v)
		}
	}
	if most > least || most == 0 {
		t.Errorf("%v is left out, and %v is kept", most, least)
	}
}

// Groups that are filtered out are not asked about.
func TestGroupsThatAreFilteredOutAreNotAskedAbout(t *testing.T) {
	mq := shop(t)
	valid, err := config.Load(config.Sources{
		Flags:  config.Said{config.KeyNameServers: mq.NameServers(), "groups.include": {"billing"}},
		Getenv: func(string) string { return "" },
	})
	must(t, err)
	a := newStepped(t, valid)
	a.round()
	if n := mq.Requests()[remoting.GetConsumerConnectionList]; n != 1 {
		t.Errorf("%d questions about groups, one is wanted", n)
	}
	if n := a.scrape().counts()["consumergroup_members"]; n != 1 {
		t.Errorf("%d groups", n)
	}
}

// TestStateSettings: what is said of states is what they are judged by, and
// where nothing is said the rules have their own defaults.
func TestStateSettings(t *testing.T) {
	c := settings(t, nil).Clusters[0]
	if got, want := states(c.States), lag.DefaultRules(); got != want {
		t.Errorf("defaults of the settings: %+v, of the rules: %+v", got, want)
	}
	c.States = config.States{
		Lagging: time.Second, Stalled: 2 * time.Second, Stopped: 3 * time.Second, RewoundAfter: 4 * time.Second, RewoundFor: 5 * time.Second,
	}
	built, err := newTarget(c, nil)
	must(t, err)
	t.Cleanup(func() { must(t, built.src.Close()) })
	if want := (lag.Rules{
		Lagging: time.Second, Stalled: 2 * time.Second, Stopped: 3 * time.Second, RewoundAfter: 4 * time.Second, RewoundFor: 5 * time.Second,
	}); built.isShown().states != want {
		t.Errorf("%+v, want %+v", built.isShown().states, want)
	}
}
