package exposition

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

// story is one thing that happens, and the reports that tell it.
type story struct {
	name    string
	reports []*lag.Report
}

func stories() []story {
	return []story{
		{"two-clusters", []*lag.Report{usual("east"), usual("west")}},
		{"odd-names", []*lag.Report{oddNames()}},
		{"empty", []*lag.Report{lag.Build(&model.Snapshot{Cluster: "silent"}), nil}},
		{"broadcasting", []*lag.Report{broadcasting()}},
		{"unowned", []*lag.Report{unowned()}},
		{"uncommitted", []*lag.Report{uncommitted()}},
		{"broker-down", []*lag.Report{brokerDown()}},
		{"denied", []*lag.Report{denied()}},
		{"clients", []*lag.Report{clients()}},
		{"health", []*lag.Report{health()}},
		{"broker-runtime", []*lag.Report{brokerRuntime()}},
	}
}

// ended is when every story's round ended.
func ended() time.Time {
	return time.Date(2026, 11, 23, 4, 5, 6, 789_000_000, time.UTC)
}

// builder puts snapshots together in few words.
type builder struct{ model.Snapshot }

func newBuilder(cluster string) *builder {
	return &builder{model.Snapshot{
		Cluster:     cluster,
		Ended:       ended(),
		Taken:       ended(),
		NameServers: []model.NameServer{{Addr: "10.0.0.1:9876", Up: true}},
	}}
}

func (b *builder) broker(name string, id int64, role model.Role, up bool) {
	b.Brokers = append(b.Brokers, model.Broker{
		Name: name, ID: id, Role: role, Up: up, Version: "V5_5_0",
		Addr: fmt.Sprintf("%s-%d.example:10911", strings.ToValidUTF8(name, "?"), id),
	})
}

// topic adds a topic to the part of a broker, which it makes if need be.
func (b *builder) topic(broker, topic string, begins, ends []int64) {
	p := b.part(broker)
	p.Topics = append(p.Topics, model.Topic{Name: topic, First: int32(p.Ends.Len()), Queues: int32(len(ends))})
	p.Ends.Append(ends...)
	p.Begins.Append(begins...)
}

// commit adds what a group committed on the topic that was added last.
func (b *builder) commit(broker, group string, committed ...int64) {
	p := b.part(broker)
	place := slices.Index(p.Groups, group)
	if place < 0 {
		place = len(p.Groups)
		p.Groups = append(p.Groups, group)
	}
	p.Commits = append(p.Commits, model.Commits{Group: int32(place), Topic: int32(len(p.Topics) - 1), First: int32(p.Committed.Len())})
	p.Committed.Append(committed...)
}

func (b *builder) part(broker string) *model.Part {
	i := slices.IndexFunc(b.Parts, func(p model.PartOfRound) bool { return p.Broker == broker })
	if i < 0 {
		i = len(b.Parts)
		b.Parts = append(b.Parts, model.PartOfRound{Part: &model.Part{Broker: broker, Taken: ended()}})
	}
	return b.Parts[i].Part
}

// group adds an online group that consumes topics; each id is a client.
func (b *builder) group(name string, topics []string, ids ...string) *model.Group {
	g := &model.Group{
		Name: name, Model: model.Clustering, ConsumeType: "CONSUME_PASSIVELY", Known: true,
		Topics: model.TopicSetOf(slices.Clone(topics)...), Owners: make(map[model.TopicOnBroker][]int32),
	}
	for _, id := range ids {
		c := model.Client{ID: id, Language: "JAVA", Version: 513}
		c.IP, c.PID = model.SplitClientID(id)
		g.Clients = append(g.Clients, c)
	}
	b.Groups = append(b.Groups, g)
	return g
}

func own(g *model.Group, topic, broker string, clients ...int32) {
	g.Owners[model.TopicOnBroker{Topic: topic, Broker: broker}] = clients
}

func (b *builder) report() *lag.Report {
	past := &store.History{}
	past.Add(&b.Snapshot)
	return lag.BuildAfter(&b.Snapshot, past, lag.DefaultRules())
}

// usual is a healthy cluster: two brokers, a group of two processes that is
// behind, and one that is offline.
func usual(cluster string) *lag.Report {
	b := newBuilder(cluster)
	b.broker("broker-a", 0, model.Master, true)
	b.broker("broker-a", 1, model.Slave, true)
	b.broker("broker-b", 0, model.Master, true)
	for i, broker := range []string{"broker-a", "broker-b"} {
		end := int64(100 * (i + 1))
		b.topic(broker, "orders", []int64{0, 0}, []int64{end, end + 7})
		b.commit(broker, "billing", end-40, end+7)
		b.topic(broker, "audit", []int64{0}, []int64{9})
		b.commit(broker, "archive", 2)
	}
	b.group("archive", nil)
	g := b.group("billing", []string{"orders"}, "10.0.1.1@4711#1", "10.0.1.2@4712#2")
	own(g, "orders", "broker-a", 0, 1)
	own(g, "orders", "broker-b", 0, 1)
	return b.report()
}

// oddNames has in every place what a label's value must escape or replace.
func oddNames() *lag.Report {
	const odd = "a\"b\\c\nd\te\r订单\xffz\x00{},=\u2028"
	b := newBuilder("cluster " + odd)
	b.NameServers[0].Addr = "ns " + odd
	b.broker("broker "+odd, 0, model.Master, true)
	b.Brokers[0].Version = "V5 " + odd
	b.topic("broker "+odd, "topic "+odd, []int64{0, 0}, []int64{10, 20})
	b.commit("broker "+odd, "group "+odd, 4, 5)
	g := b.group("group "+odd, []string{"topic " + odd}, "ip "+odd+"@pid "+odd+"#1")
	g.Model, g.ConsumeType, g.Clients[0].Language = "M "+odd, "T "+odd, "L "+odd
	own(g, "topic "+odd, "broker "+odd, 0, model.NoOwner)
	return b.report()
}

// broadcasting: what the broker keeps for the group does not count, what its
// processes tell does. Another such group told nothing.
func broadcasting() *lag.Report {
	b := newBuilder("local")
	b.broker("broker-a", 0, model.Master, true)
	b.topic("broker-a", "prices", []int64{0, 0}, []int64{50, 60})
	b.commit("broker-a", "screens", 1, 1)
	b.commit("broker-a", "silent", 1, 1)
	g := b.group("screens", []string{"prices"}, "10.0.2.1@DEFAULT#1", "10.0.2.2@DEFAULT#2")
	g.Model = model.Broadcasting
	for i := range g.Clients {
		g.Local = append(g.Local, model.LocalCommits{
			TopicOnBroker: model.TopicOnBroker{Topic: "prices", Broker: "broker-a"}, Client: i,
			Committed: []int64{50 - int64(i), 55}, Ends: []int64{50, 60},
		})
	}
	b.group("silent", []string{"prices"}, "10.0.2.3@DEFAULT#3").Model = model.Broadcasting
	return b.report()
}

// unowned: a group whose members are known but hold only some queues, one
// whose members nobody could tell, and a commit beyond the end.
func unowned() *lag.Report {
	b := newBuilder("gaps")
	b.broker("broker-a", 0, model.Master, true)
	b.topic("broker-a", "orders", []int64{0, 0, 0}, []int64{10, 10, 10})
	b.commit("broker-a", "billing", 1, 2, 13)
	b.commit("broker-a", "unknown", 10, 10, 10)
	own(b.group("billing", []string{"orders"}, "10.0.1.1@4711#1"), "orders", "broker-a", 0, model.NoOwner)
	g := b.group("unknown", nil)
	g.Known, g.Model, g.ConsumeType = false, "", ""
	return b.report()
}

// uncommitted: queues whose backlog nobody knows, beside others and alone, and
// a topic of which not even the end is known.
func uncommitted() *lag.Report {
	b := newBuilder("fresh")
	b.broker("broker-a", 0, model.Master, true)
	b.topic("broker-a", "mixed", []int64{0, 500}, []int64{10, 900})
	b.commit("broker-a", "late", model.Unknown, model.Unknown)
	b.topic("broker-a", "moved", []int64{500, 500}, []int64{900, 900})
	b.commit("broker-a", "late", model.Unknown, model.Unknown)
	b.topic("broker-a", "mute", []int64{model.Unknown}, []int64{model.Unknown})
	b.commit("broker-a", "late", 3)
	b.group("late", nil)
	return b.report()
}

// brokerDown: one broker could not be read and its last offsets stand in.
func brokerDown() *lag.Report {
	b := newBuilder("half")
	b.NameServers = append(b.NameServers, model.NameServer{Addr: "10.0.0.2:9876"})
	b.broker("broker-a", 0, model.Master, true)
	b.broker("broker-b", 0, model.Master, false)
	b.broker("broker-b", 2, model.ActingMaster, false)
	b.Brokers[2].Version = ""
	for _, broker := range []string{"broker-a", "broker-b"} {
		b.topic(broker, "orders", []int64{0}, []int64{10})
		b.commit(broker, "billing", 4)
	}
	b.Parts[1].Age = 1
	b.group("billing", []string{"orders"}, "10.0.1.1@4711#1")
	return b.report()
}

// denied: the exporter's user may log in and no more.
func denied() *lag.Report {
	b := newBuilder("closed")
	b.broker("broker-a", 0, model.Master, true)
	b.part("broker-a")
	b.Parts[0].Missing = 3
	b.Groups = append(b.Groups, &model.Group{Name: "billing"})
	b.Denials = []model.Denial{
		{Request: "GET_CONSUMER_CONNECTION_LIST", Right: "Get on Group:*", Count: 250},
		{Request: "GET_TOPIC_STATS_INFO", Right: "Get on Topic:*", Count: 3},
		{Request: "request 4711", Count: 1},
	}
	return b.report()
}

// brokerRuntime: a master of 5.x and its slave, a broker of 4.x, one that told
// next to nothing, and one that told nothing.
func brokerRuntime() *lag.Report {
	b := newBuilder("machines")
	b.broker("broker-a", 0, model.Master, true)
	b.broker("broker-a", 1, model.Slave, true)
	b.broker("broker-b", 0, model.Master, true)
	b.broker("broker-c", 0, model.Master, true)
	b.broker("broker-d", 0, model.Master, false)
	five := fullRuntime()
	five.Values[model.RuntimeSlavesConnected], five.Values[model.RuntimeSlavesInSync] = 2, 1
	slave := fullRuntime()
	slave.Values[model.RuntimeActive], slave.Values[model.RuntimeSlaveBehind] = 0, 4096
	four := fullRuntime()
	for _, key := range []model.RuntimeKey{
		model.RuntimeActive, model.RuntimeTimerPending, model.RuntimeTimerEnqueue, model.RuntimeTimerBehind,
	} {
		delete(four.Values, key)
	}
	four.Pools = four.Pools[:1]
	four.Delays = nil
	little := &model.Runtime{Pools: []model.ThreadPool{
		{Name: "send", Queued: model.Unknown, Capacity: 10000, HeadWait: model.Unknown},
	}}
	for i, info := range []*model.Runtime{five, slave, four, little, nil} {
		b.Brokers[i].Runtime = info
	}
	return b.report()
}

func fullRuntime() *model.Runtime {
	return &model.Runtime{
		Values: map[model.RuntimeKey]float64{
			model.RuntimeBoot: 1795396620.707, model.RuntimeActive: 1,
			model.RuntimePutMessages: 778532, model.RuntimeGetMessages: 2287246,
			model.RuntimePutBytes: 204708878, model.RuntimePutFailures: 3,
			model.RuntimePutLatency99: 0.00099, model.RuntimePutLatency999: 0.001, model.RuntimePageCacheLock: 0.004,
			model.RuntimeCommitLogMin: 0, model.RuntimeCommitLogMax: 9_007_199_254_740_991,
			model.RuntimeEarliestMessage: 1795396863.046, model.RuntimeDispatchBehind: 512,
			model.RuntimeCommitBehind: 0, model.RuntimeFlushBehind: 15564.8, model.RuntimeTransientBuffers: 5,
			model.RuntimeCommitLogDisk: 0.25, model.RuntimeConsumeQueueDisk: 1,
			model.RuntimeDiskSize: 270582939648, model.RuntimeDiskFree: 246531096576,
			model.RuntimeTimerPending: 12, model.RuntimeTimerEnqueue: 1, model.RuntimeTimerBehind: 2,
		},
		Pools: []model.ThreadPool{
			{Name: "send", Queued: 7, Capacity: 10000, HeadWait: 199},
			{Name: "endTransaction", Queued: 0, Capacity: 100000, HeadWait: model.Unknown},
		},
		Delays: []model.DelayLevel{{Level: 3, Delivered: 30, End: 42}, {Level: 18, Delivered: 9, End: 8}},
	}
}

// clients: what is one series, and what is not.
func clients() *lag.Report {
	b := newBuilder("people")
	b.broker("broker-a", 0, model.Master, true)
	g := b.group("many", nil,
		"10.0.3.1@1#1", "10.0.3.1@1@unit", "10.0.3.1@10#5", "10.0.3.1@1#9", "10.0.3.2@1#1", "odd", "10.0.3.4@1")
	g.Clients[4].Language, g.Clients[4].Version = "GO", 317
	g.Clients[5].Language, g.Clients[5].Version = "", -7
	g.Clients[6].Version = 412
	b.group("twin", nil, "10.0.3.1@1#1")
	return b.report()
}

// health has every number that needs more than one look at a cluster: what a
// report says of them is written as it is.
func health() *lag.Report {
	b := newBuilder("ward")
	b.SlowTaken = ended().Add(-42 * time.Second)
	b.broker("broker-a", 0, model.Master, true)
	b.topic("broker-a", "orders", []int64{3, model.Unknown}, []int64{100, 50})
	b.topic("broker-a", "orders", []int64{3, model.Unknown}, []int64{99, 50}) // as another group was told
	b.commit("broker-a", "billing", 40, model.Unknown)
	for _, name := range []string{"archive", "fraud", "popper", "reader"} {
		b.commit("broker-a", name, 40, 50)
		b.group(name, []string{"orders"})
	}
	own(b.group("billing", []string{"orders"}, "10.0.1.1@4711#1"), "orders", "broker-a", 0, model.NoOwner)
	b.part("broker-a").Others = []model.TopicStats{
		{Topic: "%DLQ%billing", Ends: []int64{7}, Begins: []int64{2}, Stored: ended().UnixMilli()}, {Topic: "mute", Stored: model.Unknown},
	}
	r := b.report()
	for i, s := range lag.States() {
		if i >= len(r.Pairs) {
			break
		}
		p := &r.Pairs[i]
		p.State, p.Lag, p.Lost, p.Retained, p.Unowned = s, time.Duration(i)*1500*time.Millisecond, int64(i), float64(i)/8, int32(i)
	}
	r.Pairs[0].Lag, r.Pairs[0].Retained, r.Pairs[0].Lost, r.Pairs[0].Unowned = lag.NoLag, -1, model.Unknown, -1
	r.Pairs[3].InFlight, r.Pairs[3].PopRetry = 0, 12
	for i := range r.Age {
		r.Age[i] = int32(i) * 3
	}
	r.Totals = []lag.TopicTotal{
		{Name: "%DLQ%billing", Produced: 7, Stored: 5, Last: ended().UnixMilli()},
		{Name: "orders", Produced: 150, Stored: model.Unknown, Last: model.Unknown},
	}
	r.DeadLetters = []lag.Count{{Name: "billing", Messages: 7}, {Name: "fraud"}}
	return r
}

// wide has about rows rows: 8 queues a topic, held by processes in turn.
func wide(rows, processes int) *lag.Report {
	b := newBuilder("wide")
	const queues = 8
	b.broker("broker-a", 0, model.Master, true)
	begins, ends, committed := make([]int64, queues), make([]int64, queues), make([]int64, queues)
	topics := rows / queues
	perGroup := max(topics/250, 1)
	for t := range topics {
		name := fmt.Sprintf("business-topic-%05d", t)
		for q := range queues {
			ends[q] = int64(1_000_000 + 7919*t + q)
			committed[q] = ends[q] - int64((t*31+q*17)%5000)
		}
		b.topic("broker-a", name, begins, ends)
		group := fmt.Sprintf("consumer-group-%04d", t/perGroup)
		b.commit("broker-a", group, committed...)
		if t%perGroup == 0 {
			g := b.group(group, nil)
			for c := range 4 {
				p := (t/perGroup*4 + c) % processes
				g.Clients = append(g.Clients, model.Client{
					ID: fmt.Sprintf("10.20.%d.%d@%d#1", p/250, p%250, 10000+p), IP: fmt.Sprintf("10.20.%d.%d", p/250, p%250),
					PID: strconv.Itoa(10000 + p), Language: "JAVA", Version: 513,
				})
			}
		}
		own(b.Groups[len(b.Groups)-1], name, "broker-a", 0, 0, 1, 1, 2, 2, 3, 3)
	}
	return b.report()
}
