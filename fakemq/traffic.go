package fakemq

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Traffic keeps a cluster moving: topics that are produced at a rate, groups
// that consume at a rate per process and commit every five seconds, as real
// clients do (persistConsumerOffsetInterval), and what a scenario plans
// besides. The same seed and the same steps on the same cluster always lead to
// the same numbers.
//
// A Traffic is used by one goroutine at a time. What no longer exists, or
// cannot be written because its broker is down, is passed over.
type Traffic struct {
	mq      *Cluster
	rng     *rand.Rand
	elapsed time.Duration
	topics  []*topicFlow
	keep    map[string]time.Duration // retention, by topic
	groups  []*groupFlow
	plans   []plan
}

type topicFlow struct {
	topic            string
	perSecond, noise float64
	due              float64 // messages, the fraction carried over
}

type groupFlow struct {
	group     string
	perSecond float64            // per process
	slower    map[string]float64 // rates of single processes, by client id
	members   []*member
}

// member is what traffic keeps of one process.
type member struct {
	p      *process
	due    float64       // messages it could have consumed since its last commit
	commit time.Duration // when it commits next
}

// plan is something to do at a time.
type plan struct {
	at time.Duration
	do func()
}

const (
	commitInterval = 5 * time.Second
	// longestStep is how finely a longer step is cut, so that commits and
	// plans happen about when they should.
	longestStep = time.Second
)

// NewTraffic makes traffic for a cluster. Nothing flows until a rate is set.
func NewTraffic(mq *Cluster, seed uint64) *Traffic {
	return &Traffic{mq: mq, rng: rand.New(rand.NewPCG(seed, 0x726f636b65746d71))} //nolint:gosec // the same seed must lead to the same numbers
}

// Produce sets how many messages of a topic come per second. Noise, from 0 to
// 1, is how much a step may differ from that.
func (t *Traffic) Produce(topic string, perSecond, noise float64) error {
	if !(perSecond >= 0) || math.IsInf(perSecond, 0) || !(noise >= 0 && noise <= 1) {
		return fmt.Errorf("traffic of topic %q: %v per second, noise %v: allowed are rates from 0 and noise from 0 to 1", topic, perSecond, noise)
	}
	i := slices.IndexFunc(t.topics, func(f *topicFlow) bool { return f.topic == topic })
	if i < 0 {
		i = len(t.topics)
		t.topics = append(t.topics, &topicFlow{topic: topic})
	}
	t.topics[i].perSecond, t.topics[i].noise = perSecond, noise
	return nil
}

// Retain deletes the messages of a topic that are older than keep, from now on
// (fileReservedTime; a real broker deletes whole files of its commit log). 0 lets
// it keep all.
func (t *Traffic) Retain(topic string, keep time.Duration) error {
	if keep < 0 {
		return fmt.Errorf("traffic of topic %q: messages kept for %v: allowed are times from 0", topic, keep)
	}
	if t.keep == nil {
		t.keep = map[string]time.Duration{}
	}
	t.keep[topic] = keep
	return nil
}

// Consume sets how many messages per second each process of a group manages,
// all its topics together. 0 lets the group stand still with its processes
// online.
func (t *Traffic) Consume(group string, perSecond float64) error {
	f, err := t.flow(group, perSecond)
	if err == nil {
		f.perSecond = perSecond
	}
	return err
}

// ConsumeAs sets the rate of one process, apart from its group's.
func (t *Traffic) ConsumeAs(group, clientID string, perSecond float64) error {
	f, err := t.flow(group, perSecond)
	if err == nil {
		f.slower[clientID] = perSecond
	}
	return err
}

func (t *Traffic) flow(group string, perSecond float64) (*groupFlow, error) {
	if !(perSecond >= 0) || math.IsInf(perSecond, 0) {
		return nil, fmt.Errorf("traffic of group %q: %v per second: allowed are rates from 0", group, perSecond)
	}
	for _, f := range t.groups {
		if f.group == group {
			return f, nil
		}
	}
	f := &groupFlow{group: group, slower: map[string]float64{}}
	t.groups = append(t.groups, f)
	return f, nil
}

// After plans something for when d of the traffic's time has passed. What it
// does may plan again.
func (t *Traffic) After(d time.Duration, do func()) {
	t.plans = append(t.plans, plan{t.elapsed + d, do})
}

// Between draws a time from the traffic's seed.
func (t *Traffic) Between(least, most time.Duration) time.Duration {
	return least + time.Duration(t.rng.Float64()*float64(most-least))
}

// Step lets dt pass. A ManualClock of the cluster is moved along.
func (t *Traffic) Step(dt time.Duration) {
	for dt > 0 {
		part := min(dt, longestStep)
		dt -= part
		t.step(part)
	}
}

// Run steps in real time until the context ends, and returns its error.
func (t *Traffic) Run(ctx context.Context, interval time.Duration) error {
	if interval <= 0 {
		return fmt.Errorf("traffic: interval %v: allowed are times above 0", interval)
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			t.Step(now.Sub(last))
			last = now
		}
	}
}

func (t *Traffic) step(dt time.Duration) {
	if m, ok := t.mq.opts.Clock.(*ManualClock); ok {
		m.Advance(dt)
	}
	t.elapsed += dt
	t.runPlans()
	t.mq.mu.Lock()
	defer t.mq.mu.Unlock()
	for _, f := range t.topics {
		f.due += f.perSecond * dt.Seconds() * (1 + f.noise*(2*t.rng.Float64()-1))
		n := math.Floor(f.due)
		f.due -= n
		// The error means that nobody can take the messages: they are lost,
		// as those of a real producer are.
		_ = t.mq.produce(f.topic, int64(n))
	}
	for _, f := range t.groups {
		t.consume(f, dt)
	}
	for topic, keep := range t.keep {
		if keep > 0 {
			t.mq.retain(topic, keep)
		}
	}
}

// retain deletes what is older than keep.
func (c *Cluster) retain(topic string, keep time.Duration) {
	for _, t := range c.topicParts(topic) {
		oldest := t.broker.now() - keep.Milliseconds()
		for id := range t.max {
			if first := t.stored[id].since(oldest, t.max[id]); first > t.min[id] {
				t.min[id] = first
				t.stored[id].expire(first)
			}
		}
	}
}

// runPlans does what is due, the earliest first.
func (t *Traffic) runPlans() {
	for {
		next := -1
		for i, p := range t.plans {
			if p.at <= t.elapsed && (next < 0 || p.at < t.plans[next].at) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		do := t.plans[next].do
		t.plans = slices.Delete(t.plans, next, next+1)
		do()
	}
}

func (t *Traffic) consume(f *groupFlow, dt time.Duration) {
	g := t.mq.groups[f.group]
	if g == nil {
		f.members = nil
		return
	}
	t.meet(f, g)
	for _, m := range f.members {
		rate := f.perSecond
		if own, ok := f.slower[m.p.ID]; ok {
			rate = own
		}
		m.due += rate * dt.Seconds()
		if t.elapsed < m.commit {
			continue
		}
		m.commit += commitInterval
		n := math.Floor(m.due)
		m.due -= n
		if t.mq.consumeAll(m.p, int64(n)) < int64(n) {
			m.due = 0 // caught up: idle time is not saved
		}
	}
}

// meet follows who came and who went. A new process commits for the first time
// within five seconds.
func (t *Traffic) meet(f *groupFlow, g *group) {
	f.members = slices.DeleteFunc(f.members, func(m *member) bool { return !slices.Contains(g.processes, m.p) })
	for _, p := range g.processes {
		if !slices.ContainsFunc(f.members, func(m *member) bool { return m.p == p }) {
			f.members = append(f.members, &member{p: p, commit: t.elapsed + t.Between(0, commitInterval)})
		}
	}
}

// consumeAll lets a process consume up to n messages of all its topics.
func (c *Cluster) consumeAll(p *process, n int64) int64 {
	if n == 0 {
		return 0
	}
	var queues []cursor
	for _, topic := range p.group.topics {
		switch {
		case p.group.broadcasting():
			queues = append(queues, c.localQueues(p, topic)...)
		case p.group.pop[topic]:
			// What was popped at the last turn is consumed by now.
			for _, t := range c.topicParts(topic) {
				delete(p.popped, t)
			}
			queues = append(queues, c.popQueues(p, topic)...)
		default:
			queues = append(queues, c.heldQueues(p, topic)...)
		}
	}
	return consumeSome(queues, n)
}
