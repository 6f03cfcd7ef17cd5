package board

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/query"
)

const folder = "../../grafana"

func all(t *testing.T) []Board {
	t.Helper()
	boards, err := All("rocketmq")
	if err != nil {
		t.Fatal(err)
	}
	return boards
}

// TestFilesAreCurrent: the folder has the boards, and nothing else.
func TestFilesAreCurrent(t *testing.T) {
	want := make(map[string]bool)
	for _, b := range all(t) {
		name := filepath.Join(folder, string(b.Language), b.Name+".json")
		want[name] = true
		is, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(is, b.JSON) {
			t.Errorf("%s is not what its source says: go generate ./... in observability", name)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if !want[name] {
			t.Errorf("%s has no source", name)
		}
	}
}

// decode reads a board with Grafana's own types, and nothing may be left over.
//
//nolint:staticcheck // the older shape of boards, see frame
func decode(t *testing.T, b Board) dashboard.Dashboard {
	t.Helper()
	if err := strictly(b.JSON); err != nil {
		t.Fatalf("%s %s: %v", b.Language, b.Name, err)
	}
	var d dashboard.Dashboard
	if err := json.Unmarshal(b.JSON, &d); err != nil {
		t.Fatalf("%s %s: %v", b.Language, b.Name, err)
	}
	if err := d.Validate(); err != nil {
		t.Fatalf("%s %s: %v", b.Language, b.Name, err)
	}
	return d
}

// strictly says what of a board Grafana's types do not know. Their strict reader
// returns an empty list of errors, and not nil, where there is nothing to say.
func strictly(text []byte) error {
	plugins.RegisterDefaultPlugins()
	var d dashboard.Dashboard //nolint:staticcheck // as above
	err := d.UnmarshalJSONStrict(text)
	if list, ok := errors.AsType[cog.BuildErrors](err); ok && len(list) == 0 {
		return nil
	}
	return err
}

// TestStrictness: what would be lost is found, however deep it is.
func TestStrictness(t *testing.T) {
	text := string(all(t)[0].JSON)
	for old, changed := range map[string]string{
		`"schemaVersion"`: `"schemeVersion"`, `"legendFormat"`: `"legendFormats"`, `"sortBy"`: `"sortby"`, `"fillOpacity"`: `"fill"`,
		`"mode": "multi"`: `"mode": 7`, `"gridPos"`: `"gridpos"`, `"allValue"`: `"allvalue"`, `"asDropdown"`: `"asDropDown"`,
	} {
		if err := strictly([]byte(strings.ReplaceAll(text, old, changed))); err == nil {
			t.Errorf("%s in place of %s is not found", changed, old)
		}
	}
}

// TestGrafanaTakesThem: strictly decoded by Grafana's types, with panels that are
// numbered, do not overlap and stay on the grid.
func TestGrafanaTakesThem(t *testing.T) {
	uids := make(map[string]bool)
	for _, b := range all(t) {
		d := decode(t, b)
		if d.Uid == nil || len(*d.Uid) > 40 || uids[*d.Uid] {
			t.Errorf("%s %s: odd uid", b.Language, b.Name)
		}
		uids[*d.Uid] = true
		taken := make(map[[2]uint32]uint32)
		ids := make(map[uint32]bool)
		for _, p := range d.Panels {
			var id uint32
			var at *dashboard.GridPos
			if p.RowPanel != nil {
				id, at = p.RowPanel.Id, p.RowPanel.GridPos
			} else {
				id, at = *p.Panel.Id, p.Panel.GridPos
			}
			if ids[id] {
				t.Errorf("%s: two panels have the id %d", b.Name, id)
			}
			ids[id] = true
			if at.X+at.W > full || at.W == 0 || at.H == 0 {
				t.Errorf("%s: panel %d is not on the grid: %+v", b.Name, id, at)
			}
			for x := at.X; x < at.X+at.W; x++ {
				for y := at.Y; y < at.Y+at.H; y++ {
					if other, ok := taken[[2]uint32{x, y}]; ok {
						t.Errorf("%s: panels %d and %d overlap", b.Name, id, other)
					}
					taken[[2]uint32{x, y}] = id
				}
			}
		}
	}
}

// TestVariables: what expressions, links and other variables use is there, what
// is there is used, and all data comes from the source that the user chose.
func TestVariables(t *testing.T) {
	name := regexp.MustCompile(`\$\{?([a-zA-Z_]+)`)
	for _, b := range all(t) {
		d := decode(t, b)
		defined := make(map[string]bool)
		for _, v := range d.Templating.List {
			defined[v.Name] = false
		}
		use := func(text string) {
			for _, m := range name.FindAllStringSubmatch(text, -1) {
				if strings.HasPrefix(m[1], "__") {
					continue
				}
				if _, ok := defined[m[1]]; !ok {
					t.Errorf("%s: there is no variable %s", b.Name, m[0])
				}
				defined[m[1]] = true
			}
		}
		use(string(b.JSON))
		for v, used := range defined {
			if !used {
				t.Errorf("%s: nothing uses the variable %s", b.Name, v)
			}
		}
		for _, uid := range regexp.MustCompile(`"uid": "([^"]+)"`).FindAllStringSubmatch(string(b.JSON), -1) {
			if uid[1] != "${datasource}" && uid[1] != *d.Uid {
				t.Errorf("%s: data from %s", b.Name, uid[1])
			}
		}
	}
}

// TestLinks: boards lead only to boards of the same language that there are, and
// give them variables that they have.
func TestLinks(t *testing.T) {
	variables := make(map[string][]string)
	for _, b := range all(t) {
		d := decode(t, b)
		for _, v := range d.Templating.List {
			variables[*d.Uid] = append(variables[*d.Uid], v.Name)
		}
	}
	link := regexp.MustCompile(`"/d/([^?"]+)\?([^"]*)"`)
	for _, b := range all(t) {
		for _, m := range link.FindAllStringSubmatch(string(b.JSON), -1) {
			if !strings.HasSuffix(m[1], "-"+string(b.Language)) || variables[m[1]] == nil {
				t.Errorf("%s leads to %s, which is not there", b.Name, m[1])
			}
			for _, v := range regexp.MustCompile(`var-(\w+)=|\$\{(\w+):queryparam\}`).FindAllStringSubmatch(m[2], -1) {
				if name := v[1] + v[2]; !slices.Contains(variables[m[1]], name) {
					t.Errorf("%s gives %s the variable %s, which it does not have", b.Name, m[1], name)
				}
			}
		}
	}
}

// TestLanguages: both ask the same, and each has words of its own.
func TestLanguages(t *testing.T) {
	type side struct{ exprs, titles []string }
	sides := make(map[string]map[Language]side)
	for _, b := range all(t) {
		var s side
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				if expr, ok := v["expr"].(string); ok {
					s.exprs = append(s.exprs, expr)
				}
				for _, key := range []string{"title", "description", "label"} {
					if text, ok := v[key].(string); ok {
						s.titles = append(s.titles, text)
					}
				}
				for _, key := range []string{"panels", "targets", "list", "templating"} {
					walk(v[key])
				}
			case []any:
				for _, e := range v {
					walk(e)
				}
			}
		}
		var doc any
		if err := json.Unmarshal(b.JSON, &doc); err != nil {
			t.Fatal(err)
		}
		walk(doc)
		if sides[b.Name] == nil {
			sides[b.Name] = make(map[Language]side)
		}
		sides[b.Name][b.Language] = s
	}
	for name, both := range sides {
		en, zh := both[English], both[Chinese]
		if !slices.Equal(en.exprs, zh.exprs) || len(en.titles) != len(zh.titles) || len(en.exprs) == 0 {
			t.Errorf("%s is not the same board in both languages", name)
			continue
		}
		for i := range en.titles {
			if hasHan(en.titles[i]) {
				t.Errorf("%s: %q is not English", name, en.titles[i])
			}
			// Names that Chinese keeps as they are.
			if !hasHan(zh.titles[i]) && !slices.Contains([]string{"Broker", "CPU"}, zh.titles[i]) {
				t.Errorf("%s: %q is not Chinese", name, zh.titles[i])
			}
		}
	}
}

func hasHan(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// TestOriginal: the board of the original exporter, with its eight variables, its
// six panels where they were, and the threshold on each of them.
func TestOriginal(t *testing.T) {
	for _, b := range all(t) {
		if b.Name != "backlog" {
			continue
		}
		d := decode(t, b)
		var variables []string
		for _, v := range d.Templating.List {
			variables = append(variables, v.Name)
		}
		if want := []string{
			"datasource", "job", "rocketmqClusterName", "namesrvAddr", "topic", "consumerGroup", "broker", "queueId",
			"consumerClientIP", "consumerClientPID", "threshold",
		}; !slices.Equal(variables, want) {
			t.Errorf("variables are %v, want %v", variables, want)
		}
		want := []struct {
			family, legend string
			w              uint32
		}{
			{"rocketmq_msg_diff_detail", "{{topic}}::{{consumerGroup}}::{{broker}}::{{queueId}}::{{consumerClientIP}}::{{consumerClientPID}}", 24},
			{"rocketmq_msg_diff_clientinfo", "{{consumerClientIP}}::{{consumerClientPID}}", 24},
			{"rocketmq_msg_diff_topic", "{{topic}}", 12},
			{"rocketmq_msg_diff_consumergroup", "{{consumerGroup}}", 12},
			{"rocketmq_msg_diff_broker", "{{broker}}", 12},
			{"rocketmq_msg_diff_queue", "{{broker}}::{{queueId}}", 12},
		}
		if len(d.Panels) != len(want) {
			t.Fatalf("%d panels, want %d", len(d.Panels), len(want))
		}
		for i, w := range want {
			p := d.Panels[i].Panel
			text, err := json.Marshal(p.Targets)
			if err != nil {
				t.Fatal(err)
			}
			var targets []struct{ Expr, LegendFormat string }
			if err := json.Unmarshal(text, &targets); err != nil {
				t.Fatal(err)
			}
			if len(targets) != 1 || !strings.Contains(targets[0].Expr, w.family+"{") || !strings.HasSuffix(targets[0].Expr, " > $threshold") ||
				targets[0].LegendFormat != w.legend || p.GridPos.W != w.w {
				t.Errorf("panel %d is %+v, %d wide; want %+v", i, targets, p.GridPos.W, w)
			}
		}
	}
}

// TestOtherPrefix: the boards of an exporter with a prefix of its own.
func TestOtherPrefix(t *testing.T) {
	boards, err := All("acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		if rest := regexp.MustCompile(`rocketmq_\w+`).FindAllString(string(b.JSON), -1); rest != nil {
			t.Errorf("%s still asks for %v", b.Name, rest)
		}
	}
}

// TestMistakesAreFound makes sure that the checks can fail at all.
func TestMistakesAreFound(t *testing.T) {
	for name, draw := range map[string]func(s *sheet){
		"there is no series of this name": func(s *sheet) { s.lines(look{}, ask{"rocketmq_msg_diff", ""}) },
		"there is no label nobody":        func(s *sheet) { s.lines(look{}, ask{"sum by (nobody) (rocketmq_up)", ""}) },
		"the legend wants the label topic": func(s *sheet) {
			s.lines(look{}, ask{"rocketmq_up", "{{topic}}"})
		},
		"column b has the labels [cluster], the table [topic]": func(s *sheet) {
			s.list(look{}, column{title: words{en: "a"}, label: "topic"}, column{title: words{en: "b"}, expr: "sum by (cluster) (rocketmq_up)"})
		},
	} {
		s := &sheet{prefix: "rocketmq", vocabulary: query.New("rocketmq")}
		draw(s)
		if len(s.bad) != 1 || !strings.Contains(s.bad[0].Error(), name) {
			t.Errorf("mistakes are %v, want one with %q", s.bad, name)
		}
	}
}

func TestSample(t *testing.T) {
	const expr = `rate(a{b=~"$b", c="x", d=~"$d"}[$__rate_interval]) > $threshold`
	if got, want := Sample(expr, "4s", map[string]string{"d": "e"}), `rate(a{b=~".*", c="x", d=~"e"}[4s]) > 1000`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
