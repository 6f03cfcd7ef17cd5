package lag

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Build makes the report of a snapshot.
func Build(s *model.Snapshot) *Report {
	b := newBuilder(s)
	entries, rows := b.collect()
	slices.SortFunc(entries, b.compare)
	b.report.QueueID = make([]int32, 0, rows)
	b.report.Backlog = make([]int64, 0, rows)
	b.report.Holder = make([]int32, 0, rows)
	b.report.Age = make([]int32, 0, rows)
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && b.compare(entries[0], entries[n]) == 0 {
			n++
		}
		b.add(entries[:n])
		entries = entries[n:]
	}
	b.finish()
	return b.report
}

// entry is one group's commits on one topic of one broker: those that the
// broker keeps, or those that one process of a broadcasting group keeps. It
// names group, topic and broker by their places in the sorted names: sorting
// entries by text would be most of the work of a large report.
type entry struct {
	group, topic, broker int32

	part  int32 // index in Snapshot.Parts, notInPart for a process's own
	index int32 // in the part's Commits, or the group's Local
}

const notInPart = -1

type builder struct {
	report *Report

	groups          []*model.Group // sorted by name
	topics, brokers []string       // sorted
	processes       map[[2]string]int32

	// Sums by the places of names, Unknown where there is no row.
	topicSums, brokerSums []int64
	queueSums             [][]int64 // by broker and queue id

	// Of one run of entries, by queue id.
	scratch   []int64 // backlog
	committed []int64
}

func newBuilder(s *model.Snapshot) *builder {
	b := &builder{
		report:    &Report{Snapshot: s},
		groups:    slices.Clone(s.Groups),
		processes: make(map[[2]string]int32),
	}
	slices.SortFunc(b.groups, func(x, y *model.Group) int { return strings.Compare(x.Name, y.Name) })
	return b
}

// compare orders entries by group, topic, broker and process.
func (b *builder) compare(x, y entry) int {
	switch {
	case x.group != y.group:
		return cmp.Compare(x.group, y.group)
	case x.topic != y.topic:
		return cmp.Compare(x.topic, y.topic)
	case x.broker != y.broker:
		return cmp.Compare(x.broker, y.broker)
	}
	xIP, xPID := b.holder(&x)
	yIP, yPID := b.holder(&y)
	return cmp.Or(strings.Compare(xIP, yIP), strings.Compare(xPID, yPID))
}

// holder is the process that an entry belongs to; empty where it is none's.
func (b *builder) holder(e *entry) (ip, pid string) {
	if e.part != notInPart {
		return "", ""
	}
	g := b.groups[e.group]
	l := &g.Local[e.index]
	if l.Client == model.NoClient {
		return "", ""
	}
	return g.Clients[l.Client].IP, g.Clients[l.Client].PID
}

// collect lists what counts, and an upper bound of the rows in it.
func (b *builder) collect() (entries []entry, rows int) {
	s := b.report.Snapshot
	topics, brokers := b.names()
	groups := make(map[string]int32, len(b.groups))
	n := 0
	for i, g := range b.groups {
		groups[g.Name] = int32(i)
		n += len(g.Local)
	}
	for i := range s.Parts {
		n += len(s.Parts[i].Commits)
	}
	entries = make([]entry, 0, n)
	for i := range s.Parts {
		part := s.Parts[i].Part
		if s.Parts[i].Age > 0 || s.Parts[i].Missing > 0 {
			b.report.Incomplete++
		}
		places := make([]int32, len(part.Topics))
		for j := range part.Topics {
			places[j] = topics[part.Topics[j].Name]
		}
		for j := range part.Commits {
			c := &part.Commits[j]
			g, ok := groups[c.Group]
			if !ok || !counts(b.groups[g], part.Topics[c.Topic].Name) {
				continue
			}
			entries = append(entries, entry{
				group: g, topic: places[c.Topic], broker: brokers[part.Broker], part: int32(i), index: int32(j),
			})
			rows += part.Topics[c.Topic].Queues
		}
	}
	for i, g := range b.groups {
		if g.Model != model.Broadcasting {
			continue
		}
		for j := range g.Local {
			l := &g.Local[j]
			entries = append(entries, entry{
				group: int32(i), topic: topics[l.Topic], broker: brokers[l.Broker], part: notInPart, index: int32(j),
			})
			rows += len(l.Committed)
		}
	}
	return entries, rows
}

// names sorts the names of topics and brokers, and says the place of each.
func (b *builder) names() (topics, brokers map[string]int32) {
	topics, brokers = make(map[string]int32), make(map[string]int32)
	for _, p := range b.report.Snapshot.Parts {
		brokers[p.Broker] = 0
		for i := range p.Topics {
			topics[p.Topics[i].Name] = 0
		}
	}
	for _, g := range b.groups {
		for i := range g.Local {
			topics[g.Local[i].Topic], brokers[g.Local[i].Broker] = 0, 0
		}
	}
	b.topics, b.topicSums = places(topics)
	b.brokers, b.brokerSums = places(brokers)
	b.queueSums = make([][]int64, len(b.brokers))
	return topics, brokers
}

// places sorts names, notes the place of each, and makes room for their sums.
func places(names map[string]int32) (sorted []string, sums []int64) {
	sorted = slices.Sorted(maps.Keys(names))
	for i, name := range sorted {
		names[name] = int32(i)
	}
	return sorted, slices.Repeat([]int64{model.Unknown}, len(sorted))
}

// Prefixes of topics that RocketMQ makes for a group (MixAll).
const (
	retryPrefix = "%RETRY%"
	dlqPrefix   = "%DLQ%"
)

// counts says whether the broker's commits of a group on a topic are a
// backlog.
func counts(g *model.Group, topic string) bool {
	switch {
	case g.Model == model.Broadcasting:
		// What the broker keeps for it is a leftover: its processes keep
		// their own offsets, and the difference only grows.
		return false
	case strings.HasPrefix(topic, dlqPrefix):
		return false
	case !g.Known || len(g.Clients) == 0 || len(g.Topics) == 0:
		return true // offline, or nobody knows: it keeps its backlog
	}
	return subscribes(g, topic)
}

// subscribes says whether an online group consumes a topic. A POP retry topic,
// %RETRY%group_topic or %RETRY%group+topic (KeyBuilder.buildPopRetryTopic), is
// consumed with its topic and never subscribed by name.
func subscribes(g *model.Group, topic string) bool {
	if _, ok := g.Topics[topic]; ok {
		return true
	}
	rest, ok := strings.CutPrefix(topic, retryPrefix)
	if !ok {
		return false
	}
	rest, ok = strings.CutPrefix(rest, g.Name)
	if !ok || rest == "" || rest[0] != '_' && rest[0] != '+' {
		return rest == "" && ok // the group's own retry topic
	}
	_, ok = g.Topics[rest[1:]]
	return ok
}

// add turns entries that share group, topic, broker and process into rows.
// There is more than one only where several clients of a broadcasting group
// live in one process: their deliveries add up.
func (b *builder) add(run []entry) {
	e := &run[0]
	g := b.groups[e.group]
	pair := b.pair(g, b.topics[e.topic])
	b.scratch = b.scratch[:0]
	b.committed = nil
	for i := range run {
		if run[i].part == notInPart {
			b.addLocal(&g.Local[run[i].index])
		} else {
			b.addCommits(b.report.Snapshot.Parts[run[i].part].Part, int(run[i].index), pair)
		}
	}
	b.emit(e, g, pair)
}

// pair is the pair of an entry: entries come in the order of group and topic.
func (b *builder) pair(g *model.Group, topic string) *Pair {
	r := b.report
	if n := len(r.Pairs); n == 0 || r.Pairs[n-1].Group != g.Name || r.Pairs[n-1].Topic != topic {
		r.Pairs = append(r.Pairs, newPair(g, topic))
	}
	return &r.Pairs[len(r.Pairs)-1]
}

// newPair is a pair of which nothing is known yet.
func newPair(g *model.Group, topic string) Pair {
	p := Pair{
		Topic: topic, Group: g.Name, Lag: NoLag, Retained: -1, Members: int(model.Unknown), Unowned: int(model.Unknown),
		Lost: model.Unknown, InFlight: model.Unknown, PopRetry: model.Unknown,
	}
	if g.Known {
		p.Members = len(g.Clients)
	}
	return p
}

// widen makes room for n queues in the scratch.
func (b *builder) widen(n int) {
	for len(b.scratch) < n {
		b.scratch = append(b.scratch, model.Unknown)
	}
}

func (b *builder) addCommits(part *model.Part, index int, pair *Pair) {
	commits := &part.Commits[index]
	topic := &part.Topics[commits.Topic]
	b.widen(topic.Queues)
	b.committed = part.Committed[commits.First : commits.First+topic.Queues]
	for q := range topic.Queues {
		end, begin := part.Ends[topic.First+q], part.Begins[topic.First+q]
		committed := part.Committed[commits.First+q]
		switch {
		case end == model.Unknown:
			continue
		case committed == model.Unknown && end > 0 && begin != 0:
			// Where retention has moved the beginning nobody knows where
			// the group will start; counting from 0 would be a false full
			// backlog.
			pair.Uncommitted++
			continue
		case committed == model.Unknown:
			committed = 0
		}
		pair.Ahead = plus(pair.Ahead, max(committed-end, 0))
		b.scratch[q] = max(end-committed, 0)
	}
}

func (b *builder) addLocal(l *model.LocalCommits) {
	b.widen(len(l.Committed))
	b.committed = slowest(b.committed, l.Committed)
	for q, committed := range l.Committed {
		if committed == model.Unknown || q >= len(l.Ends) || l.Ends[q] == model.Unknown {
			continue
		}
		b.scratch[q] = plus(max(b.scratch[q], 0), max(l.Ends[q]-committed, 0))
	}
}

// slowest is the lowest commit of each queue, of two clients in one process.
func slowest(a, b []int64) []int64 {
	if a == nil {
		return b
	}
	low := slices.Clone(a)
	for q, committed := range b {
		switch {
		case q >= len(low):
			low = append(low, committed)
		case low[q] == model.Unknown, committed != model.Unknown && committed < low[q]:
			low[q] = committed
		}
	}
	return low
}

// plus adds numbers that are not negative. Where only forged offsets can lead
// it stops at the largest number: a sum must never be less than its parts.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// emit writes the scratch as rows and adds them to every sum.
func (b *builder) emit(e *entry, g *model.Group, pair *Pair) {
	r := b.report
	d := Detail{Topic: pair.Topic, Group: g.Name, Broker: b.brokers[e.broker], First: len(r.Backlog), Committed: b.committed}
	shared := NoHolder // of a process's own commits
	var owners []int32
	if e.part == notInPart {
		shared = b.process(b.holder(e))
	} else {
		owners = g.Owners[model.TopicOnBroker{Topic: d.Topic, Broker: d.Broker}]
	}
	queues := b.queueSums[e.broker]
	for len(queues) < len(b.scratch) {
		queues = append(queues, model.Unknown)
	}
	b.queueSums[e.broker] = queues
	sum := int64(0)
	owner, owned := model.NoOwner, NoHolder // of the queue before: mostly the same
	for q, backlog := range b.scratch {
		if backlog == model.Unknown {
			continue
		}
		holder := shared
		if q < len(owners) && owners[q] != model.NoOwner {
			if owners[q] != owner {
				owner = owners[q]
				owned = b.process(g.Clients[owner].IP, g.Clients[owner].PID)
			}
			holder = owned
		}
		if holder != NoHolder {
			r.Processes[holder].Backlog = plus(r.Processes[holder].Backlog, backlog)
		}
		r.QueueID = append(r.QueueID, int32(q))
		r.Backlog = append(r.Backlog, backlog)
		r.Holder = append(r.Holder, holder)
		r.Age = append(r.Age, age(backlog))
		queues[q] = plus(max(queues[q], 0), backlog)
		sum = plus(sum, backlog)
	}
	if d.Rows = len(r.Backlog) - d.First; d.Rows == 0 {
		return
	}
	r.Details = append(r.Details, d)
	pair.Backlog = plus(pair.Backlog, sum)
	pair.Rows += d.Rows
	b.topicSums[e.topic] = plus(max(b.topicSums[e.topic], 0), sum)
	b.brokerSums[e.broker] = plus(max(b.brokerSums[e.broker], 0), sum)
	if n := len(r.Groups); n == 0 || r.Groups[n-1].Name != d.Group {
		r.Groups = append(r.Groups, Sum{Name: d.Group})
	}
	total := &r.Groups[len(r.Groups)-1].Backlog
	*total = plus(*total, sum)
}

// process is the place of a process in the report. One without any name cannot
// be told from none.
func (b *builder) process(ip, pid string) int32 {
	if ip == "" && pid == "" {
		return NoHolder
	}
	key := [2]string{ip, pid}
	i, ok := b.processes[key]
	if !ok {
		i = int32(len(b.report.Processes))
		b.processes[key] = i
		b.report.Processes = append(b.report.Processes, Process{IP: ip, PID: pid})
	}
	return i
}

// finish lists the sums that have rows.
func (b *builder) finish() {
	r := b.report
	r.Topics = sums(b.topics, b.topicSums)
	r.Brokers = sums(b.brokers, b.brokerSums)
	for i, queues := range b.queueSums {
		for q, sum := range queues {
			if sum != model.Unknown {
				r.Queues = append(r.Queues, QueueSum{Broker: b.brokers[i], QueueID: int32(q), Backlog: sum})
			}
		}
	}
}

func sums(names []string, sums []int64) []Sum {
	list := make([]Sum, 0, len(names))
	for i, name := range names {
		if sums[i] != model.Unknown {
			list = append(list, Sum{Name: name, Backlog: sums[i]})
		}
	}
	return list
}

// age is what a backlog alone tells of the age of its oldest message.
func age(backlog int64) int32 {
	if backlog == 0 {
		return 0
	}
	return int32(model.Unknown)
}
