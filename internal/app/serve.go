package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

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
	if a.profiles != nil {
		collecting.Go(func() { a.serveProfiles(ctx) })
	}
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
	w := a.started.Web
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
		Handler: a, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
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
