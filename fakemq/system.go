package fakemq

// addSystem gives a broker what every broker makes for itself: the topics of
// TopicConfigManager and the groups of SubscriptionGroupManager.
func (b *broker) addSystem() {
	type made struct {
		name         string
		queues, perm int
	}
	const all = PermRead | PermWrite | PermInherit
	topics := []made{
		{"SELF_TEST_TOPIC", 1, PermRead | PermWrite},
		{"TBW102", 8, all},
		{"BenchmarkTest", 1024, PermRead | PermWrite},
		{b.cluster, 16, all},
		{b.name, 1, all},
		{"OFFSET_MOVED_EVENT", 1, PermRead | PermWrite},
		{"SCHEDULE_TOPIC_XXXX", 18, PermRead | PermWrite},
		{b.cluster + "_REPLY_TOPIC", 1, PermRead | PermWrite},
		{"RMQ_SYS_TRANS_HALF_TOPIC", 1, PermRead | PermWrite},
	}
	// Protected names that get a topic only when something is stored there.
	names := []string{"RMQ_SYS_TRACE_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC"}
	groups := []string{
		"TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY",
		"CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER",
	}
	if b.release.five() {
		topics = append(topics,
			made{"rmq_sys_wheel_timer", 1, PermRead | PermWrite},
			made{"rmq_sys_REVIVE_LOG_" + b.cluster, 8, PermRead | PermWrite},
			made{"rmq_sys_SYNC_BROKER_MEMBER_" + b.name, 1, PermInherit},
			made{"RMQ_SYS_TRANS_OP_HALF_TOPIC", 1, PermRead | PermWrite},
		)
		if b.release.since(version540) {
			topics = append(topics,
				made{"RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC", 1, PermRead | PermWrite},
				made{"RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC", 1, PermRead | PermWrite},
			)
		}
		names = append(names, "CHECKPOINT_TOPIC")
		groups = append(groups, "CID_RMQ_SYS_TRANS")
	} else {
		names = append(names, "RMQ_SYS_TRANS_OP_HALF_TOPIC")
	}
	for _, m := range topics {
		t := newBrokerTopic(b, m.name, m.queues, m.queues, m.perm)
		t.system = true
		b.addTopic(t, b.boot)
		b.system = append(b.system, m.name)
	}
	b.system = append(b.system, names...)
	for _, g := range groups {
		b.addGroup(g, b.boot)
	}
}
