package sourcetest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// Labels name one row as it is shown.
type Labels struct {
	Cluster, Topic, Group, Broker string
	Queue                         int32
	IP, PID                       string
}

func (l Labels) String() string {
	return fmt.Sprintf("%s: %s of %s on %s/%d, process %q %q", l.Cluster, l.Topic, l.Group, l.Broker, l.Queue, l.IP, l.PID)
}

// Rows are backlogs by labels.
type Rows map[Labels]int64

// Only keeps the rows that match.
func (r Rows) Only(match func(Labels) bool) Rows {
	only := maps.Clone(r)
	maps.DeleteFunc(only, func(l Labels, _ int64) bool { return !match(l) })
	return only
}

// Truth is what the rows must be, by what the fake knows and the rules of
// truth: a dead-letter topic has no backlog, nor has a queue that a group never
// committed and whose beginning retention has moved; what belongs to RocketMQ
// itself, or is ignored, is left out.
func (s *Stage) Truth() Rows {
	rows := Rows{}
	for _, row := range s.MQ.Backlog() {
		switch {
		case strings.HasPrefix(row.Topic, "%DLQ%"):
		case row.Uncommitted && row.End > 0 && row.Begin != 0:
		case !s.wanted(row):
		default:
			ip, pid := model.SplitClientID(row.ClientID)
			rows[Labels{row.Cluster, row.Topic, row.Group, row.Broker, int32(row.Queue), ip, pid}] += row.Backlog
		}
	}
	return rows
}

func (s *Stage) wanted(row fakemq.Row) bool {
	if slices.Contains(s.selection.IgnoredTopics, row.Topic) {
		return false
	}
	return s.selection.System || !strings.HasPrefix(row.Group, "CID_RMQ_SYS_") && !isSystem(row)
}

// isSystem tells the topics of RocketMQ's own that the stories use.
func isSystem(row fakemq.Row) bool {
	switch row.Topic {
	case "TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT",
		row.Broker, row.Cluster, row.Cluster + "_REPLY_TOPIC":
		return true
	}
	return strings.HasPrefix(strings.ToLower(row.Topic), "rmq_sys_")
}

// RowsOf are the rows that a round leads to. Two with the same labels are a
// mistake, and so is a sum that is not the sum of its rows.
func (s *Stage) RowsOf(step string, r source.Round) Rows {
	s.tb.Helper()
	rows := Rows{}
	for _, snap := range r.Snapshots {
		report := lag.Build(snap)
		sums := map[string]int64{}
		for _, d := range report.Details {
			pair := report.PairOf(&d)
			broker := report.BrokerOf(&d)
			for _, row := range report.AppendRows(nil, &d) {
				l := Labels{Cluster: snap.Cluster, Topic: pair.Topic, Group: pair.Group, Broker: broker, Queue: row.QueueID}
				if h := row.Holder; h != lag.NoHolder {
					l.IP, l.PID = report.Processes[h].IP, report.Processes[h].PID
					sums["process "+l.IP+" "+l.PID] += row.Backlog
				}
				if _, ok := rows[l]; ok {
					s.tb.Errorf("%s: two rows: %v", step, l)
				}
				rows[l] = row.Backlog
				for _, name := range []string{
					"topic " + pair.Topic, "group " + pair.Group, "broker " + broker, "pair " + pair.Topic + " " + pair.Group,
					fmt.Sprintf("queue %s %d", broker, l.Queue),
				} {
					sums[name] += row.Backlog
				}
			}
		}
		if told := toldSums(report); !maps.Equal(sums, told) {
			s.tb.Errorf("%s: cluster %s: sums %v, of rows %v", step, snap.Cluster, told, sums)
		}
	}
	return rows
}

func toldSums(r *lag.Report) map[string]int64 {
	sums := map[string]int64{}
	for kind, list := range map[string][]lag.Sum{"topic ": r.Topics, "group ": r.Groups, "broker ": r.Brokers} {
		for _, s := range list {
			sums[kind+s.Name] = s.Backlog
		}
	}
	for _, p := range r.Pairs {
		if p.Rows > 0 {
			sums["pair "+p.Topic+" "+p.Group] = p.Backlog
		}
	}
	for _, q := range r.Queues {
		sums[fmt.Sprintf("queue %s %d", q.Broker, q.QueueID)] = q.Backlog
	}
	for _, p := range r.Processes {
		sums["process "+p.IP+" "+p.PID] = p.Backlog
	}
	return sums
}

// Compare holds a round against the rows that it must lead to.
func (s *Stage) Compare(step string, r source.Round, want Rows) {
	s.tb.Helper()
	s.compareRows(step, s.RowsOf(step, r), want)
}

func (s *Stage) compareRows(step string, got, want Rows) {
	s.tb.Helper()
	const most = 12
	var wrong []string
	for l, n := range want {
		switch is, ok := got[l]; {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%v: missing, want %d", l, n))
		case is != n:
			wrong = append(wrong, fmt.Sprintf("%v: %d, want %d", l, is, n))
		}
	}
	for l, n := range got {
		if _, ok := want[l]; !ok {
			wrong = append(wrong, fmt.Sprintf("%v: %d, want no such row", l, n))
		}
	}
	if len(wrong) == 0 {
		return
	}
	slices.Sort(wrong)
	s.tb.Errorf("%s: %d of %d rows are wrong:\n%s", step, len(wrong), len(want), strings.Join(wrong[:min(most, len(wrong))], "\n"))
}

// Snapshot is the round's snapshot of a cluster.
func (s *Stage) Snapshot(r source.Round, cluster string) *model.Snapshot {
	s.tb.Helper()
	for _, snap := range r.Snapshots {
		if snap.Cluster == cluster {
			return snap
		}
	}
	s.tb.Fatalf("no snapshot of cluster %q among %d", cluster, len(r.Snapshots))
	return nil
}

// GroupOf is what a round says of a group.
func (s *Stage) GroupOf(r source.Round, name string) *model.Group {
	s.tb.Helper()
	for _, snap := range r.Snapshots {
		for _, g := range snap.Groups {
			if g.Name == name {
				return g
			}
		}
	}
	s.tb.Fatalf("no group %q in the round", name)
	return nil
}

// Uncommitted is how many queues of a topic a group never committed, with
// nobody knowing where it will start; -1 where the round has no such pair.
func Uncommitted(r source.Round, topic, group string) int {
	for _, snap := range r.Snapshots {
		for _, p := range lag.Build(snap).Pairs {
			if p.Topic == topic && p.Group == group {
				return int(p.Uncommitted)
			}
		}
	}
	return -1
}

// Incomplete is how many brokers' offsets are not of this round.
func Incomplete(r source.Round) int {
	n := 0
	for _, snap := range r.Snapshots {
		n += lag.Build(snap).Incomplete
	}
	return n
}

// Total is the backlog of all rows.
func (r Rows) Total() int64 {
	sum := int64(0)
	for _, n := range r {
		sum += min(n, math.MaxInt64-sum)
	}
	return sum
}
