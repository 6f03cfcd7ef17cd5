package board

import "github.com/rocketmq-exporter/rocketmq_exporter/internal/family"

// original is the board that came with the original exporter: its eight
// variables, its six panels at their places. What it had fixed, the job and the
// threshold, are variables here, and every panel keeps to the threshold.
func original() plan {
	of := func(label, zh string) filter {
		return filter{label: label, title: words{label, zh}, of: family.MsgDiffDetail}
	}
	relabelled := func(label, zh string) filter {
		f := of(label, zh)
		f.ofTarget = true
		return f
	}
	return plan{
		name:  "backlog",
		title: words{"RocketMQ message backlog", "RocketMQ 消息堆积数"},
		description: words{
			"Messages not yet consumed, down to the consumer process: the board of the original exporter. Only what is above the threshold is shown.",
			"消息堆积数，细化到消费者进程。沿用原 exporter 的看板，只显示超过阈值的堆积。",
		},
		filters: []filter{
			job(),
			relabelled("rocketmqClusterName", "集群（抓取配置）"),
			relabelled("namesrvAddr", "NameServer（抓取配置）"),
			of(family.LabelTopic, "主题"),
			of(family.LabelConsumerGroup, "消费组"),
			of(family.LabelBroker, "Broker"),
			of(family.LabelQueueID, "队列"),
			of(family.LabelClientIP, "消费者 IP"),
			of(family.LabelClientPID, "消费者 PID"),
		},
		numbers: []number{threshold()},
		fill:    fillOriginal,
	}
}

func fillOriginal(s *sheet) {
	above := func(title words, w uint32, id family.ID, legend string) {
		s.lines(look{title: title, unit: count, w: w, h: 10}, ask{s.whole(id) + " > $threshold", legend})
	}
	above(words{"Backlog per consumer process and queue", "每个消费者进程在各队列上的堆积数"}, full, family.MsgDiffDetail,
		"{{topic}}::{{consumerGroup}}::{{broker}}::{{queueId}}::{{consumerClientIP}}::{{consumerClientPID}}")
	above(words{"Backlog per consumer process", "每个消费者进程的堆积总数"}, full, family.MsgDiffClientInfo,
		"{{consumerClientIP}}::{{consumerClientPID}}")
	above(words{"Backlog per topic", "每个主题的堆积总数"}, half, family.MsgDiffTopic, "{{topic}}")
	above(words{"Backlog per consumer group", "每个消费组的堆积总数"}, half, family.MsgDiffConsumerGroup, "{{consumerGroup}}")
	above(words{"Backlog per broker", "每个 Broker 的堆积总数"}, half, family.MsgDiffBroker, "{{broker}}")
	above(words{"Backlog per queue id", "每个队列的堆积总数"}, half, family.MsgDiffQueue, "{{broker}}::{{queueId}}")
}
