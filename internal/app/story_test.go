package app

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// film is a fake cluster that is read round by round, by a clock of its own.
type film struct {
	*testing.T
	mq    *fakemq.Cluster
	clock *fakemq.ManualClock
	*target

	ids []string // processes of billing
}

const storyInterval = 15 * time.Second

// storiesOfRounds are what may happen to a cluster whose group billing consumes orders
// with two processes: the exposition at the end of each is a golden file.
func storiesOfRounds() []struct {
	name    string
	release fakemq.Release
	play    func(*film)
} {
	return []struct {
		name    string
		release fakemq.Release
		play    func(*film)
	}{
		{"quiet", fakemq.Release550, func(f *film) { f.rounds(6, 100, 100) }},
		{"falling-behind", fakemq.Release550, func(f *film) {
			f.rounds(4, 100, 100)
			f.rounds(10, 100, 40)
		}},
		{"stalled", fakemq.Release550, func(f *film) {
			f.rounds(4, 100, 100)
			f.rounds(10, 100, 0)
		}},
		{"dead-consumer", fakemq.Release550, func(f *film) {
			f.rounds(4, 100, 100)
			for _, id := range f.ids {
				must(f.T, f.mq.KillConsumer("billing", id))
			}
			f.rounds(5, 100, 0)
		}},
		{"broadcasting", fakemq.Release550, func(f *film) {
			must(f.T, f.mq.AddTopic(fakemq.Topic{Name: "prices", Queues: 1}))
			must(f.T, f.mq.AddGroup(fakemq.Group{Name: "screens", Topics: []string{"prices"}, Broadcasting: true}))
			for range 2 {
				addConsumer(f.T, f.mq, "screens", fakemq.Consumer{})
			}
			slow := f.mq.ClientIDs("screens")[1]
			for range 14 {
				f.rounds(1, 100, 100)
				must(f.T, f.mq.Produce("prices", 10))
				f.consume("screens", "prices", 10)
				must(f.T, f.mq.CommitLocal("screens", slow, "prices", "broker-a", 0, 12))
			}
			f.rounds(1, 100, 100)
		}},
		{"rebalance", fakemq.Release550, func(f *film) {
			f.rounds(3, 100, 60)
			must(f.T, f.mq.KillConsumer("billing", f.ids[0]))
			f.rounds(1, 100, 60)
			addConsumer(f.T, f.mq, "billing", fakemq.Consumer{})
			addConsumer(f.T, f.mq, "billing", fakemq.Consumer{})
			f.rounds(1, 100, 60)
		}},
		{"broker-down", fakemq.Release550, func(f *film) {
			f.rounds(4, 100, 60)
			f.mq.Broker("broker-b").Stop()
			f.rounds(2, 100, 60)
		}},
		{"broker-gone", fakemq.Release550, func(f *film) {
			f.rounds(4, 100, 60)
			f.mq.Broker("broker-b").Stop()
			f.rounds(5, 100, 60)
		}},
		{"topic-recreated", fakemq.Release497, func(f *film) { // which keeps the commits
			f.rounds(4, 100, 100)
			must(f.T, f.mq.DeleteTopic("orders"))
			must(f.T, f.mq.AddTopic(fakemq.Topic{Name: "orders", Queues: 2}))
			f.rounds(2, 12, 0)
		}},
		{"retention-loss", fakemq.Release497, func(f *film) {
			f.rounds(4, 100, 100)
			f.rounds(4, 100, 0)
			must(f.T, f.mq.Expire("orders", "broker-a", 0, 150))
			must(f.T, f.mq.Expire("orders", "broker-b", 1, 120))
			f.rounds(1, 0, 0)
		}},
		{"negative-lag", fakemq.Release550, func(f *film) {
			f.rounds(3, 100, 100)
			must(f.T, f.mq.Commit("billing", "orders", "broker-a", 1, 1000))
			f.rounds(1, 0, 0)
		}},
		{"rewound", fakemq.Release550, func(f *film) {
			f.rounds(4, 100, 100)
			must(f.T, f.mq.Commit("billing", "orders", "broker-a", 0, 0))
			must(f.T, f.mq.Commit("billing", "orders", "broker-a", 1, 0))
			f.rounds(4, 100, 140)
		}},
		{"pop-and-dead-letters", fakemq.Release550, func(f *film) {
			must(f.T, f.mq.SetPop("billing", "orders", true))
			f.rounds(2, 100, 90)
			popped(f.T)(f.mq.Ack("billing", f.ids[0], "orders", 40))
			popped(f.T)(f.mq.ExpirePopped("billing", f.ids[1], "orders", 30))
			must(f.T, f.mq.DeadLetter("billing", "broker-b", 3))
			f.rounds(3, 0, 0)
		}},
		{"exporter-restarted", fakemq.Release550, func(f *film) {
			f.rounds(4, 100, 40)
			f.pasts = nil
			f.rounds(2, 100, 40)
		}},
	}
}

// popped takes how many messages were settled: some must have been.
func popped(t *testing.T) func(int64, error) {
	t.Helper()
	return func(n int64, err error) {
		t.Helper()
		if must(t, err); n == 0 {
			t.Error("nothing was popped")
		}
	}
}

func newFilm(t *testing.T, release fakemq.Release) *film {
	t.Helper()
	clock := fakemq.NewManualClock(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC))
	mq := start(t, fakemq.Options{
		Release: release, Clock: clock, Clusters: []fakemq.ClusterOptions{{Name: "shop", Brokers: []string{"broker-a", "broker-b"}}},
	})
	must(t, mq.AddTopic(fakemq.Topic{Name: "orders", Queues: 2}))
	must(t, mq.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders"}}))
	for range 2 {
		addConsumer(t, mq, "billing", fakemq.Consumer{})
	}
	src := direct.New(direct.Options{
		NameServers: mq.NameServers(), Now: clock.Now, OwnerWait: patience, RuntimeEvery: 24 * time.Hour,
		Remoting: remoting.Options{BackoffMin: 1, BackoffMax: 1},
	})
	t.Cleanup(func() { must(t, src.Close()) })
	return &film{
		T: t, mq: mq, clock: clock, ids: mq.ClientIDs("billing"),
		target: &target{
			config: config.Cluster{Families: groupsAndTopics(t)}, stats: newStats(), now: clock.Now, shown: shown{states: lag.DefaultRules()}, src: src,
		},
	}
}

// groupsAndTopics is every family, those that are to be switched on among them,
// but for what brokers tell of themselves.
func groupsAndTopics(t *testing.T) family.Choice {
	t.Helper()
	var on, off []string
	for _, id := range family.All() {
		switch f := id.Family(); {
		case f.Set == family.OptIn:
			on = append(on, f.Name)
		case strings.HasPrefix(f.Name, "broker_") && id != family.BrokerUp && id != family.BrokerInfo:
			off = append(off, f.Name)
		}
	}
	chosen, err := family.Choose(on, off)
	must(t, err)
	return chosen
}

func (f *film) consume(group, topic string, n int64) {
	f.Helper()
	if _, err := f.mq.Consume(group, topic, n); err != nil {
		f.Fatal(err)
	}
}

// rounds lets rounds pass, and reads the cluster at the end of each.
func (f *film) rounds(n int, produce, consume int64) {
	f.Helper()
	for range n {
		f.clock.Advance(storyInterval)
		must(f.T, f.mq.Produce("orders", produce))
		if consume > 0 {
			f.consume("billing", "orders", consume)
		}
		f.publish(f.src.Collect(f.Context()), 0)
		settle(f.T, f.target)
	}
}

// text is the exposition after the last round. Addresses are the kernel's
// choice: they become names.
func (f *film) text() string {
	f.Helper()
	var b bytes.Buffer
	_, err := exposition.Write(&b, exposition.Text, "rocketmq", f.config.Families, f.state.Load().reports)
	must(f.T, err)
	names := []string{f.mq.NameServer(0).Addr(), "namesrv.example:9876"}
	for _, broker := range []string{"broker-a", "broker-b"} {
		names = append(names, f.mq.Broker(broker).Addr(), broker+".example:10911")
	}
	return strings.NewReplacer(names...).Replace(b.String())
}

// TestStories: what users see of what may happen to a cluster, from the bytes of
// its brokers to the text of the exposition.
func TestStories(t *testing.T) {
	for _, s := range storiesOfRounds() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := newFilm(t, s.release)
			s.play(f)
			got, path := f.text(), filepath.Join("testdata", "stories", s.name+".txt")
			if *update {
				must(t, os.WriteFile(path, []byte(got), 0o600))
			}
			want, err := os.ReadFile(path)
			must(t, err)
			if got != string(want) {
				t.Errorf("differs from %s (-update rewrites it):\n%s", path, diff(string(want), got))
			}
			problems, err := promlint.New(strings.NewReader(got)).Lint()
			must(t, err)
			for _, p := range problems {
				// The label names are a contract with existing dashboards.
				if p.Text != "label names should be written in 'snake_case' not 'camelCase'" {
					t.Errorf("%s: %s", p.Metric, p.Text)
				}
			}
		})
	}
}

// diff lists the lines that only one of two texts has.
func diff(want, got string) string {
	var b strings.Builder
	for _, side := range []struct{ sign, text, other string }{{"-", want, got}, {"+", got, want}} {
		has := make(map[string]bool)
		for line := range strings.Lines(side.other) {
			has[line] = true
		}
		for line := range strings.Lines(side.text) {
			if !has[line] {
				b.WriteString(side.sign + line)
			}
		}
	}
	return b.String()
}
