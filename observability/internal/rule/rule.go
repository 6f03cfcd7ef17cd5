// Package rule reads Prometheus' rule files, holds them against what the exporter
// has, and makes variants of them: for another prefix of the metrics, and with
// shorter times for tests.
//
// It may hold what is true of rule files. What an expression means is query's.
package rule

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/query"
)

// File is a rule file as Prometheus reads it.
type File struct {
	Groups []Group `yaml:"groups"`
}

// Group is rules that are evaluated one after the other.
type Group struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval,omitempty"`
	Rules    []Rule `yaml:"rules"`
}

// Rule records a series or is an alert.
type Rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// Read reads a rule file; keys that Prometheus does not know are mistakes.
func Read(text []byte) (File, error) {
	var f File
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	err := decoder.Decode(&f)
	return f, err
}

// Shipped is the rule files of a folder by their names, in the order in which
// they need each other: what records before what asks for it.
type Shipped struct {
	Recording, Alerts, Limits File
}

// Names of the files.
const (
	RecordingFile = "rocketmq-recording.yml"
	AlertsFile    = "rocketmq-alerts.yml"
	LimitsFile    = "rocketmq-limits.example.yml"
)

// Load reads the rule files of a folder.
func Load(folder string) (Shipped, error) {
	var s Shipped
	for name, into := range map[string]*File{RecordingFile: &s.Recording, AlertsFile: &s.Alerts, LimitsFile: &s.Limits} {
		text, err := os.ReadFile(filepath.Join(folder, name)) //nolint:gosec // the caller's own folder
		if err != nil {
			return s, err
		}
		if *into, err = Read(text); err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}

// Rules lists a file's rules.
func (f File) Rules() []Rule {
	var list []Rule
	for _, g := range f.Groups {
		list = append(list, g.Rules...)
	}
	return list
}

// Vocabulary is what expressions may ask for when the recording rules are
// loaded: the exporter's series, those that users record as limits, and those
// that the rules record, each with the labels that its expression leaves it. The
// error lists what is wrong with the rules.
func (s Shipped) Vocabulary(prefix string) (*query.Vocabulary, error) {
	v := query.New(prefix)
	var bad []error
	limits := make(map[string]query.Labels)
	for _, r := range s.Limits.Rules() {
		if limits[r.Record] == nil {
			limits[r.Record] = query.Labels{}
		}
		for name := range r.Labels {
			limits[r.Record][name] = true
		}
	}
	for record, labels := range limits {
		bad = append(bad, v.Add(record, labels))
	}
	for _, r := range s.Recording.Rules() {
		labels, err := v.Check(r.Expr)
		if err != nil {
			bad = append(bad, fmt.Errorf("record %s: %w", r.Record, err))
		}
		bad = append(bad, v.Add(r.Record, labels))
	}
	return v, errors.Join(bad...)
}

// Check holds the alerts against a vocabulary: their expressions, the labels that
// their words use, and that they have all that a person who is called needs.
func (s Shipped) Check(v *query.Vocabulary) error {
	var bad []error
	seen := make(map[string]bool)
	for _, r := range s.Alerts.Rules() {
		complain := func(format string, args ...any) {
			bad = append(bad, fmt.Errorf("alert %s: %w", r.Alert, fmt.Errorf(format, args...)))
		}
		if !regexp.MustCompile(`^RocketMQ[A-Z][A-Za-z]+$`).MatchString(r.Alert) || seen[r.Alert] {
			complain("an odd name, or there twice")
		}
		seen[r.Alert] = true
		labels, err := v.Check(r.Expr)
		if err != nil {
			complain("%w", err)
		}
		for _, used := range labelsOf(r.Annotations) {
			if err == nil && !labels[used] {
				complain("its words use the label %s, and it has only %v", used, labels.Sorted())
			}
		}
		if severity := r.Labels["severity"]; severity != "critical" && severity != "warning" {
			complain("severity %q", severity)
		}
		for _, name := range []string{"summary", "description", "runbook_url"} {
			if r.Annotations[name] == "" {
				complain("no %s", name)
			}
		}
		if r.For == "" {
			complain("no time for which it must hold; 0m is one")
		}
		if url := r.Annotations["runbook_url"]; !strings.HasSuffix(url, "/docs/runbooks/"+r.Alert+".md") {
			complain("its runbook is elsewhere: %s", url)
		}
	}
	return errors.Join(bad...)
}

// labelsOf lists the labels that templates use.
func labelsOf(annotations map[string]string) []string {
	var names []string
	for _, text := range annotations {
		for _, m := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(text, -1) {
			if !slices.Contains(names, m[1]) {
				names = append(names, m[1])
			}
		}
	}
	return names
}
