package direct

import (
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// held is what one process said of the queues that it holds. A large cluster has
// many thousands.
type held struct {
	claims []claim // of a process of a clustering group, sorted
	// Of a broadcasting process: its own commit by queue id, model.Unknown
	// where it has none, notHeld where it does not hold the queue.
	queues map[model.TopicOnBroker][]int64
	last   []model.LocalCommits // its last good numbers
	// popped are the messages that it has yet to acknowledge, by topic that it
	// consumes by POP; nil: none, or it is of a kind that does not tell.
	popped map[string]int64

	members uint64      // the group's members when it was asked
	asked   model.Stamp // of the last answer
	retryAt model.Stamp // after a failure: when it may be asked again

	failures uint8
	age      uint8 // rounds for which last has stood in
	popAge   uint8 // rounds since it told what popped is
	slow     bool  // it came later than a round waits for it
}

// oneMore counts to 255.
func oneMore(n uint8) uint8 { return min(n, math.MaxUint8-1) + 1 }

const notHeld = model.Unknown - 1

// readHeld reads the answer to GET_CONSUMER_RUNNING_INFO.
func readHeld(body []byte, seed maphash.Seed, broadcasting bool) (*held, error) {
	h := &held{}
	var queues []queueRef
	total := 0
	var odd error
	err := remoting.DecodeRunningInfo(body, func(q remoting.RunningQueue) {
		if q.Dropped {
			return
		}
		if q.QueueID < 0 || q.QueueID >= maxQueues || total > maxHeld {
			odd = fmt.Errorf("body of %s: %w: queue id %d of topic %q: allowed are 0 to %d, and %d queues in all",
				remoting.GetConsumerRunningInfo, remoting.ErrMalformed, q.QueueID, q.Topic, maxQueues-1, maxHeld)
			return
		}
		if broadcasting {
			total += h.add(&q)
			return
		}
		total++
		queues = append(queues, refOf(seed, brokerRef(seed, q.Broker), q.Topic).queue(q.QueueID))
	})
	if err == nil {
		err = odd
	}
	if err == nil {
		h.popped, err = readPopped(body)
	}
	if err != nil {
		return nil, err
	}
	h.claims = claimsOf(queues)
	return h, nil
}

// add notes a queue of a broadcasting process, and says by how much that made
// the lists longer.
func (h *held) add(q *remoting.RunningQueue) (more int) {
	if h.queues == nil {
		h.queues = make(map[model.TopicOnBroker][]int64)
	}
	key := model.TopicOnBroker{Topic: string(q.Topic), Broker: string(q.Broker)}
	list := h.queues[key]
	for len(list) <= int(q.QueueID) {
		list = append(list, notHeld)
		more++
	}
	list[q.QueueID] = max(q.CommitOffset, model.Unknown)
	h.queues[key] = list
	return more
}

// readPopped reads what a process has popped and not acknowledged.
func readPopped(body []byte) (map[string]int64, error) {
	var popped map[string]int64
	err := remoting.DecodePopQueues(body, func(q remoting.PopQueue) {
		if q.Dropped || len(popped) > maxHeld {
			return
		}
		if popped == nil {
			popped = make(map[string]int64)
		}
		popped[string(q.Topic)] += max(q.Waiting, 0)
	})
	return popped, err
}

// maxHeld bounds the queues of one process that are believed.
const maxHeld = 1 << 20

// laterQuestion is one that is asked behind the round: its answer serves the next.
type laterQuestion struct {
	addr string
	question
}

// askOwners asks the processes whose queues are not known, or no longer, and
// takes the answers that come in time. Those that no round waits for are noted for
// Behind.
func (r *round) askOwners() {
	s := r.src
	for _, c := range s.clusters {
		for _, g := range c.sortedGroups() {
			g.forgetLeft()
		}
	}
	// What came since the last round need not be asked for again.
	r.takeAnswers(s.asker.take())
	s.asker.keep(r.isThere)
	for _, c := range s.clusters {
		for _, g := range c.sortedGroups() {
			b := c.brokers[g.home]
			if b == nil || !g.known || g.age > 0 {
				continue // nobody is there to hand a question on
			}
			for i := range g.clients {
				id := g.clients[i].ID
				due, urgent := g.due(id, r.began, s.opts.OwnerRefresh)
				if !due {
					continue
				}
				q := question{askKey{c.name, g.name, id}, g.members, g.model == model.Broadcasting, r.began, urgent}
				if urgent {
					s.asker.ask(b.reader, q)
				} else {
					s.later = append(s.later, laterQuestion{b.reader, q})
				}
			}
		}
	}
	s.asker.wait(r.ctx, s.opts.OwnerWait)
	r.takeAnswers(s.asker.take())
}

// isThere says whether the process that a question is for has not left meanwhile.
func (r *round) isThere(q question) bool {
	c := r.src.clusters[q.cluster]
	if c == nil || c.groups[q.group] == nil {
		return false
	}
	g := c.groups[q.group]
	return g.members == q.members || g.has(q.clientID)
}

// forgetLeft lets go of processes that have left the group.
func (g *group) forgetLeft() {
	if len(g.held) == 0 {
		return
	}
	if g.heldBy == g.members {
		return
	}
	g.heldBy = g.members
	online := make(map[string]struct{}, len(g.clients))
	for i := range g.clients {
		online[g.clients[i].ID] = struct{}{}
	}
	for id := range g.held {
		if _, ok := online[id]; !ok {
			delete(g.held, id)
			g.stale = true
		}
	}
}

// isFresh says whether the answer came in the round that began then.
func (h *held) isFresh(began time.Time) bool { return h.asked == model.StampOf(began) }

// due says whether a process is to be asked now, and whether the round should
// wait for its answer: not for those that failed to answer before, or were slow.
func (g *group) due(id string, now time.Time, refresh time.Duration) (due, urgent bool) {
	h := g.held[id]
	switch {
	case h == nil:
		return true, true
	case h.failures > 0:
		return ageOf(h.retryAt, now) >= 0, false
	case g.model == model.Broadcasting, h.members != g.members, g.recheck.due(now):
		return true, !h.slow
	case h.popped != nil:
		return true, false // what is in flight changes all the time; the next round shows it
	}
	return ageOf(h.asked, now) >= refresh, false
}

func (r *round) takeAnswers(answers []answer) {
	for _, a := range answers {
		r.takeAnswer(a)
	}
}

// takeAnswer notes what a process said, or that it said nothing.
func (r *round) takeAnswer(a answer) {
	if !r.isThere(a.question) {
		return // that it could not be asked is no fault
	}
	g := r.src.clusters[a.cluster].groups[a.group]
	if g.held == nil {
		g.held = make(map[string]*held)
	}
	if a.err == nil {
		a.held.members, a.held.asked = a.members, model.StampOf(r.began)
		a.held.slow = a.isSlow(r)
		if h := g.held[a.clientID]; h != nil {
			a.held.last = h.last
		}
		g.held[a.clientID], g.stale = a.held, true
		g.pops = g.pops || a.held.popped != nil
		return
	}
	h := g.held[a.clientID]
	if h == nil {
		h = &held{}
		g.held[a.clientID] = h
	}
	if h.failures = oneMore(h.failures); h.failures > 1 || remoting.Reason(a.err) != "offline" {
		r.fail(a.cluster, a.addr, remoting.GetConsumerRunningInfo,
			fmt.Errorf("process %s of group %s: %w", a.clientID, a.group, a.err))
	} // else it has most likely left since the broker listed it
	h.retryAt = model.StampOf(r.began.Add(min(retryPause<<min(h.failures-1, 10), r.src.opts.OwnerRefresh)))
}

// isSlow says whether the round that asked waited in vain, or would have.
func (a *answer) isSlow(r *round) bool {
	if a.urgent {
		return a.question.began.Before(r.began)
	}
	return a.took > r.src.opts.OwnerWait
}

// retryPause is the first pause after a process that did not answer.
const retryPause = 10 * time.Second

func (g *group) has(clientID string) bool {
	_, ok := slices.BinarySearchFunc(g.clients, clientID, func(c model.Client, id string) int { return strings.Compare(c.ID, id) })
	return ok
}

// repeated says whether a client has the id of the one before: broadcasting
// processes on one host share theirs.
func (g *group) repeated(i int) bool { return i > 0 && g.clients[i].ID == g.clients[i-1].ID }

// localCommits says how far each process of a broadcasting group is. A process
// that does not answer keeps its last good numbers for some rounds. Where no
// process can be asked, the brokers' minimum over all of them stands in.
func (g *group) localCommits(c *cluster, began time.Time, keep int) []model.LocalCommits {
	var list []model.LocalCommits
	for i := range g.clients {
		h := g.held[g.clients[i].ID]
		if h == nil || g.repeated(i) {
			continue
		}
		if h.isFresh(began) {
			h.last, h.age = h.local(g, c), 0
		} else if h.age = oneMore(h.age); int(h.age) > keep {
			h.last = nil
		}
		for _, l := range h.last {
			l.Client = i
			list = append(list, l)
		}
	}
	if len(list) == 0 {
		list = g.minimumCommits(c)
	}
	return list
}

// local sets a process's own commits against the ends of the same round. Where
// those could not be read in it, the last good numbers stay while the last good
// ends do.
func (h *held) local(g *group, c *cluster) []model.LocalCommits {
	var list []model.LocalCommits
	for key, queues := range h.queues {
		b := c.brokers[key.Broker]
		if !g.topics.Has(key.Topic) || b == nil || b.part == nil {
			continue
		}
		ends := b.endsOf(key.Topic)
		if ends == nil {
			continue
		}
		if b.partAge > 0 || b.carried[key.Topic] > 0 {
			for _, l := range h.last {
				if l.TopicOnBroker == key {
					list = append(list, l)
				}
			}
			continue
		}
		committed := make([]int64, min(len(queues), len(ends)))
		for q := range committed {
			committed[q] = max(queues[q], model.Unknown)
		}
		list = append(list, model.LocalCommits{TopicOnBroker: key, Taken: b.part.Taken, Committed: committed, Ends: ends})
	}
	return list
}

// minimumCommits is what brokers of 5.1 and later say of the slowest process.
func (g *group) minimumCommits(c *cluster) []model.LocalCommits {
	var list []model.LocalCommits
	for _, b := range c.brokers {
		if b.part == nil {
			continue
		}
		for _, m := range b.minimum[g.name] {
			if !g.topics.Has(m.topic) {
				continue
			}
			list = append(list, model.LocalCommits{
				TopicOnBroker: model.TopicOnBroker{Topic: m.topic, Broker: b.name},
				Taken:         b.part.Taken, Client: model.NoClient, Committed: m.committed, Ends: b.endsOf(m.topic),
			})
		}
	}
	return list
}

// endsOf are the ends of a topic's queues in the broker's part.
func (b *broker) endsOf(topic string) []int64 {
	if b.index == nil {
		b.index = make(map[string]int, len(b.part.Topics))
		for i := range b.part.Topics {
			b.index[b.part.Topics[i].Name] = i
		}
		b.ends = make(map[string][]int64)
	}
	if ends, ok := b.ends[topic]; ok {
		return ends
	}
	i, ok := b.index[topic]
	if !ok {
		return nil
	}
	t := &b.part.Topics[i]
	b.ends[topic] = b.part.Ends.AppendTo(nil, int(t.First), int(t.Queues))
	return b.ends[topic]
}

// told says whether every process has said which queues it holds since the
// members changed.
func (g *group) told() bool {
	for i := range g.clients {
		h := g.held[g.clients[i].ID]
		if h == nil || h.failures > 0 || h.members != g.members || g.repeated(i) {
			return false
		}
	}
	return g.known
}
