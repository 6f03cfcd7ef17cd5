package direct

import (
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// partBuilder makes one broker's part: first the commits, then the ends of the
// topics in them.
type partBuilder struct {
	broker *broker
	part   *model.Part
	topics []*topic  // by slot
	recent *topic    // that was looked up
	groups *groupSet // that the broker has: the part's
	sums   []int64   // commits of each group added up: they moved or not; noCommits where it has none
	// minimum is what brokers of 5.1 and later say of broadcasting groups.
	minimum map[string][]broadcastMinimum
	rows    int // queues of all tables of commits
	odd     int
	err     error // why there is no part

	// What a broker tells comes in the same order as before, mostly.
	last       *model.Part // its last good one; empty where there is none
	lastTopics []*topic    // by slot; nil: not any more
	renumbered []int32     // what the numbers of its groups are today; nil: the same
	next       int         // index in last.Commits of what is expected next
}

const noCommits = -1

// broadcastMinimum is how far the slowest process of a broadcasting group is,
// as a broker of 5.1 or later says.
type broadcastMinimum struct {
	topic     string
	committed []int64
}

func newPartBuilder(b *broker) *partBuilder {
	last := b.part
	if last == nil {
		last = &model.Part{}
	}
	return &partBuilder{broker: b, part: &model.Part{Broker: b.name}, last: last}
}

// maxRows bounds the queues that are believed of one broker: those of all its
// topics, and those of all tables of commits. A few bytes of a forged answer name
// thousands of queues.
const maxRows = 1 << 22

// begin starts the part, when the broker's topics and groups are known.
func (p *partBuilder) begin() {
	k := &p.broker.known
	p.part.Committed = model.MakeOffsets(p.last.Committed.Len())
	p.part.Ends = model.MakeOffsets(p.last.Ends.Len())
	p.lastTopics = make([]*topic, len(p.last.Topics))
	p.topics = make([]*topic, 0, len(p.last.Topics)+8)
	for i := range k.topics.list {
		t := &k.topics.list[i]
		t.slot, t.state, t.undecided, t.behind = notInPart, unused, false, false
		if t.placed != notInPart {
			p.lastTopics[t.placed] = t
		}
	}
	p.groups, p.part.Groups = k.groups, k.groups.names
	if last := p.broker.groups; last != k.groups {
		p.renumbered = last.numbersIn(k.groups)
	}
	p.sums = make([]int64, k.groups.len())
	for i := range p.sums {
		p.sums[i] = noCommits
	}
}

// takeCommits reads the answer to GET_ALL_CONSUMER_OFFSET. Topics and groups
// that the broker no longer has, or that are not wanted, are passed over.
func (p *partBuilder) takeCommits(body []byte) error {
	p.begin()
	var minimum []int64 // of the entry: where it goes if it is of a broadcasting group
	var first, queues int
	var sum int64
	group := int32(noGroup)
	flush := func() {
		if group != noGroup {
			p.sums[group] = max(p.sums[group], 0) + sum
		}
		sum = 0
	}
	odd, err := remoting.DecodeConsumerOffsets(body,
		func(key *remoting.OffsetKey) bool {
			flush()
			t, n := p.pair(key)
			if group = n; t == nil || n == noGroup || !p.fits(t) {
				group = noGroup
				return false
			}
			queues, minimum = int(t.queues), nil
			if key.Broadcast {
				minimum = p.addMinimum(n, t)
			} else {
				first = p.addCommits(n, t)
			}
			return true
		},
		func(id int32, committed int64) {
			switch {
			case id < 0 || id > maxQueues || committed < model.Unknown:
				p.odd++
			case int(id) >= queues:
			case minimum != nil:
				minimum[id] = committed
				sum += max(committed, 0)
			default:
				p.part.Committed.Set(first+int(id), committed)
				sum += max(committed, 0)
			}
		})
	flush()
	p.odd += odd
	return err
}

// pair is the topic and the number of the group of an entry. Where it is the next
// one of the last part, or one was deleted in between, nothing is looked up.
func (p *partBuilder) pair(key *remoting.OffsetKey) (*topic, int32) {
	upto := min(p.next+2, len(p.last.Commits))
	for i := p.next; i < upto && !key.Broadcast; i++ {
		c := &p.last.Commits[i]
		if p.last.GroupOf(c) != string(key.Group) || p.last.Topics[c.Topic].Name != string(key.Topic) {
			continue
		}
		p.next = i + 1
		t := p.lastTopics[c.Topic]
		if t == nil { // deleted, and maybe made anew since the last part
			t = p.broker.known.topic(key.Topic)
		}
		return t, p.today(c.Group)
	}
	n, ok := p.groups.index[string(key.Group)]
	if !ok {
		return nil, noGroup
	}
	return p.broker.known.topic(key.Topic), n
}

// today is the number of a group of the last part; noGroup: the broker has it no
// longer.
func (p *partBuilder) today(group int32) int32 {
	if p.renumbered == nil {
		return group
	}
	return p.renumbered[group]
}

// fits says whether the queues of one more table can be believed.
func (p *partBuilder) fits(t *topic) bool {
	if p.rows+int(t.queues) > maxRows {
		p.odd++
		return false
	}
	p.rows += int(t.queues)
	return true
}

// addCommits adds an entry without a commit yet, and returns where in the part's
// Committed they go.
func (p *partBuilder) addCommits(group int32, t *topic) (first int) {
	p.want(t)
	part := p.part
	first = part.Committed.Len()
	part.Commits = grown(part.Commits, p.last.Commits, model.Commits{Group: group, Topic: t.slot, First: int32(first)})
	part.Committed.AppendUnknown(int(t.queues))
	return first
}

// grown is a list with one more value. While it is how the same list of the last
// part begins, it is that, so that rounds share what does not change.
func grown[T comparable](list, last []T, value T) []T {
	n := len(list)
	if n < len(last) && (n == 0 || &list[0] == &last[0]) {
		if last[n] == value {
			return last[: n+1 : n+1]
		}
		list = append(make([]T, 0, len(last)+8), list...)
	}
	return append(list, value)
}

func (p *partBuilder) addMinimum(group int32, t *topic) []int64 {
	p.want(t)
	if p.minimum == nil {
		p.minimum = make(map[string][]broadcastMinimum)
	}
	m := broadcastMinimum{topic: t.name, committed: appendUnknown(nil, int(t.queues))}
	name := p.groups.names[group]
	p.minimum[name] = append(p.minimum[name], m)
	return m.committed
}

// sealMinimum is the minimum that belongs to the sealed part: for topics whose
// last good ends stand in, the last good minimum does too.
func (p *partBuilder) sealMinimum(last map[string][]broadcastMinimum, carried map[string]int) map[string][]broadcastMinimum {
	if len(carried) == 0 {
		return p.minimum
	}
	for group, list := range p.minimum {
		isCarried := func(m broadcastMinimum) bool { return carried[m.topic] > 0 }
		list = slices.DeleteFunc(list, isCarried)
		for _, m := range last[group] {
			if isCarried(m) {
				list = append(list, m)
			}
		}
		p.minimum[group] = list
	}
	return p.minimum
}

// want gives a topic its place in the part.
func (p *partBuilder) want(t *topic) {
	if t.state != unused {
		return
	}
	t.state, t.slot = wanted, int32(len(p.topics))
	p.topics = append(p.topics, t)
	first := p.part.Ends.Len()
	p.part.Topics = grown(p.part.Topics, p.last.Topics,
		model.Topic{Name: t.name, First: int32(first), Queues: int32(t.queues)})
	p.part.Ends.AppendUnknown(int(t.queues))
}

func appendUnknown(list []int64, n int) []int64 {
	for range n {
		list = append(list, model.Unknown)
	}
	return list
}

// wantedTopics are the topics whose ends are still to be asked for.
func (p *partBuilder) wantedTopics() []*topic {
	var list []*topic
	for i, t := range p.topics {
		if t.state != wanted {
			continue
		}
		if list == nil { // mostly all of them are, or none
			list = make([]*topic, 0, len(p.topics)-i)
		}
		list = append(list, t)
	}
	return list
}

// setEnd notes the end of one queue.
func (p *partBuilder) setEnd(q *remoting.MessageQueue, end int64) {
	p.setSpan(q, &remoting.TopicOffset{Min: model.Unknown, Max: end})
}

// setSpan notes the end of one queue, and where they were told its beginning
// and the time of its newest message.
func (p *partBuilder) setSpan(q *remoting.MessageQueue, o *remoting.TopicOffset) {
	t := p.topic(q.Topic)
	if t == nil || t.state == unused || q.QueueID < 0 || o.Max < 0 {
		p.odd++
		return
	}
	if q.QueueID >= int32(t.queues) {
		return // a queue that only producers see, or one that is newer than the settings
	}
	i := int(p.part.Topics[t.slot].First + q.QueueID)
	p.part.Ends.Set(i, o.Max)
	if o.Min >= 0 {
		p.noteBegin(i, o.Min)
	}
	if o.Max > 0 && o.LastUpdate > 0 {
		p.noteStored(int(t.slot), o.LastUpdate)
	}
	t.state = read
}

// noteBegin notes the beginning of a queue. The list is empty, or shorter than
// there are queues, while nobody has told any: most rounds ask for none.
func (p *partBuilder) noteBegin(i int, begin int64) {
	p.part.Begins.AppendUnknown(p.part.Ends.Len() - p.part.Begins.Len())
	p.part.Begins.Set(i, begin)
}

// noteStored notes when the newest message of one of a topic's queues was stored.
func (p *partBuilder) noteStored(i int, at int64) {
	widenStored(p.part)
	p.part.Stored[i] = max(p.part.Stored[i], at)
}

// widenStored makes room for all topics of a part.
func widenStored(part *model.Part) {
	if n := len(part.Topics) - len(part.Stored); n > 0 {
		part.Stored = appendUnknown(slices.Grow(part.Stored, n), n)
	}
}

// notedBegin is what was noted of a queue.
func notedBegin(part *model.Part, i int) int64 {
	if i < part.Begins.Len() {
		return part.Begins.At(i)
	}
	return model.Unknown
}

// topic is the topic of that name. The queues of a topic come one after the
// other, mostly, and the topics in the order in which they were asked for.
func (p *partBuilder) topic(name []byte) *topic {
	if t := p.recent; t != nil {
		if t.name == string(name) {
			return t
		}
		if next := int(t.slot) + 1; next < len(p.topics) && p.topics[next].name == string(name) {
			p.recent = p.topics[next]
			return p.recent
		}
	}
	p.recent = p.broker.known.topic(name)
	return p.recent
}

// setBegin notes the beginning of one queue whose end is known.
func (p *partBuilder) setBegin(q *remoting.MessageQueue, o *remoting.TopicOffset) {
	t := p.topic(q.Topic)
	if t == nil || t.state != read || q.QueueID < 0 || q.QueueID >= int32(t.queues) || o.Min < 0 {
		return
	}
	p.noteBegin(int(p.part.Topics[t.slot].First+q.QueueID), o.Min)
}

func (p *partBuilder) forgetBegins(t *topic) {
	first := int(p.part.Topics[t.slot].First)
	for q := range int(t.queues) {
		p.noteBegin(first+q, model.Unknown)
	}
}

// halfTold are the topics of some of whose queues, or of all, nobody has told the
// end.
func (p *partBuilder) halfTold() []*topic {
	var list []*topic
	for _, t := range p.topics {
		if t.state == bare || t.state == read && p.lacksEnd(t) {
			list = append(list, t)
		}
	}
	return list
}

func (p *partBuilder) lacksEnd(t *topic) bool {
	first := int(p.part.Topics[t.slot].First)
	for q := range int(t.queues) {
		if p.part.Ends.At(first+q) == model.Unknown {
			return true
		}
	}
	return false
}

// undecided are the topics on which some group has a queue without a commit
// and messages: where it will start depends on the queue's beginning.
func (p *partBuilder) undecided() []*topic {
	var list []*topic
	for i := range p.part.Commits {
		c := &p.part.Commits[i]
		t := p.topics[c.Topic]
		if t.state != read || t.undecided {
			continue
		}
		first, commits := int(p.part.Topics[c.Topic].First), int(c.First)
		for q := range int(t.queues) {
			if p.part.Committed.At(commits+q) == model.Unknown && p.part.Ends.At(first+q) > 0 && notedBegin(p.part, first+q) == model.Unknown {
				t.undecided = true
				list = append(list, t)
				break
			}
		}
	}
	return list
}
