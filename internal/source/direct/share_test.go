package direct

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// TestRoundsShareWhatStays: topics and commits of a broker are in memory once,
// however many snapshots there are, and a change is in its own snapshot alone.
func TestRoundsShareWhatStays(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	s.Shop()
	s.Collect()
	part := func() model.PartOfRound { return s.Collect().Snapshots[0].Parts[0] }
	first, second := part(), part()
	if &first.Topics[0] != &second.Topics[0] || &first.Groups[0] != &second.Groups[0] || &first.Commits[0] != &second.Commits[0] || first.Owners != second.Owners {
		t.Error("two rounds without a change share no lists")
	}
	ends, committed := second.Ends.AppendTo(nil, 0, second.Ends.Len()), second.Committed.AppendTo(nil, 0, second.Committed.Len())

	topics := len(second.Topics)
	s.Must(s.MQ.AddTopic(fakemq.Topic{Name: "later", Queues: 2}))
	s.Must(s.MQ.AddGroup(fakemq.Group{Name: "latecomers", Topics: []string{"later"}}))
	s.Must(s.MQ.Commit("latecomers", "later", "broker-a", 0, 0))
	s.Produce("orders", 80)
	third := part()
	if !slices.Equal(second.Ends.AppendTo(nil, 0, second.Ends.Len()), ends) || !slices.Equal(second.Committed.AppendTo(nil, 0, second.Committed.Len()), committed) {
		t.Error("a round has changed the offsets of the one before")
	}
	if len(third.Topics) != topics+1 || len(second.Topics) != topics || len(third.Commits) != len(second.Commits)+1 {
		t.Errorf("%d topics, then %d; %d commits, then %d", len(second.Topics), len(third.Topics), len(second.Commits), len(third.Commits))
	}
	for _, p := range []model.PartOfRound{first, second, third} {
		for i := range p.Topics {
			if at := &p.Topics[i]; int(at.First+at.Queues) > p.Ends.Len() {
				t.Errorf("topic %q ends at queue %d of %d", at.Name, at.First+at.Queues, p.Ends.Len())
			}
		}
	}
	s.Check("with more topics")
}

// TestRoundsShareTopicsOfBroadcastingGroups: they come in the same order again.
func TestRoundsShareTopicsOfBroadcastingGroups(t *testing.T) {
	t.Parallel()
	s := newStage(t, brokers(fakemq.Release550, 0, "broker-a"), nil)
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("topic-%d", i))
		s.Topic(names[i], 2)
	}
	s.Group(fakemq.Group{Name: "cache", Topics: names, Broadcasting: true}, 2)
	s.Collect()
	part := func() model.PartOfRound { return s.Collect().Snapshots[0].Parts[0] }
	if first, second := part(), part(); &first.Topics[0] != &second.Topics[0] {
		t.Error("two rounds without a change share no topics")
	}
}

// TestOtherGroupsInTheSamePlaces: where one group has taken the place of another,
// the entries of commits may be the same ones, and the lists are not.
func TestOtherGroupsInTheSamePlaces(t *testing.T) {
	b := newBroker(newCluster(), "broker-a")
	round := func(groups ...string) *reading {
		t.Helper()
		told(t, b, map[string]int{"orders": 1}, groups...)
		w := readingOf(b)
		var entries []string
		for i, group := range groups {
			entries = append(entries, fmt.Sprintf(`"orders@%s":{0:%d}`, group, 10*(i+1)))
		}
		takeCommits(t, w, strings.Join(entries, ","))
		for _, topic := range w.build.topics {
			topic.state = read
		}
		w.sealPart()
		if got := groupsOf(b.part); !slices.Equal(got, groups) {
			t.Errorf("commits of %v, want %v", got, groups)
		}
		return w
	}
	round("archive", "billing")
	if w := round("archive", "billing"); b.relaid || !model.SameList(b.part.Groups, w.build.last.Groups) {
		t.Error("nothing has changed, and the lists have")
	}
	if round("audit", "billing"); !b.relaid {
		t.Error("another group's commits are taken for those of the one before")
	}
	round("audit", "billing", "cache")
	round("billing")
}

// TestStandInsOfDeletedGroup: a group that was deleted is gone from topics that
// cannot be read as well.
func TestStandInsOfDeletedGroup(t *testing.T) {
	b := newBroker(newCluster(), "broker-a")
	round := func(state topicState, body string, groups ...string) {
		t.Helper()
		told(t, b, map[string]int{"orders": 1, "payments": 1}, groups...)
		w := readingOf(b)
		takeCommits(t, w, body)
		for _, topic := range w.build.topics {
			if topic.state = read; topic.name == "orders" {
				topic.state = state
			}
		}
		w.sealPart()
	}
	round(read, `"orders@b":{0:1},"orders@d":{0:2},"payments@d":{0:3},"orders@f":{0:4}`, "b", "d", "f")
	for range 2 {
		round(missing, `"orders@b":{0:5},"orders@f":{0:6},"payments@f":{0:7}`, "a", "b", "c", "f")
		var got []string
		for i := range b.part.Commits {
			c := &b.part.Commits[i]
			got = append(got, fmt.Sprintf("%s@%s: %d", b.part.Topics[c.Topic].Name, b.part.GroupOf(c), b.part.Committed.At(int(c.First))))
		}
		if want := []string{"payments@f: 7", "orders@b: 1", "orders@f: 4"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// readingOf is a broker that is about to be read.
func readingOf(b *broker) *reading {
	src := &Source{opts: Options{KeepRounds: keep, Now: func() time.Time { return time.Unix(1, 0) }}}
	return &reading{round: &round{src: src}, broker: b, proc: &proc{}, build: newPartBuilder(b)}
}

func takeCommits(t *testing.T, w *reading, entries string) {
	t.Helper()
	if err := w.build.takeCommits([]byte(`{"offsetTable":{` + entries + `}}`)); err != nil {
		t.Fatal(err)
	}
}

func groupsOf(part *model.Part) []string {
	var list []string
	for i := range part.Commits {
		list = append(list, part.GroupOf(&part.Commits[i]))
	}
	return list
}
