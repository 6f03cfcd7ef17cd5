package exposition

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// expectation is series by key.
type expectation struct {
	cluster string
	series  map[string]float64
}

// expected is every series that reports should become.
func expected(reports []*lag.Report) map[string]float64 {
	e := expectation{series: make(map[string]float64)}
	for _, r := range reports {
		if r == nil {
			continue
		}
		e.cluster = r.Snapshot.Cluster
		e.rows(r)
		e.queues(r)
		e.totals(r)
		e.sums(r)
		e.pairs(r)
		e.nodes(r)
		e.groups(r)
	}
	return e.series
}

// add takes the labels besides the cluster as names and values in turn.
func (e *expectation) add(name string, value int64, labels ...string) {
	e.series[e.key(name, labels...)] = float64(value)
}

func (e *expectation) key(name string, labels ...string) string {
	list := []string{"cluster=" + quoted(e.cluster)}
	for i := 0; i < len(labels); i += 2 {
		list = append(list, labels[i]+"="+quoted(labels[i+1]))
	}
	slices.Sort(list)
	return "rocketmq_" + name + "{" + strings.Join(list, ",") + "}"
}

// quoted is a label's value as it should arrive.
func quoted(s string) string {
	return strconv.Quote(string([]rune(s)))
}

func itoa[T int | int32 | int64 | uint16](n T) string { return strconv.FormatInt(int64(n), 10) }

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (e *expectation) rows(r *lag.Report) {
	for _, d := range r.Details {
		pair := r.PairOf(&d)
		for _, row := range r.AppendRows(nil, &d) {
			var p lag.Process
			if row.Holder != lag.NoHolder {
				p = r.Processes[row.Holder]
			}
			labels := []string{
				"topic", pair.Topic, "consumerGroup", pair.Group, "broker", r.BrokerOf(&d),
				"queueId", itoa(row.QueueID), "consumerClientIP", p.IP, "consumerClientPID", p.PID,
			}
			e.add("msg_diff_detail", row.Backlog, labels...)
			if row.Age >= 0 {
				e.series[e.key("queue_lag_seconds", labels...)] = float64(row.Age) / 10
			}
			if row.Committed >= 0 {
				e.add("queue_consumer_offset", row.Committed, labels...)
			}
		}
	}
}

func (e *expectation) sums(r *lag.Report) {
	for _, s := range r.Topics {
		e.add("msg_diff_topic", s.Backlog, "topic", s.Name)
	}
	for _, s := range r.Groups {
		e.add("msg_diff_consumergroup", s.Backlog, "consumerGroup", s.Name)
	}
	for _, s := range r.Brokers {
		e.add("msg_diff_broker", s.Backlog, "broker", s.Name)
	}
	for _, q := range r.Queues {
		e.add("msg_diff_queue", q.Backlog, "broker", q.Broker, "queueId", itoa(q.QueueID))
	}
	for _, p := range r.Processes {
		e.add("msg_diff_clientinfo", p.Backlog, "consumerClientIP", p.IP, "consumerClientPID", p.PID)
	}
}

func (e *expectation) pairs(r *lag.Report) {
	for _, p := range r.Pairs {
		labels := []string{"topic", p.Topic, "consumerGroup", p.Group}
		if p.Rows > 0 {
			e.add("msg_diff_topic_consumergroup", p.Backlog, labels...)
			e.add("consumergroup_consumed_messages_total", p.Consumed, labels...)
		}
		if p.Rows > 0 || p.Uncommitted > 0 {
			e.add("consumergroup_uncommitted_queues", int64(p.Uncommitted), labels...)
			e.add("consumergroup_ahead_messages", p.Ahead, labels...)
		}
		for _, s := range []string{"ok", "lagging", "stalled", "stopped", "rewound", "unknown"} {
			e.add("consumergroup_state", bit(s == p.State.String()), append(labels, "state", s)...)
		}
		for name, v := range map[string]float64{
			"lag_seconds": p.Lag.Seconds(), "retained_ratio": p.Retained, "lost_messages": float64(p.Lost),
			"unowned_queues": float64(p.Unowned), "inflight_messages": float64(p.InFlight), "pop_retry_messages": float64(p.PopRetry),
		} {
			if p.Rows > 0 && v >= 0 {
				e.series[e.key("consumergroup_"+name, labels...)] = v
			}
		}
	}
}

func (e *expectation) queues(r *lag.Report) {
	add := func(topic, broker string, begins, ends []int64) {
		for kind, offsets := range map[string][]int64{"min": begins, "max": ends} {
			for q, at := range offsets {
				if at >= 0 {
					e.add("queue_"+kind+"_offset", at, "topic", topic, "broker", broker, "queueId", itoa(q))
				}
			}
		}
	}
	for _, p := range r.Snapshot.Parts {
		for _, t := range slices.Backward(p.Topics) { // of several with one name the first counts
			add(t.Name, p.Broker, p.Begins.AppendTo(nil, int(t.First), int(t.Queues)), p.Ends.AppendTo(nil, int(t.First), int(t.Queues)))
		}
		for _, t := range p.Others {
			add(t.Topic, p.Broker, t.Begins, t.Ends)
		}
	}
}

func (e *expectation) totals(r *lag.Report) {
	for _, t := range r.Totals {
		e.add("topic_produced_messages_total", t.Produced, "topic", t.Name)
		if t.Stored >= 0 {
			e.add("topic_stored_messages", t.Stored, "topic", t.Name)
		}
		if t.Last >= 0 {
			e.series[e.key("topic_last_message_timestamp_seconds", "topic", t.Name)] = float64(t.Last) / 1000
		}
	}
	for _, c := range r.DeadLetters {
		e.add("consumergroup_dlq_messages_total", c.Messages, "consumerGroup", c.Name)
	}
}

func (e *expectation) nodes(r *lag.Report) {
	e.add("up", bit(r.Up()))
	if len(r.Snapshot.Brokers) > 0 {
		e.add("exporter_incomplete_brokers", int64(r.Incomplete))
	}
	if ended := r.Snapshot.Ended; !ended.IsZero() {
		e.series[e.key("exporter_snapshot_timestamp_seconds")] = float64(ended.UnixMilli()) / 1000
	}
	for _, d := range r.Snapshot.Denials {
		e.add("exporter_denied_requests", int64(d.Count), "request", d.Request, "right", d.Right)
	}
	if at := r.Snapshot.SlowTaken; !at.IsZero() {
		e.series[e.key("exporter_slow_cycle_timestamp_seconds")] = float64(at.UnixMilli()) / 1000
	}
	for _, n := range r.Snapshot.NameServers {
		e.add("nameserver_up", bit(n.Up), "address", n.Addr)
	}
	for _, b := range r.Snapshot.Brokers {
		labels := []string{"broker", b.Name, "brokerId", itoa(b.ID), "address", b.Addr}
		e.add("broker_up", bit(b.Up), labels...)
		e.add("broker_info", 1, append(labels, "role", b.Role.String(), "version", b.Version)...)
		if b.Runtime != nil {
			e.runtime(b.Runtime, "broker", b.Name, "brokerId", itoa(b.ID))
		}
	}
}

func (e *expectation) runtime(info *model.Runtime, labels ...string) {
	for name, key := range map[string]model.RuntimeKey{
		"boot_timestamp_seconds": model.RuntimeBoot, "active": model.RuntimeActive,
		"put_messages_total": model.RuntimePutMessages, "get_messages_total": model.RuntimeGetMessages,
		"put_bytes_total": model.RuntimePutBytes, "put_failures_total": model.RuntimePutFailures,
		"put_latency_p99_seconds": model.RuntimePutLatency99, "put_latency_p999_seconds": model.RuntimePutLatency999,
		"page_cache_lock_seconds":      model.RuntimePageCacheLock,
		"commitlog_min_offset_bytes":   model.RuntimeCommitLogMin,
		"commitlog_max_offset_bytes":   model.RuntimeCommitLogMax,
		"dispatch_behind_bytes":        model.RuntimeDispatchBehind,
		"commit_behind_bytes":          model.RuntimeCommitBehind,
		"flush_behind_bytes":           model.RuntimeFlushBehind,
		"transient_store_free_buffers": model.RuntimeTransientBuffers,
		"commitlog_disk_ratio":         model.RuntimeCommitLogDisk,
		"consumequeue_disk_ratio":      model.RuntimeConsumeQueueDisk,
		"disk_size_bytes":              model.RuntimeDiskSize, "disk_free_bytes": model.RuntimeDiskFree,
		"earliest_message_timestamp_seconds": model.RuntimeEarliestMessage,
		"timer_pending_messages":             model.RuntimeTimerPending,
		"timer_enqueue_behind_messages":      model.RuntimeTimerEnqueue,
		"timer_behind_seconds":               model.RuntimeTimerBehind,
		"slave_behind_bytes":                 model.RuntimeSlaveBehind,
		"connected_slaves":                   model.RuntimeSlavesConnected, "in_sync_slaves": model.RuntimeSlavesInSync,
	} {
		if v, ok := info.Values[key]; ok {
			e.series[e.key("broker_"+name, labels...)] = v
		}
	}
	for _, p := range info.Pools {
		for name, v := range map[string]float64{
			"queued_requests": float64(p.Queued), "queue_capacity_requests": float64(p.Capacity),
			"head_wait_seconds": float64(p.HeadWait) / 1000,
		} {
			if v >= 0 {
				e.series[e.key("broker_thread_pool_"+name, append(labels, "pool", p.Name)...)] = v
			}
		}
	}
	for _, d := range info.Delays {
		e.add("broker_delay_level_messages", max(d.End-d.Delivered, 0), append(labels, "level", itoa(d.Level))...)
	}
}

func (e *expectation) groups(r *lag.Report) {
	for _, g := range r.Snapshot.Groups {
		if g.Model+g.ConsumeType != "" {
			e.add("consumergroup_info", 1, "consumerGroup", g.Name, "messageModel", g.Model, "consumeType", g.ConsumeType)
		}
		if !g.Known {
			continue
		}
		e.add("consumergroup_members", int64(len(g.Clients)), "consumerGroup", g.Name)
		for _, c := range g.Clients {
			e.add("consumergroup_client_info", 1, "consumerGroup", g.Name, "consumerClientIP", c.IP, "consumerClientPID", c.PID,
				"language", c.Language, "version", versionName(c.Version))
		}
	}
}
