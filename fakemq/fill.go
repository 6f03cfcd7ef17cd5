package fakemq

import (
	"errors"
	"fmt"
)

// Size says how much Fill makes.
type Size struct {
	// Topics is how many topics there are. Each lies on Spread brokers, with
	// Queues queues on each of them.
	Topics, Spread, Queues int
	// Groups is how many clustering groups there are. Each consumes
	// TopicsPerGroup topics with Processes processes, which may be none.
	Groups, TopicsPerGroup, Processes int
}

// check reports every mistake. Bounds keep one call from asking for more memory
// than any machine has.
func (s Size) check(brokers int) error {
	var bad []error
	in := func(what string, n, least, most int) {
		if n < least || n > most {
			bad = append(bad, fmt.Errorf("%s: %d: allowed are %d to %d", what, n, least, most))
		}
	}
	in("topics", s.Topics, 1, 1<<20)
	in("brokers of a topic", s.Spread, 1, brokers)
	in("queues of a topic on a broker", s.Queues, 1, maxQueues)
	in("groups", s.Groups, 0, 1<<20)
	in("topics of a group", s.TopicsPerGroup, 1, max(s.Topics, 1))
	in("processes of a group", s.Processes, 0, 1<<12)
	return errors.Join(bad...)
}

// Fill adds topics, consumer groups and processes to a cluster in bulk: what a
// company has after some years, to measure readers with. Topics are dealt to
// brokers in turn, and groups to topics. Every group has committed on all of its
// queues: nine of ten keep up, but for a few messages, and one is far behind.
// The same Size always makes the same.
func (c *Cluster) Fill(s Size) error {
	if err := s.check(len(c.brokers)); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	for i := range s.Topics {
		if err := c.AddTopic(Topic{Name: FilledTopic(i), Queues: s.Queues, Brokers: c.turn(i*s.Spread, s.Spread)}); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	c.seedEnds()
	for i := range s.Groups {
		if err := c.fillGroup(s, i); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}

// FilledTopic is the name of the i-th topic that Fill makes.
func FilledTopic(i int) string { return fmt.Sprintf("topic-of-some-length-%05d", i) }

// FilledGroup is the name of the i-th group that Fill makes.
func FilledGroup(i int) string { return fmt.Sprintf("consumer-group-%05d", i) }

// turn is the names of n brokers, from one on.
func (c *Cluster) turn(from, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = c.brokers[(from+i)%len(c.brokers)].name
	}
	return names
}

func (c *Cluster) fillGroup(s Size, i int) error {
	g := Group{Name: FilledGroup(i)}
	for j := range s.TopicsPerGroup {
		g.Topics = append(g.Topics, FilledTopic((i*s.TopicsPerGroup+j)%s.Topics))
	}
	if err := c.AddGroup(g); err != nil {
		return err
	}
	c.seedCommits(g)
	for range s.Processes {
		if _, err := c.AddConsumer(g.Name, Consumer{}); err != nil {
			return err
		}
	}
	return nil
}

// mixed is a number below limit that looks like chance and never changes.
func mixed(n uint64, limit int64) int64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return int64((n ^ n>>31) % uint64(limit))
}

// The ends that queues are filled to, and how far commits stay behind, are below
// these: offsets have as many digits as real ones.
const (
	filledEnd     = 900_000_000
	filledBehind  = 5
	filledFar     = 50_000
	filledFarEach = 10 // one of so many groups is far behind
)

// seedEnds stores messages in all queues that have none.
func (c *Cluster) seedEnds() {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := uint64(0)
	for _, b := range c.brokers {
		for _, t := range b.topicSeq {
			for q := range t.max {
				if n++; !t.system && t.max[q] == 0 {
					t.append(q, filledFar+mixed(n, filledEnd), c.now(), c.opts.Marks)
				}
			}
		}
	}
}

// seedCommits commits all queues of a group's topics.
func (c *Cluster) seedCommits(g Group) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, behind := uint64(len(c.groups))<<32, int64(filledBehind)
	if len(c.groups)%filledFarEach == 0 {
		behind = filledFar
	}
	for _, topic := range g.Topics {
		for _, t := range c.topicParts(topic) {
			o := t.offsetsOf(g.Name, false)
			for q := range t.max {
				n++
				o.commit(q, t.max[q]-mixed(n, behind), c.now())
			}
		}
	}
}

// Drift lets every queue of the brokers' topics get n messages, and every
// clustering group that is online commit n more of each that it is behind on:
// what a large cluster does between two looks at it, at the cost of a walk over
// its offsets. Retry topics, and topics and groups of RocketMQ's own, stay.
func (c *Cluster) Drift(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for _, b := range c.brokers {
		for _, t := range b.topicSeq {
			if t.system || isRetry(t.name) {
				continue
			}
			for q := range t.max {
				t.append(q, n, now, c.opts.Marks)
			}
		}
		for _, o := range b.offsetSeq {
			if g := c.groups[o.group]; o.on == nil || g == nil || g.broadcasting() || !g.onlineAt(b) {
				continue
			}
			for q, at := range o.committed {
				if end := o.on.max[q]; at != never && at < end {
					o.commit(q, min(at+n, end), now)
				}
			}
		}
	}
}
