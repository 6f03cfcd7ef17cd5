package direct

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// eachRelease runs a test in every dialect.
func eachRelease(t *testing.T, test func(t *testing.T, r fakemq.Release)) {
	t.Helper()
	t.Parallel()
	sourcetest.EachRelease(t, test, fakemq.Releases()...)
}

// queues says of each queue in a round's parts and others "topic broker queue:
// begin end stored of the topic".
func queues(r source.Round) []string {
	var list []string
	add := func(topic, broker string, ends, begins []int64, stored int64) {
		for q := range ends {
			list = append(list, fmt.Sprintf("%s %s %d: %d %d %d", topic, broker, q, begins[q], ends[q], stored))
		}
	}
	for _, snap := range r.Snapshots {
		for _, p := range snap.Parts {
			for i, t := range p.Topics {
				first, n := int(t.First), int(t.Queues)
				add(t.Name, p.Broker, p.Ends.AppendTo(nil, first, n), p.Begins.AppendTo(nil, first, n), p.Stored[i])
			}
			for _, o := range p.Others {
				add(o.Topic, p.Broker, o.Ends, o.Begins, o.Stored)
			}
		}
	}
	slices.Sort(list)
	return list
}

// trueQueues is what queues should say of all topics but those of the system.
func (s *stage) trueQueues() []string {
	var list []string
	newest := sourcetest.Newest(s.MQ)
	for _, q := range s.MQ.Queues() {
		w := s.src.clusters[q.Cluster].wanted
		if w.Topic(q.Topic) {
			at := newest[model.TopicOnBroker{Topic: q.Topic, Broker: q.Broker}]
			list = append(list, fmt.Sprintf("%s %s %d: %d %d %d", q.Topic, q.Broker, q.Queue, q.Begin, q.End, at))
		}
	}
	slices.Sort(list)
	return list
}

func (s *stage) wantQueues(step string, r source.Round) {
	s.t.Helper()
	got, want := queues(r), s.trueQueues()
	if slices.Equal(got, want) {
		return
	}
	for _, q := range got {
		if !slices.Contains(want, q) {
			s.t.Errorf("%s: %s, which is not true", step, q)
		}
	}
	for _, q := range want {
		if !slices.Contains(got, q) {
			s.t.Errorf("%s: nothing says %s", step, q)
		}
	}
}

// TestEveryQueue: where each queue of each topic begins and ends and when its
// newest message was stored, whether or not somebody has committed on it.
func TestEveryQueue(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), slow)
		s.Shop()
		s.Topic("quiet", 3)
		s.Produce("quiet", 10)
		s.Topic("empty", 2, "broker-b")
		s.Must(s.MQ.DeadLetter("billing", "broker-a", 4))
		s.Must(s.MQ.Expire("orders", "broker-a", 1, 5))
		s.Must(s.MQ.Expire("quiet", "broker-b", 0, 1))
		s.wantQueues("the first cycle", s.cycle())
		s.More()
		s.Produce("quiet", 31)
		s.Must(s.MQ.DeadLetter("billing", "broker-b", 1))
		s.Must(s.MQ.Expire("orders", "broker-a", 1, 9))
		s.wantQueues("a cycle later", s.cycle())
		s.Must(s.MQ.ResizeTopic("quiet", 5, 5))
		s.Must(s.MQ.ResizeTopic("audit", 6, 6))
		s.Produce("quiet", 50)
		s.Produce("audit", 70)
		s.wantQueues("topics were made larger", s.cycle())
		s.Must(s.MQ.DeleteTopic("quiet"))
		s.Must(s.MQ.DeleteTopic("audit"))
		s.wantQueues("what was deleted is gone at once", s.round(time.Second))
	})
}

// TestSlaveStandsIn: what is asked behind a round is asked of the process that
// the round read.
func TestSlaveStandsIn(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release514, 1, "broker-a"), slow)
	s.Shop()
	s.cycle()
	s.MQ.Broker("broker-a").Stop()
	s.MQ.Broker("broker-a").Deregister()
	s.Collect()
	s.settleErrands()
	s.Must(s.MQ.ProduceTo("orders", "broker-a", 0, 9))
	s.clock.Advance(15 * time.Second)
	for range 5 {
		s.Collect()
		s.settleErrands()
		s.clock.Advance(15 * time.Second)
	}
	s.wantQueues("a slave stands in", s.Collect())
}

// TestDeadLettersAreSeenAtOnce: on brokers that tell ends in bulk, behind every
// round; and the list of topics that nobody committed on is whole from the
// beginning.
func TestDeadLettersAreSeenAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Shop()
	s.Topic("quiet", 1)
	s.Must(s.MQ.DeadLetter("billing", "broker-a", 4))
	r := s.round(0)
	var names []string
	for _, o := range s.part(r, "broker-a").Others {
		names = append(names, o.Topic)
		if o.Ends != nil || o.Begins != nil || o.Stored != model.Unknown {
			t.Errorf("nobody was asked of %s: %+v", o.Topic, o)
		}
	}
	if want := []string{"%DLQ%billing", "%RETRY%cache", "quiet"}; !slices.Equal(names, want) {
		t.Errorf("topics without a commit: %q, want %q", names, want)
	}
	s.wantQueues("behind the first round", s.round(time.Second))
	s.Must(s.MQ.DeadLetter("billing", "broker-a", 3))
	s.Produce("quiet", 5)
	s.round(time.Second)
	r = s.round(time.Second)
	for _, o := range s.part(r, "broker-a").Others {
		if want := map[string]int64{"%DLQ%billing": 7}[o.Topic]; o.Ends[0] != want {
			t.Errorf("%s ends at %d, want %d: only dead letters are seen at once", o.Topic, o.Ends[0], want)
		}
	}
	// A topic with a commit is no longer among the others, and the other way.
	s.Group(fakemq.Group{Name: "late", Topics: []string{"quiet"}}, 1)
	s.Consume("late", "quiet", 2)
	r = s.round(time.Second)
	for _, o := range s.part(r, "broker-a").Others {
		if o.Topic == "quiet" {
			t.Error("a topic with a commit is among the others")
		}
	}
}

// TestTopicMadeAnew: what was known of a topic that is made anew under its name
// does not stay beside its new ends. Of a topic whose ends no round reads, all is
// as old as the cycle.
func TestTopicMadeAnew(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), slow)
		s.Shop()
		s.Topic("quiet", 4)
		s.Produce("quiet", 400)
		for q := range 4 {
			s.Must(s.MQ.Expire("orders", "broker-a", q, 20))
			s.Must(s.MQ.Expire("quiet", "broker-a", q, 90))
		}
		s.wantQueues("before", s.cycle())
		for _, topic := range []string{"orders", "quiet"} {
			s.Must(s.MQ.DeleteTopic(topic))
			s.Topic(topic, 4)
			s.Produce(topic, 8)
		}
		s.Consume("billing", "orders", 4)
		for round := range 3 {
			for _, q := range queues(s.round(time.Second)) {
				var topic, broker string
				var id int
				var begin, end, stored int64
				if _, err := fmt.Sscanf(strings.ReplaceAll(q, ":", ""), "%s %s %d %d %d %d", &topic, &broker, &id, &begin, &end, &stored); err != nil {
					t.Fatal(err)
				}
				if begin > 0 && topic == "orders" {
					t.Errorf("round %d: %s: a beginning of the topic that was deleted", round, q)
				}
			}
		}
		s.wantQueues("a cycle later", s.cycle())
	})
}

// TestOldBeginningsDecideNothing: where a missing commit depends on a beginning,
// an old one is as good as none.
func TestOldBeginningsDecideNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Topic("orders", 2)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 0)
	for q := range 2 {
		s.Must(s.MQ.ProduceTo("orders", "broker-a", q, 10))
	}
	s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 3))
	begins := func(r source.Round) []int64 {
		p := s.part(r, "broker-a")
		i := slices.IndexFunc(p.Topics, func(t model.Topic) bool { return t.Name == "orders" })
		return p.Begins.AppendTo(nil, int(p.Topics[i].First), 2)
	}
	if got := begins(s.cycle()); !slices.Equal(got, []int64{0, 0}) {
		t.Fatalf("begins %v", got)
	}
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{
		Code: remoting.GetTopicStatsInfo, Effect: fakemq.Refuse(remoting.SystemError, "no"),
	})
	if got := begins(s.Collect()); !slices.Equal(got, []int64{model.Unknown, model.Unknown}) {
		t.Errorf("begins %v of a topic whose beginnings could not be read in the round", got)
	}
}

// stats counts the requests for a topic's stats behind a round.
func (s *stage) stats(w *requests) int { return w.all()[remoting.GetTopicStatsInfo] }

// TestSlowCycleIsSpread: a cycle takes as many requests as there are topics whose
// ends move, evenly spread over its rounds; of those at rest a tenth.
func TestSlowCycleIsSpread(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	const topics = 40
	var names []string
	for i := range topics {
		names = append(names, fmt.Sprintf("t%02d", i))
		s.Topic(names[i], 1)
	}
	s.Group(fakemq.Group{Name: "g", Topics: names}, 1)
	move := func() {
		for _, name := range names {
			s.Produce(name, 2)
			s.Consume("g", name, 2)
		}
	}
	move()
	w := s.watch()
	s.round(0)
	if n := s.stats(w); n != topics+1 { // and the group's retry topic
		t.Errorf("behind the first round %d topics were asked for, want all %d", n, topics+1)
	}
	var each []int
	for range 8 {
		move()
		w = s.watch()
		s.round(15 * time.Second)
		each = append(each, s.stats(w))
	}
	for _, n := range each {
		if n < 9 || n > 11 {
			t.Errorf("requests behind each round %v, want a quarter of the topics each time", each)
			break
		}
	}
	s.cycle() // which still sees that they have moved
	w = s.watch()
	for range 40 { // a cycle of topics at rest
		s.round(15 * time.Second)
	}
	if n := s.stats(w); n < topics-4 || n > topics+4 {
		t.Errorf("%d requests about %d topics at rest in ten cycles", n, topics)
	}
	if r := s.round(15 * time.Second); s.clock.Now().Sub(r.Snapshots[0].SlowTaken) > time.Minute {
		t.Errorf("the slower cycle was last in time at %v, it is %v", r.Snapshots[0].SlowTaken, s.clock.Now())
	}
}

// TestPlanOfTheSlowCycleOnFour: rounds themselves ask for topics with commits.
func TestPlanOfTheSlowCycleOnFour(t *testing.T) {
	t.Parallel()
	var log seen
	o := brokers(fakemq.Release497, 0, "broker-a")
	o.Trace = log.trace("topic", "topicList")
	s := newStage(t, o, slow)
	s.Shop()
	s.Topic("quiet", 1)
	s.cycle()
	log.take()
	s.cycle()
	behind := map[string]int{}
	for _, line := range asked(log.take(), " 202 ") {
		_, topic, _ := strings.Cut(line, "topic=")
		behind[topic]++
	}
	if behind["quiet"] != 1 || behind["%RETRY%cache"] != 1 || behind["orders"] != 5 {
		t.Errorf("asked for stats in a cycle of five rounds: %v; want once for each topic without commits, else once a round", behind)
	}
}

// TestErrandsHoldUpNoRound: nor are more of them sent while some are under way.
func TestErrandsHoldUpNoRound(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Shop()
	open := make(chan struct{})
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{Code: remoting.QueryConsumeTimeSpan, Effect: fakemq.Gate(open)})
	for s.MQ.Requests()[remoting.QueryConsumeTimeSpan] == 0 { // it is asked last
		s.Collect()
	}
	for range 3 {
		s.clock.Advance(time.Hour)
		s.Check("an answer is long in coming")
	}
	if n := s.MQ.Requests()[remoting.QueryConsumeTimeSpan]; n != 1 {
		t.Errorf("%d requests are under way behind the rounds, want 1", n)
	}
	close(open)
	s.settleErrands()
	s.wantQueues("it came", s.cycle())
}

// TestRefusedErrands: a refusal costs what it is about and is counted; what was
// known stays for some cycles.
func TestRefusedErrands(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Shop()
	s.cycle()
	bad := s.MQ.Broker("broker-a")
	bad.Inject(fakemq.Fault{
		Code: remoting.GetTopicStatsInfo, Fields: map[string]string{"topic": "orders"}, Effect: fakemq.Refuse(remoting.SystemError, "no"),
	})
	failed, known := 0, 0
	for range 12 * 4 {
		s.More()
		s.clock.Advance(15 * time.Second)
		r := s.Collect()
		s.settleErrands()
		for _, f := range r.Failures {
			if failed++; f.Step != remoting.GetTopicStatsInfo.String() || f.Reason != "refused" || f.Target != bad.Addr() {
				t.Errorf("failure %+v", f)
			}
		}
		p := s.part(r, "broker-a")
		i := slices.IndexFunc(p.Topics, func(t model.Topic) bool { return t.Name == "orders" })
		if p.Begins.At(int(p.Topics[i].First)) != model.Unknown {
			known++
		}
		if i = slices.IndexFunc(p.Topics, func(t model.Topic) bool { return t.Name == "audit" }); p.Begins.At(int(p.Topics[i].First)) == model.Unknown {
			t.Error("the other topics are not known either")
		}
	}
	if failed < 8 || failed > 12 || known < 3*4 || known > 6*4 {
		t.Errorf("in 12 cycles: %d failures, want about one a cycle; known in %d of 48 rounds, want for some cycles", failed, known)
	}
}

// TestErrandsOfADeadBroker: that it is dead the rounds themselves say.
func TestErrandsOfADeadBroker(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a", "broker-b"), slow)
	s.Shop()
	s.cycle()
	open := make(chan struct{})
	defer close(open)
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{Code: remoting.GetTopicStatsInfo, Effect: fakemq.Gate(open)})
	for range 4 {
		s.More()
		s.clock.Advance(15 * time.Second)
		s.Collect()
	}
	s.MQ.Broker("broker-a").Stop()
	s.settleErrands()
	r := s.Collect()
	for _, f := range r.Failures {
		if f.Step == remoting.GetTopicStatsInfo.String() {
			t.Errorf("failure %+v", f)
		}
	}
	s.Restart(s.MQ.Broker("broker-a"))
	s.MQ.Broker("broker-a").ClearFaults()
	s.wantQueues("it is back", s.cycle())
}

// TestErrandsAnsweredWithinARound: what is told behind a round while the next one
// reads is newer than its ends, and must not pass for that of another topic.
func TestErrandsAnsweredWithinARound(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Shop()
	s.wantQueues("a cycle", s.cycle())
	b := s.MQ.Broker("broker-a")
	open := make(chan struct{})
	b.Inject(fakemq.Fault{
		Code: remoting.GetTopicStatsInfo, Fields: map[string]string{"topic": "orders"}, Effect: fakemq.Gate(open),
	})
	s.clock.Advance(time.Minute)
	s.More()
	s.Collect()
	// The last thing that a round asks here before it makes its parts.
	s.src.opts.Parallel = 1
	late := s.src.clusters["c"].brokers["broker-a"]
	r := &round{src: s.src, ctx: t.Context(), began: s.clock.Now()}
	r.within("name_servers", 1, r.readTopology)
	r.within("brokers", 1, r.readBrokers)
	s.Produce("orders", 40)
	close(open)
	s.settleErrands()
	r.readGroupsElsewhere()
	r.sealParts()
	for i := range late.part.Topics {
		topic := &late.part.Topics[i]
		if begins := late.part.Begins.AppendTo(nil, int(topic.First), int(topic.Queues)); topic.Name == "orders" && slices.Contains(begins, model.Unknown) {
			t.Errorf("begins %v of a topic that is as it was", begins)
		}
	}
	s.wantQueues("a cycle later", s.cycle())
}

// TestSlowCycleThatIsLate: while nothing has been told, the cycle was never on time.
func TestSlowCycleThatIsLate(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Shop()
	open := make(chan struct{})
	b := s.MQ.Broker("broker-a")
	b.Inject(fakemq.Fault{Code: remoting.GetTopicStatsInfo, Effect: fakemq.Gate(open)})
	for range 4 {
		s.clock.Advance(time.Hour)
		if at := s.Collect().Snapshots[0].SlowTaken; !at.IsZero() {
			t.Errorf("nothing was told yet, and the slower cycle was last on time at %v", at)
		}
	}
	close(open)
	s.settleErrands()
	if r := s.cycle(); r.Snapshots[0].SlowTaken.IsZero() {
		t.Error("the slower cycle was never on time")
	}
}

// onTimeWithin is two rounds and what tests take besides: whether the slower cycle
// is on time is found out when a round has been shown, and the next one tells it.
const onTimeWithin = 2*15*time.Second - time.Second

// TestSlowCycleThatIsRefused: that a topic was asked for is not that it was told.
// What is refused for ever is never young, and is asked for once a cycle all the
// same.
func TestSlowCycleThatIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Shop()
	s.cycle()
	onTime := func() time.Duration {
		s.More()
		s.clock.Advance(15 * time.Second)
		r := s.Collect()
		s.settleErrands()
		return s.clock.Now().Sub(r.Snapshots[0].SlowTaken)
	}
	if ago := onTime(); ago > onTimeWithin {
		t.Errorf("all was told, and the slower cycle was last on time %v ago", ago)
	}
	no := s.MQ.Broker("broker-a").Inject(fakemq.Fault{
		Code: remoting.GetTopicStatsInfo, Fields: map[string]string{"topic": "orders"}, Effect: fakemq.Refuse(remoting.SystemError, "no"),
	})
	const cycles = 12
	for round := range cycles * 4 {
		// A topic is late when it is two cycles old.
		passed := time.Duration(round+1) * 15 * time.Second
		if ago := onTime(); ago < passed-3*time.Minute {
			t.Fatalf("a topic has been refused for %v, and the slower cycle was last on time %v ago", passed, ago)
		}
	}
	if n := no.Hits(); n < cycles-3 || n > cycles+1 {
		t.Errorf("%d requests for a topic that is refused in %d cycles", n, cycles)
	}
	no.Remove()
	for range 4 {
		onTime()
	}
	if ago := onTime(); ago > onTimeWithin {
		t.Errorf("all is told again, and the slower cycle was last on time %v ago", ago)
	}
}

// TestSlowCycleOfATopicAtRest: of a topic at rest nothing is late when one question
// has failed.
func TestSlowCycleOfATopicAtRest(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Topic("orders", 2)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 1)
	s.Produce("orders", 20)
	s.Consume("billing", "orders", 20)
	s.cycle()
	no := s.MQ.Broker("broker-a").Inject(fakemq.Fault{
		Code: remoting.GetTopicStatsInfo, Fields: map[string]string{"topic": "orders"}, Effect: fakemq.Refuse(remoting.SystemError, "no"),
	})
	for round := range 4 * 2 * quietCycles {
		s.clock.Advance(15 * time.Second)
		r := s.Collect()
		s.settleErrands()
		if no.Hits() > 0 {
			no.Remove()
		}
		if ago := s.clock.Now().Sub(r.Snapshots[0].SlowTaken); ago > onTimeWithin {
			t.Fatalf("round %d: the slower cycle was last on time %v ago", round, ago)
		}
	}
	if no.Hits() != 1 {
		t.Errorf("%d requests were refused, want 1", no.Hits())
	}
}

// TestSlowCycleWithoutARight: what is denied from the beginning was never told.
func TestSlowCycleWithoutARight(t *testing.T) {
	t.Parallel()
	noOrders := fakemq.Policy{Resource: "Topic:orders", Actions: []string{"Get"}, Deny: true}
	s := secured(t, fakemq.Release550, user(append(get("Topic:*", "Group:*"), noOrders)...), func(o *Options) {
		logsIn(o)
		slow(o)
	})
	s.Shop()
	for range 20 {
		s.clock.Advance(15 * time.Second)
		r := s.Collect()
		s.settleErrands()
		if at := r.Snapshots[0].SlowTaken; !at.IsZero() {
			t.Fatalf("a topic is denied, and the slower cycle was last on time at %v", at)
		}
	}
	s.MQ.SetAccess(user(get("Topic:*", "Group:*")...))
	s.clock.Advance(maxDeniedPause)
	s.cycle()
	if at := s.cycle().Snapshots[0].SlowTaken; s.clock.Now().Sub(at) > 15*time.Second {
		t.Errorf("with all rights the slower cycle was last on time at %v, it is %v", at, s.clock.Now())
	}
}

// TestSlowCycleWithoutModes: which groups POP is told for a whole broker, and is as
// much of the slower cycle as its topics.
func TestSlowCycleWithoutModes(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), slow)
	s.Shop()
	s.cycle()
	no := s.MQ.Broker("broker-a").Inject(fakemq.Fault{Code: remoting.GetAllMessageRequestMode, Effect: fakemq.Refuse(remoting.SystemError, "no")})
	var r source.Round
	for range 4 * 10 {
		s.clock.Advance(15 * time.Second)
		r = s.Collect()
		s.settleErrands()
	}
	if ago := s.clock.Now().Sub(r.Snapshots[0].SlowTaken); ago < 7*time.Minute {
		t.Errorf("the modes have been refused for 10 min, and the slower cycle was last on time %v ago", ago)
	}
	no.Remove()
	s.clock.Advance(time.Minute)
	s.Collect()
	s.settleErrands()
	s.round(time.Second)
	if r = s.round(time.Second); s.clock.Now().Sub(r.Snapshots[0].SlowTaken) > 2*time.Second {
		t.Errorf("all is told again, and the slower cycle was last on time at %v, it is %v", r.Snapshots[0].SlowTaken, s.clock.Now())
	}
}

// TestEmptyTopicMadeAnew: a topic that nobody has committed on is made anew, and no
// message has come to it: when the newest of the one before came is not its own.
func TestEmptyTopicMadeAnew(t *testing.T) {
	eachRelease(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), slow)
		s.Shop()
		s.Topic("quiet", 4)
		s.Produce("quiet", 40)
		s.wantQueues("before", s.cycle())
		s.Must(s.MQ.DeleteTopic("quiet"))
		s.Topic("quiet", 4)
		s.cycle()
		r := s.cycle()
		for _, o := range s.part(r, "broker-a").Others {
			if o.Topic == "quiet" && o.Stored != model.Unknown {
				t.Errorf("the newest message is of %d, and there is none: %+v", o.Stored, o)
			}
		}
	})
}

// TestNewTopicsComeByTheThousand: what is told of a large cluster that is met first
// must not lie in memory all at once.
func TestNewTopicsComeByTheThousand(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), func(o *Options) { o.SlowEvery = 24 * time.Hour })
	const topics = 2*maxNewTopics + 7
	for i := range topics {
		s.Topic(fmt.Sprintf("topic-%d", i), 1)
	}
	for _, want := range []int{maxNewTopics, 2 * maxNewTopics, topics} {
		s.round(time.Second)
		if got := s.MQ.Requests()[remoting.GetTopicStatsInfo]; got != want {
			t.Errorf("%d topics were asked about, want %d", got, want)
		}
	}
}
