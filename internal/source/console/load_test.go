package console

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
)

// world makes topics of so many queues, and groups that share them evenly; each
// group has a process that is behind.
func world(tb testing.TB, mq *fakemq.Cluster, topics, groups, queues int) {
	tb.Helper()
	must := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	subscribed := make([][]string, groups)
	for i := range topics {
		name := fmt.Sprintf("topic-%04d", i)
		must(mq.AddTopic(fakemq.Topic{Name: name, Queues: queues}))
		must(mq.Produce(name, 100))
		subscribed[i%groups] = append(subscribed[i%groups], name)
	}
	for i := range groups {
		name := fmt.Sprintf("group-%04d", i)
		must(mq.AddGroup(fakemq.Group{Name: name, Topics: subscribed[i]}))
		_, err := mq.AddConsumer(name, fakemq.Consumer{})
		must(err)
		for _, topic := range subscribed[i] {
			_, err := mq.Consume(name, topic, 90)
			must(err)
		}
	}
}

// TestCallsOfARound counts what a round costs the console.
func TestCallsOfARound(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, fakemq.ConsoleOptions{Release: release}, []string{"broker-a"}, nil)
		world(t, s.MQ, 40, 10, 2)
		s.Group(fakemq.Group{Name: "asleep", Topics: []string{"topic-0001"}}, 0)
		s.Must(s.MQ.Commit("asleep", "topic-0001", "broker-a", 0, 3))
		s.whole("first")
		before := s.console.Requests()
		const rounds = 12
		for range rounds {
			s.whole("later")
		}
		after := s.console.Requests()
		n := func(path string) int { return after[path] - before[path] }
		for path, want := range map[string]int{
			pathClusters: rounds, pathTopics: rounds,
			pathGroups: 0, pathRefresh: 0, // nothing came or went
			pathRows:       rounds * 11,
			pathConnection: rounds*10 + rounds/4, // one is offline
			pathStats:      0,
		} {
			if n(path) != want {
				t.Errorf("%s: %d calls in %d rounds, want %d", path, n(path), rounds, want)
			}
		}
	})
}

// TestDeletedGroup: a group that is deleted, as the console does it, with its
// retry topic, is gone from the next round.
func TestDeletedGroup(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, fakemq.ConsoleOptions{Release: release}, []string{"broker-a"}, nil)
		s.Shop()
		s.whole("there")
		s.Must(s.MQ.DeleteGroup("archive", true))
		s.Must(s.MQ.DeleteTopic("%RETRY%archive"))
		r := s.Collect()
		s.Compare("gone", r, s.Truth())
		for _, g := range r.Snapshots[0].Groups {
			if g.Name == "archive" {
				t.Error("the group is still known")
			}
		}
	})
}

// TestNewGroup: a group is found at once by its retry topic, and asked at once
// when something hints at processes.
func TestNewGroup(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, fakemq.ConsoleOptions{Release: release}, twoBrokers, nil)
		s.Shop()
		s.whole("three groups")
		s.Group(fakemq.Group{Name: "audit_log", Topics: []string{"audit"}}, 1)
		s.Consume("audit_log", "audit", 30)
		s.whole("a fourth")
		lists := s.console.Requests()
		if n := lists[pathGroups] + lists[pathRefresh]; n > 2 {
			t.Errorf("the list was read %d times", n)
		}
		for _, id := range s.MQ.ClientIDs("audit_log") {
			s.Must(s.MQ.KillConsumer("audit_log", id))
		}
		s.whole("offline")
		s.Consumer("audit_log", fakemq.Consumer{})
		s.whole("online again")
		s.Must(s.MQ.DeleteGroup("audit_log", true))
		for range listGap + 1 {
			s.Compare("deleted", s.Collect(), s.Truth())
		}
		for _, snap := range s.Collect().Snapshots {
			for _, g := range snap.Groups {
				if g.Name == "audit_log" {
					t.Error("a deleted group is still there")
				}
			}
		}
	})
}

// bench is a console that takes 10 ms for a call, before 1000 topics in 250
// groups.
func bench(b *testing.B) (*Source, *fakemq.Console) {
	b.Helper()
	var src *Source
	var c *fakemq.Console
	sourcetest.Start(b, fakemq.Options{Clusters: []fakemq.ClusterOptions{{Brokers: []string{"broker-a"}}}}, source.Selection{},
		func(tb testing.TB, mq *fakemq.Cluster, sel source.Selection) source.Source {
			world(tb, mq, 1000, 250, 8)
			c = startConsole(tb, mq, fakemq.ConsoleOptions{Delay: 10 * time.Millisecond})
			src = newSource(tb, c, Options{Selection: sel})
			return src
		})
	return src, c
}

// BenchmarkRound reads rounds as the source does.
func BenchmarkRound(b *testing.B) {
	src, c := bench(b)
	src.Collect(b.Context()) // what only the first round asks
	before := c.Total()
	b.ReportAllocs()
	for b.Loop() {
		if r := src.Collect(b.Context()); len(r.Failures) > 0 {
			b.Fatal(r.Failures)
		}
	}
	b.ReportMetric(float64(c.Total()-before)/float64(b.N), "calls/op")
}

// BenchmarkTopicByTopic reads rounds as the original exporter does: one topic
// after the other.
func BenchmarkTopicByTopic(b *testing.B) {
	src, c := bench(b)
	get := func(path string, query url.Values, read func(*decoder) error) {
		if err := src.client.get(b.Context(), time.Minute, path, query, read); err != nil {
			b.Fatal(err)
		}
	}
	before := c.Total()
	for b.Loop() {
		var topics map[string]bool
		get(pathTopics, nil, func(d *decoder) (err error) { topics, err = readTopicNames(d); return err })
		for topic, system := range topics {
			if system {
				continue
			}
			get(pathConsumers, url.Values{"topic": {topic}}, func(d *decoder) error { _, err := readGroupsOfTopic(d); return err })
		}
	}
	b.ReportMetric(float64(c.Total()-before)/float64(b.N), "calls/op")
}
