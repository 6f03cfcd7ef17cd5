package store

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// large is a round of a cluster of two brokers with 8 queues per topic on each,
// where every group consumes 4 topics. One group in ten stands still, at what was
// there before; its ages were asked for. Lists that do not change are those of
// the round before, if there is one.
func large(groups, round int, before *model.Snapshot) *model.Snapshot {
	const queues, perGroup = 8, 4
	topics := max(groups/2, perGroup)
	at := began().Add(time.Duration(round) * interval)
	s := &model.Snapshot{Ended: at}
	for b, broker := range []string{"broker-a", "broker-b"} {
		p := &model.Part{Broker: broker, Taken: at}
		for i := range topics {
			p.Topics = append(p.Topics, model.Topic{Name: fmt.Sprintf("topic-of-some-length-%05d", i), First: int32(p.Ends.Len()), Queues: queues})
			for q := range queues {
				p.Ends.Append(int64(1000 + (10+q)*round))
				p.Begins.Append(model.Unknown)
			}
		}
		for g := range groups {
			p.Groups = append(p.Groups, fmt.Sprintf("consumer-group-%05d", g))
			for i := range perGroup {
				p.Commits = append(p.Commits, model.Commits{
					Group: int32(g), Topic: int32((g*7 + i) % topics), First: int32(p.Committed.Len()),
				})
				for q := range queues {
					commit := int64(1000 + (10+q)*(round-1))
					if g%10 == 0 {
						commit = 900
					}
					p.Committed.Append(commit)
				}
			}
		}
		for g := 0; g < groups; g += 10 {
			for i := range perGroup {
				p.Waits = append(p.Waits, model.Wait{
					Topic: p.Topics[(g*7+i)%topics].Name, Group: fmt.Sprintf("consumer-group-%05d", g), Taken: began(),
					Committed: slices.Repeat([]int64{900}, queues), Ages: slices.Repeat([]int64{3_600_000}, queues),
				})
			}
		}
		if before != nil {
			last := before.Parts[b].Part
			p.Topics, p.Groups, p.Commits, p.Waits = last.Topics, last.Groups, last.Commits, last.Waits
		}
		s.Parts = append(s.Parts, model.PartOfRound{Part: p})
	}
	for g := range groups {
		s.Groups = append(s.Groups, &model.Group{Name: fmt.Sprintf("consumer-group-%05d", g), Known: true})
	}
	return s
}

// BenchmarkAdd is a round of history, with what it keeps.
func BenchmarkAdd(b *testing.B) {
	for _, groups := range []int{250, 3515} {
		b.Run(fmt.Sprintf("rows=%d", groups*64), func(b *testing.B) {
			const rounds = 50
			snaps := make([]*model.Snapshot, rounds)
			for i := range snaps {
				snaps[i] = large(groups, i, snaps[max(i-1, 0)])
			}
			before := heap()
			h := &History{}
			i := 0
			add := func() {
				if i%rounds == 0 {
					h = &History{}
				}
				h.Add(snaps[i%rounds])
				i++
			}
			for range rounds {
				add()
			}
			kept := heap() - before
			b.ReportAllocs()
			for b.Loop() {
				add()
			}
			b.ReportMetric(float64(kept)/1e6, "MB-kept")
			runtime.KeepAlive(snaps)
		})
	}
}

// farBehind is a round of 1000 topics of 8 queues, to which some messages come in
// every round, and of which a group has consumed nothing since the first. Lists
// that do not change are those of the round before, if there is one.
func farBehind(round int, before *model.Part) *model.Part {
	const topics, queues = 1000, 8
	p := &model.Part{Broker: "a", Taken: began().Add(time.Duration(round) * 15 * time.Second), Groups: []string{"archive"}}
	for i := range topics {
		p.Topics = append(p.Topics, model.Topic{Name: fmt.Sprintf("topic-%04d", i), First: int32(p.Ends.Len()), Queues: queues})
		p.Commits = append(p.Commits, model.Commits{Topic: int32(i), First: int32(p.Committed.Len())})
		for q := range queues {
			p.Ends.Append(int64(100_000 + 300*round + (round*7919+i*104_729+q*1299)%200))
			p.Begins.Append(model.Unknown)
			p.Committed.Append(99_000)
		}
	}
	if before != nil {
		p.Topics, p.Groups, p.Commits = before.Topics, before.Groups, before.Commits
	}
	return p
}

// BenchmarkFarBehind is a round of queues that all have as many samples as are
// kept, with the bytes that they take.
func BenchmarkFarBehind(b *testing.B) {
	var h History
	var p *model.Part
	round := 0
	next := func() *model.Snapshot {
		p = farBehind(round, p)
		round++
		return &model.Snapshot{Ended: p.Taken, Groups: []*model.Group{{Name: "archive"}}, Parts: []model.PartOfRound{{Part: p}}}
	}
	for range 1000 {
		h.Add(next())
	}
	bytes := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		s := next()
		b.StartTimer()
		h.Add(s)
		bytes += len(h.brokers["a"].older)
	}
	b.ReportMetric(float64(bytes)/float64(b.N)/8000, "B-kept/queue")
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
