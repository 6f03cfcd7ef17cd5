package lag

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// Build makes the report of a snapshot alone. What needs the past, ages and
// states among it, is not known in it.
func Build(s *model.Snapshot) *Report { return BuildAfter(s, nil, DefaultRules()) }

// BuildAfter makes the report of the snapshot that was added to the past last.
// Ages in it are as of the moments at which the snapshot's offsets were read.
// Large ones are made on several processors.
func BuildAfter(s *model.Snapshot, past *store.History, rules Rules) *Report {
	f := newFrame(s, past, rules)
	var totals []TopicTotal
	var deadLetters []Count
	var meanwhile sync.WaitGroup
	meanwhile.Go(func() { totals, deadLetters = f.totals(), f.deadLetters() })
	b := f.assemble(f.entries())
	b.finish()
	meanwhile.Wait()
	b.report.Totals, b.report.DeadLetters = totals, deadLetters
	return b.report
}

// frame is what a report is made from: it does not change while it is made.
type frame struct {
	snapshot *model.Snapshot
	past     *store.History // nil: there is none
	now      store.Tick
	rules    Rules
	table    []rule
	clocks   map[string]*brokerClock

	groups          []*model.Group // sorted by name
	topics, brokers []string       // sorted
	places          places
	begins          map[model.TopicOnBroker][]int64 // of what broadcasting groups consume
}

// places are the places of names in the sorted lists.
type places struct{ topics, brokers, groups map[string]int32 }

func newFrame(s *model.Snapshot, past *store.History, rules Rules) *frame {
	f := &frame{snapshot: s, rules: rules, table: table(), groups: slices.Clone(s.Groups)}
	if past.Holds(s) {
		f.past, f.clocks, f.now = past, clocks(s, past), past.Tick(s.Ended)
	}
	slices.SortFunc(f.groups, func(x, y *model.Group) int { return strings.Compare(x.Name, y.Name) })
	f.name()
	f.begins = f.localBegins()
	return f
}

// name sorts the names of topics and brokers, and notes the place of each.
func (f *frame) name() {
	p := places{make(map[string]int32), make(map[string]int32), make(map[string]int32, len(f.groups))}
	for _, part := range f.snapshot.Parts {
		p.brokers[part.Broker] = 0
		for i := range part.Topics {
			p.topics[part.Topics[i].Name] = 0
		}
		for i := range part.Others {
			p.topics[part.Others[i].Topic] = 0
		}
	}
	for i, g := range f.groups {
		p.groups[g.Name] = int32(i)
		for j := range g.Local {
			p.topics[g.Local[j].Topic], p.brokers[g.Local[j].Broker] = 0, 0
		}
	}
	f.places, f.topics, f.brokers = p, place(p.topics), place(p.brokers)
}

// place sorts names, and notes the place of each.
func place(names map[string]int32) (sorted []string) {
	sorted = slices.Sorted(maps.Keys(names))
	for i, name := range sorted {
		names[name] = int32(i)
	}
	return sorted
}

// localBegins are the beginnings of topics that broadcasting groups consume.
func (f *frame) localBegins() map[model.TopicOnBroker][]int64 {
	begins := make(map[model.TopicOnBroker][]int64)
	for _, g := range f.groups {
		for i := range g.Local {
			begins[g.Local[i].TopicOnBroker] = nil
		}
	}
	if len(begins) == 0 {
		return nil
	}
	for _, part := range f.snapshot.Parts {
		for i := range part.Topics {
			t := &part.Topics[i]
			key := model.TopicOnBroker{Topic: t.Name, Broker: part.Broker}
			if _, ok := begins[key]; ok && !part.Repeats(i) {
				begins[key] = part.Begins.AppendTo(nil, int(t.First), int(t.Queues))
			}
		}
	}
	return begins
}

// builder makes a report, or the part of one that some groups are.
type builder struct {
	*frame

	report    *Report
	processes map[[2]string]int32 // places in the report

	// Sums by the places of names, Unknown where there is no row.
	topicSums, brokerSums []int64
	queueSums             [][]int64 // by broker and queue id

	grouping     // the group under way
	pairing      // the pair under way
	run      run // the rows under way
	facts    facts
}

func (f *frame) newBuilder(r *Report, clients int) *builder {
	return &builder{
		frame: f, report: r, processes: make(map[[2]string]int32, clients),
		topicSums:  slices.Repeat([]int64{unknown}, len(f.topics)),
		brokerSums: slices.Repeat([]int64{unknown}, len(f.brokers)),
		queueSums:  make([][]int64, len(f.brokers)),
	}
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

// finish lists the sums that have rows.
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
	for i := range r.Snapshot.Parts {
		if part := &r.Snapshot.Parts[i]; part.Age > 0 || part.Missing > 0 {
			r.Incomplete++
		}
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
