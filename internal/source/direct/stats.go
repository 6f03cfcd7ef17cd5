package direct

import (
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// topicMemory is what is remembered of a topic of one broker between rounds. It
// goes with the topic: when the broker no longer lists it, all is forgotten.
type topicMemory struct {
	// first holds the ends that were read first, by queue id: what was
	// committed below them was committed before anybody watched. It follows
	// the slowest commit: what lies behind that nobody need remember, and a
	// commit that goes back there must be asked about.
	first []int64
	stats *topicStats

	asked    time.Time // when its stats were last asked for
	failures int       // in a row
}

// topicStats are the queues of one topic as the slower cycle knows them, by
// queue id. They are replaced, not written to.
type topicStats struct {
	begins, stored []int64
	atEnds         []int64 // the ends that were told with them

	// The newest ends, of a topic whose ends no round asks for.
	ends   []int64
	endsAt time.Time
}

// quietCycles is how many times longer a topic is believed to be as it was when
// its ends have not moved since and no group is behind on it: then all that can
// have changed is where its queues begin, and the broker need not read the last
// message of each queue from its disk again.
const quietCycles = 10

// readStats reads an answer to GET_TOPIC_STATS_INFO.
func readStats(body []byte, queues int, now time.Time) (*topicStats, error) {
	s := &topicStats{
		begins: appendUnknown(nil, queues), stored: appendUnknown(nil, queues), atEnds: appendUnknown(nil, queues),
		endsAt: now,
	}
	err := remoting.DecodeTopicStats(body, func(q remoting.MessageQueue, o remoting.TopicOffset) {
		if q.QueueID < 0 || int(q.QueueID) >= queues || o.Min < 0 || o.Max < o.Min {
			return
		}
		s.begins[q.QueueID], s.atEnds[q.QueueID] = o.Min, o.Max
		if o.LastUpdate > 0 && o.Max > 0 {
			s.stored[q.QueueID] = o.LastUpdate
		}
	})
	s.ends = s.atEnds
	return s, err
}

// statsErrand asks for the queues of one topic. A broker of 4.x leaves out those
// that are only read any more.
func (w *reading) statsErrand(t *topic) errand {
	addr, name, queues, now := w.proc.addr, t.name, t.queues, w.src.opts.Now
	return errand{addr, statsRequest(t), func(body []byte, err error) finding {
		var s *topicStats
		if err == nil {
			s, err = readStats(body, queues, now())
			err = bodyOf(addr, err)
		}
		return func(w *reading) { w.takeStats(addr, name, s, err) }
	}}
}

// takeStats notes the answer about one topic.
func (w *reading) takeStats(addr, name string, s *topicStats, err error) {
	t := w.broker.known.topics[name]
	if t == nil || isNotFound(err) {
		return // it was deleted meanwhile, and is gone or soon will be
	}
	t.asked = w.began
	if err != nil {
		if t.failures++; t.failures > w.src.opts.KeepRounds {
			t.stats = nil
		}
		w.fail(w.broker.cluster.name, addr, remoting.GetTopicStatsInfo, err)
		return
	}
	t.failures, t.stats = 0, s
}

// endsErrand asks for the ends of topics in bulk.
func (w *reading) endsErrand(topics []*topic) errand {
	widths := make(map[string]int, len(topics))
	for _, t := range topics {
		widths[t.name] = t.queues
	}
	addr, now := w.proc.addr, w.src.opts.Now
	return errand{addr, bulkRequest(topics), func(body []byte, err error) finding {
		ends, at := make(map[string][]int64, len(widths)), now()
		if err == nil {
			err = bodyOf(addr, remoting.DecodeConsumeStats(body, func(q remoting.MessageQueue, o remoting.ConsumeOffset) {
				width := widths[string(q.Topic)]
				if q.QueueID < 0 || int(q.QueueID) >= width || o.BrokerOffset < 0 {
					return
				}
				list := ends[string(q.Topic)]
				if list == nil {
					list = appendUnknown(nil, width)
					ends[string(q.Topic)] = list
				}
				list[q.QueueID] = o.BrokerOffset
			}))
		}
		return func(w *reading) {
			if err != nil {
				w.fail(w.broker.cluster.name, addr, remoting.GetConsumeStats, err)
				return
			}
			w.takeEnds(ends, at)
		}
	}}
}

func (w *reading) takeEnds(ends map[string][]int64, at time.Time) {
	for name, list := range ends {
		t := w.broker.known.topics[name]
		if t == nil {
			continue
		}
		var s topicStats
		if t.stats != nil && !wentBack(list, t.stats.atEnds) {
			s = *t.stats
		} else {
			t.asked = time.Time{}
		}
		s.ends, s.endsAt = list, at
		s.begins, s.stored, s.atEnds = widened(s.begins, len(list)), widened(s.stored, len(list)), widened(s.atEnds, len(list))
		t.stats = &s
	}
}

// widened is a list with at least n values.
func widened(list []int64, n int) []int64 {
	if len(list) >= n {
		return list
	}
	return appendUnknown(slices.Clone(list), n-len(list))
}

// wentBack says whether a queue's end lies before where it was: the topic was
// deleted and made anew.
func wentBack(ends, before []int64) bool {
	for q := range min(len(ends), len(before)) {
		if ends[q] != model.Unknown && ends[q] < before[q] {
			return true
		}
	}
	return false
}

// watch notes the ends of a topic that were read in the round, and forgets what
// was known of another topic of that name.
func (t *topic) watch(ends []int64) {
	switch {
	case t.first == nil || wentBack(ends, t.first):
		t.first = slices.Clone(ends)
	default:
		for q := range min(len(ends), len(t.first)) {
			if t.first[q] == model.Unknown {
				t.first[q] = ends[q]
			}
		}
		if n := len(t.first); len(ends) > n {
			t.first = append(t.first[:n:n], ends[n:]...)
		}
	}
	if t.stats != nil && wentBack(ends, t.stats.atEnds) {
		t.stats, t.asked = nil, time.Time{}
	}
}

// fill puts into a part what the slower cycle knows of its queues. Where a
// missing commit depends on a beginning, only this round's answer decides.
func (w *reading) fill(part *model.Part) {
	w.inPart = make([]*topic, len(part.Topics))
	for i := range part.Topics {
		topic := &part.Topics[i]
		t := w.broker.known.topics[topic.Name]
		if w.inPart[i] = t; t == nil {
			continue
		}
		ends := part.Ends[topic.First : topic.First+topic.Queues]
		if t.ends = ends; t.state == read {
			t.watch(ends)
		}
		if t.stats == nil {
			continue
		}
		s := t.stats
		for q := range min(len(s.begins), len(ends)) {
			at := topic.First + q
			if part.Begins[at] == model.Unknown && !t.undecided && s.begins[q] <= ends[q] {
				part.Begins[at] = s.begins[q]
			}
			if part.Stored[at] == model.Unknown {
				part.Stored[at] = s.stored[q]
			}
		}
	}
}

// others are the topics that are in no part because no group has committed on
// them, as the slower cycle knows them.
func (k *configs) others() []model.TopicStats {
	list := make([]model.TopicStats, 0, 8)
	for _, t := range k.sorted {
		if t.state != unused {
			continue
		}
		o := model.TopicStats{Topic: t.name}
		if s := t.stats; s != nil {
			o.Taken, o.Ends, o.Begins, o.Stored = s.endsAt, s.ends, s.begins, s.stored
		}
		list = append(list, o)
	}
	return list
}

// forgetTopics forgets what is remembered of topics, but not which there are.
func (k *configs) forgetTopics() {
	for _, t := range k.topics {
		t.topicMemory = topicMemory{}
	}
}
