package direct

import (
	"math"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// topicMemory is what is remembered of a topic of one broker between rounds. It
// goes with the topic: when the broker no longer lists it, all is forgotten.
//
// A large cluster has hundreds of thousands, most of them retry topics of one
// queue whose commits are where they end. All that is known of such a topic is in
// the last part.
type topicMemory struct {
	lists  *topicLists // nil: there is nothing in them
	asked  model.Stamp
	atEnds uint32 // fingerprint of the ends that were told with the stats
	placed int32  // place in the broker's last good part; notInPart

	hasStats bool  // the part, or else the lists, know what the slower cycle asks for
	failures uint8 // to tell the stats, in a row
	// Of the round, and here because there is room. undecided: where some queue
	// of the topic begins decides whether a missing commit counts.
	undecided bool
	behind    bool // some group has something to consume
	// untold is how old the stats were when they were asked for last, in
	// milliseconds: 0 where they were told then, neverTold where they never were.
	untold uint32
}

const neverTold = math.MaxUint32

// topicLists are the values of a topic that are in no part, by queue id. What of
// them goes into snapshots is replaced, not written to.
type topicLists struct {
	// firstEnds are the ends that were read first: what was committed below
	// them was committed before anybody watched. They follow the slowest
	// group when it has passed them. While they are where it is, there are
	// none: they are in the last part.
	firstEnds []int64
	// stats are what the slower cycle told, until a part has it.
	stats topicStats
}

func (m *topicMemory) first() []int64 {
	if m.lists == nil {
		return nil
	}
	return m.lists.firstEnds
}

func (m *topicMemory) told() topicStats {
	if m.lists == nil {
		return topicStats{}
	}
	return m.lists.stats
}

func (m *topicMemory) setFirst(list []int64) { m.setLists(list, m.told()) }

func (m *topicMemory) setTold(s topicStats) { m.setLists(m.first(), s) }

func (m *topicMemory) setLists(first []int64, s topicStats) {
	switch {
	case first == nil && s.values == nil:
		m.lists = nil
	case m.lists == nil:
		m.lists = &topicLists{first, s}
	default:
		*m.lists = topicLists{first, s}
	}
}

// stats are where the topic's queues begin, and when its newest message was
// stored, as far as it is known: as it was told since the last part, or as that
// has it. They may be laid out in the room.
func (m *topicMemory) stats(last *model.Part, room *model.Run) (begins []int64, stored int64) {
	if !m.hasStats {
		return nil, model.Unknown
	}
	if s := m.told(); s.values != nil {
		return s.begins(), s.stored
	}
	if m.placed == notInPart {
		return nil, model.Unknown
	}
	return offsetsAt(&last.Begins, last, m.placed, room), model.ValueAt(last.Stored, int(m.placed))
}

// takeOver keeps what the last part knows of a topic and the next one will not.
func (m *topicMemory) takeOver(last *model.Part, room *model.Run) {
	if !m.hasStats || m.told().values != nil || m.placed == notInPart {
		return
	}
	t := &last.Topics[m.placed]
	s := newTopicStats(int(t.Queues), last.TakenAt(int(m.placed)))
	copy(s.begins(), offsetsAt(&last.Begins, last, m.placed, room))
	copy(s.ends(), endsAt(last, m.placed, room))
	s.stored = model.ValueAt(last.Stored, int(m.placed))
	m.setTold(s)
}

// leave notes that a topic of the last part is in the next one no more.
func (m *topicMemory) leave(last *model.Part, room *model.Run) {
	m.takeOver(last, room)
	m.setFirst(nil)
	m.placed = notInPart
}

// ageOf is for how long something that was at a time has been.
func ageOf(at model.Stamp, now time.Time) time.Duration {
	if at == model.NoStamp {
		return math.MaxInt64
	}
	return now.Sub(at.Time())
}

// toldAge is for how long the stats have been as they are.
func (m *topicMemory) toldAge(now time.Time) time.Duration {
	if m.asked == model.NoStamp || m.untold == neverTold {
		return math.MaxInt64
	}
	return ageOf(m.asked, now) + time.Duration(m.untold)*time.Millisecond
}

// forgetStats forgets what the slower cycle knows.
func (m *topicMemory) forgetStats() {
	m.hasStats, m.asked = false, model.NoStamp
	m.setTold(topicStats{})
}

// topicStats are the queues of one topic as an answer tells them, by queue id: two
// lists in one. They are not written to later.
type topicStats struct {
	values []int64
	stored int64 // when the newest message was; Unknown where nobody told
	at     model.Stamp
}

const statsLists = 2

func newTopicStats(queues int, at time.Time) topicStats {
	values := appendUnknown(make([]int64, 0, statsLists*queues), statsLists*queues)
	return topicStats{values, model.Unknown, model.StampOf(at)}
}

func (s *topicStats) list(i int) []int64 {
	n := len(s.values) / statsLists
	return s.values[i*n : (i+1)*n : (i+1)*n]
}

func (s *topicStats) begins() []int64 { return s.list(0) }

// ends were told with the rest, or later, of a topic whose ends no round asks for.
func (s *topicStats) ends() []int64 { return s.list(1) }

// fingerprint is the same while a list is.
func fingerprint(list []int64) uint32 {
	h := uint64(len(list))
	for _, v := range list {
		h = mixed(h, v)
	}
	return uint32(h >> 32)
}

// mixed is a fingerprint with one more value.
func mixed(h uint64, value int64) uint64 {
	h = (h ^ uint64(value)) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// quietCycles is how many times longer a topic is believed to be as it was when
// its ends have not moved since and no group is behind on it: then all that can
// have changed is where its queues begin, and the broker need not read the last
// message of each queue from its disk again.
const quietCycles = 10

// readStats reads an answer to GET_TOPIC_STATS_INFO.
func readStats(body []byte, queues int, now time.Time) (topicStats, error) {
	s := newTopicStats(queues, now)
	err := s.read(body)
	return s, err
}

func (s *topicStats) read(body []byte) error {
	begins, ends := s.begins(), s.ends()
	queues := len(ends)
	return remoting.DecodeTopicStats(body, func(q *remoting.MessageQueue, o *remoting.TopicOffset) {
		if q.QueueID < 0 || int(q.QueueID) >= queues || o.Min < 0 || o.Max < o.Min {
			return
		}
		begins[q.QueueID], ends[q.QueueID] = o.Min, o.Max
		if o.LastUpdate > 0 && o.Max > 0 {
			s.stored = max(s.stored, o.LastUpdate)
		}
	})
}

// lacksEnd says whether some queue's end was not told.
func (s *topicStats) lacksEnd() bool { return slices.Contains(s.ends(), model.Unknown) }

// readEnds reads an answer to GET_CONSUME_STATS, for queues that the stats left out.
func (s *topicStats) readEnds(body []byte) error {
	ends := s.ends()
	return remoting.DecodeConsumeStats(body, func(q *remoting.MessageQueue, o *remoting.ConsumeOffset) {
		if q.QueueID >= 0 && int(q.QueueID) < len(ends) && ends[q.QueueID] == model.Unknown && o.BrokerOffset >= 0 {
			ends[q.QueueID] = o.BrokerOffset
		}
	})
}

// statsErrand asks for the queues of one topic. A broker of before 5.3.0 leaves
// out those that are only read any more.
func (w *reading) statsErrand(t *topic) errand {
	addr, name, queues, now := w.proc.addr, t.name, int(t.queues), w.src.opts.Now
	return errand{addr, statsRequest(name), func(body []byte, err error) finding {
		var s topicStats
		if err == nil {
			s, err = readStats(body, queues, now())
			err = bodyOf(addr, err)
		}
		return func(w *reading) { w.takeStats(addr, name, remoting.GetTopicStatsInfo, s, err) }
	}}
}

// takeStats notes the answer about one topic, or which request for it failed.
func (w *reading) takeStats(addr, name string, request remoting.RequestCode, s topicStats, err error) {
	t := w.broker.known.topicNamed(name)
	if t == nil || isNotFound(err) {
		return // it was deleted meanwhile, and is gone or soon will be
	}
	told := t.told()
	if err == nil && told.at > s.at {
		return // it was asked twice, and this is the older answer
	}
	age := t.toldAge(w.began)
	t.asked, t.untold = model.StampOf(w.began), 0
	if err != nil {
		t.untold = uint32(max(min(age.Milliseconds(), neverTold), 0)) // a clock may be set back
		if t.failures = oneMore(t.failures); int(t.failures) > w.src.opts.KeepRounds {
			t.hasStats = false
			t.setTold(topicStats{})
		}
		w.fail(w.broker.cluster.name, addr, request, err)
		return
	}
	_, before := t.stats(w.build.last, &w.begins)
	if wentBack(s.ends(), told.ends()) {
		before = model.Unknown // of another topic of that name
	}
	s.stored = newest(s.stored, !slices.Contains(s.begins(), model.Unknown), before)
	t.setTold(s)
	t.failures, t.hasStats, t.atEnds = 0, true, fingerprint(s.ends())
}

// endsErrand asks for the ends of topics in bulk.
func (w *reading) endsErrand(topics []*topic) errand {
	widths := make(map[string]int, len(topics))
	for _, t := range topics {
		widths[t.name] = int(t.queues)
	}
	addr, now := w.proc.addr, w.src.opts.Now
	return errand{addr, bulkRequest(topics), func(body []byte, err error) finding {
		ends, at := make(map[string][]int64, len(widths)), now()
		if err == nil {
			err = bodyOf(addr, remoting.DecodeConsumeStats(body, func(q *remoting.MessageQueue, o *remoting.ConsumeOffset) {
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

// takeEnds notes the ends of topics that nobody had committed on when they were
// asked for. Of the others the round itself has newer ones.
func (w *reading) takeEnds(ends map[string][]int64, at time.Time) {
	for name, list := range ends {
		t := w.broker.known.topicNamed(name)
		if t == nil || t.state != unused || t.placed != notInPart {
			continue
		}
		s, before := newTopicStats(len(list), at), t.told()
		copy(s.ends(), list)
		if t.hasStats && !wentBack(list, before.ends()) {
			copy(s.begins(), before.begins())
			s.stored = before.stored
		} else {
			t.forgetStats()
			t.atEnds = 0
		}
		t.setTold(s)
		t.hasStats = true
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

// endsOf are the ends of a topic: in the sealed part, or as they were last told.
func (w *reading) endsOf(t *topic) []int64 {
	if t.placed != notInPart {
		return endsAt(w.broker.part, t.placed, &w.ends)
	}
	told := t.told()
	return told.ends()
}

// others are the topics that are in no part because no group has committed on
// them, as the slower cycle knows them.
func (k *configs) others() []model.TopicStats {
	list := make([]model.TopicStats, 0, 8)
	for i := range k.topics.list {
		t := &k.topics.list[i]
		if !t.isApart() {
			continue
		}
		o := model.TopicStats{Topic: t.name, Stored: model.Unknown}
		if s := t.told(); t.hasStats {
			o.Taken, o.Ends, o.Begins, o.Stored = s.at.Time(), s.ends(), s.begins(), s.stored
		}
		list = append(list, o)
	}
	return list
}

// forgetTopics forgets what is remembered of topics, but not which there are.
func (k *configs) forgetTopics() {
	for i := range k.topics.list {
		k.topics.list[i].topicMemory = topicMemory{placed: notInPart}
	}
}
