package direct

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// group is what is remembered of one consumer group between rounds.
type group struct {
	name string
	// home is the broker that is asked who is online. Clients send heartbeats
	// to every broker of their topics, so one that has their commits is
	// enough; while it says that nobody is, others are asked in turn.
	home string

	// Of the round.
	listed  bool     // some broker has the group, or its last good part does
	brokers []string // that were read and have the group
	tried   []string // those of them that were asked
	outcome outcome
	commits int64 // all commits added up

	lastCommits int64

	model, consumeType string
	known              bool
	age                int // rounds since somebody told who is online
	connSum            uint64
	members            uint64 // changes when the group's processes do
	clients            []model.Client
	topics             map[string]struct{}

	held     map[string]*held // by client id: the queues that it holds
	stale    bool             // claiming is older than held and clients
	claiming []claimant
	open     bool // of the round: a queue has no owner, or two

	layout, lastLayout uint64 // fingerprint of processes and queues

	recheck
	local []model.LocalCommits

	pop      map[string]struct{} // topics that it consumes by POP
	inFlight []model.InFlight
}

// outcome is what came of asking who is online.
type outcome uint8

const (
	notAsked outcome = iota
	online
	offline
	failed
)

// broadcasts says whether the group is online and keeps its offsets itself.
func (g *group) broadcasts() bool {
	return g.model == model.Broadcasting && g.known && len(g.clients) > 0
}

// knownGroups are groups about which a broker is being asked beside all else.
type knownGroups struct {
	done chan struct{}
	lost []*group // to which no answer came
	errs []error
}

// askKnownGroups asks who is online in the groups that this broker was asked
// about in the last round. Most groups are such, and the broker, which is still
// putting its commits together on one of its threads, has the time.
func (w *reading) askKnownGroups() *knownGroups {
	groups := w.claimKnown()
	k := &knownGroups{done: make(chan struct{})}
	go func() {
		defer close(k.done)
		w.src.client.Pipeline(w.ctx, w.proc.addr, len(groups),
			func(i int) remoting.Request { return connectionsRequest(groups[i]) },
			func(i int, resp remoting.Response, err error) {
				if isAnswer(err) {
					w.takeConnections(groups[i], resp.Body, err)
					return
				}
				k.lost, k.errs = append(k.lost, groups[i]), append(k.errs, err)
			})
	}()
	return k
}

// settle waits for the answers. Of a broker that could not be read at all it has
// been said already: that it told nothing of its groups either is no news.
func (k *knownGroups) settle(w *reading) {
	<-k.done
	if w.build.err != nil {
		return
	}
	for i, g := range k.lost {
		w.takeConnections(g, nil, k.errs[i])
	}
}

// claimKnown returns the groups that this broker is asked about first, as far
// as the last round knows.
func (w *reading) claimKnown() []*group {
	c, b := w.broker.cluster, w.broker
	c.mu.Lock()
	defer c.mu.Unlock()
	var claimed []*group
	for name := range b.known.groups {
		if g := c.groups[name]; g != nil && g.home == b.name {
			g.tried = append(g.tried, b.name)
			claimed = append(claimed, g)
		}
	}
	return inOrder(claimed)
}

// claimGroups is called once per broker and round, when the broker's commits
// are there. It returns the other groups that this broker is to be asked about.
func (w *reading) claimGroups() []*group {
	c, b := w.broker.cluster, w.broker
	c.mu.Lock()
	defer c.mu.Unlock()
	var claimed []*group
	for name := range b.known.groups {
		g := c.groups[name]
		if g == nil {
			g = &group{name: name}
			c.groups[name] = g
		}
		g.listed = true
		g.brokers = append(g.brokers, b.name)
		sum, commits := w.build.sums[name]
		g.commits += sum
		if g.home == "" && commits || g.home == b.name && !slices.Contains(g.tried, b.name) {
			g.home = b.name
			g.tried = append(g.tried, b.name)
			claimed = append(claimed, g)
		}
	}
	return inOrder(claimed)
}

// inOrder sorts groups by name. The order of a map must not be the order of
// requests: a round should be repeatable.
func inOrder(groups []*group) []*group {
	slices.SortFunc(groups, func(a, b *group) int { return strings.Compare(a.name, b.name) })
	return groups
}

func connectionsRequest(g *group) remoting.Request {
	return remoting.Request{
		Code:   remoting.GetConsumerConnectionList,
		Fields: []remoting.Field{{Key: "consumerGroup", Value: g.name}},
	}
}

// takeConnections reads who is online in a group.
func (w *reading) takeConnections(g *group, body []byte, err error) {
	switch {
	case remoting.Reason(err) == "offline":
		if g.outcome != online && (w.broker.name == g.home || !g.seenAtHome()) {
			g.outcome = offline
		}
		return
	case err == nil:
		err = w.named(g.setConnections(w.src.seed, body))
	}
	if err != nil {
		if g.outcome == notAsked {
			g.outcome = failed
		}
		w.fail(w.broker.cluster.name, w.proc.addr, remoting.GetConsumerConnectionList, err)
		return
	}
	// While brokers are being read at once, home stands already; it must not
	// be written then.
	if g.outcome = online; g.home != w.broker.name {
		g.home = w.broker.name
	}
}

// seenAtHome: the broker that is asked first has processes of the group. While
// it cannot be asked, other brokers' not knowing of any proves nothing: a group
// need not be on all brokers.
func (g *group) seenAtHome() bool { return g.known && len(g.clients) > 0 }

// maxClients bounds the processes of one group that are believed.
const maxClients = 1 << 16

func (g *group) setConnections(seed maphash.Seed, body []byte) error {
	sum := maphash.Bytes(seed, body)
	if g.known && len(g.clients) > 0 && sum == g.connSum {
		return nil
	}
	conns, err := remoting.DecodeConsumerConnections(body)
	if err != nil {
		return err
	}
	if len(conns.Clients) > maxClients {
		return fmt.Errorf("%w: group %s has %d clients, believed are at most %d", remoting.ErrMalformed, g.name, len(conns.Clients), maxClients)
	}
	g.connSum = sum
	g.model, g.consumeType = conns.MessageModel, conns.ConsumeType
	g.topics = make(map[string]struct{}, len(conns.Topics))
	for _, t := range conns.Topics {
		g.topics[t] = struct{}{}
	}
	g.setClients(seed, conns.Clients)
	return nil
}

// setClients takes the processes online. A process that came back under its old
// id has another connection, so addresses count as much as ids.
func (g *group) setClients(seed maphash.Seed, conns []remoting.Connection) {
	slices.SortFunc(conns, func(a, b remoting.Connection) int {
		return strings.Compare(a.ClientID+"\x00"+a.Addr, b.ClientID+"\x00"+b.Addr)
	})
	var id maphash.Hash
	id.SetSeed(seed)
	g.clients = make([]model.Client, 0, len(conns))
	for _, c := range conns {
		_, _ = id.WriteString(c.ClientID)
		_ = id.WriteByte(0)
		_, _ = id.WriteString(c.Addr)
		_ = id.WriteByte(0)
		ip, pid := model.SplitClientID(c.ClientID)
		g.clients = append(g.clients, model.Client{
			ID: c.ClientID, IP: ip, PID: pid, Language: c.Language, Version: c.Version,
		})
	}
	g.members, g.stale = id.Sum64(), true
}

// setOffline notes that nobody is online. What the group was stays known.
func (g *group) setOffline() {
	g.clients, g.topics, g.held, g.claiming, g.local = nil, nil, nil, nil, nil
	g.members, g.connSum = 0, 0
}

// readGroupsElsewhere asks other brokers about groups for which the first one
// has no answer: it is down, or says that nobody is online although somebody
// was, or although commits move, or when nothing was known of the group.
func (r *round) readGroupsElsewhere() {
	for range maxTries {
		again := r.groupsToAskAgain()
		if len(again) == 0 {
			break
		}
		source.Each(r.src.opts.Parallel, r.sources, func(w *reading) {
			groups := again[w.broker]
			w.src.client.Pipeline(w.ctx, w.proc.addr, len(groups),
				func(i int) remoting.Request { return connectionsRequest(groups[i]) },
				func(i int, resp remoting.Response, err error) { w.takeConnections(groups[i], resp.Body, err) })
		})
	}
	r.settleGroups()
}

// maxTries bounds how many further brokers are asked about one group in a
// round.
const maxTries = 3

func (r *round) groupsToAskAgain() map[*broker][]*group {
	again := make(map[*broker][]*group)
	for _, c := range r.src.clusters {
		for _, g := range c.groups {
			if g.outcome == online {
				continue
			}
			moved := g.commits != g.lastCommits && g.lastCommits > 0
			if g.outcome == offline && g.known && len(g.clients) == 0 && !moved {
				continue
			}
			if next := g.nextBroker(); next != "" {
				b := c.brokers[next]
				again[b] = append(again[b], g)
			}
		}
	}
	return again
}

// nextBroker takes another broker to ask; empty when all were.
func (g *group) nextBroker() string {
	for _, b := range g.brokers {
		if !slices.Contains(g.tried, b) {
			g.tried = append(g.tried, b)
			return b
		}
	}
	return ""
}

// settleGroups draws the conclusions of the round about who is online.
func (r *round) settleGroups() {
	keep := r.src.opts.KeepRounds
	r.keepGroups()
	for _, c := range r.src.clusters {
		for name, g := range c.groups {
			if !g.listed {
				delete(c.groups, name)
				continue
			}
			g.settle(keep)
		}
	}
}

// keepGroups keeps the groups of brokers that were not read in this round, for
// as long as the broker itself is remembered: a broadcasting group that is
// offline when its broker comes back must still be known for what it is.
func (r *round) keepGroups() {
	for _, w := range r.sources {
		if w.build.err == nil {
			continue
		}
		for name := range w.broker.known.groups {
			if g := w.broker.cluster.groups[name]; g != nil {
				g.listed = true
			}
		}
	}
}

func (g *group) settle(keep int) {
	switch g.outcome {
	case online:
		g.known, g.age = true, 0
	case offline:
		g.setOffline()
		g.known, g.age = true, 0
		if len(g.brokers) > 1 {
			// Another broker is asked the next time: heartbeats need not
			// reach this one.
			slices.Sort(g.brokers)
			i := slices.Index(g.brokers, g.home)
			g.home = g.brokers[(i+1)%len(g.brokers)]
		}
	case notAsked, failed:
		if g.age++; g.age > keep {
			g.setOffline()
			g.known = false
		}
	}
	g.lastCommits, g.commits = g.commits, 0
	g.brokers, g.tried, g.outcome, g.listed = g.brokers[:0], g.tried[:0], notAsked, false
}

// finishGroups makes what the snapshot says of each group.
func (r *round) finishGroups() {
	for _, c := range r.src.clusters {
		for _, g := range c.groups {
			r.finishGroup(c, g)
			r.setPop(c, g)
		}
		r.assignOwners(c)
		for _, g := range c.groups {
			g.recheck.note(!g.open, r.began, r.src.opts.OwnerRefresh)
		}
	}
}

func (r *round) finishGroup(c *cluster, g *group) {
	g.open = false
	if g.model == "" && c.hasMinimum(g.name) {
		g.model = model.Broadcasting
	}
	switch {
	case !g.known || len(g.clients) == 0:
		g.local = nil
	case g.model == model.Broadcasting:
		g.local = g.localCommits(c, r.src.opts.KeepRounds)
	default:
		g.local = nil
	}
}

// noteLayouts sees which groups have other processes or queues than in the
// round before. A rebalance follows, maybe only when the clients have learned
// of it; until then all queues may well be held, by the wrong ones.
func (r *round) noteLayouts() {
	for _, c := range r.src.clusters {
		for _, b := range c.brokers {
			if b.part != nil {
				c.addLayout(b, r.src.seed)
			}
		}
		for _, g := range c.groups {
			g.noteLayout(r.began)
		}
	}
}

// addLayout adds up which queues of a broker each group has. A sum, so that the
// order does not matter.
func (c *cluster) addLayout(b *broker, seed maphash.Seed) {
	of := maphash.String(seed, b.name)
	for i := range b.part.Commits {
		commits := &b.part.Commits[i]
		g := c.groups[commits.Group]
		if g == nil || len(g.clients) == 0 {
			continue
		}
		topic := &b.part.Topics[commits.Topic]
		if _, ok := g.topics[topic.Name]; ok {
			g.layout += maphash.String(seed, topic.Name) * of * uint64(topic.Queues+1)
		}
	}
}

func (g *group) noteLayout(now time.Time) {
	layout := g.layout ^ g.members
	g.layout = 0
	if len(g.clients) == 0 {
		layout = 0
	}
	if layout != 0 && g.lastLayout != 0 && g.lastLayout != layout {
		g.recheck = recheck{pause: firstPause, at: now, until: now.Add(rebalanceTime)}
	}
	g.lastLayout = layout
}

// rebalanceTime is longer than clients take to learn of other queues (30 s,
// ClientConfig.pollNameServerInterval) and to deal them out anew (20 s,
// RebalanceService).
const rebalanceTime = 2 * time.Minute

func (c *cluster) hasMinimum(group string) bool {
	for _, b := range c.brokers {
		if len(b.minimum[group]) > 0 {
			return true
		}
	}
	return false
}

// snapshot is the group as the model has it. Nothing in it changes later:
// slices and maps are replaced, not written to.
func (g *group) snapshot() *model.Group {
	return &model.Group{
		Name: g.name, Model: g.model, ConsumeType: g.consumeType, Known: g.known,
		Clients: g.clients, Topics: g.topics, Told: g.told(), Local: g.local,
		Pop: g.pop, InFlight: g.inFlight,
	}
}

// recheck says when a group whose queues are not all held by somebody known,
// or held by two, is asked again: at once, then with growing pauses.
type recheck struct {
	pause time.Duration
	at    time.Time
	until time.Time // asked again until then in any case
}

// firstPause is short: a rebalance is over in a moment, mostly before the next
// round.
const firstPause = time.Second

func (c *recheck) note(settled bool, now time.Time, longest time.Duration) {
	switch {
	case settled && !now.Before(c.until):
		*c = recheck{}
	case c.pause == 0:
		c.pause = firstPause
		c.at = now.Add(c.pause)
	case !now.Before(c.at):
		c.pause = min(2*c.pause, longest)
		c.at = now.Add(c.pause)
	}
}

func (c *recheck) due(now time.Time) bool { return c.pause > 0 && !now.Before(c.at) }
