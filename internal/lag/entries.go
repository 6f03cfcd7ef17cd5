package lag

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// An entry is one group's commits on one topic of one broker: those that the
// broker keeps, or those that one process of a broadcasting group keeps. Each has
// its detail. A group has entries either in parts or of its own.

const notInPart = -1 // stands for the part of a process's own

// layout says where in a report stands what comes of each group.
type layout struct {
	stretches []stretch // by group; the last one begins where all end
	// placed are the places of the details of a part's entries, by part and index
	// in its Commits; notCounted.
	placed [][]int32
	// rows is how many each detail of the report has.
	rows []int32
	// pairings are of the report's pairs.
	pairings []pairing
}

// stretch is where that of one group begins; that of the next one begins where it
// ends. All are upper bounds but for the pairs.
type stretch struct{ detail, pair, row, holder int32 }

// notCounted stands for the group, and the detail, of commits that are no backlog.
const notCounted int32 = -1

// layOut makes a report's pairs and details in their order, still without rows:
// a detail has room for all of its queues.
func (f *frame) layOut() (*Report, layout) {
	d := dealing{frame: f, layout: layout{placed: make([][]int32, len(f.parts)), stretches: make([]stretch, len(f.groups)+1)}}
	inParallel(len(f.parts), func(i int) { d.placed[i] = f.groupsOf(i) })
	d.sort()
	d.sift()
	d.makeRoom()
	d.deal()
	d.dealLocal()
	d.makeRows()
	return d.report, d.layout
}

// groupsOf are the places of the groups of a part's commits; notCounted where
// nobody told of the group.
func (f *frame) groupsOf(part int) []int32 {
	commits, groups := f.snapshot.Parts[part].Commits, f.parts[part].groups
	list := make([]int32, len(commits))
	for i := range commits {
		list[i] = groups[commits[i].Group]
	}
	return list
}

// dealing deals the entries of all parts out to their groups, in order. They are
// counted and not compared: they are sorted by topic and broker for all groups at
// once, and dealt in that order.
type dealing struct {
	*frame
	layout // placed are the places of groups until the entries are dealt

	report *Report
	sorted []partEntry // by topic and broker
	behind []int32     // where the entries of each topic end in sorted
	next   []stretch   // by group: what is dealt next
	local  []localEntries
}

// partEntry is an entry of a part.
type partEntry struct{ part, index int32 }

// sort sorts the entries whose groups are known.
func (d *dealing) sort() {
	d.behind = make([]int32, len(d.topics)+1)
	for i := range d.parts {
		d.eachOf(int32(i), func(_, topic int32) { d.behind[topic+1]++ })
	}
	for topic := range d.topics {
		d.behind[topic+1] += d.behind[topic]
	}
	d.sorted = make([]partEntry, d.behind[len(d.topics)])
	for _, part := range d.byBroker() {
		d.eachOf(part, func(index, topic int32) {
			d.sorted[d.behind[topic]] = partEntry{part, index}
			d.behind[topic]++
		})
	}
}

// byBroker is the parts in the order of their brokers.
func (f *frame) byBroker() []int32 {
	parts := make([]int32, len(f.parts))
	for i := range parts {
		parts[i] = int32(i)
	}
	slices.SortStableFunc(parts, func(x, y int32) int { return cmp.Compare(f.parts[x].broker, f.parts[y].broker) })
	return parts
}

// eachOf calls do with the entries of a part that may count.
func (d *dealing) eachOf(part int32, do func(index, topic int32)) {
	commits, topics := d.snapshot.Parts[part].Commits, d.parts[part].topics
	for i, g := range d.placed[part] {
		if g != notCounted {
			do(int32(i), topics[commits[i].Topic])
		}
	}
}

// each calls do with the sorted entries that may count, and their topics and
// groups.
func (d *dealing) each(do func(e partEntry, topic int32, place *int32)) {
	topic := int32(0)
	for i, e := range d.sorted {
		for int32(i) >= d.behind[topic] {
			topic++
		}
		if place := &d.placed[e.part][e.index]; *place != notCounted {
			do(e, topic, place)
		}
	}
}

// sift leaves out the entries that do not count, and what a broker tells twice;
// and counts the details and the pairs that come of the others.
func (d *dealing) sift() {
	type last struct {
		topic, broker int32
		counts        bool
	}
	list := slices.Repeat([]last{{topic: notCounted}}, len(d.groups))
	d.each(func(e partEntry, topic int32, place *int32) {
		l, n := &list[*place], &d.stretches[*place]
		isNew := l.topic != topic
		if isNew {
			*l = last{topic, notCounted, counts(d.groups[*place], d.topics[topic])}
		}
		if broker := d.parts[e.part].broker; !l.counts || broker == l.broker {
			*place = notCounted
			return
		} else if l.broker = broker; isNew {
			n.pair++
		}
		n.detail++
	})
}

// makeRoom makes room for the details and pairs of all groups.
func (d *dealing) makeRoom() {
	var sum stretch
	for i, g := range d.groups {
		n := &d.stretches[i]
		if g.Model == model.Broadcasting {
			d.sortLocal(int32(i))
		}
		details, pairs := n.detail, n.pair
		*n = sum
		if sum.detail, sum.pair = sum.detail+details, sum.pair+pairs; details > 0 {
			sum.holder += int32(len(g.Clients))
		}
	}
	d.stretches[len(d.groups)] = sum
	d.next = slices.Clone(d.stretches)
	d.pairings, d.rows = make([]pairing, sum.pair), make([]int32, sum.detail)
	d.report = &Report{
		Snapshot: d.snapshot, groups: d.groups,
		Pairs: make([]Pair, sum.pair), Details: make([]Detail, sum.detail), holders: slices.Repeat([]int32{NoHolder}, int(sum.holder)),
	}
}

// deal deals the entries out.
func (d *dealing) deal() {
	d.each(func(e partEntry, topic int32, place *int32) {
		*place = d.add(*place, topic, e.part, e.index)
	})
}

// add adds a detail to a group, that of an entry of a part, and says where.
func (d *dealing) add(group, topic, part, entry int32) (place int32) {
	next, begin := &d.next[group], &d.stretches[group]
	if next.pair == begin.pair || d.pairings[next.pair-1].topic != topic {
		d.pairings[next.pair].topic = topic
		p := &d.report.Pairs[next.pair] // field by field: see owners.of
		p.Topic, p.Group, p.group, p.holders = d.topics[topic], d.groups[group].Name, group, begin.holder
		p.Lag, p.Members, p.Unowned, p.InFlight, p.PopRetry = NoLag, int32(unknown), int32(unknown), unknown, unknown
		next.pair++
	}
	to := &d.report.Details[next.detail]
	to.Pair, to.part, to.entry = next.pair-1, part, entry
	next.detail++
	return next.detail - 1
}

// localEntries are those of a broadcasting group's own processes: places in its
// Local, in order.
type localEntries struct {
	group int32
	list  []int32
}

// sortLocal sorts the entries of a group's own processes by topic, broker and
// process, and counts what comes of them.
func (d *dealing) sortLocal(group int32) {
	g, n := d.groups[group], &d.stretches[group]
	list := make([]int32, len(g.Local))
	for i := range list {
		list[i] = int32(i)
	}
	slices.SortStableFunc(list, func(x, y int32) int { return d.compare(g, x, y) })
	n.detail = int32(len(list))
	for i := range list {
		if i == 0 || g.Local[list[i]].Topic != g.Local[list[i-1]].Topic {
			n.pair++
		}
	}
	d.local = append(d.local, localEntries{group, list})
}

// compare orders the entries of a group's own processes.
func (f *frame) compare(g *model.Group, x, y int32) int {
	a, b := &g.Local[x], &g.Local[y]
	aIP, aPID := holder(g, a)
	bIP, bPID := holder(g, b)
	return cmp.Or(
		cmp.Compare(f.places.topics[a.Topic], f.places.topics[b.Topic]),
		cmp.Compare(f.places.brokers[a.Broker], f.places.brokers[b.Broker]),
		strings.Compare(aIP, bIP), strings.Compare(aPID, bPID),
	)
}

// holder is the process whose commits these are; empty where it is none's.
func holder(g *model.Group, l *model.LocalCommits) (ip, pid string) {
	if l.Client == model.NoClient {
		return "", ""
	}
	return g.Clients[l.Client].IP, g.Clients[l.Client].PID
}

// dealLocal deals out the entries of groups' own processes.
func (d *dealing) dealLocal() {
	for _, of := range d.local {
		g := d.groups[of.group]
		for _, i := range of.list {
			l := &g.Local[i]
			place := d.add(of.group, d.places.topics[l.Topic], notInPart, i)
			d.rows[place] = int32(len(l.Committed))
		}
	}
}

// makeRows makes room for the ages of the rows.
func (d *dealing) makeRows() {
	inParallel(len(d.parts), func(i int) {
		part := &d.snapshot.Parts[i]
		for j, place := range d.placed[i] {
			if place != notCounted {
				d.rows[place] = part.Topics[part.Commits[j].Topic].Queues
			}
		}
	})
	sum, group := int32(0), 0
	for i := range d.report.Details {
		for ; int32(i) >= d.stretches[group].detail; group++ {
			d.stretches[group].row = sum
		}
		d.report.Details[i].First, sum, d.rows[i] = sum, sum+d.rows[i], 0
	}
	for ; group < len(d.stretches); group++ {
		d.stretches[group].row = sum
	}
	d.report.Age = make([]int32, sum)
}
