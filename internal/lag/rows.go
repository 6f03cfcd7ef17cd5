package lag

import (
	"cmp"
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

// begin begins with other rows.
func (r *run) begin() { *r = run{backlog: r.backlog[:0], ages: r.ages[:0]} }

// reading is the part whose entries are under way.
type reading struct {
	part   *model.PartOfRound
	kept   *store.Part // nil: there is no past
	taken  store.Tick  // when most of it was
	broker int32
	queues
}

// addPart makes the rows of what a part tells of the groups.
func (b *builder) addPart(index int32) {
	part := &b.snapshot.Parts[index]
	b.reading = reading{part: part, broker: b.parts[index].broker, queues: queues{clock: b.clocks[part.Broker]}}
	if b.past != nil {
		b.reading.kept, b.reading.taken = b.past.Part(int(index)), b.past.Tick(part.Taken)
	}
	from, to := b.stretches[b.first].detail, b.stretches[b.last].detail
	for i, place := range b.placed[index] {
		if place >= from && place < to {
			d := &b.report.Details[place]
			b.run.begin()
			b.addCommits(i, d)
			b.emit(place, b.reading.broker)
			b.addOwners(i, d)
		}
	}
}

// addCommits makes the rows of an entry of the part.
func (b *builder) addCommits(index int, d *Detail) {
	part, kept, q := b.reading.part, b.reading.kept, &b.reading.queues
	p, pair := &b.pairings[d.Pair], &b.report.Pairs[d.Pair]
	c := &part.Commits[index]
	t := &part.Topics[c.Topic]
	var moved []store.Tick
	if kept != nil {
		p.kept, moved, q.now = kept.Pair(index), kept.Moved(c.First, t.Queues), b.reading.taken
		if own := part.OwnTaken(int(c.Topic)); own != model.NoStamp {
			q.now = b.past.Tick(own.Time())
		}
	}
	seen := false
	ends := b.desk.ends.Read(&part.Ends, t.First, t.Queues)
	b.run.widen(len(ends))
	for id, commit := range b.desk.committed.Read(&part.Committed, c.First, t.Queues) {
		end, begin := ends[id], unknown
		if commit < end { // else it does not matter
			begin = part.Begins.At(int(t.First) + id)
		}
		backlog, committed := backlogOf(begin, commit, end)
		if b.run.backlog[id] = backlog; backlog == unknown {
			if end != unknown {
				pair.Uncommitted++
			}
			continue
		}
		if backlog == 0 {
			if committed > end {
				pair.Ahead = plus(pair.Ahead, committed-end)
			}
			continue
		}
		p.retain(pair, begin, committed, end)
		if kept == nil {
			b.run.ages[id] = NoAge
			continue
		}
		if !seen { // where a group keeps up nobody asks
			q.ends, seen = kept.Ends(int(c.Topic)), true
		}
		b.wait(id, q, p, max(committed, begin), moved[id], model.ValueAt(part.ConsumedAt, int(c.First)+id))
	}
}

// addOwners notes who holds the queues of the run, which is of an entry of the part.
func (b *builder) addOwners(index int, d *Detail) {
	pair := &b.report.Pairs[d.Pair]
	var owners owners
	owners.of(b.report, pair, b.reading.part, &b.reading.part.Commits[index])
	b.pairings[d.Pair].countOwned(&owners, len(b.run.backlog))
	row := d.First
	for q, backlog := range b.run.backlog {
		if backlog == unknown {
			continue
		}
		if client := owners.at(q); client != model.NoOwner {
			b.hold(pair.holders+client, row, backlog)
		}
		row++
	}
}

// hold notes that a client holds a queue. Until its group is finished the place of
// its first row stands for its process: processes are in the order of these.
func (b *builder) hold(client, row int32, backlog int64) {
	first, held := &b.report.holders[client], &b.held[client-b.stretches[b.first].holder]
	if *first == NoHolder || row < *first {
		*first = row
	}
	*held = plus(*held, backlog)
}

// addClients finds the processes of the clients that hold queues of the group
// under way.
func (b *builder) addClients(from, to int32) {
	holders := b.report.holders[from:to]
	held := b.held[from-b.stretches[b.first].holder:]
	b.desk.clients = b.desk.clients[:0]
	for i := range holders {
		if holders[i] != NoHolder {
			b.desk.clients = append(b.desk.clients, int32(i))
		}
	}
	slices.SortFunc(b.desk.clients, func(x, y int32) int { return cmp.Compare(holders[x], holders[y]) })
	for _, i := range b.desk.clients {
		c := &b.group.Clients[i]
		holders[i] = b.processes.hold(c.IP, c.PID)
		b.processes.add(holders[i], held[i])
	}
}

// addLocals makes the rows of the entries of the group's own processes, which are
// the details from one place to another. Several of one process, one after the
// other, become one: several clients of a broadcasting group may live in it, and
// their deliveries add up.
func (b *builder) addLocals(from, to int32) {
	details := b.report.Details
	for from < to {
		first := details[from]
		b.run.begin()
		next := from
		for next < to && b.compare(b.group, first.entry, details[next].entry) == 0 {
			b.addLocal(int(details[next].entry), first.Pair)
			next++
		}
		b.emitOwn(from)
		from = next
	}
}

func (b *builder) addLocal(index int, at int32) {
	g, p, pair := b.group, &b.pairings[at], &b.report.Pairs[at]
	l := &g.Local[index]
	var q queues
	var kept *store.Local
	if b.past != nil {
		kept = b.past.LocalOf(g.Name)[index]
		p.kept = kept.Pair()
		q.ends, q.now = b.past.EndsOf(l.TopicOnBroker), b.past.Tick(l.Taken)
	}
	b.run.widen(len(l.Committed))
	b.run.committed = slowest(b.run.committed, l.Committed)
	begins := b.begins[l.TopicOnBroker]
	for id, committed := range l.Committed {
		end, begin := model.ValueAt(l.Ends, id), model.ValueAt(begins, id)
		if committed == unknown || end == unknown {
			continue
		}
		backlog := max(end-committed, 0)
		b.run.backlog[id] = plus(max(b.run.backlog[id], 0), backlog)
		switch {
		case backlog == 0:
		case kept == nil:
			p.retain(pair, begin, committed, end)
			b.run.ages[id] = NoAge
		default:
			p.retain(pair, begin, committed, end)
			b.wait(id, &q, p, max(committed, begin), kept.Moved(id), unknown)
		}
	}
}

// emitOwn adds the run of a process's own commits to the rows and to every sum.
func (b *builder) emitOwn(place int32) {
	d := &b.report.Details[place]
	l := &b.group.Local[d.entry]
	b.emit(place, b.places.brokers[l.Broker])
	process := b.processes.hold(holder(b.group, l))
	if b.rows[place] == 0 {
		return
	}
	rows := make([]Row, 0, b.rows[place])
	for q, backlog := range b.run.backlog {
		if backlog != unknown {
			rows = append(rows, Row{QueueID: int32(q), Holder: process, Backlog: backlog, Committed: model.ValueAt(b.run.committed, q)})
			b.processes.add(process, backlog)
		}
	}
	d.entry = int32(len(b.own))
	b.own = append(b.own, ownRows{l.Broker, rows})
}

// emit adds the run to the rows of a detail, and to the sums of its pair and of
// its broker.
func (b *builder) emit(place, broker int32) {
	d := &b.report.Details[place]
	queues := b.queueSums[broker]
	for len(queues) < len(b.run.backlog) {
		queues = append(queues, unknown)
	}
	b.queueSums[broker] = queues
	ages := b.report.Age[d.First:]
	sum, rows := int64(0), 0
	for q, backlog := range b.run.backlog {
		if backlog == unknown {
			continue
		}
		ages[rows] = b.run.ages[q]
		queues[q] = plus(max(queues[q], 0), backlog)
		sum = plus(sum, backlog)
		rows++
	}
	if rows == 0 {
		return
	}
	pair := &b.report.Pairs[d.Pair]
	b.rows[place], pair.Rows, pair.Backlog = int32(rows), pair.Rows+int32(rows), plus(pair.Backlog, sum)
	b.brokerSums[broker] = plus(max(b.brokerSums[broker], 0), sum)
}

// wait notes how long the first message not consumed of a queue has waited: the
// one at the commit, or at the queue's beginning where that lies behind it.
func (b *builder) wait(id int, q *queues, p *pairing, offset int64, moved store.Tick, consumedAt int64) {
	a := q.age(id, offset, moved, consumedAt)
	p.note(&a, since(q.now, moved))
	switch {
	case a.ticks == unknown:
		b.run.ages[id] = NoAge
	case b.run.ages[id] != NoAge:
		b.run.ages[id] = max(b.run.ages[id], int32(a.ticks))
	}
}

// hold is the place of a process. One without any name cannot be told from none.
func (p *processes) hold(ip, pid string) int32 {
	if ip == "" && pid == "" {
		return NoHolder
	}
	key := [2]string{ip, pid}
	i, ok := p.places[key]
	if !ok {
		i = int32(len(p.list))
		p.places[key] = i
		p.list = slices.Grow(p.list, 1)[:i+1]
		one := &p.list[i] // field by field: see owners.of
		one.IP, one.PID, one.Backlog = ip, pid, 0
	}
	return i
}

// add adds to the backlog of a process, if it is one.
func (p *processes) add(process int32, backlog int64) {
	if process != NoHolder {
		sum := &p.list[process].Backlog
		*sum = plus(*sum, backlog)
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

// plus adds numbers that are not negative. Where only forged offsets can lead
// it stops at the largest number: a sum must never be less than its parts.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
