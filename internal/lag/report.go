// Package lag turns a snapshot into backlog: who has how much still to consume.
//
// It may hold arithmetic and the rules of truth about offsets, times and
// owners (docs/design.md). It does not read a clock, log, do I/O, or know where
// a snapshot came from or how a report is shown.
package lag

import "github.com/rocketmq-exporter/rocketmq_exporter/internal/model"

// Report is the backlog of one cluster after one round: every number that is
// shown comes from here. It never changes once it is built, and it is complete:
// what is not in it does not exist any more. Backlogs are messages.
//
// The rows, one per queue and holder, stand in the columns QueueID, Backlog and
// Holder; Details groups them by what they share. The other lists are sorted by
// the names in them.
type Report struct {
	Snapshot *model.Snapshot

	Details []Detail
	QueueID []int32
	Backlog []int64
	Holder  []int32 // index in Processes, or NoHolder

	// Processes are all consumer processes that hold a queue, with the
	// backlog of the queues that each holds, in the order of their first
	// rows.
	Processes []Process

	Topics  []Sum // by topic
	Groups  []Sum // by consumer group
	Brokers []Sum // by broker
	Pairs   []Pair
	Queues  []QueueSum

	// Incomplete counts the brokers whose offsets are not of this round.
	Incomplete int
}

// NoHolder stands where no online process is known to hold the queue.
const NoHolder int32 = -1

// Detail is what a run of rows shares: rows First to First+Rows-1.
type Detail struct {
	Topic, Group, Broker string
	First, Rows          int
}

// Process is one consumer process: the same for every group in it.
type Process struct {
	IP, PID string
	Backlog int64
}

// Sum is the backlog of everything with one name.
type Sum struct {
	Name    string
	Backlog int64
}

// Pair is one topic as one group consumes it.
type Pair struct {
	Topic, Group string
	Backlog      int64
	// Rows is 0 where nothing could be said of any queue: the pair has then
	// no backlog, which is not a backlog of 0.
	Rows int
	// Consumed counts the messages that the group has consumed; see Consumed,
	// which fills it in.
	Consumed int64
	// Ahead is how far commits lie beyond the ends that the brokers told.
	Ahead int64
	// Uncommitted counts the queues that the group never committed and whose
	// beginning is not known to be 0: nobody knows where it will start.
	Uncommitted int
}

// QueueSum is the backlog of all queues with one id on one broker.
type QueueSum struct {
	Broker  string
	QueueID int32
	Backlog int64
}

// Up says whether the round reached the cluster, whole or in part: some broker
// answered. A name server alone is not the cluster.
func (r *Report) Up() bool {
	for i := range r.Snapshot.Brokers {
		if r.Snapshot.Brokers[i].Up {
			return true
		}
	}
	return false
}
