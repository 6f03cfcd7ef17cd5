package board

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
)

// filter is a variable that chooses among the values of a label.
type filter struct {
	label string
	title words
	// of is the family whose series have the values.
	of family.ID
	// ofTarget: not the exporter's label but one that the scrape configuration
	// attaches. It need not be there.
	ofTarget bool
	// single: one value at a time, and no choice of all of them.
	single bool
	// only, where it is set, is a regular expression that the values match.
	only string
}

// number is a variable that people type.
type number struct {
	name    string
	title   words
	initial string
}

// threshold hides what is not worth a line.
func threshold() number {
	return number{"threshold", words{"Show above", "显示阈值"}, "1000"}
}

func job() filter {
	return filter{label: "job", title: words{"Job", "抓取任务"}, of: family.Up, ofTarget: true}
}

func cluster() filter {
	return filter{label: family.LabelCluster, title: words{"Cluster", "集群"}, of: family.Up}
}

// variables are the board's: the data source, the filters, each narrowed down by
// those before it, and the numbers.
func (s *sheet) variables(numbers []number) []dashboard.VariableModel {
	list := []dashboard.VariableModel{{
		Type: dashboard.VariableTypeDatasource, Name: "datasource", Label: new(s.say(words{"Data source", "数据源"})),
		Query: &dashboard.StringOrMap{String: new("prometheus")}, Refresh: new(dashboard.VariableRefreshOnDashboardLoad),
		Multi: new(false), IncludeAll: new(false),
	}}
	for i, f := range s.filters {
		list = append(list, s.choice(f, s.filters[:i]))
	}
	for _, n := range numbers {
		list = append(list, s.typed(n))
	}
	return list
}

func (s *sheet) choice(f filter, before []filter) dashboard.VariableModel {
	narrowed := &sheet{prefix: s.prefix, filters: before}
	values := fmt.Sprintf("label_values(%s, %s)", narrowed.series(f.of), f.label)
	v := dashboard.VariableModel{
		Type: dashboard.VariableTypeQuery, Name: f.label, Label: new(s.say(f.title)),
		Query: &dashboard.StringOrMap{String: &values}, Definition: &values, Datasource: datasource(),
		Refresh: new(dashboard.VariableRefreshOnTimeRangeChanged), Sort: new(dashboard.VariableSortAlphabeticalAsc),
		Multi: new(!f.single), IncludeAll: new(!f.single), Options: []dashboard.VariableOption{},
	}
	if f.only != "" {
		v.Regex = new("/" + f.only + "/")
	}
	if !f.single {
		// All is everything, also series without the label.
		v.AllValue = new(".*")
		v.Current = option("All", "$__all")
	}
	return v
}

// typed is a variable that people type.
func (s *sheet) typed(n number) dashboard.VariableModel {
	return dashboard.VariableModel{
		Type: dashboard.VariableTypeTextbox, Name: n.name, Label: new(s.say(n.title)),
		Query: &dashboard.StringOrMap{String: new(n.initial)}, Current: option(n.initial, n.initial),
		Options: []dashboard.VariableOption{*option(n.initial, n.initial)},
	}
}

func option(text, value string) *dashboard.VariableOption {
	return &dashboard.VariableOption{
		Selected: new(true),
		Text:     dashboard.StringOrArrayOfString{String: &text},
		Value:    dashboard.StringOrArrayOfString{String: &value},
	}
}

// Sample fills an expression's variables in as Grafana would: those of labels with
// the given values, and where there is none with all, the numbers with what they
// begin as, at a panel of the given resolution.
func Sample(expr, resolution string, chosen map[string]string) string {
	numbers := strings.NewReplacer(
		"$__rate_interval", resolution, "$__interval", resolution, "$__range", resolution, "$threshold", threshold().initial,
	)
	return regexp.MustCompile(`"\$(\w+)"`).ReplaceAllStringFunc(numbers.Replace(expr), func(quoted string) string {
		return strconv.Quote(cmp.Or(chosen[strings.Trim(quoted, `"$`)], ".*"))
	})
}
