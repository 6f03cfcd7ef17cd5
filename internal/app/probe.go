package app

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
)

// PathProbe is where one cluster's metrics are served alone.
const PathProbe = "/probe"

// prober serves one target of the setup at a time: the last report of the one
// that the parameter target names, with the exporter's own metrics about it. It
// opens no connection, so that nobody can send the exporter anywhere.
func (s *setup) prober(about *collector, server *exposition.Server) http.Handler {
	handlers := make(map[string]http.Handler, len(s.targets))
	var names []string
	for _, t := range s.targets {
		registry := prometheus.NewRegistry()
		registry.MustRegister(&ofProbe{about, t})
		handlers[t.name()] = server.Part(t.views, registry)
		names = append(names, t.name())
	}
	known := strings.Join(names, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("target")
		if h := handlers[name]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if name == "" {
			http.Error(w, "Which cluster? Wanted is target=NAME, of these: "+known, http.StatusBadRequest)
			return
		}
		http.Error(w, fmt.Sprintf("The settings have no cluster %q. They have: %s", name, known), http.StatusNotFound)
	})
}

// ofProbe is what the exporter tells of one target.
type ofProbe struct {
	*collector

	target *target
}

// Collect implements prometheus.Collector.
func (p *ofProbe) Collect(ch chan<- prometheus.Metric) {
	s := p.target.state.Load()
	reached := 0.0
	if s != nil && (s.end == web.Whole || s.end == web.Partial) {
		reached = 1
	}
	p.gauge(ch, family.ExporterProbeSuccess, reached)
	p.collect(ch, valid(p.target.label()), p.target.stats)
}

// shardText is what the page says of the part that it shows; empty for all.
func shardText(s config.Shard) string {
	if s.Total <= 1 {
		return ""
	}
	return fmt.Sprintf("shard %d of %d", s.Index, s.Total)
}
