package web

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// now is the time at which every page is asked for.
func now() time.Time {
	return time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)
}

// snapshot is of a cluster with two brokers, of which the second may be down.
func snapshot(name string, secondUp bool) *model.Snapshot {
	return &model.Snapshot{
		Cluster: name,
		Taken:   now().Add(-12300 * time.Millisecond),
		NameServers: []model.NameServer{
			{Addr: "10.0.0.1:9876", Up: true}, {Addr: "10.0.0.2:9876", Up: secondUp},
		},
		Brokers: []model.Broker{
			{Name: "broker-a", ID: 0, Addr: "10.0.0.3:10911", Role: model.Master, Version: "V5_5_0", Up: true},
			{Name: "broker-b", ID: 1, Addr: "10.0.0.4:10911", Role: model.ActingMaster, Version: "V4_9_7", Up: secondUp},
		},
	}
}

// row is one row of a report.
type row struct {
	group, topic string
	queue        int32
	backlog      int64
	holder       int32
}

// report is what package lag would make of rows in the order of their names.
func report(s *model.Snapshot, processes []lag.Process, rows ...row) *lag.Report {
	r := &lag.Report{Snapshot: s, Processes: processes}
	for _, row := range rows {
		if n := len(r.Pairs); n == 0 || r.Pairs[n-1].Group != row.group || r.Pairs[n-1].Topic != row.topic {
			r.Pairs = append(r.Pairs, lag.Pair{Group: row.group, Topic: row.topic})
		}
		sum(&r.Topics, row.topic, row.backlog)
		sum(&r.Groups, row.group, row.backlog)
		n := len(r.Pairs) - 1
		r.AddRows(int32(n), "broker-a", lag.Row{QueueID: row.queue, Backlog: row.backlog, Holder: row.holder})
		r.Pairs[n].Backlog += row.backlog
	}
	return r
}

func sum(sums *[]lag.Sum, name string, backlog int64) {
	i := slices.IndexFunc(*sums, func(s lag.Sum) bool { return s.Name == name })
	if i < 0 {
		i = len(*sums)
		*sums = append(*sums, lag.Sum{Name: name})
	}
	(*sums)[i].Backlog += backlog
}

func processes() []lag.Process {
	return []lag.Process{{IP: "10.0.1.1", PID: "4711"}, {IP: "10.0.1.2", PID: "4712"}, {IP: "10.0.1.0", PID: "1"}}
}

type story struct {
	name     string
	clusters []Cluster
}

func stories() []story {
	busy := report(snapshot("orders-prod", true), processes(),
		row{"archive", "audit", 0, 12, lag.NoHolder}, row{"archive", "audit", 1, 3, 0},
		row{"billing", "orders", 0, 1000, 0}, row{"billing", "orders", 1, 234_000, 1}, row{"billing", "orders", 2, 567, 0},
		row{"search", "orders", 0, 0, 2},
	)
	for i, p := range []lag.Pair{
		{State: lag.Stopped, Lag: lag.NoLag}, {State: lag.Lagging, Lag: 3723 * time.Second, AtMost: true}, {State: lag.OK},
	} {
		busy.Pairs[i].State, busy.Pairs[i].Lag, busy.Pairs[i].AtMost = p.State, p.Lag, p.AtMost
	}
	busy.Pairs = append(busy.Pairs, lag.Pair{Group: "zzz", Topic: "orders", Uncommitted: 4, Lag: lag.NoLag})
	half := report(snapshot("half", false), nil, row{"billing", "orders", 0, 0, lag.NoHolder})
	half.Incomplete = 1
	many := make([]row, 30)
	for i := range many {
		many[i] = row{fmt.Sprintf("group-%02d", i), "orders", 0, int64(1 + i%7*10), 0}
	}
	crowd := report(snapshot("many", true), processes(), many...)
	for i := range crowd.Pairs {
		crowd.Pairs[i].State, crowd.Pairs[i].Lag = lag.States()[i%6], time.Duration(i*i)*time.Second
	}
	const hostile = `<script>alert("1")</script>'&{{.}}` + "\xff\n"
	h := snapshot(hostile, false)
	h.Brokers[0].Name, h.Brokers[0].Version, h.Brokers[0].Addr, h.NameServers[0].Addr = hostile, hostile, hostile, hostile
	return []story{
		{"none", nil},
		{"starting", []Cluster{{Name: "orders-prod"}}},
		{"usual", []Cluster{
			{Name: "orders-prod", LastRound: Whole, RoundDuration: 41 * time.Millisecond, Report: busy},
			{Name: "many", Console: "https://console.example/#/", LastRound: Whole, RoundDuration: 1234 * time.Millisecond, Report: crowd},
		}},
		{"trouble", []Cluster{
			{
				Name: "half", LastRound: Partial, RoundDuration: 5 * time.Second, Report: half,
				LastError: "broker-b (10.0.0.4:10911): connection refused",
			},
			{Name: "gone", LastRound: Failed, RoundDuration: 3 * time.Second, LastError: "10.9.9.9:9876: no route to host"},
			{Name: "was-there", LastRound: Failed, RoundDuration: 15 * time.Second, Report: busy, LastError: strings.Repeat("订单 ", 1000)},
		}},
		{"hostile", []Cluster{{
			Name: hostile, Console: "javascript:alert(1)", LastRound: Partial, LastError: hostile,
			Report: report(h, []lag.Process{{IP: hostile, PID: hostile}}, row{hostile, hostile, 0, 7, 0}),
		}}},
	}
}

func newHandler(clusters []Cluster) http.Handler {
	return Handler(Options{
		Version: "1.2.3", MetricsPath: "/metrics",
		Clusters: func() []Cluster { return clusters }, Now: now,
	})
}

func get(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
	return w
}

func TestGolden(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			w := get(newHandler(s.clusters), http.MethodGet, "/")
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
				t.Fatalf("%d, %v", w.Code, w.Header())
			}
			path := filepath.Join("testdata", s.name+".html")
			if *update {
				if err := os.WriteFile(path, w.Body.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := w.Body.String(); got != string(want) {
				t.Errorf("differs from %s (-update rewrites it):\n%s", path, got)
			}
		})
	}
}

// TestPagesNeedNothingElse: no script, no style of its own, and no resource
// that is not served here. A link to a console that the user named is only
// followed by people.
func TestPagesNeedNothingElse(t *testing.T) {
	console := regexp.MustCompile(`<a href="[^"]*">Console</a>`)
	link := regexp.MustCompile(`(?:href|src|action|srcset)="([^"]*)"`)
	for _, s := range stories() {
		h := newHandler(s.clusters)
		page := console.ReplaceAllString(get(h, http.MethodGet, "/").Body.String(), "")
		for _, bad := range []string{"<script", "<style", "style=", "javascript:", "http:", "https:", "<img", "onload"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %s", s.name, bad)
			}
		}
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			path, ok := strings.CutPrefix(m[1], ".")
			if !ok {
				t.Errorf("%s: link %q is not relative", s.name, m[1])
			}
			if path != "/metrics" && get(h, http.MethodGet, path).Code == http.StatusNotFound {
				t.Errorf("%s: link %q leads nowhere", s.name, m[1])
			}
		}
	}
}

func TestMetricsLink(t *testing.T) {
	for path, want := range map[string]string{
		"/metrics": "./metrics", "/a/b": "./a/b", "metrics": "./metrics", "//evil.example": "./evil.example", "/../x": "./x",
	} {
		if got := relative(path); got != want {
			t.Errorf("relative(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestHealthyAndReady(t *testing.T) {
	begun := Cluster{Name: "new"}
	for _, c := range []struct {
		name     string
		clusters []Cluster
		code     int
		text     string
	}{
		{"no cluster", nil, 200, "Ready\n"},
		{"all read", []Cluster{{Name: "a", LastRound: Whole}, {Name: "b", LastRound: Partial}}, 200, "Ready\n"},
		{"one failed", []Cluster{{Name: "a", LastRound: Whole}, {Name: "b", LastRound: Failed}}, 200, "Ready\n"},
		{"one missing", []Cluster{{Name: "a", LastRound: Whole}, begun}, 503, "Not ready: the first round has not ended for new\n"},
		{"two missing", []Cluster{begun, begun}, 503, "Not ready: the first round has not ended for new, new\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHandler(c.clusters)
			if w := get(h, http.MethodGet, "/-/ready"); w.Code != c.code || w.Body.String() != c.text {
				t.Errorf("ready: %d %q, want %d %q", w.Code, w.Body, c.code, c.text)
			}
			if w := get(h, http.MethodGet, "/-/healthy"); w.Code != http.StatusOK || w.Body.String() != "Healthy\n" {
				t.Errorf("healthy: %d %q", w.Code, w.Body)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	h := newHandler(nil)
	for path, want := range map[string]int{
		"/": 200, "/style.css": 200, "/-/healthy": 200, "/-/ready": 200,
		"/index.html": 404, "/assets/index.html": 404, "/metrics": 404, "/-/": 404, "/-/reload": 404, "/-/healthy/": 404, "/favicon.ico": 404,
	} {
		w := get(h, http.MethodGet, path)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self';") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, w.Header())
		}
	}
	if got := get(h, http.MethodGet, "/style.css").Header().Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("style sheet: %s", got)
	}
}

func TestMethods(t *testing.T) {
	h := newHandler(nil)
	for _, path := range []string{"/", "/style.css", "/-/healthy", "/-/ready", "/nothing"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			if w := get(h, method, path); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
	server := httptest.NewServer(h)
	defer server.Close()
	for _, path := range []string{"/", "/style.css", "/-/healthy"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK || len(body) != 0 || response.Header.Get("Content-Type") == "" {
			t.Errorf("HEAD %s: %d %q", path, response.StatusCode, body)
		}
	}
}
