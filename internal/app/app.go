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
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/poll"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// App is the exporter.
type App struct {
	config  config.Valid
	log     *slog.Logger
	targets []*target
	handler http.Handler
}

// New makes an exporter; it opens no connection yet.
func New(c config.Valid, log *slog.Logger) (*App, error) {
	a := &App{config: c, log: log, targets: []*target{newTarget(c)}}
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
		Prefix: c.Prefix, Reports: a.reports, Gatherer: registry, MaxScrapes: c.MaxScrapes,
		Logger: log, OnSeries: scrapes.setSeries, OnError: scrapes.fail,
	})
	return a, nil
}

// newTarget makes the one target that the flags can name.
func newTarget(c config.Valid) *target {
	t := &target{name: strings.Join(c.NameServers, ";"), stats: newStats(), now: time.Now}
	t.src = direct.New(direct.Options{
		NameServers:  c.NameServers,
		Selection:    source.Selection{System: c.System, IgnoredTopics: c.IgnoredTopics},
		Remoting:     remoting.Options{Window: c.Window, Observe: t.stats.observe},
		KeepRounds:   c.KeepRounds,
		ForgetAfter:  c.ForgetAfter,
		Parallel:     c.Parallel,
		OwnerRefresh: c.OwnerRefresh,
	})
	return t
}

// routes puts metrics and pages on their paths.
func (a *App) routes(o exposition.Options) http.Handler {
	mux := http.NewServeMux()
	metrics := exposition.Handler(o)
	mux.Handle("/", web.Handler(web.Options{
		Version: version.Version, MetricsPath: a.config.MetricsPath,
		Clusters: a.clusters, Now: time.Now, Logger: a.log,
	}))
	if a.config.MetricsPath == "/" {
		mux.Handle("/{$}", metrics)
	} else {
		mux.Handle(a.config.MetricsPath, metrics)
	}
	return mux
}

func (a *App) reports() []*lag.Report {
	var list []*lag.Report
	for _, t := range a.targets {
		if s := t.state.Load(); s != nil {
			list = append(list, s.reports...)
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

// Collect reads every target in the background until ctx ends, and returns
// when all have stopped.
func (a *App) Collect(ctx context.Context) {
	var wg sync.WaitGroup
	for _, t := range a.targets {
		wg.Go(func() {
			poll.Loop(ctx, t.src, poll.Options{
				Interval: a.config.Interval, Deadline: a.config.Timeout,
				Logger: a.log, Publish: t.publish,
			})
			if err := t.src.Close(); err != nil {
				a.log.Warn("Closing a source failed", "target", t.name, "err", err)
			}
		})
	}
	wg.Wait()
}

// Time limits of the HTTP server; an exposition has its own, see package
// exposition.
const (
	headerTimeout   = 10 * time.Second
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 10 * time.Second
)

// Run collects and serves until ctx ends; then scrapes under way are finished,
// and everything is closed. It serves on the listeners, or where there are
// none, on those that flags name.
func (a *App) Run(ctx context.Context, listeners []net.Listener, flags *toolkit.FlagConfig) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: a.handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}
	served := make(chan error, 1)
	go func() {
		if len(listeners) == 0 {
			served <- toolkit.ListenAndServe(server, flags, a.log)
			return
		}
		served <- toolkit.ServeMultiple(listeners, server, flags, a.log)
	}()
	var wg sync.WaitGroup
	wg.Go(func() { a.Collect(ctx) })

	var failed error
	select {
	case failed = <-served:
	case <-ctx.Done():
		a.log.Info("Ending")
		failed = shutdown(server)
		<-served
	}
	cancel()
	wg.Wait()
	if errors.Is(failed, http.ErrServerClosed) {
		return nil
	}
	return failed
}

func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("requests under way did not end within %v: %w", shutdownTimeout, err)
	}
	return nil
}
