package fakemq

import (
	"slices"
	"time"
)

// holders tells which process holds a queue, as the console finds out
// (getClientConnection): it asks each process of a group for its running info,
// and the first one that does not answer ends it. Of a broadcasting group,
// whose processes hold all queues, the last answer stands.
type holders struct {
	mq       *Cluster
	group    *group
	answered []*process
	topic    string // of deal
	deal     allocation
}

// holders finds the processes of a group. It is nil where there are none.
func (a admin) holders(name string) *holders {
	g, answered, _ := a.answering(name)
	if len(answered) == 0 {
		return nil
	}
	return &holders{mq: a.mq, group: g, answered: answered}
}

// of is the client id of the process that holds a queue, empty where nobody is
// known to.
func (h *holders) of(t *brokerTopic, queue int) string {
	if h == nil || !h.group.subscribes(t.name) {
		return ""
	}
	if h.group.broadcasting() {
		return h.answered[len(h.answered)-1].ID
	}
	if h.topic != t.name {
		h.topic, h.deal = t.name, h.mq.allocate(h.group, t.name)
	}
	if p := h.deal.owner(t, queue); p != nil && slices.Contains(h.answered, p) {
		return p.ID
	}
	return ""
}

// adminTimeout is how long the console waits for the running info of one
// process (timeoutMillis, which 4.9.0 triples there).
func (a admin) adminTimeout() time.Duration {
	d := 5 * time.Second
	if !a.release.two() {
		d *= 3
	}
	return min(d, a.mq.opts.ClientTimeout)
}

// answering are the processes of a group up to the first that does not answer,
// and how long it takes to hear it.
func (a admin) answering(name string) (g *group, answered []*process, took time.Duration) {
	g, err := a.connection(name)
	if err != nil {
		return nil, nil, 0
	}
	for i, p := range g.processes {
		if timeout := a.adminTimeout(); p.Mute || p.AnswerAfter >= timeout {
			return g, g.processes[:i], took + timeout
		}
		took += p.AnswerAfter
	}
	return g, g.processes, took
}

// await waits as long as the processes of groups take to answer, one after the
// other.
func (x *call) await(groups ...string) error {
	c := x.console.mq
	c.mu.RLock()
	var took time.Duration
	for _, group := range groups {
		_, _, one := x.console.admin.answering(group)
		took += one
	}
	c.mu.RUnlock()
	if !x.wait(took) {
		return x.r.Context().Err()
	}
	return nil
}
