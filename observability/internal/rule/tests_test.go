package rule

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// promtoolTests is the part of promtool's test files that counts here.
type promtoolTests struct {
	Order []string `yaml:"group_eval_order"`
	Tests []struct {
		Exprs []struct {
			Expr    string `yaml:"expr"`
			Samples []struct {
				Labels string `yaml:"labels"`
			} `yaml:"exp_samples"`
		} `yaml:"promql_expr_test"`
		Alerts []struct {
			Name string `yaml:"alertname"`
			Want []any  `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	} `yaml:"tests"`
}

// TestEveryAlertIsTested: each has a case in which it fires, and one that asks
// for it and in which it stays silent. That they hold is promtool's matter.
func TestEveryAlertIsTested(t *testing.T) {
	s := load(t)
	fires, silent := make(map[string]bool), make(map[string]bool)
	names := func(text string) []string {
		var list []string
		for _, part := range strings.Split(text, `alertname="`)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			list = append(list, name)
		}
		return list
	}
	files, err := filepath.Glob(filepath.Join(folder, "tests", "*_test.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var tests promtoolTests
		if err := yaml.Unmarshal(text, &tests); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		// Without an order of theirs, groups are evaluated in one that changes.
		for _, g := range slices.Concat(s.Recording.Groups, s.Limits.Groups, s.Alerts.Groups) {
			if !slices.Contains(tests.Order, g.Name) {
				t.Errorf("%s: the order of groups is without %s", file, g.Name)
			}
		}
		for _, test := range tests.Tests {
			for _, e := range test.Exprs {
				for _, name := range names(e.Expr) {
					fires[name] = fires[name] || len(e.Samples) > 0
					silent[name] = silent[name] || len(e.Samples) == 0
				}
				for _, sample := range e.Samples {
					for _, name := range names(sample.Labels) {
						fires[name] = true
					}
				}
			}
			for _, a := range test.Alerts {
				fires[a.Name] = fires[a.Name] || len(a.Want) > 0
			}
		}
	}
	for _, r := range s.Alerts.Rules() {
		if !fires[r.Alert] {
			t.Errorf("no test in which %s fires", r.Alert)
		}
		if !silent[r.Alert] {
			t.Errorf("no test in which %s stays silent", r.Alert)
		}
		delete(fires, r.Alert)
		delete(silent, r.Alert)
	}
	for name := range fires {
		t.Errorf("tests ask for %s, which is no alert", name)
	}
}
