package board

import "github.com/rocketmq-exporter/rocketmq_exporter/internal/family"

// brokers answers whether the servers are there, and how hard they work.
func brokers() plan {
	return plan{
		name:        "brokers",
		title:       words{"RocketMQ brokers and storage", "RocketMQ Broker 与存储"},
		description: words{"Name servers and brokers: whether they answer, what they store, and what waits in them.", "NameServer 与 Broker：是否在线、存储情况与排队情况。"},
		filters: []filter{
			job(), cluster(),
			{label: family.LabelBroker, title: words{"Broker", "Broker"}, of: family.BrokerUp},
		},
		fill: func(s *sheet) {
			s.brokersUp()
			s.brokerTraffic()
			s.brokerStorage()
			s.brokerWaiting()
			s.brokerDelayed()
		},
	}
}

// ofBroker names a broker process in a legend.
const ofBroker = "{{cluster}} {{broker}} {{brokerId}}"

func (s *sheet) third(title, about words, unit string, asks ...ask) {
	s.lines(look{title: title, about: about, unit: unit, w: full / 3, h: 8}, asks...)
}

func (s *sheet) brokersUp() {
	upOrDown := []named{{0, words{"down", "宕机"}}, {1, words{"up", "在线"}}}
	s.timeline(look{title: words{"Brokers", "Broker 状态"}, unit: count, w: half, h: 8, base: "red", steps: []step{{1, "green"}}}, upOrDown,
		ask{s.whole(family.BrokerUp), "{{cluster}} {{broker}} {{brokerId}} {{address}}"})
	s.timeline(look{title: words{"Name servers", "NameServer 状态"}, unit: count, w: half, h: 8, base: "red", steps: []step{{1, "green"}}}, upOrDown,
		ask{s.whole(family.NameServerUp), "{{cluster}} {{address}}"})
	by := func(expr string) string {
		return "max by (cluster, broker, brokerId, address, role, version) (" + s.whole(family.BrokerInfo) +
			" * ignoring (address, role, version) group_left () " + expr + ")"
	}
	s.list(look{title: words{"Broker processes", "Broker 进程"}, unit: count, w: full, h: 7},
		column{title: words{"Cluster", "集群"}, label: family.LabelCluster},
		column{title: words{"Broker", "Broker"}, label: family.LabelBroker},
		column{title: words{"Id", "编号"}, label: family.LabelBrokerID},
		column{title: words{"Address", "地址"}, label: family.LabelAddress},
		column{title: words{"Role", "角色"}, label: family.LabelRole},
		column{title: words{"Version", "版本"}, label: family.LabelVersion},
		column{title: words{"Disk used", "磁盘使用率"}, expr: by(s.whole(family.BrokerCommitLogDisk)), unit: ratio, steps: []step{{0.75, "orange"}, {0.85, "red"}}},
		// Grafana wants milliseconds.
		column{title: words{"Started", "启动时间"}, expr: by("(1000 * " + s.whole(family.BrokerBoot) + ")"), unit: since},
		column{title: words{"Oldest message", "最老消息"}, expr: by("(1000 * " + s.whole(family.BrokerEarliestMessage) + ")"), unit: since},
	)
}

func (s *sheet) brokerTraffic() {
	s.row(words{"Traffic", "流量"})
	s.third(words{"Messages stored", "写入速率"}, words{}, perSec, ask{s.rate(family.BrokerPutMessages), ofBroker})
	s.third(words{"Messages delivered", "投递速率"}, words{"To consumers: once for each group, and once more for each retry.", "投递给消费者：每个消费组各计一次，重试再计。"}, perSec,
		ask{s.rate(family.BrokerGetMessages), ofBroker})
	s.third(words{"Bytes stored", "写入流量"}, words{}, bytesPS, ask{s.rate(family.BrokerPutBytes), ofBroker})
	s.third(words{"Time to store a message", "写入耗时"}, words{"99 percent of the last minute took at most that long.", "最近一分钟内 99% 的写入不超过该值。"}, seconds,
		ask{s.whole(family.BrokerPutLatencyP99), ofBroker})
	s.third(words{"Messages not stored", "写入失败速率"}, words{}, perSec, ask{s.rate(family.BrokerPutFailures), ofBroker})
	s.third(words{"Backlog", "堆积数"}, words{"Messages on the broker not yet consumed.", "该 Broker 上尚未消费的消息数。"}, count, ask{s.whole(family.MsgDiffBroker), "{{cluster}} {{broker}}"})
}

func (s *sheet) brokerStorage() {
	s.row(words{"Storage", "存储"})
	s.third(words{"Disk of the commit log", "CommitLog 磁盘使用率"}, words{"Messages are deleted early from 75 percent on, and refused from 90 percent on.", "超过 75% 提前清理，超过 90% 拒绝写入。"}, ratio,
		ask{s.whole(family.BrokerCommitLogDisk), ofBroker})
	s.third(words{"Disk of the consume queues", "ConsumeQueue 磁盘使用率"}, words{}, ratio, ask{s.whole(family.BrokerConsumeQueueDisk), ofBroker})
	s.third(words{"Commit log", "CommitLog 大小"}, words{}, bytesIEC,
		ask{s.whole(family.BrokerCommitLogMax) + " - " + s.whole(family.BrokerCommitLogMin), ofBroker})
	s.third(words{"Slaves behind", "从节点落后字节数"}, words{}, bytesIEC, ask{s.whole(family.BrokerSlaveBehind), ofBroker})
	s.third(words{"Slaves that follow", "已连接的从节点"}, words{}, count, ask{s.whole(family.BrokerConnectedSlaves), ofBroker})
	s.third(words{"Not on disk yet", "未刷盘字节数"}, words{}, bytesIEC, ask{s.whole(family.BrokerFlushBehind), ofBroker})
	s.third(words{"Not in queues yet", "未分发字节数"}, words{"Stored, and not to be seen by consumers yet.", "已写入但消费者尚不可见。"}, bytesIEC, ask{s.whole(family.BrokerDispatchBehind), ofBroker})
	s.third(words{"Lock of the page cache", "PageCache 锁时间"}, words{"From 1 second on brokers refuse messages.", "达到 1 秒时 Broker 拒绝写入。"}, seconds,
		ask{s.whole(family.BrokerPageCacheLock), ofBroker})
	s.third(words{"Free disk", "磁盘可用空间"}, words{}, bytesIEC, ask{s.whole(family.BrokerDiskFree), ofBroker})
}

func (s *sheet) brokerWaiting() {
	s.row(words{"Waiting for a thread", "线程池排队"})
	pool := ofBroker + " {{pool}}"
	s.third(words{"How long the next request has waited", "队首等待时间"}, words{"Messages that waited for 0.2 seconds are refused.", "等待超过 0.2 秒的写入请求会被拒绝。"}, seconds,
		ask{s.whole(family.BrokerPoolHeadWait), pool})
	s.third(words{"Requests that wait", "排队请求数"}, words{}, count, ask{s.whole(family.BrokerPoolQueued), pool})
	s.third(words{"Share of the queue in use", "队列占用比例"}, words{"A full one refuses requests.", "占满后拒绝请求。"}, ratio,
		ask{s.whole(family.BrokerPoolQueued) + " / " + s.whole(family.BrokerPoolCapacity), pool})
}

func (s *sheet) brokerDelayed() {
	s.row(words{"Delayed messages", "延时消息"})
	s.third(words{"Waiting by delay level", "各延时级别的待投递消息"}, words{"Due or not.", "含未到期的消息。"}, count, ask{s.whole(family.BrokerDelayed), ofBroker + " {{level}}"})
	s.third(words{"Waiting in the timer wheel", "时间轮中的待投递消息"}, words{"With a delivery time of their own; 5.0 and later.", "任意时间定时消息，5.0 及以上。"}, count,
		ask{s.whole(family.BrokerTimerPending), ofBroker})
	s.third(words{"Timer wheel late by", "时间轮投递延迟"}, words{"5.0 and later.", "5.0 及以上。"}, seconds, ask{s.whole(family.BrokerTimerBehind), ofBroker})
}
