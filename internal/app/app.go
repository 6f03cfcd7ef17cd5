// Package app puts the parts together: it makes a source per target, reads it
// in the background, and serves metrics and pages. It may hold wiring and
// lifecycle; what could be tested without it belongs elsewhere.
package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/poll"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// App is the exporter.
type App struct {
	log      *slog.Logger
	grace    time.Duration // for requests under way at the end
	scrapes  *scrapeStats
	reloads  *reloadStats
	profiles net.Listener // may be nil
	after    func()       // each round; may be nil

	// current is replaced as a whole when settings are reloaded.
	current atomic.Pointer[setup]
	started config.Valid // the settings that listeners were made of

	load     func() (config.Valid, error) // nil: settings are never read again
	setLevel func(level string)           // of the log

	mu    sync.Mutex      // of whoever starts and stops targets
	ctx   context.Context //nolint:containedctx // of all targets; nil while none is read
	ended bool
	loops sync.WaitGroup
}

// New makes an exporter; it opens no connection yet.
func New(c config.Valid, log *slog.Logger) (*App, error) {
	a := &App{started: c, log: log, grace: shutdownGrace, scrapes: &scrapeStats{}, reloads: newReloadStats(time.Now())}
	s, err := a.newSetup(c, nil)
	if err != nil {
		return nil, err
	}
	a.current.Store(s)
	return a, nil
}

// Reloads lets Reload read the settings anew; setLevel changes what is logged
// and may be nil. It is called before Run.
func (a *App) Reloads(load func() (config.Valid, error), setLevel func(level string)) {
	a.load, a.setLevel = load, setLevel
}

// Profiles has Run serve profiles of the process on a listener of their own,
// and close it. It is called before Run.
func (a *App) Profiles(l net.Listener) { a.profiles = l }

// AfterRounds has something done after each round of any target, which may be at
// the same time. It is called before Run.
func (a *App) AfterRounds(do func()) { a.after = do }

// ServeHTTP serves everything that the exporter serves.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.current.Load().handler.ServeHTTP(w, r)
}

func (a *App) targets() []*target { return a.current.Load().targets }

// Collect reads every target in the background until ctx ends, each in its own
// time, and returns when all have stopped.
func (a *App) Collect(ctx context.Context) {
	a.mu.Lock()
	a.ctx = ctx
	for _, t := range a.targets() {
		a.start(t, nil)
	}
	a.mu.Unlock()
	<-ctx.Done()
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.loops.Wait()
}

// start reads a target in the background until it is stopped. Where it takes
// the place of another, it waits until that has stopped.
func (a *App) start(t, before *target) {
	ctx, stop := context.WithCancel(a.ctx)
	t.stop, t.stopped = stop, make(chan struct{})
	a.loops.Go(func() {
		defer close(t.stopped)
		if before != nil {
			<-before.stopped
			t.inherit(before)
		}
		a.collect(ctx, t)
	})
}

func (a *App) collect(ctx context.Context, t *target) {
	a.log.Info("Reading", t.reads()...)
	log := a.log
	if t.config.Name != "" {
		log = log.With("name", t.config.Name)
	}
	poll.Loop(ctx, t.src, poll.Options{
		Interval: t.config.Interval, Deadline: t.config.Timeout,
		Logger: log, Settle: t.settle,
		Publish: func(r source.Round, took time.Duration) {
			t.publish(r, took)
			if a.after != nil {
				a.after()
			}
		},
	})
	a.close(t)
}

func (a *App) close(t *target) {
	if err := t.src.Close(); err != nil {
		a.log.Warn("Closing a source failed", "target", t.name(), "err", err)
	}
}
