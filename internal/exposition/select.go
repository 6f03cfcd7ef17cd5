package exposition

import (
	"cmp"
	"io"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// selector decides which series of a report are written: of each family the
// worst ones, which are those with the largest backlog behind them. The same
// measure for all families lets what is kept of them join.
//
// It has the series written once, to nowhere, and looks at their labels. So it
// knows of no family more than its labels, and no family can be forgotten.
type selector struct {
	rules   Rules
	view    *View
	weights weights

	lists   []*candidates // of the families that may be cut
	certain int           // series of those that may not
}

// candidates are the series of one family, in the order of writing.
type candidates struct {
	id      family.ID
	kind    family.Type
	weights []int64 // unwanted for what a filter leaves out
	wanted  int     // how many are not
}

// whole is how many of n series to keep: a part of a state set says nothing.
func (c *candidates) whole(n int) int {
	if c.kind == family.StateSet {
		n -= n % len(lag.States())
	}
	return n
}

// unwanted is less than any backlog, and than that of which none is known.
const (
	unwanted = -2
	unknown  = -1
)

func newSelector(r Rules, v *View) *selector {
	return &selector{rules: r, view: v, weights: newWeights(v.Report)}
}

func (s *selector) run() {
	s.measure()
	limit := s.commonLimit()
	for _, c := range s.lists {
		s.choose(c, limit)
	}
}

// measure lists the series of every family.
func (s *selector) measure() {
	e := newEncoder(newLayout(""))
	e.reset(io.Discard, Text)
	e.measure = s
	for _, st := range e.streams {
		if !s.view.families.Has(st.id) {
			continue
		}
		f := st.id.Family()
		before := e.series
		s.weights.names(f.Labels)
		if s.weights.cuttable() {
			s.lists = append(s.lists, &candidates{id: st.id, kind: f.Type})
		}
		e.begin(st.id)
		e.of(s.view)
		st.write(e, s.view.Report)
		if !s.weights.cuttable() {
			s.certain += e.series - before
		}
	}
}

// series takes one series, whose labels were told before.
func (s *selector) series(value int64) {
	if !s.weights.cuttable() {
		return
	}
	c := s.lists[len(s.lists)-1]
	w := s.weights.of(value)
	if !s.wants() {
		w = unwanted
	} else {
		c.wanted++
	}
	c.weights = append(c.weights, w)
}

// wants says whether the process of a series, if it has one, has series.
func (s *selector) wants() bool {
	ip, pid, ok := s.weights.process()
	return !ok || s.rules.Clients == nil || s.rules.Clients(ip, pid)
}

// commonLimit is the height to which all families are cut so that they stay
// within the limit together: the largest ones lose first. 0: none need be.
func (s *selector) commonLimit() int {
	if s.rules.Limit <= 0 {
		return 0
	}
	var sizes []int
	total := s.certain
	for _, c := range s.lists {
		sizes = append(sizes, s.within(c.wanted))
		total += s.within(c.wanted)
	}
	if total <= s.rules.Limit {
		return 0
	}
	slices.Sort(sizes)
	left := max(s.rules.Limit-s.certain, 0)
	for i, size := range sizes {
		if share := left / (len(sizes) - i); size > share {
			return max(share, 1) // 0 would be no limit; one series of each is little
		}
		left -= size
	}
	return 0
}

// within is how many series of a family its own limit leaves.
func (s *selector) within(n int) int {
	if s.rules.FamilyLimit > 0 {
		return min(n, s.rules.FamilyLimit)
	}
	return n
}

// choose keeps the worst series of a family, and counts the others.
func (s *selector) choose(c *candidates, limit int) {
	n := c.whole(s.within(c.wanted))
	rest := n
	if limit > 0 {
		rest = c.whole(min(n, limit))
	}
	s.drop(c.id, RuleClients, len(c.weights)-c.wanted)
	s.drop(c.id, RuleFamilyLimit, c.wanted-n)
	s.drop(c.id, RuleLimit, n-rest)
	if rest == len(c.weights) {
		return
	}
	order := make([]int32, 0, c.wanted)
	for i, w := range c.weights {
		if w != unwanted {
			order = append(order, int32(i))
		}
	}
	if rest < len(order) {
		slices.SortFunc(order, func(a, b int32) int {
			return cmp.Or(cmp.Compare(c.weights[b], c.weights[a]), cmp.Compare(a, b))
		})
	}
	keep := newBits(len(c.weights))
	for _, i := range order[:rest] {
		keep.set(int(i))
	}
	if s.view.kept == nil {
		s.view.kept = make(map[family.ID]bits)
	}
	s.view.kept[c.id] = keep
}

func (s *selector) drop(id family.ID, rule Rule, n int) {
	if n > 0 {
		s.view.Dropped = append(s.view.Dropped, Dropped{Family: id, Rule: rule, Series: n})
	}
}

// weights are the backlogs behind what labels name.
type weights struct {
	pairs     map[[2]string]int64 // by topic and group
	topics    map[string]int64
	groups    map[string]int64
	processes map[[2]string]int64

	// Of the family: the place of each label behind the cluster, -1 where it
	// has none. Of the series: their values.
	topicAt, groupAt, ipAt, pidAt, queueAt int
	values                                 [8]string
}

func newWeights(r *lag.Report) weights {
	w := weights{
		pairs: make(map[[2]string]int64, len(r.Pairs)), topics: sumsByName(r.Topics), groups: sumsByName(r.Groups),
		processes: make(map[[2]string]int64, len(r.Processes)),
	}
	for i := range r.Pairs {
		w.pairs[[2]string{r.Pairs[i].Topic, r.Pairs[i].Group}] = r.Pairs[i].Backlog
	}
	for i := range r.Processes {
		w.processes[[2]string{r.Processes[i].IP, r.Processes[i].PID}] = r.Processes[i].Backlog
	}
	return w
}

func sumsByName(sums []lag.Sum) map[string]int64 {
	m := make(map[string]int64, len(sums))
	for _, s := range sums {
		m[s.Name] = s.Backlog
	}
	return m
}

// names turns to a family with these labels.
func (w *weights) names(labels []string) {
	w.topicAt = slices.Index(labels, family.LabelTopic)
	w.groupAt = slices.Index(labels, family.LabelConsumerGroup)
	w.ipAt = slices.Index(labels, family.LabelClientIP)
	w.pidAt = slices.Index(labels, family.LabelClientPID)
	w.queueAt = slices.Index(labels, family.LabelQueueID)
}

// cuttable says whether the family is about what there may be very many of.
func (w *weights) cuttable() bool {
	return max(w.topicAt, w.groupAt, w.ipAt, w.queueAt) > 0
}

// label takes the value of the label at a place.
func (w *weights) label(at int, value string) {
	if at < len(w.values) {
		w.values[at] = value
	}
}

// process is the one that the series names.
func (w *weights) process() (ip, pid string, ok bool) {
	if w.ipAt < 0 || w.pidAt < 0 {
		return "", "", false
	}
	ip, pid = w.values[w.ipAt], w.values[w.pidAt]
	return ip, pid, ip != "" || pid != ""
}

// of is the weight of the series with the labels that were told. What is one
// row, or a sum of rows by queue, weighs what it says.
func (w *weights) of(value int64) int64 {
	var v int64
	ok := true
	switch {
	case w.topicAt > 0 && w.groupAt > 0 && w.queueAt > 0, w.topicAt < 0 && w.queueAt > 0:
		v = value
	case w.topicAt > 0 && w.groupAt > 0:
		v, ok = w.pairs[[2]string{w.values[w.topicAt], w.values[w.groupAt]}]
	case w.topicAt > 0:
		v, ok = w.topics[w.values[w.topicAt]]
	case w.ipAt > 0 && w.pidAt > 0:
		v, ok = w.processes[[2]string{w.values[w.ipAt], w.values[w.pidAt]}]
	case w.groupAt > 0:
		v, ok = w.groups[w.values[w.groupAt]]
	}
	if !ok {
		return unknown
	}
	return v
}
