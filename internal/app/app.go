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
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/poll"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/console"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
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
	t, err := newTarget(c)
	if err != nil {
		return nil, err
	}
	a := &App{config: c, log: log, targets: []*target{t}, grace: shutdownGrace}
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
				Logger: a.log, Settle: a.settle, Publish: t.publish,
			})
			if err := t.src.Close(); err != nil {
				a.log.Warn("Closing a source failed", "target", t.name, "err", err)
			}
		})
	}
	wg.Wait()
}

// settle tells what need not fail again in the next round although nothing got
// better: what a source asks in the background, or not in every round.
func (a *App) settle(f source.Failure) time.Duration {
	round := max(a.config.Interval, a.config.Timeout) // at most
	switch f.Step {
	case remoting.GetConsumerRunningInfo.String():
		// Processes that did not answer are asked again after pauses that
		// grow to OwnerRefresh, and two at a time.
		return 2 * (a.config.OwnerRefresh + a.config.Interval)
	case remoting.GetBrokerRuntimeInfo.String():
		return backgroundTimeout
	case console.PathRunningInfo:
		return consoleProcessPause + 2*round
	case consoleGroups:
		return (consoleGroupRounds + 1) * round
	case consoleConnection:
		return (consoleOfflineRounds + 1) * round
	}
	return 0
}

// backgroundTimeout is longer than a request takes to fail, with its dialing.
const backgroundTimeout = 10 * time.Second

// Time limits of the HTTP server; an exposition has its own, see package
// exposition.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	shutdownGrace = 10 * time.Second
)

// Run collects and serves until ctx ends; then scrapes under way are finished,
// and everything is closed, the listeners too. It serves on the listeners, or
// where there are none, on those that flags name.
func (a *App) Run(ctx context.Context, listeners []net.Listener, flags *toolkit.FlagConfig) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var collecting sync.WaitGroup
	collecting.Go(func() { a.Collect(ctx) })
	servers, served := a.serve(listeners, flags)

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
func (a *App) serve(listeners []net.Listener, flags *toolkit.FlagConfig) (servers []*http.Server, served <-chan error) {
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
