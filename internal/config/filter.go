package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
)

// Filter says which names are wanted: those that one of Include fits, or all
// where there is none, without those that one of Exclude fits. The zero value
// wants all.
type Filter struct{ Include, Exclude []Pattern }

// IsZero says whether all names are wanted.
func (f Filter) IsZero() bool { return len(f.Include)+len(f.Exclude) == 0 }

// Wants says whether a name is wanted.
func (f Filter) Wants(name string) bool {
	return (len(f.Include) == 0 || fits(f.Include, name)) && !fits(f.Exclude, name)
}

func fits(patterns []Pattern, name string) bool {
	for _, p := range patterns {
		if p.compiled.MatchString(name) {
			return true
		}
	}
	return false
}

// Pattern is a regular expression that fits a whole name.
type Pattern struct {
	compiled *regexp.Regexp
	text     string
}

// String is the expression as it was set.
func (p Pattern) String() string { return p.text }

// patterns is a list of regular expressions, said one by one: any character may
// stand in one.
type patterns struct{}

func (patterns) isList() bool    { return true }
func (patterns) word() string    { return "list of regular expressions" }
func (patterns) allowed() string { return "" }

func (patterns) read(said []string, field any) error {
	var list []Pattern
	var errs []error
	for _, s := range said {
		if s == "" {
			continue
		}
		// Whether it is one on its own: brackets must not meet those around it.
		_, err := regexp.Compile(s)
		if err == nil {
			var re *regexp.Regexp
			if re, err = regexp.Compile("^(?:" + s + ")$"); err == nil {
				list = append(list, Pattern{re, s})
				continue
			}
		}
		errs = append(errs, fmt.Errorf("%q is no regular expression: %s", s, strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
	}
	*field.(*[]Pattern) = list //nolint:forcetypeassert // the table and its test
	return errors.Join(errs...)
}

// metrics is a list of names of metrics that may be switched. They may begin with
// the usual prefix: people copy them from where they see them.
type metrics struct{ off bool }

func (metrics) isList() bool { return true }
func (metrics) word() string { return "list of metrics" }

func (m metrics) allowed() string {
	if m.off {
		return "those of [metrics.md](metrics.md) that can be switched off"
	}
	return "those of [metrics.md](metrics.md) that are off by default"
}

func (m metrics) read(said []string, field any) error {
	var list []string
	var errs []error
	for _, name := range split(said, ",") {
		name = strings.TrimPrefix(name, "rocketmq_")
		if err := m.check(name); err != nil {
			errs = append(errs, err)
		}
		list = append(list, name)
	}
	*field.(*[]string) = list //nolint:forcetypeassert // the table and its test
	return errors.Join(errs...)
}

func (m metrics) check(name string) error {
	var known []string
	for _, id := range family.All() {
		switch f := id.Family(); {
		case f.Name == name && m.off && (f.Set == family.Backlog || f.Set == family.Exporter):
			return fmt.Errorf("%q is always there", name)
		case f.Name == name:
			return nil
		case m.off && f.Set == family.Default, !m.off && f.Set == family.OptIn:
			known = append(known, f.Name)
		}
	}
	if near := nearest(name, known); near != "" {
		return fmt.Errorf("there is no metric %q: did you mean %s?", name, near)
	}
	return fmt.Errorf("there is no metric %q: docs/metrics.md lists them", name)
}

// chooseFamilies decides which metrics the cluster has.
func (r *reading) chooseFamilies(k *Cluster) {
	for _, name := range k.Enable {
		if slices.Contains(k.Disable, name) {
			r.about(keyEnable, " and %s: %q is in both", r.short(keyDisable), name)
		}
	}
	// What is wrong with a name is noted already.
	k.Families, _ = family.Choose(k.Enable, k.Disable)
}
