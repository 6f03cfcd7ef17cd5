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

// DecodeConsumeStats reads the answer to GET_CONSUME_STATS (ConsumeStats).
func DecodeConsumeStats(body []byte, queue func(MessageQueue, ConsumeOffset)) error {
	s := scanner{data: body}
	var like consumeStat
	for s.entry("offsetTable") {
		q, o, ok := s.likeConsumeStat(&like)
		if !ok {
			q, o = s.consumeStat(&like)
		}
		if s.err == nil {
			queue(q, o)
		}
	}
	return bodyError(GetConsumeStats, s.end())
}

// consumeStat is what is left of an entry of the table without its queue id, its
// topic and its end: what comes before and behind them. For a group that has
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

// likeConsumeStat takes an entry that is like another one.
func (s *scanner) likeConsumeStat(like *consumeStat) (q MessageQueue, o ConsumeOffset, ok bool) {
	if len(like.tail) == 0 || !bytes.HasPrefix(s.data[s.pos:], like.head) {
		return q, o, false
	}
	first := s.pos + len(like.head)
	id, i := digits(s.data, first)
	if i == first || id > math.MaxInt32 || !hasPrefix(s.data[i:], statTopic) {
		return q, o, false
	}
	first = i + len(statTopic)
	n := bytes.IndexByte(s.data[first:], '"')
	if n < 0 || bytes.IndexByte(s.data[first:first+n], '\\') >= 0 {
		return q, o, false
	}
	topic := s.data[first : first+n : first+n]
	if first += n + 1; !hasPrefix(s.data[first:], statEnd) {
		return q, o, false
	}
	first += len(statEnd)
	end, i := manyDigits(s.data, first)
	if i == first || !bytes.HasPrefix(s.data[i:], like.tail) {
		return q, o, false
	}
	s.pos = i + len(like.tail)
	q, o = like.queue, like.offset
	q.QueueID, q.Topic, o.BrokerOffset = int32(id), topic, end
	return q, o, true
}

func hasPrefix(data []byte, want string) bool {
	return len(data) >= len(want) && string(data[:len(want)]) == want
}

// consumeStat takes any entry, and notes it for the next one.
func (s *scanner) consumeStat(like *consumeStat) (MessageQueue, ConsumeOffset) {
	start := s.pos
	if s.plainConsumeStat(like) {
		return like.queue, like.offset
	}
	s.pos, like.tail = start, nil
	return s.messageQueueKey(), s.consumeOffset()
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
