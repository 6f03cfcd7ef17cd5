package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	commonmodel "github.com/prometheus/common/model"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// patience bounds how long a test waits for something that happens soon.
const patience = 60 * time.Second

// eventually waits until ok is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// settle waits until nothing is asked any more behind the last round of a target.
func settle(t *testing.T, tgt *target) {
	t.Helper()
	tgt.src.(interface{ Settle(context.Context) }).Settle(t.Context())
}

// start starts a fake cluster that ends with the test.
func start(t *testing.T, o fakemq.Options) *fakemq.Cluster {
	t.Helper()
	mq, err := fakemq.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mq.Close)
	return mq
}

// shop is a cluster of two brokers with a backlog of each kind.
func shop(t *testing.T, edit ...func(*fakemq.Options)) *fakemq.Cluster {
	t.Helper()
	o := fakemq.Options{
		Clusters:      []fakemq.ClusterOptions{{Name: "shop", Brokers: []string{"broker-a", "broker-b"}}},
		ClientTimeout: 100 * time.Millisecond,
	}
	for _, e := range edit {
		e(&o)
	}
	mq := start(t, o)
	must(t, mq.AddTopic(fakemq.Topic{Name: "orders", Queues: 3}))
	must(t, mq.AddTopic(fakemq.Topic{Name: "audit", Queues: 2, Brokers: []string{"broker-b"}}))
	must(t, mq.AddTopic(fakemq.Topic{Name: "notices", Queues: 1}))
	must(t, mq.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders", "audit"}}))
	must(t, mq.AddGroup(fakemq.Group{Name: "report", Topics: []string{"orders"}}))
	must(t, mq.AddGroup(fakemq.Group{Name: "cache", Topics: []string{"notices"}, Broadcasting: true}))
	for _, c := range []struct{ group, ip string }{
		{"billing", "10.0.0.1"}, {"billing", "10.0.0.2"}, {"report", "10.0.0.3"}, {"cache", "10.0.0.4"}, {"cache", "10.0.0.5"},
	} {
		addConsumer(t, mq, c.group, fakemq.Consumer{IP: c.ip, PID: 7})
	}
	for topic, n := range map[string]int64{"orders": 600, "audit": 100, "notices": 40} {
		must(t, mq.Produce(topic, n))
	}
	for _, c := range []struct {
		group, topic string
		n            int64
	}{{"billing", "orders", 500}, {"billing", "audit", 99}, {"report", "orders", 20}, {"cache", "notices", 30}} {
		if _, err := mq.Consume(c.group, c.topic, c.n); err != nil {
			t.Fatal(err)
		}
	}
	must(t, mq.KillConsumer("report", mq.ClientIDs("report")[0]))
	return mq
}

func addConsumer(t *testing.T, mq *fakemq.Cluster, group string, c fakemq.Consumer) string {
	t.Helper()
	id, err := mq.AddConsumer(group, c)
	must(t, err)
	return id
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settings are those of one cluster, with rounds of a second and defaults for
// the rest.
func settings(t *testing.T, nameServers []string, edit ...func(*config.Config)) config.Valid {
	t.Helper()
	if nameServers == nil {
		nameServers = []string{"127.0.0.1:1"} // a console is read in its place
	}
	valid, err := config.Load(config.Sources{
		Flags:  config.Said{config.KeyNameServers: nameServers, config.KeyInterval: {"1s"}},
		Getenv: func(string) string { return "" },
	})
	must(t, err)
	for _, e := range edit {
		e(&valid.Config)
	}
	return valid
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newApp(t *testing.T, c config.Valid, log io.Writer) *App {
	t.Helper()
	a, err := New(c, slog.New(slog.NewTextHandler(log, nil)))
	must(t, err)
	return a
}

// stepped is an App whose rounds the test makes itself, one by one.
type stepped struct {
	*App

	t *testing.T
}

func newStepped(t *testing.T, c config.Valid) stepped {
	t.Helper()
	a := newApp(t, c, io.Discard)
	t.Cleanup(func() {
		for _, tgt := range a.targets() {
			_ = tgt.src.Close()
		}
	})
	return stepped{a, t}
}

func (s stepped) round() {
	s.t.Helper()
	for _, tgt := range s.targets() {
		began := time.Now()
		r := tgt.src.Collect(s.t.Context())
		tgt.publish(r, time.Since(began))
		tgt.src.Behind()
	}
}

// get asks the App's handler.
func (s stepped) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func (s stepped) scrape() series {
	s.t.Helper()
	w := s.get("/metrics")
	if w.Code != http.StatusOK {
		s.t.Fatalf("/metrics: %d %s", w.Code, w.Body)
	}
	return parse(s.t, w.Body)
}

// series is an exposition: values by name and labels, in the order of the
// labels' names.
type series map[string]float64

func parse(t *testing.T, text io.Reader) series {
	t.Helper()
	parser := expfmt.NewTextParser(commonmodel.LegacyValidation)
	families, err := parser.TextToMetricFamilies(text)
	must(t, err)
	list := make(series)
	for name, f := range families {
		for _, m := range f.GetMetric() {
			labels := make(map[string]string)
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			value := m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
			list[key(name, labels)] = value
		}
	}
	return list
}

func key(name string, labels map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, fmt.Sprintf("%s=%q", k, labels[k]))
	}
	return name + "{" + strings.Join(parts, ",") + "}"
}

// of are the series of one family.
func (s series) of(family string) series {
	list := make(series)
	for k, v := range s {
		if strings.HasPrefix(k, family+"{") {
			list[k] = v
		}
	}
	return list
}

func (s series) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s %v\n", k, s[k])
	}
	return b.String()
}

// want compares series that must be there with their values.
func (s series) want(t *testing.T, want series) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if got, ok := s[k]; !ok || got != want[k] {
			t.Errorf("%s is %v (there: %v), want %v", k, got, ok, want[k])
		}
	}
}

// lacks compares series that must not be there.
func (s series) lacks(t *testing.T, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if v, ok := s[k]; ok {
			t.Errorf("%s is there with %v", k, v)
		}
	}
}

func failure(name string, count int) source.Failure {
	return source.Failure{Count: count, Reason: "timeout", Err: errors.New("failure " + name)}
}
