package direct

import (
	"hash/maphash"
	"slices"
	"strings"
)

// topicList is the topics of one broker, in the order of their names. A large
// cluster has hundreds of thousands, most of them retry topics of one queue, so
// they lie in one slice, and no field is wider than it must be. It is replaced when
// the broker tells of others: pointers into it are good for one round.
type topicList struct {
	list []topic
	// index finds a topic by its name: open addressing, by hash, of places in
	// list, and noPlace.
	index []int32
}

// topic is one topic of one broker, as its settings say.
type topic struct {
	name string

	topicMemory

	// Of the round: the topic's place in the part, under construction or
	// sealed, and what became of the request for its ends.
	slot  int32
	state topicState

	apart  bool   // it is wanted where no group has committed on it, too
	queues uint16 // those that consumers read: ids 0 to queues-1
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
func (l *topicList) replacedBy(topics []topic, seed maphash.Seed) topicList {
	slices.SortStableFunc(topics, func(a, b topic) int { return strings.Compare(a.name, b.name) })
	n, before := topicList{list: make([]topic, 0, len(topics))}, l.list
	for i := range topics {
		t := &topics[i]
		if i+1 < len(topics) && topics[i+1].name == t.name {
			continue // of a name that is there twice the last one counts
		}
		for len(before) > 0 && before[0].name < t.name {
			before = before[1:]
		}
		if len(before) > 0 && before[0].name == t.name {
			t.topicMemory = before[0].topicMemory
		}
		n.list = append(n.list, *t)
	}
	n.makeIndex(seed)
	return n
}

// makeIndex leaves at least half of the places free, so that a name is found in
// one or two steps.
func (l *topicList) makeIndex(seed maphash.Seed) {
	size := 1
	for size < 2*len(l.list) {
		size *= 2
	}
	l.index = make([]int32, size)
	for i := range l.index {
		l.index[i] = noPlace
	}
	for i := range l.list {
		at := int(uint32(maphash.String(seed, l.list[i].name))) & (size - 1)
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
		if t := &l.list[l.index[at]]; t.name == string(name) {
			return t
		}
	}
	return nil
}
