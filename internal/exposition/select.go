package exposition

import (
	"io"
	"math"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// selector decides which series of a report are written: of each family the
// worst ones, which are those with the largest backlog behind them. The same
// measure for all families lets what is kept of them join.
//
// It has the encoder go through the series once without writing them, and looks at
// their labels. So it knows of no family more than its labels, and no family can be
// forgotten.
type selector struct {
	rules   Rules
	view    *View
	weights weights
	clients map[[2]string]bool // what Rules.Clients has said
	client  [2]string          // the last that it was asked about
	wanted  bool               // what it said

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
	return &selector{rules: r, view: v, weights: newWeights(v.Report), clients: make(map[[2]string]bool)}
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
		if s.weights.cuttable {
			s.lists = append(s.lists, &candidates{id: st.id, kind: f.Type, weights: make([]int64, 0, s.expected(f.Type))})
		}
		e.begin(st.id)
		e.of(s.view)
		st.write(e, s.view.Report)
		if !s.weights.cuttable {
			s.certain += e.series - before
		}
	}
}

// expected is about how many series the family has, so that its list need not grow.
func (s *selector) expected(kind family.Type) int {
	r := s.view.Report
	switch w := &s.weights; {
	case kind == family.StateSet:
		return len(r.Pairs) * len(lag.States())
	case w.topicAt > 0 && w.queueAt > 0:
		return r.Rows()
	case w.topicAt > 0:
		return len(r.Pairs)
	default:
		return len(r.Groups)
	}
}

// series takes one series, whose labels were told before.
func (s *selector) series(value int64) {
	if !s.weights.cuttable {
		return
	}
	c := s.lists[len(s.lists)-1]
	w := int64(unwanted)
	if s.wants() {
		c.wanted++
		if w = 0; s.limited() { // else they are all kept, whatever they weigh
			w = s.weights.of(value)
		}
	}
	c.weights = append(c.weights, w)
}

func (s *selector) limited() bool { return s.rules.FamilyLimit > 0 || s.rules.Limit > 0 }

// wants says whether the process of a series, if it has one, has series.
func (s *selector) wants() bool {
	if s.rules.Clients == nil {
		return true
	}
	ip, pid, ok := s.weights.process()
	if !ok {
		return true
	}
	client := [2]string{ip, pid}
	if client == s.client { // its queues mostly stand side by side
		return s.wanted
	}
	wanted, known := s.clients[client]
	if !known {
		wanted = s.rules.Clients(ip, pid)
		s.clients[client] = wanted
	}
	s.client, s.wanted = client, wanted
	return wanted
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
	least, ties := c.threshold(rest)
	keep := newBits(len(c.weights))
	for i, w := range c.weights {
		if w == least && ties > 0 {
			ties--
			keep.set(i)
		} else if w > least {
			keep.set(i)
		}
	}
	if s.view.kept == nil {
		s.view.kept = make(map[family.ID]bits)
	}
	s.view.kept[c.id] = keep
}

// threshold is the weight of the lightest of the n series to keep, and how many of
// that weight are among them: of equals those that are written first. It finds it
// digit by digit, from the highest on, by counting how often each occurs: that is
// a few walks through the weights, whatever they are, where to sort them would be
// dear.
func (c *candidates) threshold(n int) (least int64, ties int) {
	if n == 0 {
		return math.MaxInt64, 0
	}
	const digit = 11 // bits: the counts of a digit fit into the cache
	shift := 0
	for most := uint64(slices.Max(c.weights) - unknown); most>>shift>>digit > 0; {
		shift += digit
	}
	var prefix uint64 // the digits of the threshold that are known
	for ; shift >= 0; shift -= digit {
		var counts [1 << digit]int
		for _, w := range c.weights {
			if v := uint64(w - unknown); w != unwanted && v>>shift>>digit == prefix {
				counts[v>>shift%(1<<digit)]++
			}
		}
		d := len(counts) - 1
		for counts[d] < n {
			n -= counts[d]
			d--
		}
		prefix = prefix<<digit | uint64(d)
	}
	return int64(prefix) + unknown, n
}

func (s *selector) drop(id family.ID, rule Rule, n int) {
	if n > 0 {
		s.view.Dropped = append(s.view.Dropped, Dropped{Family: id, Rule: rule, Series: n})
	}
}
