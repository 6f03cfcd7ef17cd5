package fakemq

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Consumer describes a consumer process to start.
type Consumer struct {
	// ID is the client id. Empty is made from the fields below, as the
	// clients of the release make it: IP@PID#nanotime, IP@Instance, and
	// IP@DEFAULT in a broadcasting group, each with @Unit behind where given.
	ID             string
	IP             string // empty is 10.0.0.N, N counting
	PID            int    // 0 counts from 1000
	Instance, Unit string
	// Language is JAVA where empty. GO processes answer running info in the
	// words of the Go client.
	Language string
	// Version is the ordinal of the client's release (MQVersion). 0 is that
	// of the first broker that has the group.
	Version int32
	// Addr is the peer that brokers see, host:port. Empty is loopback.
	Addr string
	// Mute processes never answer a request for running info: the broker
	// gives up after ClientTimeout.
	Mute bool
	// AnswerAfter is how long the process takes for running info.
	AnswerAfter time.Duration
}

// process is one consumer process that is online.
type process struct {
	Consumer
	group *group
	since int64 // ms since 1970
	// local are the commits that a process of a broadcasting group keeps.
	local map[*brokerTopic][]int64
	// popped are the messages that it has yet to acknowledge, by the topic that
	// it pops.
	popped map[*brokerTopic]int64
}

// AddConsumer starts a process of a group and returns its client id. The group
// rebalances at once. Two processes of a broadcasting group may have the same
// client id, as happens on one host; calls that take a client id then mean the
// older one.
func (c *Cluster) AddConsumer(group string, in Consumer) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[group]
	if g == nil {
		return "", fmt.Errorf("add consumer: no group %q", group)
	}
	if err := c.completeConsumer(g, &in); err != nil {
		return "", fmt.Errorf("add consumer to group %q: %w", group, err)
	}
	p := &process{Consumer: in, group: g, since: c.now()}
	if g.broadcasting() {
		p.local = map[*brokerTopic][]int64{}
	}
	g.processes = append(g.processes, p)
	g.rebalance()
	c.settle(g)
	return p.ID, nil
}

func (c *Cluster) completeConsumer(g *group, in *Consumer) error {
	c.ports++
	in.IP = cmp.Or(in.IP, "10.0."+strconv.Itoa(c.ports>>8&255)+"."+strconv.Itoa(c.ports&255))
	in.PID = cmp.Or(in.PID, 1000+c.ports)
	in.Language = cmp.Or(in.Language, "JAVA")
	in.Addr = cmp.Or(in.Addr, "127.0.0.1:"+strconv.Itoa(20_000+c.ports%40_000))
	for _, b := range c.brokers {
		if g.brokers[b] {
			in.Version = cmp.Or(in.Version, b.release.version())
		}
	}
	if in.ID == "" {
		in.ID = makeClientID(g, in, c.now()*1_000_000+int64(c.ports))
	}
	if strings.ContainsAny(in.ID, "\"\\") {
		return fmt.Errorf("client id %q: quotes and backslashes are not allowed", in.ID)
	}
	if _, _, err := net.SplitHostPort(in.Addr); err != nil {
		return fmt.Errorf("consumer %q: address: %w", in.ID, err)
	}
	same := func(p *process) bool { return p.ID == in.ID }
	if !g.broadcasting() && slices.ContainsFunc(g.processes, same) {
		return fmt.Errorf("consumer %q: there is one, and only broadcasting groups can have two", in.ID)
	}
	return nil
}

// makeClientID follows ClientConfig.buildMQClientId and
// changeInstanceNameToPID of the Java client from 4.9 on.
func makeClientID(g *group, in *Consumer, nanos int64) string {
	id := in.IP + "@"
	switch {
	case in.Instance != "":
		id += in.Instance
	case g.broadcasting():
		id += "DEFAULT"
	default:
		id += strconv.Itoa(in.PID) + "#" + strconv.FormatInt(nanos, 10)
	}
	if in.Unit != "" {
		id += "@" + in.Unit
	}
	return id
}

// KillConsumer ends a process as a crash does once the brokers have noticed.
// The group rebalances at once.
func (c *Cluster) KillConsumer(group, clientID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.process(group, clientID)
	if err != nil {
		return fmt.Errorf("kill consumer: %w", err)
	}
	i := slices.Index(p.group.processes, p)
	p.group.processes = slices.Delete(p.group.processes, i, i+1)
	p.group.rebalance()
	return nil
}

// ClientIDs are the client ids of a group's processes, in the order of their
// coming.
func (c *Cluster) ClientIDs(group string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	g := c.groups[group]
	if g == nil {
		return nil
	}
	ids := make([]string, 0, len(g.processes))
	for _, p := range g.processes {
		ids = append(ids, p.ID)
	}
	return ids
}

// DropQueue makes the process that holds a queue give it up, so that nobody
// consumes it until the group rebalances next.
func (c *Cluster) DropQueue(group, topic, broker string, queue int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[group]
	t, err := c.queue(topic, broker, queue)
	if g == nil || err != nil {
		return fmt.Errorf("drop queue of group %q: %w", group, orNoGroup(err))
	}
	if g.dropped == nil {
		g.dropped = map[queueRef]bool{}
	}
	g.dropped[queueRef{t, queue}] = true
	return nil
}

func (c *Cluster) process(group, clientID string) (*process, error) {
	g := c.groups[group]
	if g == nil {
		return nil, fmt.Errorf("no group %q", group)
	}
	for _, p := range g.processes {
		if p.ID == clientID {
			return p, nil
		}
	}
	return nil, fmt.Errorf("group %q has no process %q", group, clientID)
}

// settle does what processes do as soon as they hold queues: a clustering
// group commits its empty retry topic from the beginning, a broadcasting
// process starts where the group says.
func (c *Cluster) settle(g *group) {
	if len(g.processes) == 0 {
		return
	}
	for _, name := range g.topics {
		for _, t := range c.topicParts(name) {
			if g.broadcasting() {
				g.startLocal(t)
			} else if isRetry(name) {
				g.startRetry(t, t.broker.now())
			}
		}
	}
}

// settleTopic settles every group that a new or larger topic concerns.
func (c *Cluster) settleTopic(name string) {
	for _, g := range c.groupSeq {
		if g.subscribes(name) {
			c.settle(g)
		}
	}
}

func (g *group) startRetry(t *brokerTopic, now int64) {
	o := t.offsetsOf(g.name, false)
	for i, at := range o.committed {
		if at == never {
			o.commit(i, 0, now)
		}
	}
}

func (g *group) startLocal(t *brokerTopic) {
	for _, p := range g.processes {
		local := p.localOf(t)
		for i, at := range local {
			if at != never {
				continue
			}
			if local[i] = t.min[i]; g.FromLast {
				local[i] = t.max[i]
			}
		}
	}
}
