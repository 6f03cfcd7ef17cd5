package fakemq

import (
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// withShop is a cluster of two brokers with a clustering group of two
// processes, a broadcasting one, and one that is offline.
func withShop(t testing.TB, o Options) *Cluster {
	t.Helper()
	o.Clusters = []ClusterOptions{{Name: "shop", Brokers: []string{"broker-a", "broker-b"}, Slaves: 1}}
	mq := start(t, o)
	for _, topic := range []string{"orders", "notices"} {
		must(t, mq.AddTopic(Topic{Name: topic, Queues: 2}))
		must(t, mq.Produce(topic, 400))
	}
	for _, g := range []Group{
		{Name: "billing", Topics: []string{"orders"}},
		{Name: "cache", Topics: []string{"notices"}, Broadcasting: true},
		{Name: "report", Topics: []string{"orders"}},
	} {
		must(t, mq.AddGroup(g))
	}
	mustID(t)(mq.AddConsumer("billing", Consumer{ID: "10.0.0.1@1#7"}))
	mustID(t)(mq.AddConsumer("billing", Consumer{ID: "10.0.0.2@2#7"}))
	mustID(t)(mq.AddConsumer("cache", Consumer{ID: "10.0.0.3@DEFAULT"}))
	for _, broker := range []string{"broker-a", "broker-b"} {
		must(t, mq.Commit("billing", "orders", broker, 0, 60))
		must(t, mq.Commit("report", "orders", broker, 1, 10))
	}
	return mq
}

func bothConsoles(t *testing.T, test func(t *testing.T, r ConsoleRelease)) {
	t.Helper()
	for _, r := range []ConsoleRelease{Console100, Console211} {
		t.Run(string(r), func(t *testing.T) { test(t, r) })
	}
}

// addresses are those that 2.x wants to be told.
func masters(mq *Cluster) string {
	return mq.Broker("broker-a").Addr() + "," + mq.Broker("broker-b").Addr()
}

func TestConsoleTellsTheTruth(t *testing.T) {
	bothConsoles(t, func(t *testing.T, r ConsoleRelease) {
		mq := withShop(t, Options{})
		must(t, mq.DropQueue("billing", "orders", "broker-b", 1))
		b := browse(t, startConsole(t, mq, ConsoleOptions{Release: r}))
		type key struct {
			group, topic, broker string
			queue                int
		}
		found := map[key]queueProgress{}
		for _, group := range []string{"billing", "report"} {
			var list []progress
			b.data(&list, "/consumer/queryTopicByConsumer.query", "consumerGroup", group, "address", masters(mq))
			for _, p := range list {
				for _, q := range p.QueueStatInfoList {
					found[key{group, p.Topic, q.BrokerName, q.QueueID}] = q
				}
			}
			var byTopic map[string]progress
			b.data(&byTopic, "/topic/queryConsumerByTopic.query", "topic", "orders")
			if n := len(byTopic[group].QueueStatInfoList); n != 4 {
				t.Errorf("%d queues of orders for %s, want 4", n, group)
			}
			for _, q := range byTopic[group].QueueStatInfoList {
				other := found[key{group, "orders", q.BrokerName, q.QueueID}]
				if q.client() != other.client() || q.BrokerOffset != other.BrokerOffset || q.ConsumerOffset != other.ConsumerOffset {
					t.Errorf("%s: by topic %+v, by group %+v", group, q, other)
				}
			}
		}
		for _, row := range mq.Backlog() {
			if row.Broadcast {
				continue
			}
			q, ok := found[key{row.Group, row.Topic, row.Broker, row.Queue}]
			if !ok || q.BrokerOffset != row.End || q.ConsumerOffset != max(row.Committed, 0) || q.client() != row.ClientID {
				t.Errorf("console says %+v (client %q), the truth is %+v", q, q.client(), row)
			}
			delete(found, key{row.Group, row.Topic, row.Broker, row.Queue})
		}
		if len(found) > 0 {
			t.Errorf("the console has besides: %v", found)
		}
	})
}

func TestConsoleTellsBeginnings(t *testing.T) {
	bothConsoles(t, func(t *testing.T, r ConsoleRelease) {
		mq := withShop(t, Options{})
		must(t, mq.AddTopic(Topic{Name: "old", Queues: 1, Brokers: []string{"broker-b"}, Begin: 70}))
		must(t, mq.Produce("old", 3))
		b := browse(t, startConsole(t, mq, ConsoleOptions{Release: r}))
		var table struct {
			OffsetTable map[string]struct{ MinOffset, MaxOffset, LastUpdateTimestamp int64 }
		}
		b.data(&table, "/topic/stats.query", "topic", "old")
		q := table.OffsetTable["MessageQueue [topic=old, brokerName=broker-b, queueId=0]"]
		if len(table.OffsetTable) != 1 || q.MinOffset != 70 || q.MaxOffset != 73 || q.LastUpdateTimestamp == 0 {
			t.Errorf("%+v", table)
		}
		for _, path := range []string{"/topic/stats.query", "/topic/route.query"} {
			if msg := b.refused(path, "topic", "nosuch"); !strings.Contains(msg, "CODE: 17") {
				t.Errorf("%s: %s", path, msg)
			}
		}
		must(t, mq.ResizeTopic("old", 0, 0))
		if msg := b.refused("/topic/stats.query", "topic", "old"); !strings.Contains(msg, "MQClientException: Not found the topic stats info") {
			t.Errorf("no queue: %s", msg)
		}
	})
}

// A topic comes once for each broker that 2.x was told, and once in 1.0.0.
func TestConsoleListsTopicsPerBroker(t *testing.T) {
	bothConsoles(t, func(t *testing.T, r ConsoleRelease) {
		mq := withShop(t, Options{})
		b := browse(t, startConsole(t, mq, ConsoleOptions{Release: r}))
		var list []progress
		b.data(&list, "/consumer/queryTopicByConsumer.query", "consumerGroup", "report", "address", masters(mq))
		want := 1
		if r.two() {
			want = 2
		}
		if len(list) != want {
			t.Errorf("%d entries, want %d: %+v", len(list), want, list)
		}
	})
}

func TestConsoleMustBeToldAddresses(t *testing.T) {
	mq := withShop(t, Options{})
	b := browse(t, startConsole(t, mq, ConsoleOptions{}))
	for _, path := range []string{"/consumer/queryTopicByConsumer.query", "/consumer/consumerConnection.query"} {
		for want, address := range map[string][]string{
			"is null":             nil,
			"connect to  failed":  {"address", ""},
			"connect to x failed": {"address", "x"},
		} {
			if msg := b.refused(path, append([]string{"consumerGroup", "billing"}, address...)...); !strings.Contains(msg, want) {
				t.Errorf("%s %v: %s", path, address, msg)
			}
		}
	}
}

func TestConsoleRefuses(t *testing.T) {
	bothConsoles(t, func(t *testing.T, r ConsoleRelease) {
		mq := withShop(t, Options{})
		b := browse(t, startConsole(t, mq, ConsoleOptions{Release: r}))
		for _, call := range [][]string{
			{"CODE: 17  DESC", "/topic/queryConsumerByTopic.query", "topic", "%SYS%TBW102"},
			{"'topic'", "/topic/queryConsumerByTopic.query"},
			{"'consumerGroup'", "/consumer/queryTopicByConsumer.query"},
			{"CODE: 206  DESC: the consumer group[report] not online BROKER: ", "/consumer/consumerConnection.query", "consumerGroup", "report", "address", masters(mq)},
			{"'jstack'", "/consumer/consumerRunningInfo.query", "consumerGroup", "billing", "clientId", "10.0.0.1@1#7"},
			{"CODE: 1  DESC: The Consumer <billing> <x> not online", "/consumer/consumerRunningInfo.query", "consumerGroup", "billing", "clientId", "x", "jstack", "false"},
		} {
			if msg := b.refused(call[1], call[2:]...); !strings.Contains(msg, call[0]) {
				t.Errorf("%v: %s", call[1:], msg)
			}
		}
		if got := b.get("/nothing.query"); got.code != http.StatusNotFound || !strings.HasPrefix(got.head.Get("Content-Type"), "text/html") {
			t.Errorf("wrong path: %+v", got)
		}
	})
}

func TestConsoleOfABrokenCluster(t *testing.T) {
	bothConsoles(t, func(t *testing.T, r ConsoleRelease) {
		mq := withShop(t, Options{})
		b := browse(t, startConsole(t, mq, ConsoleOptions{Release: r}))
		down := mq.Broker("broker-b")
		down.Stop()
		if msg := b.refused("/cluster/list.query"); !strings.Contains(msg, "connect to "+down.Addr()+" failed") {
			t.Errorf("cluster list: %s", msg)
		}
		var byTopic map[string]progress
		b.data(&byTopic, "/topic/queryConsumerByTopic.query", "topic", "orders")
		if p, ok := byTopic["billing"]; !ok || p.DiffTotal != 0 || p.QueueStatInfoList == nil || len(p.QueueStatInfoList) > 0 {
			t.Errorf("a group whose broker is down: %+v", byTopic)
		}
		down.Deregister()
		mq.BrokerID("broker-b", 1).Deregister()
		b.data(&byTopic, "/topic/queryConsumerByTopic.query", "topic", "orders")
		if n := len(byTopic["billing"].QueueStatInfoList); n != 2 {
			t.Errorf("%d queues once the broker is gone, want 2", n)
		}
		mq.NameServer(0).Stop()
		if msg := b.refused("/topic/list.query"); !strings.Contains(msg, "connect to null failed") {
			t.Errorf("no name server: %s", msg)
		}
	})
}

// The first process that does not answer hides itself and those behind it.
func TestConsoleOfAMuteProcess(t *testing.T) {
	bothConsoles(t, func(t *testing.T, r ConsoleRelease) {
		mq := withShop(t, Options{ClientTimeout: 20 * time.Millisecond})
		mute := mustID(t)(mq.AddConsumer("billing", Consumer{ID: "10.0.0.9@9#9", Mute: true}))
		b := browse(t, startConsole(t, mq, ConsoleOptions{Release: r}))
		begun := time.Now()
		var byTopic map[string]progress
		b.data(&byTopic, "/topic/queryConsumerByTopic.query", "topic", "orders")
		if took := time.Since(begun); took < 20*time.Millisecond {
			t.Errorf("it took %v, less than the wait for the process", took)
		}
		var clients []string
		for _, q := range byTopic["billing"].QueueStatInfoList {
			clients = append(clients, q.client())
		}
		if want := []string{"10.0.0.1@1#7", "10.0.0.1@1#7", "10.0.0.2@2#7", ""}; !slices.Equal(clients, want) {
			t.Errorf("clients %q, want %q", clients, want)
		}
		msg := b.refused("/consumer/consumerRunningInfo.query", "consumerGroup", "billing", "clientId", mute, "jstack", "false")
		if !strings.Contains(msg, "RemotingTimeoutException") {
			t.Errorf("running info: %s", msg)
		}
	})
}

func TestConsoleKeepsItsListOfGroups(t *testing.T) {
	mq := withShop(t, Options{})
	b := browse(t, startConsole(t, mq, ConsoleOptions{}))
	list := func(path string, params ...string) (names []string) {
		var groups []struct{ Group string }
		b.data(&groups, path, params...)
		for _, g := range groups {
			names = append(names, g.Group)
		}
		return names
	}
	const query, refresh = "/consumer/groupList.query", "/consumer/group.refresh.all"
	if names := list(query, "skipSysGroup", "true"); !slices.Contains(names, "TOOLS_CONSUMER") || names[0] != "billing" {
		t.Errorf("skipping system groups, which skips none: %v", names)
	}
	must(t, mq.AddGroup(Group{Name: "new", Topics: []string{"orders"}}))
	if names := list(query); slices.Contains(names, "new") || !slices.Contains(names, "%SYS%TOOLS_CONSUMER") {
		t.Errorf("from the cache: %v", names)
	}
	if names := list(query, "skipSysGroup", "true"); !slices.Contains(names, "%SYS%TOOLS_CONSUMER") {
		t.Errorf("the prefix went: %v", names)
	}
	if names := list(refresh, "address", ""); !slices.Contains(names, "new") {
		t.Errorf("refreshed: %v", names)
	}
	old := browse(t, startConsole(t, mq, ConsoleOptions{Release: Console100}))
	if r := old.get(refresh); r.code != http.StatusNotFound {
		t.Errorf("1.0.0 refreshes: %+v", r)
	}
}

func TestConsoleHomePage(t *testing.T) {
	bothConsoles(t, func(t *testing.T, r ConsoleRelease) {
		mq := withShop(t, Options{NameServers: 2})
		b := browse(t, startConsole(t, mq, ConsoleOptions{Release: r, ContextPath: "/console/"}))
		var home struct{ NamesvrAddrList []string }
		b.data(&home, "/ops/homePage.query")
		want := mq.NameServers()
		if r.two() {
			want = []string{strings.Join(want, ";")}
		}
		if !slices.Equal(home.NamesvrAddrList, want) {
			t.Errorf("name servers %q, want %q", home.NamesvrAddrList, want)
		}
		if !strings.HasSuffix(b.url, "/console") {
			t.Errorf("URL %s", b.url)
		}
		b.url = strings.TrimSuffix(b.url, "/console")
		if r := b.get("/ops/homePage.query"); r.code != http.StatusNotFound {
			t.Errorf("beside the context path: %d", r.code)
		}
	})
}

func TestConsoleCounts(t *testing.T) {
	mq := withShop(t, Options{})
	s := startConsole(t, mq, ConsoleOptions{MaxServed: 1, Delay: 10 * time.Millisecond})
	open := make(chan struct{})
	s.Inject(ConsoleFault{Effect: ConsoleGate(open)})
	begun := time.Now()
	var all sync.WaitGroup
	for range 4 {
		b := browse(t, s)
		all.Go(func() {
			if r, err := b.send(http.MethodGet, "/topic/list.query", "", ""); err != nil || r.code != http.StatusOK {
				t.Errorf("%v %d", err, r.code)
			}
		})
	}
	until(t, func() bool { return s.InFlight() == 4 })
	close(open)
	all.Wait()
	if took := time.Since(begun); took < 40*time.Millisecond {
		t.Errorf("four calls one after the other took %v", took)
	}
	if s.MostInFlight() != 4 || s.Total() != 4 || s.Requests()["/topic/list.query"] != 4 {
		t.Errorf("most %d, total %d, %v", s.MostInFlight(), s.Total(), s.Requests())
	}
}

// until gives way until something is so.
func until(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

func TestConsoleRestarts(t *testing.T) {
	mq := withShop(t, Options{})
	s := startConsole(t, mq, ConsoleOptions{User: "admin", Password: "secret"})
	b := browse(t, s)
	b.logIn("admin", "secret")
	b.data(nil, "/topic/list.query")
	url := s.URL()
	s.Stop()
	if _, err := b.send(http.MethodGet, "/topic/list.query", "", ""); err == nil || s.Running() {
		t.Error("a stopped console answers")
	}
	must(t, s.Start())
	must(t, s.Start()) // twice is once
	if s.URL() != url {
		t.Errorf("URL %s, was %s", s.URL(), url)
	}
	if r := b.get("/topic/list.query"); r.code != http.StatusFound {
		t.Errorf("the session outlived a restart: %d", r.code)
	}
}

func TestCloseEndsConsoles(t *testing.T) {
	before := runtime.NumGoroutine()
	mq, err := Start(Options{})
	must(t, err)
	s := startConsole(t, mq, ConsoleOptions{Delay: time.Hour, MaxServed: 1})
	s.Inject(ConsoleFault{Path: "/drip", Effect: ConsoleDrip(time.Millisecond)})
	s.Inject(ConsoleFault{Path: "/gate", Effect: ConsoleGate(nil)})
	s.Inject(ConsoleFault{Path: "/later", Effect: ConsoleDelay(time.Hour)})
	var all sync.WaitGroup
	for _, path := range []string{"/drip", "/gate", "/later", "/topic/list.query", "/topic/list.query"} {
		b := browse(t, s)
		all.Go(func() {
			if _, err := b.send(http.MethodGet, path, "", ""); err == nil {
				t.Errorf("%s: an answer", path)
			}
			b.CloseIdleConnections()
		})
	}
	until(t, func() bool { return s.InFlight() == 5 })
	mq.Close()
	all.Wait()
	until(t, func() bool { return runtime.NumGoroutine() <= before })
	s.Close() // twice is once
}

func TestConsoleOptionsAreChecked(t *testing.T) {
	mq := start(t, Options{})
	for _, o := range []ConsoleOptions{
		{Release: "0.9"}, {ContextPath: "console"}, {Delay: -1}, {MaxServed: -1}, {ClientCerts: true}, {Addr: "nowhere:1:1"},
	} {
		if _, err := mq.StartConsole(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
