package direct

import (
	"cmp"
	"context"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Options are the settings of a source.
type Options struct {
	NameServers []string // host:port, asked all of them
	Selection   source.Selection
	Remoting    remoting.Options
	// KeepRounds is for how many rounds the last good numbers stand in for
	// what cannot be read; 3.
	KeepRounds int
	// ForgetAfter is how long a broker process that the name servers no
	// longer list and that does not answer is still shown as down; 1 h.
	ForgetAfter time.Duration
	// Parallel is how many nodes are asked at the same time; 16.
	Parallel int
	// OwnerRefresh is how long a process is believed about the queues that
	// it holds while its group does not change; 5 min.
	OwnerRefresh time.Duration
	// OwnerWait is how long a round waits for processes that are being
	// asked about their queues; 1 s. Later answers serve the next round.
	OwnerWait time.Duration
	// RuntimeEvery is how often a broker process is asked for its runtime,
	// which costs a 5.x broker more than all the rest; 1 min.
	RuntimeEvery time.Duration
	// SlowEvery is how old may be what costs a request per topic or pair, and
	// no round waits for: where queues begin, when their newest messages were
	// stored, the topics that nobody has committed on, POP groups and
	// replication; 1 min. Below 0 nothing of that is asked.
	SlowEvery time.Duration
	// Now is the clock; time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	o.KeepRounds = cmp.Or(o.KeepRounds, 3)
	o.ForgetAfter = cmp.Or(o.ForgetAfter, time.Hour)
	o.Parallel = cmp.Or(o.Parallel, 16)
	o.OwnerRefresh = cmp.Or(o.OwnerRefresh, 5*time.Minute)
	o.OwnerWait = cmp.Or(o.OwnerWait, time.Second)
	o.RuntimeEvery = cmp.Or(o.RuntimeEvery, time.Minute)
	o.SlowEvery = cmp.Or(o.SlowEvery, time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Source reads the clusters behind one set of name servers.
type Source struct {
	opts   Options
	client *client
	asker  *asker

	// What runs in the background, beyond a round, ends with the source.
	ctx        context.Context //nolint:containedctx // lives as long as the source
	cancel     context.CancelFunc
	background sync.WaitGroup

	names interner
	seed  maphash.Seed // of fingerprints that are compared between rounds

	nameServers []model.NameServer
	clusters    map[string]*cluster
	lastBegan   time.Time // of the round before

	// What is asked behind the last round, and is not planned yet.
	unplanned *round
	later     []laterQuestion

	scratches scratches
}

var _ source.Source = (*Source)(nil)

// New makes a source. It opens no connection yet.
func New(o Options) *Source {
	o = o.withDefaults()
	s := &Source{
		opts: o, client: newClient(o.Remoting, o.Now), seed: maphash.MakeSeed(),
		clusters: make(map[string]*cluster),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.asker = newAsker(s.ctx, s.client, &s.background, s.seed)
	for _, addr := range o.NameServers {
		s.nameServers = append(s.nameServers, model.NameServer{Addr: addr})
	}
	return s
}

// Close ends all connections and waits for what runs in the background.
func (s *Source) Close() error {
	s.cancel()
	err := s.client.Close()
	s.background.Wait()
	return err
}

// Collect reads one round.
func (s *Source) Collect(ctx context.Context) source.Round {
	s.Behind()
	r := &round{src: s, ctx: ctx, began: s.opts.Now()}
	s.names.nextRound()
	s.client.forget()
	r.within("name_servers", 1.0/4, r.readTopology)
	s.client.Retain(s.isNode)
	r.feelPulses()
	r.within("brokers", 3.0/4, r.readBrokers)
	r.within("groups", 1.0/2, r.readGroupsElsewhere)
	r.within("broadcasts", 1.0/2, r.readBroadcastEnds)
	r.sealParts()
	r.noteLayouts()
	r.within("processes", 1, r.askOwners)
	r.finishGroups()
	r.within("runtimes", 1, r.takePulses)
	r.showFound()
	s.client.Trim()
	s.unplanned = r
	return source.Round{Snapshots: r.snapshots(), Failures: r.failures.List(), Steps: r.steps}
}

// Behind plans what is to be asked behind the last round, and sends it.
func (s *Source) Behind() {
	if r := s.unplanned; r != nil {
		s.unplanned = nil
		r.planErrands()
		s.lastBegan = r.began
	}
	for _, q := range s.later {
		s.asker.ask(q.addr, q.question)
	}
	s.later = nil
	for _, c := range s.clusters {
		for _, b := range c.brokers {
			b.errands.start(s)
		}
	}
}

// isNode says whether an address belongs to a node that is still asked.
func (s *Source) isNode(addr string) bool {
	if slices.Contains(s.opts.NameServers, addr) {
		return true
	}
	for _, c := range s.clusters {
		for _, b := range c.brokers {
			if b.procs[addr] != nil {
				return true
			}
		}
	}
	return false
}

// round is one round under way. What several nodes report at once goes through
// its lock.
type round struct {
	src   *Source
	ctx   context.Context //nolint:containedctx // lives as long as one round
	began time.Time

	sources []*reading // one per broker name: the process whose offsets count
	steps   []source.Step

	mu       sync.Mutex
	failures source.Failures
}

// within gives a step a part of the time that the round has left: a node that
// does not answer must not cost what others have still to tell.
func (r *round) within(name string, part float64, step func()) {
	whole, began := r.ctx, time.Now()
	if deadline, ok := whole.Deadline(); ok {
		left := deadline.Sub(began)
		ctx, cancel := context.WithTimeout(whole, time.Duration(part*float64(left)))
		defer cancel()
		r.ctx = ctx
		defer func() { r.ctx = whole }()
	}
	step()
	r.steps = append(r.steps, source.Step{Name: name, Took: time.Since(began)})
}

// fail counts a failure of one request to one node. Where it says what the node
// does with every request, no request is named.
func (r *round) fail(cluster, addr string, code remoting.RequestCode, err error) {
	step, reason := code.String(), remoting.Reason(err)
	if reason == "login" || reason == "tls" {
		step = everyRequest
	}
	if text := advice(&r.src.opts.Remoting, code, err); text != "" {
		err = &advisedError{err, text}
	}
	r.add(cluster, addr, step, reason, err)
}

// everyRequest is the step of what fails whatever is asked for.
const everyRequest = "every request"

func (r *round) add(cluster, addr, step, reason string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures.Add(cluster, addr, step, reason, err)
}

// cluster is what is remembered of one cluster between rounds.
type cluster struct {
	name    string
	brokers map[string]*broker // by broker name

	wanted    source.Wanted
	chosenFor []string // the brokers' names that wanted was made with

	mu     sync.Mutex // guards groups and sets while brokers are being read at once
	groups map[string]*group
	sets   []*groupSet
	sorted []*group // groups, in the order of their names; nil: it is to be made anew
	odd    int      // of the round
	// Of the round: new groups, with the brokers that have commits of them and whose
	// turn it is not.
	unclaimed map[*group][]*broker

	read     []*broker // of the round: those that told of their groups, in order
	brokered []string  // names of the brokers that layouts were seen with
	assigned []*group  // sorted, when owners were assigned

	taken time.Time // when offsets of some broker were last read
	slow  time.Time // round at whose end the slower cycle was last on time
}

func (c *cluster) sortedBrokers() []*broker {
	list := slices.Collect(maps.Values(c.brokers))
	slices.SortFunc(list, func(a, b *broker) int { return strings.Compare(a.name, b.name) })
	return list
}

func (c *cluster) sortedGroups() []*group {
	if c.sorted == nil {
		c.sorted = make([]*group, 0, len(c.groups))
		for _, g := range c.groups {
			c.sorted = append(c.sorted, g)
		}
		slices.SortFunc(c.sorted, func(a, b *group) int { return strings.Compare(a.name, b.name) })
	}
	return c.sorted
}

// snapshots makes what the round returns out of what is remembered.
func (r *round) snapshots() []*model.Snapshot {
	s := r.src
	ended := s.opts.Now()
	var list []*model.Snapshot
	for _, name := range slices.Sorted(maps.Keys(s.clusters)) {
		c := s.clusters[name]
		snap := &model.Snapshot{
			Cluster: name, Ended: ended, Taken: c.taken,
			NameServers: slices.Clone(s.nameServers), Odd: c.odd, Denials: s.denials(c), SlowTaken: c.slow,
		}
		for _, b := range c.sortedBrokers() {
			snap.Brokers = append(snap.Brokers, b.processes()...)
			part := b.part
			if part == nil { // nothing is known of its offsets, which must show
				part = &model.Part{Broker: b.name}
			}
			snap.Parts = append(snap.Parts, model.PartOfRound{
				Part: part, Age: b.partAge, Missing: len(b.carried), Owners: b.owners,
			})
		}
		snap.Groups = make([]*model.Group, 0, len(c.groups))
		for _, g := range c.sortedGroups() {
			snap.Groups = append(snap.Groups, g.snapshot())
		}
		list = append(list, snap)
	}
	if len(list) == 0 {
		// Never reached: something must say so, under the only name there is.
		list = append(list, &model.Snapshot{
			Cluster: strings.Join(s.opts.NameServers, ";"), Ended: ended,
			NameServers: slices.Clone(s.nameServers),
		})
	}
	return list
}
