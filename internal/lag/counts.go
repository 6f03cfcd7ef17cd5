package lag

import (
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Prefixes of topics that RocketMQ makes for a group (MixAll).
const (
	retryPrefix = "%RETRY%"
	dlqPrefix   = "%DLQ%"
)

// counts says whether the broker's commits of a group on a topic are a
// backlog.
func counts(g *model.Group, topic string) bool {
	switch {
	case g.Model == model.Broadcasting:
		// What the broker keeps for it is a leftover: its processes keep
		// their own offsets, and the difference only grows.
		return false
	case strings.HasPrefix(topic, dlqPrefix):
		return false
	case !g.Known || len(g.Clients) == 0 || len(g.Topics) == 0:
		return true // offline, or nobody knows: it keeps its backlog
	}
	return subscribes(g, topic)
}

// subscribes says whether an online group consumes a topic. A POP retry topic is
// consumed with its topic and never subscribed by name.
func subscribes(g *model.Group, topic string) bool {
	if g.Topics.Has(topic) || topic == retryPrefix+g.Name {
		return true
	}
	of, ok := popRetryOf(g.Name, topic)
	return ok && g.Topics.Has(of)
}

// popRetryOf is the topic whose messages wait in a group's POP retry topic,
// %RETRY%group_topic or %RETRY%group+topic (KeyBuilder.buildPopRetryTopic). That
// the group consumes it makes sure that it is not the retry topic of a group
// whose name has both in it.
func popRetryOf(group, topic string) (of string, ok bool) {
	rest, ok := strings.CutPrefix(topic, retryPrefix)
	if ok {
		rest, ok = strings.CutPrefix(rest, group)
	}
	if !ok || len(rest) < 2 || rest[0] != '_' && rest[0] != '+' {
		return "", false
	}
	return rest[1:], true
}

// addPopRetries tells of a group's pairs, in order, how many messages wait in
// the POP retry topics of their topics. Both names may be there: a broker may be
// switched from one to the other.
func addPopRetries(group string, pairs []Pair) {
	for i := range pairs {
		of, ok := popRetryOf(group, pairs[i].Topic)
		if !ok || pairs[i].Rows == 0 {
			continue
		}
		if p := find(pairs, of); p != nil {
			p.PopRetry = plus(max(p.PopRetry, 0), pairs[i].Backlog)
		}
	}
}

func find(pairs []Pair, topic string) *Pair {
	i, ok := slices.BinarySearchFunc(pairs, topic, func(p Pair, topic string) int { return strings.Compare(p.Topic, topic) })
	if !ok {
		return nil
	}
	return &pairs[i]
}
