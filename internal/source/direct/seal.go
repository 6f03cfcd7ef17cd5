package direct

import (
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// seal is the finished part. Topics that are gone are left out, and so are those
// of which no request told a queue. For those that
// could not be read the last good offsets stand in, for at most keep rounds;
// carried says for how many rounds they have.
func (p *partBuilder) seal(carried map[string]int, keep int, now time.Time) (*model.Part, map[string]int) {
	p.part.Taken = now
	whole := true
	for _, t := range p.topics {
		whole = whole && t.state == read
	}
	if whole {
		p.part.Topics, p.part.Commits = clipped(p.part.Topics), clipped(p.part.Commits)
		return p.part, nil
	}
	standIns := make(map[string]int)
	out := &model.Part{Broker: p.part.Broker, Taken: now, Groups: p.part.Groups}
	copyTopics(out, p.part, asTheyAre, func(i int) bool { return p.topics[i].state == read })
	copyTopics(out, p.last, p.today, func(i int) bool {
		t := p.lastTopics[i]
		if t == nil || t.state != missing || carried[t.name] >= keep {
			return false
		}
		standIns[t.name] = carried[t.name] + 1
		return true
	})
	for _, t := range p.topics {
		if _, ok := standIns[t.name]; t.state == missing && !ok {
			standIns[t.name] = keep // gone from view, and still counted as missing
		}
	}
	return out, standIns
}

// clipped is a list without the room that it was given to grow.
func clipped[T any](list []T) []T {
	if cap(list)-len(list) <= len(list)/16 {
		return list
	}
	return append(make([]T, 0, len(list)), list...)
}

// copyTopics adds the topics of from that take says to, with the commits of the
// groups that have a number in to.
func copyTopics(to, from *model.Part, number func(group int32) int32, take func(i int) bool) {
	place := make(map[int32]int32)
	for i, t := range from.Topics {
		if !take(i) {
			continue
		}
		place[int32(i)] = int32(len(to.Topics))
		first := to.Ends.Len()
		to.Ends.AppendFrom(&from.Ends, int(t.First), int(t.Queues))
		for q := range int(t.Queues) {
			to.Begins.Append(notedBegin(from, int(t.First)+q))
		}
		to.Stored = append(to.Stored, model.ValueAt(from.Stored, i))
		to.Topics = append(to.Topics, model.Topic{Name: t.Name, First: int32(first), Queues: t.Queues})
		to.TopicsTaken = append(to.TopicsTaken, model.StampOf(from.TakenAt(i)))
	}
	for _, c := range from.Commits {
		i, ok := place[c.Topic]
		group := number(c.Group)
		if !ok || group == noGroup {
			continue
		}
		first := to.Committed.Len()
		to.Committed.AppendFrom(&from.Committed, int(c.First), int(to.Topics[i].Queues))
		to.Commits = append(to.Commits, model.Commits{Group: group, Topic: i, First: int32(first)})
	}
}

// asTheyAre are the numbers of groups of a part that has the same ones.
func asTheyAre(group int32) int32 { return group }
