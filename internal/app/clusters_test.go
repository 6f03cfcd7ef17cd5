package app

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// fromFile are the settings that a file makes.
func fromFile(t *testing.T, text string) config.Valid {
	t.Helper()
	valid, err := config.Load(config.Sources{
		File:   config.ParseFile("mq.yml", []byte(text)),
		Getenv: func(string) string { return "" },
	})
	must(t, err)
	return valid
}

// entry is one cluster of a file, with rounds of a second.
func entry(name string, mq *fakemq.Cluster, more string) string {
	return "- {name: " + name + ", namesrv: [" + strings.Join(mq.NameServers(), ", ") + "], collect: {interval: 1s, timeout: 1h}" + more + "}\n"
}

// small is a cluster with one backlog.
func small(t *testing.T, cluster string, backlog int64) *fakemq.Cluster {
	t.Helper()
	mq := start(t, fakemq.Options{Clusters: []fakemq.ClusterOptions{{Name: cluster, Brokers: []string{"broker-a"}}}})
	must(t, mq.AddTopic(fakemq.Topic{Name: "orders", Queues: 1}))
	must(t, mq.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders"}}))
	addConsumer(t, mq, "billing", fakemq.Consumer{IP: "10.0.0.1", PID: 7})
	must(t, mq.Produce("orders", backlog+1))
	_, err := mq.Consume("billing", "orders", 1)
	must(t, err)
	return mq
}

// Clusters mostly call themselves DefaultCluster. The names of the settings keep
// them apart, in metrics and on the page.
func TestClustersOfTheSameName(t *testing.T) {
	east, west := small(t, "DefaultCluster", 5), small(t, "DefaultCluster", 7)
	a := newStepped(t, fromFile(t, "clusters:\n"+entry("east", east, "")+entry("west", west, ", topics: {system: true}")))
	before := a.scrape()
	a.round()
	s := a.scrape()
	s.want(t, series{
		`rocketmq_msg_diff_topic{cluster="east",topic="orders"}`:         5,
		`rocketmq_msg_diff_topic{cluster="west",topic="orders"}`:         7,
		`rocketmq_up{cluster="east"}`:                                    1,
		`rocketmq_up{cluster="west"}`:                                    1,
		`rocketmq_exporter_rounds_total{cluster="east",result="ok"}`:     1,
		`rocketmq_exporter_rounds_total{cluster="west",result="ok"}`:     1,
		`rocketmq_exporter_rounds_total{cluster="west",result="failed"}`: 0,
	})
	// The label is the same before anything is known.
	before.want(t, series{`rocketmq_exporter_rounds_total{cluster="east",result="ok"}`: 0})
	for k := range s {
		if strings.Contains(k, "DefaultCluster") {
			t.Errorf("RocketMQ's name shows: %s", k)
		}
	}
	page := a.get("/").Body.String()
	for _, name := range []string{"east", "west"} {
		if !strings.Contains(page, name) {
			t.Errorf("the page does not show %s", name)
		}
	}
}

// One dead cluster delays no other: each is read in its own time.
func TestADeadClusterDelaysNoOther(t *testing.T) {
	good, dead := small(t, "good", 5), small(t, "dead", 5)
	dead.NameServer(0).SetMode(fakemq.Silent)
	l := listener(t)
	var log syncBuffer
	r := run(t, newApp(t, fromFile(t, "clusters:\n"+entry("dead", dead, "")+entry("good", good, "")), &log), l)
	rounds := func(s series, cluster string) float64 {
		total := 0.0
		for k, v := range s.of("rocketmq_exporter_rounds_total") {
			if strings.Contains(k, `cluster="`+cluster+`"`) {
				total += v
			}
		}
		return total
	}
	var s series
	eventually(t, "four rounds of the good one", func() bool { s = r.scrape(l); return rounds(s, "good") >= 4 })
	s.want(t, series{`rocketmq_msg_diff_topic{cluster="good",topic="orders"}`: 5, `rocketmq_up{cluster="good"}`: 1})
	if rounds(s, "dead") != 0 {
		t.Fatal("the dead one has ended a round: the test shows nothing")
	}
	if code, body := r.get("http://" + l.Addr().String() + "/-/ready"); code != 503 || !strings.Contains(body, "dead") || strings.Contains(body, "good") {
		t.Errorf("/-/ready: %d %s", code, body)
	}
	must(t, r.end())
	if strings.Contains(log.String(), "name=good") {
		t.Errorf("the good one fails:\n%s", log.String())
	}
	if !strings.Contains(log.String(), "target=dead") || !strings.Contains(log.String(), "target=good") {
		t.Errorf("the log does not say what is read:\n%s", log.String())
	}
}

// snapshots are empty clusters, with as many brokers as their names say.
func snapshots(brokers map[string]int) []*model.Snapshot {
	var list []*model.Snapshot
	for _, name := range slices.Sorted(maps.Keys(brokers)) {
		list = append(list, &model.Snapshot{Cluster: name, Brokers: make([]model.Broker, brokers[name])})
	}
	return list
}

func TestTheNameIsThatOfOneCluster(t *testing.T) {
	tgt := &target{config: config.Cluster{Name: "east"}}
	for _, c := range []struct {
		name    string
		brokers map[string]int
		want    []string
	}{
		{"nothing is known yet", map[string]int{"mq:9876": 0}, []string{"east"}},
		{"the first one", map[string]int{"DefaultCluster": 2}, []string{"east"}},
		{"a larger one comes", map[string]int{"Another": 5, "DefaultCluster": 2}, []string{"east/Another", "east"}},
		{"it is smaller for a while", map[string]int{"Another": 5, "DefaultCluster": 0}, []string{"east/Another", "east"}},
		{"it is no more: the largest", map[string]int{"A": 1, "B": 3, "C": 3}, []string{"east/A", "east", "east/C"}},
	} {
		snaps := snapshots(c.brokers)
		given := slices.Clone(snaps)
		tgt.rename(snaps)
		var got []string
		for i, s := range snaps {
			got = append(got, s.Cluster)
			if given[i].Cluster == s.Cluster {
				t.Errorf("%s: a snapshot was changed that is immutable", c.name)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	unnamed := &target{}
	snaps := snapshots(map[string]int{"a": 1, "b": 2})
	unnamed.rename(snaps)
	if snaps[0].Cluster != "a" || snaps[1].Cluster != "b" {
		t.Error("without a name they have RocketMQ's")
	}
}

func TestDefaultsOfAFileCountForTheClusterOfTheFlags(t *testing.T) {
	mq := small(t, "DefaultCluster", 5)
	valid, err := config.Load(config.Sources{
		Flags:  config.Said{config.KeyNameServers: mq.NameServers()},
		File:   config.ParseFile("mq.yml", []byte("metrics: {prefix: mq}\ndefaults: {topics: {ignore: orders}, collect: {interval: 2s}}\n")),
		Getenv: func(string) string { return "" },
	})
	must(t, err)
	if valid.Clusters[0].Interval != 2*time.Second {
		t.Errorf("interval %v", valid.Clusters[0].Interval)
	}
	a := newStepped(t, valid)
	a.round()
	s := a.scrape()
	s.want(t, series{`mq_up{cluster="DefaultCluster"}`: 1})
	s.lacks(t, `mq_msg_diff_topic{cluster="DefaultCluster",topic="orders"}`)
}
