// Package app puts the parts together: it makes a source per target, reads it
// in the background, and serves metrics and pages. It may hold wiring and
// lifecycle; what could be tested without it belongs elsewhere.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/poll"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
)

// App is the exporter.
type App struct {
	config  config.Valid
	log     *slog.Logger
	targets []*target
	handler http.Handler
	grace   time.Duration // for requests under way at the end
}

// New makes an exporter; it opens no connection yet.
func New(c config.Valid, log *slog.Logger) (*App, error) {
	a := &App{config: c, log: log, grace: shutdownGrace}
	for _, k := range c.Clusters {
		t, err := newTarget(k)
		if err != nil {
			return nil, err
		}
		a.targets = append(a.targets, t)
	}
	scrapes := &scrapeStats{}
	registry := prometheus.NewRegistry()
	for _, col := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector(c.Prefix + "_exporter"),
		newCollector(c.Prefix, a.targets, scrapes),
	} {
		if err := registry.Register(col); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	a.handler = a.routes(exposition.Options{
		Prefix: c.Prefix, Views: a.views, Gatherer: registry, MaxScrapes: c.Web.MaxScrapes,
		Logger: log, OnSeries: scrapes.setSeries, OnError: scrapes.fail,
	})
	return a, nil
}

// routes puts metrics and pages on their paths.
func (a *App) routes(o exposition.Options) http.Handler {
	mux := http.NewServeMux()
	metrics := exposition.Handler(o)
	mux.Handle("/", web.Handler(web.Options{
		Version: version.Version, MetricsPath: a.config.Web.MetricsPath,
		Clusters: a.clusters, Now: time.Now, Logger: a.log,
	}))
	if a.config.Web.MetricsPath == "/" {
		mux.Handle("/{$}", metrics)
	} else {
		mux.Handle(a.config.Web.MetricsPath, metrics)
	}
	return mux
}

func (a *App) views() []*exposition.View {
	var list []*exposition.View
	for _, t := range a.targets {
		if s := t.state.Load(); s != nil {
			list = append(list, s.views...)
		}
	}
	return list
}

func (a *App) clusters() []web.Cluster {
	var list []web.Cluster
	for _, t := range a.targets {
		list = append(list, t.clusters()...)
	}
	return list
}

// Handler serves everything that the exporter serves.
func (a *App) Handler() http.Handler { return a.handler }

// Collect reads every target in the background until ctx ends, each in its own
// time, and returns when all have stopped.
func (a *App) Collect(ctx context.Context) {
	var wg sync.WaitGroup
	for _, t := range a.targets {
		wg.Go(func() { a.collect(ctx, t) })
	}
	wg.Wait()
}

func (a *App) collect(ctx context.Context, t *target) {
	a.log.Info("Reading", t.reads()...)
	poll.Loop(ctx, t.src, poll.Options{
		Interval: t.config.Interval, Deadline: t.config.Timeout,
		Logger: a.log, Settle: t.settle, Publish: t.publish,
	})
	if err := t.src.Close(); err != nil {
		a.log.Warn("Closing a source failed", "target", t.name(), "err", err)
	}
}

// Time limits of the HTTP server; an exposition has its own, see package
// exposition.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	shutdownGrace = 10 * time.Second
)

// Run collects and serves until ctx ends; then scrapes under way are finished,
// and everything is closed, the listeners too. It serves on the listeners, or
// where there are none, on what the settings name.
func (a *App) Run(ctx context.Context, listeners []net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var collecting sync.WaitGroup
	collecting.Go(func() { a.Collect(ctx) })
	servers, served := a.serve(listeners)

	var first error
	open := len(servers)
	select {
	case first = <-served:
		open--
	case <-ctx.Done():
		a.log.Info("Ending")
	}
	cancel()
	a.shutdown(servers)
	for _, l := range listeners {
		_ = l.Close() // those that no server came to serve
	}
	for range open {
		if err := <-served; first == nil && !errors.Is(err, http.ErrServerClosed) {
			first = err
		}
	}
	collecting.Wait()
	return first
}

// serve starts a server for each listener. One for all would do, if the toolkit
// did not set its handler and its TLS anew for each listener.
func (a *App) serve(listeners []net.Listener) (servers []*http.Server, served <-chan error) {
	w := &a.config.Web
	flags := &toolkit.FlagConfig{WebListenAddresses: &w.Listen, WebSystemdSocket: &w.SystemdSocket, WebConfigFile: &w.ConfigFile}
	ended := make(chan error, max(len(listeners), 1))
	for _, l := range listeners {
		server := a.newServer()
		servers = append(servers, server)
		go func() { ended <- toolkit.Serve(l, server, flags, a.log) }()
	}
	if len(listeners) == 0 {
		server := a.newServer()
		servers = append(servers, server)
		go func() { ended <- toolkit.ListenAndServe(server, flags, a.log) }()
	}
	return servers, ended
}

func (a *App) newServer() *http.Server {
	return &http.Server{
		Handler: a.handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
}

// shutdown lets requests under way end, for a while: a client that reads too
// slowly, or not at all, is no reason to stay.
func (a *App) shutdown(servers []*http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), a.grace)
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range servers {
		wg.Go(func() {
			if err := s.Shutdown(ctx); err != nil {
				a.log.Warn("Requests under way were cut off", "after", a.grace, "err", err)
				_ = s.Close()
			}
		})
	}
	wg.Wait()
}
