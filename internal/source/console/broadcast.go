package console

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// broadcaster is one process of a broadcasting group, which keeps its own
// offsets.
type broadcaster struct {
	held     held // in this round; nil: not told
	failures int
	retryAt  time.Time

	last map[model.TopicOnBroker]*localCell // its last good numbers
}

// localCell is how far a process is on one topic of one broker.
type localCell struct {
	committed, ends []int64
	taken           time.Time
	age             int // rounds since it was told
}

// Pauses after a process that did not answer.
const (
	processPause    = 10 * time.Second
	processPauseMax = 5 * time.Minute
)

// readBroadcasts asks every process of the broadcasting groups how far it is,
// then where the queues of their topics end. Ends come last, so that no
// difference is negative only because messages arrived in between.
func (r *round) readBroadcasts() {
	type process struct {
		g  *group
		id string
		of *broadcaster
	}
	var ask []process
	for _, g := range r.groupsInOrder() {
		if g.outcome != online || g.model != model.Broadcasting {
			continue
		}
		for id, b := range g.broadcasters() {
			if !r.began.Before(b.retryAt) {
				ask = append(ask, process{g, id, b})
			}
		}
	}
	slices.SortFunc(ask, func(a, b process) int {
		return cmp.Or(strings.Compare(a.g.name, b.g.name), strings.Compare(a.id, b.id))
	})
	source.Each(r.src.opts.Parallel, ask, func(p process) { r.askProcess(p.g, p.id, p.of) })
	needed := make(map[string]held)
	for _, p := range ask {
		r.note(p.g, p.of.held, needed)
	}
	r.ends = r.readEnds(needed)
}

// broadcasters are the group's processes by their ids; those that left are
// forgotten.
func (g *group) broadcasters() map[string]*broadcaster {
	list := make(map[string]*broadcaster, len(g.clients))
	for i := range g.clients {
		id := g.clients[i].ID
		if list[id] = g.processes[id]; list[id] == nil {
			list[id] = &broadcaster{}
		}
	}
	g.processes = list
	return list
}

func (r *round) askProcess(g *group, id string, b *broadcaster) {
	query := url.Values{"consumerGroup": {g.name}, "clientId": {id}, "jstack": {"false"}}
	err := r.getWithin(r.src.opts.ProcessTimeout, pathRunning, query, func(d *decoder) (err error) {
		b.held, err = readRunning(d)
		return err
	})
	if err == nil {
		b.failures, b.retryAt = 0, time.Time{}
		return
	}
	b.held = nil
	r.fail(pathRunning, err)
	if reason := Reason(err); reason == reasonRefused || reason == reasonTimeout && r.ctx.Err() == nil {
		b.failures++
		b.retryAt = r.began.Add(min(processPause<<min(b.failures-1, 10), processPauseMax))
	}
}

// note adds the queues that a process holds to those whose ends are needed, by
// topic.
func (r *round) note(g *group, queues held, needed map[string]held) {
	for on, commits := range queues {
		b := r.src.brokers[on.Broker]
		if !g.topics.Has(on.Topic) || b == nil || !b.cluster.wanted.Topic(on.Topic) {
			delete(queues, on)
			continue
		}
		if needed[on.Topic] == nil {
			needed[on.Topic] = make(held)
		}
		if len(commits) > len(needed[on.Topic][on]) {
			needed[on.Topic][on] = commits
		}
	}
}

// readEnds asks for the ends of queues.
func (r *round) readEnds(needed map[string]held) held {
	ends := make(held)
	source.Each(r.src.opts.Parallel, slices.Sorted(maps.Keys(needed)), func(topic string) {
		found := r.askEnds(topic, needed[topic])
		r.mu.Lock()
		defer r.mu.Unlock()
		for on, list := range found {
			if on.Topic == topic {
				ends[on] = list
			}
		}
	})
	return ends
}

// askEnds asks for the ends of one topic. Its stats leave out queues that are
// only read any more (before 5.3.0: write queues alone), and a console may not know
// them: the rest is told with the rows of any group.
func (r *round) askEnds(topic string, needed held) held {
	ends := make(held)
	spans, err := r.askStats(topic)
	if err != nil {
		r.fail(pathStats, err)
		return nil
	}
	for on, s := range spans {
		ends[on] = s.ends
	}
	if ends.cover(needed) {
		return ends
	}
	var groups map[string]table
	err = r.get(pathConsumers, url.Values{"topic": {topic}}, func(d *decoder) (err error) {
		groups, err = readGroupsOfTopic(d)
		return err
	})
	if err != nil {
		r.fail(pathConsumers, err)
		return ends
	}
	for _, t := range groups {
		for on, c := range t {
			ends[on] = widen(ends[on], len(c.ends))
			for q, end := range c.ends {
				ends[on][q] = max(ends[on][q], end)
			}
		}
	}
	return ends
}

// cover says whether every queue that is needed has an end.
func (h held) cover(needed held) bool {
	for on, commits := range needed {
		if len(h[on]) < len(commits) || slices.Contains(h[on][:len(commits)], model.Unknown) {
			return false
		}
	}
	return true
}

// askStats asks where the queues of a topic begin and end. A console that does
// not know the path tells nothing.
func (r *round) askStats(topic string) (spans map[model.TopicOnBroker]span, err error) {
	if r.knowsNoStats() {
		return nil, nil
	}
	err = r.get(pathStats, url.Values{"topic": {topic}}, func(d *decoder) (err error) {
		spans, err = readStats(d)
		return err
	})
	if isNoPath(err) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.src.noStats = r.src.rounds + r.src.opts.GroupRounds
		return nil, nil
	}
	if isNoQueue(err) {
		return map[model.TopicOnBroker]span{}, nil
	}
	if err != nil {
		return nil, err
	}
	return spans, nil
}

func (r *round) knowsNoStats() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.src.rounds < r.src.noStats
}

// setLocal says how far each process is. One that does not answer keeps its last
// good numbers for some rounds.
func (g *group) setLocal(r *round) {
	g.local = nil
	if !g.broadcasts() {
		g.processes = nil
		return
	}
	for i := range g.clients {
		b := g.processes[g.clients[i].ID]
		if b == nil || i > 0 && g.clients[i].ID == g.clients[i-1].ID {
			continue // processes of one name cannot be told apart
		}
		b.settle(r)
		for _, on := range slices.SortedFunc(maps.Keys(b.last), compareQueues) {
			c := b.last[on]
			g.local = append(g.local, model.LocalCommits{TopicOnBroker: on, Taken: c.taken, Client: i, Committed: c.committed, Ends: c.ends})
		}
	}
}

func compareQueues(a, b model.TopicOnBroker) int {
	return cmp.Or(strings.Compare(a.Topic, b.Topic), strings.Compare(a.Broker, b.Broker))
}

// settle sets a process's own commits against the ends. Where either could not
// be told, the last good numbers stand in for some rounds; what an answering
// process no longer holds, of a broker that is there, is gone.
func (b *broadcaster) settle(r *round) {
	cells := make(map[model.TopicOnBroker]*localCell, len(b.held))
	for on, c := range b.last {
		_, holds := b.held[on]
		if c.age++; c.age <= r.src.opts.KeepRounds && (holds || b.held == nil || !r.isThere(on.Broker)) {
			cells[on] = c
		}
	}
	for on, commits := range b.held {
		if n := min(len(commits), len(r.ends[on])); n > 0 {
			cells[on] = &localCell{committed: commits[:n:n], ends: r.ends[on], taken: r.src.opts.Now()}
		}
	}
	b.last = cells
}
