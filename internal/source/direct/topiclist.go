package direct

import (
	"slices"
	"strings"
)

// topicList is the topics of one broker, in the order of their names. A large
// cluster has hundreds of thousands, most of them retry topics of one queue, so
// they lie in one slice. It is replaced when the broker tells of others: pointers
// into it are good for one round.
type topicList struct {
	list []topic
	// index finds a topic by its name: open addressing, by hash, of places in
	// list, and noPlace.
	index []int32
}

// topic is one topic of one broker, as its settings say.
type topic struct {
	name   string
	hash   uint32 // of the name, with the source's seed
	queues int32  // those that consumers read: ids 0 to queues-1

	// Of the round: the topic's place in the part, under construction or
	// sealed, and what became of the request for its ends.
	slot  int32
	state topicState
	// undecided: where some queue of it begins decides whether a missing
	// commit counts.
	undecided bool
	behind    bool // some group has something to consume

	apart bool // it is wanted where no group has committed on it, too

	topicMemory
}

// notInPart is the slot of a topic that is in no part.
const notInPart = -1

type topicState uint8

const (
	unused  topicState = iota
	wanted             // in the part, ends not there yet
	read               // ends are in the part
	bare               // its stats have no queue: none is written, or it is gone
	gone               // the broker does not know it any more
	missing            // could not be read
)

const noPlace = -1

// isApart says whether a topic that no group has committed on is wanted.
func (t *topic) isApart() bool { return t.state == unused && t.apart }

// replacedBy is a list of other topics. What is remembered of one stays while it
// is among them.
func (l *topicList) replacedBy(topics []topic) topicList {
	slices.SortStableFunc(topics, func(a, b topic) int { return strings.Compare(a.name, b.name) })
	n := topicList{list: make([]topic, 0, len(topics))}
	for i := range topics {
		t := &topics[i]
		if i+1 < len(topics) && topics[i+1].name == t.name {
			continue // of a name that is there twice the last one counts
		}
		if before := l.find(t.hash, []byte(t.name)); before != nil {
			t.topicMemory = before.topicMemory
		}
		n.list = append(n.list, *t)
	}
	n.makeIndex()
	return n
}

// makeIndex leaves at least half of the places free, so that a name is found in
// one or two steps.
func (l *topicList) makeIndex() {
	size := 1
	for size < 2*len(l.list) {
		size *= 2
	}
	l.index = make([]int32, size)
	for i := range l.index {
		l.index[i] = noPlace
	}
	for i := range l.list {
		at := int(l.list[i].hash) & (size - 1)
		for l.index[at] != noPlace {
			at = (at + 1) & (size - 1)
		}
		l.index[at] = int32(i)
	}
}

// find is the topic of a name; nil: there is none.
func (l *topicList) find(hash uint32, name []byte) *topic {
	mask := len(l.index) - 1
	if mask < 0 {
		return nil
	}
	for at := int(hash) & mask; l.index[at] != noPlace; at = (at + 1) & mask {
		if t := &l.list[l.index[at]]; t.hash == hash && t.name == string(name) {
			return t
		}
	}
	return nil
}
