package direct

import (
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// partBuilder makes one broker's part: first the commits, then the ends of the
// topics in them.
type partBuilder struct {
	broker *broker
	topics []*topic // by slot
	last   *topic   // that was looked up
	part   *model.Part
	sums   map[string]int64 // commits of each group added up: they moved or not
	// minimum is what brokers of 5.1 and later say of broadcasting groups.
	minimum map[string][]broadcastMinimum
	rows    int // queues of all tables of commits
	odd     int
	err     error // why there is no part
}

// broadcastMinimum is how far the slowest process of a broadcasting group is,
// as a broker of 5.1 or later says.
type broadcastMinimum struct {
	topic     string
	committed []int64
}

func newPartBuilder(b *broker) *partBuilder {
	return &partBuilder{broker: b, part: &model.Part{Broker: b.name}, sums: make(map[string]int64)}
}

// maxRows bounds the queues of all tables of commits of one broker that are
// believed: a few bytes of a forged answer name thousands of queues.
const maxRows = 1 << 22

// takeCommits reads the answer to GET_ALL_CONSUMER_OFFSET. Topics and groups
// that the broker no longer has, or that are not wanted, are passed over.
func (p *partBuilder) takeCommits(body []byte) error {
	k := &p.broker.known
	part := p.part
	if last := p.broker.part; last != nil {
		part.Committed = make([]int64, 0, len(last.Committed)+64)
		queues := len(last.Ends) + 64
		part.Ends, part.Begins, part.Stored = make([]int64, 0, queues), make([]int64, 0, queues), make([]int64, 0, queues)
	}
	for _, t := range k.topics {
		t.state, t.undecided, t.behind = unused, false, false
	}
	var row []int64
	var sum int64
	var group string
	flush := func() {
		if group != "" {
			p.sums[group] += sum
		}
		sum = 0
	}
	odd, err := remoting.DecodeConsumerOffsets(body,
		func(key remoting.OffsetKey) bool {
			flush()
			t := k.topics[string(key.Topic)]
			name, ok := k.groups[string(key.Group)]
			if group = name; t == nil || !ok {
				group = ""
				return false
			}
			if !p.fits(t) {
				group = ""
				return false
			}
			if key.Broadcast {
				row = p.addMinimum(name, t)
				return true
			}
			row = p.addCommits(name, t)
			return true
		},
		func(id int32, committed int64) {
			switch {
			case id < 0 || id > maxQueues || committed < model.Unknown:
				p.odd++
			case int(id) < len(row):
				row[id] = committed
				sum += max(committed, 0)
			}
		})
	flush()
	p.odd += odd
	return err
}

// fits says whether the queues of one more table can be believed.
func (p *partBuilder) fits(t *topic) bool {
	if p.rows+t.queues > maxRows {
		p.odd++
		return false
	}
	p.rows += t.queues
	return true
}

func (p *partBuilder) addCommits(group string, t *topic) []int64 {
	p.want(t)
	part := p.part
	first := len(part.Committed)
	part.Commits = grown(part.Commits, p.lastCommits(), model.Commits{Group: group, Topic: int32(t.slot), First: int32(first)})
	part.Committed = appendUnknown(part.Committed, t.queues)
	return part.Committed[first:]
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

func (p *partBuilder) lastTopics() []model.Topic {
	if p.broker.part == nil {
		return nil
	}
	return p.broker.part.Topics
}

func (p *partBuilder) lastCommits() []model.Commits {
	if p.broker.part == nil {
		return nil
	}
	return p.broker.part.Commits
}

func (p *partBuilder) addMinimum(group string, t *topic) []int64 {
	p.want(t)
	if p.minimum == nil {
		p.minimum = make(map[string][]broadcastMinimum)
	}
	m := broadcastMinimum{topic: t.name, committed: appendUnknown(nil, t.queues)}
	p.minimum[group] = append(p.minimum[group], m)
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
	t.state, t.slot = wanted, len(p.topics)
	p.topics = append(p.topics, t)
	first := len(p.part.Ends)
	p.part.Topics = grown(p.part.Topics, p.lastTopics(), model.Topic{Name: t.name, First: int32(first), Queues: int32(t.queues)})
	p.part.Ends = appendUnknown(p.part.Ends, t.queues)
	p.part.Begins = appendUnknown(p.part.Begins, t.queues)
	p.part.Stored = appendUnknown(p.part.Stored, t.queues)
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
	for _, t := range p.topics {
		if t.state == wanted {
			list = append(list, t)
		}
	}
	return list
}

// setEnd notes the end of one queue.
func (p *partBuilder) setEnd(q remoting.MessageQueue, end int64) {
	p.setSpan(q, remoting.TopicOffset{Min: model.Unknown, Max: end})
}

// setSpan notes the end of one queue, and where they were told its beginning
// and the time of its newest message.
func (p *partBuilder) setSpan(q remoting.MessageQueue, o remoting.TopicOffset) {
	t := p.topic(q.Topic)
	if t == nil || t.state == unused || q.QueueID < 0 || o.Max < 0 {
		p.odd++
		return
	}
	if int(q.QueueID) >= t.queues {
		return // a queue that only producers see, or one that is newer than the settings
	}
	i := int(p.part.Topics[t.slot].First + q.QueueID)
	p.part.Ends[i] = o.Max
	if o.Min >= 0 {
		p.part.Begins[i] = o.Min
	}
	if o.Max > 0 && o.LastUpdate > 0 {
		p.part.Stored[i] = o.LastUpdate
	}
	t.state = read
}

// topic is the topic of that name. The queues of a topic come one after the
// other, mostly.
func (p *partBuilder) topic(name []byte) *topic {
	if p.last == nil || p.last.name != string(name) {
		p.last = p.broker.known.topics[string(name)]
	}
	return p.last
}

// setBegin notes the beginning of one queue whose end is known.
func (p *partBuilder) setBegin(q remoting.MessageQueue, o remoting.TopicOffset) {
	t := p.broker.known.topics[string(q.Topic)]
	if t == nil || t.state != read || q.QueueID < 0 || int(q.QueueID) >= t.queues || o.Min < 0 {
		return
	}
	p.part.Begins[p.part.Topics[t.slot].First+q.QueueID] = o.Min
}

func (p *partBuilder) forgetBegins(t *topic) {
	first := int(p.part.Topics[t.slot].First)
	for q := range t.queues {
		p.part.Begins[first+q] = model.Unknown
	}
}

// halfTold are the topics of some of whose queues nobody has told the end.
func (p *partBuilder) halfTold() []*topic {
	var list []*topic
	for _, t := range p.topics {
		first := int(p.part.Topics[t.slot].First)
		if t.state == read && slices.Contains(p.part.Ends[first:first+t.queues], model.Unknown) {
			list = append(list, t)
		}
	}
	return list
}

// undecided are the topics on which some group has a queue without a commit
// and messages: where it will start depends on the queue's beginning.
func (p *partBuilder) undecided() []*topic {
	var list []*topic
	seen := make(map[int32]bool)
	for i := range p.part.Commits {
		c := &p.part.Commits[i]
		t := p.topics[c.Topic]
		if t.state != read || seen[c.Topic] {
			continue
		}
		first := int(p.part.Topics[c.Topic].First)
		for q := range t.queues {
			if p.part.Committed[int(c.First)+q] == model.Unknown && p.part.Ends[first+q] > 0 && p.part.Begins[first+q] == model.Unknown {
				seen[c.Topic], t.undecided = true, true
				list = append(list, t)
				break
			}
		}
	}
	return list
}

// seal is the finished part. Topics that are gone are left out. For those that
// could not be read the last good offsets stand in, for at most keep rounds;
// carried says for how many rounds they have.
func (p *partBuilder) seal(last *model.Part, carried map[string]int, keep int, now time.Time) (*model.Part, map[string]int) {
	p.part.Taken = now
	whole := true
	for _, t := range p.topics {
		whole = whole && t.state == read
	}
	if whole {
		return p.part, nil
	}
	standIns := make(map[string]int)
	out := &model.Part{Broker: p.part.Broker, Taken: now}
	copyTopics(out, p.part, func(topic string) bool { return p.broker.known.topics[topic].state == read })
	if last != nil {
		copyTopics(out, last, func(topic string) bool {
			t := p.broker.known.topics[topic]
			if t == nil || t.state != missing || carried[topic] >= keep {
				return false
			}
			standIns[topic] = carried[topic] + 1
			return true
		})
	}
	for _, t := range p.topics {
		if _, ok := standIns[t.name]; t.state == missing && !ok {
			standIns[t.name] = keep // gone from view, and still counted as missing
		}
	}
	return out, standIns
}

// copyTopics adds the topics of from that take says to, with their commits.
func copyTopics(to, from *model.Part, take func(topic string) bool) {
	place := make(map[int32]int32)
	for i, t := range from.Topics {
		if !take(t.Name) {
			continue
		}
		place[int32(i)] = int32(len(to.Topics))
		first := len(to.Ends)
		to.Ends = append(to.Ends, from.Ends[t.First:t.First+t.Queues]...)
		to.Begins = append(to.Begins, from.Begins[t.First:t.First+t.Queues]...)
		to.Stored = append(to.Stored, from.Stored[t.First:t.First+t.Queues]...)
		to.Topics = append(to.Topics, model.Topic{Name: t.Name, First: int32(first), Queues: t.Queues, Taken: model.StampOf(from.TakenAt(&t))})
	}
	for _, c := range from.Commits {
		i, ok := place[c.Topic]
		if !ok {
			continue
		}
		n := to.Topics[i].Queues
		first := len(to.Committed)
		to.Committed = append(to.Committed, from.Committed[c.First:c.First+n]...)
		to.Commits = append(to.Commits, model.Commits{Group: c.Group, Topic: i, First: int32(first)})
	}
}
