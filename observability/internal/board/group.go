package board

import (
	"fmt"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
)

// group is one consumer group down to its queues and processes: where somebody
// looks who was called about it.
func group() plan {
	return plan{
		name:        "group",
		title:       words{"RocketMQ: one consumer group", "RocketMQ 消费组详情"},
		description: words{"One consumer group: its topics, queues, processes and members.", "单个消费组：主题、队列、消费者进程与成员。"},
		filters: []filter{
			job(), cluster(),
			{label: family.LabelConsumerGroup, title: words{"Consumer group", "消费组"}, of: family.MsgDiffConsumerGroup, single: true},
			{label: family.LabelTopic, title: words{"Topic", "主题"}, of: family.MsgDiffTopicConsumerGroup},
		},
		fill: func(s *sheet) {
			s.groupNow()
			s.groupTopics()
			s.groupProcesses()
			s.groupQueues()
		},
	}
}

func (s *sheet) groupNow() {
	small := func(title, about words, unit string, steps []step, expr string) {
		s.number(look{title: title, about: about, unit: unit, w: 4, h: 4, steps: steps}, ask{expr: expr})
	}
	small(words{"Backlog", "堆积数"}, words{"Messages not yet consumed.", "尚未消费的消息数。"}, count, []step{{1000, "orange"}, {10000, "red"}},
		"sum("+s.whole(family.MsgDiffTopicConsumerGroup)+")")
	small(words{"Oldest message", "最老的未消费消息"}, words{"Age of the oldest message not yet consumed.", "最老的未消费消息的存放时长。"}, seconds, []step{{60, "orange"}, {600, "red"}},
		"max("+s.whole(family.ConsumerGroupLag)+")")
	small(words{"Drained in", "预计消化时间"}, words{"At the pace of the last ten minutes; none while the backlog does not shrink.", "按最近 10 分钟的速度估算；堆积不减少时无数据。"}, seconds, nil,
		"sum("+s.whole(family.MsgDiffConsumerGroup)+") / -(sum(max without (instance, pod, shard) (deriv("+s.series(family.MsgDiffConsumerGroup)+"[10m]))) < 0)")
	small(words{"Members", "在线成员"}, words{}, count, nil, "sum("+s.whole(family.ConsumerGroupMembers)+")")
	small(words{"Consumed", "消费速率"}, words{"Messages per second.", "每秒消费的消息数。"}, perSec, nil, "sum("+s.rate(family.ConsumerGroupConsumed)+")")
	small(words{"Dead letters in 1 h", "1 小时死信"}, words{"Given up after all retries.", "重试耗尽后放弃的消息。"}, count, []step{{1, "red"}},
		"sum(max without (instance, pod, shard) (increase("+s.series(family.ConsumerGroupDeadLetters)+"[1h])))")
}

func (s *sheet) groupTopics() {
	line := func(title, about words, unit string, asks ...ask) {
		s.lines(look{title: title, about: about, unit: unit, w: half, h: 8}, asks...)
	}
	third := func(title, about words, unit string, asks ...ask) {
		s.lines(look{title: title, about: about, unit: unit, w: full / 3, h: 8}, asks...)
	}
	s.row(words{"Topics", "主题"})
	var state []string
	for i, name := range []string{"ok", "unknown", "lagging", "rewound", "stopped", "stalled"} {
		state = append(state, fmt.Sprintf("%d * max without (state) (%s == 1)", i, s.whole(family.ConsumerGroupState, `state="`+name+`"`)))
	}
	s.timeline(look{
		title: words{"State", "状态"}, unit: count, w: full, h: 7,
		about: words{"lagging: behind, and consuming. stalled: online, and not consuming. stopped: messages wait, nobody is online. rewound: commits went back.",
			"滞后：有堆积，仍在消费；停滞：成员在线但不消费；停止：有消息等待但无在线成员；回退：消费位点变小。"},
		steps: []step{{1, "text"}, {2, "orange"}, {3, "purple"}, {4, "red"}},
	}, []named{
		{0, words{"ok", "正常"}}, {1, words{"unknown", "未知"}}, {2, words{"lagging", "滞后"}}, {3, words{"rewound", "回退"}},
		{4, words{"stopped", "停止"}}, {5, words{"stalled", "停滞"}},
	}, ask{strings.Join(state, " or "), "{{topic}}"})
	line(words{"Backlog by topic", "各主题的堆积数"}, words{}, count, ask{s.whole(family.MsgDiffTopicConsumerGroup), "{{topic}}"})
	line(words{"Age of the oldest message by topic", "各主题最老未消费消息的时长"}, words{}, seconds, ask{s.whole(family.ConsumerGroupLag), "{{topic}}"})
	line(words{"Consumed by topic", "各主题的消费速率"}, words{}, perSec, ask{s.rate(family.ConsumerGroupConsumed), "{{topic}}"})
	line(words{"Produced to its topics", "所订阅主题的生产速率"}, words{"By all producers.", "来自所有生产者。"}, perSec,
		ask{s.rate(family.TopicProduced) + " and on (cluster, topic) " + s.whole(family.MsgDiffTopicConsumerGroup), "{{topic}}"})
	third(words{"Share of what is kept", "堆积占保留消息的比例"}, words{"Near 1, the next messages that retention deletes were not consumed.", "接近 1 时，下一批被清理的消息尚未消费。"}, ratio,
		ask{s.whole(family.ConsumerGroupRetained), "{{topic}}"})
	third(words{"Lost to retention", "已被清理的未消费消息"}, words{}, count, ask{s.whole(family.ConsumerGroupLost), "{{topic}}"})
	third(words{"Commits beyond the end", "超出队列末尾的位点"}, words{"After an offset was set too high, or the topic was made anew.", "位点设置过大，或主题被重建。"}, count,
		ask{s.whole(family.ConsumerGroupAhead), "{{topic}}"})
	third(words{"Queues without a process", "无人持有的队列"}, words{"No online member holds them.", "没有在线成员持有。"}, count, ask{s.whole(family.ConsumerGroupUnowned), "{{topic}}"})
	third(words{"Popped and not acknowledged", "POP 未确认消息"}, words{"Only for groups that use POP.", "仅用于 POP 消费组。"}, count,
		ask{s.whole(family.ConsumerGroupInFlight), "{{topic}}"})
	third(words{"Waiting to be popped again", "POP 待重试消息"}, words{"Only for groups that use POP.", "仅用于 POP 消费组。"}, count,
		ask{s.whole(family.ConsumerGroupPopRetry), "{{topic}}"})
}

func (s *sheet) groupProcesses() {
	s.row(words{"Processes", "消费者进程"})
	byProcess := "sum by (consumerClientIP, consumerClientPID) (" + s.whole(family.MsgDiffDetail) + ")"
	s.lines(look{title: words{"Backlog by process", "各进程的堆积数"}, unit: count, w: half, h: 8,
		about: words{"Without IP and PID: queues that no process holds.", "IP 与 PID 为空表示没有进程持有该队列。"}},
		ask{byProcess, "{{consumerClientIP}} {{consumerClientPID}}"})
	s.lines(look{title: words{"Members online", "在线成员数"}, unit: count, w: half, h: 8}, ask{s.whole(family.ConsumerGroupMembers), "{{cluster}} {{consumerGroup}}"})
	s.list(look{title: words{"Processes online", "在线进程"}, unit: count, w: full, h: 8},
		column{title: words{"IP", "IP 地址"}, label: family.LabelClientIP},
		column{title: words{"PID", "进程号"}, label: family.LabelClientPID},
		column{title: words{"Language", "语言"}, label: family.LabelLanguage},
		column{title: words{"Client version", "客户端版本"}, label: family.LabelVersion},
		column{title: words{"Backlog", "堆积数"}, unit: count, steps: []step{{1000, "orange"}, {10000, "red"}}, expr: "sum by (consumerClientIP, consumerClientPID, language, version) (" +
			s.whole(family.ConsumerGroupClientInfo) + " * on (cluster, consumerClientIP, consumerClientPID) group_left () " +
			"sum by (cluster, consumerClientIP, consumerClientPID) (" + s.whole(family.MsgDiffDetail) + "))"},
	)
}

func (s *sheet) groupQueues() {
	s.row(words{"Queues", "队列"})
	s.list(look{title: words{"Queues", "队列"}, unit: count, w: full, h: 12},
		column{title: words{"Topic", "主题"}, label: family.LabelTopic},
		column{title: words{"Broker", "Broker"}, label: family.LabelBroker},
		column{title: words{"Queue", "队列号"}, label: family.LabelQueueID},
		column{title: words{"IP", "IP 地址"}, label: family.LabelClientIP},
		column{title: words{"PID", "进程号"}, label: family.LabelClientPID},
		column{title: words{"Backlog", "堆积数"}, unit: count, steps: []step{{1000, "orange"}, {10000, "red"}},
			expr: "sum by (topic, broker, queueId, consumerClientIP, consumerClientPID) (" + s.whole(family.MsgDiffDetail) + ")"},
	)
}
