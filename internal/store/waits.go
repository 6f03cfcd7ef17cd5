package store

import (
	"math"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// waits are the ages that a broker was asked for, and where they belong. They are
// told in every round, and mostly the same ones: what is kept of an age is then
// kept already.
type waits struct {
	list    []model.Wait
	groups  []string
	commits []model.Commits
	names   []model.Topic
	told    []toldWait // in the order of the topics
	all     bool       // each of list stands in told once
}

// toldWait is one of them.
type toldWait struct {
	topic, entry, wait int32 // places in the part's Topics, Commits and Waits
	// settled: it would be told in vain as long as the same ages are told, the
	// commits stand, and no beginning is behind them.
	settled bool
	ages    *int64 // the first of them: ages that are the same are the same list
}

// match finds the entries of commits that a part's ages belong to.
func (w *waits) match(in *model.Part) {
	same := model.SameList(w.commits, in.Commits) && model.SameList(w.groups, in.Groups) && model.SameList(w.names, in.Topics)
	if !same || !model.SameList(w.list, in.Waits) && !w.fits(in) {
		w.find(in)
	}
	w.list, w.groups, w.commits, w.names = in.Waits, in.Groups, in.Commits, in.Topics
}

// fits says whether other ages belong to the same entries.
func (w *waits) fits(in *model.Part) bool {
	if !w.all || len(w.told) != len(in.Waits) {
		return false
	}
	for i := range w.told {
		told, c := &in.Waits[w.told[i].wait], &in.Commits[w.told[i].entry]
		if told.Group != in.GroupOf(c) || told.Topic != in.Topics[c.Topic].Name {
			return false
		}
	}
	return true
}

// find looks all of them up.
func (w *waits) find(in *model.Part) {
	if w.told = w.told[:0]; len(in.Waits) == 0 {
		*w = waits{}
		return
	}
	places := make(map[entryName]int32, len(in.Waits))
	for i := range in.Waits {
		places[entryName{in.Waits[i].Topic, in.Waits[i].Group}] = int32(i)
	}
	used := make([]bool, len(in.Waits))
	w.all = len(places) == len(in.Waits)
	for i := range in.Commits {
		c := &in.Commits[i]
		place, ok := places[entryName{in.Topics[c.Topic].Name, in.GroupOf(c)}]
		if !ok {
			continue
		}
		w.all = w.all && !used[place]
		used[place] = true
		w.told = append(w.told, toldWait{topic: firstOf(in, c.Topic), entry: int32(i), wait: place})
	}
	slices.SortStableFunc(w.told, func(a, b toldWait) int { return int(a.topic) - int(b.topic) })
}

// tell takes ages that were told of a topic, unless that was done.
func (h *History) tell(k *looking, in *model.Part, told *toldWait) {
	w, c := &in.Waits[told.wait], &in.Commits[told.entry]
	t := &in.Topics[c.Topic]
	committed, begins := k.desk.commits.Read(&in.Committed, c.First, t.Queues), k.desk.begins.Read(&in.Begins, t.First, t.Queues)
	if told.settled && !k.retell && !k.retold && len(w.Ages) > 0 && told.ages == &w.Ages[0] {
		before, _ := k.part.earlier.of(int(told.entry), &k.desk.committed)
		if stands(w.Committed, before, committed, begins) {
			return
		}
	}
	told.settled, told.ages = k.tell(h.Tick(w.Taken), w, committed, begins), nil
	if len(w.Ages) > 0 {
		told.ages = &w.Ages[0]
	}
}

// stands says whether the commits stand that were asked for, and no message in
// front of them has gone.
func stands(asked, before, committed, begins []int64) bool {
	for id, at := range asked {
		if at >= 0 && (model.ValueAt(before, id) != model.ValueAt(committed, id) || model.ValueAt(committed, id) < max(model.ValueAt(begins, id), 0)) {
			return false
		}
	}
	return true
}

// tell takes ages that a broker was asked for, now that the group's commits are
// these. Where a commit is still the one that the age was asked for, the age is
// that of its message. Where it has moved on, the age is that of some message in
// front of it.
func (k *looking) tell(at Tick, w *model.Wait, committed, begins []int64) (settled bool) {
	settled = true
	for id, asked := range w.Committed {
		age := model.ValueAt(w.Ages, id)
		start, begin := model.ValueAt(committed, id), model.ValueAt(begins, id)
		if start != model.Unknown || begin == 0 {
			start = max(start, begin)
		}
		settled = settled && (asked < 0 || start == model.ValueAt(committed, id))
		stored := int64(at) - age/Unit.Milliseconds()
		switch {
		case asked < 0 || age < 0 || stored < -math.MaxInt32: // not told, or nonsense
		case asked == start:
			settled = k.anchor(id, Tick(stored), start, exact) && settled
		case asked < start:
			settled = k.anchor(id, Tick(stored), start, bound) && settled
		}
	}
	return settled
}

// anchor takes a store time of a queue, if something else is known of the queue.
func (k *looking) anchor(id int, at Tick, offset int64, kind uint32) (known bool) {
	if id >= max(len(k.older), len(k.now), len(k.before)) {
		return false
	}
	if changed, ok := k.anchorFront(id, at, offset, kind); ok {
		k.changed, k.retell = k.changed || changed, k.retell || changed
		return true
	}
	k.widen(id)
	q := k.unpack(id)
	off, isLine := q.lastLine()
	q, seen := withLooks(q, model.ValueAt(k.before, id), k.takenFirst, model.ValueAt(k.now, id), k.taken)
	if len(q) == 0 {
		return false
	}
	now := q[len(q)-1].at
	if q.anchor(at, offset, kind) {
		rest := q[:len(q)-seen]
		if isLine {
			rest[len(rest)-1].off = off // what comes behind it is a look, and may change
		}
		if len(rest) > maxSamples {
			rest.thin(now)
		}
		k.pack(id, rest)
		k.changed, k.retell = true, true
	}
	return true
}
