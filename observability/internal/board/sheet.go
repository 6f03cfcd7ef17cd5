package board

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/query"
)

// words is the same text in every language.
type words struct{ en, zh string }

// sheet is a board while it is drawn. Mistakes are gathered and shown together.
type sheet struct {
	prefix     string
	language   Language
	filters    []filter
	vocabulary *query.Vocabulary
	panels     []dashboard.PanelOrRowPanel
	bad        []error

	// Where the next panel goes, and how high the line is that it goes to.
	x, y, line uint32
}

func (s *sheet) complain(format string, args ...any) {
	s.bad = append(s.bad, fmt.Errorf(format, args...))
}

func (s *sheet) say(w words) string {
	if s.language == Chinese {
		return w.zh
	}
	return w.en
}

// Size of Grafana's grid.
const (
	full = 24
	half = full / 2
)

// place puts a panel behind the one before, or on the next line where it has no
// room left.
func (s *sheet) place(p *dashboard.Panel, w, h uint32) {
	if s.x+w > full {
		s.newLine()
	}
	p.Id = new(s.nextID())
	p.GridPos = &dashboard.GridPos{X: s.x, Y: s.y, W: w, H: h}
	s.panels = append(s.panels, dashboard.PanelOrRowPanel{Panel: p})
	s.x += w
	s.line = max(s.line, h)
}

func (s *sheet) newLine() {
	s.x, s.y, s.line = 0, s.y+s.line, 0
}

// row begins a part of the board under a heading.
func (s *sheet) row(title words) {
	s.newLine()
	s.panels = append(s.panels, dashboard.PanelOrRowPanel{RowPanel: &dashboard.RowPanel{
		Type: "row", Title: new(s.say(title)), Id: s.nextID(), Panels: []dashboard.Panel{},
		GridPos: &dashboard.GridPos{X: 0, Y: s.y, W: full, H: 1},
	}})
	s.y++
}

func (s *sheet) nextID() uint32 { return uint32(len(s.panels) + 1) }

// datasource is the one that the board's first variable names, so that a board
// can be imported by hand and be provisioned without a change.
func datasource() *common.DataSourceRef {
	return &common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}
}

// series is a selector of a family with the board's filters on it. Further
// matchers are written as in PromQL.
func (s *sheet) series(id family.ID, matchers ...string) string {
	f := id.Family()
	labels := query.Set(f.Labels...)
	var on []string
	for _, filter := range s.filters {
		if filter.ofTarget || labels[filter.label] {
			on = append(on, fmt.Sprintf("%s=~%q", filter.label, "$"+filter.label))
		}
	}
	on = append(on, matchers...)
	return f.FullName(s.prefix) + "{" + strings.Join(on, ", ") + "}"
}

// whole is the value of a family over all exporters that read one cluster: those
// that read the same agree, and of those that share the work each has its part.
func (s *sheet) whole(id family.ID, matchers ...string) string {
	return s.over(id, s.series(id, matchers...))
}

// rate is the same of a counter's growth per second.
func (s *sheet) rate(id family.ID, matchers ...string) string {
	return s.over(id, "rate("+s.series(id, matchers...)+"[$__rate_interval])")
}

func (s *sheet) over(id family.ID, expr string) string {
	if sharedByShards(id) {
		return "sum without (shard) (max without (instance, pod) (" + expr + "))"
	}
	return "max without (instance, pod, shard) (" + expr + ")"
}

// sharedByShards tells the families whose sums span consumer groups: shards
// divide the groups among them.
func sharedByShards(id family.ID) bool {
	switch id {
	case family.MsgDiffTopic, family.MsgDiffBroker, family.MsgDiffQueue, family.MsgDiffClientInfo:
		return true
	}
	return false
}
