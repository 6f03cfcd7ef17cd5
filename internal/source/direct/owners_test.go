package direct

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// eventually waits for what happens in the background.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("still waiting: %s", what)
		}
	}
}

// TestAtMostTwo: an answer takes one of the 16 threads of a broker until the
// process gives it, so only two are asked for at a time.
func TestAtMostTwo(t *testing.T) {
	t.Parallel()
	var open, most atomic.Int64
	o := brokers(fakemq.Release550, 0, "broker-a")
	o.Trace = func(_ string, req *remoting.Command) {
		if remoting.RequestCode(req.Code) == remoting.GetConsumerRunningInfo {
			if n := open.Add(1); n > most.Load() {
				most.Store(n) // arrivals come from one connection's reader
			}
		}
	}
	s := newStage(t, o, func(o *Options) {
		o.OwnerWait = 200 * time.Millisecond
		o.Remoting.Observe = func(x remoting.Exchange) {
			if x.Code == remoting.GetConsumerRunningInfo {
				open.Add(-1)
			}
		}
	})
	s.Topic("orders", 12)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 12)
	s.Consume("billing", "orders", 0)
	gate := make(chan struct{})
	node := s.MQ.Broker("broker-a")
	held := node.Inject(fakemq.Fault{Code: remoting.GetConsumerRunningInfo, Effect: fakemq.Gate(gate)})
	s.Collect()
	s.Collect() // those that are being asked are not asked once more
	if n := held.Hits(); n != 2 {
		t.Errorf("%d processes are being asked at the same time, want 2", n)
	}
	close(gate)
	eventually(t, "all processes were asked", func() bool { return s.src.asker.pending() == 0 && held.Hits() == 12 })
	s.Check("all have answered")
	if n := most.Load(); n != 2 {
		t.Errorf("%d processes were asked at the same time, want 2", n)
	}
	if n := node.Requests()[remoting.GetConsumerRunningInfo]; n != 12 {
		t.Errorf("%d requests to 12 processes", n)
	}
}

// TestProcessesThatLeftAreNotAsked: processes that hang and are restarted again
// and again have another id each time. Who has left is asked no more, so that the
// queue is no longer than there are processes.
func TestProcessesThatLeftAreNotAsked(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), func(o *Options) { o.OwnerWait = time.Millisecond })
	s.Topic("orders", 4)
	const lasting, hung, restarts = 4, 3, 5
	s.Group(fakemq.Group{Name: "archive", Topics: []string{"orders"}}, lasting)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, hung)
	s.Consume("archive", "orders", 0)
	s.Consume("billing", "orders", 0)
	gate := make(chan struct{})
	node := s.MQ.Broker("broker-a")
	held := node.Inject(fakemq.Fault{Code: remoting.GetConsumerRunningInfo, Effect: fakemq.Gate(gate)})
	for range restarts {
		for _, id := range s.MQ.ClientIDs("billing") {
			s.Must(s.MQ.KillConsumer("billing", id))
		}
		for range hung {
			s.Consumer("billing", fakemq.Consumer{})
		}
		s.Collect()
		eventually(t, "two are being asked", func() bool { return held.Hits() == askersPerBroker })
	}
	if n := s.src.asker.pending(); n > lasting+hung+askersPerBroker {
		t.Errorf("%d questions are open about %d processes", n, lasting+hung)
	}
	close(gate)
	eventually(t, "the queue is empty", func() bool { return s.src.asker.pending() == 0 })
	s.clock.Advance(time.Minute)
	s.Collect()
	eventually(t, "who had no answer is asked again", func() bool { return s.src.asker.pending() == 0 })
	s.Check("all that are there have answered")
}

// TestOwnersAreRefreshed: a process is believed for some time, then asked
// again, for which no round waits.
func TestOwnersAreRefreshed(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), func(o *Options) { o.OwnerRefresh = 5 * time.Minute })
	s.Topic("orders", 4)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 2)
	s.Produce("orders", 40)
	s.Consume("billing", "orders", 40)
	count := func() int { return s.MQ.Requests()[remoting.GetConsumerRunningInfo] }
	s.Check("new")
	for range 4 {
		s.clock.Advance(time.Minute)
		s.Check("believed")
	}
	if n := count(); n != 2 {
		t.Errorf("%d requests to 2 processes, want one each", n)
	}
	s.clock.Advance(time.Minute)
	s.Check("due")
	eventually(t, "both are asked again", func() bool { return count() == 4 })
	s.Check("asked")
	s.Check("believed again")
	if n := count(); n != 4 {
		t.Errorf("%d requests to 2 processes, want two each", n)
	}
}

// TestOpenQueues: while a queue has no holder the group is asked again, with
// growing pauses.
func TestOpenQueues(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), func(o *Options) { o.OwnerRefresh = time.Hour })
	s.Topic("orders", 4)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 1)
	s.Produce("orders", 40)
	s.Consume("billing", "orders", 10)
	s.Must(s.MQ.DropQueue("billing", "orders", "broker-a", 2))
	count := func() int { return s.MQ.Requests()[remoting.GetConsumerRunningInfo] }
	var when []int
	for second := range 40 {
		before := count()
		s.Check("a queue has no holder")
		if count() != before {
			when = append(when, second)
		}
		s.clock.Advance(time.Second)
	}
	// A round takes some of the clock's time, so the pauses end up to a
	// round later.
	pauses := 0
	for i := 1; i < len(when); i++ {
		if i > 1 && when[i]-when[i-1] < when[i-1]-when[i-2] {
			t.Errorf("asked in seconds %v: the pauses do not grow", when)
		}
		pauses++
	}
	if when[0] != 0 || pauses < 4 || pauses > 5 {
		t.Errorf("asked in seconds %v, want about 0, 1, 3, 7, 15, 31", when)
	}
	s.Consumer("billing", fakemq.Consumer{}) // the queues are dealt anew
	s.Check("all queues are held")
	// The change of members is followed until every client must have heard
	// of it.
	s.clock.Advance(rebalanceTime)
	s.Check("all queues are held")
	before := count()
	for range 10 {
		s.clock.Advance(time.Minute)
		s.Check("all queues are held")
	}
	if n := count(); n != before {
		t.Errorf("%d requests although all queues are held", n-before)
	}
}

// TestLateRebalance: when a broker gets queues of a topic, the same processes
// deal all queues out anew, and not at once. Every queue is held all the time,
// in the end by others.
func TestLateRebalance(t *testing.T) {
	t.Parallel()
	for _, release := range []fakemq.Release{fakemq.Release497, fakemq.Release550} {
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), func(o *Options) { o.OwnerRefresh = time.Hour })
		s.Must(s.MQ.AddTopic(fakemq.Topic{Name: "orders", Queues: 4, Brokers: []string{"broker-a"}}))
		s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 2)
		s.Produce("orders", 40)
		s.Consume("billing", "orders", 10)
		s.Check("before")
		s.clock.Advance(time.Second)
		s.Check("settled")
		s.Must(s.MQ.ResizeTopic("orders", 2, 2, "broker-a"))
		s.Check("the queues are fewer")
		s.Consumer("billing", fakemq.Consumer{})
		for range 20 {
			s.clock.Advance(10 * time.Second)
			s.Check("followed")
		}
	}
}

// TestMuteProcess: one that never answers costs its own queues' labels. A round
// waits for it once, and its broker is not kept busy with it.
func TestMuteProcess(t *testing.T) {
	t.Parallel()
	const wait = time.Second
	o := brokers(fakemq.Release550, 0, "broker-a")
	o.ClientTimeout = time.Hour
	s := newStage(t, o, func(o *Options) { o.OwnerWait = wait })
	s.Topic("orders", 4)
	s.Must(s.MQ.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders"}}))
	s.Consumer("billing", fakemq.Consumer{IP: "10.0.0.1", PID: 1})
	s.Consumer("billing", fakemq.Consumer{IP: "10.0.0.2", PID: 2, Mute: true})
	s.Produce("orders", 40)
	s.Consume("billing", "orders", 10)
	want := sourcetest.Rows{}
	for l, n := range s.Truth() {
		if l.IP == "10.0.0.2" {
			l.IP, l.PID = "", ""
		}
		want[l] = n
	}
	for round := range 5 {
		began := time.Now()
		r := s.Collect()
		s.Compare("one is mute", r, want)
		s.noFailures("one is mute", r)
		if took := time.Since(began); round > 0 && took >= wait {
			t.Errorf("round %d took %v: nobody may wait again for a process that does not answer", round, took)
		}
		s.clock.Advance(15 * time.Second)
	}
	if n := s.src.asker.pending(); n != 1 {
		t.Errorf("%d open questions, want 1", n)
	}
}

// pending is how many questions are waiting or under way.
func (a *asker) pending() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queued)
}

// TestMuteProcessIsAskedSeldom: a broker that gave up on a process says so; it
// is a failure, and the next try comes later each time.
func TestMuteProcessIsAskedSeldom(t *testing.T) {
	t.Parallel()
	o := brokers(fakemq.Release550, 0, "broker-a")
	o.ClientTimeout = time.Millisecond
	s := newStage(t, o, func(o *Options) { o.OwnerRefresh = 2 * time.Minute })
	s.Topic("orders", 4)
	s.Must(s.MQ.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders"}}))
	mute := s.Consumer("billing", fakemq.Consumer{Mute: true})
	s.Consume("billing", "orders", 0)
	r := s.Collect()
	s.wantFailures("it gave up", r, s.MQ.Broker("broker-a"), remoting.GetConsumerRunningInfo)
	if len(r.Failures) != 1 || r.Failures[0].Reason != "client_timeout" || !strings.Contains(r.Failures[0].Err.Error(), mute) {
		t.Errorf("failures %+v: want one client_timeout that names the process %s", r.Failures, mute)
	}
	count := func() int { return s.MQ.Requests()[remoting.GetConsumerRunningInfo] }
	var when []int
	for second := 0; second < 600; second += 5 {
		before := count()
		s.Collect()
		eventually(t, "the answer is there", func() bool { return s.src.asker.pending() == 0 })
		if count() != before {
			when = append(when, second)
		}
		s.clock.Advance(5 * time.Second)
	}
	// 10, 20, 40, 80, 120, 120, ... s after the answer, which a later round takes.
	if len(when) < 5 || len(when) > 8 || when[len(when)-1]-when[len(when)-2] < 110 {
		t.Errorf("asked again in seconds %v: want pauses that grow to two minutes", when)
	}
}

// TestBroadcastProcessStopsAnswering: its last numbers stay for some rounds.
// The others' go on.
func TestBroadcastProcessStopsAnswering(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a", "broker-b"), nil)
		s.Shop()
		last := s.RowsOf("all is well", s.Check("all is well"))
		mute := s.MQ.ClientIDs("cache")[1]
		ip, _, _ := strings.Cut(mute, "@")
		isMute := func(l sourcetest.Labels) bool { return l.Group == "cache" && l.IP == ip }
		for _, name := range []string{"broker-a", "broker-b"} {
			s.MQ.Broker(name).Inject(fakemq.Fault{
				Code: remoting.GetConsumerRunningInfo, Fields: map[string]string{"clientId": mute},
				Effect: fakemq.Refuse(remoting.ConsumeMsgTimeout, "no answer"),
			})
		}
		for round := 1; round <= keep+2; round++ {
			s.More()
			want := s.Truth().Only(not(isMute))
			if round <= keep {
				want = join(want, last.Only(isMute))
			}
			s.Compare(fmt.Sprintf("round %d", round), s.Collect(), want)
		}
		for _, name := range []string{"broker-a", "broker-b"} {
			s.MQ.Broker(name).ClearFaults()
		}
		s.clock.Advance(time.Minute)
		s.Collect() // asks, and does not wait
		eventually(t, "it answers", func() bool { return s.src.asker.pending() == 0 })
		s.Check("it answers again")
	})
}

// TestOddOwners: what a process says that cannot be is its own failure.
func TestOddOwners(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no JSON":          `<jstack>`,
		"half a document":  `{"mqTable":{{"brokerName":"broker-a","queueId":1,"topic":"orders"}:{"commitOffset":1`,
		"a negative queue": `{"mqTable":{{"brokerName":"broker-a","queueId":-1,"topic":"orders"}:{"commitOffset":1}}}`,
		"a huge queue":     `{"mqTable":{{"brokerName":"broker-a","queueId":2147483647,"topic":"orders"}:{"commitOffset":1}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
			s.Shop()
			ids := s.MQ.ClientIDs("billing")
			ip, _, _ := strings.Cut(ids[0], "@")
			s.MQ.Broker("broker-a").Inject(fakemq.Fault{
				Code: remoting.GetConsumerRunningInfo, Fields: map[string]string{"clientId": ids[0]}, Effect: fakemq.Body([]byte(body)),
			})
			r := s.Collect()
			want := sourcetest.Rows{}
			for l, n := range s.Truth() {
				if l.Group == "billing" && l.IP == ip {
					l.IP, l.PID = "", ""
				}
				want[l] = n
			}
			s.Compare("odd", r, want)
			s.wantFailures("odd", r, s.MQ.Broker("broker-a"), remoting.GetConsumerRunningInfo)
		})
	}
}

// TestTwoClaims: for a moment in a rebalance two processes say that they hold a
// queue. The one that was asked last has it, once, and both are asked again.
func TestTwoClaims(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), func(o *Options) { o.OwnerRefresh = time.Hour })
	s.Topic("orders", 2)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 2)
	s.Produce("orders", 10)
	s.Consume("billing", "orders", 4)
	ids := slices.Sorted(slices.Values(s.MQ.ClientIDs("billing")))
	claim := s.MQ.Broker("broker-a").Inject(fakemq.Fault{
		Code: remoting.GetConsumerRunningInfo, Fields: map[string]string{"clientId": ids[1]},
		Effect: fakemq.Body([]byte(`{"mqTable":{` +
			`{"brokerName":"broker-a","queueId":0,"topic":"orders"}:{"commitOffset":1},` +
			`{"brokerName":"broker-a","queueId":1,"topic":"orders"}:{"commitOffset":1}}}`)),
	})
	r := s.Collect()
	if got, want := s.RowsOf("two claims", r).Only(onTopic("orders")).Total(), s.Truth().Total(); got != want {
		t.Errorf("backlog %d, want %d: no queue counts twice", got, want)
	}
	claim.Remove()
	s.clock.Advance(time.Minute)
	s.Check("they agree")
}

// TestSameProcessAgain: a process that was restarted under its old id has
// another connection, and is asked anew.
func TestSameProcessAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	s.Topic("orders", 4)
	s.Must(s.MQ.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders"}}))
	id := s.Consumer("billing", fakemq.Consumer{IP: "10.0.0.1", Instance: "worker"})
	s.Produce("orders", 40)
	s.Consume("billing", "orders", 10)
	s.Must(s.MQ.DropQueue("billing", "orders", "broker-a", 2))
	s.Check("a queue has no holder")
	s.Must(s.MQ.KillConsumer("billing", id))
	s.Consumer("billing", fakemq.Consumer{IP: "10.0.0.1", Instance: "worker"})
	s.Check("the process was restarted")
}

// TestJustLeft: that a process has left between two answers is no failure. Where it is
// still listed when it is asked again, it is one.
func TestJustLeft(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 0, "broker-a"), nil)
		s.Topic("orders", 4)
		s.consumed("billing", "orders")
		id := s.MQ.ClientIDs("billing")[0]
		s.MQ.Broker("broker-a").Inject(fakemq.Fault{
			Code: remoting.GetConsumerRunningInfo, Fields: map[string]string{"clientId": id},
			Effect: fakemq.Refuse(remoting.SystemError, "The Consumer <billing> <"+id+"> not online"),
		})
		s.round(time.Second)
		s.clock.Advance(retryPause)
		s.Collect() // it is asked behind this one
		s.settleErrands()
		if got, want := failures(s.Collect()), []string{s.MQ.Broker("broker-a").Addr() + " GET_CONSUMER_RUNNING_INFO offline"}; !slices.Equal(got, want) {
			t.Errorf("failures %v, want %v", got, want)
		}
		s.Must(s.MQ.KillConsumer("billing", id))
		s.clock.Advance(retryPause << 2)
		s.noFailures("it has left", s.Collect())
	})
}
