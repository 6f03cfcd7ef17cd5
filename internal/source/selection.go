package source

import "strings"

// Selection says which topics and consumer groups are wanted.
type Selection struct {
	// System includes the topics and groups that RocketMQ makes for itself.
	System bool
	// IgnoredTopics are left out by their exact names.
	IgnoredTopics []string
	// Topics and Groups say which names are wanted; nil: all.
	Topics, Groups func(name string) bool
	// Shard is the part of the consumer groups that this process is for.
	Shard Shard
}

// systemTopics are the topics that RocketMQ makes for itself and that no prefix
// tells (TopicValidator.SYSTEM_TOPIC_SET, MixAll, and DefaultHeartBeatSyncerTopic
// of the proxy). The cluster's and the brokers' own names come on top.
func systemTopic(name string) bool {
	switch name {
	case "TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "SELF_TEST_TOPIC",
		"RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC", "RMQ_SYS_TRACE_TOPIC",
		"RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC", "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
		"TRANS_CHECK_MAX_TIME_TOPIC", "OFFSET_MOVED_EVENT", "CHECKPOINT_TOPIC",
		"DefaultHeartBeatSyncerTopic":
		return true
	}
	return strings.HasPrefix(name, "rmq_sys_") || strings.HasPrefix(name, "RMQ_SYS_")
}

// systemGroup tells the groups that RocketMQ makes for itself
// (MixAll.PREDEFINE_GROUP_SET, MixAll.CID_RMQ_SYS_PREFIX).
func systemGroup(name string) bool {
	switch name {
	case "TOOLS_CONSUMER", "SCHEDULE_CONSUMER", "FILTERSRV_CONSUMER", "__MONITOR_CONSUMER",
		"CLIENT_INNER_PRODUCER", "SELF_TEST_P_GROUP", "SELF_TEST_C_GROUP",
		"CID_ONS-HTTP-PROXY", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER", "CID_ONSAPI_PULL":
		return true
	}
	return strings.HasPrefix(name, "CID_RMQ_SYS_")
}

// Wanted is a Selection for one cluster, whose own name and whose brokers'
// names are system topics too.
type Wanted struct {
	Selection

	out map[string]struct{}
}

// For makes the selection of one cluster.
func (s Selection) For(cluster string, brokers []string) Wanted {
	w := Wanted{Selection: s, out: make(map[string]struct{}, len(s.IgnoredTopics)+len(brokers)+2)}
	for _, t := range s.IgnoredTopics {
		w.out[t] = struct{}{}
	}
	if !s.System {
		w.out[cluster] = struct{}{}
		w.out[cluster+"_REPLY_TOPIC"] = struct{}{}
		for _, b := range brokers {
			w.out[b] = struct{}{}
		}
	}
	return w
}

// Topic says whether a topic is wanted. The retry topics of a system group are
// as much of the system as the group.
func (w Wanted) Topic(name string) bool {
	if _, out := w.out[name]; out {
		return false
	}
	return (w.System || !systemTopic(name)) && (w.Topics == nil || w.Topics(name))
}

// Idle says whether a topic that none of the wanted groups has committed on is
// wanted: what is no group's is for the first shard, and dead letters are for
// that of their group.
func (w Wanted) Idle(topic string) bool {
	if w.Shard.First() {
		return true
	}
	group, ok := strings.CutPrefix(topic, "%DLQ%")
	return ok && w.Shard.Has(group)
}

// Group says whether a consumer group is wanted.
func (w Wanted) Group(name string) bool {
	return w.Shard.Has(name) && (w.System || !systemGroup(name)) && (w.Groups == nil || w.Groups(name))
}
