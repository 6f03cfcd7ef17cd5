// Package model holds what a source learned of one cluster in one round: a
// Snapshot, immutable once it is built, so that readers need no lock and parts
// that did not change can be shared between rounds.
//
// It may hold values and the words of RocketMQ for them. It has no clock, does
// no I/O, and knows neither where a value came from nor what it is shown as.
package model

import "time"

// Unknown stands for an offset that nobody has told: a queue that a group never
// committed, a beginning that was not asked for.
const Unknown int64 = -1

// ValueAt is the value at a place of a list; Unknown where the list is shorter.
func ValueAt(list []int64, i int) int64 {
	if i < len(list) {
		return list[i]
	}
	return Unknown
}

// SameList says whether two lists are one: rounds share what does not change.
func SameList[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// Snapshot is one cluster as one round saw it.
type Snapshot struct {
	Cluster string
	// Ended is when the round ended.
	Ended time.Time
	// Taken is when offsets of the cluster were last read: in this round, or
	// where that could read none, in an earlier one. Zero: never.
	Taken time.Time
	// SlowTaken is when all that the source asks for in a slower cycle was
	// last as young as that cycle. Zero: never yet.
	SlowTaken   time.Time
	NameServers []NameServer
	// Brokers are all processes that the name servers know, in the order of
	// name and id.
	Brokers []Broker
	// Parts are the offsets of the cluster, one part per broker name, in the
	// order of the names.
	Parts []PartOfRound
	// Groups are in the order of their names.
	Groups []*Group
	// Odd counts what was left out of the round because it made no sense: a
	// key that is no topic@group, a queue id out of bounds.
	Odd int
	// Denials are what brokers did not tell for want of a right, in the order
	// of the requests.
	Denials []Denial
}

// Denial is a kind of request that brokers deny.
type Denial struct {
	Request string // RocketMQ's name of it
	Right   string // that it needs, in words: "Get on Topic:*"; empty if that is not known
	// Count is how many such requests were denied when they were last tried:
	// of as many topics, groups or processes on some broker.
	Count int
}

// NameServer is one name server and whether it answered in the round.
type NameServer struct {
	Addr string // host:port
	Up   bool
}

// Role says what a broker process does for its broker name.
type Role uint8

// The roles of a broker process.
const (
	Master Role = iota
	Slave
	ActingMaster // the slave with the lowest id, where no master is registered
)

// String is the role as a label value.
func (r Role) String() string {
	switch r {
	case Master:
		return "master"
	case Slave:
		return "slave"
	case ActingMaster:
		return "acting_master"
	}
	return "unknown"
}

// Broker is one broker process.
type Broker struct {
	Name    string
	ID      int64 // 0 is a master
	Addr    string
	Role    Role
	Version string // RocketMQ's words, "V5_5_0"; empty when it was not told
	Up      bool   // it answered in the round
	// Runtime is what it last told of itself; nil while it has told nothing,
	// or nothing for too long.
	Runtime *Runtime
}

// PartOfRound is the offsets of one broker in a round.
type PartOfRound struct {
	*Part
	// Age counts the rounds since the part was read: 0 is fresh. Above 0 the
	// broker could not be read and its last good offsets stand in.
	Age int
	// Missing counts the topics of a fresh part whose offsets could not be
	// read in the round; the last good ones stand in while they are kept.
	Missing int
	// Owners holds one value per queue of each entry of Commits, as Committed
	// does: which client holds the queue, an index in the Clients of the
	// entry's group; NoOwner where nobody is known to. nil: Group.Owners says
	// it, as it may where there are few.
	Owners *Owners
}

// Part is the offsets that one broker (name) told at one time. Lists that are the
// same as in the part before may be shared with it.
type Part struct {
	Broker string
	Taken  time.Time
	// Topics are those that some group has committed on. A topic stands there
	// several times in a row where its groups were told different ends; the
	// latest ends come first.
	Topics []Topic
	// TopicsTaken holds one value per topic: when its ends and commits were
	// read, where that was not with the part: a source may read topic by topic,
	// and old ones stand in for those that could not be read. NoStamp: Taken.
	// nil: all were read with the part.
	TopicsTaken []Stamp
	// Ends and Begins hold one value per queue of each topic: the offset of
	// the next message to come, and of the oldest one that is kept. Ends are
	// of the round. Begins are too where they decide whether a missing commit
	// counts; others may be as old as the source's slower cycle, and are then
	// at most the true ones. Unknown where nobody told.
	Ends, Begins Offsets
	// Stored holds one value per topic: when its newest message was stored, in
	// ms since 1970 by the broker's clock. Unknown where nobody told, or there
	// is none. It may be as old as the slower cycle. nil: told of no topic.
	Stored []int64
	// Groups are names that Commits refer to; there may be others among them.
	Groups  []string
	Commits []Commits
	// Committed holds one value per queue of each entry of Commits; Unknown
	// where the group never committed.
	Committed Offsets
	// ConsumedAt holds one value per queue of each entry of Commits: when the
	// message in front of the commit, the last one consumed, was stored, in ms
	// since 1970 by the broker's clock. Unknown where nobody told. nil: told
	// of no queue.
	ConsumedAt []int64
	// Waits are the exact ages that the broker was asked for.
	Waits []Wait
	// Others are the topics that no group has committed on, dead-letter
	// topics among them, in the order of their names; from the slower cycle.
	// It is whole: a topic of which nobody told the queues has no lists. nil:
	// nobody told which there are.
	Others []TopicStats
}

// Wait is how long the first message that a group has not consumed had lain in
// each queue of a topic on one broker when that was asked
// (QUERY_CONSUME_TIME_SPAN, delayTime). The broker set its own clock against
// itself, so no skew is in it.
type Wait struct {
	Topic, Group string
	Taken        time.Time
	// Committed and Ages hold one value per queue id: the offset that the age
	// belongs to, and the age in ms; Unknown where there is none. The offset
	// is the commit, or the queue's beginning where the commit lies below it
	// or there is none. Both were told before the part's commits: where these
	// have moved on, the age may be that of any message in between.
	Committed, Ages []int64
}

// TopicStats are the queues of one topic on one broker at one time. The lists
// hold one value per queue id, as those of Part; Stored is of the topic.
type TopicStats struct {
	Topic        string
	Taken        time.Time
	Ends, Begins []int64
	Stored       int64
}

// Topic is one topic's queues on one broker: ids 0 to Queues-1.
type Topic struct {
	Name   string
	First  int32 // index of queue 0 in Part.Ends and Part.Begins
	Queues int32
}

// Stamp is a time in ms since 1970, in a third of the bytes of a time.Time: a
// large cluster has many.
type Stamp int64

// NoStamp is no time.
const NoStamp Stamp = 0

// StampOf is a time, to the millisecond.
func StampOf(t time.Time) Stamp { return Stamp(t.UnixMilli()) }

// Time is the time again.
func (s Stamp) Time() time.Time { return time.UnixMilli(int64(s)) }

// Repeats says whether a topic of the part has the name of the one before: its
// ends are then not the latest.
func (p *Part) Repeats(topic int) bool {
	return topic > 0 && p.Topics[topic].Name == p.Topics[topic-1].Name
}

// TakenAt is when the ends and commits of a topic of the part were read.
func (p *Part) TakenAt(topic int) time.Time {
	if own := p.OwnTaken(topic); own != NoStamp {
		return own.Time()
	}
	return p.Taken
}

// OwnTaken is the same where that was not with the part; else NoStamp.
func (p *Part) OwnTaken(topic int) Stamp {
	if p.TopicsTaken == nil {
		return NoStamp
	}
	return p.TopicsTaken[topic]
}

// Commits is what one group has committed on one topic of one broker.
type Commits struct {
	Group int32 // index in Part.Groups
	Topic int32 // index in Part.Topics
	First int32 // index of queue 0 in Part.Committed
}

// GroupOf is the name of the group of an entry of Commits.
func (p *Part) GroupOf(c *Commits) string { return p.Groups[c.Group] }

// Message models.
const (
	Clustering   = "CLUSTERING"
	Broadcasting = "BROADCASTING"
)

// Group is one consumer group.
type Group struct {
	Name string
	// Model and ConsumeType are RocketMQ's words; empty while nobody told
	// them. They are remembered when the group goes offline.
	Model, ConsumeType string
	// Known: the brokers said in this round, or at most the kept rounds ago,
	// who is online. Otherwise Clients say nothing.
	Known bool
	// Clients are the processes online, in the order of their ids.
	Clients []Client
	// Topics is what the group subscribes while it is online. Empty with
	// clients online: the group told none (a pull consumer may not).
	Topics TopicSet
	// Owners says, where parts do not have Owners of their own, for a topic on
	// a broker which client holds each queue: an index in Clients by queue id,
	// NoOwner where nobody is known to. For a broadcasting group it is empty.
	Owners map[TopicOnBroker][]int32
	// Told: every client has said which queues it holds since the members
	// changed, so that a queue without an owner has none.
	Told bool
	// Local are the commits of a broadcasting group's own processes.
	Local []LocalCommits
	// Pop are the topics that the group consumes by POP, as far as a broker
	// (GET_ALL_MESSAGE_REQUEST_MODE) or one of its processes said so.
	Pop map[string]struct{}
	// InFlight is what processes have popped and not acknowledged. A topic of
	// Pop without an entry: no process could tell, which is not 0.
	InFlight []InFlight
}

// InFlight is how many messages of one topic one process waits to acknowledge
// (GET_CONSUMER_RUNNING_INFO, mqPopTable, waitAckCount).
type InFlight struct {
	Topic    string
	Client   int // index in Group.Clients
	Messages int64
}

// TopicOnBroker names the queues of one topic on one broker.
type TopicOnBroker struct{ Topic, Broker string }

// LocalCommits is how far one process of a broadcasting group is on one topic
// of one broker. Ends were read in the same round as Committed, so that their
// difference stays true while it is kept.
type LocalCommits struct {
	TopicOnBroker
	Taken     time.Time // when they were read: some rounds ago where they stand in
	Client    int       // index in Group.Clients, or NoClient
	Committed []int64   // by queue id; Unknown where the process told none
	Ends      []int64
}

// NoClient marks LocalCommits that a broker told for the slowest process of
// the group, whichever that is.
const NoClient = -1

// Client is one consumer process of one group.
type Client struct {
	ID       string // as RocketMQ writes it: IP@process#nanotime@unit
	IP, PID  string // parts of ID, see SplitClientID
	Language string
	Version  int32 // version ordinal (MQVersion)
}
