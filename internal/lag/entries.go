package lag

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

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

// groupEntries is what counts of one group, in order, and upper bounds of what
// comes of it.
type groupEntries struct {
	entries     []entry
	rows, pairs int
}

// notCounted stands for the group of commits that are no backlog.
const notCounted = -1

// entries lists what counts, by group.
func (f *frame) entries() []groupEntries {
	parts := f.snapshot.Parts
	of := make([][]int32, len(parts)) // the group of each entry of a part
	inParallel(len(parts), func(i int) { of[i] = f.groupsOf(parts[i].Part) })
	list := make([]groupEntries, len(f.groups))
	n := make([]int, len(f.groups))
	for i := range of {
		for j, g := range of[i] {
			if g != notCounted {
				n[g]++
				list[g].rows += int(parts[i].Topics[parts[i].Commits[j].Topic].Queues)
			}
		}
	}
	sum := 0
	for g, group := range f.groups {
		if group.Model == model.Broadcasting {
			n[g] += len(group.Local)
		}
		sum += n[g]
	}
	all := make([]entry, 0, sum)
	for g := range list {
		list[g].entries = all[len(all) : len(all) : len(all)+n[g]]
		all = all[:len(all)+n[g]]
	}
	for i := range of {
		f.deal(list, int32(i), of[i])
	}
	for g := range list {
		f.dealLocal(&list[g], int32(g))
	}
	inParallel(len(list), func(g int) { f.order(&list[g]) })
	return list
}

// groupsOf are the places of the groups of a part's commits; notCounted where
// they are no backlog.
func (f *frame) groupsOf(part *model.Part) []int32 {
	list := make([]int32, len(part.Commits))
	for i := range part.Commits {
		c := &part.Commits[i]
		g, ok := f.places.groups[c.Group]
		if !ok || !counts(f.groups[g], part.Topics[c.Topic].Name) {
			g = notCounted
		}
		list[i] = g
	}
	return list
}

// deal deals a part's commits out to their groups.
func (f *frame) deal(list []groupEntries, index int32, groups []int32) {
	part := f.snapshot.Parts[index].Part
	topics := make([]int32, len(part.Topics))
	for i := range part.Topics {
		topics[i] = f.places.topics[part.Topics[i].Name]
	}
	broker := f.places.brokers[part.Broker]
	for i, g := range groups {
		if g == notCounted {
			continue
		}
		e := entry{group: g, topic: topics[part.Commits[i].Topic], broker: broker, part: index, index: int32(i)}
		list[g].entries = append(list[g].entries, e)
	}
}

// dealLocal adds the commits of a broadcasting group's own processes.
func (f *frame) dealLocal(list *groupEntries, index int32) {
	g := f.groups[index]
	if g.Model != model.Broadcasting {
		return
	}
	for i := range g.Local {
		l := &g.Local[i]
		list.entries = append(list.entries, entry{
			group: index, topic: f.places.topics[l.Topic], broker: f.places.brokers[l.Broker], part: notInPart, index: int32(i),
		})
		list.rows += len(l.Committed)
	}
}

// order sorts the entries of a group, and counts its pairs.
func (f *frame) order(list *groupEntries) {
	entries := list.entries
	if !slices.IsSortedFunc(entries, f.compare) {
		slices.SortFunc(entries, f.compare)
	}
	for i := range entries {
		if i == 0 || entries[i].topic != entries[i-1].topic {
			list.pairs++
		}
	}
}

// compare orders the entries of a group by topic, broker and process.
func (f *frame) compare(x, y entry) int {
	switch {
	case x.topic != y.topic:
		return cmp.Compare(x.topic, y.topic)
	case x.broker != y.broker:
		return cmp.Compare(x.broker, y.broker)
	}
	xIP, xPID := f.holder(&x)
	yIP, yPID := f.holder(&y)
	return cmp.Or(strings.Compare(xIP, yIP), strings.Compare(xPID, yPID))
}

// holder is the process that an entry belongs to; empty where it is none's.
func (f *frame) holder(e *entry) (ip, pid string) {
	if e.part != notInPart {
		return "", ""
	}
	g := f.groups[e.group]
	l := &g.Local[e.index]
	if l.Client == model.NoClient {
		return "", ""
	}
	return g.Clients[l.Client].IP, g.Clients[l.Client].PID
}
