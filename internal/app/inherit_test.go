package app

import (
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// later is a round as if it had been some time later.
func later(r source.Round, d time.Duration) source.Round {
	r.Snapshots = slices.Clone(r.Snapshots)
	for i, s := range r.Snapshots {
		moved := *s
		moved.Ended, moved.Taken = s.Ended.Add(d), s.Taken.Add(d)
		moved.Parts = slices.Clone(s.Parts)
		for j, p := range moved.Parts {
			part := *p.Part
			part.Taken = part.Taken.Add(d)
			moved.Parts[j].Part = &part
		}
		r.Snapshots[i] = &moved
	}
	return r
}

// consumed is a cluster in which so many of 60 messages were consumed.
func consumed(t *testing.T, n int64) *fakemq.Cluster {
	t.Helper()
	mq := small(t, "DefaultCluster", 59)
	_, err := mq.Consume("billing", "orders", n-1)
	must(t, err)
	return mq
}

// consoles gives a cluster so many consoles, and their addresses.
func consoles(t *testing.T, mq *fakemq.Cluster, n int) (urls []string) {
	t.Helper()
	for range n {
		console, err := mq.StartConsole(fakemq.ConsoleOptions{})
		must(t, err)
		urls = append(urls, console.URL())
	}
	return urls
}

// A name may be given to another cluster. What was seen of the one that had it
// says nothing of the other: commits of which the offsets are lower did not go
// back.
func TestWhatIsInherited(t *testing.T) {
	one, other := consumed(t, 50), consumed(t, 10)
	second := small(t, "SecondCluster", 3)
	ofOne, ofOther := consoles(t, one, 2), consoles(t, other, 1)
	direct := func(clusters ...*fakemq.Cluster) config.Cluster {
		k := settings(t, clusters[0].NameServers()).Clusters[0]
		for _, mq := range clusters[1:] {
			k.NameServers = append(k.NameServers, mq.NameServers()...)
		}
		k.Name = "east"
		return k
	}
	console := func(url string) config.Cluster {
		k := direct(one)
		k.NameServers = nil
		k.Console = config.Console{URL: url, Timeout: time.Minute, Parallel: 1}
		return k
	}
	for _, c := range []struct {
		name          string
		before, after config.Cluster
		inherited     bool
	}{
		{"the same name server", direct(one), direct(one), true},
		{"another cluster", direct(one), direct(other), false},
		{"its console", direct(one), console(ofOne[0]), true},
		{"no longer its console", console(ofOne[0]), direct(one), true},
		{"the console of another", direct(one), console(ofOther[0]), false},
		{"the same console", console(ofOne[0]), console(ofOne[0] + "/"), true},
		{"a console elsewhere", console(ofOne[0]), console(ofOne[1]), false},
		{"one cluster more", direct(one), direct(one, second), true},
		{"a cluster less", direct(one, second), direct(one), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			read := func(k config.Cluster, before *target) (*target, source.Round) {
				tgt, err := newTarget(k, before)
				must(t, err)
				t.Cleanup(func() { _ = tgt.src.Close() })
				if before != nil {
					tgt.showAsBefore(before)
					tgt.inherit(before)
				}
				return tgt, tgt.src.Collect(t.Context())
			}
			before, r := read(c.before, nil)
			before.publish(r, time.Second)
			past := before.pasts["east"]
			after, r := read(c.after, before)
			after.publish(later(r, time.Minute), time.Second)
			after.publish(later(r, 2*time.Minute), time.Second)
			if got := after.pasts["east"] == past; got != c.inherited {
				t.Errorf("inherited: %v, want %v", got, c.inherited)
			}
			for _, report := range after.state.Load().reports {
				for _, p := range report.Pairs {
					if p.State == lag.Rewound {
						t.Errorf("%s: %s of %s is %s", report.Snapshot.Cluster, p.Group, p.Topic, p.State)
					}
				}
			}
		})
	}
}
