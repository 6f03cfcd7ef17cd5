package direct

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// text is all that is in a value, and in what it points to.
func text(v any) string {
	var out strings.Builder
	writeText(&out, reflect.ValueOf(v))
	return out.String()
}

func writeText(out *strings.Builder, v reflect.Value) {
	if v.CanInterface() {
		if at, ok := reflect.TypeAssert[time.Time](v); ok {
			out.WriteString(at.String() + " ")
			return
		}
	}
	switch v.Kind() { //nolint:exhaustive // the others are printed as they are
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			out.WriteString("nil ")
			return
		}
		writeText(out, v.Elem())
	case reflect.Struct:
		for _, field := range v.Fields() {
			writeText(out, field)
		}
	case reflect.Slice, reflect.Array:
		fmt.Fprintf(out, "%d: ", v.Len())
		for i := range v.Len() {
			writeText(out, v.Index(i))
		}
	case reflect.Map:
		var entries []string
		for key, value := range v.Seq2() {
			var entry strings.Builder
			writeText(&entry, key)
			writeText(&entry, value)
			entries = append(entries, entry.String())
		}
		slices.Sort(entries)
		fmt.Fprintf(out, "%q ", entries)
	default:
		fmt.Fprintf(out, "%v ", v)
	}
}

// TestSnapshotsDoNotChange: readers hold them without a lock while later rounds
// go on, whatever happens in those.
func TestSnapshotsDoNotChange(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := newStage(t, brokers(release, 1, "broker-a", "broker-b"), nil)
		s.Shop()
		var rounds []source.Round
		var texts []string
		collect := func() {
			r := s.Collect()
			rounds = append(rounds, r)
			texts = append(texts, text(r.Snapshots))
		}
		b := s.MQ.Broker("broker-b")
		for _, step := range []func(){
			func() {},
			s.More,
			func() { s.Must(s.MQ.KillConsumer("billing", s.MQ.ClientIDs("billing")[0])) },
			func() { s.Must(s.MQ.KillConsumer("cache", s.MQ.ClientIDs("cache")[0])) },
			func() { s.Consumer("billing", fakemq.Consumer{}); s.Consumer("cache", fakemq.Consumer{}); s.More() },
			func() { b.Inject(fakemq.Fault{Code: remoting.GetTopicStatsInfo, Effect: fakemq.Garble()}) },
			func() { b.Inject(fakemq.Fault{Code: remoting.GetConsumeStats, Effect: fakemq.Garble()}); s.More() },
			b.ClearFaults,
			func() { s.Must(s.MQ.Subscribe("billing", "orders", "audit")) },
			b.Stop,
			s.More,
			func() { s.Restart(b); s.Must(s.MQ.DeleteTopic("audit")) },
			func() { s.Must(s.MQ.DeleteGroup("archive", true)) },
			func() { s.Must(s.MQ.ResizeTopic("orders", 6, 6)); s.more2() },
			s.more2,
		} {
			step()
			collect()
		}
		for i, r := range rounds {
			if text(r.Snapshots) != texts[i] {
				t.Errorf("the snapshot of round %d has changed since", i)
			}
		}
	})
}

// more2 is more without audit and archive.
func (s *stage) more2() {
	s.t.Helper()
	s.Produce("orders", 50)
	s.Consume("billing", "orders", 30)
	s.Produce("notices", 50)
	s.Consume("cache", "notices", 30)
}

// TestCloseEndsEverything, also questions that are under way.
func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	o := brokers(fakemq.Release550, 1, "broker-a", "broker-b")
	o.ClientTimeout = time.Hour
	mq, err := fakemq.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	defer mq.Close()
	for _, err := range []error{
		mq.AddTopic(fakemq.Topic{Name: "orders"}),
		mq.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders"}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		if _, err := mq.AddConsumer("billing", fakemq.Consumer{Mute: true}); err != nil {
			t.Fatal(err)
		}
	}
	src := New(Options{NameServers: mq.NameServers(), OwnerWait: 10 * time.Millisecond})
	src.Collect(t.Context())
	if n := src.asker.pending(); n != 5 {
		t.Fatalf("%d open questions, want 5", n)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	// Goroutines of other tests' sources are told from this one's by its
	// address, which every method of theirs has as receiver.
	self := fmt.Sprintf("(%p", src)
	asker := fmt.Sprintf("(%p", src.asker)
	client := fmt.Sprintf("%p", src.client)
	eventually(t, "no goroutine is left", func() bool {
		buf := make([]byte, 4<<20)
		stacks := string(buf[:runtime.Stack(buf, true)])
		return !strings.Contains(stacks, self) && !strings.Contains(stacks, asker) && !strings.Contains(stacks, client)
	})
	for _, n := range mq.Nodes() {
		eventually(t, n.Name()+" has no connection", func() bool { return n.Connections() == 0 })
	}
	if err := src.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if r := src.Collect(t.Context()); len(r.Failures) == 0 {
		t.Error("a source that was closed reads something")
	}
}

// idling says whether nobody is asking.
func (a *asker) idling() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queues) == 0
}

// TestNothingGrows: topics, groups, processes and brokers come and go for many
// rounds; what is remembered is what lives.
func TestNothingGrows(t *testing.T) {
	t.Parallel()
	names := []string{"broker-a", "broker-b", "broker-c"}
	s := newStage(t, brokers(fakemq.Release550, 0, names...), func(o *Options) { o.ForgetAfter = time.Minute })
	s.Shop()
	node := s.MQ.Broker("broker-c")
	for i := range 50 {
		topic, group := fmt.Sprintf("topic-%d", i), fmt.Sprintf("group-%d", i)
		s.Topic(topic, 2)
		s.Group(fakemq.Group{Name: group, Topics: []string{topic}, Broadcasting: i%3 == 0}, 2)
		s.Produce(topic, 10)
		s.Consume(group, topic, 5)
		id := s.Consumer("billing", fakemq.Consumer{})
		switch i % 10 {
		case 3:
			node.Stop()
			node.Deregister()
		case 7:
			s.Restart(node)
		}
		s.Collect()
		s.Must(s.MQ.DeleteTopic(topic))
		if i%2 == 0 {
			s.Must(s.MQ.DeleteTopic("%RETRY%" + group))
		}
		s.Must(s.MQ.DeleteGroup(group, i%4 == 0))
		s.Must(s.MQ.KillConsumer("billing", id))
		s.clock.Advance(30 * time.Second)
	}
	for range 2 * generation {
		s.Collect()
		s.settlePulses()
	}
	s.clock.Advance(time.Hour) // processes are due to be asked again
	s.Collect()
	eventually(t, "they are asked", func() bool { return s.src.asker.pending() == 0 })
	s.Check("all is as in the beginning")
	eventually(t, "those who ask are done", s.src.asker.idling)

	c := s.src.clusters["c"]
	sizes := map[string]int{
		"clusters": len(s.src.clusters), "brokers": len(c.brokers), "groups": len(c.groups),
		"processes of billing": len(c.groups["billing"].held), "processes of cache": len(c.groups["cache"].held),
		"claimants of billing": len(c.groups["billing"].claiming),
		"open questions":       len(s.src.asker.queued), "awaited": len(s.src.asker.awaited),
		"queues of questions": len(s.src.asker.queues), "answers": len(s.src.asker.answers),
	}
	want := map[string]int{
		"clusters": 1, "brokers": 3, "groups": 3, "processes of billing": 2, "processes of cache": 2,
		"claimants of billing": 2, "open questions": 0, "awaited": 0, "queues of questions": 0, "answers": 0,
	}
	if !reflect.DeepEqual(sizes, want) {
		t.Errorf("remembered: %v\nwant:       %v", sizes, want)
	}
	if n := len(s.src.names.current) + len(s.src.names.last); n > 300 {
		t.Errorf("%d names are remembered", n)
	}
	for _, b := range c.brokers {
		// 3 topics, 3 retry topics, and half of the retry topics of 50 groups.
		if len(b.procs) != 1 || len(b.known.topics.list) > 31 || b.known.groups.len() != 3 || len(b.part.Topics) != 5 {
			t.Errorf("broker %s: %d processes, %d topics, %d groups, %d topics in its part",
				b.name, len(b.procs), len(b.known.topics.list), b.known.groups.len(), len(b.part.Topics))
		}
	}
}
