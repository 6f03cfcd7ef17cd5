package app

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

// PathReload is where a POST has the settings read anew.
const PathReload = "/-/reload"

// Reload reads the settings anew and applies them. Where something is wrong with
// them nothing changes, and the error says what it is; the log and the metrics
// do too.
//
// A cluster whose settings are the same is not touched. One that is gone has no
// series from now on. One that is read in another way shows what it last showed
// until its first round has ended, and counts on.
func (a *App) Reload() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.reload()
	a.reloads.note(err == nil, time.Now())
	if err != nil {
		a.log.Error("The settings were not reloaded; the old ones stay", "err", err)
	}
	return err
}

func (a *App) reload() error {
	switch {
	case a.load == nil:
		return errors.New("there is nothing to read settings from")
	case a.ended:
		return errors.New("the exporter is ending")
	}
	valid, err := a.load()
	if err != nil {
		return err
	}
	before := a.current.Load()
	next, err := a.newSetup(valid, before)
	if err != nil {
		return err
	}
	for t := range next.fresh {
		t.showAsBefore(next.fresh[t])
	}
	for i, t := range next.targets {
		t.show(valid.Clusters[i])
	}
	a.current.Store(next)
	a.replace(before, next)
	if a.setLevel != nil {
		a.setLevel(valid.Log.Level)
	}
	for _, name := range valid.NeedRestart(a.started) {
		a.log.Warn("A setting has changed that is read at the start only: restart to have it", "setting", name)
	}
	return nil
}

// replace stops the targets that are no longer there, and starts the new ones.
func (a *App) replace(before, next *setup) {
	var added, changed, removed []string
	for _, t := range before.targets {
		if slices.Contains(next.targets, t) {
			continue
		}
		if next.target(t.config) == nil {
			removed = append(removed, t.name())
		}
		if t.stop == nil {
			a.close(t) // it was never read
			continue
		}
		t.stop()
	}
	for _, t := range next.targets {
		old, fresh := next.fresh[t]
		switch {
		case !fresh:
			continue
		case old != nil:
			changed = append(changed, t.name())
		default:
			added = append(added, t.name())
		}
		if a.ctx == nil {
			continue
		}
		a.start(t, old)
	}
	a.log.Info("The settings were reloaded", "added", added, "changed", changed, "removed", removed,
		"same", len(next.targets)-len(added)-len(changed))
}

// reloader serves PathReload.
func (a *App) reloader(enabled bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch {
		case r.Method != http.MethodPost && r.Method != http.MethodPut:
			w.Header().Set("Allow", "POST, PUT")
			http.Error(w, "Settings are reloaded by a POST.", http.StatusMethodNotAllowed)
		case !enabled:
			http.Error(w, "Reloading by HTTP is off: --web.enable-lifecycle switches it on. A SIGHUP does the same.", http.StatusForbidden)
		default:
			if err := a.Reload(); err != nil {
				http.Error(w, fmt.Sprintf("The settings were not reloaded; the old ones stay: %v", err), http.StatusInternalServerError)
				return
			}
			_, _ = io.WriteString(w, "Reloaded\n") // the reader may leave
		}
	})
}

// reloadStats is how the last reload ended. Until there was one, it is the start.
type reloadStats struct {
	mu      sync.Mutex
	ok      bool
	success time.Time
}

func newReloadStats(now time.Time) *reloadStats { return &reloadStats{ok: true, success: now} }

func (s *reloadStats) note(ok bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ok = ok; ok {
		s.success = now
	}
}

func (s *reloadStats) last() (ok bool, success time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ok, s.success
}

// withoutShown are the settings of a cluster that say nothing of how it is read.
func withoutShown(c config.Cluster) config.Cluster {
	c.ConsoleLink, c.ProbeOnly, c.Clients, c.Detail = "", false, config.Filter{}, ""
	c.Enable, c.Disable, c.Families = nil, nil, config.Cluster{}.Families
	c.Limit, c.FamilyLimit, c.States = 0, 0, config.States{}
	return c
}
