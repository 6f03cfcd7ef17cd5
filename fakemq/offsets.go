package fakemq

import (
	"errors"
	"fmt"
)

var errNegative = errors.New("less than none")

// never stands for a queue that was never committed.
const never = -1

// offsetKey names one table of commits on one broker.
type offsetKey struct {
	topic, group string
	// broadcast is the table of a broadcasting group: what a broker of 5.1
	// and later knows of its slowest process (BroadcastOffsetManager).
	broadcast bool
}

// offsets are the commits of one group on one topic and broker, per queue.
type offsets struct {
	offsetKey
	quoted      string // the key as 43 writes it
	plain       string // the same without the mark of broadcasting
	quotedTopic string
	on          *brokerTopic // nil while the topic does not exist
	committed   []int64      // never where there is none
	pulled      []int64      // of a broadcasting group: the last pull of any process
	got         int64        // messages consumed since the boot
	gotRate     meter
}

// offsetsOf finds or makes a table of commits.
func (t *brokerTopic) offsetsOf(group string, broadcast bool) *offsets {
	key := offsetKey{t.name, group, broadcast}
	if o := t.broker.offsets[key]; o != nil {
		return o
	}
	o := &offsets{offsetKey: key, quoted: quote(key.String()), quotedTopic: t.quoted, on: t}
	o.plain = o.quoted
	if broadcast {
		o.plain = quote(offsetKey{topic: t.name, group: group}.String())
	}
	o.fit()
	t.broker.offsets[key] = o
	t.broker.offsetSeq = append(t.broker.offsetSeq, o)
	t.broker.committed.add(o)
	return o
}

// groupedOffsets are the tables of commits by group.
type groupedOffsets struct {
	of    map[string]*groupOffsets
	order []*groupOffsets
}

// groupOffsets are one group's tables of commits on one broker.
type groupOffsets struct {
	quoted string // the group's name
	tables []*offsets
}

func (g *groupedOffsets) add(o *offsets) {
	if o.broadcast {
		return
	}
	if g.of == nil {
		g.of = map[string]*groupOffsets{}
	}
	own := g.of[o.group]
	if own == nil {
		own = &groupOffsets{quoted: quote(o.group)}
		g.of[o.group] = own
		g.order = append(g.order, own)
	}
	own.tables = append(own.tables, o)
}

// String is the key as 43 writes it.
func (k offsetKey) String() string {
	if k.broadcast {
		return k.topic + "@" + k.group + "@broadcast"
	}
	return k.topic + "@" + k.group
}

// fit gives every queue of the topic a place.
func (o *offsets) fit() {
	o.committed = fitted(o.committed, len(o.on.max))
	if o.broadcast {
		o.pulled = fitted(o.pulled, len(o.on.max))
	}
}

// fitted is offsets with at least n entries, the new ones never committed.
func fitted(offsets []int64, n int) []int64 {
	if len(offsets) >= n {
		return offsets
	}
	grown := make([]int64, n)
	for i := copy(grown, offsets); i < n; i++ {
		grown[i] = never
	}
	return grown
}

// lastPulled is the end of what was last pulled, per queue (5.1 and later).
// Processes of a clustering group commit at once what they pull.
func (o *offsets) lastPulled() []int64 {
	if o.broadcast {
		return o.pulled
	}
	return o.committed
}

func (o *offsets) commit(queue int, offset, now int64) {
	before := o.committed[queue]
	o.committed[queue] = offset
	if got := offset - max(before, 0); got > 0 {
		o.got += got
		o.on.broker.got += got
		o.on.broker.gotRate.add(now, got)
		o.gotRate.add(now, got)
	}
	// The version moves once per so many commits
	// (consumerOffsetUpdateVersionStep): it says nothing of freshness.
	if v := &o.on.broker.offsetVersion; now-v.at > 1000 {
		v.bump(now)
	}
}

// Commit stores a clustering group's commit of one queue. Going back, and
// beyond the queue's end, is allowed: both happen (reset, re-created topic).
func (c *Cluster) Commit(group, topic, broker string, queue int, offset int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.queue(topic, broker, queue)
	if err != nil {
		return fmt.Errorf("commit of group %q: %w", group, err)
	}
	g := c.groups[group]
	switch {
	case g == nil:
		return fmt.Errorf("commit: no group %q", group)
	case g.broadcasting():
		return fmt.Errorf("commit: group %q is broadcasting: its processes commit for themselves (CommitLocal)", group)
	case offset < 0:
		return fmt.Errorf("commit of group %q: offset %d: %w", group, offset, errNegative)
	}
	t.offsetsOf(group, false).commit(queue, offset, t.broker.now())
	return nil
}

// CommitLocal stores the commit that a process of a broadcasting group keeps
// for itself. Brokers of 5.x learn from it where the slowest process is.
func (c *Cluster) CommitLocal(group, clientID, topic, broker string, queue int, offset int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.queue(topic, broker, queue)
	if err != nil {
		return fmt.Errorf("local commit of %q: %w", clientID, err)
	}
	p, err := c.process(group, clientID)
	switch {
	case err != nil:
		return fmt.Errorf("local commit: %w", err)
	case !p.group.broadcasting():
		return fmt.Errorf("local commit: group %q is clustering: it commits to the broker (Commit)", group)
	case offset < 0:
		return fmt.Errorf("local commit of %q: offset %d: %w", clientID, offset, errNegative)
	}
	p.commitLocal(t, queue, offset, t.broker.now())
	return nil
}

func (p *process) commitLocal(t *brokerTopic, queue int, offset, now int64) {
	local := p.localOf(t)
	local[queue] = offset
	if !t.broker.release.five() {
		return
	}
	slowest := offset
	for _, other := range p.group.processes {
		if l := other.local[t]; queue < len(l) && l[queue] != never {
			slowest = min(slowest, l[queue])
		}
	}
	o := t.offsetsOf(p.group.name, true)
	o.commit(queue, slowest, now)
	o.pulled[queue] = offset // the last pull of any process
}

// localOf are a broadcasting process's own commits of one topic and broker.
func (p *process) localOf(t *brokerTopic) []int64 {
	l := fitted(p.local[t], len(t.max))
	p.local[t] = l
	return l
}

var errNoGroup = errors.New("no such group")

func orNoGroup(err error) error {
	if err != nil {
		return err
	}
	return errNoGroup
}
