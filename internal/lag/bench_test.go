package lag_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// large is a cluster of two brokers with 8 queues per topic on each, where
// every group of three processes consumes 4 topics.
func large(rows int) *model.Snapshot {
	const queues, perGroup = 8, 4
	groups := rows / (2 * queues * perGroup)
	topics := max(groups/2, perGroup)
	var w world
	for _, broker := range []string{"broker-a", "broker-b"} {
		p := w.part(broker)
		for i := range topics {
			p.Topics = append(p.Topics, model.Topic{Name: fmt.Sprintf("topic-of-some-length-%05d", i), First: int32(p.Ends.Len()), Queues: queues})
			for range queues {
				p.Ends.Append(1000)
				p.Begins.Append(unknown)
			}
		}
		for g := range groups {
			p.Groups = append(p.Groups, fmt.Sprintf("consumer-group-%05d", g))
			for i := range perGroup {
				p.Commits = append(p.Commits, model.Commits{
					Group: int32(g), Topic: int32((g*7 + i) % topics), First: int32(p.Committed.Len()),
				})
				for q := range queues {
					p.Committed.Append(900 + int64(q))
				}
			}
		}
	}
	topicNames := w.Parts[0].Topics
	for g := range groups {
		name := fmt.Sprintf("consumer-group-%05d", g)
		var subscribed []string
		for i := range perGroup {
			subscribed = append(subscribed, topicNames[(g*7+i)%topics].Name)
		}
		group := w.online(name, subscribed,
			fmt.Sprintf("10.%d.%d.1@1#1", g>>8, g&255), fmt.Sprintf("10.%d.%d.2@1#1", g>>8, g&255), fmt.Sprintf("10.%d.%d.3@1#1", g>>8, g&255))
		for _, topic := range subscribed {
			own(group, topic, "broker-a", 0, 0, 0, 0, 0, 0, 1, 1)
			own(group, topic, "broker-b", 1, 1, 1, 2, 2, 2, 2, 2)
		}
	}
	return &w.Snapshot
}

// BenchmarkBuild makes a report with the past, which is what a round costs
// besides the past's own part, and of a snapshot alone. A broker tells its
// commits in the order of a hash table.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{16_000, 225_000} {
		s := shuffled(rand.New(rand.NewPCG(1, 2)), large(n))
		past := &store.History{}
		past.Add(s)
		for name, build := range map[string]func() *lag.Report{
			"alone": func() *lag.Report { return lag.Build(s) },
			"past":  func() *lag.Report { return lag.BuildAfter(s, past, lag.DefaultRules()) },
		} {
			b.Run(fmt.Sprintf("rows=%d/%s", n, name), func(b *testing.B) {
				rows := 0
				b.ReportAllocs()
				for b.Loop() {
					rows = build().Rows()
				}
				b.ReportMetric(float64(rows), "rows")
			})
		}
	}
}
