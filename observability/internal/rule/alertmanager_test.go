package rule

import (
	"os"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestAlertmanager: the example holds back only alerts that there are, because of
// alerts that there are, and compares labels that both have.
func TestAlertmanager(t *testing.T) {
	text, err := os.ReadFile("../../prometheus/alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	var example struct {
		Inhibit []struct {
			Source []string `yaml:"source_matchers"`
			Target []string `yaml:"target_matchers"`
			Equal  []string `yaml:"equal"`
		} `yaml:"inhibit_rules"`
	}
	if err := yaml.Unmarshal(text, &example); err != nil || len(example.Inhibit) == 0 {
		t.Fatalf("no rules that hold back: %v", err)
	}
	s := load(t)
	v, err := s.Vocabulary("rocketmq")
	if err != nil {
		t.Fatal(err)
	}
	matcher := regexp.MustCompile(`^alertname =(~?) "(.+)"$`)
	for _, r := range example.Inhibit {
		for _, side := range [][]string{r.Source, r.Target} {
			m := matcher.FindStringSubmatch(side[0])
			if len(side) != 1 || m == nil {
				t.Fatalf("odd matchers %q", side)
			}
			name, found := m[2], 0
			if m[1] == "" {
				name = regexp.QuoteMeta(name)
			}
			for _, a := range s.Alerts.Rules() {
				if !regexp.MustCompile("^(?:" + name + ")$").MatchString(a.Alert) {
					continue
				}
				found++
				labels, err := v.Check(a.Expr)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range r.Equal {
					if !labels[l] {
						t.Errorf("%s has no label %s", a.Alert, l)
					}
				}
			}
			if found == 0 {
				t.Errorf("no alert is called %s", m[2])
			}
		}
	}
}
