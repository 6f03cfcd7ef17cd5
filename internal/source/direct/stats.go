package direct

import (
	"math"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// topicMemory is what is remembered of a topic of one broker between rounds. It
// goes with the topic: when the broker no longer lists it, all is forgotten.
//
// A large cluster has hundreds of thousands, most of them retry topics of one
// queue, so it is all in one list. What of that goes into snapshots is replaced,
// not written to.
type topicMemory struct {
	values []int64 // width values of each list in turn
	width  int32

	hasFirst, hasStats bool
	failures           uint8 // to tell the stats, in a row
	asked              stamp
	endsAt             stamp // of the list of ends
}

// stamp is a time in ms since 1970, in a third of the bytes.
type stamp int64

const never stamp = 0

func stampOf(t time.Time) stamp { return stamp(t.UnixMilli()) }

func (s stamp) time() time.Time { return time.UnixMilli(int64(s)) }

func (s stamp) until(t time.Time) time.Duration {
	if s == never {
		return math.MaxInt64
	}
	return t.Sub(s.time())
}

// The lists of a memory, by queue id.
const (
	// The ends that were read first: what was committed below them was
	// committed before anybody watched.
	listFirst = iota
	// What the slower cycle knows, and the ends that were told with it.
	listBegins
	listStored
	listAtEnds
	// The newest ends, of a topic whose ends no round asks for. There need
	// not be any: then they are the ends that were told with the rest.
	listEnds

	lists = listEnds // that there always are
)

func (m *topicMemory) list(i int) []int64 {
	w := int(m.width)
	if i*w >= len(m.values) {
		i = listAtEnds
	}
	return m.values[i*w : (i+1)*w : (i+1)*w]
}

// first are the ends that were read first; nil: none were.
func (m *topicMemory) first() []int64 {
	if !m.hasFirst {
		return nil
	}
	return m.list(listFirst)
}

// renew makes all lists anew, for so many queues.
func (m *topicMemory) renew(queues, lists int) {
	old := *m
	m.width = int32(queues)
	m.values = appendUnknown(make([]int64, 0, lists*int(m.width)), lists*int(m.width))
	for i := range min(lists, len(old.values)/max(int(old.width), 1)) {
		copy(m.list(i), old.list(i))
	}
}

// forgetStats forgets what the slower cycle knows.
func (m *topicMemory) forgetStats() { m.hasStats, m.asked = false, never }

// topicStats are the queues of one topic as an answer tells them, by queue id.
type topicStats struct {
	begins, stored []int64
	ends           []int64 // that were told with them
	at             time.Time
}

// quietCycles is how many times longer a topic is believed to be as it was when
// its ends have not moved since and no group is behind on it: then all that can
// have changed is where its queues begin, and the broker need not read the last
// message of each queue from its disk again.
const quietCycles = 10

// readStats reads an answer to GET_TOPIC_STATS_INFO.
func readStats(body []byte, queues int, now time.Time) (*topicStats, error) {
	s := &topicStats{
		begins: appendUnknown(nil, queues), stored: appendUnknown(nil, queues), ends: appendUnknown(nil, queues),
		at: now,
	}
	err := remoting.DecodeTopicStats(body, func(q remoting.MessageQueue, o remoting.TopicOffset) {
		if q.QueueID < 0 || int(q.QueueID) >= queues || o.Min < 0 || o.Max < o.Min {
			return
		}
		s.begins[q.QueueID], s.ends[q.QueueID] = o.Min, o.Max
		if o.LastUpdate > 0 && o.Max > 0 {
			s.stored[q.QueueID] = o.LastUpdate
		}
	})
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
	t.asked = stampOf(w.began)
	if err != nil {
		if t.failures = min(t.failures, math.MaxUint8-1) + 1; int(t.failures) > w.src.opts.KeepRounds {
			t.hasStats = false
		}
		w.fail(w.broker.cluster.name, addr, remoting.GetTopicStatsInfo, err)
		return
	}
	t.renew(len(s.begins), lists)
	copy(t.list(listBegins), s.begins)
	copy(t.list(listStored), s.stored)
	copy(t.list(listAtEnds), s.ends)
	t.failures, t.hasStats, t.endsAt = 0, true, stampOf(s.at)
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
		known := t.hasStats && !wentBack(list, t.list(listAtEnds))
		t.renew(len(list), lists+1)
		if !known {
			t.forgetStats()
			setUnknown(t.list(listBegins), t.list(listStored), t.list(listAtEnds))
		}
		copy(t.list(listEnds), list)
		t.hasStats, t.endsAt = true, stampOf(at)
	}
}

func setUnknown(lists ...[]int64) {
	for _, list := range lists {
		for i := range list {
			list[i] = model.Unknown
		}
	}
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
	if int(t.width) < len(ends) {
		t.renew(len(ends), max(lists, len(t.values)/max(int(t.width), 1)))
	}
	first := t.list(listFirst)
	if !t.hasFirst || wentBack(ends, first) {
		setUnknown(first)
		t.hasFirst = true
	}
	for q, end := range ends {
		if first[q] == model.Unknown {
			first[q] = end
		}
	}
	if t.hasStats && wentBack(ends, t.list(listAtEnds)) {
		t.forgetStats()
	}
}

// fill puts into a part what the slower cycle knows of its queues. Where a
// missing commit depends on a beginning, only this round's answer decides.
func (w *reading) fill(part *model.Part) {
	w.inPart = w.topicsOf(part)
	for _, t := range w.build.topics {
		t.slot = notInPart
	}
	for i, t := range w.inPart {
		if t == nil {
			continue
		}
		topic := &part.Topics[i]
		ends := part.Ends[topic.First : topic.First+topic.Queues]
		if t.slot = i; t.state == read {
			t.watch(ends)
		}
		if !t.hasStats {
			continue
		}
		begins, stored := t.list(listBegins), t.list(listStored)
		for q := range min(len(begins), len(ends)) {
			at := int(topic.First) + q
			if part.Begins[at] == model.Unknown && !t.undecided && begins[q] <= ends[q] {
				part.Begins[at] = begins[q]
			}
			if part.Stored[at] == model.Unknown {
				part.Stored[at] = stored[q]
			}
		}
	}
}

// topicsOf are the topics of a sealed part, in its order; nil: deleted meanwhile.
func (w *reading) topicsOf(part *model.Part) []*topic {
	if part == w.build.part {
		return w.build.topics
	}
	list := make([]*topic, len(part.Topics))
	for i := range part.Topics {
		list[i] = w.broker.known.topics[part.Topics[i].Name]
	}
	return list
}

// endsOf are the ends of a topic in the sealed part; nil where it is in none.
func (w *reading) endsOf(t *topic) []int64 {
	if t.state == unused || t.slot == notInPart {
		return nil
	}
	topic := &w.broker.part.Topics[t.slot]
	return w.broker.part.Ends[topic.First : topic.First+topic.Queues]
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
		if t.hasStats {
			o.Taken, o.Ends, o.Begins, o.Stored = t.endsAt.time(), t.list(listEnds), t.list(listBegins), t.list(listStored)
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
