package exposition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/linezip"
)

// Defaults of Options.
const (
	DefaultMaxScrapes = 4
	DefaultTimeout    = 30 * time.Second
)

// Options are what a Handler needs. Only Views must be set.
type Options struct {
	// Prefix of the names of the reports' families.
	Prefix string
	// Views returns the last report of each cluster, and what of it is
	// written. Done is called when it is.
	Views func() (views []*View, done func())
	// Gatherer has the families that follow those of the reports; may be nil.
	// What it gathers is few: it is held in memory.
	Gatherer prometheus.Gatherer
	// MaxScrapes bounds the scrapes at one time: 0 is DefaultMaxScrapes.
	MaxScrapes int
	// Timeout is how long a client may take to read a scrape: 0 is
	// DefaultTimeout.
	Timeout time.Duration
	// Logger is told what a scrape cannot say itself; may be nil.
	Logger *slog.Logger
	// OnSeries is called in each scrape with the number of series about the
	// clusters, before Gatherer is asked, so that a gauge set by it is of
	// the scrape that it is in. May be nil.
	OnSeries func(series int)
	// OnError counts what went wrong in a scrape. May be nil.
	OnError func(reason Reason)
}

// Reason says what went wrong in a scrape.
type Reason string

// The reasons.
const (
	ReasonGather Reason = "scrape_gather" // some of Gatherer's families are missing
	ReasonBusy   Reason = "scrape_busy"   // refused: too many at one time
	ReasonWrite  Reason = "scrape_write"  // the client went away, or was too slow
)

// Handler serves the metrics path. A scrape reads the last reports and never
// waits for a cluster.
func Handler(o Options) http.Handler { return NewServer(o).Handler() }

// Server is what several handlers share: their limits, and what they write with.
type Server struct {
	o        Options
	places   chan struct{} // one is taken by each scrape under way
	encoders spares[*encoder]
	gzips    spares[*linezip.Writer]
}

// NewServer makes a Server.
func NewServer(o Options) *Server {
	if o.MaxScrapes <= 0 {
		o.MaxScrapes = DefaultMaxScrapes
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnSeries == nil {
		o.OnSeries = func(int) {}
	}
	if o.OnError == nil {
		o.OnError = func(Reason) {}
	}
	l := newLayout(o.Prefix)
	return &Server{
		o:        o,
		places:   make(chan struct{}, o.MaxScrapes),
		encoders: newSpares(1, func() *encoder { return newEncoder(l) }),
		gzips:    newSpares(1, func() *linezip.Writer { return linezip.NewWriter(nil) }),
	}
}

// Handler serves what the options say.
func (s *Server) Handler() http.Handler { return &handler{Options: s.o, Server: s} }

// Part serves other views, and behind them what another gatherer has. OnSeries
// is not told of it.
func (s *Server) Part(views func() (views []*View, done func()), g prometheus.Gatherer) http.Handler {
	o := s.o
	o.Views, o.Gatherer, o.OnSeries = views, g, func(int) {}
	return &handler{Options: o, Server: s}
}

type handler struct {
	Options
	*Server

	mu       sync.Mutex
	gathered string // the last gather's error, which is not logged again
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The metrics are only to be read: use GET.", http.StatusMethodNotAllowed)
		return
	}
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		h.OnError(ReasonBusy)
		http.Error(w, fmt.Sprintf("%d scrapes are under way, which is the limit: try again later, or raise it.", h.MaxScrapes),
			http.StatusServiceUnavailable)
		return
	}
	format, compress := Negotiate(r.Header), acceptsGzip(r.Header)
	w.Header().Set("Content-Type", format.ContentType())
	w.Header().Add("Vary", "Accept, Accept-Encoding")
	if compress {
		w.Header().Set("Content-Encoding", "gzip")
	}
	if r.Method == http.MethodHead {
		return
	}
	// Not every writer has deadlines; without one a client that stops reading
	// is only noticed when its connection ends.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.Timeout))
	if err := h.serve(&clientWriter{ctx: r.Context(), w: w}, format, compress); err != nil {
		h.OnError(ReasonWrite)
		h.Logger.DebugContext(r.Context(), "A scrape was cut short", slog.String("client", r.RemoteAddr), slog.Any("err", err))
		// To return would end the response as if it were whole.
		panic(http.ErrAbortHandler)
	}
}

// serve writes a whole exposition; what it returns is the client's fault.
func (h *handler) serve(w io.Writer, f Format, compress bool) error {
	if !compress {
		return h.exposition(w, f)
	}
	z := h.gzips.get()
	defer func() {
		z.Reset(nil) // hold on to no response
		h.gzips.put(z)
	}()
	z.Reset(w)
	if err := h.exposition(z, f); err != nil {
		return err
	}
	return z.Close()
}

func (h *handler) exposition(w io.Writer, f Format) error {
	if err := h.reports(w, f); err != nil {
		return err
	}
	if err := h.gather(w, f); err != nil {
		return err
	}
	return Finish(w, f)
}

func (h *handler) reports(w io.Writer, f Format) error {
	e := h.encoders.get()
	defer func() {
		e.reset(nil, f)
		h.encoders.put(e)
	}()
	views, done := h.Views()
	defer done()
	series, err := e.write(w, f, views)
	if err == nil {
		h.OnSeries(series)
	}
	return err
}

// gather writes Gatherer's families: into memory first, so that one that cannot
// be encoded leaves no half of it behind and costs no other.
func (h *handler) gather(w io.Writer, f Format) error {
	if h.Gatherer == nil {
		return nil
	}
	families, failed := h.Gatherer.Gather() // may be both: what it has, and what went wrong
	var text bytes.Buffer
	encoder := expfmt.NewEncoder(&text, f.expfmt())
	for _, mf := range families {
		whole := text.Len()
		if err := encoder.Encode(mf); err != nil {
			failed = errors.Join(failed, fmt.Errorf("encode %s: %w", mf.GetName(), err))
			text.Truncate(whole)
		}
	}
	h.noteGather(failed)
	_, err := w.Write(text.Bytes())
	return err
}

// noteGather counts a failure and logs it when it begins or changes.
func (h *handler) noteGather(err error) {
	text := ""
	if err != nil {
		text = err.Error()
		h.OnError(ReasonGather)
	}
	h.mu.Lock()
	changed := text != h.gathered
	h.gathered = text
	h.mu.Unlock()
	if changed && err != nil {
		h.Logger.Error("Some of the exporter's own metrics are missing from the exposition", slog.Any("err", err))
	}
}

// clientWriter stops writing when the client is gone: the server may notice
// before a write fails.
type clientWriter struct {
	ctx context.Context //nolint:containedctx // lives for one request
	w   io.Writer
}

func (c *clientWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
