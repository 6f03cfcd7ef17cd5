package remoting

import (
	"bytes"
	"math"
)

// ConsumeOffset is what a broker says of one queue and one group
// (OffsetWrapper in RocketMQ).
type ConsumeOffset struct {
	BrokerOffset   int64 // offset of the next message to come
	ConsumerOffset int64 // commit of the group; 0 also when it never committed
	PullOffset     int64 // 5.1 and later
	LastTimestamp  int64 // store time of the last consumed message, ms since 1970, 0 if unknown
}

// DecodeConsumeStats reads the answer to GET_CONSUME_STATS (ConsumeStats). What queue
// is called with is lent until it returns.
func DecodeConsumeStats(body []byte, queue func(*MessageQueue, *ConsumeOffset)) error {
	s := scanner{data: body}
	var like consumeStat
	for s.entry("offsetTable") {
		if !s.likeConsumeStat(&like) {
			s.consumeStat(&like)
		}
		if s.err == nil {
			queue(&like.queue, &like.offset)
		}
	}
	return bodyError(GetConsumeStats, s.end())
}

// consumeStat is an entry of the table, and what is left of it without its queue id,
// its topic and its end: what comes before and behind them. For a group that has
// committed nothing that is the same in all entries, to the byte, and a large
// cluster tells of hundreds of thousands in a round.
type consumeStat struct {
	head, tail []byte
	queue      MessageQueue
	offset     ConsumeOffset
}

const (
	statTopic = `,"topic":"`
	statEnd   = `}:{"brokerOffset":`
)

// likeConsumeStat takes an entry that is like the one before.
func (s *scanner) likeConsumeStat(like *consumeStat) bool {
	if len(like.tail) == 0 || !bytes.HasPrefix(s.data[s.pos:], like.head) {
		return false
	}
	first := s.pos + len(like.head)
	id, i := digits(s.data, first)
	if i == first || id > math.MaxInt32 || !hasPrefix(s.data[i:], statTopic) {
		return false
	}
	first = i + len(statTopic)
	n := bytes.IndexByte(s.data[first:], '"')
	if n < 0 || bytes.IndexByte(s.data[first:first+n], '\\') >= 0 {
		return false
	}
	topic := s.data[first : first+n : first+n]
	if first += n + 1; !hasPrefix(s.data[first:], statEnd) {
		return false
	}
	first += len(statEnd)
	end, i := manyDigits(s.data, first)
	if i == first || !bytes.HasPrefix(s.data[i:], like.tail) {
		return false
	}
	s.pos = i + len(like.tail)
	like.queue.QueueID, like.queue.Topic, like.offset.BrokerOffset = int32(id), topic, end
	return true
}

func hasPrefix(data []byte, want string) bool {
	return len(data) >= len(want) && string(data[:len(want)]) == want
}

// consumeStat takes any entry.
func (s *scanner) consumeStat(e *consumeStat) {
	start := s.pos
	if s.plainConsumeStat(e) {
		return
	}
	s.pos, e.tail = start, nil
	e.queue = s.messageQueueKey()
	e.offset = s.consumeOffset()
}

// plainConsumeStat takes an entry in the layout that brokers write.
func (s *scanner) plainConsumeStat(e *consumeStat) bool {
	head := s.pos
	q, id, ok := s.plainMessageQueueKey()
	if !ok || !s.literal(`{"brokerOffset":`) {
		return false
	}
	e.head, e.queue = s.data[head:id], q
	e.offset = ConsumeOffset{BrokerOffset: s.int64()}
	tail := s.pos
	if !s.member(`,"consumerOffset":`, &e.offset.ConsumerOffset) || !s.member(`,"lastTimestamp":`, &e.offset.LastTimestamp) {
		return false
	}
	s.member(`,"pullOffset":`, &e.offset.PullOffset) // not before 5.1
	if !s.literal("}") {
		return false
	}
	e.tail = s.data[tail:s.pos]
	return s.err == nil
}

func (s *scanner) consumeOffset() ConsumeOffset {
	var o ConsumeOffset
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "brokerOffset":
			o.BrokerOffset = s.int64()
		case "consumerOffset":
			o.ConsumerOffset = s.int64()
		case "pullOffset":
			o.PullOffset = s.int64()
		case "lastTimestamp":
			o.LastTimestamp = s.int64()
		default:
			s.skip()
		}
	}
	return o
}
