package console

import (
	"maps"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// snapshots makes what the round returns out of what is remembered.
func (r *round) snapshots() []*model.Snapshot {
	s := r.src
	ended := s.opts.Now()
	cells := s.cellsByBroker()
	var list []*model.Snapshot
	for _, c := range s.sortedClusters() {
		snap := &model.Snapshot{Cluster: c.name, Ended: ended, SlowTaken: s.slow.onTime}
		for _, name := range slices.Sorted(maps.Keys(s.brokers)) {
			b := s.brokers[name]
			if b.cluster != c {
				continue
			}
			if b.taken.After(snap.Taken) {
				snap.Taken = b.taken
			}
			snap.Brokers = append(snap.Brokers, b.processes()...)
			snap.Parts = append(snap.Parts, r.part(b, cells[name]))
		}
		for _, name := range slices.Sorted(maps.Keys(s.groups)) {
			if g := s.groups[name]; s.isIn(g, c) {
				snap.Groups = append(snap.Groups, g.snapshot())
			}
		}
		list = append(list, snap)
	}
	if len(list) == 0 {
		// Never reached: something must say so, under the only name there is.
		list = append(list, &model.Snapshot{Cluster: s.client.base.Host, Ended: ended})
	}
	list[0].Odd = r.odd // of all of them: answers are of no single cluster
	return list
}

// isIn says whether a group belongs to a cluster: it has rows there, or the
// brokers that have it are there. Where nothing tells it is in all.
func (s *Source) isIn(g *group, c *cluster) bool {
	if !g.listed && len(g.cells) == 0 {
		return false
	}
	if len(s.clusters) == 1 {
		return true
	}
	somewhere := false
	for _, b := range s.brokers {
		if !g.isOn(b.name) && !g.isLocalOn(b.name) && !b.hasAny(g.addrs) {
			continue
		}
		if b.cluster == c {
			return true
		}
		somewhere = true
	}
	return !somewhere
}

func (g *group) isLocalOn(broker string) bool {
	return slices.ContainsFunc(g.local, func(l model.LocalCommits) bool { return l.Broker == broker })
}

func (b *broker) hasAny(addrs []string) bool {
	return slices.ContainsFunc(addrs, func(addr string) bool { return b.procs[addr] != nil })
}

// snapshot is the group as the model has it. Nothing in it changes later.
func (g *group) snapshot() *model.Group {
	owners := g.owners()
	return &model.Group{
		Name: g.name, Model: g.model, ConsumeType: g.kind, Known: g.known,
		Clients: g.clients, Topics: g.topics, Owners: owners, Told: g.told(owners), Local: g.local,
	}
}

// groupCell is a cell and whose it is.
type groupCell struct {
	group string
	cell  *cell
}

// cellsByBroker are the cells that are shown, by broker and topic.
func (s *Source) cellsByBroker() map[string]map[string][]groupCell {
	all := make(map[string]map[string][]groupCell)
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		g := s.groups[name]
		if g.withheld() {
			continue
		}
		for on, c := range g.cells {
			byTopic := all[on.Broker]
			if byTopic == nil {
				byTopic = make(map[string][]groupCell)
				all[on.Broker] = byTopic
			}
			byTopic[on.Topic] = append(byTopic[on.Topic], groupCell{name, c})
		}
	}
	return all
}

// part makes the offsets of one broker.
func (r *round) part(b *broker, byTopic map[string][]groupCell) model.PartOfRound {
	p := &partBuilder{src: r.src, part: &model.Part{Broker: b.name, Taken: b.taken}, groups: make(map[string]int32)}
	missing := r.unread()
	for _, topic := range slices.Sorted(maps.Keys(byTopic)) {
		cells := byTopic[topic]
		if slices.ContainsFunc(cells, func(gc groupCell) bool { return gc.cell.age > 0 }) {
			missing++
		}
		p.add(model.TopicOnBroker{Topic: topic, Broker: b.name}, cells)
	}
	p.part.Others = r.src.others(b, byTopic)
	if b.age > 0 {
		missing = 0
	}
	return model.PartOfRound{Part: p.part, Age: b.age, Missing: missing}
}

// unread counts the groups that could not be read and of which nothing is
// known, so that no broker can be said to be whole.
func (r *round) unread() int {
	n := 0
	for _, g := range r.src.groups {
		if g.listed && g.waited > 0 && len(g.cells) == 0 {
			n++
		}
	}
	return n
}

type partBuilder struct {
	src    *Source
	part   *model.Part
	groups map[string]int32 // places in the part's Groups
}

// group is the place of a group among the part's.
func (p *partBuilder) group(name string) int32 {
	i, ok := p.groups[name]
	if !ok {
		i = int32(len(p.part.Groups))
		p.groups[name] = i
		p.part.Groups = append(p.part.Groups, name)
	}
	return i
}

// add puts the cells of one topic into the part. The groups of a topic are read
// one after the other, and while that takes its time messages arrive: a group's
// commits belong to the ends that were told with them. So a topic stands in the
// part once for all groups that were told the latest ends, and once more for
// each other state of them.
func (p *partBuilder) add(on model.TopicOnBroker, cells []groupCell) {
	var latest []int64
	var taken time.Time
	for _, gc := range cells {
		if gc.cell.taken.After(taken) {
			taken = gc.cell.taken
		}
		latest = widen(latest, len(gc.cell.ends))
		for q, end := range gc.cell.ends {
			latest[q] = max(latest[q], end)
		}
	}
	states := map[string]int{}
	p.state(states, on, latest, taken)
	for _, gc := range cells {
		topic := p.state(states, on, gc.cell.ends, gc.cell.taken)
		first := p.part.Committed.Len()
		p.part.Commits = append(p.part.Commits, model.Commits{Group: p.group(gc.group), Topic: int32(topic), First: int32(first)})
		for q := range gc.cell.ends {
			p.part.Committed.Append(p.src.committedAt(on, gc.cell, q))
			p.part.ConsumedAt = append(p.part.ConsumedAt, gc.cell.consumed[q])
		}
	}
}

// state is the place of a topic with these ends among the part's topics.
func (p *partBuilder) state(states map[string]int, on model.TopicOnBroker, ends []int64, taken time.Time) int {
	key := encode(ends)
	if place, ok := states[key]; ok {
		p.part.TopicsTaken[place] = max(p.part.TopicsTaken[place], model.StampOf(taken))
		return place
	}
	place := len(p.part.Topics)
	states[key] = place
	p.part.Topics = append(p.part.Topics, model.Topic{Name: on.Topic, First: int32(p.part.Ends.Len()), Queues: int32(len(ends))})
	p.part.TopicsTaken = append(p.part.TopicsTaken, model.StampOf(taken))
	p.part.Ends.Append(ends...)
	told := p.src.stats[on]
	if told == nil {
		told = &stats{span: nothing(), earlier: nothing()}
	}
	for q := range ends {
		p.part.Begins.Append(model.ValueAt(told.begins, q))
	}
	p.part.Stored = append(p.part.Stored, told.newest(len(ends)))
	return place
}

// encode makes a key of ends.
func encode(ends []int64) string {
	key := make([]byte, 0, 8*len(ends))
	for _, end := range ends {
		for shift := 0; shift < 64; shift += 8 {
			key = append(key, byte(end>>shift))
		}
	}
	return string(key)
}
