// Package query reads PromQL expressions: which series and labels they ask for,
// and whether the exporter has them. Rules and boards are held against the table
// of metric families with it, so that neither can ask for a family or a label
// that does not exist, or join two things that never match.
//
// It may hold what is true of expressions and of names. It evaluates nothing,
// and knows neither rule files nor boards.
package query

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
)

// Labels is a set of label names.
type Labels map[string]bool

// Set makes a set of names.
func Set(names ...string) Labels {
	l := make(Labels, len(names))
	for _, n := range names {
		l[n] = true
	}
	return l
}

// Sorted lists the names.
func (l Labels) Sorted() []string { return slices.Sorted(maps.Keys(l)) }

func (l Labels) with(names ...string) Labels {
	union := maps.Clone(l)
	for _, n := range names {
		union[n] = true
	}
	return union
}

func (l Labels) without(names ...string) Labels {
	rest := maps.Clone(l)
	for _, n := range names {
		delete(rest, n)
	}
	return rest
}

// Vocabulary is the names that expressions may use.
type Vocabulary struct {
	prefix string
	series map[string]Labels
	parser parser.Parser
}

// buildInfo is the metric of the exporter's build, which client_golang writes.
const buildInfo = "_exporter_build_info"

// targetLabels are those that Prometheus, or the scrape configurations beside
// the rules, attach to every series of a target. Any others that users attach
// pass through the rules as they are.
func targetLabels() []string {
	return []string{"instance", "job", "pod", "namespace", "shard", "rocketmqClusterName", "namesrvAddr"}
}

// New is the vocabulary of an exporter with this prefix of its metrics and no
// family switched on or off, and of what Prometheus and the Go libraries add.
func New(prefix string) *Vocabulary {
	v := &Vocabulary{prefix: prefix, series: make(map[string]Labels), parser: parser.NewParser(parser.Options{})}
	for _, id := range family.All() {
		f := id.Family()
		if f.Set == family.OptIn {
			continue // what is shipped works with what is on by default
		}
		v.series[f.FullName(prefix)] = Set(f.Labels...).with(targetLabels()...)
	}
	for _, name := range []string{
		"up", "scrape_duration_seconds", "scrape_samples_scraped",
		"go_goroutines", "go_memstats_heap_inuse_bytes",
		"process_cpu_seconds_total", "process_open_fds", "process_max_fds", "process_resident_memory_bytes", "process_start_time_seconds",
	} {
		v.series[name] = Set(targetLabels()...)
	}
	v.series[prefix+buildInfo] = Set("version", "revision", "branch", "goversion", "goos", "goarch", "tags").with(targetLabels()...)
	v.series["ALERTS"] = Set("alertname", "alertstate", "severity", family.LabelCluster, family.LabelConsumerGroup, family.LabelTopic, family.LabelBroker).
		with(targetLabels()...)
	return v
}

// Add makes a name known that a user or a rule records.
func (v *Vocabulary) Add(name string, labels Labels) error {
	if !model.LegacyValidation.IsValidMetricName(name) {
		return fmt.Errorf("%q is no name of a metric", name)
	}
	if _, ok := v.series[name]; ok {
		return fmt.Errorf("%s is there twice", name)
	}
	v.series[name] = labels
	return nil
}

// Check reads an expression and returns the labels that its result can have;
// empty for a scalar. The error lists all that is wrong with it.
func (v *Vocabulary) Check(expr string) (Labels, error) {
	parsed, err := v.parser.ParseExpr(expr)
	if err != nil {
		return nil, err
	}
	c := checker{vocabulary: v}
	labels := c.of(parsed)
	return labels, errors.Join(c.bad...)
}

// Selectors lists the selectors of series in an expression, each as it is
// written there, with neither range nor offset.
func (v *Vocabulary) Selectors(expr string) ([]string, error) {
	parsed, err := v.parser.ParseExpr(expr)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, s := range selectors(parsed) {
		plain := *s
		plain.OriginalOffset, plain.OriginalOffsetExpr = 0, nil
		if text := plain.String(); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list, nil
}

func selectors(expr parser.Expr) []*parser.VectorSelector {
	var list []*parser.VectorSelector
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			list = append(list, s)
		}
		return nil
	})
	return list
}
