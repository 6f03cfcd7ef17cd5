package web

import (
	"cmp"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// worstCount is how many pairs a page shows of one cluster.
const worstCount = 20

// worstPairs are the pairs that are furthest behind.
func worstPairs(r *lag.Report) []pairView {
	worst := make([]*lag.Pair, 0, worstCount+1)
	for i := range r.Pairs {
		p := &r.Pairs[i]
		if p.Backlog <= 0 || len(worst) == worstCount && p.Backlog <= worst[worstCount-1].Backlog {
			continue
		}
		// Behind those of the same backlog, so that the order of the names
		// stays.
		at, _ := slices.BinarySearchFunc(worst, p.Backlog, func(q *lag.Pair, backlog int64) int {
			if q.Backlog >= backlog {
				return -1
			}
			return 1
		})
		worst = slices.Insert(worst, at, p)
		worst = worst[:min(len(worst), worstCount)]
	}
	views := make([]pairView, len(worst))
	for i, p := range worst {
		views[i] = pairView{
			Group: p.Group, Topic: p.Topic, Backlog: count(p.Backlog), Lag: lagText(p), State: p.State.String(), Mood: mood(p.State),
		}
		holder, held := worstHolder(r, p)
		views[i].Held = count(held)
		if holder == lag.NoHolder {
			views[i].Nobody = true
		} else {
			views[i].IP, views[i].PID = r.Processes[holder].IP, r.Processes[holder].PID
		}
	}
	return views
}

// lagText is how long the oldest message has waited; empty where nobody knows.
func lagText(p *lag.Pair) string {
	switch {
	case p.Lag == lag.NoLag:
		return ""
	case p.AtMost:
		return "at most " + span(p.Lag)
	}
	return span(p.Lag)
}

// worstHolder is the process that holds most of a pair's backlog, or NoHolder
// where queues without one do. Of equals it is the first by name.
func worstHolder(r *lag.Report, p *lag.Pair) (holder int32, held int64) {
	sums := make(map[int32]int64)
	var queues []lag.Row
	for i := firstDetail(r, p); i < len(r.Details); i++ {
		d := &r.Details[i]
		if at := r.PairOf(d); at.Group != p.Group || at.Topic != p.Topic {
			break
		}
		queues = r.AppendRows(queues[:0], d)
		for j := range queues {
			sums[queues[j].Holder] += queues[j].Backlog
		}
	}
	holder, held = lag.NoHolder, sums[lag.NoHolder]
	for h, sum := range sums {
		if sum > held || sum == held && before(r, h, holder) {
			holder, held = h, sum
		}
	}
	return holder, held
}

// firstDetail is the index of the first detail of a pair: details are in the
// order of group and topic.
func firstDetail(r *lag.Report, p *lag.Pair) int {
	i, _ := slices.BinarySearchFunc(r.Details, p, func(d lag.Detail, p *lag.Pair) int {
		at := r.PairOf(&d)
		return cmp.Or(cmp.Compare(at.Group, p.Group), cmp.Compare(at.Topic, p.Topic))
	})
	return i
}

// before orders processes by name, those without one first.
func before(r *lag.Report, a, b int32) bool {
	if a == lag.NoHolder || b == lag.NoHolder {
		return a == lag.NoHolder && b != lag.NoHolder
	}
	p, q := &r.Processes[a], &r.Processes[b]
	return cmp.Or(cmp.Compare(p.IP, q.IP), cmp.Compare(p.PID, q.PID)) < 0
}
