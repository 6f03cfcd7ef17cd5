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

	BrokerBoot
	BrokerActive
	BrokerPutMessages
	BrokerGetMessages
	BrokerPutBytes
	BrokerPutFailures
	BrokerPutLatencyP99
	BrokerPutLatencyP999
	BrokerPageCacheLock
	BrokerCommitLogMin
	BrokerCommitLogMax
	BrokerEarliestMessage
	BrokerDispatchBehind
	BrokerCommitBehind
	BrokerFlushBehind
	BrokerTransientBuffers
	BrokerCommitLogDisk
	BrokerConsumeQueueDisk
	BrokerDiskSize
	BrokerDiskFree
	BrokerPoolQueued
	BrokerPoolCapacity
	BrokerPoolHeadWait
	BrokerDelayed
	BrokerTimerPending
	BrokerTimerEnqueueBehind
	BrokerTimerBehind
	BrokerSlaveBehind
	BrokerConnectedSlaves
	BrokerInSyncSlaves

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
	ExporterSlowCycle
	ExporterRounds
	ExporterRoundDuration
	ExporterStepDuration
	ExporterLastSuccess
	ExporterRequests
	ExporterRequestSentBytes
	ExporterResponseReceivedBytes
	ExporterErrors
	ExporterDeniedRequests
	ExporterOddEntries
	ExporterSeriesDropped
	ExporterSeries
	ExporterConfigReloaded
	ExporterConfigReloadedAt
	ExporterShardIndex
	ExporterShards
	ExporterProbeSuccess
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
	LabelLevel        = "level"
	LabelMessageModel = "messageModel"
	LabelMetric       = "metric"
	LabelPool         = "pool"
	LabelReason       = "reason"
	LabelRequest      = "request"
	LabelResult       = "result"
	LabelRight        = "right"
	LabelRole         = "role"
	LabelRule         = "rule"
	LabelState        = "state"
	LabelStep         = "step"
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
		Help:   "1 if the broker process answered in the last round, else 0, as where it refuses the exporter's login. No series for a broker that no name server knows.",
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

	BrokerBoot: {
		Name:   "broker_boot_timestamp_seconds",
		Help:   "When the broker process was started, in seconds since 1970 by its own clock.",
		Unit:   "seconds",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerActive: {
		Name:   "broker_active",
		Help:   "1 if the broker process does a master's work, such as the delivery of delayed messages, else 0. No series before 5.0.",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerPutMessages: {
		Name:   "broker_put_messages_total",
		Help:   "Messages that the broker process stored since its start; releases of 5.x leave out those of system topics.",
		Type:   Counter,
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerGetMessages: {
		Name: "broker_get_messages_total",
		Help: "Messages that the broker process gave to consumers since its start: " +
			"a message counts once for each group, and once more when it is delivered again.",
		Type:   Counter,
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerPutBytes: {
		Name:   "broker_put_bytes_total",
		Help:   "Bytes that the broker process added to its commit log since its start.",
		Type:   Counter,
		Unit:   "bytes",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerPutFailures: {
		Name:   "broker_put_failures_total",
		Help:   "Messages that the broker process could not store since its start. No series before 4.9.4.",
		Type:   Counter,
		Unit:   "failures",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerPutLatencyP99: {
		Name:   "broker_put_latency_p99_seconds",
		Help:   "How long 99 percent of the messages of the broker's last minute took at most to be stored. No series before 4.9.4.",
		Unit:   "seconds",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerPutLatencyP999: {
		Name:   "broker_put_latency_p999_seconds",
		Help:   "How long 99.9 percent of the messages of the broker's last minute took at most to be stored. No series before 4.9.4.",
		Unit:   "seconds",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerPageCacheLock: {
		Name: "broker_page_cache_lock_seconds",
		Help: "For how long the lock that storing a message takes had been held when the broker was asked. " +
			"At 1 second brokers call themselves busy and refuse messages.",
		Unit:   "seconds",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerCommitLogMin: {
		Name:   "broker_commitlog_min_offset_bytes",
		Help:   "Where the commit log begins. No series for an empty one.",
		Unit:   "bytes",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerCommitLogMax: {
		Name:   "broker_commitlog_max_offset_bytes",
		Help:   "Where the commit log ends: minus its beginning it is what is kept.",
		Unit:   "bytes",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerEarliestMessage: {
		Name: "broker_earliest_message_timestamp_seconds",
		Help: "When the oldest message that is kept was stored, in seconds since 1970 by the broker's clock. " +
			"No series where there is none.",
		Unit:   "seconds",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerDispatchBehind: {
		Name:   "broker_dispatch_behind_bytes",
		Help:   "The part of the commit log that no queue shows yet: consumers cannot see those messages.",
		Unit:   "bytes",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerCommitBehind: {
		Name: "broker_commit_behind_bytes",
		Help: "The part of the messages that is not in the commit log's files yet, as the broker rounds it. " +
			"No series without a transient store pool.",
		Unit:   "bytes",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerFlushBehind: {
		Name:   "broker_flush_behind_bytes",
		Help:   "The part of the commit log that is not on its disk yet, as the broker rounds it: to a tenth of a KiB, MiB or GiB.",
		Unit:   "bytes",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerTransientBuffers: {
		Name:   "broker_transient_store_free_buffers",
		Help:   "Free buffers of the transient store pool: at 0 the broker refuses messages. No series without such a pool.",
		Unit:   "buffers",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerCommitLogDisk: {
		Name: "broker_commitlog_disk_ratio",
		Help: "Used share of the disk of the commit log, from 0 to 1, in steps of 0.01; of several disks, the emptiest. " +
			"Unless it is set otherwise brokers delete old messages early at 0.75 and refuse new ones at 0.9.",
		Unit:   "ratio",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerConsumeQueueDisk: {
		Name:   "broker_consumequeue_disk_ratio",
		Help:   "Used share of the disk of the consume queues, from 0 to 1, in steps of 0.01.",
		Unit:   "ratio",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerDiskSize: {
		Name:   "broker_disk_size_bytes",
		Help:   "Size of the disk of the broker's store, as the broker rounds it: to a tenth of a GiB or TiB.",
		Unit:   "bytes",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerDiskFree: {
		Name:   "broker_disk_free_bytes",
		Help:   "Free space on the disk of the broker's store, as the broker rounds it: to a tenth of a GiB or TiB.",
		Unit:   "bytes",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerPoolQueued: {
		Name:   "broker_thread_pool_queued_requests",
		Help:   "Requests that wait for a thread of one of the broker's pools.",
		Unit:   "requests",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID, LabelPool},
	},
	BrokerPoolCapacity: {
		Name:   "broker_thread_pool_queue_capacity_requests",
		Help:   "How many requests may wait for a thread of one of the broker's pools; more are refused.",
		Unit:   "requests",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID, LabelPool},
	},
	BrokerPoolHeadWait: {
		Name: "broker_thread_pool_head_wait_seconds",
		Help: "For how long the request has waited that is the next to get a thread of one of the broker's pools. " +
			"Unless it is set otherwise brokers refuse messages that waited for 0.2 seconds. No series for endTransaction.",
		Unit:   "seconds",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID, LabelPool},
	},
	BrokerDelayed: {
		Name: "broker_delay_level_messages",
		Help: "Messages of one delay level that are not delivered yet, whether they are due or not. " +
			"No series for a level that was never used.",
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID, LabelLevel},
	},
	BrokerTimerPending: {
		Name:   "broker_timer_pending_messages",
		Help:   "Messages with a delivery time of their own that wait in the broker's timer wheel. No series before 5.0.",
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerTimerEnqueueBehind: {
		Name:   "broker_timer_enqueue_behind_messages",
		Help:   "Messages with a delivery time of their own that the broker has not put into its timer wheel yet. No series before 5.0.",
		Unit:   "messages",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerTimerBehind: {
		Name:   "broker_timer_behind_seconds",
		Help:   "How late the broker's timer wheel is with its deliveries, in whole seconds. No series before 5.0.",
		Unit:   "seconds",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerSlaveBehind: {
		Name: "broker_slave_behind_bytes",
		Help: "The part of its master's commit log that a slave does not have yet. " +
			"No series for a slave that does not answer, or whose master does not.",
		Unit:   "bytes",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerConnectedSlaves: {
		Name:   "broker_connected_slaves",
		Help:   "Slaves that are connected to the master for replication. No series before 5.0.",
		Unit:   "slaves",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
	},
	BrokerInSyncSlaves: {
		Name:   "broker_in_sync_slaves",
		Help:   "Slaves that the master calls in sync: connected, and not far behind. No series before 5.0.",
		Unit:   "slaves",
		Set:    Default,
		Labels: []string{LabelCluster, LabelBroker, LabelBrokerID},
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
		Help: "Queues of a topic that the consumer group never committed and that no longer begin at 0, " +
			"or whose beginning brokers do not tell: where the group will start is not known, and they are in no backlog.",
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
			"No series for a cluster that was never reached.",
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
	ExporterSlowCycle: {
		Name: "exporter_slow_cycle_timestamp_seconds",
		Help: "When all that is asked in the slower cycle was last as young as that cycle, in seconds since 1970: at the latest the round before. " +
			"It stays behind where a cluster has more topics than the cycle has time for, and while brokers refuse or fail to tell " +
			"the stats of a topic or which groups POP. No series until all has been told once.",
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
	ExporterStepDuration: {
		Name:   "exporter_round_step_duration_seconds",
		Help:   "How long a part of the last round took. The rest is the exporter's own work.",
		Unit:   "seconds",
		Set:    Exporter,
		Labels: []string{LabelCluster, LabelStep},
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
	ExporterDeniedRequests: {
		Name: "exporter_denied_requests",
		Help: "Requests that brokers deny the exporter's user, of as many topics, consumer groups or processes, with the right that is missing. " +
			"They are sent again with pauses of up to five minutes. No series where nothing is denied.",
		Unit:   "requests",
		Set:    Exporter,
		Labels: []string{LabelCluster, LabelRequest, LabelRight},
	},
	ExporterOddEntries: {
		Name:   "exporter_odd_entries_total",
		Help:   "Entries in answers of the cluster that made no sense and were left out.",
		Type:   Counter,
		Unit:   "entries",
		Set:    Exporter,
		Labels: []string{LabelCluster},
	},
	ExporterSeriesDropped: {
		Name: "exporter_series_dropped_total",
		Help: "Series that the settings kept out of the exposition, once for each round, by metric and by rule: clients (a filter), " +
			"series_per_metric or series (limits). Sums count what they stand for all the same. No series where nothing was left out.",
		Type:   Counter,
		Unit:   "series",
		Set:    Exporter,
		Labels: []string{LabelCluster, LabelMetric, LabelRule},
	},
	ExporterShardIndex: {
		Name: "exporter_shard_index",
		Help: "Which shard of the consumer groups this process is for: from 0 to the number of shards less 1. Shard 0 is also for what is no group's.",
		Unit: "shards",
		Set:  Exporter,
	},
	ExporterShards: {
		Name: "exporter_shards",
		Help: "How many processes share the consumer groups between them; 1 where they do not.",
		Unit: "shards",
		Set:  Exporter,
	},
	ExporterProbeSuccess: {
		Name: "exporter_probe_success",
		Help: "In an answer to a probe: 1 if the last round reached the cluster that was probed, whole or in part, else 0. Before its first round has ended it is 0.",
		Set:  Exporter,
	},
	ExporterConfigReloaded: {
		Name: "exporter_config_last_reload_successful",
		Help: "1 if the settings were right when they were last reloaded, else 0: the old ones are still in use. 1 before there was a reload.",
		Set:  Exporter,
	},
	ExporterConfigReloadedAt: {
		Name: "exporter_config_last_reload_success_timestamp_seconds",
		Help: "When the settings in use were read, in seconds since 1970.",
		Unit: "seconds",
		Set:  Exporter,
	},
	ExporterSeries: {
		Name: "exporter_series",
		Help: "Series about the clusters in this scrape, without the exporter's own.",
		Unit: "series",
		Set:  Exporter,
	},
}
