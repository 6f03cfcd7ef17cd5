package lag

import (
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
	b := f.assemble()
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
	parts           []partPlaces                    // of the snapshot's parts
	begins          map[model.TopicOnBroker][]int64 // of what broadcasting groups consume
}

// places are the places of names in the sorted lists.
type places struct{ topics, brokers, groups map[string]int32 }

// partPlaces are those of what a part names.
type partPlaces struct {
	broker int32
	topics []int32 // by the part's Topics
	groups []int32 // by the part's Groups; notCounted where nobody told of the group
}

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

// name sorts the names of topics and brokers, and notes the place of each. Most
// topics are in many parts: each is looked up once there.
func (f *frame) name() {
	n := 0
	for _, part := range f.snapshot.Parts {
		n = max(n, len(part.Topics)+len(part.Others))
	}
	p := places{make(map[string]int32, n), make(map[string]int32, len(f.snapshot.Parts)), make(map[string]int32, len(f.groups))}
	f.parts = make([]partPlaces, len(f.snapshot.Parts))
	topics, brokers := make([]string, 0, n), make([]string, 0, len(f.snapshot.Parts))
	for i, part := range f.snapshot.Parts {
		list := make([]int32, len(part.Topics))
		for j := range list {
			list[j] = meet(p.topics, &topics, part.Topics[j].Name)
		}
		f.parts[i] = partPlaces{broker: meet(p.brokers, &brokers, part.Broker), topics: list}
		for j := range part.Others {
			meet(p.topics, &topics, part.Others[j].Topic)
		}
	}
	for i, g := range f.groups {
		p.groups[g.Name] = int32(i)
		for j := range g.Local {
			meet(p.topics, &topics, g.Local[j].Topic)
			meet(p.brokers, &brokers, g.Local[j].Broker)
		}
	}
	topicPlaces, brokerPlaces := place(p.topics, topics), place(p.brokers, brokers)
	for i := range f.parts {
		part := &f.parts[i]
		part.broker = brokerPlaces[part.broker]
		for j, n := range part.topics {
			part.topics[j] = topicPlaces[n]
		}
	}
	f.places, f.topics, f.brokers = p, topics, brokers
	f.placeGroups()
}

// placeGroups notes the places of the groups of each part. Mostly all brokers have
// the same ones, and their parts the same list.
func (f *frame) placeGroups() {
	for i := range f.parts {
		names := f.snapshot.Parts[i].Groups
		if i > 0 && model.SameList(names, f.snapshot.Parts[i-1].Groups) {
			f.parts[i].groups = f.parts[i-1].groups
			continue
		}
		list := make([]int32, len(names))
		for j, name := range names {
			g, ok := f.places.groups[name]
			if !ok {
				g = notCounted
			}
			list[j] = g
		}
		f.parts[i].groups = list
	}
}

// meet is the number of a name: names are numbered as they come.
func meet(numbers map[string]int32, names *[]string, name string) int32 {
	n, ok := numbers[name]
	if !ok {
		n = int32(len(*names))
		numbers[name] = n
		*names = append(*names, name)
	}
	return n
}

// place sorts names, which had numbers, and says which places these now have.
func place(numbers map[string]int32, names []string) (places []int32) {
	slices.Sort(names)
	places = make([]int32, len(names))
	for i, name := range names {
		places[numbers[name]], numbers[name] = int32(i), int32(i)
	}
	return places
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
	layout

	report      *Report // of all groups; what is of other groups is not touched
	first, last int32   // places of the groups: the last is behind them

	processes processes
	own       []ownRows
	groupSums []Sum

	// Sums by the places of names, Unknown where there is no row.
	topicSums, brokerSums []int64
	queueSums             [][]int64 // by broker and queue id
	// held is the backlog that clients hold, in the order of the report's holders
	// from those of the first group on.
	held []int64

	grouping         // the group under way
	reading  reading // the part under way
	run      run     // the rows under way
	desk     desk
	facts    facts
}

// processes are consumer processes in the order in which they are met.
type processes struct {
	list   []Process
	places map[[2]string]int32
}

func makeProcesses(most int32) processes {
	return processes{make([]Process, 0, most), make(map[[2]string]int32, most)}
}

// desk is room for what is read of one entry, used again for each.
type desk struct {
	ends, committed model.Run
	clients         []int32
}

func (f *frame) newBuilder(r *Report, l layout, first, last int32) *builder {
	clients := l.stretches[last].holder - l.stretches[first].holder
	most := clients
	if first == 0 {
		most = l.stretches[len(f.groups)].holder // it takes in those of the others, see join
	}
	return &builder{
		frame: f, layout: l, report: r, first: first, last: last, processes: makeProcesses(most),
		topicSums:  slices.Repeat([]int64{unknown}, len(f.topics)),
		brokerSums: slices.Repeat([]int64{unknown}, len(f.brokers)),
		queueSums:  make([][]int64, len(f.brokers)),
		held:       make([]int64, clients),
	}
}

// addGroups makes the pairs and rows of the groups. What parts tell of them is
// taken part by part, in the order of brokers: a part is then in the processor's
// cache, where a group's entries are scattered over all of the snapshot.
func (b *builder) addGroups(parts []int32) {
	for _, part := range parts {
		b.addPart(part)
	}
	for g := b.first; g < b.last; g++ {
		b.addGroup(g)
	}
}

// addGroup finishes what comes of one group.
func (b *builder) addGroup(index int32) {
	from, to := b.stretches[index], b.stretches[index+1]
	if from.detail == to.detail {
		return
	}
	g := b.groups[index]
	b.grouping = b.beginGroup(g)
	if g.Model == model.Broadcasting {
		b.addLocals(from.detail, to.detail)
	} else {
		b.addClients(from.holder, to.holder)
	}
	pairs := b.report.Pairs[from.pair:to.pair]
	rows, sum := int32(0), int64(0)
	for i := range pairs {
		b.conclude(&pairs[i], &b.pairings[int(from.pair)+i])
		rows, sum = rows+pairs[i].Rows, plus(sum, pairs[i].Backlog)
	}
	if rows > 0 {
		b.groupSums = append(b.groupSums, Sum{Name: g.Name, Backlog: sum})
	}
	addPopRetries(g.Name, pairs)
}

// grouping is the group under way.
type grouping struct {
	group *model.Group
	// For how long members have been online or offline, in ticks; Unknown if
	// they are not.
	online, offline int64
}

func (b *builder) beginGroup(g *model.Group) grouping {
	n := grouping{group: g, online: unknown, offline: unknown}
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
