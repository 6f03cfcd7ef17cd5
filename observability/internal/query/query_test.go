package query

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// target are the labels that every series of a target has.
func withTarget(names ...string) []string {
	return Set(names...).with(targetLabels()...).Sorted()
}

func TestLabelsOfResults(t *testing.T) {
	v := New("rocketmq")
	for _, c := range []struct {
		expr string
		want []string
	}{
		{"rocketmq_msg_diff_topic", withTarget("cluster", "topic")},
		{`rocketmq_msg_diff_topic{topic=~"a.*", job="j"}[5m:1m] offset 1h`, withTarget("cluster", "topic")},
		{"sum by (cluster) (rate(rocketmq_consumergroup_consumed_messages_total[5m]))", []string{"cluster"}},
		{"max without (instance, pod) (rocketmq_msg_diff_topic)", Set(withTarget("cluster", "topic")...).without("instance", "pod").Sorted()},
		{"sum(rocketmq_up) or vector(0)", []string{}},
		{"topk(3, rocketmq_msg_diff_topic) > 0", withTarget("cluster", "topic")},
		{"rocketmq_msg_diff_topic_consumergroup > ignoring (topic) group_left () rocketmq_msg_diff_consumergroup / 2", withTarget("cluster", "topic", "consumerGroup")},
		{"rocketmq_msg_diff_consumergroup * on (cluster, consumerGroup) group_left (messageModel) rocketmq_consumergroup_info", withTarget("cluster", "consumerGroup", "messageModel")},
		{"rocketmq_msg_diff_consumergroup - on (cluster, consumerGroup) rocketmq_consumergroup_members", []string{"cluster", "consumerGroup"}},
		{"time() - rocketmq_exporter_snapshot_timestamp_seconds", withTarget("cluster")},
		{`label_replace(rocketmq_msg_diff_topic, "consumerGroup", "$1", "topic", "%RETRY%(.+)")`, withTarget("cluster", "topic", "consumerGroup")},
		{`absent(rocketmq_up{cluster="c", job=~"x"})`, []string{"cluster"}},
		{"1 + 2", []string{}},
		{"scalar(sum(rocketmq_up))", []string{}},
	} {
		got, err := v.Check(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
		} else if !slices.Equal(got.Sorted(), c.want) {
			t.Errorf("%s has the labels %v, want %v", c.expr, got.Sorted(), c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	v := New("rocketmq")
	for expr, want := range map[string]string{
		"rocketmq_msg_diff":                                                               "no series of this name",
		"rocketmq_msg_diff_topic{group=\"x\"}":                                            "no label group",
		"sum by (group) (rocketmq_msg_diff_topic)":                                        "no label group",
		"sum without (group) (rocketmq_msg_diff_topic)":                                   "no label group",
		"rocketmq_msg_diff_topic and rocketmq_msg_diff_consumergroup":                     "never match",
		"rocketmq_msg_diff_topic unless ignoring (topic) rocketmq_msg_diff_consumergroup": "never match",
		"rocketmq_msg_diff_topic * ignoring (queueId) rocketmq_msg_diff_topic":            "neither side has the label queueId",
		"rocketmq_msg_diff_topic * on (consumerGroup) rocketmq_msg_diff_consumergroup":    "no label consumerGroup",
		"rocketmq_up * on (cluster) group_left (version) rocketmq_nameserver_up":          "no label version",
		`label_replace(rocketmq_up, "a", "$1", "topic", "(.+)")`:                          "no label topic",
		`count_values("v", rocketmq_up)`:                                                  "does not know count_values",
		`histogram_quantile(0.5, rocketmq_up)`:                                            "does not know histogram_quantile",
		"rate(rocketmq_up)":                                                               "expected type range vector",
	} {
		if _, err := v.Check(expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
	if err := v.Add("rocketmq_up", nil); err == nil {
		t.Error("a name twice is no mistake")
	}
	if err := v.Add("a-b", nil); err == nil {
		t.Error("a-b is no name")
	}
}

func TestRename(t *testing.T) {
	const expr = `# rocketmq_up stays as it is in comments
sum(rocketmq_up{job="rocketmq_up"})
  + count(rocketmq:broker_up or rocketmq_exporter_build_info)  # and in strings
  + count(rocketmq_somebody_elses or up)`
	const want = `# rocketmq_up stays as it is in comments
sum(acme_up{job="rocketmq_up"})
  + count(acme:broker_up or acme_exporter_build_info)  # and in strings
  + count(rocketmq_somebody_elses or up)`
	if got, err := Rename(expr, "rocketmq", "acme"); err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := Rename("sum(", "rocketmq", "acme"); err == nil {
		t.Error("half an expression is no mistake")
	}
}

func TestQuicken(t *testing.T) {
	const expr = "max_over_time(rate(a[5m])[1d:1m] offset 1h) > 300 and b offset 10s"
	const want = "max_over_time(rate(a[5s])[24m:1s] offset 1m) > 300 and b offset 1s"
	if got, err := Quicken(expr, 60, time.Second); err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := Quicken("sum(", 60, time.Second); err == nil {
		t.Error("half an expression is no mistake")
	}
}

func TestSelectors(t *testing.T) {
	got, err := New("rocketmq").Selectors(`rate(a{b="c"}[5m] offset 1h) + a{b="c"} + d`)
	if want := []string{`a{b="c"}`, "d"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
