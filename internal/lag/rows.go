package lag

import (
	"math"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// run is rows in the making, by queue id: those of one topic on one broker of
// one group, and of one process where it is broadcasting.
type run struct {
	backlog   []int64 // Unknown: no row
	ages      []int32
	committed []int64 // of processes that keep their own
}

// widen makes room for n queues.
func (r *run) widen(n int) {
	for len(r.backlog) < n {
		r.backlog = append(r.backlog, unknown)
		r.ages = append(r.ages, 0)
	}
}

// add turns entries that share group, topic, broker and process into rows.
// There is more than one only where several clients of a broadcasting group
// live in one process: their deliveries add up.
func (b *builder) add(g *model.Group, entries []entry) {
	b.run = run{backlog: b.run.backlog[:0], ages: b.run.ages[:0]}
	for i := range entries {
		if e := &entries[i]; e.part == notInPart {
			b.addLocal(g, int(e.index))
		} else {
			b.addCommits(int(e.part), int(e.index))
		}
	}
	b.emit(g, &entries[0])
}

func (b *builder) addCommits(partIndex, index int) {
	part := b.report.Snapshot.Parts[partIndex].Part
	commits := &part.Commits[index]
	topic := &part.Topics[commits.Topic]
	q := queues{clock: b.clocks[part.Broker]}
	var kept *store.Part
	if b.past != nil {
		kept = b.past.Part(partIndex)
		b.kept = kept.Pair(index)
		q.ends, q.now = kept.Ends(int(commits.Topic)), b.past.Tick(part.TakenAt(topic))
	}
	b.run.widen(int(topic.Queues))
	for id := range int(topic.Queues) {
		end, begin := part.Ends.At(int(topic.First)+id), part.Begins.At(int(topic.First)+id)
		backlog, committed := backlogOf(begin, part.Committed.At(int(commits.First)+id), end)
		if b.run.backlog[id] = backlog; backlog == unknown {
			if end != unknown {
				b.pair.Uncommitted++
			}
			continue
		}
		b.pair.Ahead = plus(b.pair.Ahead, max(committed-end, 0))
		if backlog == 0 {
			continue
		}
		b.retain(begin, committed, end)
		if kept == nil {
			b.run.ages[id] = NoAge
			continue
		}
		consumedAt := value(part.ConsumedAt, int(commits.First)+id)
		b.wait(id, &q, max(committed, begin), kept.Moved(int(commits.First)+id), consumedAt)
	}
}

func (b *builder) addLocal(g *model.Group, index int) {
	l := &g.Local[index]
	var q queues
	var kept *store.Local
	if b.past != nil {
		kept = b.past.LocalOf(g.Name)[index]
		b.kept = kept.Pair()
		q.ends, q.now = b.past.EndsOf(l.TopicOnBroker), b.past.Tick(l.Taken)
	}
	b.run.widen(len(l.Committed))
	b.run.committed = slowest(b.run.committed, l.Committed)
	begins := b.begins[l.TopicOnBroker]
	for id, committed := range l.Committed {
		end, begin := value(l.Ends, id), value(begins, id)
		if committed == unknown || end == unknown {
			continue
		}
		backlog := max(end-committed, 0)
		b.run.backlog[id] = plus(max(b.run.backlog[id], 0), backlog)
		switch {
		case backlog == 0:
		case kept == nil:
			b.retain(begin, committed, end)
			b.run.ages[id] = NoAge
		default:
			b.retain(begin, committed, end)
			b.wait(id, &q, max(committed, begin), kept.Moved(id), unknown)
		}
	}
}

// wait notes how long the first message not consumed of a queue has waited: the
// one at the commit, or at the queue's beginning where that lies behind it.
func (b *builder) wait(id int, q *queues, offset int64, moved store.Tick, consumedAt int64) {
	a := q.age(id, offset, moved, consumedAt)
	b.note(&a, since(q.now, moved))
	switch {
	case a.ticks == unknown:
		b.run.ages[id] = NoAge
	case b.run.ages[id] != NoAge:
		b.run.ages[id] = max(b.run.ages[id], int32(a.ticks))
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
		case low[q] == unknown, committed != unknown && committed < low[q]:
			low[q] = committed
		}
	}
	return low
}

// value is that of a queue, Unknown where there is none.
func value(list []int64, q int) int64 {
	if q < len(list) {
		return list[q]
	}
	return unknown
}

// plus adds numbers that are not negative. Where only forged offsets can lead
// it stops at the largest number: a sum must never be less than its parts.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// emit adds the run to the rows and to every sum.
func (b *builder) emit(g *model.Group, e *entry) {
	r, pair := b.report, b.pair
	shared := NoHolder // of a process's own commits
	var owners []int32
	if e.part == notInPart {
		shared = b.process(b.holder(e))
	} else {
		part := &r.Snapshot.Parts[e.part]
		owners = r.owners(pair, part, &part.Commits[e.index])
		b.countOwned(owners, len(b.run.backlog))
	}
	queues := b.queueSums[e.broker]
	for len(queues) < len(b.run.backlog) {
		queues = append(queues, unknown)
	}
	b.queueSums[e.broker] = queues
	var own []Row
	sum, rows := int64(0), 0
	owner, owned := model.NoOwner, NoHolder // of the queue before: mostly the same
	for q, backlog := range b.run.backlog {
		if backlog == unknown {
			continue
		}
		holder := shared
		if q < len(owners) && owners[q] != model.NoOwner {
			if owners[q] != owner {
				owner = owners[q]
				owned = b.client(owner)
			}
			holder = owned
		}
		if holder != NoHolder {
			r.Processes[holder].Backlog = plus(r.Processes[holder].Backlog, backlog)
		}
		if e.part == notInPart {
			own = append(own, Row{QueueID: int32(q), Holder: holder, Backlog: backlog, Committed: value(b.run.committed, q)})
		}
		r.Age = append(r.Age, b.run.ages[q])
		queues[q] = plus(max(queues[q], 0), backlog)
		sum = plus(sum, backlog)
		rows++
	}
	if rows == 0 {
		return
	}
	if at := int32(len(r.Pairs) - 1); e.part == notInPart {
		r.AddRows(at, b.brokers[e.broker], own...)
	} else {
		r.addDetail(Detail{Pair: at, part: e.part, entry: e.index}, rows)
	}
	pair.Backlog = plus(pair.Backlog, sum)
	b.topicSums[e.topic] = plus(max(b.topicSums[e.topic], 0), sum)
	b.brokerSums[e.broker] = plus(max(b.brokerSums[e.broker], 0), sum)
	if n := len(r.Groups); n == 0 || r.Groups[n-1].Name != g.Name {
		r.Groups = append(r.Groups, Sum{Name: g.Name})
	}
	total := &r.Groups[len(r.Groups)-1].Backlog
	*total = plus(*total, sum)
}

// client is the place in the report of the process of a client of the group
// under way.
func (b *builder) client(i int32) int32 {
	at := &b.report.holders[b.holders+i]
	if *at == NoHolder { // so are those without a name, which are few
		*at = b.process(b.group.Clients[i].IP, b.group.Clients[i].PID)
	}
	return *at
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
