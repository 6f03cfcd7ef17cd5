package remoting

// The decoders of this file read what came with 5.x. They follow the rules of
// those in body.go.

// RequestMode is how one group gets the messages of one topic
// (SetMessageRequestModeRequestBody in RocketMQ).
type RequestMode struct {
	Topic, Group []byte
	Mode         []byte // PULL or POP
}

// ModePop is the RequestMode of groups to which brokers deal out messages
// (MessageRequestMode.POP).
const ModePop = "POP"

// DecodeRequestModes reads the answer to GET_ALL_MESSAGE_REQUEST_MODE
// (MessageRequestModeSerializeWrapper): what was set of any group and topic.
func DecodeRequestModes(body []byte, mode func(RequestMode)) error {
	s := scanner{data: body}
	for s.entry("messageRequestModeMap") {
		topic := s.key()
		if s.null() {
			continue
		}
		s.enter('{')
		for first := true; s.more('}', first); first = false {
			m := RequestMode{Topic: topic, Group: s.key()}
			if s.null() {
				continue
			}
			s.enter('{')
			for first := true; s.more('}', first); first = false {
				if string(s.key()) == "mode" {
					m.Mode = s.text()
				} else {
					s.skip()
				}
			}
			if s.err == nil {
				mode(m)
			}
		}
	}
	return bodyError(GetAllMessageRequestMode, s.end())
}

// PopQueue is what a consumer process has popped of one topic on one broker
// (PopProcessQueueInfo in RocketMQ). QueueID is -1 where it is of all queues.
type PopQueue struct {
	MessageQueue
	// Waiting is how many messages the process has yet to acknowledge.
	Waiting int64
	// Dropped: the process has given the queue up.
	Dropped bool
}

// DecodePopQueues reads what a process has popped out of the answer to
// GET_CONSUMER_RUNNING_INFO. Clients before 5.0, and those in other languages
// than Java, tell nothing of it.
func DecodePopQueues(body []byte, queue func(PopQueue)) error {
	s := scanner{data: body}
	for s.entry("mqPopTable") {
		q := PopQueue{MessageQueue: s.messageQueueKey()}
		s.enter('{')
		for first := true; s.more('}', first); first = false {
			switch string(s.key()) {
			case "waitAckCount":
				q.Waiting = s.int64()
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

// HAStatus is what a broker process says of its replication (HARuntimeInfo in
// RocketMQ).
type HAStatus struct {
	Master bool
	// End is where the process's own commit log ends.
	End int64
	// Slaves, of a master, are those connected to it, and InSync how many of
	// them it calls in sync.
	Slaves int
	InSync int64
}

// DecodeHAStatus reads the answer to GET_BROKER_HA_STATUS.
func DecodeHAStatus(body []byte) (HAStatus, error) {
	var h HAStatus
	var master, slave int64
	s := scanner{data: body}
	s.enter('{')
	for first := true; s.more('}', first); first = false {
		switch string(s.key()) {
		case "master":
			h.Master = s.bool()
		case "masterCommitLogMaxOffset":
			master = s.int64()
		case "inSyncSlaveNums":
			h.InSync = s.int64()
		case "haConnectionInfo":
			if s.null() || !s.enter('[') {
				continue
			}
			for first := true; s.more(']', first); first = false {
				s.skip()
				h.Slaves++
			}
		case "haClientRuntimeInfo":
			if s.null() || !s.enter('{') {
				continue
			}
			for first := true; s.more('}', first); first = false {
				if string(s.key()) == "maxOffset" {
					slave = s.int64()
				} else {
					s.skip()
				}
			}
		default:
			s.skip()
		}
	}
	if h.End = slave; h.Master {
		h.End = master
	}
	return h, bodyError(GetBrokerHAStatus, s.end())
}
