// Package exposition holds what the exporter writes against the parsers of
// Prometheus itself, which would be too heavy a dependency for the exporter.
package exposition

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// parsed is what Prometheus understands of an exposition.
type parsed struct {
	series map[string]float64 // by name and labels
	types  map[string]prommodel.MetricType
	helps  map[string]string
	units  map[string]string
}

func parse(t *testing.T, text []byte, contentType string) parsed {
	t.Helper()
	p, err := textparse.New(text, contentType, nil, textparse.ParserOptions{})
	if err != nil {
		t.Fatalf("no parser for %s: %v", contentType, err)
	}
	r := parsed{
		series: make(map[string]float64), types: make(map[string]prommodel.MetricType),
		helps: make(map[string]string), units: make(map[string]string),
	}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			t.Fatalf("Prometheus refuses it: %v", err)
		}
		switch entry {
		case textparse.EntrySeries:
			var l labels.Labels
			_, _, value := p.Series()
			p.Labels(&l)
			if _, twice := r.series[l.String()]; twice {
				t.Errorf("%s is there twice", l)
			}
			r.series[l.String()] = value
		case textparse.EntryType:
			name, kind := p.Type()
			r.types[string(name)] = kind
		case textparse.EntryHelp:
			name, help := p.Help()
			r.helps[string(name)] = string(help)
		case textparse.EntryUnit:
			name, unit := p.Unit()
			r.units[string(name)] = string(unit)
		default:
			t.Errorf("entry of kind %d", entry)
		}
	}
}

// TestGolden: both formats of every story mean the same to Prometheus, and what
// the table of families says.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../internal/exposition/testdata/*.om.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			open := parse(t, read(t, file), exposition.OpenMetrics.ContentType())
			text := parse(t, read(t, strings.TrimSuffix(file, ".om.txt")+".txt"), exposition.Text.ContentType())
			if len(open.series) == 0 || !maps.Equal(open.series, text.series) {
				t.Errorf("OpenMetrics:\n%v\ntext:\n%v", open.series, text.series)
			}
			for _, id := range family.All() {
				f := id.Family()
				name := f.MetricName("rocketmq")
				kind, ok := open.types[name]
				if !ok {
					continue
				}
				if string(kind) != f.Type.OpenMetrics() || open.helps[name] != f.Help {
					t.Errorf("%s: %s, %q", name, kind, open.helps[name])
				}
				if unit := open.units[name]; unit != "" && unit != f.Unit {
					t.Errorf("%s: unit %q, want %q", name, unit, f.Unit)
				}
				delete(open.types, name)
			}
			for name := range open.types {
				t.Errorf("%s is in no table", name)
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// FuzzLabelValue: no name breaks the exposition, and Prometheus reads it back
// as it is where it can be.
func FuzzLabelValue(f *testing.F) {
	for _, s := range []string{"plain", `a"b\c`, "\n", "\r\n", "订单", "\xff", "a\x00b", "\\", "\\n", "#{}=,", "\u2028", "\x01\x1f\x7f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		report := lag.Build(&model.Snapshot{Cluster: name})
		want := labels.FromStrings("__name__", "p_up", "cluster", string([]rune(name))).String()
		for _, format := range []exposition.Format{exposition.Text, exposition.OpenMetrics} {
			var b bytes.Buffer
			if _, err := exposition.Write(&b, format, "p", family.Choice{}, []*lag.Report{report}); err != nil {
				t.Fatal(err)
			}
			if err := exposition.Finish(&b, format); err != nil {
				t.Fatal(err)
			}
			if got := parse(t, b.Bytes(), format.ContentType()); len(got.series) != 1 || !has(got.series, want) {
				t.Errorf("%q: %v, want %s", name, got.series, want)
			}
		}
	})
}

func has(series map[string]float64, name string) bool {
	_, ok := series[name]
	return ok
}
