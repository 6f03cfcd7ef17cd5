package board

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// ask is one expression of a panel, and the name of the series that it yields.
type ask struct {
	expr, legend string
}

// look is what all kinds of panels have.
type look struct {
	title words
	// about says what the numbers are, where the title does not.
	about words
	// unit is Grafana's name of a unit.
	unit string
	w, h uint32
	// steps colour a value from each of them on; below them it is base, or green.
	steps []step
	base  string
}

type step struct {
	from  float64
	color string
}

// Units.
const (
	count    = "short"
	perSec   = "ops"
	seconds  = "s"
	bytesIEC = "bytes"
	bytesPS  = "Bps"
	ratio    = "percentunit"
	since    = "dateTimeFromNow"
)

// panel is what is the same in all kinds.
func (s *sheet) panel(kind string, l look, options, custom any) *dashboard.Panel {
	p := &dashboard.Panel{
		Type: kind, Title: new(s.say(l.title)), Datasource: datasource(), Options: options,
		FieldConfig: &dashboard.FieldConfigSource{
			Defaults: dashboard.FieldConfig{
				Unit: &l.unit, Custom: custom,
				Color:      &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdPaletteClassic},
				Thresholds: thresholds(l.steps),
			},
			Overrides: []dashboard.DashboardFieldConfigSourceOverrides{},
		},
	}
	if l.base != "" {
		p.FieldConfig.Defaults.Thresholds.Steps[0].Color = l.base
	}
	if l.about != (words{}) {
		p.Description = new(s.say(l.about))
	}
	return p
}

func thresholds(steps []step) *dashboard.ThresholdsConfig {
	t := &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: []dashboard.Threshold{{Color: "green"}}}
	for _, s := range steps {
		t.Steps = append(t.Steps, dashboard.Threshold{Value: new(s.from), Color: s.color})
	}
	return t
}

// target is an expression as Grafana keeps it, after a look at its names.
func (s *sheet) target(l look, a ask, ref int, instant bool) variants.Dataquery {
	labels, err := s.vocabulary.Check(Sample(a.expr, "5m", nil))
	if err != nil {
		s.complain("%s: %w", l.title.en, err)
	}
	for _, m := range regexp.MustCompile(`{{\s*(\w+)\s*}}`).FindAllStringSubmatch(a.legend, -1) {
		if err == nil && !labels[m[1]] {
			s.complain("%s: the legend wants the label %s, and the series have only %v", l.title.en, m[1], labels.Sorted())
		}
	}
	q := prometheus.Dataquery{
		Datasource: datasource(), Expr: a.expr, RefId: new(string(rune('A' + ref))),
		EditorMode: new(prometheus.QueryEditorModeCode), LegendFormat: &a.legend,
		Format: new(prometheus.PromQueryFormatTimeSeries), Instant: &instant, Range: new(!instant),
	}
	return q
}

// lines is a graph over time.
func (s *sheet) lines(l look, asks ...ask) {
	p := s.panel("timeseries", l, timeseries.Options{
		Legend: common.VizLegendOptions{
			DisplayMode: common.LegendDisplayModeTable, Placement: common.LegendPlacementBottom, ShowLegend: true,
			Calcs: []string{"lastNotNull", "max"}, SortBy: new("Last *"), SortDesc: new(true),
		},
		Tooltip: common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderDescending},
	}, timeseries.FieldConfig{
		DrawStyle: new(common.GraphDrawStyleLine), LineWidth: new(1.0), FillOpacity: new(10.0), ShowPoints: new(common.VisibilityModeNever),
	})
	for i, a := range asks {
		p.Targets = append(p.Targets, s.target(l, a, i, false))
	}
	s.place(p, l.w, l.h)
}

// timeline shows what each series was when: a bar each, in the words and colours
// of its values.
func (s *sheet) timeline(l look, values []named, asks ...ask) {
	p := s.panel("state-timeline", l, statetimeline.Options{
		ShowValue: common.VisibilityModeNever, RowHeight: 0.9, MergeValues: new(true), AlignValue: new(common.TimelineValueAlignmentLeft),
		Legend:  common.VizLegendOptions{DisplayMode: common.LegendDisplayModeList, Placement: common.LegendPlacementBottom, ShowLegend: true, Calcs: []string{}},
		Tooltip: common.VizTooltipOptions{Mode: common.TooltipDisplayModeSingle, Sort: common.SortOrderNone},
	}, statetimeline.FieldConfig{LineWidth: new(uint32(0)), FillOpacity: new(uint32(80))})
	p.FieldConfig.Defaults.Color.Mode = dashboard.FieldColorModeIdThresholds
	p.FieldConfig.Defaults.Mappings = s.mappings(values)
	for i, a := range asks {
		p.Targets = append(p.Targets, s.target(l, a, i, false))
	}
	s.place(p, l.w, l.h)
}

// number is one value, or a few, of now.
func (s *sheet) number(l look, asks ...ask) {
	p := s.panel("stat", l, stat.Options{
		GraphMode: common.BigValueGraphModeNone, ColorMode: common.BigValueColorModeValue, JustifyMode: common.BigValueJustifyModeAuto,
		TextMode: common.BigValueTextModeAuto, WideLayout: true, PercentChangeColorMode: common.PercentChangeColorModeStandard,
		ReduceOptions: common.ReduceDataOptions{Calcs: []string{"lastNotNull"}, Fields: new(""), Values: new(false)},
		Orientation:   common.VizOrientationAuto,
	}, nil)
	p.FieldConfig.Defaults.Color.Mode = dashboard.FieldColorModeIdThresholds
	p.FieldConfig.Defaults.NoValue = new("–")
	for i, a := range asks {
		p.Targets = append(p.Targets, s.target(l, a, i, true))
	}
	s.place(p, l.w, l.h)
}

// column of a table is a label, or the value of an expression.
type column struct {
	title words
	// label, or expr: the series of the expressions meet by their labels, which
	// must be those of the table.
	label, expr string
	unit        string
	steps       []step
	// values are words in place of numbers.
	values []named
	// board, where it is set, is the one that the cell leads to.
	board string
}

// named is a number that people read as a word.
type named struct {
	value int
	word  words
}

// mappings are such words as Grafana keeps them.
func (s *sheet) mappings(list []named) []dashboard.ValueMapping {
	options := make(map[string]dashboard.ValueMappingResult)
	for i, n := range list {
		options[strconv.Itoa(n.value)] = dashboard.ValueMappingResult{Text: new(s.say(n.word)), Index: new(int32(i))}
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
}

// list is a table of what is now: one line for each set of labels. Its first
// expression sorts it, the largest first.
func (s *sheet) list(l look, columns ...column) {
	p := s.panel("table", l, table.Options{ShowHeader: true, CellHeight: new(common.TableCellHeightSm)},
		table.FieldConfig{Align: common.FieldTextAlignmentAuto, Filterable: new(true)})
	order, names := map[string]int{}, map[string]string{}
	hidden := map[string]bool{"Time": true}
	var labels []string
	for i, c := range columns {
		field := c.label
		if c.expr != "" {
			q := s.target(l, ask{expr: c.expr}, len(p.Targets), true).(prometheus.Dataquery) //nolint:forcetypeassert // target makes it
			q.Format, q.LegendFormat = new(prometheus.PromQueryFormatTable), nil
			field = "Value #" + *q.RefId
			p.Targets = append(p.Targets, q)
		} else {
			labels = append(labels, c.label)
		}
		order[field], names[field] = i, s.say(c.title)
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, s.override(c))
	}
	s.meet(l, columns, labels)
	if len(p.Targets) == 1 { // a single table calls its value so
		field := "Value #A"
		order["Value"], names["Value"] = order[field], names[field]
		delete(order, field)
		delete(names, field)
	}
	p.Transformations = []dashboard.DataTransformerConfig{
		{Id: "merge", Options: map[string]any{}},
		{Id: "organize", Options: map[string]any{"excludeByName": hidden, "indexByName": order, "renameByName": names}},
	}
	for _, c := range columns {
		if c.expr != "" {
			p.Options = table.Options{
				ShowHeader: true, CellHeight: new(common.TableCellHeightSm),
				SortBy: []common.TableSortByFieldState{{DisplayName: s.say(c.title), Desc: new(true)}},
			}
			break
		}
	}
	s.place(p, l.w, l.h)
}

// meet complains about expressions of a table whose labels are not its columns.
func (s *sheet) meet(l look, columns []column, labels []string) {
	slices.Sort(labels)
	for _, c := range columns {
		if c.expr == "" {
			continue
		}
		got, err := s.vocabulary.Check(Sample(c.expr, "5m", nil))
		if err == nil && !slices.Equal(slices.Sorted(maps.Keys(got)), labels) {
			s.complain("%s: column %s has the labels %v, the table %v", l.title.en, c.title.en, got.Sorted(), labels)
		}
	}
}

// override gives a column its unit, colours and link.
func (s *sheet) override(c column) dashboard.DashboardFieldConfigSourceOverrides {
	o := dashboard.DashboardFieldConfigSourceOverrides{
		Matcher:    dashboard.MatcherConfig{Id: "byName", Options: s.say(c.title)},
		Properties: []dashboard.DynamicConfigValue{},
	}
	set := func(id string, value any) {
		o.Properties = append(o.Properties, dashboard.DynamicConfigValue{Id: id, Value: value})
	}
	if c.unit != "" {
		set("unit", c.unit)
	}
	if c.values != nil {
		set("mappings", s.mappings(c.values))
	}
	if c.steps != nil {
		set("thresholds", thresholds(c.steps))
		set("color", dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds})
		set("custom.cellOptions", map[string]any{"type": "color-text"})
	}
	if c.board != "" {
		set("links", []map[string]any{{
			"title": s.say(c.title),
			"url":   "/d/" + s.uid(c.board) + "?${datasource:queryparam}&${job:queryparam}&${cluster:queryparam}&${__url_time_range}&var-" + c.label + "=${__value.raw}",
		}})
	}
	return o
}
