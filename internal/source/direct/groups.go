package direct

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// group is what is remembered of one consumer group between rounds.
type group struct {
	name string
	// home is the broker that is asked who is online, see claimGroups. Clients send
	// heartbeats to every broker of their topics, so one that has their commits is
	// enough; while it says that nobody is, others are asked in turn.
	home string

	// Of the round.
	listed  bool     // some broker has the group, or its last good part does
	tried   []string // brokers that were asked
	outcome outcome
	commits int64 // all commits added up

	lastCommits int64

	model, consumeType string
	known              bool
	age                int // rounds since somebody told who is online
	connSum            uint64
	members            uint64 // changes when the group's processes do
	clients            []model.Client
	topics             model.TopicSet

	held     map[string]*held // by client id: the queues that it holds
	heldBy   uint64           // the members when those that had left were let go
	stale    bool             // claiming is older than held and clients
	claiming []claimant
	open     bool // of the round: a queue has no owner, or two

	// versions are what owners were last assigned by; moved: they are others now.
	versions, assigned versions
	moved              bool

	layout, lastLayout uint64 // fingerprint of queues; of processes and queues
	laidOut            uint32 // version of the members with which layout was made
	relay              bool   // it is being made anew

	forgotten bool // it is a group of the cluster no more

	recheck
	local []model.LocalCommits

	pop      map[string]struct{} // topics that it consumes by POP
	inFlight []model.InFlight
	pops     bool // some process has told what it popped
}

// versions count the changes of what decides who holds a group's queues.
type versions struct {
	members uint32 // its processes, or what they subscribe
	claims  uint32
	pop     uint32
	deals   bool // see group.deals
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
	if b.known.groups == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b.known.groups.meet(c.groups)
	var claimed []*group
	for _, g := range b.known.groups.groups {
		if g != nil && g.home == b.name {
			g.tried = append(g.tried, b.name)
			claimed = append(claimed, g)
		}
	}
	return claimed
}

// claimGroups is called once per broker and round, when the broker's commits
// are there. It returns the other groups that this broker is to be asked about.
func (w *reading) claimGroups() []*group {
	c, b := w.broker.cluster, w.broker
	c.mu.Lock()
	defer c.mu.Unlock()
	set := b.known.groups
	set.meet(c.groups)
	var claimed []*group
	for i, g := range set.groups {
		if g == nil {
			g = &group{name: set.names[i]}
			set.groups[i], c.groups[g.name], c.sorted = g, g, nil
		}
		g.listed = true
		sum := w.build.sums[i]
		g.commits += max(sum, 0)
		switch {
		case g.home == "" && sum != noCommits && !w.isTurn(g.name):
			c.leave(g, b)
		case g.home == "" && sum != noCommits, g.home == b.name && !slices.Contains(g.tried, b.name):
			g.claim(b)
			claimed = append(claimed, g)
		}
	}
	return claimed
}

func (g *group) claim(b *broker) {
	g.home = b.name
	g.tried = append(g.tried, b.name)
}

// isTurn says whether it is the broker's turn to be asked about a new group. All
// have an equal share, whoever tells of its commits first: most clusters have most
// groups on all brokers, and one that is asked about all of them has all the work.
func (w *reading) isTurn(group string) bool { return source.Turn(group, w.brokers) == w.place }

// leave notes that a broker has commits of a group about which another one is to be
// asked.
func (c *cluster) leave(g *group, b *broker) {
	if c.unclaimed == nil {
		c.unclaimed = make(map[*group][]*broker)
	}
	c.unclaimed[g] = append(c.unclaimed[g], b)
}

// claimRest finds a broker for each group about which nobody was asked, since the one
// whose turn it was has no commits of it, or was not read.
func (r *round) claimRest() map[*broker][]*group {
	claimed := make(map[*broker][]*group)
	for _, c := range r.src.clusters {
		if len(c.unclaimed) == 0 {
			continue
		}
		for _, g := range c.sortedGroups() {
			if hosts := c.unclaimed[g]; len(hosts) > 0 && g.home == "" {
				b := slices.MinFunc(hosts, func(x, y *broker) int {
					return cmp.Or(cmp.Compare(len(claimed[x]), len(claimed[y])), strings.Compare(x.name, y.name))
				})
				g.claim(b)
				claimed[b] = append(claimed[b], g)
			}
		}
		c.unclaimed = nil
	}
	return claimed
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
		err = w.named(g.setConnections(w.src.seed, &w.src.names, body))
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

func (g *group) setConnections(seed maphash.Seed, names *interner, body []byte) error {
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
	g.versions.members++
	g.model, g.consumeType = conns.MessageModel, conns.ConsumeType
	topics := make([]string, len(conns.Topics))
	for i, topic := range conns.Topics {
		topics[i] = names.text([]byte(topic))
	}
	g.topics = model.TopicSetOf(topics...)
	g.setClients(seed, conns.Clients)
	return nil
}

// setClients takes the processes online. A process that came back under its old
// id has another connection, so addresses count as much as ids.
func (g *group) setClients(seed maphash.Seed, conns []remoting.Connection) {
	slices.SortFunc(conns, func(a, b remoting.Connection) int {
		return cmp.Or(strings.Compare(a.ClientID, b.ClientID), strings.Compare(a.Addr, b.Addr))
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
	if g.clients != nil || g.topics != nil {
		g.versions.members++
	}
	g.clients, g.topics, g.held, g.claiming, g.local = nil, nil, nil, nil, nil
	g.members, g.connSum = 0, 0
}

// readGroupsElsewhere asks other brokers about groups for which the first one
// has no answer: it is down, or says that nobody is online although somebody
// was, or although commits move, or when nothing was known of the group.
func (r *round) readGroupsElsewhere() {
	r.noteRead()
	r.askGroups(r.claimRest())
	for range maxTries {
		again := r.groupsToAskAgain()
		if len(again) == 0 {
			break
		}
		r.askGroups(again)
	}
	r.settleGroups()
}

// askGroups asks brokers who is online in some groups.
func (r *round) askGroups(of map[*broker][]*group) {
	if len(of) == 0 {
		return
	}
	source.Each(r.src.opts.Parallel, r.sources, func(w *reading) {
		groups := of[w.broker]
		w.src.client.Pipeline(w.ctx, w.proc.addr, len(groups),
			func(i int) remoting.Request { return connectionsRequest(groups[i]) },
			func(i int, resp remoting.Response, err error) { w.takeConnections(groups[i], resp.Body, err) })
	})
}

// noteRead lists the brokers that told of their groups in this round.
func (r *round) noteRead() {
	for _, c := range r.src.clusters {
		c.read = c.read[:0]
	}
	for _, w := range r.sources {
		if c := w.broker.cluster; w.build.err == nil {
			c.read = append(c.read, w.broker)
		}
	}
	for _, c := range r.src.clusters {
		slices.SortFunc(c.read, func(a, b *broker) int { return strings.Compare(a.name, b.name) })
	}
}

// maxTries bounds how many further brokers are asked about one group in a
// round.
const maxTries = 3

func (r *round) groupsToAskAgain() map[*broker][]*group {
	again := make(map[*broker][]*group)
	for _, c := range r.src.clusters {
		for _, g := range c.sortedGroups() {
			if g.outcome == online {
				continue
			}
			moved := g.commits != g.lastCommits && g.lastCommits > 0
			if g.outcome == offline && g.known && len(g.clients) == 0 && !moved {
				continue
			}
			if b := c.nextBroker(g); b != nil {
				again[b] = append(again[b], g)
			}
		}
	}
	return again
}

// nextBroker takes another broker to ask about a group; nil when all were that
// have it. Groups of a broker that is down begin with different ones.
func (c *cluster) nextBroker(g *group) *broker {
	first := source.Turn(g.name, len(c.read))
	for i := range c.read {
		b := c.read[(first+i)%len(c.read)]
		if b.known.groups.has(g.name) && !slices.Contains(g.tried, b.name) {
			g.tried = append(g.tried, b.name)
			return b
		}
	}
	return nil
}

// nextHome is the broker after the group's home that has it too. It is asked the
// next time: heartbeats need not reach every broker.
func (c *cluster) nextHome(g *group) string {
	next := ""
	for _, b := range c.read {
		switch {
		case !b.known.groups.has(g.name):
		case b.name > g.home:
			return b.name
		case next == "":
			next = b.name
		}
	}
	return cmp.Or(next, g.home)
}

// settleGroups draws the conclusions of the round about who is online.
func (r *round) settleGroups() {
	keep := r.src.opts.KeepRounds
	r.keepGroups()
	for _, c := range r.src.clusters {
		for _, g := range c.sortedGroups() {
			if !g.listed {
				g.forgotten = true
				delete(c.groups, g.name)
				continue
			}
			g.settle(c, keep)
		}
		if len(c.groups) < len(c.sorted) {
			c.sorted = nil
		}
		for _, b := range c.brokers {
			b.known.groups.meet(c.groups)
			b.groups.meet(c.groups)
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
		set := w.broker.known.groups
		set.meet(w.broker.cluster.groups)
		for i := range set.len() {
			if g := set.groups[i]; g != nil {
				g.listed = true
			}
		}
	}
}

func (g *group) settle(c *cluster, keep int) {
	switch g.outcome {
	case online:
		g.known, g.age = true, 0
	case offline:
		g.setOffline()
		g.known, g.age = true, 0
		g.home = c.nextHome(g)
	case notAsked, failed:
		if g.age++; g.age > keep {
			g.setOffline()
			g.known = false
		}
	}
	g.lastCommits, g.commits = g.commits, 0
	g.tried, g.outcome, g.listed = g.tried[:0], notAsked, false
}

// finishGroups makes what the snapshot says of each group.
func (r *round) finishGroups() {
	for _, c := range r.src.clusters {
		told := c.popTold()
		for _, g := range c.sortedGroups() {
			r.finishGroup(c, g)
			r.setPop(c, g, told)
		}
		for _, b := range c.brokers {
			b.index, b.ends = nil, nil // the next round has another part
		}
		r.assignOwners(c)
		for _, g := range c.sortedGroups() {
			g.recheck.note(!g.open, r.began, r.src.opts.OwnerRefresh)
		}
	}
}

func (r *round) finishGroup(c *cluster, g *group) {
	if g.model == "" && c.hasMinimum(g.name) {
		g.model = model.Broadcasting
	}
	switch {
	case !g.known || len(g.clients) == 0:
		g.local = nil
	case g.model == model.Broadcasting:
		g.local = g.localCommits(c, r.began, r.src.opts.KeepRounds)
	default:
		g.local = nil
	}
}

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
