package lag_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// consistent says what in a report contradicts itself: every sum is the sum of
// its rows, no number is negative, no two rows have the same labels, all lists
// are sorted.
func consistent(r *lag.Report) error {
	var bad []error
	fail := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }

	if len(r.Age) != r.Rows() {
		return fmt.Errorf("%d ages of %d rows", len(r.Age), r.Rows())
	}
	sums := map[string]int64{} // by kind and name
	pairRows := map[string]int{}
	ages := map[string]int32{} // the worst of a pair, unknown where one is
	labels := map[string]bool{}
	processes := make([]int64, len(r.Processes))
	next := int32(0)
	for _, d := range r.Details {
		queues := r.AppendRows(nil, &d)
		if d.First != next || len(queues) == 0 {
			fail("detail %+v does not follow on row %d", d, next)
		}
		next = d.First + int32(len(queues))
		pair, broker := r.PairOf(&d), r.BrokerOf(&d)
		for _, row := range queues {
			n, ip, pid := row.Backlog, "", ""
			if h := row.Holder; h != lag.NoHolder {
				ip, pid = r.Processes[h].IP, r.Processes[h].PID
				processes[h] = plus(processes[h], n)
			}
			label := fmt.Sprintf("%q", []any{pair.Group, pair.Topic, broker, row.QueueID, ip, pid})
			if labels[label] {
				fail("two rows of %s", label)
			}
			labels[label] = true
			if n < 0 {
				fail("backlog of %s: %d", label, n)
			}
			for _, name := range []string{
				"topic " + pair.Topic, "group " + pair.Group, "broker " + broker, "pair " + pair.Group + "@" + pair.Topic,
				"queue " + broker + "/" + strconv.Itoa(int(row.QueueID)),
			} {
				sums[name] = plus(sums[name], n)
			}
			pairName := pair.Group + "@" + pair.Topic
			pairRows[pairName]++
			switch age := row.Age; {
			case age < lag.NoAge, n == 0 && age != 0:
				fail("age of %s, backlog %d: %d", label, n, age)
			case age == lag.NoAge, ages[pairName] == lag.NoAge:
				ages[pairName] = lag.NoAge
			default:
				ages[pairName] = max(ages[pairName], age)
			}
			if row.Committed < unknown {
				fail("commit of %s: %d", label, row.Committed)
			}
		}
	}
	if int(next) != r.Rows() {
		fail("details cover %d of %d rows", next, r.Rows())
	}

	told := map[string]int64{}
	tell := func(name string, n int64) {
		if _, ok := told[name]; ok {
			fail("sum of %s is there twice", name)
		}
		told[name] = n
	}
	for _, s := range r.Topics {
		tell("topic "+s.Name, s.Backlog)
	}
	for _, s := range r.Groups {
		tell("group "+s.Name, s.Backlog)
	}
	for _, s := range r.Brokers {
		tell("broker "+s.Name, s.Backlog)
	}
	for _, s := range r.Queues {
		tell("queue "+s.Broker+"/"+strconv.Itoa(int(s.QueueID)), s.Backlog)
	}
	for _, p := range r.Pairs {
		name := p.Group + "@" + p.Topic
		if int(p.Rows) != pairRows[name] {
			fail("pair %s has %d rows, says %d", name, pairRows[name], p.Rows)
		}
		if p.Rows > 0 {
			tell("pair "+name, p.Backlog)
		}
		if min(p.Backlog, p.Consumed, p.Ahead, int64(p.Uncommitted)) < 0 || p.Rows == 0 && p.Backlog != 0 {
			fail("pair %+v", p)
		}
		if p.Retained > 1 || p.Retained < 0 && p.Retained != -1 || min(p.Lost, p.InFlight, p.PopRetry, int64(p.Members), int64(p.Unowned)) < unknown {
			fail("pair %+v", p)
		}
		switch age, ok := ages[name]; {
		case !ok, age == lag.NoAge:
			if p.Lag != lag.NoLag || p.AtMost {
				fail("pair %s: lag %v, at most: %t, where that of a queue is not known", name, p.Lag, p.AtMost)
			}
		case p.Lag != time.Duration(age)*lag.AgeUnit:
			fail("pair %s: lag %v, of its worst queue %d", name, p.Lag, age)
		}
		if p.Rows == 0 && p.State != lag.Undecided || p.Rows > 0 && p.Backlog == 0 && p.State != lag.OK && p.State != lag.Rewound {
			fail("pair %+v", p)
		}
	}
	if !maps.Equal(sums, told) {
		fail("sums: %v\nof rows: %v", told, sums)
	}
	for i, p := range r.Processes {
		if p.Backlog != processes[i] {
			fail("process %s:%s: %d, its rows: %d", p.IP, p.PID, p.Backlog, processes[i])
		}
		if slices.ContainsFunc(r.Processes[:i], func(q lag.Process) bool { return q.IP == p.IP && q.PID == p.PID }) {
			fail("process %s:%s is there twice", p.IP, p.PID)
		}
	}
	return errors.Join(append(bad, sorted(r))...)
}

// plus adds what is not negative, up to the largest number there is.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func sorted(r *lag.Report) error {
	byName := func(a, b lag.Sum) int { return cmp.Compare(a.Name, b.Name) }
	switch {
	case !slices.IsSortedFunc(r.Details, func(a, b lag.Detail) int {
		return cmp.Or(cmp.Compare(a.Pair, b.Pair), cmp.Compare(r.BrokerOf(&a), r.BrokerOf(&b)))
	}):
		return errors.New("details are not sorted")
	case !slices.IsSortedFunc(r.Topics, byName), !slices.IsSortedFunc(r.Groups, byName), !slices.IsSortedFunc(r.Brokers, byName):
		return errors.New("sums are not sorted")
	case !slices.IsSortedFunc(r.Pairs, func(a, b lag.Pair) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Topic, b.Topic))
	}):
		return errors.New("pairs are not sorted")
	case !slices.IsSortedFunc(r.Queues, func(a, b lag.QueueSum) int {
		return cmp.Or(cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.QueueID, b.QueueID))
	}):
		return errors.New("queues are not sorted")
	}
	return nil
}

// anything is some snapshot: every kind of group, topic and offset, also those
// that contradict each other.
func anything(rng *rand.Rand) *model.Snapshot {
	var w world
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	offset := func() int64 {
		switch rng.IntN(8) {
		case 0:
			return unknown
		case 1:
			return 0
		case 2:
			return math.MaxInt64 - rng.Int64N(3)
		}
		return rng.Int64N(100)
	}
	offsets := func(n int) []int64 {
		list := make([]int64, n)
		for i := range list {
			list[i] = offset()
		}
		return list
	}
	groups := []string{"g", "g2", "h", "b"}
	for _, broker := range []string{"a", "b", "c"}[:rng.IntN(4)] {
		for _, topic := range []string{"t", "u", "%RETRY%g", "%RETRY%g_t", "%RETRY%g+u", "%DLQ%g", "%RETRY%g2"} {
			queues := rng.IntN(5)
			w.topic(broker, topic, offsets(queues), offsets(queues))
			for _, group := range groups {
				if rng.IntN(2) == 0 {
					w.commit(broker, topic, group, offsets(queues)...)
				}
			}
		}
		p := w.part(broker)
		p.Age, p.Missing = rng.IntN(2), rng.IntN(2)
		addTimes(rng, p.Part, offsets)
		w.Brokers = append(w.Brokers, model.Broker{Name: broker, Up: true, Runtime: &model.Runtime{
			Clock: time.UnixMilli(rng.Int64N(200)),
		}})
	}
	for _, name := range groups {
		if rng.IntN(6) == 0 {
			continue
		}
		g := w.online(name, []string{"t", "u", "%RETRY%" + name}[:rng.IntN(4)])
		g.Model = pick("", model.Clustering, model.Clustering, model.Broadcasting)
		g.Known = rng.IntN(4) > 0
		for range rng.IntN(4) {
			id := pick("10.0.0.1@1#1", "10.0.0.1@1#2", "10.0.0.2@1", "odd", "", "10.0.0.1@DEFAULT", "10.0.0.1@DEFAULT")
			c := model.Client{ID: id}
			c.IP, c.PID = model.SplitClientID(id)
			g.Clients = append(g.Clients, c)
		}
		for _, broker := range []string{"a", "b"} {
			var owners []int32
			for range rng.IntN(6) {
				owners = append(owners, int32(rng.IntN(len(g.Clients)+1))-1)
			}
			own(g, pick("t", "u"), broker, owners...)
		}
		for range rng.IntN(5) {
			client := model.NoClient
			if n := rng.IntN(len(g.Clients) + 1); n > 0 {
				client = n - 1
			}
			g.Local = append(g.Local, model.LocalCommits{
				TopicOnBroker: model.TopicOnBroker{Topic: pick("t", "u"), Broker: pick("a", "b")},
				Client:        client, Committed: offsets(rng.IntN(4)), Ends: offsets(rng.IntN(4)),
			})
		}
	}
	return &w.Snapshot
}

// addTimes adds what comes from the slower cycle of a source.
func addTimes(rng *rand.Rand, p *model.Part, offsets func(int) []int64) {
	if rng.IntN(2) == 0 {
		p.ConsumedAt, p.Stored = offsets(p.Committed.Len()), offsets(len(p.Topics))
	}
	if rng.IntN(2) == 0 {
		p.Others = []model.TopicStats{{Topic: "%DLQ%h", Ends: offsets(2), Begins: offsets(2), Stored: unknown}, {Topic: "v", Ends: offsets(1), Stored: offsets(1)[0]}}
	}
	for range rng.IntN(3) {
		p.Waits = append(p.Waits, model.Wait{Topic: "t", Committed: offsets(rng.IntN(6)), Ages: offsets(rng.IntN(6))})
	}
}

// shuffled is the same snapshot with its lists in another order.
func shuffled(rng *rand.Rand, s *model.Snapshot) *model.Snapshot {
	c := *s
	c.Parts = slices.Clone(s.Parts)
	for i := range c.Parts {
		part := *c.Parts[i].Part
		part.Commits = slices.Clone(part.Commits)
		rng.Shuffle(len(part.Commits), reflect.Swapper(part.Commits))
		places := rng.Perm(len(part.Groups))
		groups := make([]string, len(places))
		for j, place := range places {
			groups[place] = part.Groups[j]
		}
		for j := range part.Commits {
			part.Commits[j].Group = int32(places[part.Commits[j].Group])
		}
		part.Groups = groups
		c.Parts[i].Part = &part
	}
	c.Groups = slices.Clone(s.Groups)
	rng.Shuffle(len(c.Parts), reflect.Swapper(c.Parts))
	rng.Shuffle(len(c.Groups), reflect.Swapper(c.Groups))
	return &c
}

// checkSeed builds some snapshot twice and looks at the report.
func checkSeed(t *testing.T, seed1, seed2 uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed1, seed2))
	s := anything(rng)
	r := lag.Build(s)
	if err := consistent(r); err != nil {
		t.Fatalf("seeds %d, %d: %v\nrows: %q", seed1, seed2, err, rows(r))
	}
	if again := lag.Build(s); !reflect.DeepEqual(r, again) {
		t.Fatalf("seeds %d, %d: the same snapshot gives two reports", seed1, seed2)
	}
	other := lag.Build(shuffled(rng, s))
	if got, want := rows(other), rows(r); !slices.Equal(got, want) {
		t.Fatalf("seeds %d, %d: in another order: %q\nwant: %q", seed1, seed2, got, want)
	}
	if !slices.Equal(other.Pairs, r.Pairs) {
		t.Fatalf("seeds %d, %d: in another order: %+v\nwant: %+v", seed1, seed2, other.Pairs, r.Pairs)
	}
}

// checkPast lets some snapshots follow one another, twice: the second time in
// another order within each.
func checkPast(t *testing.T, seed1, seed2 uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed1, seed2))
	var past, again, other store.History
	now := time.UnixMilli(0)
	for round := range 8 {
		now = now.Add(time.Duration(rng.IntN(60)) * time.Second)
		s := anything(rng)
		s.Ended = now
		for i := range s.Parts {
			s.Parts[i].Taken = now
		}
		past.Add(s)
		r := lag.BuildAfter(s, &past, lag.DefaultRules())
		if err := consistent(r); err != nil {
			t.Fatalf("seeds %d, %d, round %d: %v\nrows: %q", seed1, seed2, round, err, rows(r))
		}
		again.Add(s)
		if same := lag.BuildAfter(s, &again, lag.DefaultRules()); !reflect.DeepEqual(r, same) {
			t.Fatalf("seeds %d, %d, round %d: the same snapshots give two reports", seed1, seed2, round)
		}
		mixed := shuffled(rng, s)
		other.Add(mixed)
		o := lag.BuildAfter(mixed, &other, lag.DefaultRules())
		if !slices.Equal(o.Pairs, r.Pairs) || !slices.Equal(o.Age, r.Age) || !slices.Equal(o.Totals, r.Totals) || !slices.Equal(o.DeadLetters, r.DeadLetters) {
			t.Fatalf("seeds %d, %d, round %d: in another order:\n%+v\nwant:\n%+v", seed1, seed2, round, o, r)
		}
	}
}

func TestProperties(t *testing.T) {
	for seed := range uint64(500) {
		checkSeed(t, seed, 1)
		checkPast(t, seed, 2)
	}
}

func FuzzBuild(f *testing.F) {
	f.Add(uint64(0), uint64(0))
	f.Add(uint64(1), uint64(7))
	f.Fuzz(func(t *testing.T, seed1, seed2 uint64) {
		checkSeed(t, seed1, seed2)
		checkPast(t, seed1, seed2)
	})
}
