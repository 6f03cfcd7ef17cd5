package exposition

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// tally counts what a handler reports.
type tally struct {
	mu      sync.Mutex
	series  []int
	reasons []Reason
	log     bytes.Buffer
}

func (c *tally) options(g prometheus.Gatherer) Options {
	return Options{
		Prefix:   "rocketmq",
		Views:    func() ([]*View, func()) { return views(usual("east")), func() {} },
		Gatherer: g,
		Logger:   slog.New(slog.NewTextHandler(&c.log, nil)),
		OnSeries: func(n int) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.series = append(c.series, n)
		},
		OnError: func(r Reason) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.reasons = append(c.reasons, r)
		},
	}
}

// get serves one request with header fields given as names and values.
func get(h http.Handler, method string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/metrics", http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func registry(t *testing.T) *prometheus.Registry {
	t.Helper()
	r := prometheus.NewRegistry()
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "own_requests_total", Help: "Own."}, []string{"name"})
	c.WithLabelValues("a\"b").Add(3)
	r.MustRegister(c)
	return r
}

func TestHandlerMethods(t *testing.T) {
	c := new(tally)
	h := Handler(c.options(registry(t)))
	w := get(h, http.MethodHead, "Accept-Encoding", "gzip")
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Type") == "" {
		t.Errorf("HEAD: %d %q %v", w.Code, w.Body, w.Header())
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "ODD"} {
		w := get(h, method)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	if len(c.series) != 0 {
		t.Errorf("%d expositions were made for nobody", len(c.series))
	}
}

// TestSeriesOfThisScrape: a gauge that OnSeries sets is right in the scrape
// that shows it.
func TestSeriesOfThisScrape(t *testing.T) {
	r := prometheus.NewRegistry()
	series := prometheus.NewGauge(prometheus.GaugeOpts{Name: "own_series"})
	r.MustRegister(series)
	o := new(tally).options(r)
	o.OnSeries = func(n int) { series.Set(float64(n)) }
	families := parse(t, get(Handler(o), http.MethodGet).Body.String())
	want := 0
	for name, mf := range families {
		if strings.HasPrefix(name, "rocketmq_") {
			want += len(mf.GetMetric())
		}
	}
	if got := families["own_series"].GetMetric()[0].GetGauge().GetValue(); got != float64(want) || want == 0 {
		t.Errorf("own_series = %v, want %d", got, want)
	}
}

// TestGatherError: what the registry cannot give costs only that.
func TestGatherError(t *testing.T) {
	broken := errors.New("a collector is broken")
	c := new(tally)
	h := Handler(c.options(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		good, _ := registry(t).Gather()
		nameless := &dto.MetricFamily{Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{}}}}
		wrong := &dto.MetricFamily{
			Name: new("wrong"), Type: dto.MetricType_COUNTER.Enum(),
			Metric: []*dto.Metric{{Counter: &dto.Counter{Value: new(1.0)}}, {Gauge: &dto.Gauge{}}},
		}
		return append([]*dto.MetricFamily{nameless, wrong}, good...), broken
	})))
	for range 3 {
		families := parse(t, get(h, http.MethodGet).Body.String())
		if families["rocketmq_up"] == nil || families["own_requests_total"] == nil || families["wrong"] != nil {
			t.Errorf("families: %v", families)
		}
	}
	if want := []Reason{ReasonGather, ReasonGather, ReasonGather}; !slices.Equal(c.reasons, want) {
		t.Errorf("counted %v, want %v", c.reasons, want)
	}
	if log := c.log.String(); strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, broken.Error()) ||
		!strings.Contains(log, "encode wrong") {
		t.Errorf("log:\n%s", log)
	}
}

// TestGatherErrorAgain: an error that was gone is logged when it is back.
func TestGatherErrorAgain(t *testing.T) {
	var err error
	c := new(tally)
	h := Handler(c.options(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, err })))
	for _, err = range []error{errors.New("a"), errors.New("a"), nil, errors.New("a"), errors.New("b")} {
		get(h, http.MethodGet)
	}
	if n := strings.Count(c.log.String(), "level=ERROR"); n != 3 {
		t.Errorf("logged %d times, want 3:\n%s", n, c.log.String())
	}
}

func TestTooManyScrapes(t *testing.T) {
	c := new(tally)
	entered, leave := make(chan struct{}), make(chan struct{})
	o := c.options(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		entered <- struct{}{}
		<-leave
		return nil, nil
	}))
	o.MaxScrapes = 2
	h := Handler(o)
	var scrapes sync.WaitGroup
	for range o.MaxScrapes {
		scrapes.Go(func() {
			if w := get(h, http.MethodGet); w.Code != http.StatusOK {
				t.Errorf("a scrape within the bound: %d", w.Code)
			}
		})
		<-entered
	}
	w := get(h, http.MethodGet)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "2 scrapes are under way") {
		t.Errorf("beyond the bound: %d %q", w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	close(leave)
	scrapes.Wait()
	go func() { <-entered }()
	if w := get(h, http.MethodGet); w.Code != http.StatusOK {
		t.Errorf("after them: %d", w.Code)
	}
	if want := []Reason{ReasonBusy}; !slices.Equal(c.reasons, want) {
		t.Errorf("counted %v, want %v", c.reasons, want)
	}
}

// TestCutShort: a response that could not be written whole must not look
// whole, and the place of its scrape is free again.
func TestCutShort(t *testing.T) {
	for _, encoding := range []string{"", "gzip"} {
		c := new(tally)
		o := c.options(registry(t))
		o.MaxScrapes = 1
		h := Handler(o)
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", http.NoBody)
		r.Header.Set("Accept-Encoding", encoding)
		cancel()
		func() {
			defer func() {
				if got := recover(); got != http.ErrAbortHandler { //nolint:errorlint // net/http compares so
					t.Errorf("panic: %v", got)
				}
			}()
			h.ServeHTTP(httptest.NewRecorder(), r)
		}()
		if want := []Reason{ReasonWrite}; !slices.Equal(c.reasons, want) {
			t.Errorf("counted %v, want %v", c.reasons, want)
		}
		if w := get(h, http.MethodGet, "Accept-Encoding", encoding); w.Code != http.StatusOK {
			t.Errorf("the next scrape: %d", w.Code)
		}
	}
}

// TestClientGone is the same over a real connection, of which the client reads
// the first bytes only.
func TestClientGone(t *testing.T) {
	failed := make(chan Reason, 1)
	report := wide(100_000, 100)
	server := httptest.NewServer(Handler(Options{
		Prefix:  "rocketmq",
		Views:   func() ([]*View, func()) { return views(report), func() {} },
		OnError: func(r Reason) { failed <- r },
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = response.Body.Close()
	if got := <-failed; got != ReasonWrite {
		t.Errorf("counted %v", got)
	}
}

// TestSlowClient: a client that reads nothing does not hold its place for ever.
func TestSlowClient(t *testing.T) {
	failed := make(chan Reason, 1)
	report := wide(100_000, 100)
	server := httptest.NewServer(Handler(Options{
		Prefix:  "rocketmq",
		Views:   func() ([]*View, func()) { return views(report), func() {} },
		Timeout: 1, // over before the first write
		OnError: func(r Reason) { failed <- r },
	}))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := server.Client().Do(r); err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err == nil {
			t.Error("a response that ran out of time looks whole")
		}
	}
	if got := <-failed; got != ReasonWrite {
		t.Errorf("counted %v", got)
	}
}

// TestAtOnce: handlers share what is pooled, not what they write.
func TestAtOnce(t *testing.T) {
	h := Handler(new(tally).options(registry(t)))
	want := get(h, http.MethodGet).Body.String()
	var scrapes sync.WaitGroup
	for range DefaultMaxScrapes {
		scrapes.Go(func() {
			for range 50 {
				if got := get(h, http.MethodGet).Body.String(); got != want {
					t.Error("it is another exposition")
					return
				}
			}
		})
	}
	scrapes.Wait()
}
