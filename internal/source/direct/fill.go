package direct

import (
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// fill puts into a part what is known of its queues besides what the round asked
// for: what was told behind the rounds, and what the part before it knew. Where a
// missing commit depends on a beginning, only this round's answer decides.
func (w *reading) fill(part *model.Part) {
	last := w.build.last
	w.inPart, w.from = w.topicsOf(part), make([]int32, len(part.Topics))
	for _, t := range w.build.topics {
		t.slot = notInPart
	}
	part.Begins.AppendUnknown(part.Ends.Len() - part.Begins.Len())
	widenStored(part)
	for i, t := range w.inPart {
		if w.from[i] = notInPart; t != nil {
			w.from[i], t.slot = t.placed, int32(i)
			w.fillTopic(part, i)
		}
	}
	part.Ends.Share(&last.Ends)
	part.Begins.Share(&last.Begins)
	part.Committed.Share(&last.Committed)
	if slices.Equal(part.Stored, last.Stored) {
		part.Stored = last.Stored
	}
	for i := range w.broker.known.topics.list {
		if t := &w.broker.known.topics.list[i]; t.slot == notInPart && t.placed != notInPart {
			t.leave(last, &w.begins)
		}
	}
}

func (w *reading) fillTopic(part *model.Part, i int) {
	t, last := w.inPart[i], w.build.last
	first := int(part.Topics[i].First)
	ends := w.ends.Read(&part.Ends, part.Topics[i].First, part.Topics[i].Queues)
	if t.state == read {
		w.watch(t, ends)
	}
	old, oldStored := t.stats(last, &w.begins)
	if t.state == read && w.proc.bulk == ignores {
		// The round asked for all that. Beginnings that were left out are not
		// known any more; the newest message is no older than it was.
		old, t.hasStats = nil, true
	}
	whole, lost := true, false
	for q, end := range ends {
		if part.Begins.At(first+q) != model.Unknown {
			continue
		}
		whole = whole && end <= 0
		if begin := model.ValueAt(old, q); begin != model.Unknown {
			if t.undecided || begin > end {
				lost = true
				continue
			}
			part.Begins.Set(first+q, begin)
		}
	}
	part.Stored[i] = newest(part.Stored[i], whole, oldStored)
	switch {
	case lost:
		t.takeOver(last, &w.begins)
	case t.state == read:
		t.setTold(topicStats{}) // the part has it now
	}
	t.placed = int32(i)
}

// newest is when the newest message of a topic was stored: as it was told now,
// unless the answer left out queues that may have newer ones.
func newest(now int64, whole bool, before int64) int64 {
	if now != model.Unknown && whole {
		return now
	}
	return max(now, before)
}

// watch notes the ends of a topic that were read in the round, and forgets what
// was known of another topic of that name.
func (w *reading) watch(t *topic, ends []int64) {
	before, first, told := endsAt(w.build.last, t.placed, &w.before), t.first(), t.told()
	isOther := wentBack(ends, before) || wentBack(ends, first)
	if t.hasStats && (isOther || wentBack(ends, told.ends())) {
		t.forgetStats()
	}
	switch {
	case t.placed == notInPart || isOther:
		t.setFirst(slices.Clone(ends))
		return
	case first == nil && len(ends) <= len(before):
		return // every group has passed them
	case first == nil:
		first = slices.Clone(queuesAt(w.passedBefore(), w.build.last, t.placed))
	}
	if n := len(first); n < len(ends) {
		first = append(first, ends[n:]...)
	}
	for q, end := range ends {
		if first[q] == model.Unknown {
			first[q] = end
		}
	}
	t.setFirst(first)
}

// passedBefore is what all groups had passed in the last part.
func (w *reading) passedBefore() []int64 {
	if w.passed == nil {
		w.passed = slowestCommits(nil, w.build.last)
	}
	return w.passed
}

// endsAt are the ends of the topic at a place of a part, laid out in the room;
// nil: it is in none.
func endsAt(part *model.Part, place int32, room *model.Run) []int64 {
	return offsetsAt(&part.Ends, part, place, room)
}

// offsetsAt are the offsets of one topic in a list with one for each queue.
func offsetsAt(list *model.Offsets, part *model.Part, place int32, room *model.Run) []int64 {
	if place == notInPart {
		return nil
	}
	t := &part.Topics[place]
	return room.Read(list, t.First, t.Queues)
}

// queuesAt are the values of one topic in a list with one value per queue.
func queuesAt(list []int64, part *model.Part, place int32) []int64 {
	if place == notInPart {
		return nil
	}
	t := &part.Topics[place]
	return list[t.First : t.First+t.Queues]
}

// topicsOf are the topics of a sealed part, in its order; nil: deleted meanwhile.
func (w *reading) topicsOf(part *model.Part) []*topic {
	if part == w.build.part {
		return w.build.topics
	}
	list := make([]*topic, len(part.Topics))
	for i := range part.Topics {
		list[i] = w.broker.known.topicNamed(part.Topics[i].Name)
	}
	return list
}

// sameLayout says whether two parts have the same topics and commits.
func sameLayout(a, b *model.Part) bool {
	return model.SameList(a.Topics, b.Topics) && model.SameList(a.Groups, b.Groups) && model.SameList(a.Commits, b.Commits)
}
