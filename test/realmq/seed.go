package realmq

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
)

// Seed describes a cluster full of topics and groups, every number of which is
// known: each queue of each topic holds Messages messages, and group g has
// committed Committed in every queue of the topics g×TopicsPerGroup and on,
// wrapping around. The groups have no consumers.
type Seed struct {
	Prefix         string // of all names, by default "seed"
	Topics         int
	Queues         int // per topic and broker
	Messages       int // per queue
	BodySize       int // bytes, by default 16
	Groups         int
	TopicsPerGroup int
	Committed      int64    // offset, from 0 to Messages
	RetryTopics    bool     // one with one queue for each group, see Group
	Brokers        []string // by default all masters
}

// SeedTimes say how long the parts of a seed took.
type SeedTimes struct{ Topics, Messages, Groups, Commits time.Duration }

// Topic returns the name of a topic, from 0.
func (s Seed) Topic(i int) string { return fmt.Sprintf(s.format("topic"), i) }

// Group returns the name of a group, from 0.
func (s Seed) Group(i int) string { return fmt.Sprintf(s.format("group"), i) }

// GroupTopics returns the topics that group i has committed.
func (s Seed) GroupTopics(i int) []string {
	var topics []string
	for t := range s.TopicsPerGroup {
		topics = append(topics, s.Topic((i*s.TopicsPerGroup+t)%s.Topics))
	}
	return topics
}

// format is understood by Go and Java alike.
func (s Seed) format(kind string) string {
	return strings.ReplaceAll(cmp.Or(s.Prefix, "seed"), "%", "%%") + "-" + kind + "-%05d"
}

// Seed fills the cluster.
func (c *Cluster) Seed(ctx context.Context, seed Seed) (SeedTimes, error) {
	brokers, err := c.masters(seed.Brokers)
	if err != nil {
		return SeedTimes{}, fmt.Errorf("seed: %w", err)
	}
	if seed.Groups > 0 && (seed.TopicsPerGroup > seed.Topics || seed.Committed > int64(seed.Messages)) {
		return SeedTimes{}, fmt.Errorf("seed: groups commit more than there is: %+v", seed)
	}
	answer, err := c.drive(ctx, "seed", brokerList(brokers), seed.format("topic"), seed.Topics, seed.Queues,
		seed.Messages, cmp.Or(seed.BodySize, 16), seed.format("group"), seed.Groups, seed.TopicsPerGroup, seed.Committed, seed.RetryTopics)
	if err != nil {
		return SeedTimes{}, fmt.Errorf("seed: %w", err)
	}
	times := SeedTimes{millis(answer), millis(answer), millis(answer), millis(answer)}
	return times, answer.err
}

func millis(answer *fields) time.Duration { return time.Duration(answer.number()) * time.Millisecond }
