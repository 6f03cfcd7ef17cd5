package store

import "github.com/rocketmq-exporter/rocketmq_exporter/internal/model"

// Members says since when a group is online, offline, or nobody knows.
type Members struct {
	Online, Known bool
	Since         Tick

	broadcasting bool
	listed       uint32 // the last round that had the group
	name         string
}

func (h *History) addGroups(s *model.Snapshot) {
	at, last := h.Tick(s.Ended), h.order
	order := h.order[:0]
	for i, g := range s.Groups {
		var number int32
		if i < len(last) && h.groups.at(last[i]).name == g.Name { // mostly it stands where it stood
			number = last[i]
			h.groups.again(h.round, number)
		} else {
			number, _ = h.groups.meet(h.round, g.Name)
		}
		order = append(order, number)
		m, online := h.groups.at(number), g.Known && len(g.Clients) > 0
		if m.listed == 0 || m.listed+1 < h.round || m.Online != online || m.Known != g.Known {
			*m = Members{Online: online, Known: g.Known, Since: at, name: g.Name}
		}
		m.broadcasting, m.listed = g.Model == model.Broadcasting, h.round
	}
	h.order = order
}

// Local is how one process of a broadcasting group, which keeps its own
// offsets, has got on with one topic on one broker.
type Local struct {
	committed []int64
	moved     []Tick
	pair      *Pair
}

// localKey names the offsets that one process keeps.
type localKey struct {
	model.TopicOnBroker

	group, clientID string
}

// Pair is how the whole group has got on with the topic.
func (l *Local) Pair() *Pair { return l.pair }

// Moved is when the process's commit of a queue was last seen to move, or to
// have no message before it.
func (l *Local) Moved(q int) Tick { return l.moved[q] }

// addLocal takes the commits of processes of broadcasting groups.
func (h *History) addLocal(s *model.Snapshot) {
	h.locals, h.alone = make(map[string][]*Local), nil
	local := make(map[localKey]*Local, len(h.local))
	for _, g := range s.Groups {
		if g.Model != model.Broadcasting {
			continue
		}
		list := make([]*Local, len(g.Local))
		for i := range g.Local {
			key := localKey{TopicOnBroker: g.Local[i].TopicOnBroker, group: g.Name}
			if c := g.Local[i].Client; c != model.NoClient {
				key.clientID = g.Clients[c].ID
			}
			list[i] = h.addOneLocal(key, &g.Local[i])
			local[key] = list[i]
		}
		h.locals[g.Name] = list
	}
	h.local = local
}

func (h *History) addOneLocal(key localKey, l *model.LocalCommits) *Local {
	last := h.local[key]
	if last == nil {
		last = &Local{}
	}
	e, at := h.endsOfLocal(l), h.Tick(l.Taken)
	n := &Local{committed: l.Committed, moved: make([]Tick, len(l.Committed)), pair: h.meetLocal(l.Topic, key.group)}
	for q, now := range l.Committed {
		moved := n.pair.note(h.round, at, queueKey{l.Broker, key.clientID, q}, model.ValueAt(last.committed, q), now)
		n.moved[q] = at
		if end := model.ValueAt(l.Ends, q); q < len(last.moved) && !moved && (end == model.Unknown || now < end) {
			n.moved[q] = last.moved[q]
		}
		e.need(q, now)
	}
	return n
}

// endsOfLocal are the ends of the topic that a process consumes. Where only
// broadcasting groups consume it, a source need not have it among the broker's
// topics: the ends are then those that came with the process's commits.
func (h *History) endsOfLocal(l *model.LocalCommits) Ends {
	p := h.brokers[l.Broker]
	if p == nil {
		return Ends{}
	}
	e := p.named(l.Topic)
	if a := e.apart; a != nil && a.met == h.round || a == nil && e.part != nil && p.met == h.round {
		return e
	}
	h.alone = append(h.alone, l)
	return Ends{part: p, apart: h.meetApart(p, l.Topic)}
}

// meetLocal is the pair of a broadcasting group that is in the round.
func (h *History) meetLocal(topic, group string) *Pair {
	number, _ := h.topics.meet(h.round, topic)
	return h.pairs.at(h.meet(number, h.groups.find(group)))
}

// need says that a process that keeps its own offsets is at one.
func (e Ends) need(id int, offset int64) {
	switch {
	case e.apart != nil:
		e.apart.need(id, offset, model.Unknown)
	case e.part != nil:
		if t := &e.part.names[e.place]; id < int(t.Queues) {
			e.part.needs = append(e.part.needs, localNeed{int(t.First) + id, offset})
		}
	}
}
