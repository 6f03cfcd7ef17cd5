// Package board makes the Grafana boards. Names of metrics and labels come from
// the table of families, every expression is checked before it is written, and
// each board is written in every language from one source.
//
// It may hold the boards and the few kinds of panels that they are made of, in
// the types of Grafana's own SDK.
package board

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/query"
)

// Language is the language of titles and descriptions.
type Language string

// The languages. The value is the name of the folder that the boards go to.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// Board is one board in one language.
type Board struct {
	// Name is that of its file, without folder and suffix, and in Grafana's
	// addresses.
	Name     string
	Language Language
	// JSON is what Grafana imports.
	JSON []byte
}

// plan is a board before it has a language.
type plan struct {
	name        string
	title       words
	description words
	// filters are the labels that the board's variables choose from; every
	// series that has the label is filtered by it.
	filters []filter
	numbers []number
	fill    func(s *sheet)
}

func plans() []plan {
	return []plan{original(), overview(), group(), topics(), brokers(), exporter()}
}

// All makes all boards, for an exporter whose metrics have this prefix.
func All(prefix string) ([]Board, error) {
	var (
		boards []Board
		bad    []error
	)
	for _, language := range []Language{English, Chinese} {
		for _, p := range plans() {
			text, err := p.make(prefix, language)
			if err != nil {
				bad = append(bad, fmt.Errorf("board %s: %w", p.name, err))
			}
			boards = append(boards, Board{p.name, language, text})
		}
	}
	return boards, errors.Join(bad...)
}

func (p plan) make(prefix string, language Language) ([]byte, error) {
	s := &sheet{prefix: prefix, language: language, filters: p.filters, vocabulary: query.New(prefix)}
	d := s.frame(p)
	p.fill(s)
	d.Panels = s.panels
	if err := errors.Join(s.bad...); err != nil {
		return nil, err
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(d)
	return readable(text.Bytes()), err
}

// readable undoes what the types' own encoders do for browsers to the signs in
// expressions: people read and compare these files.
func readable(text []byte) []byte {
	for escaped, sign := range map[string]string{`\u003c`: "<", `\u003e`: ">", `\u0026`: "&"} {
		text = bytes.ReplaceAll(text, []byte(escaped), []byte(sign))
	}
	return text
}

// uid is a board's id in Grafana's addresses.
func (s *sheet) uid(name string) string {
	return "rocketmq-" + name + "-" + string(s.language)
}

// schema is Grafana's number for the shape of a board. Newer releases read
// older shapes; this one is read from Grafana 9 on.
const schema = 38

// frame is a board without its panels.
//
//nolint:staticcheck // the older shape of boards is the one that every Grafana in use can import
func (s *sheet) frame(p plan) *dashboard.Dashboard {
	return &dashboard.Dashboard{
		Uid:           new(s.uid(p.name)),
		Title:         new(s.say(p.title)),
		Description:   new(s.say(p.description)),
		Tags:          []string{tag, string(s.language)},
		Timezone:      new("browser"),
		Editable:      new(true),
		GraphTooltip:  new(dashboard.DashboardCursorSyncCrosshair),
		Time:          &dashboard.DashboardDashboardTime{From: "now-3h", To: "now"},
		Refresh:       new("30s"),
		SchemaVersion: schema,
		Version:       new(uint32(1)),
		Templating:    dashboard.DashboardDashboardTemplating{List: s.variables(p.numbers)},
		Annotations:   dashboard.AnnotationContainer{List: []dashboard.AnnotationQuery{}},
		Links: []dashboard.DashboardLink{{
			Title: "RocketMQ", Type: dashboard.DashboardLinkTypeDashboards, Icon: "external link",
			Tags: []string{tag, string(s.language)}, AsDropdown: true, IncludeVars: true, KeepTime: true,
		}},
	}
}

// tag finds the boards in Grafana, and in the list of links on each.
const tag = "rocketmq"
