package fakemq

import (
	"strings"
	"testing"
)

func TestBadOptionsAreAllReported(t *testing.T) {
	_, err := Start(Options{
		NameServers: -1, Release: "3.2", Marks: 1, NameServerAddrs: []string{"nowhere"},
		Clusters: []ClusterOptions{{Brokers: []string{"a", "a", "b c"}, Slaves: -1}, {}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"name servers: -1", `release "3.2"`, "marks 1", `broker "a": given twice`, `broker "b c"`, "-1 slaves",
		`cluster "DefaultCluster": given twice`, "missing port",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

func TestTakenPort(t *testing.T) {
	first := start(t, Options{})
	if mq, err := Start(Options{NameServerAddrs: first.NameServers()}); err == nil || !strings.Contains(err.Error(), "namesrv-0") {
		mq.Close()
		t.Errorf("error %v", err)
	}
}

func TestBadCallsNameWhatIsWrong(t *testing.T) {
	mq := withOrders(t, Options{})
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	must(t, mq.AddGroup(Group{Name: "bc", Topics: []string{"orders"}, Broadcasting: true}))
	id := mustID(t)(mq.AddConsumer("g", Consumer{}))
	second := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		`"or ders"`:                    mq.AddTopic(Topic{Name: "or ders"}),
		`has it already`:               mq.AddTopic(Topic{Name: "orders"}),
		`no broker "nowhere"`:          mq.AddTopic(Topic{Name: "t", Brokers: []string{"nowhere"}}),
		`-1 read and -1 write`:         mq.AddTopic(Topic{Name: "t", Queues: -1}),
		`begin -1`:                     mq.AddTopic(Topic{Name: "t", Begin: -1}),
		`delete topic "t"`:             mq.DeleteTopic("t"),
		`resize topic "t"`:             mq.ResizeTopic("t", 1, 1),
		`-1 read and 1 write`:          mq.ResizeTopic("orders", -1, 1),
		`there is one`:                 mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}),
		`one of its topics t`:          mq.AddGroup(Group{Name: "h", Topics: []string{"t"}}),
		`add consumer: no group "h"`:   second(mq.AddConsumer("h", Consumer{})),
		`only broadcasting groups`:     second(mq.AddConsumer("g", Consumer{ID: id})),
		`missing port`:                 second(mq.AddConsumer("g", Consumer{Addr: "here"})),
		`no process "x"`:               mq.KillConsumer("g", "x"),
		`topic "t": no broker has it`:  mq.Produce("t", 1),
		`-1 messages`:                  mq.Produce("orders", -1),
		`queue 4: there are 0 to 3`:    mq.ProduceTo("orders", "broker-a", 4, 1),
		`offset 9: allowed are 0 to 0`: mq.Expire("orders", "broker-a", 0, 9),
		`commit: no group "h"`:         mq.Commit("h", "orders", "broker-a", 0, 0),
		`is broadcasting`:              mq.Commit("bc", "orders", "broker-a", 0, 0),
		`is clustering`:                mq.CommitLocal("g", id, "orders", "broker-a", 0, 0),
		`has no topic "t"`:             mq.Commit("g", "t", "broker-a", 0, 0),
		`does not subscribe`:           second(mq.Consume("g", "payments", 1)),
		`has no process`:               second(mq.Consume("bc", "orders", 1)),
		`drop queue of group "h"`:      mq.DropQueue("h", "orders", "broker-a", 0),
		`delete group "h"`:             mq.DeleteGroup("h", false),
		`subscribe: no group "h"`:      mq.Subscribe("h", "orders"),
		`level 19`:                     mq.Delay("broker-a", 19, 0, 0),
		`dead letters of group "h"`:    mq.DeadLetter("h", "broker-a", 1),
		`there is no "x"`:              mq.KillProducer("x"),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
