package direct

import (
	"fmt"
	"slices"
	"testing"

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
	if &first.Topics[0] != &second.Topics[0] || &first.Commits[0] != &second.Commits[0] || &first.Owners[0] != &second.Owners[0] {
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
