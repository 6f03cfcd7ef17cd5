package circle

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
)

// still is the demo's cluster with nobody who produces or consumes: two looks at
// it find the same.
func still(t *testing.T, seed uint64) *fakemq.Cluster {
	t.Helper()
	mq, _, err := fakemq.Demo(seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mq.Close)
	return mq
}

func startExporter(t *testing.T, args ...string) *server {
	t.Helper()
	return start(t, exporterBinary, append([]string{"--collect.interval=1s", "--web.listen-address=127.0.0.1:0"}, args...)...)
}

// TestShards: what the recording rules make of four shards is what they make of
// one exporter for all.
func TestShards(t *testing.T) {
	t.Parallel()
	mq := still(t, 1)
	nameServer := "--namesrv=" + mq.NameServers()[0]
	c := readConfig(t, "shards.yml")
	c.quicken(t)
	job := c.jobs()[0]
	whole := map[string]any{
		"job_name": "whole", "static_configs": []any{map[string]any{"targets": []string{startExporter(t, nameServer).addr}}},
	}
	c["scrape_configs"] = append(c["scrape_configs"].([]any), config(whole))
	// The shards listen on ports of this machine; the job knows them by names, from
	// which its own relabelling takes the number. A further step finds the port.
	var names []string
	relabelling := job["relabel_configs"].([]any)
	for i := range 4 {
		shard := startExporter(t, nameServer, "--shard.total=4", fmt.Sprintf("--shard.index=%d", i))
		name := fmt.Sprintf("rocketmq-exporter-%d.rocketmq-exporter:9104", i)
		names = append(names, name)
		relabelling = append(relabelling, map[string]any{
			"source_labels": []string{"__address__"}, "regex": name, "target_label": "__address__", "replacement": shard.addr,
		})
	}
	job["static_configs"], job["relabel_configs"] = []any{map[string]any{"targets": names}}, relabelling
	prometheus := startPrometheus(t, c.write(t))
	for _, record := range []string{
		"msg_diff_topic", "msg_diff_broker", "msg_diff_queue", "msg_diff_clientinfo", "msg_diff_consumergroup",
		"msg_diff_topic_consumergroup", "msg_diff_process", "consumergroup_members", "backlog_limit_messages", "broker_up", "up",
	} {
		eventually(t, "rocketmq:"+record+" is the same", func() error {
			want, err := values(prometheus, "rocketmq:"+record+`{job="whole"}`)
			if err != nil {
				return err
			}
			is, err := values(prometheus, "rocketmq:"+record+`{job="rocketmq-shards"}`)
			if err == nil && (len(is) == 0 || !maps.Equal(is, want)) {
				err = fmt.Errorf("shards have %v, the whole %v", is, want)
			}
			return err
		})
	}
	eventually(t, "no shard is missed, and the work is shared", func() error {
		groups, err := values(prometheus, `count by (shard) (rocketmq_msg_diff_consumergroup{job="rocketmq-shards"})`)
		if err == nil && len(groups) < 2 {
			err = fmt.Errorf("groups by shard: %v", groups)
		}
		if found, other := hasData(prometheus, `ALERTS{alertname="RocketMQShardMissing"}`); err == nil && (found || other != nil) {
			err = errors.Join(errors.New("RocketMQShardMissing fires"), other)
		}
		return err
	})
}

// TestProbes: one exporter, two clusters of its file, each a target of its own.
func TestProbes(t *testing.T) {
	t.Parallel()
	settings := filepath.Join(t.TempDir(), "rocketmq_exporter.yml")
	text := "clusters:\n"
	for i, name := range []string{"east", "west"} {
		text += fmt.Sprintf("  - name: %s\n    namesrv: [%q]\n    probe_only: true\n", name, still(t, uint64(i)).NameServers()[0])
	}
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	exporter := startExporter(t, "--config.file="+settings)
	c := readConfig(t, "probe.yml")
	c.quicken(t)
	for _, job := range c.jobs() {
		if job["job_name"] == "rocketmq-exporter" {
			job["static_configs"] = []any{map[string]any{"targets": []string{exporter.addr}}}
			continue
		}
		for _, step := range job["relabel_configs"].([]any) {
			if step := step.(config); step["target_label"] == "__address__" {
				step["replacement"] = exporter.addr
			}
		}
	}
	prometheus := startPrometheus(t, c.write(t))
	eventually(t, "each cluster comes from its own target, and only from there", func() error {
		is, err := values(prometheus, `group by (job, instance, cluster) (rocketmq_msg_diff_consumergroup)`)
		want := map[string]string{
			`cluster="east" instance="east" job="rocketmq-probe"`: "1", `cluster="west" instance="west" job="rocketmq-probe"`: "1",
		}
		if err == nil && !maps.Equal(is, want) {
			err = fmt.Errorf("clusters come from %v, want %v", is, want)
		}
		return err
	})
	eventually(t, "all three targets are up, and the rules see both clusters", func() error {
		up, err := values(prometheus, `sum(up)`)
		if err == nil && up[""] != "3" {
			err = fmt.Errorf("%v targets are up", up)
		}
		clusters, other := values(prometheus, `count(count by (cluster) (rocketmq:msg_diff_topic))`)
		if other == nil && clusters[""] != "2" {
			other = fmt.Errorf("%v clusters", clusters)
		}
		return errors.Join(err, other)
	})
}

// values is the result of an expression, by its labels but for the name, and for
// the job where there are others besides.
func values(s *server, expr string) (map[string]string, error) {
	got, err := ask[struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}](s, "query", "query", expr)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	for _, r := range got.Result {
		var key []string
		for _, name := range slices.Sorted(maps.Keys(r.Metric)) {
			if name != "__name__" && (name != "job" || strings.Contains(expr, "by (job")) {
				key = append(key, fmt.Sprintf("%s=%q", name, r.Metric[name]))
			}
		}
		all[strings.Join(key, " ")] = fmt.Sprint(r.Value[1])
	}
	return all, nil
}
