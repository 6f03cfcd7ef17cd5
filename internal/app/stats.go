package app

import (
	"cmp"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/console"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// stats counts what one target has cost and how its rounds ended. The label
// cluster is known only after the first round, so the counters are kept here
// and become metrics at each scrape.
type stats struct {
	mu       sync.Mutex
	requests map[requestKey]uint64
	sent     map[string]uint64 // bytes by step
	received map[string]uint64
	errors   map[string]uint64 // by reason
	rounds   map[web.Round]uint64
	dropped  map[droppedKey]uint64
	odd      uint64
	took     time.Duration
	steps    []source.Step
	success  time.Time
}

type requestKey struct {
	step   string // request code's name, or path of the console
	result string
}

// droppedKey is why a series of a family is left out.
type droppedKey struct {
	family family.ID
	rule   exposition.Rule
}

func newStats() *stats {
	return &stats{
		dropped:  make(map[droppedKey]uint64),
		requests: make(map[requestKey]uint64),
		sent:     make(map[string]uint64),
		received: make(map[string]uint64),
		errors:   make(map[string]uint64),
		rounds:   make(map[web.Round]uint64),
	}
}

// resultOK is the result of a request that was answered with success; any other
// result is the reason of its failure.
const resultOK = "ok"

// observeRemoting is told of each request to a node. One that was not sent,
// because there is no connection, is a failure and no request.
func (s *stats) observeRemoting(x remoting.Exchange) {
	if x.Sent == 0 {
		return
	}
	s.observe(x.Code.String(), remoting.Reason(x.Err), x.Sent, int64(x.Received))
}

// observeConsole is told of each call of a console.
func (s *stats) observeConsole(x console.Exchange) {
	s.observe(x.Path, console.Reason(x.Err), x.Sent, x.Received)
}

// observe counts one request; reason is empty where it went well.
func (s *stats) observe(step, reason string, sent int, received int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[requestKey{step, cmp.Or(reason, resultOK)}]++
	s.sent[step] += uint64(max(sent, 0))
	s.received[step] += uint64(max(received, 0))
}

func (s *stats) round(st *state, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rounds[st.end]++
	s.took, s.steps = st.took, st.steps
	if st.end == web.Whole {
		s.success = now
	}
	for _, f := range st.failures {
		s.countError(f)
	}
	for _, v := range st.views {
		for _, d := range v.Dropped {
			s.dropped[droppedKey{d.Family, d.Rule}] += uint64(max(d.Series, 0))
		}
	}
	for _, r := range st.reports {
		s.odd += uint64(max(r.Snapshot.Odd, 0))
	}
}

func (s *stats) countError(f source.Failure) {
	s.errors[f.Reason] += uint64(max(f.Count, 0))
}

// collector makes stats into metrics. Which ones is for those who embed it.
type collector struct {
	prefix string
	descs  map[family.ID]*prometheus.Desc
}

func newCollector(prefix string) *collector {
	c := &collector{prefix: prefix, descs: make(map[family.ID]*prometheus.Desc)}
	for _, id := range []family.ID{
		family.ExporterRounds, family.ExporterRoundDuration, family.ExporterStepDuration, family.ExporterLastSuccess,
		family.ExporterRequests, family.ExporterRequestSentBytes, family.ExporterResponseReceivedBytes,
		family.ExporterErrors, family.ExporterOddEntries, family.ExporterSeriesDropped, family.ExporterSeries,
		family.ExporterConfigReloaded, family.ExporterConfigReloadedAt,
		family.ExporterShardIndex, family.ExporterShards, family.ExporterProbeSuccess,
	} {
		f := id.Family()
		c.descs[id] = prometheus.NewDesc(f.FullName(prefix), f.Help, f.Labels, nil)
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// ofProcess is what the exporter tells of itself and of several targets.
type ofProcess struct {
	*collector

	targets []*target
	shard   config.Shard
	scrapes *scrapeStats
	reloads *reloadStats
}

// Collect implements prometheus.Collector.
func (c *ofProcess) Collect(ch chan<- prometheus.Metric) {
	for _, t := range c.targets {
		c.collect(ch, valid(t.label()), t.stats)
	}
	c.gauge(ch, family.ExporterShardIndex, float64(c.shard.Index))
	c.gauge(ch, family.ExporterShards, float64(c.shard.Total))
	c.gauge(ch, family.ExporterSeries, float64(c.scrapes.series.Load()))
	ok, at := c.reloads.last()
	reloaded := 0.0
	if ok {
		reloaded = 1
	}
	c.gauge(ch, family.ExporterConfigReloaded, reloaded)
	c.gauge(ch, family.ExporterConfigReloadedAt, float64(at.UnixMilli())/1000)
	for reason, n := range c.scrapes.failures() {
		c.count(ch, family.ExporterErrors, n, "", reason)
	}
}

// valid is a label's value as the exposition writes it: a name server may call
// a cluster anything, and client_golang refuses what is not UTF-8.
func valid(value string) string {
	return strings.Map(func(r rune) rune { return r }, value)
}

func (c *collector) collect(ch chan<- prometheus.Metric, cluster string, s *stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, n := range s.requests {
		c.count(ch, family.ExporterRequests, n, cluster, key.step, key.result)
	}
	for step, n := range s.sent {
		c.count(ch, family.ExporterRequestSentBytes, n, cluster, step)
	}
	for step, n := range s.received {
		c.count(ch, family.ExporterResponseReceivedBytes, n, cluster, step)
	}
	for reason, n := range s.errors {
		c.count(ch, family.ExporterErrors, n, cluster, reason)
	}
	// All ends of a round are there from the beginning, so that increase()
	// sees the first of each.
	for end, word := range roundResults() {
		c.count(ch, family.ExporterRounds, s.rounds[end], cluster, word)
	}
	c.count(ch, family.ExporterOddEntries, s.odd, cluster)
	for key, n := range s.dropped {
		c.count(ch, family.ExporterSeriesDropped, n, cluster, key.family.Family().FullName(c.prefix), string(key.rule))
	}
	if s.took > 0 {
		c.gauge(ch, family.ExporterRoundDuration, s.took.Seconds(), cluster)
	}
	for _, step := range s.steps {
		c.gauge(ch, family.ExporterStepDuration, step.Took.Seconds(), cluster, step.Name)
	}
	if !s.success.IsZero() {
		c.gauge(ch, family.ExporterLastSuccess, float64(s.success.UnixMilli())/1000, cluster)
	}
}

func roundResults() map[web.Round]string {
	return map[web.Round]string{web.Whole: resultOK, web.Partial: "partial", web.Failed: "failed"}
}

func (c *collector) count(ch chan<- prometheus.Metric, id family.ID, n uint64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(c.descs[id], prometheus.CounterValue, float64(n), labels...)
}

func (c *collector) gauge(ch chan<- prometheus.Metric, id family.ID, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(c.descs[id], prometheus.GaugeValue, v, labels...)
}
