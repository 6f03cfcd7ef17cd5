package fakemq

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestConsoleFaults(t *testing.T) {
	s := startConsole(t, withShop(t, Options{}), ConsoleOptions{})
	b := browse(t, s)
	// On a connection that was used before a transport would send a call
	// again that got no answer.
	b.Transport = &http.Transport{DisableKeepAlives: true}
	const path = "/topic/list.query"
	whole := b.get(path).body
	for name, c := range map[string]struct {
		effect ConsoleEffect
		broken bool // the transport fails
		code   int
		body   string // its beginning
		valid  bool   // as JSON
	}{
		"nothing":    {ConsoleEffect{}, false, 200, string(whole), true},
		"refuse":     {ConsoleRefuse("busy \"x\""), false, 200, `{"status":-1,"data":null,"errMsg":"busy \"x\""}`, true},
		"login page": {ConsolePage(200), false, 200, "<html>", false},
		"proxy":      {ConsolePage(502), false, 502, "<html><head><title>502 Bad Gateway", false},
		"body":       {ConsoleBody(201, "application/json", []byte("[1]")), false, 201, "[1]", true},
		"cut":        {ConsoleCut(20), false, 200, string(whole[:20]), false},
		"cut beyond": {ConsoleCut(1 << 30), false, 200, string(whole), true},
		"garble":     {ConsoleGarble(), false, 200, "", false},
		"break":      {ConsoleBreak(20), true, 200, string(whole[:20]), false},
		"disconnect": {ConsoleDisconnect(), true, 0, "", false},
		"delay":      {ConsoleDelay(time.Millisecond), false, 200, string(whole), true},
		"flood":      {ConsoleFlood(1 << 20), false, 200, `{"status":0,`, true},
		"handler":    {ConsoleHandler(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }), false, 204, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			in := s.Inject(ConsoleFault{Path: path, Times: 1, Effect: c.effect})
			defer in.Remove()
			r, err := b.send(http.MethodGet, path, "", "")
			if (err != nil) != c.broken || in.Hits() != 1 {
				t.Errorf("%v, %d hits", err, in.Hits())
			}
			if r.code != c.code || !bytes.HasPrefix(r.body, []byte(c.body)) || json.Valid(r.body) != c.valid {
				t.Errorf("%d %.200s", r.code, r.body)
			}
		})
	}
}

func TestConsoleFaultsConcernWhatTheyName(t *testing.T) {
	s := startConsole(t, withShop(t, Options{}), ConsoleOptions{ContextPath: "/c"})
	b := browse(t, s)
	const path = "/topic/queryConsumerByTopic.query"
	in := s.Inject(ConsoleFault{Path: path, Query: map[string]string{"topic": "orders"}, Times: 2, Effect: ConsoleRefuse("no")})
	b.data(nil, path, "topic", "notices")
	b.data(nil, "/topic/list.query")
	b.refused(path, "topic", "orders")
	b.refused(path, "topic", "orders")
	b.data(nil, path, "topic", "orders")
	if in.Hits() != 2 {
		t.Errorf("%d hits", in.Hits())
	}
	every := s.Inject(ConsoleFault{Effect: ConsoleRefuse("all")})
	b.refused("/anything")
	every.Remove()
	s.Inject(ConsoleFault{Effect: ConsoleRefuse("all")})
	s.ClearFaults()
	b.data(nil, path, "topic", "orders")
}

// A drip goes on until the client has had enough.
func TestConsoleDrips(t *testing.T) {
	s := startConsole(t, withShop(t, Options{}), ConsoleOptions{})
	s.Inject(ConsoleFault{Effect: ConsoleDrip(time.Microsecond)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/topic/list.query", http.NoBody)
	must(t, err)
	res, err := browse(t, s).Do(req)
	must(t, err)
	_, err = io.CopyN(io.Discard, res.Body, 4096)
	must(t, err)
	cancel()
	if err := res.Body.Close(); err != nil {
		t.Log(err)
	}
	until(t, func() bool { return s.InFlight() == 0 })
}

// A flood that nobody reads to its end is no matter.
func TestConsoleFloods(t *testing.T) {
	s := startConsole(t, withShop(t, Options{}), ConsoleOptions{})
	s.Inject(ConsoleFault{Effect: ConsoleFlood(500 << 20)})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/topic/list.query", http.NoBody)
	must(t, err)
	res, err := browse(t, s).Do(req)
	must(t, err)
	_, err = io.CopyN(io.Discard, res.Body, 8<<20)
	must(t, err)
	must(t, res.Body.Close())
	until(t, func() bool { return s.InFlight() == 0 })
}
