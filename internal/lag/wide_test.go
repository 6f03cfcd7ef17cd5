package lag_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// Of a wide cluster.
const (
	wideBrokers, wideSpread          = 20, 5
	wideQueues                       = 8
	wideTopics, wideGroups, perGroup = 2500, 1250, 4
	wideProcesses                    = 4
)

// wideRounds are rounds of a cluster of many brokers: 200,000 rows of topics that
// lie on five of them each, and 25,000 of the groups' retry topics, which lie on
// all. Each round some messages come and are consumed; one group in ten is far
// behind. A broker tells its commits in the order of a hash table, and its topics
// stand in the order in which they are first met.
func wideRounds(n int) []*model.Snapshot {
	rng := rand.New(rand.NewPCG(1, 2))
	topics, groups := make([]string, wideTopics), make([]*model.Group, wideGroups)
	for i := range topics {
		topics[i] = fmt.Sprintf("topic-of-some-length-%05d", i)
	}
	for g := range groups {
		groups[g] = &model.Group{Name: fmt.Sprintf("consumer-group-%05d", g), Model: model.Clustering, Known: true, Told: true}
		subscribed := []string{"%RETRY%" + groups[g].Name}
		for i := range perGroup {
			subscribed = append(subscribed, topics[(g*perGroup+i)%wideTopics])
		}
		groups[g].Topics = model.TopicSetOf(subscribed...)
		for c := range wideProcesses {
			ip := fmt.Sprintf("10.%d.%d.%d", g>>8, g&255, c)
			groups[g].Clients = append(groups[g].Clients, model.Client{ID: ip + "@1#1", IP: ip, PID: "1"})
		}
	}
	names, retries := make([]string, wideGroups), make([]string, wideGroups)
	for g := range retries {
		names[g], retries[g] = groups[g].Name, "%RETRY%"+groups[g].Name
	}
	rounds := make([]*model.Snapshot, n)
	for i := range rounds {
		rounds[i] = &model.Snapshot{Ended: time.UnixMilli(1_700_000_000_000).Add(time.Duration(i) * interval), Groups: groups}
	}
	for b := range wideBrokers {
		name := fmt.Sprintf("broker-%02d", b)
		type consumed struct {
			topic string
			group int
		}
		var list []consumed
		for g := range groups {
			list = append(list, consumed{retries[g], g})
			for i := range perGroup {
				if at := (g*perGroup + i) % wideTopics; (b-at*wideSpread%wideBrokers+wideBrokers)%wideBrokers < wideSpread {
					list = append(list, consumed{topics[at], g})
				}
			}
		}
		rng.Shuffle(len(list), reflect.Swapper(list))
		var part model.Part
		var owners []int32
		part.Broker, part.Groups = name, names
		places := make(map[string]int32)
		firstCommit := int32(0)
		ends := int32(0)
		for _, c := range list {
			at, ok := places[c.topic]
			if !ok {
				queues := int32(wideQueues)
				if c.topic[0] == '%' {
					queues = 1
				}
				at = int32(len(part.Topics))
				places[c.topic] = at
				part.Topics = append(part.Topics, model.Topic{Name: c.topic, First: ends, Queues: queues})
				ends += queues
			}
			part.Commits = append(part.Commits, model.Commits{Group: int32(c.group), Topic: at, First: firstCommit})
			for q := range part.Topics[at].Queues {
				owners = append(owners, q%wideProcesses)
			}
			firstCommit += part.Topics[at].Queues
		}
		far := make([]int64, len(part.Commits)) // how far each is behind
		for i := range far {
			if far[i] = rng.Int64N(5); part.Commits[i].Group%10 == 0 {
				far[i] = rng.Int64N(50_000)
			}
		}
		start := make([]int64, ends)
		for i := range start {
			start[i] = 50_000 + rng.Int64N(900_000_000)
		}
		for i, s := range rounds {
			p := part
			p.Taken = s.Ended
			for _, t := range p.Topics {
				for q := range t.Queues {
					end, begin := start[t.First+q], start[t.First+q]-50_000
					if t.Queues > 1 {
						end += int64(i) * 10
					} else {
						end, begin = 0, 0
					}
					p.Ends.Append(end)
					p.Begins.Append(begin)
				}
			}
			for j := range p.Commits {
				t := &p.Topics[p.Commits[j].Topic]
				for q := range t.Queues {
					p.Committed.Append(max(p.Ends.At(int(t.First+q))-far[j], 0))
				}
			}
			s.Parts = append(s.Parts, model.PartOfRound{Part: &p, Owners: model.OwnersOf(owners...)})
		}
	}
	return rounds
}

// BenchmarkWide is what a round of many brokers costs when it is read: what the
// past takes of it, its report, and all rows of that.
func BenchmarkWide(b *testing.B) {
	const warm = 6
	rounds := wideRounds(20)
	past := &store.History{}
	next := 0
	begin := func() {
		*past = store.History{}
		for _, s := range rounds[:warm] {
			past.Add(s)
		}
		next = warm
	}
	begin()
	b.Run("add", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if next == len(rounds) {
				b.StopTimer()
				begin()
				b.StartTimer()
			}
			past.Add(rounds[next])
			next++
		}
	})
	last := rounds[next-1]
	var report *lag.Report
	b.Run("build", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			report = lag.BuildAfter(last, past, lag.DefaultRules())
		}
	})
	b.Run("rows", func(b *testing.B) {
		b.ReportAllocs()
		var list []lag.Row
		for b.Loop() {
			list = list[:0]
			for i := range report.Details {
				if i%16 == 0 {
					list = list[:0]
				}
				list = report.AppendRows(list, &report.Details[i])
			}
		}
		b.ReportMetric(float64(report.Rows()), "rows")
	})
}
