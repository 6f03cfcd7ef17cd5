package console

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// cluster is what is remembered of one cluster between rounds.
type cluster struct {
	name      string
	wanted    source.Wanted
	chosenFor []string // the brokers' names that wanted was made with
}

// broker is what is remembered of one broker name.
type broker struct {
	name    string
	cluster *cluster
	procs   map[string]*proc // by address

	asked, read bool // of the round: its rows were asked for, and came
	age         int  // rounds since they came
	taken       time.Time
}

// proc is one process of a broker.
type proc struct {
	id            int64
	addr, version string
	listed        bool      // when brokers were listed last
	seen          time.Time // last listed
	up            bool

	info    *model.Runtime // what it last told of itself; nil: nothing, or too long ago
	infoAge int            // rounds since it did
}

// routeTopic is a topic that every broker makes for itself
// (TopicConfigManager), so that its route has every broker.
const routeTopic = "SELF_TEST_TOPIC"

// readTopology asks for the brokers. The console asks each process for its
// runtime to answer, and refuses when one of them cannot be reached: then the
// route of a topic tells what the name servers list.
func (r *round) readTopology() {
	var list []process
	err := r.get(pathClusters, nil, func(d *decoder) (err error) {
		list, err = readClusters(d, r.src.opts.Now())
		return err
	})
	r.answered(err)
	if err == nil {
		r.learn(list)
		r.told = true
		r.setUp(func(p *proc) bool { return p.listed })
		return
	}
	r.fail(pathClusters, err)
	if Reason(err) != reasonRefused {
		return // those that were listed last are gone on with
	}
	refusal := err
	err = r.get(pathRoute, url.Values{"topic": {routeTopic}}, func(d *decoder) (err error) {
		list, err = readRoute(d)
		return err
	})
	if err == nil {
		r.learn(list)
	} else {
		r.fail(pathRoute, err)
	}
	r.setUp(func(p *proc) bool { return p.listed && !refusalNames(refusal, p.addr) })
}

func (r *round) setUp(up func(*proc) bool) {
	for _, b := range r.src.brokers {
		for _, p := range b.procs {
			p.up = up(p)
		}
	}
}

// learn takes a list of broker processes. It runs while topics are read.
func (r *round) learn(list []process) {
	s := r.src
	for _, b := range s.brokers {
		for _, p := range b.procs {
			p.listed = false
		}
	}
	for i := range list {
		in := &list[i]
		b := s.brokers[in.broker]
		if b == nil {
			if len(s.brokers) >= maxBrokers {
				r.fail(pathClusters, failf(reasonMalformed, "more than %d brokers", maxBrokers))
				continue
			}
			b = &broker{name: in.broker, procs: make(map[string]*proc)}
			s.brokers[in.broker] = b
		}
		c := s.clusters[in.cluster]
		if c == nil {
			if len(s.clusters) >= maxClusters {
				r.fail(pathClusters, failf(reasonMalformed, "more than %d clusters", maxClusters))
				delete(s.brokers, in.broker)
				continue
			}
			c = &cluster{name: in.cluster}
			s.clusters[in.cluster] = c
		}
		b.cluster = c
		p := b.procs[in.addr]
		if p == nil {
			p = &proc{addr: in.addr}
			b.procs[in.addr] = p
		}
		p.id, p.listed, p.seen = in.id, true, r.began
		if in.version != "" {
			p.version = in.version
		}
		if in.info != nil {
			p.info, p.infoAge = in.info, 0
		}
	}
	r.forgetProcesses()
}

// forgetProcesses lets go of processes that were not listed for long, and of
// those whose id another one has taken over.
func (r *round) forgetProcesses() {
	s := r.src
	for name, b := range s.brokers {
		maps.DeleteFunc(b.procs, func(_ string, p *proc) bool {
			return !p.listed && (r.began.Sub(p.seen) > s.opts.ForgetAfter || b.replaced(p))
		})
		if len(b.procs) == 0 {
			delete(s.brokers, name)
		}
	}
	names := make(map[*cluster][]string)
	for _, name := range slices.Sorted(maps.Keys(s.brokers)) {
		c := s.brokers[name].cluster
		names[c] = append(names[c], name)
	}
	for name, c := range s.clusters {
		brokers := names[c]
		switch {
		case len(brokers) == 0:
			delete(s.clusters, name)
		case !slices.Equal(brokers, c.chosenFor):
			c.wanted, c.chosenFor = s.opts.Selection.For(name, brokers), brokers
		}
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

// isListed says whether the name servers have the broker.
func (b *broker) isListed() bool {
	for _, p := range b.procs {
		if p.listed {
			return true
		}
	}
	return false
}

// isThere says whether a broker is listed and could be reached.
func (r *round) isThere(name string) bool {
	b := r.src.brokers[name]
	return b != nil && b.isListed() && !r.dead[b.teller().addr]
}

// sorted are the broker's processes, the master first.
func (b *broker) sorted() []*proc {
	return slices.SortedFunc(maps.Values(b.procs), func(a, b *proc) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.addr, b.addr))
	})
}

// teller is the process that the console is told to ask: the master, or where
// none is listed, the listed slave with the lowest id. It is nil where none is.
func (b *broker) teller() *proc {
	for _, p := range b.sorted() { // a master has id 0
		if p.listed {
			return p
		}
	}
	return nil
}

// settleBrokers says what has become of each broker in the round.
func (r *round) settleBrokers() {
	r.ageRuntimes()
	for _, b := range r.src.brokers {
		fresh := b.read || r.reached && !b.asked && b.isListed()
		if fresh {
			b.age, b.taken = 0, r.began
		} else {
			b.age++
		}
		teller := b.teller()
		for _, p := range b.procs {
			switch {
			case !r.reached || r.dead[p.addr]:
				p.up = false
			case r.told || p != teller:
			case b.asked:
				p.up = b.read
			}
		}
	}
}

// ageRuntimes lets go of what processes told of themselves some rounds ago.
func (r *round) ageRuntimes() {
	for _, b := range r.src.brokers {
		for _, p := range b.procs {
			if p.infoAge++; p.infoAge > r.src.opts.KeepRounds+1 {
				p.info = nil
			}
		}
	}
}

// processes are the broker's processes as the model has them.
func (b *broker) processes() []model.Broker {
	list := make([]model.Broker, 0, len(b.procs))
	master := slices.ContainsFunc(b.sorted(), func(p *proc) bool { return p.listed && p.id == 0 })
	for i, p := range b.sorted() {
		role := model.Slave
		switch {
		case p.id == 0:
			role = model.Master
		case !master && i == 0:
			role = model.ActingMaster
		}
		list = append(list, model.Broker{
			Name: b.name, ID: p.id, Addr: p.addr, Role: role, Version: p.version, Up: p.up, Runtime: p.info,
		})
	}
	return list
}

func (s *Source) sortedClusters() []*cluster {
	return slices.SortedFunc(maps.Values(s.clusters), func(a, b *cluster) int { return cmp.Compare(a.name, b.name) })
}

// listedBrokers are the brokers that the name servers have, by name.
func (s *Source) listedBrokers() []*broker {
	var list []*broker
	for _, name := range slices.Sorted(maps.Keys(s.brokers)) {
		if b := s.brokers[name]; b.isListed() {
			list = append(list, b)
		}
	}
	return list
}
