package lag_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// plain is the rows of a snapshot's clustering groups, found in the plainest way:
// every commit is looked at, and the rows are sorted.
func plain(s *model.Snapshot) []string {
	type row struct {
		group, topic, broker string
		queue                int
		backlog              int64
	}
	var list []row
	for _, part := range s.Parts {
		for _, c := range part.Commits {
			t := &part.Topics[c.Topic]
			i := slices.IndexFunc(s.Groups, func(g *model.Group) bool { return g.Name == part.GroupOf(&c) })
			if i < 0 || s.Groups[i].Model == model.Broadcasting || strings.HasPrefix(t.Name, "%DLQ%") {
				continue
			}
			if g := s.Groups[i]; g.Known && len(g.Clients) > 0 && len(g.Topics) > 0 {
				own := "%RETRY%" + g.Name
				of := t.Name
				for _, prefix := range []string{own + "_", own + "+"} {
					of = strings.TrimPrefix(of, prefix)
				}
				if !g.Topics.Has(of) && t.Name != own {
					continue
				}
			}
			for q := range int(t.Queues) {
				begin, end, committed := part.Begins.At(int(t.First)+q), part.Ends.At(int(t.First)+q), part.Committed.At(int(c.First)+q)
				if end != unknown && (committed != unknown || end == 0 || begin == 0) {
					list = append(list, row{part.GroupOf(&c), t.Name, part.Broker, q, max(end-max(committed, 0), 0)})
				}
			}
		}
	}
	slices.SortFunc(list, func(x, y row) int {
		return cmp.Or(strings.Compare(x.group, y.group), strings.Compare(x.topic, y.topic), strings.Compare(x.broker, y.broker), x.queue-y.queue)
	})
	lines := make([]string, len(list))
	for i, r := range list {
		lines[i] = fmt.Sprintf("%s %s %s/%d = %d", r.group, r.topic, r.broker, r.queue, r.backlog)
	}
	return lines
}

// reported is the same of a report.
func reported(r *lag.Report) []string {
	lines := []string{}
	for _, d := range r.Details {
		pair := r.PairOf(&d)
		if slices.ContainsFunc(r.Snapshot.Groups, func(g *model.Group) bool { return g.Name == pair.Group && g.Model == model.Broadcasting }) {
			continue
		}
		for _, row := range r.AppendRows(nil, &d) {
			lines = append(lines, fmt.Sprintf("%s %s %s/%d = %d", pair.Group, pair.Topic, r.BrokerOf(&d), row.QueueID, row.Backlog))
		}
	}
	return lines
}

// TestPlain: entries that are dealt out in order are those, and in the order, that
// looking at all of them and sorting gives, in whatever order parts, groups and
// commits come.
func TestPlain(t *testing.T) {
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		s := shuffled(rng, anything(rng))
		if got, want := reported(lag.Build(s)), plain(s); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %q\nwant: %q", seed, got, want)
		}
	}
}

// TestPieces: what several goroutines make together is what one makes.
func TestPieces(t *testing.T) {
	s := shuffled(rand.New(rand.NewPCG(1, 2)), large(40_000))
	for i, g := range s.Groups { // some keep their own commits
		if i%7 != 0 {
			continue
		}
		g.Model = model.Broadcasting
		for client := range g.Clients {
			for _, topic := range g.Topics {
				local(g, client, topic, "broker-b", []int64{1, 2}, []int64{3, unknown})
			}
		}
	}
	var past store.History
	past.Add(s)
	var want *lag.Report
	for _, n := range []int{1, 2, 3, 8} {
		before := runtime.GOMAXPROCS(n)
		r := lag.BuildAfter(s, &past, lag.DefaultRules())
		runtime.GOMAXPROCS(before)
		if want == nil {
			if want = r; len(reported(want)) == 0 || len(reported(want)) == want.Rows() {
				t.Fatal("want rows of parts and of processes")
			}
			continue
		}
		if !reflect.DeepEqual(r, want) {
			t.Errorf("%d processors make another report", n)
		}
	}
}

// TestToldTwice: a broker that stands in a snapshot twice, or tells the commits of
// a group on a topic twice, makes no report that contradicts itself.
func TestToldTwice(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 4))
		s, other := anything(rng), anything(rng)
		s.Ended = time.UnixMilli(0)
		for i := range s.Parts {
			p := s.Parts[i].Part
			for range rng.IntN(3) {
				if n := len(p.Commits); n > 0 {
					c := p.Commits[rng.IntN(n)]
					c.First = int32(p.Committed.Len())
					p.Committed.AppendUnknown(int(p.Topics[c.Topic].Queues))
					if p.ConsumedAt != nil {
						p.ConsumedAt = append(p.ConsumedAt, make([]int64, p.Topics[c.Topic].Queues)...)
					}
					p.Commits = append(p.Commits, c)
				}
			}
		}
		s.Parts = append(s.Parts, other.Parts...)
		s = shuffled(rng, s)
		var past store.History
		past.Add(s)
		for _, r := range []*lag.Report{lag.Build(s), lag.BuildAfter(s, &past, lag.DefaultRules())} {
			if err := consistent(r); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}
