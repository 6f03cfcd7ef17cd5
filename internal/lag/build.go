package lag

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// Build makes the report of a snapshot alone. What needs the past, ages and
// states among it, is not known in it.
func Build(s *model.Snapshot) *Report { return BuildAfter(s, nil, DefaultRules()) }

// BuildAfter makes the report of the snapshot that was added to the past last.
// Ages in it are as of the moments at which the snapshot's offsets were read.
func BuildAfter(s *model.Snapshot, past *store.History, rules Rules) *Report {
	b := newBuilder(s, past, rules)
	byGroup, rows := b.entries()
	b.report.Pairs = make([]Pair, 0, countPairs(byGroup))
	b.report.Details = make([]Detail, 0, countRuns(byGroup))
	b.report.Age = make([]int32, 0, rows)
	for i, entries := range byGroup {
		b.addGroup(int32(i), entries)
	}
	b.finish()
	return b.report
}

// builder makes one report.
type builder struct {
	report *Report
	past   *store.History // nil: there is none
	now    store.Tick
	rules  Rules
	table  []rule
	clocks map[string]*brokerClock

	groups          []*model.Group // sorted by name
	topics, brokers []string       // sorted
	places          places
	processes       map[[2]string]int32

	// Sums by the places of names, Unknown where there is no row.
	topicSums, brokerSums []int64
	queueSums             [][]int64 // by broker and queue id

	grouping     // the group under way
	pairing      // the pair under way
	run      run // the rows under way
	facts    facts
	begins   map[model.TopicOnBroker][]int64
}

// places are the places of names in the sorted lists.
type places struct{ topics, brokers, groups map[string]int32 }

func newBuilder(s *model.Snapshot, past *store.History, rules Rules) *builder {
	clients := 0
	for _, g := range s.Groups {
		clients += len(g.Clients)
	}
	b := &builder{
		report:    &Report{Snapshot: s},
		rules:     rules,
		table:     table(),
		groups:    slices.Clone(s.Groups),
		processes: make(map[[2]string]int32, clients),
	}
	if past.Holds(s) {
		b.past, b.clocks, b.now = past, clocks(s, past), past.Tick(s.Ended)
	}
	slices.SortFunc(b.groups, func(x, y *model.Group) int { return strings.Compare(x.Name, y.Name) })
	b.report.groups, b.report.holders = b.groups, make([]int32, 0, clients)
	b.name()
	return b
}

// name sorts the names of topics and brokers, and notes the place of each.
func (b *builder) name() {
	p := places{make(map[string]int32), make(map[string]int32), make(map[string]int32, len(b.groups))}
	for _, part := range b.report.Snapshot.Parts {
		p.brokers[part.Broker] = 0
		for i := range part.Topics {
			p.topics[part.Topics[i].Name] = 0
		}
		for i := range part.Others {
			p.topics[part.Others[i].Topic] = 0
		}
	}
	for i, g := range b.groups {
		p.groups[g.Name] = int32(i)
		for j := range g.Local {
			p.topics[g.Local[j].Topic], p.brokers[g.Local[j].Broker] = 0, 0
		}
	}
	b.places = p
	b.topics, b.topicSums = place(p.topics)
	b.brokers, b.brokerSums = place(p.brokers)
	b.queueSums = make([][]int64, len(b.brokers))
}

// place sorts names, notes the place of each, and makes room for their sums.
func place(names map[string]int32) (sorted []string, sums []int64) {
	sorted = slices.Sorted(maps.Keys(names))
	for i, name := range sorted {
		names[name] = int32(i)
	}
	return sorted, slices.Repeat([]int64{unknown}, len(sorted))
}

// entry is one group's commits on one topic of one broker: those that the
// broker keeps, or those that one process of a broadcasting group keeps. It
// names topic and broker by their places in the sorted names: sorting entries
// by text would be most of the work of a large report.
type entry struct {
	group, topic, broker int32

	part  int32 // index in Snapshot.Parts, notInPart for a process's own
	index int32 // in the part's Commits, or the group's Local
}

const notInPart = -1

// entries lists what counts by group, in order, and an upper bound of the rows
// in it.
func (b *builder) entries() (byGroup [][]entry, rows int) {
	s := b.report.Snapshot
	n := 0
	for i := range s.Parts {
		n += len(s.Parts[i].Commits)
	}
	all := make([]entry, 0, n)
	for i := range s.Parts {
		if s.Parts[i].Age > 0 || s.Parts[i].Missing > 0 {
			b.report.Incomplete++
		}
		var more int
		all, more = b.appendPart(all, int32(i), s.Parts[i].Part)
		rows += more
	}
	for i, g := range b.groups {
		if g.Model != model.Broadcasting {
			continue
		}
		for j := range g.Local {
			l := &g.Local[j]
			all = append(all, entry{
				group: int32(i), topic: b.places.topics[l.Topic], broker: b.places.brokers[l.Broker], part: notInPart, index: int32(j),
			})
			rows += len(l.Committed)
		}
	}
	return b.sort(all), rows
}

// appendPart adds the entries of a broker's commits.
func (b *builder) appendPart(all []entry, index int32, part *model.Part) (list []entry, rows int) {
	topics := make([]int32, len(part.Topics))
	for i := range part.Topics {
		topics[i] = b.places.topics[part.Topics[i].Name]
	}
	broker := b.places.brokers[part.Broker]
	for i := range part.Commits {
		c := &part.Commits[i]
		g, ok := b.places.groups[c.Group]
		if !ok || !counts(b.groups[g], part.Topics[c.Topic].Name) {
			continue
		}
		all = append(all, entry{group: g, topic: topics[c.Topic], broker: broker, part: index, index: int32(i)})
		rows += int(part.Topics[c.Topic].Queues)
	}
	return all, rows
}

// sort deals entries out by group, and puts those of each in order.
func (b *builder) sort(all []entry) [][]entry {
	ends := make([]int, len(b.groups)+1)
	for i := range all {
		ends[all[i].group+1]++
	}
	for i := range b.groups {
		ends[i+1] += ends[i]
	}
	dealt := make([]entry, len(all))
	for i := range all {
		at := &ends[all[i].group]
		dealt[*at] = all[i]
		*at++
	}
	byGroup := make([][]entry, len(b.groups))
	first := 0
	for i := range b.groups {
		byGroup[i] = dealt[first:ends[i]]
		first = ends[i]
		if !slices.IsSortedFunc(byGroup[i], b.compare) {
			slices.SortFunc(byGroup[i], b.compare)
		}
	}
	return byGroup
}

// compare orders the entries of a group by topic, broker and process.
func (b *builder) compare(x, y entry) int {
	switch {
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

// addGroup makes the pairs and rows of one group.
func (b *builder) addGroup(index int32, entries []entry) {
	if len(entries) == 0 {
		return
	}
	g := b.groups[index]
	b.grouping = b.beginGroup(g, index)
	first := len(b.report.Pairs)
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && b.compare(entries[0], entries[n]) == 0 {
			n++
		}
		if topic := b.topics[entries[0].topic]; !b.isUnderWay(topic) {
			b.conclude()
			b.begin(topic)
		}
		b.add(g, entries[:n])
		entries = entries[n:]
	}
	b.conclude()
	addPopRetries(g.Name, b.report.Pairs[first:])
}

// grouping is the group under way.
type grouping struct {
	group *model.Group
	index int32
	// Where in Report.holders its clients begin; NoHolder there: not looked up
	// yet.
	holders int32
	// For how long members have been online or offline, in ticks; Unknown if
	// they are not.
	online, offline int64
}

func (b *builder) beginGroup(g *model.Group, index int32) grouping {
	r := b.report
	n := grouping{group: g, index: index, holders: int32(len(r.holders)), online: unknown, offline: unknown}
	for range g.Clients {
		r.holders = append(r.holders, NoHolder)
	}
	if b.past == nil {
		return n
	}
	switch m := b.past.MembersOf(g.Name); {
	case m == nil || !m.Known:
	case m.Online:
		n.online = since(b.now, m.Since)
	default:
		n.offline = since(b.now, m.Since)
	}
	return n
}

// countRuns is an upper bound of the details of entries in order.
func countRuns(byGroup [][]entry) int {
	n := 0
	for _, entries := range byGroup {
		n += len(entries)
	}
	return n
}

// countPairs counts the pairs of entries in order.
func countPairs(byGroup [][]entry) int {
	n := 0
	for _, entries := range byGroup {
		for i := range entries {
			if i == 0 || entries[i].topic != entries[i-1].topic {
				n++
			}
		}
	}
	return n
}

// finish lists the sums that have rows, and the totals.
func (b *builder) finish() {
	r := b.report
	r.Topics = sums(b.topics, b.topicSums)
	r.Brokers = sums(b.brokers, b.brokerSums)
	for i, queues := range b.queueSums {
		for q, sum := range queues {
			if sum != unknown {
				r.Queues = append(r.Queues, QueueSum{Broker: b.brokers[i], QueueID: int32(q), Backlog: sum})
			}
		}
	}
	if b.past != nil {
		b.addTotals()
		b.addDeadLetters()
	}
}

func sums(names []string, sums []int64) []Sum {
	list := make([]Sum, 0, len(names))
	for i, name := range names {
		if sums[i] != unknown {
			list = append(list, Sum{Name: name, Backlog: sums[i]})
		}
	}
	return list
}
