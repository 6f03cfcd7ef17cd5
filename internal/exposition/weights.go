package exposition

import (
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// weights are the backlogs behind what labels name.
type weights struct {
	pairs     finder[[2]string] // topic and group
	topics    finder[string]
	groups    finder[string]
	processes finder[[2]string] // IP and PID

	// Of the family: the place of each label behind the cluster, -1 where it
	// has none; and whether it is about what there may be very many of.
	topicAt, groupAt, ipAt, pidAt, queueAt int
	cuttable                               bool

	values [8]string // of the labels of the series
}

func newWeights(r *lag.Report) weights {
	return weights{
		pairs: finder[[2]string]{
			n: len(r.Pairs), key: func(i int) [2]string { return [2]string{r.Pairs[i].Topic, r.Pairs[i].Group} },
			backlog: func(i int) int64 { return r.Pairs[i].Backlog },
		},
		topics: finderOfSums(r.Topics), groups: finderOfSums(r.Groups),
		processes: finder[[2]string]{
			n: len(r.Processes), key: func(i int) [2]string { return [2]string{r.Processes[i].IP, r.Processes[i].PID} },
			backlog: func(i int) int64 { return r.Processes[i].Backlog },
		},
	}
}

func finderOfSums(sums []lag.Sum) finder[string] {
	return finder[string]{
		n: len(sums), key: func(i int) string { return sums[i].Name }, backlog: func(i int) int64 { return sums[i].Backlog },
	}
}

// finder finds the backlog of what has a name in a list. Series mostly come in the
// order of the list, so it looks near where it was last; for what is not there it
// has an index, once that is needed.
type finder[K comparable] struct {
	n       int
	key     func(i int) K
	backlog func(i int) int64

	last  int
	index map[K]int
}

// near is how many entries are looked at before the index is.
const near = 4

func (f *finder[K]) of(key K) int64 {
	for i := f.last; i < min(f.last+near, f.n); i++ {
		if f.key(i) == key {
			f.last = i
			return f.backlog(i)
		}
	}
	if f.index == nil {
		f.index = make(map[K]int, f.n)
		for i := range f.n {
			f.index[f.key(i)] = i
		}
	}
	i, ok := f.index[key]
	if !ok {
		return unknown
	}
	f.last = i
	return f.backlog(i)
}

// names turns to a family with these labels.
func (w *weights) names(labels []string) {
	w.topicAt = slices.Index(labels, family.LabelTopic)
	w.groupAt = slices.Index(labels, family.LabelConsumerGroup)
	w.ipAt = slices.Index(labels, family.LabelClientIP)
	w.pidAt = slices.Index(labels, family.LabelClientPID)
	w.queueAt = slices.Index(labels, family.LabelQueueID)
	w.cuttable = max(w.topicAt, w.groupAt, w.ipAt, w.queueAt) > 0
	w.pairs.last, w.topics.last, w.groups.last, w.processes.last = 0, 0, 0, 0
}

// label takes the value of the label at a place.
func (w *weights) label(at int, value string) {
	if at < len(w.values) {
		w.values[at] = value
	}
}

// process is the one that the series names.
func (w *weights) process() (ip, pid string, ok bool) {
	if w.ipAt < 0 || w.pidAt < 0 {
		return "", "", false
	}
	ip, pid = w.values[w.ipAt], w.values[w.pidAt]
	return ip, pid, ip != "" || pid != ""
}

// of is the weight of the series with the labels that were told. What is one
// row, or a sum of rows by queue, weighs what it says.
func (w *weights) of(value int64) int64 {
	switch {
	case w.topicAt > 0 && w.groupAt > 0 && w.queueAt > 0, w.topicAt < 0 && w.queueAt > 0:
		return value
	case w.topicAt > 0 && w.groupAt > 0:
		return w.pairs.of([2]string{w.values[w.topicAt], w.values[w.groupAt]})
	case w.topicAt > 0:
		return w.topics.of(w.values[w.topicAt])
	case w.ipAt > 0 && w.pidAt > 0:
		return w.processes.of([2]string{w.values[w.ipAt], w.values[w.pidAt]})
	case w.groupAt > 0:
		return w.groups.of(w.values[w.groupAt])
	}
	return 0
}
