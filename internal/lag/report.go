// Package lag turns a snapshot into backlog: who has how much still to consume.
//
// It may hold arithmetic and the rules of truth about offsets, times and
// owners (docs/design.md). It does not read a clock, log, do I/O, or know where
// a snapshot came from or how a report is shown.
package lag

import (
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Report is the backlog of one cluster after one round: every number that is
// shown comes from here. It never changes once it is built, and it is complete:
// what is not in it does not exist any more. Backlogs are messages.
//
// Rows, one per queue and holder, are most of it, and nearly all that they say is
// in the snapshot. So they are not kept but made anew, one Detail at a time. The
// other lists are sorted by the names in them.
type Report struct {
	Snapshot *model.Snapshot

	Details []Detail
	// Age holds one value per row, in the order of Details: that of the oldest
	// message not consumed, in units of AgeUnit; 0 where the backlog is 0,
	// NoAge where nobody can tell. Empty: ages are not known at all.
	Age []int32

	// Processes are all consumer processes that hold a queue, with the
	// backlog of the queues that each holds, in the order of their first
	// rows.
	Processes []Process

	Topics  []Sum // by topic
	Groups  []Sum // by consumer group
	Brokers []Sum // by broker
	Pairs   []Pair
	Queues  []QueueSum

	// Totals are all topics, those that no group consumes among them.
	Totals []TopicTotal
	// DeadLetters counts the messages of each group that were given up. A
	// group is not in it while nobody knows whether it has a dead-letter
	// topic.
	DeadLetters []Count

	// Incomplete counts the brokers whose offsets are not of this round.
	Incomplete int

	rows    int
	groups  []*model.Group // sorted by name
	holders []int32        // places in Processes of the clients of groups; NoHolder
	own     []ownRows      // of details that are in no part
}

// NoHolder stands where no online process is known to hold the queue.
const NoHolder int32 = -1

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
	Rows int32
	// Uncommitted counts the queues that the group never committed and whose
	// beginning is not known to be 0: nobody knows where it will start.
	Uncommitted int32
	// Consumed counts the messages that the group has consumed; see Consumed,
	// which fills it in.
	Consumed int64
	// Ahead is how far commits lie beyond the ends that the brokers told.
	Ahead int64
	// Members is how many processes of the group are online; Unknown where
	// nobody could tell.
	Members int32
	// Unowned counts the queues that no member holds; Unknown where that
	// makes no sense, or not every member told what it holds.
	Unowned int32
	// Lag is the age of the oldest message that the group has not consumed,
	// in the queue where it is oldest: NoLag where that of some queue is not
	// known. AtMost: it is an upper bound.
	Lag    time.Duration
	AtMost bool
	State  State
	// Lost is how many messages behind the commits retention has deleted;
	// Unknown while the beginning of a queue with a backlog is.
	Lost int64
	// Retained is the backlog by the messages that are kept, of the queue
	// where that is most: from 0 to 1, below 0 while the beginning of a queue
	// with a backlog is not known.
	Retained float64
	// InFlight are the messages that were popped and not acknowledged, and
	// PopRetry those of them that wait in the POP retry topic to be popped
	// again; Unknown where nobody tells, or there is no such topic.
	InFlight, PopRetry int64

	group   int32 // in the report's groups
	holders int32 // where those of the group's clients begin
}

// NoLag stands where a lag is not known.
const NoLag time.Duration = -1

// AgeUnit is what the column Age counts in.
const AgeUnit = 100 * time.Millisecond

// NoAge stands where the age of a queue's oldest message is not known.
const NoAge int32 = -1

// State is what an on-call person calls the way in which a group consumes a
// topic.
type State uint8

// The states.
const (
	Undecided State = iota // nobody can tell
	OK
	Lagging // behind, and consuming
	Stalled // messages wait, members are online, and commits do not move
	Stopped // messages wait and no member is online
	Rewound // commits went back
)

// States lists all states in the order in which they are shown.
func States() []State { return []State{OK, Lagging, Stalled, Stopped, Rewound, Undecided} }

// String is the state as a label value.
func (s State) String() string {
	switch s {
	case OK:
		return "ok"
	case Lagging:
		return "lagging"
	case Stalled:
		return "stalled"
	case Stopped:
		return "stopped"
	case Rewound:
		return "rewound"
	case Undecided:
	}
	return "unknown"
}

// TopicTotal is one topic, whoever consumes it.
type TopicTotal struct {
	Name string
	// Produced counts the messages that were stored.
	Produced int64
	// Stored is how many of them are kept; Unknown while a beginning is.
	Stored int64
	// Last is when the newest one was stored, in ms since 1970 by the broker's
	// clock; Unknown.
	Last int64
}

// Count is a number of messages under one name.
type Count struct {
	Name     string
	Messages int64
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

// Plus adds backlogs. Where only forged offsets can lead it stops at the
// largest number: a sum must never be less than its parts.
func Plus(a, b int64) int64 { return plus(a, b) }
