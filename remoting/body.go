package remoting

import (
	"bytes"
	"fmt"
	"math"
)

// The decoders of this file read one answer body each, in one pass, and hand
// what they find to the caller as they go. Byte slices handed out are parts of
// the body: copy what must outlive it. When a decoder returns an error the
// body was cut short or garbled: what it has handed out by then must be thrown
// away. Entries that are not known are passed over, so that a newer release
// costs nothing.

// ClusterInfo is what a name server knows of its clusters (ClusterInfo in
// RocketMQ), from GET_BROKER_CLUSTER_INFO.
type ClusterInfo struct {
	Brokers []BrokerAddrs
}

// BrokerAddrs is one broker name with the addresses of its master and slaves
// (BrokerData in RocketMQ).
type BrokerAddrs struct {
	Cluster string
	Name    string
	Addrs   []BrokerAddr
}

// BrokerAddr is one process of a broker. ID 0 is the master.
type BrokerAddr struct {
	ID   int64
	Addr string // host:port
}

// MasterID is the broker id of a master (MixAll.MASTER_ID).
const MasterID = 0

// DecodeClusterInfo reads the answer to GET_BROKER_CLUSTER_INFO.
func DecodeClusterInfo(body []byte) (ClusterInfo, error) {
	var info ClusterInfo
	s := scanner{data: body}
	for s.entry("brokerAddrTable") {
		name := string(s.key())
		b := s.brokerAddrs()
		b.Name = name
		info.Brokers = append(info.Brokers, b)
	}
	return info, bodyError(GetBrokerClusterInfo, s.end())
}

func (s *scanner) brokerAddrs() BrokerAddrs {
	var b BrokerAddrs
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "cluster":
			b.Cluster = string(s.text())
		case "brokerAddrs":
			s.enter('{')
			for first := true; s.more('}', first); first = false {
				id := s.int64Key()
				b.Addrs = append(b.Addrs, BrokerAddr{ID: id, Addr: string(s.text())})
			}
		default:
			s.skip()
		}
	}
	return b
}

// int64Key takes a whole number as the key of a map, bare or quoted.
func (s *scanner) int64Key() int64 {
	v := s.int64()
	s.colon()
	return v
}

// TopicConfig is one topic's settings on one broker (TopicConfig in RocketMQ).
type TopicConfig struct {
	Name        []byte
	ReadQueues  int32 // queues that consumers read: ids 0 to ReadQueues-1
	WriteQueues int32
	Perm        int32 // bits: 4 read, 2 write, 1 inherit
}

// DecodeTopicConfigs reads the answer to GET_ALL_TOPIC_CONFIG
// (TopicConfigSerializeWrapper).
func DecodeTopicConfigs(body []byte, topic func(TopicConfig)) error {
	s := scanner{data: body}
	for s.entry("topicConfigTable") {
		t := TopicConfig{Name: s.key()}
		s.topicConfig(&t)
		if s.err == nil {
			topic(t)
		}
	}
	return bodyError(GetAllTopicConfig, s.end())
}

func (s *scanner) topicConfig(t *TopicConfig) {
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "readQueueNums":
			t.ReadQueues = s.int32()
		case "writeQueueNums":
			t.WriteQueues = s.int32()
		case "perm":
			t.Perm = s.int32()
		default:
			s.skip()
		}
	}
}

// DecodeGroups reads the names out of the answer to
// GET_ALL_SUBSCRIPTIONGROUP_CONFIG (SubscriptionGroupWrapper).
func DecodeGroups(body []byte, group func(name []byte)) error {
	s := scanner{data: body}
	for s.entry("subscriptionGroupTable") {
		name := s.key()
		s.skip()
		if s.err == nil {
			group(name)
		}
	}
	return bodyError(GetAllSubscriptionGroup, s.end())
}

// OffsetKey is the key of one table of commits: topic@group.
type OffsetKey struct {
	Topic, Group []byte
	// Broadcast marks the third part that brokers of 5.1 and later add for
	// broadcasting groups: what follows is, per queue, the offset of the
	// slowest process (BroadcastOffsetManager).
	Broadcast bool
}

// split parts a key at its @ signs (TOPIC_GROUP_SEPARATOR in ConsumerOffsetManager).
// Neither topics nor groups can contain one.
func (k *OffsetKey) split(key []byte) bool {
	topic, rest, ok := bytes.Cut(key, []byte{'@'})
	if !ok {
		return false
	}
	group, mark, third := bytes.Cut(rest, []byte{'@'})
	if third && string(mark) != "broadcast" {
		return false
	}
	k.Topic, k.Group, k.Broadcast = topic, group, third
	return len(topic) > 0 && len(group) > 0
}

// DecodeConsumerOffsets reads the answer to GET_ALL_CONSUMER_OFFSET
// (ConsumerOffsetSerializeWrapper): every commit of a broker. For each key it
// calls key, and where that returns true, offset for each queue of the key. A
// queue that was never committed is absent. Keys that are not topic@group are
// counted in odd and passed over. What key is called with is lent until it returns.
func DecodeConsumerOffsets(body []byte, key func(*OffsetKey) bool, offset func(queueID int32, committed int64)) (odd int, err error) {
	s := scanner{data: body}
	var k OffsetKey
	for s.entry("offsetTable") {
		ok := k.split(s.longKey())
		if !ok {
			odd++
		}
		if s.err != nil || !ok || !key(&k) {
			s.skip()
			continue
		}
		s.offsets(offset)
	}
	return odd, bodyError(GetAllConsumerOffset, s.end())
}

// longKey is key for what is rather long: it looks for the end in larger steps.
func (s *scanner) longKey() []byte {
	if s.peek() == '"' {
		start := s.pos + 1
		n := bytes.IndexByte(s.data[start:], '"')
		if n >= 0 && bytes.IndexByte(s.data[start:start+n], '\\') < 0 {
			s.pos = start + n + 1
			s.colon()
			return s.data[start : start+n : start+n]
		}
	}
	return s.key()
}

func (s *scanner) offsets(offset func(queueID int32, committed int64)) {
	if s.null() || !s.enter('{') {
		return
	}
	for first := !s.plainOffsets(offset); s.more('}', first); first = false {
		id := s.int32()
		s.colon()
		v := s.int64()
		if s.err == nil {
			offset(id, v)
		}
	}
}

// plainOffsets takes the entries such as 3:127 that stand next without anything
// unusual: nearly every one of a broker's thousands does. It says whether there were
// any. What ends the last one still stands there.
func (s *scanner) plainOffsets(offset func(queueID int32, committed int64)) (some bool) {
	for at := s.pos; ; at = s.pos + 1 {
		id, i := digits(s.data, at)
		if i == at || id > math.MaxInt32 || i == len(s.data) || s.data[i] != ':' {
			return some
		}
		v, end := manyDigits(s.data, i+1)
		if end == i+1 || end == len(s.data) || s.data[end] != ',' && s.data[end] != '}' {
			return some
		}
		s.pos, some = end, true
		if offset(int32(id), v); s.data[end] == '}' {
			return true
		}
	}
}

// entry steps through the entries of the table called name in the object that is
// the whole body: it is true before each of them, and passes over all else. It
// is for one table of a scanner.
func (s *scanner) entry(name string) bool {
	if !s.begun {
		s.begun, s.first = true, s.enter('{')
	}
	for {
		if s.inTable {
			if s.more('}', s.first) {
				s.first = false
				return true
			}
			s.inTable, s.first = false, false
		}
		if !s.more('}', s.first) {
			return false
		}
		if s.first = false; s.table(name) {
			s.inTable, s.first = true, s.enter('{')
		}
	}
}

// table takes the next key of an object. It is true when the key is name and a
// value other than null follows; any other value is passed over.
func (s *scanner) table(name string) bool {
	if string(s.key()) != name {
		if s.peek() == '{' {
			s.skipTable()
		} else {
			s.skip()
		}
		return false
	}
	return !s.null()
}

// MessageQueue names one queue (MessageQueue in RocketMQ).
type MessageQueue struct {
	Topic, Broker []byte
	QueueID       int32
}

// messageQueueKey takes an object as the key of a map, and the colon.
func (s *scanner) messageQueueKey() MessageQueue {
	start := s.pos
	if q, _, ok := s.plainMessageQueueKey(); ok {
		return q
	}
	s.pos = start
	q := s.messageQueue()
	s.colon()
	return q
}

func (s *scanner) messageQueue() MessageQueue {
	q := MessageQueue{QueueID: -1}
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "topic":
			q.Topic = s.text()
		case "brokerName":
			q.Broker = s.text()
		case "queueId":
			q.QueueID = s.int32()
		default:
			s.skip()
		}
	}
	return q
}

// plainMessageQueueKey takes one in the layout that brokers write, and says where its
// queue id stands.
func (s *scanner) plainMessageQueueKey() (q MessageQueue, id int, ok bool) {
	if !s.literal(`{"brokerName":`) {
		return q, 0, false
	}
	q.Broker = s.text()
	if !s.literal(`,"queueId":`) {
		return q, 0, false
	}
	id = s.pos
	q.QueueID = s.int32()
	if !s.literal(`,"topic":`) {
		return q, 0, false
	}
	q.Topic = s.text()
	return q, id, s.literal(`}:`)
}

// TopicOffset is what a broker says of one queue (TopicOffset in RocketMQ).
type TopicOffset struct {
	Min, Max   int64 // first offset still kept; offset of the next message to come
	LastUpdate int64 // store time of the newest message, ms since 1970, 0 if none
}

// DecodeTopicStats reads the answer to GET_TOPIC_STATS_INFO (TopicStatsTable). What
// queue is called with is lent until it returns.
func DecodeTopicStats(body []byte, queue func(*MessageQueue, *TopicOffset)) error {
	s := scanner{data: body}
	var stat struct {
		queue  MessageQueue
		offset TopicOffset
	}
	for s.entry("offsetTable") {
		if stat.queue, stat.offset = s.messageQueueKey(), s.topicOffset(); s.err == nil {
			queue(&stat.queue, &stat.offset)
		}
	}
	return bodyError(GetTopicStatsInfo, s.end())
}

func (s *scanner) topicOffset() TopicOffset {
	start := s.pos
	var o TopicOffset
	if s.member(`{"lastUpdateTimestamp":`, &o.LastUpdate) && s.member(`,"maxOffset":`, &o.Max) &&
		s.member(`,"minOffset":`, &o.Min) && s.literal("}") {
		return o
	}
	s.pos, o = start, TopicOffset{}
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "minOffset":
			o.Min = s.int64()
		case "maxOffset":
			o.Max = s.int64()
		case "lastUpdateTimestamp":
			o.LastUpdate = s.int64()
		default:
			s.skip()
		}
	}
	return o
}

// Message models of a group (MessageModel in RocketMQ).
const (
	Clustering   = "CLUSTERING"
	Broadcasting = "BROADCASTING"
)

// ConsumerConnections is who consumes for a group (ConsumerConnection in
// RocketMQ).
type ConsumerConnections struct {
	ConsumeType  string // CONSUME_PASSIVELY (push), CONSUME_ACTIVELY (pull)
	MessageModel string // CLUSTERING, BROADCASTING, LITE_SELECTIVE
	Clients      []Connection
	Topics       []string // what the group subscribes; its retry topic among them
}

// Connection is one client process (Connection in RocketMQ).
type Connection struct {
	ClientID string // IP@process#nanotime@unit, parts missing by release
	Addr     string // the socket's peer, host:port
	Language string
	Version  int32 // version ordinal (MQVersion)
}

// DecodeConsumerConnections reads the answer to GET_CONSUMER_CONNECTION_LIST.
func DecodeConsumerConnections(body []byte) (ConsumerConnections, error) {
	var c ConsumerConnections
	s := scanner{data: body}
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "consumeType":
			c.ConsumeType = string(s.text())
		case "messageModel":
			c.MessageModel = string(s.text())
		case "connectionSet":
			if s.null() || !s.enter('[') {
				continue
			}
			for first := true; s.more(']', first); first = false {
				c.Clients = append(c.Clients, s.connection())
			}
		case "subscriptionTable":
			if s.null() || !s.enter('{') {
				continue
			}
			for first := true; s.more('}', first); first = false {
				c.Topics = append(c.Topics, string(s.key()))
				s.skip()
			}
		default:
			s.skip()
		}
	}
	return c, bodyError(GetConsumerConnectionList, s.end())
}

func (s *scanner) connection() Connection {
	var c Connection
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "clientId":
			c.ClientID = string(s.text())
		case "clientAddr":
			c.Addr = string(s.text())
		case "language":
			c.Language = string(s.text())
		case "version":
			c.Version = s.int32()
		default:
			s.skip()
		}
	}
	return c
}

// RunningQueue is one queue that a consumer process holds (ProcessQueueInfo in
// RocketMQ).
type RunningQueue struct {
	MessageQueue
	// CommitOffset is the process's own commit: for a broadcasting process
	// the only one there is.
	CommitOffset int64
	// Dropped: the process has given the queue up.
	Dropped bool
}

// DecodeRunningInfo reads the queues out of the answer to
// GET_CONSUMER_RUNNING_INFO (ConsumerRunningInfo). Java and Go clients differ
// in spelling ("droped", "dropped"), both are taken.
func DecodeRunningInfo(body []byte, queue func(RunningQueue)) error {
	s := scanner{data: body}
	for s.entry("mqTable") {
		q := RunningQueue{MessageQueue: s.messageQueueKey(), CommitOffset: -1}
		s.enter('{')
		for first := true; s.more('}', first); first = false {
			switch string(s.key()) {
			case "commitOffset":
				q.CommitOffset = s.int64()
			case "droped", "dropped":
				q.Dropped = s.bool()
			default:
				s.skip()
			}
		}
		if s.err == nil {
			queue(q)
		}
	}
	return bodyError(GetConsumerRunningInfo, s.end())
}

// TimeSpan is what a broker says of the times of one queue and one group
// (QueueTimeSpan in RocketMQ), in ms; the first three since 1970 by the broker's
// clock, -1 where there is no such message.
type TimeSpan struct {
	MessageQueue

	Earliest, Latest int64 // store times of the oldest and the newest message
	Consumed         int64 // ... of the message in front of the commit; the oldest one's where there is no commit
	// Delay is how long the message at the commit has lain there: 0 where the
	// group has consumed all. Where there is no such message, because nothing
	// was committed or it is no longer kept, it is 1 more than the broker's
	// clock.
	Delay int64
}

// DecodeTimeSpans reads the answer to QUERY_CONSUME_TIME_SPAN
// (QueryConsumeTimeSpanBody).
func DecodeTimeSpans(body []byte, queue func(TimeSpan)) error {
	s := scanner{data: body}
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		if !s.table("consumeTimeSpanSet") || !s.enter('[') {
			continue
		}
		for first := true; s.more(']', first); first = false {
			span := s.timeSpan()
			if s.err == nil {
				queue(span)
			}
		}
	}
	return bodyError(QueryConsumeTimeSpan, s.end())
}

func (s *scanner) timeSpan() TimeSpan {
	t := TimeSpan{MessageQueue: MessageQueue{QueueID: -1}}
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "minTimeStamp":
			t.Earliest = s.int64()
		case "maxTimeStamp":
			t.Latest = s.int64()
		case "consumeTimeStamp":
			t.Consumed = s.int64()
		case "delayTime":
			t.Delay = s.int64()
		case "messageQueue":
			if !s.null() {
				t.MessageQueue = s.messageQueue()
			}
		default:
			s.skip()
		}
	}
	return t
}

// DecodeRuntimeInfo reads the answer to GET_BROKER_RUNTIME_INFO (KVTable):
// every value is text.
func DecodeRuntimeInfo(body []byte, entry func(key, value []byte)) error {
	s := scanner{data: body}
	for s.entry("table") {
		k := s.key()
		v := s.text()
		if s.err == nil {
			entry(k, v)
		}
	}
	return bodyError(GetBrokerRuntimeInfo, s.end())
}

func bodyError(code RequestCode, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("body of %s: %w", code, err)
}
