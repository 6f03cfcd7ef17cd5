package board

import "github.com/rocketmq-exporter/rocketmq_exporter/internal/family"

// topics answers what is produced where, who consumes it, and what is quiet.
func topics() plan {
	return plan{
		name:        "topics",
		title:       words{"RocketMQ topics", "RocketMQ 主题"},
		description: words{"What is produced to each topic, what is kept, and who is behind on it.", "各主题的生产、保留与消费情况。"},
		filters: []filter{
			job(), cluster(),
			{label: family.LabelTopic, title: words{"Topic", "主题"}, of: family.TopicProduced},
		},
		fill: func(s *sheet) {
			s.topicList()
			s.topicLines()
		},
	}
}

func (s *sheet) topicList() {
	by := func(aggregate, expr string) string { return aggregate + " by (cluster, topic) (" + expr + ")" }
	s.list(look{title: words{"Topics", "主题"}, unit: count, w: full, h: 12},
		column{title: words{"Cluster", "集群"}, label: family.LabelCluster},
		column{title: words{"Topic", "主题"}, label: family.LabelTopic},
		column{title: words{"Produced", "生产速率"}, expr: by("sum", s.rate(family.TopicProduced)), unit: perSec},
		column{title: words{"Consumed", "消费速率"}, expr: by("sum", s.rate(family.ConsumerGroupConsumed)), unit: perSec},
		column{title: words{"Groups", "消费组数"}, expr: by("count", s.whole(family.MsgDiffTopicConsumerGroup)), unit: count},
		column{title: words{"Backlog", "堆积数"}, expr: by("sum", s.whole(family.MsgDiffTopic)), unit: count, steps: []step{{1000, "orange"}, {10000, "red"}}},
		column{title: words{"Oldest message", "最老消息"}, expr: by("max", s.whole(family.ConsumerGroupLag)), unit: seconds, steps: []step{{60, "orange"}, {600, "red"}}},
		column{title: words{"Kept", "保留消息数"}, expr: by("sum", s.whole(family.TopicStored)), unit: count},
		// Grafana wants milliseconds.
		column{title: words{"Newest message", "最新消息"}, expr: by("max", "1000 * "+s.whole(family.TopicLastMessage)), unit: since},
	)
}

func (s *sheet) topicLines() {
	line := func(title, about words, unit, expr string) {
		s.lines(look{title: title, about: about, unit: unit, w: half, h: 9}, ask{expr, "{{cluster}} {{topic}}"})
	}
	line(words{"Produced", "生产速率"}, words{"The ten largest.", "最大的 10 个。"}, perSec, "topk(10, "+s.rate(family.TopicProduced)+")")
	line(words{"Backlog", "堆积数"}, words{"The ten largest.", "最大的 10 个。"}, count, "topk(10, "+s.whole(family.MsgDiffTopic)+")")
	line(words{"Kept", "保留消息数"}, words{"Messages between the beginnings and the ends of the queues: the ten largest.", "队列起始位点到末尾位点之间的消息数，最大的 10 个。"}, count,
		"topk(10, "+s.whole(family.TopicStored)+")")
	line(words{"Since the newest message", "距最新消息的时间"}, words{"The ten that are quiet the longest.", "最久没有新消息的 10 个。"}, seconds,
		"topk(10, time() - "+s.whole(family.TopicLastMessage)+")")
	line(words{"Sent back to be consumed once more", "重试消息速率"}, words{"What comes into retry topics.", "进入重试主题的消息。"}, perSec,
		"topk(10, "+s.rate(family.TopicProduced, `topic=~"%RETRY%.+"`)+")")
	s.lines(look{title: words{"Dead letters", "死信速率"}, about: words{"Given up after all retries, by group.", "重试耗尽后放弃的消息，按消费组。"}, unit: perSec, w: half, h: 9},
		ask{"topk(10, " + s.rate(family.ConsumerGroupDeadLetters) + ")", "{{cluster}} {{consumerGroup}}"})
}
