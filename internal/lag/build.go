package lag

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Build makes the report of a snapshot.
func Build(s *model.Snapshot) *Report {
	b := builder{
		report:    &Report{Snapshot: s},
		processes: make(map[[2]string]int32),
		topics:    make(map[string]int64),
		brokers:   make(map[string]int64),
		queues:    make(map[string][]int64),
	}
	entries, rows := b.collect(s)
	slices.SortFunc(entries, compareEntries)
	b.report.QueueID = make([]int32, 0, rows)
	b.report.Backlog = make([]int64, 0, rows)
	b.report.Holder = make([]int32, 0, rows)
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && compareEntries(entries[0], entries[n]) == 0 {
			n++
		}
		b.add(entries[:n])
		entries = entries[n:]
	}
	b.finish()
	return b.report
}

// entry is one group's commits on one topic of one broker: those that the
// broker keeps, or those that one process of a broadcasting group keeps.
type entry struct {
	group         *model.Group
	topic, broker string
	ip, pid       string // of the process, for local ones

	part    *model.Part // nil for local ones
	commits *model.Commits
	local   *model.LocalCommits
}

func compareEntries(a, b entry) int {
	return cmp.Or(
		cmp.Compare(a.group.Name, b.group.Name),
		cmp.Compare(a.topic, b.topic),
		cmp.Compare(a.broker, b.broker),
		cmp.Compare(a.ip, b.ip),
		cmp.Compare(a.pid, b.pid),
	)
}

type builder struct {
	report    *Report
	processes map[[2]string]int32
	topics    map[string]int64
	brokers   map[string]int64
	queues    map[string][]int64 // by broker: sums by queue id, Unknown where there is no row

	scratch []int64 // backlog of one run of entries by queue id
}

// collect lists what counts, and an upper bound of the rows in it.
func (b *builder) collect(s *model.Snapshot) (entries []entry, rows int) {
	groups := make(map[string]*model.Group, len(s.Groups))
	n := 0
	for _, g := range s.Groups {
		groups[g.Name] = g
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
		for j := range part.Commits {
			c := &part.Commits[j]
			g, topic := groups[c.Group], &part.Topics[c.Topic]
			if g == nil || !counts(g, topic.Name) {
				continue
			}
			entries = append(entries, entry{group: g, topic: topic.Name, broker: part.Broker, part: part, commits: c})
			rows += topic.Queues
		}
	}
	for _, g := range s.Groups {
		if g.Model != model.Broadcasting {
			continue
		}
		for j := range g.Local {
			l := &g.Local[j]
			e := entry{group: g, topic: l.Topic, broker: l.Broker, local: l}
			if l.Client != model.NoClient {
				e.ip, e.pid = g.Clients[l.Client].IP, g.Clients[l.Client].PID
			}
			entries = append(entries, e)
			rows += len(l.Committed)
		}
	}
	return entries, rows
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
	pair := b.pair(&run[0])
	b.scratch = b.scratch[:0]
	for i := range run {
		if run[i].local != nil {
			b.addLocal(run[i].local, pair)
		} else {
			b.addCommits(&run[i], pair)
		}
	}
	b.emit(&run[0], pair)
}

// pair is the pair of an entry: entries come in the order of group and topic.
func (b *builder) pair(e *entry) *Pair {
	pairs := b.report.Pairs
	if n := len(pairs); n == 0 || pairs[n-1].Group != e.group.Name || pairs[n-1].Topic != e.topic {
		b.report.Pairs = append(pairs, Pair{Topic: e.topic, Group: e.group.Name})
	}
	return &b.report.Pairs[len(b.report.Pairs)-1]
}

// widen makes room for n queues in the scratch.
func (b *builder) widen(n int) {
	for len(b.scratch) < n {
		b.scratch = append(b.scratch, model.Unknown)
	}
}

func (b *builder) addCommits(e *entry, pair *Pair) {
	topic := &e.part.Topics[e.commits.Topic]
	b.widen(topic.Queues)
	for q := range topic.Queues {
		end, begin := e.part.Ends[topic.First+q], e.part.Begins[topic.First+q]
		committed := e.part.Committed[e.commits.First+q]
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
		pair.Consumed += committed
		pair.Ahead += max(committed-end, 0)
		b.scratch[q] = max(end-committed, 0)
	}
}

func (b *builder) addLocal(l *model.LocalCommits, pair *Pair) {
	b.widen(len(l.Committed))
	for q, committed := range l.Committed {
		if committed == model.Unknown || q >= len(l.Ends) || l.Ends[q] == model.Unknown {
			continue
		}
		pair.Consumed += committed
		b.scratch[q] = max(b.scratch[q], 0) + max(l.Ends[q]-committed, 0)
	}
}

// emit writes the scratch as rows and adds them to every sum.
func (b *builder) emit(e *entry, pair *Pair) {
	r := b.report
	d := Detail{Topic: e.topic, Group: e.group.Name, Broker: e.broker, First: len(r.Backlog)}
	owners := e.group.Owners[model.TopicOnBroker{Topic: e.topic, Broker: e.broker}]
	sum := int64(0)
	for q, backlog := range b.scratch {
		if backlog == model.Unknown {
			continue
		}
		holder := NoHolder
		switch {
		case e.local != nil && e.local.Client != model.NoClient:
			holder = b.process(e.ip, e.pid)
		case e.local == nil && q < len(owners) && owners[q] != model.NoOwner:
			c := &e.group.Clients[owners[q]]
			holder = b.process(c.IP, c.PID)
		}
		if holder != NoHolder {
			r.Processes[holder].Backlog += backlog
		}
		r.QueueID = append(r.QueueID, int32(q)) //nolint:gosec // a source bounds queue ids
		r.Backlog = append(r.Backlog, backlog)
		r.Holder = append(r.Holder, holder)
		b.addQueue(e.broker, q, backlog)
		sum += backlog
	}
	if d.Rows = len(r.Backlog) - d.First; d.Rows == 0 {
		return
	}
	r.Details = append(r.Details, d)
	pair.Backlog += sum
	pair.Rows += d.Rows
	b.topics[e.topic] += sum
	b.brokers[e.broker] += sum
	if n := len(r.Groups); n == 0 || r.Groups[n-1].Name != d.Group {
		r.Groups = append(r.Groups, Sum{Name: d.Group})
	}
	r.Groups[len(r.Groups)-1].Backlog += sum
}

func (b *builder) process(ip, pid string) int32 {
	key := [2]string{ip, pid}
	i, ok := b.processes[key]
	if !ok {
		i = int32(len(b.report.Processes)) //nolint:gosec // bounded by the rows
		b.processes[key] = i
		b.report.Processes = append(b.report.Processes, Process{IP: ip, PID: pid})
	}
	return i
}

func (b *builder) addQueue(broker string, q int, backlog int64) {
	sums := b.queues[broker]
	for len(sums) <= q {
		sums = append(sums, model.Unknown)
	}
	sums[q] = max(sums[q], 0) + backlog
	b.queues[broker] = sums
}

// finish turns the maps of sums into sorted lists.
func (b *builder) finish() {
	r := b.report
	r.Topics = sortedSums(b.topics)
	r.Brokers = sortedSums(b.brokers)
	for _, broker := range slices.Sorted(maps.Keys(b.queues)) {
		for q, sum := range b.queues[broker] {
			if sum != model.Unknown {
				r.Queues = append(r.Queues, QueueSum{Broker: broker, QueueID: int32(q), Backlog: sum}) //nolint:gosec // see emit
			}
		}
	}
}

func sortedSums(sums map[string]int64) []Sum {
	list := make([]Sum, 0, len(sums))
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		list = append(list, Sum{Name: name, Backlog: sums[name]})
	}
	return list
}
