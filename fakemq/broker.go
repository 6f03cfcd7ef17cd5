package fakemq

import (
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// broker is the truth of one broker: what its master and its slaves answer
// from alike.
type broker struct {
	name, quoted string // quoted as JSON
	cluster      string
	release      Release
	nodes        []*Node // by broker id
	clock        func() int64
	boot         int64 // ms since 1970, by its own clock

	topics   map[string]*brokerTopic
	topicSeq []*brokerTopic // in the order of their making
	groups   map[string]bool
	groupSeq []string // as 201 lists them
	system   []string // what 305 lists

	offsets   map[offsetKey]*offsets
	offsetSeq []*offsets     // in the order of their making
	committed groupedOffsets // those of clustering groups
	orphans   int            // how many belong to topics that do not exist

	topicVersion, groupVersion, offsetVersion dataVersion

	put, got         int64 // messages since the boot
	putRate, gotRate meter
	bytes            int64 // of the commit log
	delays           map[int]delay
	timers           map[string]int64 // messages in the timer wheel, by topic
}

// now is what the broker's own clock shows, in ms since 1970.
func (b *broker) now() int64 { return b.clock() }

// dataVersion is how a broker counts changes of a table (DataVersion).
type dataVersion struct{ counter, at int64 }

func (v *dataVersion) bump(now int64) { v.counter, v.at = v.counter+1, now }

func newBroker(name string, co ClusterOptions, clock func() int64) *broker {
	now := clock()
	return &broker{
		name: name, quoted: quote(name), cluster: co.Name, release: co.Release, clock: clock, boot: now,
		topics: map[string]*brokerTopic{}, groups: map[string]bool{}, offsets: map[offsetKey]*offsets{},
		topicVersion: dataVersion{at: now}, groupVersion: dataVersion{at: now}, offsetVersion: dataVersion{at: now},
	}
}

// listed says whether name servers list any node of the broker.
func (b *broker) listed() bool {
	return slices.ContainsFunc(b.nodes, (*Node).isRegistered)
}

// writable says whether a producer finds the broker's master.
func (b *broker) writable() bool {
	return b.nodes[0].isRegistered() && b.nodes[0].Running()
}

func (b *broker) addTopic(t *brokerTopic, now int64) {
	b.topics[t.name] = t
	b.topicSeq = append(b.topicSeq, t)
	b.topicVersion.bump(now)
	if b.orphans == 0 {
		return
	}
	for _, o := range b.offsetSeq {
		if o.on == nil && o.topic == t.name {
			o.on = t
			o.fit()
			b.orphans--
		}
	}
}

// removeTopic deletes a topic's settings. From 5.x on the commits go with it
// (ConsumerOffsetManager.cleanOffsetByTopic); in 4.x they stay.
func (b *broker) removeTopic(name string, now int64) {
	if _, ok := b.topics[name]; !ok {
		return
	}
	delete(b.topics, name)
	b.topicSeq = slices.DeleteFunc(b.topicSeq, func(t *brokerTopic) bool { return t.name == name })
	b.topicVersion.bump(now)
	for _, o := range b.offsetSeq {
		if o.topic == name {
			o.on = nil
		}
	}
	if b.release.five() {
		b.removeOffsets(func(o *offsets) bool { return o.topic == name })
	}
	b.countOrphans()
}

func (b *broker) addGroup(name string, now int64) {
	if !b.groups[name] {
		b.groups[name] = true
		b.groupSeq = append(b.groupSeq, name)
		b.groupVersion.bump(now)
	}
}

func (b *broker) removeGroup(name string, now int64) {
	if b.groups[name] {
		delete(b.groups, name)
		b.groupSeq = slices.DeleteFunc(b.groupSeq, func(g string) bool { return g == name })
		b.groupVersion.bump(now)
	}
}

func (b *broker) removeOffsets(match func(*offsets) bool) {
	b.offsetSeq = slices.DeleteFunc(b.offsetSeq, func(o *offsets) bool {
		if match(o) {
			delete(b.offsets, o.offsetKey)
			return true
		}
		return false
	})
	b.committed = groupedOffsets{}
	for _, o := range b.offsetSeq {
		b.committed.add(o)
	}
	b.countOrphans()
}

func (b *broker) countOrphans() {
	b.orphans = 0
	for _, o := range b.offsetSeq {
		if o.on == nil {
			b.orphans++
		}
	}
}

func sortBrokers(bs []*broker) {
	slices.SortFunc(bs, func(a, b *broker) int { return strings.Compare(a.name, b.name) })
}

func quote(s string) string { return string(remoting.AppendJSONString(nil, s)) }
