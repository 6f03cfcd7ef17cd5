package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// readGroups reads the rows of all groups, and who is online in them.
//
// It goes by group and never by topic (/topic/queryConsumerByTopic.query): every
// group that was ever online has a retry topic, so there are never more groups
// than topics; for each topic the console asks every group's processes again
// what it asks once for a group; and it finds the groups of a topic by asking
// the topic's first broker alone (queryTopicConsumeByWho).
func (r *round) readGroups() {
	source.Each(r.src.opts.Parallel, r.groupsInOrder(), r.readGroup)
}

// groupsInOrder puts first those that have waited longest and last those that
// are known to be slow, in case that time runs out.
func (r *round) groupsInOrder() []*group {
	var list []*group
	for _, g := range r.src.groups {
		if g.listed {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b2i(a.slow), b2i(b.slow)), cmp.Compare(b.waited, a.waited), strings.Compare(a.name, b.name))
	})
	return list
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// dlqPrefix is what RocketMQ puts before a group to name its dead-letter topic,
// which has no backlog.
const dlqPrefix = "%DLQ%"

// readGroup reads one group.
func (r *round) readGroup(g *group) {
	if g.broadcasts() {
		g.cells, g.waited = nil, 0 // commits at a broker are of a former life
	} else {
		r.readRows(g)
	}
	g.noteCommits()
	if g.connectionDue(r.src) {
		r.readConnection(g)
	}
}

// maxLate bounds the calls that run on beyond their round.
const maxLate = 8

// readRows reads the rows of one group. A call that takes too long runs on; its
// answer serves a later round.
func (r *round) readRows(g *group) {
	s := r.src
	call, wait := g.call, time.Duration(0)
	if call == nil {
		asked := r.brokersToAsk(g)
		r.noteAsked(asked)
		if asked == nil {
			g.waited++
			return
		}
		call, wait = s.startRows(g.name, s.list.flavour, asked), s.opts.CallTimeout
		if g.slow {
			wait /= slowCall
		}
	}
	if !call.await(r.ctx, wait) {
		r.postpone(g, call)
		return
	}
	if g.call != nil {
		s.countLate(-1)
		g.call = nil
	} else {
		g.slow = false
	}
	r.takeRows(g, call)
}

// postpone leaves a call for a later round, unless too many are left already.
func (r *round) postpone(g *group, call *rowsCall) {
	first := g.call == nil
	g.slow = true
	g.waited++
	if first {
		r.fail(pathRows, r.src.client.named(pathRows, fmt.Errorf("group %s: %w", g.name, context.DeadlineExceeded)))
		if r.src.countLate(1) {
			g.call = call
			return
		}
		call.cancel()
	}
}

// countLate counts a call that runs on, if there may be one more.
func (s *Source) countLate(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > 0 && s.late >= maxLate {
		return false
	}
	s.late += n
	return true
}

// target is a broker and the address that the console is told for it.
type target struct{ broker, addr string }

// brokersToAsk are the brokers that have a group: those that the list of groups
// names, else all. It is nil where there is none that could be asked.
func (r *round) brokersToAsk(g *group) []target {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all, named []target
	brokers := r.src.listedBrokers()
	for _, b := range brokers {
		addr := b.teller().addr
		if r.dead[addr] && r.src.list.flavour != plain {
			continue
		}
		all = append(all, target{b.name, addr})
		for known := range b.procs {
			if slices.Contains(g.addrs, known) {
				named = append(named, target{b.name, addr})
				break
			}
		}
	}
	if len(named) == 0 || r.src.list.flavour == plain {
		named = all
	}
	return named
}

// noteAsked notes that brokers are asked for rows.
func (r *round) noteAsked(asked []target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range asked {
		r.src.brokers[t.broker].asked = true
	}
}

// takeRows takes what a call has brought.
func (r *round) takeRows(g *group, call *rowsCall) {
	failures := call.failures
	if len(call.covered) == 0 && len(failures) == 1 && r.hasNoRetryTopic(g, failures[0]) {
		// 1.0.0 finds the brokers of a group by its retry topic. A group
		// without one was never online.
		failures, call.covered = nil, nil
		for _, b := range r.src.listedBrokers() {
			call.covered = append(call.covered, b.name)
		}
	}
	for _, err := range failures {
		r.fail(pathRows, err)
		if r.src.list.flavour == plain && Reason(err) == reasonRefused {
			r.src.suspectFlavour()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.odd += call.odd
	for _, addr := range call.dead {
		r.dead[addr] = true
	}
	width := 0
	for _, c := range call.table {
		width += len(c.ends)
	}
	if r.width += width; r.width > maxHeld {
		r.failures.Add("", r.src.client.base.Host, pathRows, reasonMalformed, fmt.Errorf("%w: more than %d queues in all", errShape, maxHeld))
		return
	}
	lost := make(map[string]bool, len(call.asked))
	for _, t := range call.asked {
		lost[t.broker] = true
	}
	for _, name := range call.covered {
		delete(lost, name)
		if b := r.src.brokers[name]; b != nil {
			b.read = true
		}
	}
	r.merge(g, lost, call.table)
	if len(lost) == 0 {
		g.waited = 0
		return
	}
	g.waited++
}

func (r *round) hasNoRetryTopic(g *group, err error) bool {
	if !refusedWith(err, codeTopicNotExist) || r.topics == nil {
		return false
	}
	_, ok := r.topics[retryPrefix+g.name]
	return !ok
}

// merge puts new cells in the place of the old ones. Those of brokers that could
// not be read, or that are not listed any more, stand in for some rounds.
func (r *round) merge(g *group, lost map[string]bool, fresh table) {
	s := r.src
	cells := make(table, len(fresh))
	for on, c := range g.cells {
		if s.brokers[on.Broker] != nil && (lost[on.Broker] || !r.isThere(on.Broker)) {
			cells[on] = c
		}
	}
	for on, c := range fresh {
		if b := s.brokers[on.Broker]; b == nil || b.cluster.wanted.Topic(on.Topic) {
			cells[on] = c
		}
	}
	g.cells = cells
}
