package app

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
)

// setup is what settings make: what is read, and what is served. It never
// changes; other settings make another.
type setup struct {
	config  config.Valid
	targets []*target
	public  []*target // those that are not for probes only
	handler http.Handler
	// fresh are the targets that no setup before had, each with the one whose
	// place it takes, or nil.
	fresh map[*target]*target
}

// newSetup makes a setup. Of the one before it keeps the targets whose settings
// say the same about what is read; nil: there was none. It changes nothing of
// that one.
func (a *App) newSetup(c config.Valid, before *setup) (*setup, error) {
	s := &setup{config: c, fresh: make(map[*target]*target)}
	for _, k := range c.Clusters {
		old := before.target(k)
		if old != nil && old.readsAs(k) {
			s.add(old, k)
			continue
		}
		t, err := newTarget(k, old)
		if err != nil {
			s.discard(a)
			return nil, err
		}
		s.add(t, k)
		s.fresh[t] = old
	}
	if err := s.serve(a); err != nil {
		s.discard(a)
		return nil, err
	}
	return s, nil
}

func (s *setup) add(t *target, k config.Cluster) {
	s.targets = append(s.targets, t)
	if !k.ProbeOnly {
		s.public = append(s.public, t)
	}
}

// discard closes what was opened for a setup that is not to be.
func (s *setup) discard(a *App) {
	for t := range s.fresh {
		a.close(t)
	}
}

// target is the one with the name of a cluster of other settings; nil: none.
func (s *setup) target(k config.Cluster) *target {
	if s == nil {
		return nil
	}
	for _, t := range s.targets {
		if t.name() == nameOf(k) {
			return t
		}
	}
	return nil
}

// serve makes the handler.
func (s *setup) serve(a *App) error {
	about := newCollector(s.config.Prefix)
	registry := prometheus.NewRegistry()
	for _, col := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector(s.config.Prefix + "_exporter"),
		&ofProcess{about, s.public, s.config.Shard, a.scrapes, a.reloads},
	} {
		if err := registry.Register(col); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	server := exposition.NewServer(exposition.Options{
		Prefix: s.config.Prefix, Views: s.views, Gatherer: registry, MaxScrapes: s.config.Web.MaxScrapes,
		Logger: a.log, OnSeries: a.scrapes.setSeries, OnError: a.scrapes.fail,
	})
	path := s.config.Web.MetricsPath
	mux := http.NewServeMux()
	mux.Handle("/", web.Handler(web.Options{
		Version: version.Version, MetricsPath: path, Shard: shardText(s.config.Shard), Clusters: s.clusters, Now: time.Now,
	}))
	if path == "/" {
		path = "/{$}"
	}
	mux.Handle(path, server.Handler())
	mux.Handle(PathProbe, s.prober(about, server))
	mux.Handle(PathReload, a.reloader(s.config.Web.Lifecycle))
	s.handler = mux
	return nil
}

func (s *setup) views() (list []*exposition.View, done func()) {
	var all []func()
	for _, t := range s.public {
		views, done := t.views()
		list, all = append(list, views...), append(all, done)
	}
	return list, func() {
		for _, done := range all {
			done()
		}
	}
}

func (s *setup) clusters() []web.Cluster {
	var list []web.Cluster
	for _, t := range s.targets {
		list = append(list, t.clusters()...)
	}
	return list
}
