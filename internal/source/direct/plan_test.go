package direct

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

type counts = map[remoting.RequestCode]int

// wantCounts leaves out 28, which is asked in the background.
func wantCounts(t *testing.T, step string, got, want counts) {
	t.Helper()
	delete(got, remoting.GetBrokerRuntimeInfo)
	if !maps.Equal(got, want) {
		t.Errorf("%s: requests %v, want %v", step, got, want)
	}
}

// TestPlanOfFive: what a round asks of brokers of 5.x: all commits in one, all
// ends in one, one request per group, one per process until its group changes.
func TestPlanOfFive(t *testing.T) {
	t.Parallel()
	o := brokers(fakemq.Release550, 1, "broker-a", "broker-b")
	o.NameServers = 2
	var log seen
	o.Trace = log.trace("topicList", "consumerGroup")
	s := newStage(t, o, nil)
	s.Shop()
	// Only what is asked about groups, not whether a process is there.
	groups := func(lines []string) int {
		return len(asked(lines, " 203 ")) - len(asked(lines, " 203 consumerGroup="+probeGroup))
	}

	w := s.watch()
	s.Check("first round")
	wantCounts(t, "first round", w.of("namesrv-0"), counts{106: 1})
	wantCounts(t, "first round", w.of("namesrv-1"), counts{106: 1})
	for _, b := range []string{"broker-a", "broker-b"} {
		got := w.of(b)
		delete(got, 203) // which broker is asked about a group is not fixed
		delete(got, 307)
		// The second 208 is for the topics of broadcasting groups, whose
		// commits the brokers do not have; from 5.1 on they have a minimum.
		wantCounts(t, b, got, counts{21: 1, 201: 1, 43: 1, 208: 1})
		got = w.of(b + "#1")
		delete(got, 203)
		wantCounts(t, b+"'s slave", got, counts{})
	}
	lines := log.take()
	if n := groups(lines); n < 3 || n > 4 || w.all()[307] != 5 {
		t.Errorf("first round: %d requests for groups and %d for processes; want 3 or 4, and 5", n, w.all()[307])
	}
	for _, line := range lines {
		if node, list, ok := strings.Cut(line, " 208 topicList="); ok {
			list, _, _ = strings.Cut(list, " ")
			topics := strings.Split(list, ";")
			slices.Sort(topics)
			if want := []string{"%RETRY%archive", "%RETRY%billing", "audit", "notices", "orders"}; !slices.Equal(topics, want) {
				t.Errorf("%s: ends asked of %q, want %q", node, topics, want)
			}
			if !strings.Contains(line, "consumerGroup="+probeGroup) {
				t.Errorf("ends asked in whose name: %s", line)
			}
		}
	}

	for _, step := range []string{"second round", "third round"} {
		s.More()
		w = s.watch()
		s.Check(step)
		// 307: only the broadcasting processes, whose commits nobody else knows.
		got := w.all()
		delete(got, 203)
		wantCounts(t, step, got, counts{106: 2, 21: 2, 201: 2, 43: 2, 208: 2, 307: 2})
		if n := groups(log.take()); n != 3 {
			t.Errorf("%s: %d requests for groups, want 3", step, n)
		}
	}
}

// TestPlanOfFour: brokers of 4.x ignore the list of topics. That is found out
// once, and again only when another process answers.
func TestPlanOfFour(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release497, 0, "broker-a"), nil)
	s.Shop()
	w := s.watch()
	s.Check("first round")
	wantCounts(t, "first round", w.all(), counts{106: 1, 21: 1, 201: 1, 43: 1, 208: 1, 202: 5, 203: 3, 307: 5})
	usual := counts{106: 1, 21: 1, 201: 1, 43: 1, 202: 5, 203: 3, 307: 2}
	for _, step := range []string{"second round", "third round"} {
		s.More()
		w = s.watch()
		s.Check(step)
		wantCounts(t, step, w.all(), usual)
	}
	s.MQ.Broker("broker-a").SetRuntime("bootTimestamp", "1700000000000")
	w = s.watch()
	s.clock.Advance(time.Hour) // the process is due to be asked what it is
	for range 2 {              // in the background, at the latest for the next round
		s.Check("the broker was started anew")
		s.settlePulses()
	}
	s.Check("a round later")
	if n := w.all()[208]; n != 1 {
		t.Errorf("the broker was started anew: %d requests in bulk, want 1", n)
	}
}

// TestPlanOfBeginnings: on 5.x beginnings are asked for only where they decide
// something.
func TestPlanOfBeginnings(t *testing.T) {
	t.Parallel()
	var log seen
	o := brokers(fakemq.Release550, 0, "broker-a")
	o.Trace = log.trace("topic")
	s := newStage(t, o, nil)
	s.Shop()
	s.Must(s.MQ.ResizeTopic("audit", 6, 6))
	s.Check("new queues are empty")
	if lines := asked(log.take(), " 202 "); len(lines) > 0 {
		t.Errorf("asked for beginnings: %q", lines)
	}
	s.Must(s.MQ.ProduceTo("audit", "broker-a", 5, 10))
	s.Check("a new queue has messages and no commit")
	if lines := asked(log.take(), " 202 "); !slices.Equal(lines, []string{"broker-a 202 topic=audit"}) {
		t.Errorf("asked for beginnings: %q, want only those of audit", lines)
	}
}

// TestPlanOfQueuesThatNobodyTells: one question per topic and round, and none where
// it would be answered as the one before it was.
func TestPlanOfQueuesThatNobodyTells(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		release fakemq.Release
		fault   fakemq.Fault
		want    int
	}{
		{fakemq.Release497, fakemq.Fault{
			Fields: map[string]string{"topic": "orders"},
			Effect: fakemq.Body([]byte(`{"offsetTable":{}}`)),
		}, 1},
		{fakemq.Release550, fakemq.Fault{
			Effect: fakemq.Body([]byte(`{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"orders"}:{"brokerOffset":9}}}`)),
		}, 1}, // which is the one for all ends
	} {
		t.Run(string(c.release), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, brokers(c.release, 0, "broker-a"), nil)
			s.Shop()
			s.Check("all is told")
			s.Must(s.MQ.ResizeTopic("orders", 4, 2))
			c.fault.Code = remoting.GetConsumeStats
			s.MQ.Broker("broker-a").Inject(c.fault)
			for range 3 {
				w := s.watch()
				s.noFailures("some queues are not told", s.Collect())
				if n := w.all()[remoting.GetConsumeStats]; n != c.want {
					t.Errorf("%d requests of ends by 208, want %d", n, c.want)
				}
			}
		})
	}
}

// TestPlanOfKnownGroups: who is online in them is asked while the broker still
// puts its commits together.
func TestPlanOfKnownGroups(t *testing.T) {
	t.Parallel()
	const groups = 3
	ready := make(chan struct{})
	var asked atomic.Int32
	o := brokers(fakemq.Release497, 0, "broker-a")
	o.Trace = func(_ string, req *remoting.Command) {
		if req.Code == int32(remoting.GetConsumerConnectionList) && asked.Add(1) == 2*groups {
			close(ready)
		}
	}
	s := newStage(t, o, nil)
	s.Shop()
	s.Check("a first round")
	s.MQ.Broker("broker-a").Inject(fakemq.Fault{Code: remoting.GetAllConsumerOffset, Effect: fakemq.Gate(ready)})
	w := s.watch()
	s.More()
	s.Check("commits come after those who are online")
	if got := w.all(); got[203] != groups {
		t.Errorf("requests %v, want one for who is online in each of %d groups", got, groups)
	}
	s.MQ.Broker("broker-a").Stop()
	for _, f := range s.Collect().Failures {
		if f.Step == remoting.GetConsumerConnectionList.String() {
			t.Errorf("of a broker that is down it is said that it does not tell who is online: %+v", f)
		}
	}
}

func asked(lines []string, of string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return !strings.Contains(l, of) })
}

// TestPlanOfManyQueues: one bulk answer must not be of any size.
func TestPlanOfManyQueues(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprint("t", i))
		s.Topic(names[i], 250)
	}
	s.Group(fakemq.Group{Name: "g", Topics: names}, 0)
	for i, name := range names {
		s.Produce(name, 3000)
		for q := range 250 {
			s.Must(s.MQ.Commit("g", name, "broker-a", q, int64(i&1)))
		}
	}
	w := s.watch()
	s.Check("10,000 queues")
	if got := w.all(); got[208] != 8 || got[202] != 0 {
		t.Errorf("requests %v, want 8 for ends in bulk, of 1250 queues each, and none by topic", got)
	}
}
