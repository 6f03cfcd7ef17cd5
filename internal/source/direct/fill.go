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
	same := sameList(part.Topics, last.Topics)
	begins, stored := newSharing(last.Begins, same, len(part.Ends)), newSharing(last.Stored, same, len(part.Ends))
	for i, t := range w.inPart {
		if w.from[i] = notInPart; t != nil {
			w.from[i], t.slot = t.placed, int32(i)
		}
		w.fillTopic(part, i, &begins, &stored)
	}
	part.Begins, part.Stored = begins.list, stored.list
	for i := range w.broker.known.topics.list {
		if t := &w.broker.known.topics.list[i]; t.slot == notInPart && t.placed != notInPart {
			t.leave(last)
		}
	}
}

func (w *reading) fillTopic(part *model.Part, i int, begins, stored *sharing) {
	t, last := w.inPart[i], w.build.last
	first, n := int(part.Topics[i].First), int(part.Topics[i].Queues)
	ends := part.Ends[first : first+n]
	var oldBegins, oldStored []int64
	undecided := false
	if t != nil {
		if t.state == read {
			w.watch(t, ends)
		}
		oldBegins, oldStored = t.stats(last)
		undecided = t.undecided
	}
	lost := false
	for q := range n {
		begin, at := noted(part.Begins, first+q), noted(part.Stored, first+q)
		if q < len(oldBegins) {
			if begin == model.Unknown && oldBegins[q] != model.Unknown {
				if lost = lost || undecided || oldBegins[q] > ends[q]; !undecided && oldBegins[q] <= ends[q] {
					begin = oldBegins[q]
				}
			}
			if at == model.Unknown {
				at = oldStored[q]
			}
		}
		begins.put(first+q, begin)
		stored.put(first+q, at)
	}
	if t == nil {
		return
	}
	switch {
	case lost:
		t.takeOver(last)
	case t.state == read:
		t.setTold(topicStats{}) // the part has it now
	}
	t.placed = int32(i)
}

// watch notes the ends of a topic that were read in the round, and forgets what
// was known of another topic of that name.
func (w *reading) watch(t *topic, ends []int64) {
	before, first, told := endsAt(w.build.last, t.placed), t.first(), t.told()
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
		first = slices.Clone(queuesAt(slowestCommits(nil, w.build.last), w.build.last, t.placed))
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

// endsAt are the ends of the topic at a place of a part; nil: it is in none.
func endsAt(part *model.Part, place int32) []int64 { return queuesAt(part.Ends, part, place) }

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

// sharing is a list of a part that is the one of the part before while it has the
// same values.
type sharing struct {
	list []int64
	own  bool
}

func newSharing(last []int64, same bool, n int) sharing {
	if same {
		return sharing{list: last}
	}
	return sharing{list: make([]int64, n), own: true}
}

func (s *sharing) put(i int, value int64) {
	if !s.own {
		if s.list[i] == value {
			return
		}
		s.list, s.own = slices.Clone(s.list), true
	}
	s.list[i] = value
}

// sameList says whether two lists are one.
func sameList[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }
