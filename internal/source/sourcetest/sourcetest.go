// Package sourcetest is the conformance suite that every source passes: stories
// on a fake RocketMQ, after each step of which the source's snapshots must lead
// to exactly the numbers that the fake knows to be true.
//
// It may hold stories and the rules of truth that turn the fake's knowledge
// into rows. It knows no source.
package sourcetest

import (
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// Build makes the source under test for a cluster. It opens nothing that is not
// closed by the source's Close, and it gives processes that are asked for their
// queues all the time that a busy machine may need.
type Build func(tb testing.TB, mq *fakemq.Cluster, s source.Selection) source.Source

// Able says what a source can know beyond the backlog. What it cannot know it must
// not tell.
type Able struct {
	// Ages of old messages are told exactly (model.Part.Waits); else the source
	// tells when the messages in front of commits were stored.
	Ages bool
	// Pop groups are told, and what is in flight.
	Pop bool
}

// Run runs every story against the source, on each release.
func Run(t *testing.T, able Able, build Build) {
	t.Helper()
	EachRelease(t, func(t *testing.T, release fakemq.Release) {
		for _, s := range append(stories(), slowStories()...) {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				s.options.Release = release
				st := Start(t, s.options, s.selection, build)
				st.able = able
				st.play(s.play)
			})
		}
	}, fakemq.Releases()...)
}

// EachRelease runs a test on each release of a fake, all at once.
func EachRelease[R ~string](t *testing.T, test func(t *testing.T, release R), releases ...R) {
	t.Helper()
	for _, r := range releases {
		t.Run(string(r), func(t *testing.T) {
			t.Parallel()
			test(t, r)
		})
	}
}

// Stage is a fake RocketMQ with a source that reads it.
type Stage struct {
	tb     testing.TB
	MQ     *fakemq.Cluster
	Source source.Source

	selection source.Selection
	able      Able
}

// Start sets a stage, which ends with the test.
func Start(tb testing.TB, o fakemq.Options, s source.Selection, build Build) *Stage {
	tb.Helper()
	mq, err := fakemq.Start(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(mq.Close)
	src := build(tb, mq, s)
	tb.Cleanup(func() {
		if err := src.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return &Stage{tb: tb, MQ: mq, Source: src, selection: s}
}

func (s *Stage) play(story func(*Stage)) { story(s) }

// Must ends the test on a mistake in its own story.
func (s *Stage) Must(err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatal(err)
	}
}

// Restart starts a stopped node. Its port was free meanwhile, and another
// test's connection may have it for a moment.
func (s *Stage) Restart(n *fakemq.Node) {
	s.tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(20 * time.Second)
	err := n.Start()
	for ; err != nil && time.Now().Before(end); err = n.Start() {
		<-tick.C
	}
	s.Must(err)
}

// Topic makes a topic.
func (s *Stage) Topic(name string, queues int, brokers ...string) {
	s.tb.Helper()
	s.Must(s.MQ.AddTopic(fakemq.Topic{Name: name, Queues: queues, Brokers: brokers}))
}

// Group makes a group with as many processes, and returns their client ids.
func (s *Stage) Group(g fakemq.Group, processes int) []string {
	s.tb.Helper()
	s.Must(s.MQ.AddGroup(g))
	ids := make([]string, 0, processes)
	for range processes {
		ids = append(ids, s.Consumer(g.Name, fakemq.Consumer{}))
	}
	return ids
}

// Consumer starts a process of a group.
func (s *Stage) Consumer(group string, c fakemq.Consumer) string {
	s.tb.Helper()
	id, err := s.MQ.AddConsumer(group, c)
	s.Must(err)
	return id
}

// Consume lets a group consume and commit.
func (s *Stage) Consume(group, topic string, n int64) {
	s.tb.Helper()
	_, err := s.MQ.Consume(group, topic, n)
	s.Must(err)
}

// Produce stores messages.
func (s *Stage) Produce(topic string, n int64) {
	s.tb.Helper()
	s.Must(s.MQ.Produce(topic, n))
}

// Shop fills the stage: billing consumes orders with two processes, archive
// audit with one, and cache broadcasts notices to two. All have something left
// to consume.
func (s *Stage) Shop() {
	s.tb.Helper()
	for _, topic := range []string{"orders", "audit", "notices"} {
		s.Topic(topic, 4)
	}
	s.Group(fakemq.Group{Name: "billing", Topics: []string{"orders"}}, 2)
	s.Group(fakemq.Group{Name: "archive", Topics: []string{"audit"}}, 1)
	s.Group(fakemq.Group{Name: "cache", Topics: []string{"notices"}, Broadcasting: true}, 2)
	s.More()
}

// More lets messages come to the shop, and some of them be consumed.
func (s *Stage) More() {
	s.tb.Helper()
	for topic, group := range map[string]string{"orders": "billing", "audit": "archive", "notices": "cache"} {
		s.Produce(topic, 100)
		s.Consume(group, topic, 70)
	}
}

// Collect reads one round, and has asked what is asked behind it.
func (s *Stage) Collect() source.Round {
	s.tb.Helper()
	defer s.Source.Behind()
	return s.Source.Collect(s.tb.Context())
}

// Check reads one round, in which nothing may fail, and compares it with the
// truth.
func (s *Stage) Check(step string) source.Round {
	s.tb.Helper()
	r := s.Collect()
	for _, f := range r.Failures {
		s.tb.Errorf("%s: failure: %+v", step, f)
	}
	s.Compare(step, r, s.Truth())
	return r
}
