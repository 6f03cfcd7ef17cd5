package direct

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// told makes the configs of a broker that has told of these topics, each of so
// many queues, and groups.
func told(t *testing.T, b *broker, topics map[string]int, groups ...string) {
	t.Helper()
	var names interner
	names.nextRound()
	var text strings.Builder
	for name, queues := range topics {
		fmt.Fprintf(&text, `,%q:{"readQueueNums":%d}`, name, queues)
	}
	if _, err := b.known.setTopics(fmt.Appendf(nil, `{"topicConfigTable":{%s}}`, strings.TrimPrefix(text.String(), ",")), b.cluster, &names); err != nil {
		t.Fatal(err)
	}
	text.Reset()
	for _, name := range groups {
		fmt.Fprintf(&text, `,%q:{}`, name)
	}
	if err := b.known.setGroups(fmt.Appendf(nil, `{"subscriptionGroupTable":{%s}}`, strings.TrimPrefix(text.String(), ",")), b.cluster, &names); err != nil {
		t.Fatal(err)
	}
}

func newBroker(c *cluster, name string) *broker {
	b := &broker{cluster: c, name: name, known: configs{seed: maphash.MakeSeed()}}
	c.brokers[name] = b
	return b
}

func newCluster() *cluster {
	return &cluster{
		name: "c", brokers: map[string]*broker{}, groups: map[string]*group{},
		wanted: source.Selection{}.For("c", nil),
	}
}

// TestTopicList: each topic is found by its name, and what is remembered of it
// stays while it is there.
func TestTopicList(t *testing.T) {
	b := newBroker(newCluster(), "broker-a")
	topics := map[string]int{}
	for i := range 1000 {
		topics[fmt.Sprintf("topic-%d", i)] = 1 + i%16
	}
	told(t, b, topics)
	for i := range b.known.topics.list {
		b.known.topics.list[i].failures = uint8(i % 7)
	}
	failures := map[string]uint8{}
	check := func() {
		t.Helper()
		list := b.known.topics.list
		if len(list) != len(topics) || !slices.IsSortedFunc(list, func(a, b topic) int { return strings.Compare(a.name, b.name) }) {
			t.Fatalf("%d topics, want %d, in the order of their names", len(list), len(topics))
		}
		for name, queues := range topics {
			if got := b.known.topic([]byte(name)); got == nil || got.name != name || int(got.queues) != queues || got != b.known.topicNamed(name) {
				t.Errorf("%s with %d queues: %+v", name, queues, got)
			}
		}
		if got := b.known.topic([]byte("topic-x")); got != nil {
			t.Errorf("of a name that is none there is %+v", got)
		}
	}
	check()
	for i := range b.known.topics.list {
		failures[b.known.topics.list[i].name] = b.known.topics.list[i].failures
	}
	for i := range 500 {
		delete(topics, fmt.Sprintf("topic-%d", 2*i))
		topics[fmt.Sprintf("later-%d", i)] = 3
	}
	told(t, b, topics)
	check()
	for i := range b.known.topics.list {
		if one := &b.known.topics.list[i]; one.failures != failures[one.name] {
			t.Errorf("%s: %d failures are remembered, want %d", one.name, one.failures, failures[one.name])
		}
	}
	var names interner
	names.nextRound()
	body := []byte(`{"topicConfigTable":{"twice":{"readQueueNums":1},"once":{"readQueueNums":2},"twice":{"readQueueNums":3}}}`)
	if _, err := b.known.setTopics(body, b.cluster, &names); err != nil {
		t.Fatal(err)
	}
	topics = map[string]int{"once": 2, "twice": 3}
	check()
	told(t, b, map[string]int{})
	topics = map[string]int{}
	check()
}

// TestGroupsAreShared: brokers with the same groups have one set of them, in
// whatever order they tell them, until one has others.
func TestGroupsAreShared(t *testing.T) {
	c := newCluster()
	one, two := newBroker(c, "broker-a"), newBroker(c, "broker-b")
	told(t, one, nil, "billing", "cache", "CID_RMQ_SYS_TRANS")
	told(t, two, nil, "cache", "billing")
	if one.known.groups != two.known.groups || one.known.groups.len() != 2 {
		t.Errorf("%v and %v", one.known.groups, two.known.groups)
	}
	told(t, two, nil, "cache")
	if one.known.groups.len() != 2 || two.known.groups.len() != 1 || !one.known.groups.has("billing") || two.known.groups.has("billing") {
		t.Errorf("%v and %v", one.known.groups, two.known.groups)
	}
	told(t, one, nil, "cache")
	if c.forgetSets(); len(c.sets) != 1 || one.known.groups != two.known.groups {
		t.Errorf("%d sets are remembered", len(c.sets))
	}
}

// TestCommitsInAnyOrder: entries that come, go and change places from round to
// round are read as if there had been no round before.
func TestCommitsInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c := newCluster()
	b := newBroker(c, "broker-a")
	topics, groups := map[string]int{}, []string{}
	for i := range 8 {
		topics[fmt.Sprintf("t%d", i)] = 1 + i%3
		groups = append(groups, fmt.Sprintf("g%d", i))
	}
	told(t, b, topics, groups...)
	type pair struct{ topic, group string }
	var there []pair
	for round := range 400 {
		switch {
		case random.IntN(3) == 0 && len(there) > 0:
			at := random.IntN(len(there))
			there = slices.Delete(there, at, min(at+1+random.IntN(3), len(there)))
		case random.IntN(3) == 0:
			// Names that are not wanted are among them.
			one := pair{fmt.Sprintf("t%d", random.IntN(10)), fmt.Sprintf("g%d", random.IntN(10))}
			if !slices.Contains(there, one) {
				there = slices.Insert(there, random.IntN(len(there)+1), one)
			}
		case random.IntN(10) == 0:
			random.Shuffle(len(there), func(i, j int) { there[i], there[j] = there[j], there[i] })
		case random.IntN(9) == 0:
			topics[fmt.Sprintf("t%d", random.IntN(8))] = 1 + random.IntN(4)
			some := slices.Clone(groups)
			random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			told(t, b, topics, some[:4+random.IntN(5)]...)
		}
		var body strings.Builder
		for i, p := range there {
			fmt.Fprintf(&body, `,"%s@%s":{0:%d}`, p.topic, p.group, 100*round+i)
		}
		text := fmt.Appendf(nil, `{"offsetTable":{%s}}`, strings.TrimPrefix(body.String(), ","))

		// As if there had been no round before.
		last, lastGroups := b.part, b.groups
		b.part, b.groups = nil, nil
		list := b.known.topics.list
		places := make([]int32, len(list))
		for i := range list {
			places[i], list[i].placed = list[i].placed, notInPart
		}
		want := entries(t, b, text)
		for i := range list {
			list[i].placed = places[i]
		}
		b.part, b.groups = last, lastGroups

		p := newPartBuilder(b)
		if got := entriesOf(t, p, text); !slices.Equal(got, want) {
			t.Fatalf("round %d:\n got %v\nwant %v", round, got, want)
		}
		for i := range list {
			list[i].placed = list[i].slot
		}
		b.part, b.groups = p.part, p.groups
	}
}

func entries(t *testing.T, b *broker, body []byte) []string {
	t.Helper()
	return entriesOf(t, newPartBuilder(b), body)
}

// entriesOf reads commits, and says of each entry "topic group: commits",
// and of each group what its commits add up to.
func entriesOf(t *testing.T, p *partBuilder, body []byte) []string {
	t.Helper()
	if err := p.takeCommits(body); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, c := range p.part.Commits {
		topic := &p.part.Topics[c.Topic]
		if one := p.topics[c.Topic]; one.name != topic.Name || int32(one.queues) != topic.Queues || one.slot != c.Topic {
			t.Errorf("%s is at %d: %+v", topic.Name, c.Topic, one)
		}
		list = append(list, fmt.Sprintf("%s %s: %v", topic.Name, p.part.GroupOf(&c), p.part.Committed.AppendTo(nil, int(c.First), int(topic.Queues))))
	}
	for i, sum := range p.sums {
		list = append(list, fmt.Sprintf("%s: %d", p.groups.names[i], sum))
	}
	return list
}

// TestTopicsOfTooManyQueues: a few bytes of a forged list must not lead to memory
// for millions of queues.
func TestTopicsOfTooManyQueues(t *testing.T) {
	topics := map[string]int{}
	for i := range 100 {
		topics[fmt.Sprintf("topic-%d", i)] = maxQueues
	}
	b := newBroker(newCluster(), "broker-a")
	told(t, b, topics)
	queues := 0
	for i := range b.known.topics.list {
		queues += int(b.known.topics.list[i].queues)
	}
	if want := maxRows / maxQueues * maxQueues; queues != want {
		t.Errorf("%d queues are believed, want %d", queues, want)
	}
}
