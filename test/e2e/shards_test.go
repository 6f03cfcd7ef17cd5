package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shardsAddUp starts three exporters that share the consumer groups: what they
// show adds up to what one exporter shows, each group is with one of them, and
// what is no group's is with the first.
func (s *story) shardsAddUp(t *testing.T) {
	const shards = 3
	parts := make([]*exporter, shards)
	for i := range parts {
		parts[i] = startExporter(t, s.mq.NameServer(), "--shard.total="+strconv.Itoa(shards), "--shard.index="+strconv.Itoa(i))
	}
	part := &story{T: t, mq: s.mq, exporter: s.exporter}
	part.eventually("the shards add up to the whole", func(whole exposition) error {
		var all exposition
		for i, e := range parts {
			x, err := e.scrape(t.Context())
			if err != nil {
				return err
			}
			if n := len(x.find("rocketmq_broker_up")); (n > 0) != (i == 0) {
				return fmt.Errorf("shard %d tells of %d brokers", i, n)
			}
			all = append(all, x...)
		}
		for _, family := range []string{
			"msg_diff_detail", "msg_diff_topic", "msg_diff_consumergroup", "msg_diff_topic_consumergroup", "msg_diff_broker",
			"msg_diff_queue", "msg_diff_clientinfo", "consumergroup_members", "broker_up", "nameserver_up",
		} {
			if err := addsUp(whole.find("rocketmq_"+family), all.find("rocketmq_"+family)); err != nil {
				return err
			}
		}
		return nil
	})
}

func addsUp(whole, parts exposition) error {
	sums := make(map[string]float64)
	for _, p := range parts {
		sums[p.key()] += p.value
	}
	if len(sums) != len(whole) || len(whole) == 0 {
		return fmt.Errorf("%d series in shards, %d in the whole: %v and %v", len(sums), len(whole), parts, whole)
	}
	for _, w := range whole {
		if sums[w.key()] != w.value {
			return fmt.Errorf("the shards add up to %v, the whole is %v", sums[w.key()], w)
		}
		if n := len(parts.matching(w)); w.labels["consumerGroup"] != "" && n != 1 {
			return fmt.Errorf("%v is in %d shards", w, n)
		}
	}
	return nil
}

func (s sample) key() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(s.labels)) {
		fmt.Fprintf(&b, "%s=%q,", k, s.labels[k])
	}
	return b.String()
}

// matching are the samples with all labels of another.
func (x exposition) matching(s sample) exposition {
	var found exposition
	for _, o := range x {
		if o.key() == s.key() {
			found = append(found, o)
		}
	}
	return found
}

// fromAFile reads the cluster twice, by settings of a file: whole, and some of it.
func (s *story) fromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rocketmq_exporter.yml")
	text := `
defaults:
  collect: {interval: 1s}
clusters:
- name: whole
  namesrv: ` + s.mq.NameServer() + `
- name: some
  namesrv: ` + s.mq.NameServer() + `
  topics: {include: [orders, payments]}
  groups: {exclude: ["cg_g.*"]}
  metrics: {detail: group}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e := startExporterOf(t, "--config.file="+file)
	part := &story{T: t, mq: s.mq, exporter: s.exporter}
	part.eventually("the file's clusters are the cluster", func(x exposition) error {
		y, err := e.scrape(context.WithoutCancel(t.Context()))
		if err != nil {
			return err
		}
		if n, m := len(y.find("rocketmq_msg_diff_detail", "cluster", "whole")), len(x.find("rocketmq_msg_diff_detail")); n != m || n == 0 {
			return fmt.Errorf("%d rows from the file, %d without it", n, m)
		}
		some := y.find("rocketmq_msg_diff_detail", "cluster", "some")
		if len(some) != 3 || len(some.find("rocketmq_msg_diff_detail", "consumerGroup", "cg_go")) > 0 {
			return fmt.Errorf("rows of some: %v", some)
		}
		for _, row := range some {
			want := x.find("rocketmq_msg_diff_topic_consumergroup", "topic", row.labels["topic"], "consumerGroup", row.labels["consumerGroup"]).sum()
			if row.value != want || row.labels["queueId"] != "" {
				return fmt.Errorf("%v, want %v", row, want)
			}
		}
		return nil
	})
}
