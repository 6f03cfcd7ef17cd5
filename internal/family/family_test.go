package family

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTable holds every family against the rules of names and words.
func TestTable(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	label := regexp.MustCompile(`^[a-z][a-zA-Z]*$`)
	samples, families := make(map[string]bool), make(map[string]bool)
	for _, id := range All() {
		f := id.Family()
		if !name.MatchString(f.Name) {
			t.Errorf("%d: odd name %q", id, f.Name)
		}
		if samples[f.Name] || families[f.MetricName("p")] {
			t.Errorf("%s is there twice", f.Name)
		}
		samples[f.Name], families[f.MetricName("p")] = true, true
		if !strings.HasSuffix(f.Help, ".") || strings.ContainsAny(f.Help, "\\\"\n|") {
			t.Errorf("%s: help is no plain sentence: %q", f.Name, f.Help)
		}
		if got := strings.HasSuffix(f.Name, "_total"); got != (f.Type == Counter) {
			t.Errorf("%s: a counter, and only a counter, ends in _total", f.Name)
		}
		if got := strings.HasSuffix(f.Name, "_info"); got != (f.Type == Info) {
			t.Errorf("%s: an info, and only an info, ends in _info", f.Name)
		}
		if got := strings.HasPrefix(f.Name, "exporter_"); got != (f.Set == Exporter) {
			t.Errorf("%s: what is the exporter's own, and only that, begins with exporter_", f.Name)
		}
		for i, l := range f.Labels {
			if !label.MatchString(l) || slices.Contains(f.Labels[:i], l) {
				t.Errorf("%s: odd label %q", f.Name, l)
			}
		}
		checkUnit(t, f)
	}
}

// checkUnit: base units are in the name, except where a contract has the name.
func checkUnit(t *testing.T, f Family) {
	t.Helper()
	for _, unit := range []string{"seconds", "bytes"} {
		name := strings.TrimSuffix(f.Name, "_total")
		if got := strings.HasSuffix(name, "_"+unit); got != (f.Unit == unit) {
			t.Errorf("%s: unit %q", f.Name, f.Unit)
		}
	}
	yesOrNo := strings.HasSuffix("_"+f.Name, "_up") || f.Name == "broker_active" || f.Name == "exporter_config_last_reload_successful" || f.Name == "exporter_probe_success"
	if (f.Type == Info || f.Type == StateSet || yesOrNo) != (f.Unit == "") {
		t.Errorf("%s: unit %q", f.Name, f.Unit)
	}
}

// TestBacklog is the contract with existing dashboards.
func TestBacklog(t *testing.T) {
	want := map[string][]string{
		"msg_diff_detail": {
			"cluster", "topic", "consumerGroup", "broker", "queueId", "consumerClientIP", "consumerClientPID",
		},
		"msg_diff_topic":               {"cluster", "topic"},
		"msg_diff_consumergroup":       {"cluster", "consumerGroup"},
		"msg_diff_topic_consumergroup": {"cluster", "topic", "consumerGroup"},
		"msg_diff_broker":              {"cluster", "broker"},
		"msg_diff_queue":               {"cluster", "broker", "queueId"},
		"msg_diff_clientinfo":          {"cluster", "consumerClientIP", "consumerClientPID"},
	}
	for _, id := range All() {
		f := id.Family()
		if f.Set != Backlog {
			continue
		}
		if !slices.Equal(f.Labels, want[f.Name]) || f.Type != Gauge || f.Stability != Stable {
			t.Errorf("%s is not as agreed: %+v", f.Name, f)
		}
		delete(want, f.Name)
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		id           ID
		full, metric string
	}{
		{MsgDiffDetail, "rocketmq_msg_diff_detail", "rocketmq_msg_diff_detail"},
		{ConsumerGroupConsumed, "rocketmq_consumergroup_consumed_messages_total", "rocketmq_consumergroup_consumed_messages"},
		{BrokerInfo, "rocketmq_broker_info", "rocketmq_broker"},
		{MsgDiffClientInfo, "rocketmq_msg_diff_clientinfo", "rocketmq_msg_diff_clientinfo"},
	} {
		f := c.id.Family()
		if full, metric := f.FullName("rocketmq"), f.MetricName("rocketmq"); full != c.full || metric != c.metric {
			t.Errorf("%d is %s and %s, want %s and %s", c.id, full, metric, c.full, c.metric)
		}
	}
}

func TestTypes(t *testing.T) {
	for kind, want := range map[Type][3]string{
		Gauge: {"gauge", "gauge", "gauge"}, Counter: {"counter", "counter", "counter"},
		Info: {"info", "gauge", "info"}, StateSet: {"stateset", "gauge", "gauge"},
	} {
		if got := [3]string{kind.String(), kind.Text(), kind.OpenMetrics()}; got != want {
			t.Errorf("type %d is %v, want %v", kind, got, want)
		}
	}
}

// TestTableStaysAsItIs: what a caller does to its copy is its own matter.
func TestTableStaysAsItIs(t *testing.T) {
	MsgDiffDetail.Family().Labels[0] = "changed"
	if got := MsgDiffDetail.Family().Labels[0]; got != LabelCluster {
		t.Errorf("the table's first label is now %q", got)
	}
}

// TestNoNameOfTheOfficialExporter: dashboards made for apache/rocketmq-exporter
// must not find other values under its names.
func TestNoNameOfTheOfficialExporter(t *testing.T) {
	text, err := os.ReadFile("testdata/official-exporter.txt")
	if err != nil {
		t.Fatal(err)
	}
	official := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		if name := strings.TrimSpace(line); !strings.HasPrefix(name, "#") {
			official[name] = true
		}
	}
	if len(official) != 89 {
		t.Errorf("%d names, want all 89", len(official))
	}
	for _, id := range All() {
		f := id.Family()
		for _, name := range []string{f.FullName("rocketmq"), f.MetricName("rocketmq")} {
			if official[name] {
				t.Errorf("%s is the official exporter's", name)
			}
		}
	}
}
