package lag_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// play is a fake cluster under some traffic, the exporter's path from its
// brokers to a report, and the truth.
type play struct {
	t       *testing.T
	rng     *rand.Rand
	mq      *fakemq.Cluster
	clock   *fakemq.ManualClock
	traffic *fakemq.Traffic
	src     *direct.Source
	past    store.History

	truth map[queueName]*record
	reads map[string][]time.Time // of each broker
	down  bool                   // broker-b

	known, unknown, bounds int // ages that were held against the truth
}

type queueName struct {
	topic, broker string
	id            int
}

// record is when the end of a queue passed which offset, and what the exporter
// can know of it.
type record struct {
	ends  []int64 // at times
	times []time.Time

	read bool  // in the round before
	end  int64 // when it was read last
	// since is when the exporter first read it, or its end had gone back.
	since time.Time
	// murky is below which offset nothing can be known: the topic was made
	// anew, and had as many messages as before when it was read next.
	murky int64
	anew  bool // since it was read last
	// passed is what every reader had behind it in some round: when a commit
	// goes back there the exporter has forgotten it.
	passed int64
}

// stored is when the message at an offset was stored.
func (r *record) stored(offset int64) time.Time {
	return r.times[sort.Search(len(r.ends), func(i int) bool { return r.ends[i] > offset })]
}

func newPlay(t *testing.T, seed uint64) *play {
	t.Helper()
	clock := fakemq.NewManualClock(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC))
	release := []fakemq.Release{fakemq.Release497, fakemq.Release550}[seed%2]
	mq, err := fakemq.Start(fakemq.Options{
		Release: release, Clock: clock, Clusters: []fakemq.ClusterOptions{{Brokers: []string{"broker-a", "broker-b"}, Skew: time.Duration(int(seed%5)-2) * 37 * time.Minute}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mq.Close)
	p := &play{
		t: t, rng: rand.New(rand.NewPCG(seed, 11)), mq: mq, clock: clock, traffic: fakemq.NewTraffic(mq, seed),
		truth: make(map[queueName]*record), reads: make(map[string][]time.Time),
		src: direct.New(direct.Options{
			NameServers: mq.NameServers(), Now: clock.Now, OwnerWait: time.Minute,
			Remoting: remoting.Options{BackoffMin: 1, BackoffMax: 1},
		}),
	}
	t.Cleanup(func() {
		if err := p.src.Close(); err != nil {
			t.Error(err)
		}
	})
	p.cast()
	return p
}

func (p *play) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// cast makes topics that are busy, slow and idle, and groups that keep up, fall
// behind, stand and broadcast.
func (p *play) cast() {
	for i, rate := range []float64{40, 3, 0.2, 0} {
		topic := fmt.Sprintf("topic-%d", i)
		p.must(p.mq.AddTopic(fakemq.Topic{Name: topic, Queues: 1 + p.rng.IntN(3)}))
		p.must(p.mq.Produce(topic, int64(p.rng.IntN(300))))
		p.must(p.traffic.Produce(topic, rate, 1))
		for j, rate := range []float64{1000, 15, 0.5, 0} {
			group := fmt.Sprintf("group-%d-%d", i, j)
			p.must(p.mq.AddGroup(fakemq.Group{Name: group, Topics: []string{topic}, Broadcasting: j == 1 && i < 2}))
			for range 1 + p.rng.IntN(2) {
				_, err := p.mq.AddConsumer(group, fakemq.Consumer{})
				p.must(err)
			}
			_, err := p.mq.Consume(group, topic, int64(p.rng.IntN(200)))
			p.must(err)
			p.must(p.traffic.Consume(group, rate))
		}
	}
}

// happen lets something happen, or mostly nothing.
func (p *play) happen() {
	topic := fmt.Sprintf("topic-%d", p.rng.IntN(4))
	group := fmt.Sprintf("group-%c-%d", topic[len(topic)-1], p.rng.IntN(4))
	switch p.rng.IntN(40) {
	case 0:
		p.must(p.mq.Produce(topic, int64(p.rng.IntN(5000))))
	case 1:
		p.must(p.traffic.Produce(topic, float64(p.rng.IntN(60)), p.rng.Float64()))
	case 2:
		p.must(p.traffic.Consume(group, float64(p.rng.IntN(200))))
	case 3:
		if ids := p.mq.ClientIDs(group); len(ids) > 0 {
			p.must(p.mq.KillConsumer(group, ids[0]))
		}
	case 4:
		_, err := p.mq.AddConsumer(group, fakemq.Consumer{})
		p.must(err)
	case 5: // 4.x keeps the commits
		p.must(p.mq.DeleteTopic(topic))
		p.must(p.mq.AddTopic(fakemq.Topic{Name: topic, Queues: 1 + p.rng.IntN(3)}))
	case 6: // reset to an earlier time
		for _, row := range p.mq.Backlog() {
			if row.Topic == topic && row.Group == group && !row.Broadcast && row.Committed > 0 {
				p.must(p.mq.Commit(group, topic, row.Broker, row.Queue, row.Begin+p.rng.Int64N(row.Committed-min(row.Begin, row.Committed)+1)))
			}
		}
	case 7:
		for _, row := range p.mq.Backlog() {
			if row.Topic == topic {
				p.must(p.mq.Expire(topic, row.Broker, row.Queue, (row.Begin+row.End)/2))
				break
			}
		}
	case 8:
		p.breakBroker("broker-b")
	}
}

// breakBroker ends a broker, or starts it again.
func (p *play) breakBroker(name string) {
	if b := p.mq.Broker(name); p.down {
		p.must(b.Start())
	} else {
		b.Stop()
	}
	p.down = !p.down
}

// pass lets some seconds pass, and takes the truth down in each.
func (p *play) pass(seconds int) {
	for range seconds {
		p.happen()
		p.traffic.Step(time.Second)
		p.write()
	}
}

func (p *play) write() {
	now := p.clock.Now()
	there := make(map[queueName]bool)
	for _, row := range p.mq.Backlog() {
		there[queueName{row.Topic, row.Broker, row.Queue}] = true
		r := p.record(row.Topic, row.Broker, row.Queue)
		if n := len(r.ends); n > 0 && row.End < r.ends[n-1] {
			r.ends, r.times, r.anew = nil, nil, true
		}
		if n := len(r.ends); n == 0 || row.End > r.ends[n-1] {
			r.ends, r.times = append(r.ends, row.End), append(r.times, now)
		}
	}
	for name, r := range p.truth {
		if !there[name] {
			r.ends, r.times, r.anew = nil, nil, true
		}
	}
}

func (p *play) record(topic, broker string, id int) *record {
	name := queueName{topic, broker, id}
	if p.truth[name] == nil {
		p.truth[name] = &record{}
	}
	return p.truth[name]
}

// round reads the cluster and holds every age against the truth.
func (p *play) round() {
	p.t.Helper()
	s := p.src.Collect(p.t.Context()).Snapshots[0]
	p.src.Settle(p.t.Context())
	p.past.Add(s)
	r := lag.BuildAfter(s, &p.past, lag.DefaultRules())
	if err := consistent(r); err != nil {
		p.t.Fatal(err)
	}
	fresh := make(map[string]bool)
	for i := range s.Parts {
		if s.Parts[i].Age == 0 && s.Parts[i].Missing == 0 {
			fresh[s.Parts[i].Broker] = true
			p.note(s.Parts[i].Part)
		}
	}
	truth := p.rows()
	for _, d := range r.Details {
		pair := r.PairOf(&d)
		if !fresh[r.BrokerOf(&d)] {
			continue
		}
		for _, told := range r.AppendRows(nil, &d) {
			name := rowName{topic: pair.Topic, group: pair.Group, broker: r.BrokerOf(&d), queue: int(told.QueueID)}
			row, ok := truth[name]
			if h := told.Holder; !ok && h != lag.NoHolder {
				name.ip = r.Processes[h].IP
				row, ok = truth[name]
			}
			if !ok && p.down {
				continue // of a process that was there when somebody could tell
			}
			if !ok {
				p.t.Fatalf("no such row: %+v", name)
			}
			if row.Backlog != told.Backlog {
				p.t.Fatalf("%+v: backlog %d", row, told.Backlog)
			}
			p.check(row, told.Age)
		}
	}
}

// note takes down what the exporter has read of a broker.
func (p *play) note(part *model.Part) {
	p.reads[part.Broker] = append(p.reads[part.Broker], part.Taken)
	there, slowest := make(map[queueName]bool), p.slowest()
	for _, t := range part.Topics {
		for id := range int(t.Queues) {
			end := part.Ends.At(int(t.First) + id)
			name := queueName{t.Name, part.Broker, id}
			there[name] = true
			r := p.record(t.Name, part.Broker, id)
			switch {
			case !r.read || end < r.end:
				r.since, r.passed = part.Taken, 0
			case r.anew:
				r.murky = end
			}
			r.read, r.end, r.anew = true, end, false
			if at, ok := slowest[name]; ok {
				r.passed = max(r.passed, min(at, end))
			}
		}
	}
	for name, r := range p.truth {
		if name.broker == part.Broker && !there[name] {
			r.read, r.murky = false, 0
		}
	}
}

// slowest is how far the slowest reader of each queue is.
func (p *play) slowest() map[queueName]int64 {
	slowest := make(map[queueName]int64)
	for _, row := range p.mq.Backlog() {
		if row.Uncommitted && row.Begin > 0 {
			continue
		}
		name := queueName{row.Topic, row.Broker, row.Queue}
		if at, ok := slowest[name]; !ok || row.Committed < at {
			slowest[name] = max(row.Committed, 0)
		}
	}
	return slowest
}

// rowName names a row; the process only of broadcasting groups, which have one
// for each.
type rowName struct {
	topic, group, broker string
	queue                int
	ip                   string
}

func (p *play) rows() map[rowName]fakemq.Row {
	rows := make(map[rowName]fakemq.Row)
	for _, row := range p.mq.Backlog() {
		name := rowName{topic: row.Topic, group: row.Group, broker: row.Broker, queue: row.Queue}
		if row.Broadcast {
			name.ip, _ = model.SplitClientID(row.ClientID)
		}
		rows[name] = row
	}
	return rows
}

// check holds one age against the truth: the age of the first message that is
// not consumed and still there, or that of one that retention has deleted since
// somebody told where the queue begins.
func (p *play) check(row fakemq.Row, age int32) {
	p.t.Helper()
	r := p.record(row.Topic, row.Broker, row.Queue)
	commit := max(row.Committed, 0)
	if row.Backlog == 0 || max(commit, row.Begin) >= row.End || commit < r.murky {
		if row.Backlog == 0 && age != 0 {
			p.t.Errorf("%+v: age %d without a backlog", row, age)
		}
		return
	}
	now, first, left := p.clock.Now(), r.stored(commit), r.stored(max(commit, row.Begin))
	told, least, most := time.Duration(age)*lag.AgeUnit, now.Sub(left), now.Sub(first)
	gap := max(p.gap(row.Broker, first), p.gap(row.Broker, left))
	seen := first.After(r.since) && commit >= r.passed
	switch {
	case seen && age == lag.NoAge:
		p.t.Errorf("%+v: the age is not known, it is %v and the exporter has seen the message come", row, most)
	case seen:
		p.known++
		// Of many intervals only some are remembered.
		if told < least-max(gap, least/10)-lag.AgeUnit || told > most+max(gap, most/10)+lag.AgeUnit {
			p.t.Errorf("%+v: age %v, it is %v to %v, and rounds were %v apart", row, told, least, most, gap)
		}
	case age == lag.NoAge:
		p.unknown++
	default:
		p.bounds++
		if told < least-gap {
			p.t.Errorf("%+v: age at most %v, it is %v", row, told, least)
		}
	}
}

// gap is how long the exporter did not look at a broker around a time.
func (p *play) gap(broker string, at time.Time) time.Duration {
	reads := p.reads[broker]
	i := sort.Search(len(reads), func(i int) bool { return !reads[i].Before(at) })
	if i == 0 || i == len(reads) {
		return interval
	}
	return reads[i].Sub(reads[i-1])
}

// TestAgainstTruth: whatever happens to a cluster, the age of each row is right
// to one interval as soon as the exporter can know it.
func TestAgainstTruth(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, seed)
			p.write()
			for range 60 {
				p.pass(int(interval / time.Second))
				p.round()
				if t.Failed() {
					return
				}
			}
			t.Logf("%d ages were known, %d not, %d bounded", p.known, p.unknown, p.bounds)
			if p.known < 500 {
				t.Errorf("only %d ages were held against the truth", p.known)
			}
		})
	}
}
