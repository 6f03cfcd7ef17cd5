package board

import "github.com/rocketmq-exporter/rocketmq_exporter/internal/family"

// exporter answers whether the numbers of the other boards can be believed, and
// what it costs to get them.
func exporter() plan {
	return plan{
		name:        "exporter",
		title:       words{"RocketMQ exporter", "RocketMQ exporter 自身状态"},
		description: words{"Whether the numbers are whole and fresh, and what they cost.", "数据是否完整、新鲜，以及采集的开销。"},
		filters:     []filter{job(), cluster(), {label: "instance", title: words{"Exporter", "实例"}, of: family.Up, ofTarget: true}},
		fill: func(s *sheet) {
			s.exporterHealth()
			s.exporterCost()
		},
	}
}

func (s *sheet) exporterHealth() {
	line := func(title, about words, unit string, asks ...ask) {
		s.lines(look{title: title, about: about, unit: unit, w: half, h: 8}, asks...)
	}
	line(words{"Exporters that answer", "exporter 是否在线"}, words{"1: Prometheus could scrape it.", "1 表示 Prometheus 抓取成功。"}, count,
		ask{`up{job=~"$job", instance=~"$instance"} and on (job, instance) ` + s.series(family.ExporterSeries) + ` or up{job=~"$job", instance=~"$instance"} == 0`, "{{job}} {{instance}}"})
	line(words{"Age of the numbers", "数据时延"}, words{"Since offsets of the cluster were last read.", "距上次读到集群位点的时间。"}, seconds,
		ask{"time() - " + s.series(family.ExporterSnapshotTimestamp), "{{cluster}} {{instance}}"})
	line(words{"Age of what is asked in the slower cycle", "慢周期数据时延"}, words{"Beginnings of queues, last messages, topics that nobody consumes: one request each.", "队列起始位点、最新消息时间、无人消费的主题，逐个请求。"}, seconds,
		ask{"time() - " + s.series(family.ExporterSlowCycle), "{{cluster}} {{instance}}"})
	line(words{"Rounds by result", "采集轮次（按结果）"}, words{}, perSec,
		ask{"sum by (cluster, instance, result) (rate(" + s.series(family.ExporterRounds) + "[$__rate_interval]))", "{{cluster}} {{instance}} {{result}}"})
	line(words{"Brokers not read whole", "未完整读取的 Broker"}, words{"Their last good numbers are shown for a few rounds.", "会保留其最近一次完整数据若干轮。"}, count,
		ask{s.series(family.ExporterIncompleteBrokers), "{{cluster}} {{instance}}"})
	line(words{"Failures by reason", "采集失败（按原因）"}, words{}, perSec,
		ask{"sum by (cluster, reason) (rate(" + s.series(family.ExporterErrors) + "[$__rate_interval]))", "{{cluster}} {{reason}}"})
	line(words{"Requests denied", "被拒绝的请求"}, words{"By the right that is missing.", "按缺少的权限。"}, count,
		ask{"sum by (cluster, request, right) (" + s.series(family.ExporterDeniedRequests) + ")", "{{cluster}} {{request}} {{right}}"})
	line(words{"Series left out", "被丢弃的时间序列"}, words{"Because of limits or filters in the settings, by metric and by rule.", "因配置的上限或过滤而未输出，按指标与规则。"}, perSec,
		ask{"sum by (cluster, metric, rule) (rate(" + s.series(family.ExporterSeriesDropped) + "[$__rate_interval]))", "{{cluster}} {{metric}} {{rule}}"})
	line(words{"Last reload of the settings", "最近一次配置重载"}, words{"0: they were wrong, and the old ones are in use.", "0 表示新配置有误，仍在使用旧配置。"}, count,
		ask{s.series(family.ExporterConfigReloaded), "{{instance}}"})
	line(words{"Entries that made no sense", "被忽略的异常条目"}, words{"Left out of answers of the cluster.", "集群应答中无法理解而被忽略的条目。"}, perSec,
		ask{"sum by (cluster) (rate(" + s.series(family.ExporterOddEntries) + "[$__rate_interval]))", "{{cluster}}"})
}

func (s *sheet) exporterCost() {
	third := func(title, about words, unit string, asks ...ask) {
		s.lines(look{title: title, about: about, unit: unit, w: full / 3, h: 8}, asks...)
	}
	process := func(metric string) string {
		return metric + `{job=~"$job", instance=~"$instance"} and on (job, instance) ` + s.series(family.ExporterSeries)
	}
	s.row(words{"What it costs", "采集开销"})
	third(words{"Time of a round", "每轮耗时"}, words{}, seconds, ask{s.series(family.ExporterRoundDuration), "{{cluster}} {{instance}}"})
	third(words{"Time of the parts of a round", "每轮各阶段耗时"}, words{}, seconds, ask{s.series(family.ExporterStepDuration), "{{cluster}} {{instance}} {{step}}"})
	third(words{"Requests", "请求速率"}, words{"Sent to the cluster, by kind.", "发往集群的请求，按类型。"}, perSec,
		ask{"sum by (request) (rate(" + s.series(family.ExporterRequests) + "[$__rate_interval]))", "{{request}}"})
	third(words{"Bytes received", "接收流量"}, words{"From the cluster, by kind of request.", "来自集群，按请求类型。"}, bytesPS,
		ask{"sum by (request) (rate(" + s.series(family.ExporterResponseReceivedBytes) + "[$__rate_interval]))", "{{request}}"})
	third(words{"Series", "时间序列数"}, words{"About the clusters, in a scrape.", "每次抓取中与集群有关的序列。"}, count, ask{s.series(family.ExporterSeries), "{{instance}}"})
	third(words{"Time of a scrape", "抓取耗时"}, words{}, seconds, ask{process("scrape_duration_seconds"), "{{instance}}"})
	third(words{"Processor", "CPU"}, words{"Seconds per second.", "每秒占用的 CPU 秒数。"}, seconds,
		ask{`rate(process_cpu_seconds_total{job=~"$job", instance=~"$instance"}[$__rate_interval]) and on (job, instance) ` + s.series(family.ExporterSeries), "{{instance}}"})
	third(words{"Memory", "内存"}, words{"Resident; what the binary maps from its file is part of it.", "常驻内存，包含二进制文件的映射。"}, bytesIEC,
		ask{process("process_resident_memory_bytes"), "{{instance}}"})
	third(words{"Heap", "堆内存"}, words{}, bytesIEC, ask{process("go_memstats_heap_inuse_bytes"), "{{instance}}"})
	third(words{"Goroutines", "协程数"}, words{}, count, ask{process("go_goroutines"), "{{instance}}"})
}
