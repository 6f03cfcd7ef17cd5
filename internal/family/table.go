package family

// ID names a family in code.
type ID uint8

// The families.
const (
	MsgDiffDetail ID = iota
	MsgDiffTopic
	MsgDiffConsumerGroup
	MsgDiffTopicConsumerGroup
	MsgDiffBroker
	MsgDiffQueue
	MsgDiffClientInfo

	Up
	NameServerUp
	BrokerUp
	BrokerInfo
	ConsumerGroupMembers
	ConsumerGroupInfo
	ConsumerGroupClientInfo
	ConsumerGroupLag
	ConsumerGroupState
	ConsumerGroupConsumed
	ConsumerGroupUnowned
	ConsumerGroupUncommitted
	ConsumerGroupAhead
	ConsumerGroupLost
	ConsumerGroupRetained
	ConsumerGroupInFlight
	ConsumerGroupPopRetry
	ConsumerGroupDeadLetters
	TopicProduced
	TopicStored
	TopicLastMessage

	QueueLag
	QueueMinOffset
	QueueMaxOffset
	QueueConsumerOffset

	ExporterIncompleteBrokers
	ExporterSnapshotTimestamp
	ExporterRounds
	ExporterRoundDuration
	ExporterLastSuccess
	ExporterRequests
	ExporterRequestSentBytes
	ExporterResponseReceivedBytes
	ExporterErrors
	ExporterOddEntries
	ExporterSeries
)

// Labels. The first seven are RocketMQ's own words and the same in every
// family, so that any two families join.
const (
	LabelCluster       = "cluster"
	LabelTopic         = "topic"
	LabelConsumerGroup = "consumerGroup"
	LabelBroker        = "broker"
	LabelQueueID       = "queueId"
	LabelClientIP      = "consumerClientIP"
	LabelClientPID     = "consumerClientPID"

	LabelAddress      = "address"
	LabelBrokerID     = "brokerId"
	LabelConsumeType  = "consumeType"
	LabelLanguage     = "language"
	LabelMessageModel = "messageModel"
	LabelReason       = "reason"
	LabelRequest      = "request"
	LabelResult       = "result"
	LabelRole         = "role"
	LabelState        = "state"
	LabelVersion      = "version"
)

// table is never written to.
//
//nolint:gochecknoglobals // a constant, but for the language
var table = [...]Family{
	MsgDiffDetail: {
		Name: "msg_diff_detail",
		Help: "Messages of one queue that one consumer group has not consumed, with the process that holds the queue. " +
			"No series for a queue whose backlog is not known.",
		Unit:   "messages",
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup, LabelBroker, LabelQueueID, LabelClientIP, LabelClientPID},
	},
	MsgDiffTopic: {
		Name:   "msg_diff_topic",
		Help:   "Messages of one topic not yet consumed, summed over its consumer groups. No series for a topic that no group consumes.",
		Unit:   "messages",
		Labels: []string{LabelCluster, LabelTopic},
	},
	MsgDiffConsumerGroup: {
		Name:   "msg_diff_consumergroup",
		Help:   "Messages that one consumer group has not consumed, summed over its topics. No series for a group whose backlog is not known.",
		Unit:   "messages",
		Labels: []string{LabelCluster, LabelConsumerGroup},
	},
	MsgDiffTopicConsumerGroup: {
		Name: "msg_diff_topic_consumergroup",
		Help: "Messages of one topic that one consumer group has not consumed. " +
			"No series where the backlog of none of its queues is known.",
		Unit:   "messages",
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	MsgDiffBroker: {
		Name:   "msg_diff_broker",
		Help:   "Messages on one broker not yet consumed, summed over topics and consumer groups. No series for a broker that no group consumes from.",
		Unit:   "messages",
		Labels: []string{LabelCluster, LabelBroker},
	},
	MsgDiffQueue: {
		Name:   "msg_diff_queue",
		Help:   "Messages not yet consumed in all queues with one id on one broker, summed over topics and consumer groups.",
		Unit:   "messages",
		Labels: []string{LabelCluster, LabelBroker, LabelQueueID},
	},
	MsgDiffClientInfo: {
		Name: "msg_diff_clientinfo",
		Help: "Messages not yet consumed in the queues that one consumer process holds, summed over its topics and consumer groups. " +
			"No series for a process that holds no queue.",
		Unit:   "messages",
		Labels: []string{LabelCluster, LabelClientIP, LabelClientPID},
	},

	Up: {
		Name:   "up",
		Help:   "1 if the last round reached the cluster, whole or in part, else 0.",
		Set:    Default,
		Labels: []string{LabelCluster},
	},
	NameServerUp: {
		Name:   "nameserver_up",
		Help:   "1 if the name server answered in the last round, else 0.",
		Set:    Default,
		Labels: []string{LabelCluster, LabelAddress},
	},
	BrokerUp: {
		Name:   "broker_up",
		Help:   "1 if the broker process answered in the last round, else 0. No series for a broker that no name server knows.",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID, LabelAddress},
	},
	BrokerInfo: {
		Name:   "broker_info",
		Help:   "Always 1: the role and the version of a broker process. The version is empty while the broker has not told it.",
		Type:   Info,
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID, LabelAddress, LabelRole, LabelVersion},
	},
	ConsumerGroupMembers: {
		Name: "consumergroup_members",
		Help: "Members of the consumer group that are online, as a rule one per process; 0 if there are none. " +
			"No series where no broker could say who is online.",
		Unit:   "members",
		Set:    Default,
		Labels: []string{LabelCluster, LabelConsumerGroup},
	},
	ConsumerGroupInfo: {
		Name: "consumergroup_info",
		Help: "Always 1: the message model and the consume type of a consumer group, remembered while it is offline. " +
			"No series for a group that was not seen online.",
		Type:   Info,
		Set:    Default,
		Labels: []string{LabelCluster, LabelConsumerGroup, LabelMessageModel, LabelConsumeType},
	},
	ConsumerGroupClientInfo: {
		Name:   "consumergroup_client_info",
		Help:   "Always 1: language and client version of a consumer process of a group. No series for a process that is offline.",
		Type:   Info,
		Set:    Default,
		Labels: []string{LabelCluster, LabelConsumerGroup, LabelClientIP, LabelClientPID, LabelLanguage, LabelVersion},
	},
	ConsumerGroupLag: {
		Name: "consumergroup_lag_seconds",
		Help: "Age of the oldest message of one topic that one consumer group has not consumed, in the queue where it is oldest; 0 if there is none. " +
			"It is known to one collection interval while the exporter has seen the message arrive, before that an upper bound. " +
			"No series while the age of the oldest message of some queue is not known.",
		Unit:   "seconds",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	ConsumerGroupState: {
		Name: "consumergroup_state",
		Help: "The state of one consumer group on one topic: 1 for the one that it is in, 0 for the others. " +
			"ok; lagging: behind, and consuming; stalled: members are online, messages wait and commits do not move; " +
			"stopped: messages wait and no member is online; rewound: commits went back; unknown.",
		Type:   StateSet,
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup, LabelState},
	},
	ConsumerGroupConsumed: {
		Name: "consumergroup_consumed_messages_total",
		Help: "Messages of one topic that one consumer group has consumed: the sum of its commits when it was first seen, and what they have grown since. " +
			"A commit that goes back, or a broker that is away, takes nothing from it, so its rate is the rate of consumption. " +
			"No series where the backlog of none of its queues is known.",
		Type:   Counter,
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	ConsumerGroupUnowned: {
		Name: "consumergroup_unowned_queues",
		Help: "Queues of one topic that no online member of the consumer group holds. " +
			"No series where nobody is online, where not every member told what it holds, and for broadcasting and POP, where no queue is held.",
		Unit:   "queues",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	ConsumerGroupUncommitted: {
		Name: "consumergroup_uncommitted_queues",
		Help: "Queues of a topic that the consumer group never committed and that no longer begin at 0: " +
			"where the group will start is not known, and they are in no backlog.",
		Unit:   "queues",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	ConsumerGroupAhead: {
		Name: "consumergroup_ahead_messages",
		Help: "How far the commits of one consumer group lie beyond the ends of the queues of one topic: " +
			"above 0 after an offset was set too high or the topic was made anew.",
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	ConsumerGroupLost: {
		Name: "consumergroup_lost_messages",
		Help: "Messages of one topic that one consumer group has not consumed and that retention has deleted. They are part of the backlog until the group goes on. " +
			"No series while the beginning of a queue with a backlog is not known.",
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	ConsumerGroupRetained: {
		Name: "consumergroup_retained_ratio",
		Help: "Backlog of one consumer group by the messages that are still kept, in the queue where that is most, at most 1: near 1 the next messages to be deleted were not consumed. " +
			"No series while the beginning of a queue with a backlog is not known.",
		Unit:   "ratio",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	ConsumerGroupInFlight: {
		Name: "consumergroup_inflight_messages",
		Help: "Messages of one topic that members of the consumer group have popped and not acknowledged yet, as far as members tell. POP commits what it pops, so that the backlog is without them. " +
			"No series where no member tells, as behind a proxy, and for groups that do not use POP.",
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	ConsumerGroupPopRetry: {
		Name: "consumergroup_pop_retry_messages",
		Help: "Messages of one topic that the consumer group has popped and not acknowledged in time, and that wait in its POP retry topic to be popped again. " +
			"They are the backlog of that retry topic, and in no sum of this topic. No series where there is no such topic.",
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup},
	},
	ConsumerGroupDeadLetters: {
		Name: "consumergroup_dlq_messages_total",
		Help: "Messages that were given up and moved to the dead-letter topic of the consumer group: its end when it was first seen, and what it has grown since. " +
			"No series while it is not known whether there is such a topic.",
		Type:   Counter,
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelConsumerGroup},
	},
	TopicProduced: {
		Name: "topic_produced_messages_total",
		Help: "Messages of one topic that were stored: the sum of the ends of its queues when it was first seen, and what they have grown since. " +
			"A topic that is made anew, or a broker that is away, takes nothing from it. For a topic that no group consumes it is as old as the slower cycle.",
		Type:   Counter,
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic},
	},
	TopicStored: {
		Name: "topic_stored_messages",
		Help: "Messages of one topic that are kept: the ends of its queues minus their beginnings, which may be as old as the slower cycle. " +
			"No series while a beginning is not known.",
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic},
	},
	TopicLastMessage: {
		Name: "topic_last_message_timestamp_seconds",
		Help: "When the newest message of one topic was stored, in seconds since 1970 by the broker's clock, as seen in the slower cycle. " +
			"No series where there is none, or its time is not known.",
		Unit:   "seconds",
		Set:    Default,
		Labels: []string{LabelCluster, LabelTopic},
	},

	QueueLag: {
		Name: "queue_lag_seconds",
		Help: "Age of the oldest message of one queue that one consumer group has not consumed; 0 if there is none. " +
			"No series while it is not known.",
		Unit:   "seconds",
		Set:    OptIn,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup, LabelBroker, LabelQueueID, LabelClientIP, LabelClientPID},
	},
	QueueMinOffset: {
		Name:   "queue_min_offset",
		Help:   "Beginning of one queue: the offset of the oldest message that is kept. It may be as old as the slower cycle. No series while it is not known.",
		Unit:   "messages",
		Set:    OptIn,
		Labels: []string{LabelCluster, LabelTopic, LabelBroker, LabelQueueID},
	},
	QueueMaxOffset: {
		Name:   "queue_max_offset",
		Help:   "End of one queue: the offset of the next message to come. For a topic that no group consumes it is as old as the slower cycle.",
		Unit:   "messages",
		Set:    OptIn,
		Labels: []string{LabelCluster, LabelTopic, LabelBroker, LabelQueueID},
	},
	QueueConsumerOffset: {
		Name: "queue_consumer_offset",
		Help: "Offset of the next message of one queue that one consumer group will consume, as it has committed it. " +
			"No series for a queue that the group never committed.",
		Unit:   "messages",
		Set:    OptIn,
		Labels: []string{LabelCluster, LabelTopic, LabelConsumerGroup, LabelBroker, LabelQueueID, LabelClientIP, LabelClientPID},
	},

	ExporterIncompleteBrokers: {
		Name: "exporter_incomplete_brokers",
		Help: "Brokers whose offsets could not be read whole in the last round: their last good ones are shown, for a few rounds. " +
			"No series before the first round has ended.",
		Unit:   "brokers",
		Set:    Exporter,
		Labels: []string{LabelCluster},
	},
	ExporterSnapshotTimestamp: {
		Name:   "exporter_snapshot_timestamp_seconds",
		Help:   "When offsets of the cluster were last read, in seconds since 1970. No series while none were.",
		Unit:   "seconds",
		Set:    Exporter,
		Labels: []string{LabelCluster},
	},
	ExporterRounds: {
		Name:   "exporter_rounds_total",
		Help:   "Rounds by result: ok, partial (some broker could not be read) or failed.",
		Type:   Counter,
		Unit:   "rounds",
		Set:    Exporter,
		Labels: []string{LabelCluster, LabelResult},
	},
	ExporterRoundDuration: {
		Name:   "exporter_round_duration_seconds",
		Help:   "How long the last round took.",
		Unit:   "seconds",
		Set:    Exporter,
		Labels: []string{LabelCluster},
	},
	ExporterLastSuccess: {
		Name:   "exporter_last_success_timestamp_seconds",
		Help:   "When the last round ended that read the whole cluster, in seconds since 1970. No series before there was one.",
		Unit:   "seconds",
		Set:    Exporter,
		Labels: []string{LabelCluster},
	},
	ExporterRequests: {
		Name:   "exporter_requests_total",
		Help:   "Requests sent to the cluster, by kind and by result.",
		Type:   Counter,
		Unit:   "requests",
		Set:    Exporter,
		Labels: []string{LabelCluster, LabelRequest, LabelResult},
	},
	ExporterRequestSentBytes: {
		Name:   "exporter_request_sent_bytes_total",
		Help:   "Bytes of requests sent to the cluster, by kind of request.",
		Type:   Counter,
		Unit:   "bytes",
		Set:    Exporter,
		Labels: []string{LabelCluster, LabelRequest},
	},
	ExporterResponseReceivedBytes: {
		Name:   "exporter_response_received_bytes_total",
		Help:   "Bytes of answers received from the cluster, by kind of request.",
		Type:   Counter,
		Unit:   "bytes",
		Set:    Exporter,
		Labels: []string{LabelCluster, LabelRequest},
	},
	ExporterErrors: {
		Name:   "exporter_errors_total",
		Help:   "Failures while reading the cluster, by reason. A failure costs what it was about, not the round.",
		Type:   Counter,
		Unit:   "errors",
		Set:    Exporter,
		Labels: []string{LabelCluster, LabelReason},
	},
	ExporterOddEntries: {
		Name:   "exporter_odd_entries_total",
		Help:   "Entries in answers of the cluster that made no sense and were left out.",
		Type:   Counter,
		Unit:   "entries",
		Set:    Exporter,
		Labels: []string{LabelCluster},
	},
	ExporterSeries: {
		Name: "exporter_series",
		Help: "Series about the clusters in this scrape, without the exporter's own.",
		Unit: "series",
		Set:  Exporter,
	},
}
