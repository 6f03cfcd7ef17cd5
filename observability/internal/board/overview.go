package board

import "github.com/rocketmq-exporter/rocketmq_exporter/internal/family"

// overview answers who is behind, and whether it gets worse.
func overview() plan {
	return plan{
		name:        "overview",
		title:       words{"RocketMQ: who is behind", "RocketMQ 堆积总览"},
		description: words{"All consumer groups of all clusters: who is behind, by how much, and whether it grows.", "所有集群的所有消费组：谁在堆积、堆积多少、是否还在增长。"},
		filters:     []filter{job(), cluster()},
		fill: func(s *sheet) {
			s.overviewNow()
			s.overviewGroups()
			s.overviewLines()
		},
	}
}

func (s *sheet) overviewNow() {
	small := func(title, about words, unit string, steps []step, expr string) {
		s.number(look{title: title, about: about, unit: unit, w: 3, h: 4, steps: steps}, ask{expr: expr})
	}
	inState := func(state string) string {
		return "count(group by (cluster, consumerGroup) (" + s.whole(family.ConsumerGroupState, `state="`+state+`"`) + " == 1)) or vector(0)"
	}
	small(words{"Clusters not reached", "无法访问的集群"}, words{}, count, []step{{1, "red"}},
		"count("+s.whole(family.Up)+" == 0) or vector(0)")
	small(words{"Brokers down", "宕机的 Broker"}, words{}, count, []step{{1, "red"}},
		"count("+s.whole(family.BrokerUp)+" == 0) or vector(0)")
	small(words{"Alerts firing", "正在触发的告警"}, words{"Those of the rules that come with the exporter.", "随 exporter 提供的告警规则。"}, count, []step{{1, "orange"}},
		`count(ALERTS{alertname=~"RocketMQ.+", alertstate="firing"}) or vector(0)`)
	small(words{"Backlog", "堆积总数"}, words{"Messages not yet consumed, over all groups.", "所有消费组尚未消费的消息数。"}, count, nil,
		"sum("+s.whole(family.MsgDiffConsumerGroup)+")")
	small(words{"Oldest message", "最老的未消费消息"}, words{"Age of the oldest message that some group has not consumed.", "所有消费组中最老的未消费消息的存放时长。"}, seconds,
		[]step{{60, "orange"}, {600, "red"}}, "max("+s.whole(family.ConsumerGroupLag)+")")
	small(words{"Groups lagging", "滞后的消费组"}, words{"Behind, and consuming.", "有堆积，仍在消费。"}, count, nil, inState("lagging"))
	small(words{"Groups stalled", "停滞的消费组"}, words{"Online, and not consuming.", "成员在线但不消费。"}, count, []step{{1, "red"}}, inState("stalled"))
	small(words{"Groups stopped", "停止的消费组"}, words{"Messages wait, and nobody is online.", "有消息等待，但没有在线成员。"}, count, []step{{1, "orange"}}, inState("stopped"))
}

func (s *sheet) overviewGroups() {
	by := func(aggregate, expr string) string { return aggregate + " by (cluster, consumerGroup) (" + expr + ")" }
	backlog := s.whole(family.MsgDiffConsumerGroup)
	shrinking := "-(max without (instance, pod, shard) (deriv(" + s.series(family.MsgDiffConsumerGroup) + "[10m])) < 0)"
	state := func(state, value string) string {
		return value + " * max by (cluster, consumerGroup) (" + s.whole(family.ConsumerGroupState, `state="`+state+`"`) + ")"
	}
	worst := state("stalled", "4") + " > 0 or " + state("stopped", "3") + " > 0 or " + state("rewound", "2") + " > 0 or " + state("lagging", "1") + " > 0"
	s.list(look{title: words{"Consumer groups", "消费组"}, unit: count, w: full, h: 12},
		column{title: words{"Cluster", "集群"}, label: family.LabelCluster},
		column{title: words{"Consumer group", "消费组"}, label: family.LabelConsumerGroup, board: "group"},
		column{title: words{"Backlog", "堆积数"}, expr: by("sum", backlog), unit: count, steps: []step{{1000, "orange"}, {10000, "red"}}},
		column{title: words{"Oldest message", "最老消息"}, expr: by("max", s.whole(family.ConsumerGroupLag)), unit: seconds, steps: []step{{60, "orange"}, {600, "red"}}},
		column{title: words{"State", "状态"}, expr: by("max", worst), values: states(), steps: []step{{1, "orange"}, {2, "red"}}},
		column{title: words{"Change in 10 min", "10 分钟变化"}, expr: by("sum", "max without (instance, pod, shard) (delta("+s.series(family.MsgDiffConsumerGroup)+"[10m]))"), unit: count},
		column{title: words{"Drained in", "预计消化时间"}, expr: by("max", backlog+" / "+shrinking), unit: seconds},
		column{title: words{"Consumed", "消费速率"}, expr: by("sum", s.rate(family.ConsumerGroupConsumed)), unit: perSec},
		column{title: words{"Members", "在线成员"}, expr: by("sum", s.whole(family.ConsumerGroupMembers)), unit: count},
		column{title: words{"Dead letters in 1 h", "1 小时死信"}, expr: by("sum", "max without (instance, pod, shard) (increase("+s.series(family.ConsumerGroupDeadLetters)+"[1h]))"), unit: count, steps: []step{{1, "orange"}}},
	)
}

// states are the numbers that the table shows in place of a group's worst state.
func states() []named {
	return []named{
		{1, words{"lagging", "滞后"}}, {2, words{"rewound", "回退"}}, {3, words{"stopped", "停止"}}, {4, words{"stalled", "停滞"}},
	}
}

func (s *sheet) overviewLines() {
	line := func(title words, unit, expr, legend string) {
		s.lines(look{title: title, unit: unit, w: half, h: 10}, ask{expr, legend})
	}
	line(words{"Largest backlogs of groups", "堆积最多的消费组"}, count, "topk(10, "+s.whole(family.MsgDiffConsumerGroup)+" > 0)", "{{cluster}} {{consumerGroup}}")
	line(words{"Latest groups", "最滞后的消费组"}, seconds, "topk(10, max without (topic) ("+s.whole(family.ConsumerGroupLag)+") > 0)", "{{cluster}} {{consumerGroup}}")
	line(words{"Largest backlogs of topics", "堆积最多的主题"}, count, "topk(10, "+s.whole(family.MsgDiffTopic)+" > 0)", "{{cluster}} {{topic}}")
	line(words{"Processes furthest behind", "堆积最多的消费者进程"}, count, "topk(10, "+s.whole(family.MsgDiffClientInfo)+" > 0)",
		"{{consumerClientIP}} {{consumerClientPID}}")
	line(words{"Produced by topic", "各主题的生产速率"}, perSec, "topk(10, "+s.rate(family.TopicProduced)+")", "{{cluster}} {{topic}}")
	line(words{"Consumed by group", "各消费组的消费速率"}, perSec, "topk(10, sum without (topic) ("+s.rate(family.ConsumerGroupConsumed)+"))", "{{cluster}} {{consumerGroup}}")
}
