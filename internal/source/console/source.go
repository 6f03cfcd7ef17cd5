package console

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// Source reads the clusters behind one console.
type Source struct {
	opts   Options
	client *client

	// What runs in the background, beyond a round, ends with the source.
	ctx        context.Context //nolint:containedctx // lives as long as the source
	cancel     context.CancelFunc
	background sync.WaitGroup

	rounds    int
	lastBegan time.Time // of the round before
	clusters  map[string]*cluster
	brokers   map[string]*broker // by name, which name servers know no two of
	groups    map[string]*group
	list      groupList
	topics    map[string]bool // as they were told last; nil: never
	stats     map[model.TopicOnBroker]*stats
	slow      slowCycle
	noStats   int // before this round the console is believed not to know /topic/stats.query

	mu        sync.Mutex
	late      int  // calls for rows that run on beyond their round
	suspected bool // answers do not fit the console's flavour

	suspicions int // rounds in a row in which that was acted on
	suspectAt  int // round from which it is again
}

var _ source.Source = (*Source)(nil)

// New makes a source. It opens no connection yet.
func New(o Options) (*Source, error) {
	o = o.withDefaults()
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	s := &Source{
		opts: o, client: c,
		clusters: make(map[string]*cluster), brokers: make(map[string]*broker),
		groups: make(map[string]*group), stats: make(map[model.TopicOnBroker]*stats),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Close ends all connections and waits for what runs in the background.
func (s *Source) Close() error {
	s.cancel()
	s.background.Wait()
	s.client.close()
	return nil
}

// Collect reads one round.
func (s *Source) Collect(ctx context.Context) source.Round {
	s.Behind()
	r := &round{src: s, ctx: ctx, began: s.opts.Now(), dead: make(map[string]bool)}
	s.rounds++
	r.begin()
	r.takeErrands()
	r.within("brokers_and_topics", 1.0/4, r.readTopologyAndTopics)
	if r.reached {
		r.within("group_list", 1.0/2, r.readGroupList)
		r.within("groups", 3.0/4, r.readGroups)
		r.within("broadcasts", 1.0/2, r.readBroadcasts)
		r.within("beginnings", 1, r.readBeginnings)
	}
	r.settleBrokers()
	r.settleGroups()
	r.dropStats()
	snapshots := r.snapshots()
	r.planErrands()
	s.lastBegan = r.began
	return source.Round{Snapshots: snapshots, Failures: r.failures.List(), Steps: r.steps}
}

// round is one round under way.
type round struct {
	src   *Source
	ctx   context.Context //nolint:containedctx // lives as long as one round
	began time.Time

	reached bool            // the console answers, if only to refuse
	told    bool            // every listed broker process answered the console
	topics  map[string]bool // by name: whether it is of the system; nil: not told
	ends    held            // of the topics of broadcasting groups
	steps   []source.Step

	mu       sync.Mutex
	failures source.Failures
	dead     map[string]bool // addresses of brokers that the console could not reach
	odd      int
	width    int // queues that cells read in the round have room for
}

// begin ages what is remembered.
func (r *round) begin() {
	for _, b := range r.src.brokers {
		b.asked, b.read = false, false
	}
	for _, g := range r.src.groups {
		g.counted = false
		for _, c := range g.cells {
			c.age++
		}
		for _, p := range g.processes {
			p.held = nil
		}
	}
}

// within gives a step a part of the time that the round has left: what hangs
// must not cost what could still be told.
func (r *round) within(name string, part float64, step func()) {
	whole, began := r.ctx, time.Now()
	if deadline, ok := whole.Deadline(); ok {
		ctx, cancel := context.WithTimeout(whole, time.Duration(part*float64(deadline.Sub(began))))
		defer cancel()
		r.ctx = ctx
		defer func() { r.ctx = whole }()
	}
	step()
	r.steps = append(r.steps, source.Step{Name: name, Took: time.Since(began)})
}

// get calls a path, and counts what failed and what was odd.
func (r *round) get(path string, query url.Values, read func(*decoder) error) error {
	return r.getWithin(r.src.opts.CallTimeout, path, query, read)
}

func (r *round) getWithin(limit time.Duration, path string, query url.Values, read func(*decoder) error) error {
	odd := 0
	err := r.src.client.get(r.ctx, limit, path, query, func(d *decoder) error {
		err := read(d)
		odd = d.odd
		return err
	})
	if err == nil {
		r.addOdd(odd)
	}
	return err
}

func (r *round) addOdd(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.odd += n
}

// fail counts a failure of one call.
func (r *round) fail(path string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures.Add("", r.src.client.base.Host, path, Reason(err), err)
}

// readTopologyAndTopics asks what clusters and topics there are.
func (r *round) readTopologyAndTopics() {
	source.Each(min(2, r.src.opts.Parallel), []func(){r.readTopology, r.readTopics}, func(read func()) { read() })
}

// answered notes that the console is there: an answer that refuses is one too.
func (r *round) answered(err error) {
	if err == nil || Reason(err) == reasonRefused {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reached = true
	}
}

func (r *round) readTopics() {
	var topics map[string]bool
	err := r.get(pathTopics, nil, func(d *decoder) (err error) {
		topics, err = readTopicNames(d)
		return err
	})
	r.answered(err)
	if err != nil {
		r.fail(pathTopics, err)
		return
	}
	r.topics, r.src.topics = topics, topics
}
