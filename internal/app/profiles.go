package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/pprof" // puts handlers on http.DefaultServeMux, which nobody serves
)

// serveProfiles serves profiles of the process until ctx ends: on a listener of
// their own, since they tell more than metrics do and cost more.
func (a *App) serveProfiles(ctx context.Context) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
	a.log.Info("Serving profiles", "address", a.profiles.Addr().String())
	// Nobody waits for a profile at the end.
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(a.profiles); !errors.Is(err, http.ErrServerClosed) {
		a.log.Error("Profiles are no longer served", "err", err)
	}
}
