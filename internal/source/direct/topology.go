package direct

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// broker is what is remembered of one broker name.
type broker struct {
	cluster *cluster
	name    string
	procs   map[string]*proc // by address

	known  configs // of the process that was asked last
	reader string  // its address

	part    *model.Part   // last good offsets
	groups  *groupSet     // the part's: the broker may have others by now
	relaid  bool          // of the round: it has other topics or commits than the last part
	owners  *model.Owners // who holds each queue of the part's commits
	partAge int           // rounds since they were read
	// carried says for how many rounds the part has held the last good
	// offsets of topics that could not be read.
	carried map[string]int
	minimum map[string][]broadcastMinimum // by group, as old as the part

	index map[string]int     // of the round: places in the part, by topic; nil: nobody has asked
	ends  map[string][]int64 // of the round: of its topics, as far as somebody has asked

	errands errands
	waits   waits
	pop     map[string][]string // topics that are consumed by POP, by group
	// When the slower cycle last asked for what it asks once.
	endsAsked, modesAsked, replicasAsked time.Time
	modesTold                            time.Time // pop was; zero: never
	modesMissed                          uint8     // how often they were asked for since
	share                                float64   // of a topic, left over from the round before
}

// proc is one process of a broker.
type proc struct {
	id      int64
	addr    string
	listed  bool      // a name server told of it in this round
	ousted  bool      // none did, but of another broker's process at its address
	told    bool      // it answered some request for offsets in this round
	seen    time.Time // last listed, or last answered
	up      bool
	pulse   *pulse
	counted time.Time // the beat that was counted last
	version string
	boot    string // bootTimestamp: another one means another process
	info    *model.Runtime
	infoAge int // rounds since the last answer that told it failed to come again

	modes, ha support            // of the requests that came with 5.x
	replica   *remoting.HAStatus // what it last told of its commit log; nil: nothing
	bulk      bulk
}

// bulk is what is known of a process and the bulk request for ends.
type bulk uint8

const (
	untried bulk = iota
	answers
	ignores // it is too old for the list of topics, or refuses the request
)

// readTopology asks every name server for the brokers. They keep independent
// copies, and one that has just started knows only the brokers that have
// registered since: so their answers are joined, and a broker that vanished
// from them is still asked for a while.
func (r *round) readTopology() {
	s := r.src
	infos := make([]remoting.ClusterInfo, len(s.nameServers))
	index := make([]int, len(s.nameServers))
	for i := range index {
		index[i] = i
	}
	source.Each(s.opts.Parallel, index, func(i int) {
		infos[i] = r.askNameServer(&s.nameServers[i])
	})
	for _, c := range s.clusters {
		for _, b := range c.brokers {
			for _, p := range b.procs {
				p.listed, p.told = false, false
			}
		}
	}
	for _, info := range infos {
		for _, ba := range info.Brokers {
			r.learn(ba)
		}
	}
	r.forget()
	r.noteOusted()
}

// noteOusted notes whose address is another broker's now: one that got another
// name, or the address of one that is away. Who answers there is not this one.
func (r *round) noteOusted() {
	listed := make(map[string]bool)
	for p := range r.src.procs() {
		if p.listed {
			listed[p.addr] = true
		}
	}
	for p := range r.src.procs() {
		p.ousted = !p.listed && listed[p.addr]
	}
}

// procs are the processes of all brokers.
func (s *Source) procs() iter.Seq[*proc] {
	return func(yield func(*proc) bool) {
		for _, c := range s.clusters {
			for _, b := range c.brokers {
				for _, p := range b.procs {
					if !yield(p) {
						return
					}
				}
			}
		}
	}
}

func (r *round) askNameServer(ns *model.NameServer) remoting.ClusterInfo {
	resp, err := r.src.client.Call(r.ctx, ns.Addr, remoting.Request{Code: remoting.GetBrokerClusterInfo})
	var info remoting.ClusterInfo
	if err == nil {
		if info, err = remoting.DecodeClusterInfo(resp.Body); err != nil {
			err = fmt.Errorf("%s: %w", ns.Addr, err)
		}
	}
	if ns.Up = err == nil; !ns.Up {
		r.fail("", ns.Addr, remoting.GetBrokerClusterInfo, err)
	}
	return info
}

// Bounds of a topology that is believed.
const (
	maxClusters  = 64
	maxProcesses = 16 // of one broker name
	maxBrokers   = 4096
)

func (r *round) learn(ba remoting.BrokerAddrs) {
	s := r.src
	c := s.clusters[ba.Cluster]
	if c == nil {
		if len(s.clusters) >= maxClusters {
			r.fail("", ba.Name, remoting.GetBrokerClusterInfo, fmt.Errorf("%w: more than %d clusters", remoting.ErrMalformed, maxClusters))
			return
		}
		c = &cluster{name: ba.Cluster, brokers: make(map[string]*broker), groups: make(map[string]*group)}
		s.clusters[ba.Cluster] = c
	}
	b := c.brokers[ba.Name]
	if b == nil {
		if len(c.brokers) >= maxBrokers {
			r.fail(c.name, ba.Name, remoting.GetBrokerClusterInfo, fmt.Errorf("%w: more than %d brokers", remoting.ErrMalformed, maxBrokers))
			return
		}
		b = &broker{cluster: c, name: ba.Name, procs: make(map[string]*proc), known: configs{seed: s.seed}}
		c.brokers[ba.Name] = b
	}
	for _, a := range ba.Addrs {
		p := b.procs[a.Addr]
		if p == nil {
			if len(b.procs) >= maxProcesses {
				r.fail(c.name, a.Addr, remoting.GetBrokerClusterInfo, fmt.Errorf("%w: more than %d processes of broker %s", remoting.ErrMalformed, maxProcesses, ba.Name))
				continue
			}
			p = &proc{addr: a.Addr, pulse: newPulse()}
			b.procs[a.Addr] = p
		}
		p.id, p.listed, p.seen = a.ID, true, r.began
	}
}

// forget lets go of processes that were neither listed nor answered for long,
// and of those whose id another process has taken over: a broker that came
// back under another address.
func (r *round) forget() {
	s := r.src
	for _, c := range s.clusters {
		for name, b := range c.brokers {
			maps.DeleteFunc(b.procs, func(_ string, p *proc) bool {
				return !p.listed && (s.lastBegan.Sub(p.seen) > s.opts.ForgetAfter || b.replaced(p))
			})
			if len(b.procs) == 0 {
				delete(c.brokers, name)
			}
		}
		if len(c.brokers) == 0 {
			delete(s.clusters, c.name)
			continue
		}
		c.choose(s.opts.Selection)
		c.forgetSets()
		c.odd = 0
	}
}

// choose decides which topics and groups of the cluster are wanted. The names of
// its brokers take part in that: when they change, what brokers told of topics
// is read anew.
func (c *cluster) choose(selection source.Selection) {
	names := slices.Sorted(maps.Keys(c.brokers))
	if slices.Equal(names, c.chosenFor) {
		return
	}
	c.wanted, c.chosenFor = selection.For(c.name, names), names
	for _, b := range c.brokers {
		b.known.forgetSums()
	}
}

func (b *broker) replaced(gone *proc) bool {
	for _, p := range b.procs {
		if p.listed && p.id == gone.id {
			return true
		}
	}
	return false
}

// sorted are the broker's processes, the master first.
func (b *broker) sorted() []*proc {
	list := slices.Collect(maps.Values(b.procs))
	slices.SortFunc(list, func(a, b *proc) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.addr, b.addr))
	})
	return list
}

// teller is the process whose offsets count: the master, or where the name
// servers list none, the listed slave with the lowest id, which clients then
// use (the acting master of RIP-32). A broker that nobody lists any more is
// asked where it was.
func (b *broker) teller() *proc {
	list := b.sorted()
	for _, p := range list {
		if p.listed && p.id == remoting.MasterID {
			return p
		}
	}
	for _, p := range list {
		if p.listed {
			return p
		}
	}
	for _, p := range list {
		if p.addr == b.reader {
			return p
		}
	}
	return list[0]
}

func (b *broker) processes() []model.Broker {
	teller := b.teller()
	list := make([]model.Broker, 0, len(b.procs))
	for _, p := range b.sorted() {
		role := model.Slave
		switch {
		case p.id == remoting.MasterID:
			role = model.Master
		case p == teller:
			role = model.ActingMaster
		}
		list = append(list, model.Broker{
			Name: b.name, ID: p.id, Addr: p.addr, Role: role, Version: p.version, Up: p.up, Runtime: b.runtime(p),
		})
	}
	return list
}
