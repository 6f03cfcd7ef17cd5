package exposition

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// TestOpenMetricsGrammar parses with expfmt's own OpenMetrics parser, which is
// made from the grammar of the specification, and finds in it what the text
// format says. Its data model has no info type: those become unknown.
// It is a slow parser: two reports are enough for every construct.
func TestOpenMetricsGrammar(t *testing.T) {
	reports := []*lag.Report{oddNames(), uncommitted()}
	info := regexp.MustCompile(`(?m)^# HELP \S+ .*\n# TYPE \S+ info\n`)
	families := decodeOpenMetrics(t, info.ReplaceAllString(text(t, OpenMetrics, reports), ""))
	want := parse(t, text(t, Text, reports))
	if len(families) != len(want) {
		t.Errorf("%d families, want %d", len(families), len(want))
	}
	for name, mf := range want {
		if got := families[name]; len(got) != len(mf.GetMetric()) {
			t.Errorf("%s has %d series, want %d", name, len(got), len(mf.GetMetric()))
		}
		for _, m := range mf.GetMetric() {
			value := m.GetGauge().GetValue() + m.GetCounter().GetValue()
			if got, ok := families[name][key("", m)]; !ok || got != value {
				t.Errorf("%s%s = %v (there: %v), want %v", name, key("", m), got, ok, value)
			}
		}
	}
}

// decodeOpenMetrics gives the values by the name of their samples and their
// labels.
func decodeOpenMetrics(t *testing.T, exposition string) map[string]map[string]float64 {
	t.Helper()
	families := make(map[string]map[string]float64)
	decoder := expfmt.NewDecoder(strings.NewReader(exposition), expfmt.FmtOpenMetrics_1_0_0)
	for {
		var mf dto.MetricFamily
		err := decoder.Decode(&mf)
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatalf("the parser refuses it: %v", err)
		}
		name := mf.GetName()
		if mf.GetType() == dto.MetricType_COUNTER {
			name = strings.TrimSuffix(name, "_total") + "_total"
		}
		families[name] = make(map[string]float64)
		for _, m := range mf.GetMetric() {
			families[name][key("", m)] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
		}
	}
}
