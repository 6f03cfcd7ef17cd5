package app

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// rewritten is an App whose file the test writes anew.
type rewritten struct {
	*App

	t    *testing.T
	text atomic.Pointer[string]
	log  syncBuffer
}

func newRewritten(t *testing.T, text string) *rewritten {
	t.Helper()
	r := &rewritten{t: t}
	r.text.Store(&text)
	valid, err := r.read()
	must(t, err)
	r.App = newApp(t, valid, &r.log)
	r.Reloads(r.read, func(level string) { fmt.Fprintf(&r.log, "level is %s\n", level) })
	return r
}

func (r *rewritten) read() (config.Valid, error) {
	return config.Load(config.Sources{
		File:   config.ParseFile("mq.yml", []byte(*r.text.Load())),
		Getenv: func(string) string { return "" },
	})
}

func (r *rewritten) rewrite(text string) error {
	r.text.Store(&text)
	return r.Reload()
}

// scrape asks the App itself.
func (r *rewritten) scrape(path string) series {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		r.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return parse(r.t, w.Body)
}

func (r *rewritten) has(key string) bool {
	_, ok := r.scrape("/metrics")[key]
	return ok
}

func up(cluster string) string { return `rocketmq_up{cluster="` + cluster + `"}` }

func rounds(cluster string) string {
	return `rocketmq_exporter_rounds_total{cluster="` + cluster + `",result="ok"}`
}

const (
	reloaded   = "rocketmq_exporter_config_last_reload_successful{}"
	reloadedAt = "rocketmq_exporter_config_last_reload_success_timestamp_seconds{}"
)

// connections is how many a cluster's nodes have.
func connections(mq *fakemq.Cluster) int {
	n := 0
	for _, node := range mq.Nodes() {
		n += node.Connections()
	}
	return n
}

func TestReload(t *testing.T) {
	same, changed, gone, fresh := small(t, "DefaultCluster", 5), small(t, "DefaultCluster", 6), small(t, "DefaultCluster", 7), small(t, "DefaultCluster", 8)
	l := listener(t)
	r := newRewritten(t, "clusters:\n"+entry("same", same, "")+entry("changed", changed, "")+entry("gone", gone, ""))
	running := run(t, r.App, l)
	for _, name := range []string{"same", "changed", "gone"} {
		eventually(t, "two rounds of "+name, func() bool { return r.scrape("/metrics")[rounds(name)] >= 2 })
	}
	before := r.scrape("/metrics")
	kept, replaced := r.targets()[0], r.targets()[1]
	before.want(t, series{reloaded: 1, up("gone"): 1})

	must(t, r.rewrite("clusters:\n"+entry("fresh", fresh, "")+entry("changed", changed, ", topics: {system: true}")+entry("same", same, ", limits: {series: 1000}")))
	// At once: what is gone has no series, what is read anew has its last ones.
	s := r.scrape("/metrics")
	for k := range s {
		if strings.Contains(k, `cluster="gone"`) {
			t.Errorf("it is still there: %s", k)
		}
	}
	consumed := key("rocketmq_consumergroup_consumed_messages_total", map[string]string{"cluster": "changed", "topic": "orders", "consumerGroup": "billing"})
	s.want(t, series{up("same"): 1, up("changed"): 1, reloaded: 1, consumed: before[consumed], `rocketmq_msg_diff_topic{cluster="changed",topic="orders"}`: 6})
	for _, name := range []string{"same", "changed"} {
		if s[rounds(name)] < before[rounds(name)] {
			t.Errorf("%s counts anew: %v after %v", name, s[rounds(name)], before[rounds(name)])
		}
	}
	if s[reloadedAt] < before[reloadedAt] {
		t.Errorf("reloaded at %v, started at %v", s[reloadedAt], before[reloadedAt])
	}
	if r.targets()[2] != kept || r.targets()[1] == replaced {
		t.Error("the wrong target was made anew")
	}

	// What is consumed meanwhile is counted on.
	_, err := changed.Consume("billing", "orders", 2)
	must(t, err)
	eventually(t, "the new one is read", func() bool { return r.scrape("/metrics")[rounds("fresh")] >= 1 })
	eventually(t, "the changed one is read on", func() bool { return r.scrape("/metrics")[consumed] == before[consumed]+2 })
	eventually(t, "nobody asks the one that is gone", func() bool { return connections(gone) == 0 })
	r.scrape("/metrics").want(t, series{up("fresh"): 1, `rocketmq_msg_diff_topic{cluster="changed",topic="orders"}`: 4})
	if log := r.log.String(); !strings.Contains(log, "added=[fresh] changed=[changed] removed=[gone] same=1") {
		t.Errorf("the log does not say it:\n%s", log)
	}
	must(t, running.end())
	if err := r.Reload(); err == nil || !strings.Contains(err.Error(), "ending") {
		t.Errorf("a reload after the end: %v", err)
	}
	eventually(t, "all connections are closed", func() bool { return connections(same)+connections(changed)+connections(fresh) == 0 })
}

func TestABadFileChangesNothing(t *testing.T) {
	mq := small(t, "DefaultCluster", 5)
	l := listener(t)
	r := newRewritten(t, "clusters:\n"+entry("east", mq, ""))
	running := run(t, r.App, l)
	eventually(t, "a round", func() bool { return r.has(up("east")) })
	kept, at := r.targets()[0], r.scrape("/metrics")[reloadedAt]
	err := r.rewrite("clusters:\n- {name: west, namesrv: [nowhere]}\n")
	if err == nil || !strings.Contains(err.Error(), `mq.yml:2: clusters[0].namesrv: "nowhere" is no address`) {
		t.Fatalf("%v", err)
	}
	s := r.scrape("/metrics")
	s.want(t, series{reloaded: 0, reloadedAt: at, up("east"): 1})
	if r.targets()[0] != kept || !strings.Contains(r.log.String(), "The settings were not reloaded; the old ones stay") {
		t.Errorf("it is another target, or the log says nothing:\n%s", r.log.String())
	}
	eventually(t, "it is read on", func() bool { return r.scrape("/metrics")[rounds("east")] > s[rounds("east")] })
	must(t, r.rewrite("clusters:\n"+entry("east", mq, "")))
	if s := r.scrape("/metrics"); s[reloaded] != 1 || s[reloadedAt] < at || r.targets()[0] != kept {
		t.Errorf("%v at %v", s[reloaded], s[reloadedAt])
	}
	must(t, running.end())
}

// What only changes how a cluster is shown counts at once, without a round.
func TestReloadOfWhatIsShown(t *testing.T) {
	mq := small(t, "DefaultCluster", 5)
	r := newRewritten(t, "clusters:\n"+entry("east", mq, ""))
	stepped{r.App, t}.round()
	kept := r.targets()[0]
	t.Cleanup(func() { _ = kept.src.Close() })
	row := key("rocketmq_msg_diff_detail", map[string]string{
		"cluster": "east", "topic": "orders", "consumerGroup": "billing", "broker": "", "queueId": "", "consumerClientIP": "", "consumerClientPID": "",
	})
	for _, c := range []struct {
		more  string
		there map[string]bool
		link  bool
	}{
		{", metrics: {detail: group}", map[string]bool{row: true}, false},
		{"", map[string]bool{row: false, up("east"): true}, false},
		{", metrics: {disable: up}", map[string]bool{up("east"): false}, false},
		{", console_link: https://console.example/", map[string]bool{up("east"): true}, true},
	} {
		must(t, r.rewrite("clusters:\n"+entry("east", mq, c.more)))
		for k, want := range c.there {
			if r.has(k) != want {
				t.Errorf("%s: %s is there: %v", c.more, k, !want)
			}
		}
		if page := (stepped{r.App, t}).get("/").Body.String(); strings.Contains(page, "console.example") != c.link {
			t.Errorf("%s: the page's link is there: %v", c.more, !c.link)
		}
	}
	if r.targets()[0] != kept {
		t.Error("it is read anew")
	}
}

func TestReloadOfWhatConcernsTheWholeProcess(t *testing.T) {
	mq := small(t, "DefaultCluster", 5)
	clusters := "clusters:\n" + entry("east", mq, "")
	r := newRewritten(t, clusters)
	stepped{r.App, t}.round()
	t.Cleanup(func() { _ = r.targets()[0].src.Close() })
	must(t, r.rewrite("metrics: {prefix: mq}\nlog: {level: warn}\nweb: {telemetry_path: /other, listen_address: \":1\", pprof_address: localhost:6060}\n"+clusters))
	if s := r.scrape("/other"); s[`mq_up{cluster="east"}`] != 1 || s["mq_exporter_config_last_reload_successful{}"] != 1 {
		t.Errorf("%v", s)
	}
	if w := (stepped{r.App, t}).get("/metrics"); w.Code != http.StatusNotFound {
		t.Errorf("the old path: %d", w.Code)
	}
	for _, want := range []string{"level is warn", "setting=web.listen_address", "setting=web.pprof_address"} {
		if strings.Count(r.log.String(), want) != 1 {
			t.Errorf("the log does not have %q once:\n%s", want, r.log.String())
		}
	}
	must(t, r.rewrite(clusters))
	if strings.Count(r.log.String(), "restart to have it") != 2 {
		t.Errorf("settings are those of the start again, and the log complains:\n%s", r.log.String())
	}
}

// A cluster that is changed and dead shows what it last showed only until its
// own first round has told otherwise.
func TestAClusterThatMovesAway(t *testing.T) {
	mq, dead := small(t, "DefaultCluster", 5), small(t, "DefaultCluster", 6)
	dead.NameServer(0).Stop()
	l := listener(t)
	r := newRewritten(t, "clusters:\n"+entry("east", mq, ""))
	running := run(t, r.App, l)
	eventually(t, "a round", func() bool { return r.has(up("east")) })
	must(t, r.rewrite("clusters:\n"+entry("east", dead, "")))
	eventually(t, "the new one cannot be reached", func() bool {
		s := r.scrape("/metrics")
		return s[up("east")] == 0 && len(s.of("rocketmq_msg_diff_topic")) == 0
	})
	must(t, running.end())
}

func TestReloadByHTTP(t *testing.T) {
	mq := small(t, "DefaultCluster", 5)
	clusters := "clusters:\n" + entry("east", mq, "")
	r := newRewritten(t, clusters)
	ask := func(method string) (int, string) {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(method, PathReload, nil))
		return w.Code, w.Body.String()
	}
	for _, c := range []struct {
		text, method string
		code         int
		body         string
	}{
		{clusters, http.MethodPost, 403, "Reloading by HTTP is off: --web.enable-lifecycle switches it on."},
		{clusters, http.MethodGet, 405, "Settings are reloaded by a POST."},
		{"web: {enable_lifecycle: true}\n" + clusters, "", 0, ""},
		{"web: {enable_lifecycle: true, max_scrapes: 7}\n" + clusters, http.MethodPost, 200, "Reloaded\n"},
		{"web: {enable_lifecycle: true, max_scrapes: 8}\n" + clusters, http.MethodPut, 200, "Reloaded\n"},
		{"web: {enable_lifecycle: true, max_scrapes: 0}\n" + clusters, http.MethodPost, 500, "mq.yml:1: web.max_scrapes: 0 is out of bounds: allowed are 1 to 1000"},
		{clusters, http.MethodGet, 405, ""},
	} {
		if c.method == "" {
			must(t, r.rewrite(c.text))
			continue
		}
		r.text.Store(&c.text)
		if code, body := ask(c.method); code != c.code || !strings.Contains(body, c.body) {
			t.Errorf("%s: %d %q, want %d %q", c.method, code, body, c.code, c.body)
		}
	}
	if got := r.current.Load().config.Web.MaxScrapes; got != 8 {
		t.Errorf("at most %d scrapes", got)
	}
}

func TestReloadWithNothingToReadFrom(t *testing.T) {
	a := newApp(t, settings(t, []string{"127.0.0.1:1"}), io.Discard)
	if err := a.Reload(); err == nil {
		t.Error("it was reloaded")
	}
	a.Reloads(func() (config.Valid, error) { return config.Valid{}, errors.New("no") }, nil)
	if err := a.Reload(); err == nil || err.Error() != "no" {
		t.Errorf("%v", err)
	}
}

// How long something must last to be a state counts from the next round on, and
// what was seen before counts too.
func TestReloadOfStates(t *testing.T) {
	mq := small(t, "DefaultCluster", 5)
	for _, id := range mq.ClientIDs("billing") {
		must(t, mq.KillConsumer("billing", id))
	}
	r := newRewritten(t, "clusters:\n"+entry("east", mq, ""))
	a := stepped{r.App, t}
	kept := a.targets()[0]
	t.Cleanup(func() { _ = kept.src.Close() })
	stopped := key("rocketmq_consumergroup_state", map[string]string{"cluster": "east", "topic": "orders", "consumerGroup": "billing", "state": "stopped"})
	a.round()
	a.scrape().want(t, series{stopped: 0})
	must(t, r.rewrite("clusters:\n"+entry("east", mq, ", states: {stopped: 1s}")))
	eventually(t, "it has stopped", func() bool { a.round(); return a.scrape()[stopped] == 1 })
	if a.targets()[0] != kept {
		t.Error("it is read anew")
	}
}

// What is read anew: a secret that was changed in its file counts as much as
// what the settings themselves say.
func TestWhatIsReadAnew(t *testing.T) {
	c := config.Cluster{
		Name: "east", Console: config.Console{URL: "https://mq", Username: "admin", Password: remoting.NewSecret("one"), TLS: config.TLS{CAFile: "ca.pem"}},
	}
	tgt, err := newTarget(c, nil)
	must(t, err)
	t.Cleanup(func() { _ = tgt.src.Close() })
	for name, test := range map[string]struct {
		edit func(*config.Cluster)
		same bool
	}{
		"nothing":       {func(*config.Cluster) {}, true},
		"a link":        {func(c *config.Cluster) { c.ConsoleLink = "https://mq" }, true},
		"limits":        {func(c *config.Cluster) { c.Limit, c.FamilyLimit = 1, 1 }, true},
		"a password":    {func(c *config.Cluster) { c.Console.Password = remoting.NewSecret("two") }, false},
		"an authority":  {func(c *config.Cluster) { c.Console.TLS.CA = "PEM" }, false},
		"a secret key":  {func(c *config.Cluster) { c.Access.SecretKey = remoting.NewSecret("two") }, false},
		"the interval":  {func(c *config.Cluster) { c.Interval = 1 }, false},
		"system topics": {func(c *config.Cluster) { c.System = true }, false},
		"the shard":     {func(c *config.Cluster) { c.Shard = config.Shard{Index: 1, Total: 2} }, false},
	} {
		changed := c
		test.edit(&changed)
		if got := tgt.readsAs(changed); got != test.same {
			t.Errorf("%s: reads the same is %v", name, got)
		}
	}
}
