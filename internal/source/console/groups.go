package console

import (
	"hash/fnv"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// group is what is remembered of one consumer group between rounds.
type group struct {
	name   string
	listed bool      // the console lists it, or its retry topic has just come
	seen   time.Time // when it was listed last
	addrs  []string  // brokers that have it, as the list of 2.x says
	// counted: the list of this round said how many processes are online.
	counted bool
	count   int

	cells  table     // last good rows
	call   *rowsCall // that runs on from an earlier round
	slow   bool      // its last call took too long
	waited int       // rounds since its rows were read

	commits, lastCommits int64 // all commits added up: they moved or not

	// Who is online. home is the broker that is asked first: clients send
	// heartbeats to every broker of their topics, so one that has them is
	// enough.
	home        string
	asked       bool // ever
	outcome     outcome
	model, kind string
	known       bool
	age         int // rounds since somebody told who is online
	clients     []model.Client
	topics      model.TopicSet

	processes map[string]*broadcaster // by client id
	local     []model.LocalCommits
}

// outcome is what came of asking who is online.
type outcome uint8

const (
	notAsked outcome = iota
	online
	offline
	failed
)

// isOnline says whether processes were online when they were asked for last.
func (g *group) isOnline() bool { return g.known && len(g.clients) > 0 }

// broadcasts says whether the group is online and keeps its offsets itself.
func (g *group) broadcasts() bool { return g.model == model.Broadcasting && g.isOnline() }

// noteCommits adds the commits of the round up.
func (g *group) noteCommits() {
	g.commits = 0
	for _, c := range g.cells {
		g.commits += c.sum()
	}
}

// isHeld says whether a process is told to hold some queue.
func (g *group) isHeld() bool {
	for _, c := range g.cells {
		if c.age == 0 && slices.ContainsFunc(c.clients, func(id string) bool { return id != "" }) {
			return true
		}
	}
	return false
}

// hinted says whether something hints at processes online.
func (g *group) hinted() bool {
	return g.commits != g.lastCommits || g.isHeld() || g.counted && g.count > 0
}

// connectionDue says whether to ask who is online. A group without processes,
// and without a hint at any, is asked less often.
func (g *group) connectionDue(s *Source) bool {
	if !g.asked || !g.known || len(g.clients) > 0 || g.hinted() {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(g.name))
	every := uint32(s.opts.OfflineRounds)
	return h.Sum32()%every == uint32(s.rounds)%every
}

// maxTries bounds how many brokers are asked who is online in one group.
const maxTries = 4

// readConnection asks who is online in a group. 2.x asks the one broker that it
// is told; where that one knows nobody although somebody is there, or cannot be
// reached, others are asked.
func (r *round) readConnection(g *group) {
	tries := r.brokersOf(g)
	g.outcome = failed
	sure := true
	for _, t := range tries {
		c, err := r.askConnection(g, t)
		switch {
		case err == nil:
			g.setOnline(c, t.broker)
			return
		case refusedWith(err, codeConsumerNotOnline, codeTopicNotExist):
			g.asked, g.outcome = true, offline
			if !g.isOnline() && !g.hinted() {
				return
			}
		default:
			sure = false
			r.fail(pathConnection, err)
			r.noteDead(err)
		}
	}
	if g.outcome == offline && !sure && g.isOnline() {
		// That others know nobody proves nothing while the one that did
		// cannot be asked: a group need not be on all brokers.
		g.outcome = failed
	}
}

// brokersOf are the brokers to ask who is online, home first. The plain console
// chooses itself.
func (r *round) brokersOf(g *group) []target {
	if r.src.list.flavour == plain {
		return []target{{}}
	}
	list := r.brokersToAsk(g)
	if i := slices.IndexFunc(list, func(t target) bool { return t.broker == g.home }); i > 0 {
		list = slices.Concat(list[i:], list[:i])
	}
	if g.home == "" {
		slices.SortStableFunc(list, func(a, b target) int { return b2i(g.isOn(b.broker)) - b2i(g.isOn(a.broker)) })
	}
	return list[:min(len(list), maxTries)]
}

// isOn says whether the group has rows on a broker.
func (g *group) isOn(broker string) bool {
	for on := range g.cells {
		if on.Broker == broker {
			return true
		}
	}
	return false
}

func (r *round) askConnection(g *group, t target) (*connections, error) {
	query := url.Values{"consumerGroup": {g.name}}
	if t.addr != "" {
		query.Set("address", t.addr)
	}
	var c *connections
	err := r.get(pathConnection, query, func(d *decoder) (err error) {
		c, err = readConnections(d)
		return err
	})
	if err == nil {
		if err = c.check(); err != nil {
			err = r.src.client.named(pathConnection, err)
		}
	}
	return c, err
}

// noteDead takes the address of a broker that could not be reached out of a
// refusal.
func (r *round) noteDead(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.src.brokers {
		if t := b.teller(); t != nil && refusalNames(err, t.addr) {
			r.dead[t.addr] = true
		}
	}
}

func (g *group) setOnline(c *connections, home string) {
	g.asked, g.outcome, g.home = true, online, home
	g.model, g.kind = c.model, c.kind
	g.topics = model.TopicSetOf(slices.Collect(maps.Keys(c.topics))...)
	slices.SortStableFunc(c.clients, func(a, b model.Client) int { return strings.Compare(a.ID, b.ID) })
	g.clients = c.clients
}

// setOffline notes that nobody is online. What the group was stays known.
func (g *group) setOffline() { g.clients, g.topics, g.processes, g.local = nil, nil, nil, nil }

// settleGroups draws the conclusions of the round about groups.
func (r *round) settleGroups() {
	s := r.src
	for name, g := range s.groups {
		for on, c := range g.cells {
			if c.age > s.opts.KeepRounds || s.brokers[on.Broker] == nil && c.age > 0 {
				delete(g.cells, on)
			}
		}
		if !g.listed {
			r.dropLeft(g)
			if r.began.Sub(g.seen) > s.opts.ForgetAfter {
				g.leave(s)
				delete(s.groups, name)
			}
			continue
		}
		g.settle(s.opts.KeepRounds, r)
		g.setLocal(r)
	}
}

// dropLeft lets go of what a group that is not listed any more has on brokers
// that are: it was deleted there. Elsewhere it may be only out of sight.
func (r *round) dropLeft(g *group) {
	for on := range g.cells {
		if b := r.src.brokers[on.Broker]; b == nil || b.isListed() {
			delete(g.cells, on)
		}
	}
	g.setOffline()
	g.known = false
	g.leave(r.src)
}

// leave ends a call that still runs.
func (g *group) leave(s *Source) {
	if g.call != nil {
		g.call.cancel()
		s.countLate(-1)
		g.call = nil
	}
}

func (g *group) settle(keep int, r *round) {
	switch g.outcome {
	case online:
		g.known, g.age = true, 0
	case offline:
		g.setOffline()
		g.known, g.age = true, 0
		g.rotateHome(r)
	case notAsked, failed:
		if g.outcome == notAsked && r.reached && g.known && len(g.clients) == 0 {
			break // it is asked less often
		}
		if g.age++; g.age > keep {
			g.setOffline()
			g.known = false
		}
	}
	g.lastCommits, g.outcome = g.commits, notAsked
}

// rotateHome has another broker asked the next time: heartbeats need not reach
// the one that was.
func (g *group) rotateHome(r *round) {
	list := r.src.listedBrokers()
	for i, b := range list {
		if b.name == g.home {
			g.home = list[(i+1)%len(list)].name
			return
		}
	}
	if len(list) > 0 {
		g.home = list[0].name
	}
}

// withheld says whether the group's rows must not be believed: nobody has told
// yet whether it broadcasts.
func (g *group) withheld() bool { return !g.known && g.model == "" }

// told says whether all processes are known to have told which queues they hold.
// The console does not say it of one that did not: only of one that holds a queue
// it is sure.
func (g *group) told(owners map[model.TopicOnBroker][]int32) bool {
	if !g.known {
		return false
	}
	holds := make([]bool, len(g.clients))
	for on, list := range owners {
		if g.cells[on].age > 0 {
			return false
		}
		for _, client := range list {
			if client != model.NoOwner {
				holds[client] = true
			}
		}
	}
	return !slices.Contains(holds, false)
}

// owners says which client holds each queue, by the clients' places.
func (g *group) owners() map[model.TopicOnBroker][]int32 {
	if !g.isOnline() || g.model == model.Broadcasting {
		return nil
	}
	places := make(map[string]int32, len(g.clients))
	for i := range g.clients {
		if _, ok := places[g.clients[i].ID]; !ok {
			places[g.clients[i].ID] = int32(i)
		}
	}
	owners := make(map[model.TopicOnBroker][]int32, len(g.cells))
	for on, c := range g.cells {
		list := make([]int32, len(c.clients))
		for q, id := range c.clients {
			place, ok := places[id]
			if list[q] = place; !ok || id == "" {
				list[q] = model.NoOwner
			}
		}
		owners[on] = list
	}
	return owners
}
