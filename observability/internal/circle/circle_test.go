package circle

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/board"
	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/query"
	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/rule"
)

// TestCircle: on the demo's cluster every expression that is shipped has data,
// and those alerts fire that should.
func TestCircle(t *testing.T) {
	t.Parallel()
	demo := start(t, exporterBinary, "demo", "--seed=1", "--collect.interval=1s", "--web.listen-address=127.0.0.1:0",
		"--states.stalled=15s", "--states.stopped=15s")
	c := readConfig(t, "static.yml")
	c.quicken(t)
	c.jobs()[0]["static_configs"] = []any{map[string]any{"targets": []string{demo.addr}}}
	prometheus := startPrometheus(t, c.write(t))

	t.Run("alerts", func(t *testing.T) { alertsFire(t, prometheus) })
	t.Run("expressions", func(t *testing.T) {
		haveData(t, prometheus, slices.Concat(boardsAsk(t, prometheus), rulesAsk(t, prometheus), states()))
	})
	t.Run("alerts still", func(t *testing.T) { alertsFire(t, prometheus) })
}

// firing is the alerts that the demo's groups give reason for.
func firing() []string {
	return []string{
		"RocketMQConsumerStalled fraud-check payments",
		"RocketMQBacklogHigh fraud-check",
		"RocketMQBacklogOld fraud-check payments",
		"RocketMQBacklogHigh warehouse",
		"RocketMQBacklogHigh monthly-report",
		"RocketMQBacklogOld monthly-report audit",
	}
}

// now and then, as the demo's traffic has it.
func mayFire() []string {
	return []string{
		"RocketMQDeadLetters mailer",
	}
}

func alertsFire(t *testing.T, prometheus *server) {
	eventually(t, "the alerts that should fire, and no others", func() error {
		alerts, err := ask[struct {
			Alerts []struct {
				Labels      map[string]string
				Annotations map[string]string
				State       string
			}
		}](prometheus, "alerts")
		if err != nil {
			return err
		}
		var bad []error
		is := make(map[string]bool)
		for _, a := range alerts.Alerts {
			if a.State != "firing" {
				continue
			}
			name := strings.TrimSpace(strings.Join([]string{a.Labels["alertname"], a.Labels["consumerGroup"], a.Labels["topic"]}, " "))
			is[name] = true
			if !slices.Contains(firing(), name) && !slices.Contains(mayFire(), name) {
				bad = append(bad, fmt.Errorf("%s fires: %s", name, a.Annotations["summary"]))
			}
			for _, text := range a.Annotations {
				if strings.Contains(text, "error") || strings.Contains(text, "<no value>") || strings.Contains(text, "{{") {
					t.Errorf("%s says %q", name, text)
				}
			}
		}
		for _, name := range firing() {
			if !is[name] {
				bad = append(bad, fmt.Errorf("%s does not fire", name))
			}
		}
		return errors.Join(bad...)
	})
}

// wanted is an expression that must have data, and who asks for it.
type wanted struct{ expr, by string }

// haveData waits until every expression has data, those excepted that are listed
// with a reason: for these it must have none, or the reason is gone.
func haveData(t *testing.T, prometheus *server, exprs []wanted) {
	var excused []wanted
	used := make(map[string]bool)
	exprs = slices.DeleteFunc(slices.Clone(exprs), func(w wanted) bool {
		for part := range notOnTheDemo() {
			if strings.Contains(w.expr, part) {
				used[part] = true
				excused = append(excused, w)
				return true
			}
		}
		return false
	})
	eventually(t, "every expression has data", func() error {
		var bad []error
		exprs = slices.DeleteFunc(exprs, func(w wanted) bool {
			found, err := hasData(prometheus, w.expr)
			if err == nil && !found {
				err = errors.New("no data")
			}
			if err != nil {
				bad = append(bad, fmt.Errorf("%s: %s: %w", w.by, w.expr, err))
			}
			return err == nil
		})
		return errors.Join(bad...)
	})
	for _, w := range excused {
		if found, err := hasData(prometheus, w.expr); err != nil || found {
			t.Errorf("%s: %s has data and needs no excuse, or asks wrongly: %v", w.by, w.expr, err)
		}
	}
	for part := range notOnTheDemo() {
		if !used[part] {
			t.Errorf("nothing asks for %s: it needs no excuse", part)
		}
	}
}

// boardsAsk lists the expressions of all boards, and holds what their variables
// choose from against Prometheus.
func boardsAsk(t *testing.T, prometheus *server) []wanted {
	boards, err := board.All("rocketmq")
	if err != nil {
		t.Fatal(err)
	}
	var list []wanted
	for _, b := range boards {
		if b.Language != board.English {
			continue // the same expressions, see board's tests
		}
		exprs, choices := expressions(t, b.JSON)
		if len(exprs) == 0 || len(choices) == 0 {
			t.Errorf("%s asks for nothing", b.Name)
		}
		for _, expr := range exprs {
			list = append(list, wanted{expr, "board " + b.Name})
		}
		for _, c := range choices {
			got, err := ask[[]string](prometheus, "label/"+c.label+"/values", "match[]", board.Sample(c.selector, least.String(), nil))
			relabelled := c.label == "rocketmqClusterName" || c.label == "namesrvAddr" // not by this job
			if err != nil || (len(got) == 0) != relabelled {
				t.Errorf("%s: the values of %s are %q, %v", b.Name, c.label, got, err)
			}
		}
	}
	return list
}

// choice is what a board's variable chooses from.
type choice struct{ selector, label string }

// expressions lists what a board asks Prometheus for.
func expressions(t *testing.T, text []byte) (exprs []string, choices []choice) {
	t.Helper()
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	ofVariable := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if expr, ok := v["expr"].(string); ok && !slices.Contains(exprs, expr) {
				exprs = append(exprs, expr)
			}
			if q, ok := v["query"].(string); ok {
				if m := ofVariable.FindStringSubmatch(q); m != nil {
					choices = append(choices, choice{m[1], m[2]})
				}
			}
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(v[key])
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(doc)
	return exprs, choices
}

// rulesAsk lists what is recorded, and each selector of an alert, whether the
// alert fires or not. All rules must be there, and be evaluated without an error.
func rulesAsk(t *testing.T, prometheus *server) []wanted {
	rules, err := ask[struct {
		Groups []struct {
			Rules []struct{ Name, Query, Type, Health, LastError string }
		}
	}](prometheus, "rules")
	if err != nil {
		t.Fatal(err)
	}
	var list []wanted
	v := query.New("rocketmq")
	seen := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			seen++
			if r.Health != "ok" || r.LastError != "" {
				t.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
			}
			if r.Type != "alerting" {
				list = append(list, wanted{r.Name, "record"})
				continue
			}
			selectors, err := v.Selectors(r.Query)
			if err != nil {
				t.Fatal(err)
			}
			for _, expr := range selectors {
				list = append(list, wanted{expr, r.Name})
			}
		}
	}
	shipped, err := rule.Load("../../rules")
	if err != nil {
		t.Fatal(err)
	}
	if want := len(shipped.Recording.Rules()) + len(shipped.Alerts.Rules()); seen != want {
		t.Errorf("%d rules are loaded, want %d", seen, want)
	}
	return list
}

// states lists those that rules name, whether some group is in them or not.
func states() []wanted {
	var list []wanted
	for _, state := range []string{"stalled", "stopped", "rewound"} {
		list = append(list, wanted{fmt.Sprintf("rocketmq_consumergroup_state{state=%q}", state), "states"})
	}
	return list
}

// notOnTheDemo lists parts of expressions that have no data there, with the
// reason.
func notOnTheDemo() map[string]string {
	return map[string]string{
		"rocketmq_exporter_series_dropped_total": "the demo sets no limit",
		"rocketmq_exporter_errors_total":         "nothing fails",
		"rocketmq_exporter_denied_requests":      "nothing is denied",
		// That there is such a state is asked for besides.
		`rocketmq:consumergroup_state{state="rewound"}`: "no commit goes back",
	}
}
