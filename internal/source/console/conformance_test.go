package console

import (
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
)

// allowed are the paths of this package, on purpose listed once more: each only
// reads, the login apart.
var allowed = []string{
	"/cluster/list.query",
	"/topic/list.query",
	"/topic/queryConsumerByTopic.query",
	"/topic/stats.query",
	"/topic/route.query",
	"/consumer/groupList.query",
	"/consumer/group.refresh.all",
	"/consumer/queryTopicByConsumer.query",
	"/consumer/consumerConnection.query",
	"/consumer/consumerRunningInfo.query",
	"/rocketmq-dashboard/csrf-token",
	"/login/login.do",
}

func onlyReads(tb testing.TB, c *fakemq.Console) {
	tb.Helper()
	for path, n := range c.Requests() {
		if !slices.Contains(allowed, path) {
			tb.Errorf("%s was called %d times", path, n)
		}
	}
}

// TestConformance plays every story through a console of each release. The
// source looks at everything in every round, as stories expect to see at once
// what on real clusters may take some rounds.
func TestConformance(t *testing.T) {
	sourcetest.EachRelease(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		sourcetest.Run(t, sourcetest.Able{}, func(tb testing.TB, mq *fakemq.Cluster, s source.Selection) source.Source {
			return newSource(tb, startConsole(tb, mq, fakemq.ConsoleOptions{Release: release}), eager(Options{Selection: s}))
		})
	}, fakemq.Console100, fakemq.Console211)
}

// eager looks at everything in every round and is not in a hurry.
func eager(o Options) Options {
	o.GroupRounds, o.OfflineRounds, o.BeginRounds, o.SlowEvery = 1, 1, 1, 1
	o.CallTimeout, o.ProcessTimeout = time.Minute, time.Minute
	return o
}

func startConsole(tb testing.TB, mq *fakemq.Cluster, o fakemq.ConsoleOptions) *fakemq.Console {
	tb.Helper()
	c, err := mq.StartConsole(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { onlyReads(tb, c) })
	return c
}

func newSource(tb testing.TB, c *fakemq.Console, o Options) *Source {
	tb.Helper()
	o.URL = c.URL()
	src, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return src
}
