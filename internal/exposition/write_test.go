package exposition

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prommodel "github.com/prometheus/common/model"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// everything is every family, those that are to be switched on among them.
func everything() family.Choice {
	var optIn []string
	for _, id := range family.All() {
		if f := id.Family(); f.Set == family.OptIn {
			optIn = append(optIn, f.Name)
		}
	}
	chosen, err := family.Choose(optIn, nil)
	if err != nil {
		panic(err)
	}
	return chosen
}

// text is a whole exposition of reports.
func text(t *testing.T, f Format, reports []*lag.Report) string {
	t.Helper()
	var b bytes.Buffer
	series, err := Write(&b, f, "rocketmq", everything(), reports)
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
	if err := Finish(&b, f); err != nil {
		t.Fatalf("Finish: %v", err)
	}
	if got := samples(b.String()); series != got {
		t.Errorf("Write says %d series and wrote %d", series, got)
	}
	return b.String()
}

// samples counts the lines that are samples: no value has a bare newline.
func samples(exposition string) (n int) {
	for line := range strings.Lines(exposition) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

// parse reads text with Prometheus' own parser.
func parse(t testing.TB, exposition string) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(prommodel.LegacyValidation)
	families, err := p.TextToMetricFamilies(strings.NewReader(exposition))
	if err != nil {
		t.Fatalf("the parser refuses it: %v", err)
	}
	return families
}

func TestGolden(t *testing.T) {
	for _, s := range stories() {
		for f, ext := range map[Format]string{Text: ".txt", OpenMetrics: ".om.txt"} {
			t.Run(s.name+ext, func(t *testing.T) {
				got := text(t, f, s.reports)
				path := filepath.Join("testdata", s.name+ext)
				if *update {
					if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("differs from %s (-update rewrites it):\n%s", path, got)
				}
			})
		}
	}
}

// TestValues holds every sample against the report, by a way that shares
// nothing with the writer: names from the table, values from the lists.
func TestValues(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			got := make(map[string]float64)
			for name, mf := range parse(t, text(t, Text, s.reports)) {
				for _, m := range mf.GetMetric() {
					got[key(name, m)] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
				}
			}
			want := expected(s.reports)
			for k, v := range want {
				if g, ok := got[k]; !ok || g != v {
					t.Errorf("%s = %v (there: %v), want %v", k, g, ok, v)
				}
			}
			for k := range got {
				if _, ok := want[k]; !ok {
					t.Errorf("%s is too much", k)
				}
			}
		})
	}
}

// key is a series' name and labels in the order of their names.
func key(name string, m *dto.Metric) string {
	var labels []string
	for _, l := range m.GetLabel() {
		labels = append(labels, l.GetName()+"="+strconv.Quote(l.GetValue()))
	}
	slices.Sort(labels)
	return name + "{" + strings.Join(labels, ",") + "}"
}

// TestTypes: what the text says of a family is what the table says.
func TestTypes(t *testing.T) {
	wrote := make(map[string]bool)
	for _, s := range stories() {
		families := parse(t, text(t, Text, s.reports))
		for _, id := range family.All() {
			f := id.Family()
			mf, ok := families[f.FullName("rocketmq")]
			if !ok {
				continue
			}
			wrote[f.Name] = true
			if got := strings.ToLower(mf.GetType().String()); got != f.Type.Text() {
				t.Errorf("%s is a %s, want %s", f.Name, got, f.Type.Text())
			}
			if mf.GetHelp() != f.Help {
				t.Errorf("%s: help %q, want %q", f.Name, mf.GetHelp(), f.Help)
			}
			for _, m := range mf.GetMetric() {
				var labels []string
				for _, l := range m.GetLabel() {
					labels = append(labels, l.GetName())
				}
				if !slices.Equal(labels, f.Labels) {
					t.Errorf("%s has labels %v, want %v", f.Name, labels, f.Labels)
				}
			}
			delete(families, f.FullName("rocketmq"))
		}
		for name := range families {
			t.Errorf("%s is in no table", name)
		}
	}
	for _, s := range streams() {
		if name := s.id.Family().Name; !wrote[name] {
			t.Errorf("no story has %s", name)
		}
	}
}

// TestStreamsAreTheTable: what is not streamed is the exporter's own and is
// left to the registry.
func TestStreamsAreTheTable(t *testing.T) {
	var streamed []family.ID
	for _, s := range streams() {
		streamed = append(streamed, s.id)
	}
	if !slices.IsSorted(streamed) {
		t.Errorf("families are not written in the order of the table: %v", streamed)
	}
	for _, id := range family.All() {
		f := id.Family()
		if !slices.Contains(streamed, id) && f.Set != family.Exporter {
			t.Errorf("nobody writes %s", f.Name)
		}
		if slices.Contains(streamed, id) && (len(f.Labels) == 0 || f.Labels[0] != family.LabelCluster) {
			t.Errorf("%s: the first label is not the cluster", f.Name)
		}
	}
}

func TestLint(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			problems, err := promlint.New(strings.NewReader(text(t, Text, s.reports))).Lint()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				// The label names are a contract with existing dashboards.
				if p.Text != "label names should be written in 'snake_case' not 'camelCase'" {
					t.Errorf("%s: %s", p.Metric, p.Text)
				}
			}
		})
	}
}

// TestEveryPlaceToStop cuts the exposition at every write: nothing is written
// after an error, and the error comes back.
func TestEveryPlaceToStop(t *testing.T) {
	report := wide(16_000, 50)
	whole := &limited{writes: math.MaxInt}
	if _, err := Write(whole, Text, "rocketmq", family.Choice{}, []*lag.Report{report}); err != nil || whole.done < 10 {
		t.Fatalf("%d writes, err = %v", whole.done, err)
	}
	for n := range whole.done {
		w := &limited{writes: n}
		if _, err := Write(w, Text, "rocketmq", family.Choice{}, []*lag.Report{report}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d writes: err = %v", n, err)
		}
		if w.done != n {
			t.Errorf("%d more writes after an error", w.done-n)
		}
	}
}

// limited fails after a number of writes and counts those that come.
type limited struct{ writes, done int }

func (l *limited) Write(p []byte) (int, error) {
	if l.done >= l.writes {
		if l.done > l.writes {
			l.done++
		}
		l.writes = -1 // any more are too many
		return 0, io.ErrClosedPipe
	}
	l.done++
	return len(p), nil
}

// TestAllocationsDoNotGrow: the allocations of one exposition are the same for
// any number of rows, and with a pooled encoder none but those of its relay.
func TestAllocationsDoNotGrow(t *testing.T) {
	none, small, large := views(wide(800, 50)), views(wide(8000, 50)), views(wide(40_000, 50))
	l := newLayout("rocketmq")
	e := newEncoder(l)
	processors(t, 2) // as testing.AllocsPerRun would not
	allocs := func(reports []*View) float64 {
		const times = 5
		var before, after runtime.MemStats
		for i := range times + 1 {
			if i == 1 { // the first one warms
				runtime.ReadMemStats(&before)
			}
			if _, err := e.write(io.Discard, OpenMetrics, reports); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		return float64((after.Mallocs - before.Mallocs) / times)
	}
	if n, s, g := allocs(none), allocs(small), allocs(large); n > 2 || s > 12 || g > s+6 { // the runtime has some for who waits
		t.Errorf("%v allocations for 800 rows, %v for 8000, %v for 40,000", n, s, g)
	}
}

// TestHugeNameIsForgotten: one name of absurd length does not keep its room.
func TestHugeNameIsForgotten(t *testing.T) {
	b := newBuilder(strings.Repeat("x", 4*keepSize))
	e := newEncoder(newLayout("rocketmq"))
	if _, err := e.write(io.Discard, Text, views(b.report())); err != nil {
		t.Fatal(err)
	}
	e.reset(nil, Text)
	for _, room := range [][]byte{e.buf, e.lead, e.detail} {
		if cap(room) > keepSize {
			t.Errorf("it keeps %d bytes", cap(room))
		}
	}
	e.rooms = [][]byte{make([]byte, 0, bufferSize), make([]byte, 0, keepSize+1)}
	if e.reset(nil, Text); len(e.rooms) > 0 {
		t.Error("it keeps a buffer that is too large")
	}
}

func TestVersionName(t *testing.T) {
	for ordinal, want := range map[int32]string{
		413: "V5_0_0", 412: "V5_0_0_SNAPSHOT", 407: "V4_9_7", 441: "V5_1_4", 479: "V5_3_3", 493: "V5_4_0", 513: "V5_5_0",
		317: "V4_5_2", 213: "V4_0_0", 212: "V4_0_0_SNAPSHOT", 411: "V4_9_9", 611: "V5_9_9",
		612: "612", 211: "211", 0: "0", -1: "-1", math.MinInt32: "-2147483648", math.MaxInt32: "2147483647",
	} {
		if got := versionName(ordinal); got != want {
			t.Errorf("versionName(%d) = %q, want %q", ordinal, got, want)
		}
	}
	e := newEncoder(newLayout("rocketmq"))
	for o := range int32(5000) {
		if got := e.version(o); got != versionName(o) {
			t.Fatalf("version(%d) = %q", o, got)
		}
	}
	if n := len(e.versions); n > 1024 {
		t.Errorf("it remembers %d versions", n)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "plain", `a"b\c`, "\n", "订单", "\xff\xfe", "\x00", "\\", "\\n", "\xed\xa0\x80", "\r\n\t", "#{}=,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		if _, err := Write(&b, Text, "p", everything(), []*lag.Report{newBuilder(s).report()}); err != nil {
			t.Fatal(err)
		}
		want := string([]rune(s))
		for name, mf := range parse(t, b.String()) {
			if got := mf.GetMetric()[0].GetLabel()[0].GetValue(); got != want {
				t.Errorf("%s: %q became %q, want %q", name, s, got, want)
			}
		}
	})
}

// TestEscapeAnywhere: bytes are looked at eight at a time, and one that needs an
// escape is found wherever it stands.
func TestEscapeAnywhere(t *testing.T) {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\xff", "\uFFFD")
	for at := range 20 {
		for _, c := range []string{`\`, `"`, "\n", "\xff", "订", "!", "\x00", "\x7f", "\t", "[", "]", "#"} {
			for _, second := range []string{"", `\`, "\n"} {
				s := strings.Repeat("a", at) + c + strings.Repeat("b", 13) + second + strings.Repeat("c", 5)
				if got, want := string(appendEscaped(nil, s)), escape.Replace(s); got != want {
					t.Fatalf("%q becomes %q, want %q", s, got, want)
				}
			}
		}
	}
}

// TestPrefix: every name of both formats has it.
func TestPrefix(t *testing.T) {
	var b bytes.Buffer
	if _, err := Write(&b, Text, "mq", everything(), []*lag.Report{usual("a")}); err != nil {
		t.Fatal(err)
	}
	for name := range maps.Keys(parse(t, b.String())) {
		if !strings.HasPrefix(name, "mq_") {
			t.Errorf("%s lacks the prefix", name)
		}
	}
}
