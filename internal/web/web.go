// Package web serves the pages for people and the two paths for supervisors:
// readers of the same reports as the metrics.
//
// It may hold HTML, HTTP and the choice of what to show. It computes no
// backlog, has no clock of its own and never asks a cluster.
package web

import (
	"bytes"
	"embed"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// Paths that the handler serves.
const (
	PathIndex   = "/"
	PathHealthy = "/-/healthy"
	PathReady   = "/-/ready"
	pathStyle   = "/style.css"
)

// Round is how a cluster's last round ended.
type Round uint8

// The ends of a round.
const (
	NoRound Round = iota // the first one has not ended yet
	Whole
	Partial // some of the cluster could not be read
	Failed  // nothing of it could be read
)

// String is what a reader is told of the cluster.
func (r Round) String() string {
	switch r {
	case NoRound:
		return "not read yet"
	case Whole:
		return "whole"
	case Partial:
		return "partial"
	case Failed:
		return "unreachable"
	}
	return "unknown"
}

// Cluster is what is known of one cluster.
type Cluster struct {
	Name      string
	LastRound Round
	// LastError is what went wrong in the last round; empty if nothing did.
	LastError string
	// Console is the address of a console to link to; may be empty.
	Console string
	// RoundDuration is how long the last round took.
	RoundDuration time.Duration
	// Report may be nil: nothing was read yet.
	Report *lag.Report
}

// Options are what a Handler needs.
type Options struct {
	Version     string
	MetricsPath string
	// Shard says of which part of the consumer groups the clusters tell; empty:
	// of all.
	Shard string
	// Clusters returns the clusters in the order to show them.
	Clusters func() []Cluster
	Now      func() time.Time
}

//go:embed assets
var assets embed.FS

// Handler serves the index page at exactly "/", its style sheet, and the paths
// for supervisors. Every other path is not found.
func Handler(o Options) http.Handler {
	h := &handler{o}
	mux := http.NewServeMux()
	mux.HandleFunc("/", http.NotFound)
	mux.HandleFunc(PathIndex+"{$}", h.index)
	mux.HandleFunc(pathStyle, h.style)
	mux.HandleFunc(PathHealthy, h.healthy)
	mux.HandleFunc(PathReady, h.ready)
	return guard(mux)
}

type handler struct {
	Options
}

// guard refuses what is not a read and gives every response the headers that
// keep a browser from doing more with it than showing it.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "The pages are only to be read: use GET.", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (h *handler) index(w http.ResponseWriter, _ *http.Request) {
	v := h.view()
	var p page
	p.index(&v)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// A cluster's names may be any bytes. The reader may leave.
	_, _ = w.Write(bytes.ToValidUTF8(p.Bytes(), []byte("\uFFFD")))
}

func (h *handler) style(w http.ResponseWriter, r *http.Request) {
	// Asked for anew with each page: it is small, and then never an old one.
	http.ServeFileFS(w, r, assets, "assets/style.css")
}

// healthy says that the process serves requests, and nothing about clusters: a
// restart mends none.
func (h *handler) healthy(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "Healthy\n")
}

// ready says whether the metrics are as complete as they can be: the first
// round of every cluster has ended, whatever it found. A cluster that cannot be
// reached is for alerts to tell; it must not take the metrics of the others
// away.
func (h *handler) ready(w http.ResponseWriter, _ *http.Request) {
	var missing []string
	for _, c := range h.Clusters() {
		if c.LastRound == NoRound {
			missing = append(missing, c.Name)
		}
	}
	if len(missing) == 0 {
		plain(w, http.StatusOK, "Ready\n")
		return
	}
	plain(w, http.StatusServiceUnavailable,
		fmt.Sprintf("Not ready: the first round has not ended for %s\n", strings.Join(missing, ", ")))
}

func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // the reader may leave
}
