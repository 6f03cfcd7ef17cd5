package console

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
)

// as200 makes a console of 2.1.1 answer as one of 2.0.0: its list of groups is no
// cache, and it reads the first broker that it is told
// (ConsumerServiceImpl of 2.0.0).
func as200(t *testing.T, c *fakemq.Console) *httptest.Server {
	t.Helper()
	target, err := url.Parse(c.URL())
	if err != nil {
		t.Fatal(err)
	}
	updated := regexp.MustCompile(`,"updateTime":"[^"]*"`)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			q := r.Out.URL.Query()
			if addr, _, several := strings.Cut(q.Get("address"), ","); several {
				q.Set("address", addr)
			}
			r.Out.URL.RawQuery = q.Encode()
		},
		ModifyResponse: func(resp *http.Response) error {
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				return err
			}
			body = updated.ReplaceAll(body, nil)
			resp.Body = io.NopCloser(bytes.NewReader(body))
			resp.ContentLength = int64(len(body))
			resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
			return nil
		},
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	return s
}

// TestOneBrokerACall: 2.0.0 takes one broker a call, and says nothing when it is
// told more.
func TestOneBrokerACall(t *testing.T) {
	t.Parallel()
	st := &stage{t: t}
	st.Stage = sourcetest.Start(t, fakemq.Options{Clusters: []fakemq.ClusterOptions{{Brokers: twoBrokers}}}, source.Selection{},
		func(tb testing.TB, mq *fakemq.Cluster, sel source.Selection) source.Source {
			st.console = startConsole(tb, mq, fakemq.ConsoleOptions{})
			src, err := New(eager(Options{URL: as200(t, st.console).URL, Selection: sel}))
			if err != nil {
				tb.Fatal(err)
			}
			st.src = src
			return src
		})
	st.Shop()
	st.whole("first")
	if st.src.list.flavour != addressed {
		t.Errorf("flavour %d", st.src.list.flavour)
	}
	st.More()
	st.whole("later")
	if n := st.console.Requests()[pathRefresh]; n > 0 {
		t.Errorf("%d calls of a path that it does not have", n)
	}
}

// TestConsoleChanges: another release behind the same URL is found out from
// answers that no longer fit.
func TestConsoleChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, from, to fakemq.ConsoleRelease }{
		{"newer", fakemq.Console100, fakemq.Console211},
		{"older", fakemq.Console211, fakemq.Console100},
	} {
		t.Run(string(c.name), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, fakemq.ConsoleOptions{Release: c.from}, twoBrokers, func(o *Options) { o.GroupRounds = 6 })
			s.Shop()
			s.whole("before")
			other := startConsole(t, s.MQ, fakemq.ConsoleOptions{Release: c.to})
			target, err := url.Parse(other.URL())
			if err != nil {
				t.Fatal(err)
			}
			s.src.client.base = target
			before := s.src.list.flavour
			s.More()
			s.Collect()
			s.whole("a round later")
			for range 6 {
				s.Collect()
			}
			s.whole("after")
			if s.src.list.flavour == before {
				t.Errorf("flavour is still %d", before)
			}
		})
	}
}

// TestEscaping: names come to the console as they are.
func TestEscaping(t *testing.T) {
	t.Parallel()
	var got atomic.Pointer[url.Values]
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		got.Store(&q)
		if strings.Contains(req.RequestURI, "+") || strings.Contains(req.RequestURI, " ") {
			t.Errorf("target %q", req.RequestURI)
		}
		_, _ = w.Write([]byte(`{"status":0,"data":null,"errMsg":null}`))
	}))
	defer web.Close()
	src, err := New(Options{URL: strings.TrimPrefix(web.URL, "http://") + "/a b/"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	for _, name := range []string{"%RETRY%billing", "a b+c", `quote"d'`, "订单-组", "a&b=c;d", "100%", "ns%group|1", "x#y?z/w"} {
		err := src.client.get(t.Context(), src.opts.CallTimeout, pathRows, url.Values{"consumerGroup": {name}, "address": {"10.0.0.1:10911,10.0.0.2:10911"}}, (*decoder).skip)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if q := got.Load(); q.Get("consumerGroup") != name || q.Get("address") != "10.0.0.1:10911,10.0.0.2:10911" {
			t.Errorf("%q came as %q", name, q)
		}
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.0.0.1:8080":              "http://10.0.0.1:8080",
		"console":                    "http://console",
		" http://console/ ":          "http://console",
		"https://console/rmq/":       "https://console/rmq",
		"http://console:8080/#/ops":  "http://console:8080",
		"http://[::1]:8080/a%20b":    "http://[::1]:8080/a%20b",
		"":                           "",
		"ftp://console":              "",
		"http://":                    "",
		"http://u:p@console":         "",
		"http://console/?a=b":        "",
		"http://con sole:8080":       "",
		"http://console:8080:8080/x": "",
	} {
		u, err := parseURL(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is believed", text)
		case want != "" && (err != nil || u.String() != want):
			t.Errorf("%q: %v, %v; want %q", text, u, err, want)
		}
	}
}
