package sourcetest

import (
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// story is something that happens to a cluster while it is read.
type story struct {
	name      string
	options   fakemq.Options
	selection source.Selection
	play      func(s *Stage)
}

func twoBrokers() fakemq.Options {
	return fakemq.Options{Clusters: []fakemq.ClusterOptions{{Brokers: []string{"broker-a", "broker-b"}}}}
}

func stories() []story {
	system := fakemq.Options{Clusters: []fakemq.ClusterOptions{{Name: "shop", Brokers: []string{"broker-a"}}}}
	return []story{
		{name: "empty cluster", play: func(s *Stage) { s.Check("nothing was ever consumed") }},
		{name: "quiet", options: twoBrokers(), play: quiet},
		{name: "falling behind", options: twoBrokers(), play: fallingBehind},
		{name: "rebalance", options: twoBrokers(), play: rebalance},
		{name: "a queue that nobody holds", options: twoBrokers(), play: unowned},
		{name: "dead consumer", options: twoBrokers(), play: deadConsumer},
		{name: "two groups in one process", options: twoBrokers(), play: sharedProcess},
		{name: "broadcasting, all consumed", options: twoBrokers(), play: broadcastConsumed},
		{name: "broadcasting, one process behind", options: twoBrokers(), play: broadcastBehind},
		{name: "broadcasting, offline", options: twoBrokers(), play: broadcastOffline},
		{name: "broadcasting, two processes of one name", options: twoBrokers(), play: broadcastOneName},
		{name: "broadcasting, clustering before", options: twoBrokers(), play: broadcastFormerLife},
		{name: "retry and dead letters", options: twoBrokers(), play: retryAndDeadLetters},
		{name: "a topic left", options: twoBrokers(), play: topicLeft},
		{name: "topic deleted", options: twoBrokers(), play: topicDeleted},
		{name: "group deleted", options: twoBrokers(), play: groupDeleted},
		{name: "topic made larger", options: twoBrokers(), play: topicGrows},
		{name: "topic drained before it shrinks", options: twoBrokers(), play: topicDrains},
		{name: "topic drained before it is deleted", options: twoBrokers(), play: topicIsEmptied},
		{name: "topic that nobody may read", options: twoBrokers(), play: topicUnread},
		{name: "uncommitted", play: uncommitted},
		{name: "commits beyond the end", play: ahead},
		{name: "odd names", options: twoBrokers(), play: oddNames},
		{name: "Go clients", options: twoBrokers(), play: goClients},
		{name: "system left out", options: system, play: systemTopics},
		{name: "system asked for", options: system, selection: source.Selection{System: true}, play: systemTopics},
		{name: "ignored topics", options: twoBrokers(), selection: source.Selection{IgnoredTopics: []string{"audit", "%RETRY%billing"}}, play: ignored},
		{name: "topics on some brokers", options: fakemq.Options{Clusters: []fakemq.ClusterOptions{{
			Brokers: []string{"broker-a", "broker-b", "broker-c"},
		}}}, play: spread},
		{name: "several clusters", options: fakemq.Options{Clusters: []fakemq.ClusterOptions{
			{Name: "east", Brokers: []string{"east-a", "east-b"}}, {Name: "west", Brokers: []string{"west-a"}},
		}}, play: severalClusters},
		{name: "slaves", options: fakemq.Options{Clusters: []fakemq.ClusterOptions{{
			Brokers: []string{"broker-a", "broker-b"}, Slaves: 2,
		}}}, play: quiet},
		{name: "two name servers", options: fakemq.Options{NameServers: 2, Clusters: twoBrokers().Clusters}, play: twoNameServers},
		{name: "binary headers", options: fakemq.Options{BinaryHeaders: true}, play: quiet},
	}
}

// cast is the usual one: billing consumes orders with two processes, archive
// audit with one. All is consumed.
func cast(s *Stage) []string {
	s.Topic("orders", 4)
	s.Topic("audit", 3)
	ids := s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 2)
	s.Group(fakemq.Group{Name: "archive", Topics: []string{"audit"}}, 1)
	s.Produce("orders", 1000)
	s.Produce("audit", 500)
	s.Consume("billing", "orders", 1000)
	s.Consume("archive", "audit", 500)
	return ids
}

func quiet(s *Stage) {
	cast(s)
	r := s.Check("all is consumed")
	if n := s.RowsOf("all is consumed", r).Total(); n != 0 {
		s.tb.Errorf("backlog of a cluster at rest: %d", n)
	}
	s.Check("nothing happened since")
}

func fallingBehind(s *Stage) {
	cast(s)
	s.Check("all is consumed")
	for _, n := range []int64{900, 600, 0} {
		s.Produce("orders", 1001)
		s.Consume("billing", "orders", n)
		s.Check("more came than was consumed")
	}
	s.Consume("billing", "orders", 100_000)
	s.Check("caught up")
}

func rebalance(s *Stage) {
	ids := cast(s)
	s.Produce("orders", 803)
	s.Check("two processes")
	s.Must(s.MQ.KillConsumer("billing", ids[0]))
	r := s.Check("one was killed")
	if n := len(s.GroupOf(r, "billing").Clients); n != 1 {
		s.tb.Errorf("processes after one was killed: %d, want 1", n)
	}
	s.Consumer("billing", fakemq.Consumer{})
	s.Consumer("billing", fakemq.Consumer{})
	s.Check("two joined")
	s.Consume("billing", "orders", 500)
	s.Check("they consume")
}

func unowned(s *Stage) {
	cast(s)
	s.Produce("orders", 99)
	s.Check("all queues are held")
	s.Must(s.MQ.DropQueue("billing", "orders", "broker-b", 2))
	// The source cannot know before it asks again: a process that joins
	// makes it ask, and gives the queue a holder.
	s.Consumer("billing", fakemq.Consumer{})
	s.Must(s.MQ.DropQueue("billing", "orders", "broker-a", 1))
	s.Check("a queue has no holder")
}

func deadConsumer(s *Stage) {
	ids := cast(s)
	s.Produce("orders", 400)
	s.Check("online")
	for _, id := range ids {
		s.Must(s.MQ.KillConsumer("billing", id))
	}
	r := s.Check("offline keeps its backlog")
	if g := s.GroupOf(r, "billing"); !g.Known || len(g.Clients) > 0 {
		s.tb.Errorf("offline group: known %t, %d processes", g.Known, len(g.Clients))
	}
	s.Produce("orders", 77)
	s.Check("its backlog grows")
	s.Consumer("billing", fakemq.Consumer{})
	s.Consume("billing", "orders", 100)
	s.Check("it is back")
}

func sharedProcess(s *Stage) {
	cast(s)
	s.Consumer("billing", fakemq.Consumer{IP: "10.9.9.9", PID: 4711})
	s.Consumer("archive", fakemq.Consumer{IP: "10.9.9.9", PID: 4711})
	s.Produce("orders", 333)
	s.Produce("audit", 222)
	s.Check("one process in two groups")
}

func broadcast(s *Stage, processes int) []string {
	s.Topic("notices", 4)
	return s.Group(fakemq.Group{Name: "cache", Topics: []string{"notices"}, Broadcasting: true}, processes)
}

func broadcastConsumed(s *Stage) {
	cast(s)
	broadcast(s, 3)
	for range 3 {
		s.Produce("notices", 100)
		s.Consume("cache", "notices", 100)
		r := s.Check("all is consumed")
		if n := s.RowsOf("all is consumed", r).Only(ofGroup("cache")).Total(); n != 0 {
			s.tb.Errorf("backlog of a broadcasting group that has consumed all: %d", n)
		}
		if m := s.GroupOf(r, "cache").Model; m != model.Broadcasting {
			s.tb.Errorf("message model %q", m)
		}
	}
}

func ofGroup(name string) func(Labels) bool {
	return func(l Labels) bool { return l.Group == name }
}

func broadcastBehind(s *Stage) {
	ids := broadcast(s, 2)
	s.Produce("notices", 100)
	s.Consume("cache", "notices", 100)
	s.Must(s.MQ.CommitLocal("cache", ids[1], "notices", "broker-b", 3, 2))
	s.Check("one process is behind in one queue")
	s.Produce("notices", 8)
	s.Check("both have more to come")
	s.Must(s.MQ.KillConsumer("cache", ids[1]))
	s.Check("the slower one has gone")
	s.Consumer("cache", fakemq.Consumer{})
	s.Check("one joined, which starts at the beginning")
}

func broadcastOffline(s *Stage) {
	ids := broadcast(s, 2)
	s.Produce("notices", 100)
	s.Consume("cache", "notices", 60)
	s.Check("online")
	for _, id := range ids {
		s.Must(s.MQ.KillConsumer("cache", id))
	}
	s.Produce("notices", 50)
	s.Check("offline it has no backlog")
	s.Check("nor later")
}

// broadcastOneName: two processes on one host share their client id, and
// brokers ask only one of them.
func broadcastOneName(s *Stage) {
	broadcast(s, 0)
	for range 2 {
		s.Consumer("cache", fakemq.Consumer{IP: "10.0.0.1"})
	}
	s.Produce("notices", 100)
	s.Consume("cache", "notices", 100)
	r := s.Check("both have consumed all")
	if n := len(s.GroupOf(r, "cache").Clients); n != 2 {
		s.tb.Errorf("processes: %d, want 2", n)
	}
}

func retryAndDeadLetters(s *Stage) {
	cast(s)
	s.Must(s.MQ.ProduceTo("%RETRY%billing", "broker-a", 0, 12))
	s.Must(s.MQ.DeadLetter("billing", "broker-b", 5))
	r := s.Check("messages wait for a further try")
	if n := s.RowsOf("retry", r).Only(func(l Labels) bool { return l.Topic == "%RETRY%billing" }).Total(); n != 12 {
		s.tb.Errorf("backlog of the retry topic: %d, want 12", n)
	}
	s.Consume("billing", "%RETRY%billing", 7)
	s.Check("some were tried again")
	// Somebody who looks after dead letters commits on their topic: that is
	// still no backlog.
	s.Group(fakemq.Group{Name: "undertaker", Topics: []string{"%DLQ%billing"}}, 1)
	s.Consume("undertaker", "%DLQ%billing", 2)
	r = s.Check("dead letters are read")
	for l := range s.RowsOf("dead letters", r) {
		if strings.HasPrefix(l.Topic, "%DLQ%") {
			s.tb.Errorf("a dead-letter topic has a row: %v", l)
		}
	}
}

func topicLeft(s *Stage) {
	ids := cast(s)
	s.Topic("returns", 2)
	s.Must(s.MQ.Subscribe("billing", "orders", "returns"))
	s.Produce("returns", 60)
	s.Consume("billing", "returns", 20)
	s.Check("two topics")
	s.Must(s.MQ.Subscribe("billing", "orders"))
	s.Check("one was left")
	for _, id := range ids {
		s.Must(s.MQ.KillConsumer("billing", id))
	}
	s.Check("offline nobody knows that it was left")
}

func topicDeleted(s *Stage) {
	cast(s)
	s.Produce("audit", 100)
	s.Check("two topics")
	s.Must(s.MQ.DeleteTopic("audit"))
	s.Check("one was deleted")
	s.Topic("audit", 2)
	s.Produce("audit", 10)
	s.Check("it was made anew")
	s.Consume("archive", "audit", 4)
	s.Check("and is consumed")
	s.Must(s.MQ.DeleteTopic("orders"))
	s.Must(s.MQ.DeleteTopic("audit"))
	s.Check("all were deleted")
}

func groupDeleted(s *Stage) {
	cast(s)
	s.Produce("orders", 100)
	s.Produce("audit", 100)
	s.Check("two groups")
	s.Must(s.MQ.DeleteGroup("archive", false))
	r := s.Check("one was deleted, its commits stay")
	for _, g := range s.Snapshot(r, "DefaultCluster").Groups {
		if g.Name == "archive" {
			s.tb.Error("a deleted group is still there")
		}
	}
	s.Must(s.MQ.DeleteGroup("billing", true))
	s.Check("the other with its commits")
}

func topicGrows(s *Stage) {
	cast(s)
	s.Produce("orders", 64)
	s.Check("four queues")
	s.Must(s.MQ.ResizeTopic("orders", 6, 6))
	s.Produce("orders", 120)
	s.Consumer("billing", fakemq.Consumer{}) // makes the group deal the queues anew
	s.Check("six queues, two of them not committed yet")
	s.Consume("billing", "orders", 90)
	s.Check("they are consumed")
}

func topicDrains(s *Stage) {
	cast(s)
	s.Produce("orders", 80)
	s.Must(s.MQ.ResizeTopic("orders", 4, 2))
	s.Produce("orders", 40)
	s.Check("queues that only consumers use still count")
	s.Consume("billing", "orders", 70)
	s.Check("they are consumed")
	s.Must(s.MQ.ResizeTopic("orders", 2, 2))
	s.Check("they are gone")
	broadcast(s, 2)
	s.Produce("notices", 80)
	s.Must(s.MQ.ResizeTopic("notices", 4, 1))
	s.Consume("cache", "notices", 30)
	s.Check("a broadcast topic drains")
}

// topicIsEmptied: nobody may write to a topic any more, first on one broker and
// then on all.
func topicIsEmptied(s *Stage) {
	cast(s)
	broadcast(s, 2)
	s.Produce("orders", 80)
	s.Produce("notices", 80)
	for _, topic := range []string{"orders", "notices"} {
		s.Must(s.MQ.ResizeTopic(topic, 4, 0, "broker-a"))
		s.Check(topic + " takes no message on one broker")
		s.Must(s.MQ.ResizeTopic(topic, 4, 0))
		s.Check(topic + " takes no message")
	}
	s.Consume("billing", "orders", 30)
	s.Consume("cache", "notices", 30)
	s.Check("some is consumed")
	s.Must(s.MQ.ResizeTopic("orders", 8, 0))
	s.Check("queues that never had a message")
	s.Consume("billing", "orders", 50)
	s.Consume("cache", "notices", 50)
	s.Check("all is consumed")
	s.Must(s.MQ.ResizeTopic("orders", 4, 4))
	s.Produce("orders", 80)
	s.Check("it is used again")
	s.Must(s.MQ.DeleteTopic("orders"))
	s.Check("it is deleted")
}

// topicUnread: without a queue to read there is nothing to be behind on.
func topicUnread(s *Stage) {
	cast(s)
	s.Produce("orders", 80)
	s.Must(s.MQ.ResizeTopic("orders", 0, 4, "broker-a"))
	s.Check("on one broker")
	s.Must(s.MQ.ResizeTopic("orders", 0, 4))
	s.Produce("orders", 80)
	s.Check("on none")
	s.Must(s.MQ.ResizeTopic("orders", 4, 4))
	s.Check("it is read again")
}

func uncommitted(s *Stage) {
	s.Topic("orders", 4)
	s.Must(s.MQ.AddTopic(fakemq.Topic{Name: "old", Queues: 4, Begin: 100}))
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders", "old"}}, 0)
	s.Produce("orders", 40)
	s.Produce("old", 40)
	s.Must(s.MQ.Commit("billing", "orders", "broker-a", 0, 3))
	s.Must(s.MQ.Commit("billing", "old", "broker-a", 0, 103))
	r := s.Check("offline")
	if n := Uncommitted(r, "orders", "billing"); n != 0 {
		s.tb.Errorf("orders: %d queues that nobody knows the start of, want 0", n)
	}
	if n := Uncommitted(r, "old", "billing"); n != 3 {
		s.tb.Errorf("old: %d queues that nobody knows the start of, want 3", n)
	}
	s.Must(s.MQ.Expire("orders", "broker-a", 2, 4))
	r = s.Check("retention has moved a beginning")
	if n := Uncommitted(r, "orders", "billing"); n != 1 {
		s.tb.Errorf("orders: %d queues that nobody knows the start of, want 1", n)
	}
	s.Consumer("billing", fakemq.Consumer{})
	s.Check("online")
	s.Consume("billing", "orders", 1000)
	s.Consume("billing", "old", 1000)
	s.Check("all is committed")
}

func ahead(s *Stage) {
	cast(s)
	s.Must(s.MQ.Commit("billing", "orders", "broker-a", 1, 1_000_000))
	s.Produce("orders", 10)
	s.Check("a commit lies beyond the end")
	s.Must(s.MQ.Commit("billing", "orders", "broker-a", 1, 0))
	s.Check("it went back to the beginning")
}

// oddNames has every character that RocketMQ lets into names (topics and
// groups: TopicValidator), and what applications choose as instance names.
func oddNames(s *Stage) {
	const topic, group = "ns%orders|v-2_%", "ns%bill|ing-_%1"
	s.Topic(topic, 3)
	s.Must(s.MQ.AddGroup(fakemq.Group{Name: group, Topics: []string{topic}}))
	s.Consumer(group, fakemq.Consumer{IP: "主机 one", Instance: "工作 {1}, 'a'=b"})
	s.Consumer(group, fakemq.Consumer{IP: "fe80::1%eth0", PID: 7, Unit: "unit 1"})
	s.Consumer(group, fakemq.Consumer{ID: "neither-at-nor-number"})
	s.Produce(topic, 100)
	s.Consume(group, topic, 31)
	s.Check("odd names")
}

func goClients(s *Stage) {
	cast(s)
	broadcast(s, 0)
	for _, group := range []string{"billing", "cache"} {
		for range 2 {
			s.Consumer(group, fakemq.Consumer{Language: "GO", Version: 317})
		}
	}
	s.Produce("orders", 100)
	s.Produce("notices", 100)
	s.Consume("cache", "notices", 40)
	r := s.Check("a mixed company")
	for _, c := range s.GroupOf(r, "cache").Clients {
		if c.Language != "GO" || c.Version != 317 {
			s.tb.Errorf("client %s: language %q, version %d", c.ID, c.Language, c.Version)
		}
	}
}

func systemTopics(s *Stage) {
	cast(s)
	s.Must(s.MQ.AddGroup(fakemq.Group{Name: "CID_RMQ_SYS_STORY", Topics: []string{"orders", "RMQ_SYS_TRANS_HALF_TOPIC"}}))
	s.Must(s.MQ.AddGroup(fakemq.Group{Name: "curious", Topics: []string{
		"orders", "TBW102", "shop", "shop_REPLY_TOPIC", "broker-a", "SCHEDULE_TOPIC_XXXX",
	}}))
	for _, group := range []string{"CID_RMQ_SYS_STORY", "curious"} {
		s.Consumer(group, fakemq.Consumer{})
	}
	for _, topic := range []string{"RMQ_SYS_TRANS_HALF_TOPIC", "TBW102", "shop", "shop_REPLY_TOPIC", "broker-a", "SCHEDULE_TOPIC_XXXX"} {
		s.Produce(topic, 40)
		group := "curious"
		if topic == "RMQ_SYS_TRANS_HALF_TOPIC" {
			group = "CID_RMQ_SYS_STORY"
		}
		s.Consume(group, topic, 40)
		s.Produce(topic, 7)
	}
	s.Check("what RocketMQ keeps for itself")
}

func ignored(s *Stage) {
	cast(s)
	s.Produce("orders", 100)
	s.Produce("audit", 100)
	r := s.Check("a topic is ignored")
	for l := range s.RowsOf("ignored", r) {
		if l.Topic == "audit" || l.Topic == "%RETRY%billing" {
			s.tb.Errorf("an ignored topic has a row: %v", l)
		}
	}
}

func spread(s *Stage) {
	s.Topic("orders", 2, "broker-a", "broker-b")
	s.Topic("audit", 3, "broker-c")
	s.Topic("returns", 1)
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders", "returns"}}, 2)
	s.Group(fakemq.Group{Name: "archive", Topics: []string{"audit"}}, 1)
	s.Group(fakemq.Group{Name: "both", Topics: []string{"audit", "orders"}}, 3)
	for i, topic := range []string{"orders", "audit", "returns"} {
		s.Produce(topic, int64(100*(i+1)))
	}
	s.Consume("billing", "orders", 30)
	s.Consume("billing", "returns", 40)
	s.Consume("archive", "audit", 50)
	s.Consume("both", "audit", 60)
	s.Consume("both", "orders", 70)
	s.Check("every broker has something else")
}

func severalClusters(s *Stage) {
	s.Topic("orders", 2)
	s.Topic("audit", 3, "west-a")
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 2)
	s.Group(fakemq.Group{Name: "archive", Topics: []string{"audit"}, Brokers: []string{"west-a"}}, 1)
	s.Produce("orders", 100)
	s.Produce("audit", 50)
	s.Consume("billing", "orders", 60)
	s.Consume("archive", "audit", 20)
	r := s.Check("two clusters")
	if len(r.Snapshots) != 2 || r.Snapshots[0].Cluster != "east" || r.Snapshots[1].Cluster != "west" {
		s.tb.Fatalf("%d snapshots, want those of east and west", len(r.Snapshots))
	}
	if n := len(r.Snapshots[0].Groups); n != 1 {
		s.tb.Errorf("groups of east: %d, want 1", n)
	}
}

// twoNameServers: one is down, then it is back and knows no broker yet.
func twoNameServers(s *Stage) {
	cast(s)
	s.Produce("orders", 100)
	ns := s.MQ.NameServer(0)
	ns.Stop()
	for range 2 {
		s.Consume("billing", "orders", 30)
		s.Compare("one is down", s.Collect(), s.Truth())
	}
	fresh := ns.Inject(fakemq.Fault{Effect: fakemq.Body([]byte(`{"brokerAddrTable":{},"clusterAddrTable":{}}`))})
	s.Restart(ns)
	s.Consume("billing", "orders", 10)
	s.Compare("one is fresh and empty", s.Collect(), s.Truth())
	fresh.Remove()
	s.Produce("orders", 20)
	s.Compare("both are well", s.Collect(), s.Truth())
}

// broadcastFormerLife: a group that once was clustering has left commits at the
// brokers, from which the difference only grows.
func broadcastFormerLife(s *Stage) {
	s.Topic("notices", 4)
	s.Group(fakemq.Group{Name: "cache", Topics: []string{"notices"}}, 1)
	s.Produce("notices", 100)
	s.Consume("cache", "notices", 40)
	s.Check("clustering")
	s.Must(s.MQ.DeleteGroup("cache", false))
	ids := s.Group(fakemq.Group{Name: "cache", Topics: []string{"notices"}, Broadcasting: true}, 2)
	s.Consume("cache", "notices", 90)
	s.Check("broadcasting")
	for _, id := range ids {
		s.Must(s.MQ.KillConsumer("cache", id))
	}
	s.Produce("notices", 50)
	s.Check("offline it has no backlog")
}
