package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
)

const probed = "rocketmq_exporter_probe_success{}"

func TestProbe(t *testing.T) {
	east, west, dead := small(t, "DefaultCluster", 5), small(t, "DefaultCluster", 7), small(t, "DefaultCluster", 9)
	dead.NameServer(0).Stop()
	r := newRewritten(t, "clusters:\n"+entry("east", east, "")+entry("west", west, ", probe_only: true")+entry("dead", dead, ""))
	a := stepped{r.App, t}
	t.Cleanup(func() {
		for _, tgt := range a.targets() {
			_ = tgt.src.Close()
		}
	})
	before := r.scrape("/probe?target=east")
	before.want(t, series{probed: 0, `rocketmq_exporter_rounds_total{cluster="east",result="ok"}`: 0})
	a.round()
	settle(t, a.targets()[0])
	asked := east.Requests()

	s := r.scrape("/probe?target=east")
	s.want(t, series{
		probed: 1, up("east"): 1, rounds("east"): 1,
		`rocketmq_msg_diff_topic{cluster="east",topic="orders"}`: 5,
	})
	for k := range s {
		if strings.Contains(k, "west") || strings.Contains(k, "dead") || strings.HasPrefix(k, "go_") || strings.HasPrefix(k, "process_") {
			t.Errorf("it is not of east: %s", k)
		}
	}
	r.scrape("/probe?target=west").want(t, series{probed: 1, up("west"): 1, `rocketmq_msg_diff_topic{cluster="west",topic="orders"}`: 7})
	r.scrape("/probe?target=dead").want(t, series{probed: 0, up("dead"): 0})
	for code, n := range east.Requests() {
		if asked[code] != n {
			t.Errorf("a probe asked the cluster for %v", code)
		}
	}

	// What is for probes only is not among the metrics of all, and on the page.
	all := r.scrape("/metrics")
	all.want(t, series{up("east"): 1, up("dead"): 0})
	for k := range all {
		if strings.Contains(k, "west") || k == probed {
			t.Errorf("it is among the metrics of all: %s", k)
		}
	}
	if page := a.get("/").Body.String(); !strings.Contains(page, "west") {
		t.Error("the page does not show west")
	}
	// The number of series is that of the last scrape of all.
	if n := all["rocketmq_exporter_series{}"]; n != r.scrape("/metrics")["rocketmq_exporter_series{}"] {
		t.Errorf("%v series", n)
	}

	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/probe":                      {400, "Which cluster? Wanted is target=NAME, of these: east, west, dead\n"},
		"/probe?target=":              {400, "Which cluster?"},
		"/probe?target=north":         {404, `The settings have no cluster "north". They have: east, west, dead`},
		"/probe?target=10.0.0.1:9876": {404, `no cluster "10.0.0.1:9876"`},
		"/probe?target=%3Cb%3E":       {404, `no cluster "<b>"`},
		"/probe?target=" + strings.ReplaceAll(dead.NameServers()[0], ":", "%3A"): {404, "no cluster"},
	} {
		w := a.get(path)
		if w.Code != want.code || !strings.Contains(w.Body.String(), want.text) || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %s %q, want %d %q", path, w.Code, w.Header().Get("Content-Type"), w.Body, want.code, want.text)
		}
	}

	// Whether it is for probes only is settled without reading it anew.
	kept := a.targets()[1]
	must(t, r.rewrite("clusters:\n"+entry("east", east, ", probe_only: true")+entry("west", west, "")+entry("dead", dead, "")))
	if all = r.scrape("/metrics"); all[up("west")] != 1 || a.targets()[1] != kept {
		t.Errorf("west: up %v, kept %v", all[up("west")], a.targets()[1] == kept)
	}
	r.scrape("/probe?target=east").want(t, series{probed: 1, up("east"): 1})
}

// One cluster without a name is called what it is read from.
func TestProbeOfAClusterWithoutAName(t *testing.T) {
	mq := start(t, fakemq.Options{})
	a := newStepped(t, settings(t, mq.NameServers()))
	a.round()
	if w := a.get("/probe?target=" + mq.NameServers()[0]); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
