package app

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func servedBy(file string) func(*config.Config) {
	return func(c *config.Config) { c.Web.ConfigFile = file }
}

// running is an App that Run runs.
type running struct {
	t      *testing.T
	cancel context.CancelFunc
	result chan error
	client *http.Client
}

func run(t *testing.T, a *App, listeners ...net.Listener) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, cancel: cancel, result: make(chan error, 1), client: newClient()}
	go func() { r.result <- a.Run(ctx, listeners) }()
	t.Cleanup(cancel)
	return r
}

// newClient has connections of its own, and trusts anybody.
func newClient() *http.Client {
	return &http.Client{
		Timeout:   patience,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
}

// end ends the App and returns what Run did.
func (r *running) end() error {
	r.t.Helper()
	r.cancel()
	return r.wait()
}

func (r *running) wait() error {
	r.t.Helper()
	r.client.CloseIdleConnections()
	select {
	case err := <-r.result:
		return err
	case <-time.After(patience):
		r.t.Fatalf("Run has not ended within %v", patience)
		return nil
	}
}

func (r *running) get(url string) (int, string) {
	r.t.Helper()
	resp, err := r.client.Get(url)
	must(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(r.t, err)
	return resp.StatusCode, string(body)
}

func (r *running) scrape(l net.Listener) series {
	r.t.Helper()
	code, body := r.get("http://" + l.Addr().String() + "/metrics")
	if code != http.StatusOK {
		r.t.Fatalf("/metrics: %d %s", code, body)
	}
	return parse(r.t, strings.NewReader(body))
}

func TestRunServesOnAllListenersAndEndsWell(t *testing.T) {
	mq := shop(t)
	one, two := listener(t), listener(t)
	r := run(t, newApp(t, settings(t, mq.NameServers()), io.Discard), one, two)
	for _, l := range []net.Listener{one, two} {
		eventually(t, "the first round", func() bool { return r.scrape(l)[`rocketmq_up{cluster="shop"}`] == 1 })
	}
	must(t, r.end())
	for _, l := range []net.Listener{one, two} {
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			_ = c.Close()
			t.Errorf("%v still listens", l.Addr())
		}
	}
}

func TestRunListensWhereTheFlagsSayWhenItHasNoListener(t *testing.T) {
	mq := shop(t)
	var log syncBuffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan error, 1)
	a := newApp(t, settings(t, mq.NameServers(), func(c *config.Config) { c.Web.Listen = []string{"127.0.0.1:0"} }), &log)
	go func() { result <- a.Run(ctx, nil) }()
	eventually(t, "it listens", func() bool { return strings.Contains(log.String(), `msg="Listening on" address=127.0.0.1:`) })
	cancel()
	must(t, <-result)
}

func TestItStartsWithoutAClusterAndFindsItLater(t *testing.T) {
	mq := shop(t)
	for _, n := range mq.Nodes() {
		n.Stop()
	}
	l := listener(t)
	var log syncBuffer
	r := run(t, newApp(t, settings(t, mq.NameServers()), &log), l)
	down := key("rocketmq_up", map[string]string{"cluster": mq.NameServers()[0]})
	eventually(t, "a round has failed", func() bool { v, ok := r.scrape(l)[down]; return ok && v == 0 })

	for _, n := range mq.Nodes() {
		must(t, n.Start())
	}
	eventually(t, "it has recovered by itself", func() bool {
		s := r.scrape(l)
		return s[`rocketmq_up{cluster="shop"}`] == 1 && s[`rocketmq_exporter_rounds_total{cluster="shop",result="ok"}`] > 0
	})
	must(t, r.end())
	for _, line := range []string{"Cannot be read", "No longer fails"} {
		if n := strings.Count(log.String(), line); n != 1 {
			t.Errorf("%q is logged %d times, want once:\n%s", line, n, log.String())
		}
	}
}

// hold lets requests wait in front of a handler.
type hold struct {
	http.Handler

	entered, open chan struct{}
}

func (h *hold) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.entered <- struct{}{}
	select {
	case <-h.open:
	case <-r.Context().Done():
	}
	h.Handler.ServeHTTP(w, r)
}

func holding(a *App) *hold {
	h := &hold{Handler: a.current.Load().handler, entered: make(chan struct{}), open: make(chan struct{})}
	a.current.Load().handler = h
	return h
}

func TestAScrapeUnderWayIsFinishedAtTheEnd(t *testing.T) {
	mq := shop(t)
	a := newApp(t, settings(t, mq.NameServers()), io.Discard)
	h := holding(a)
	l := listener(t)
	r := run(t, a, l)

	type answer struct {
		code int
		body string
	}
	answered := make(chan answer, 1)
	go func() {
		resp, err := r.client.Get("http://" + l.Addr().String() + "/metrics")
		if err != nil {
			answered <- answer{body: err.Error()}
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		answered <- answer{resp.StatusCode, fmt.Sprint(string(body), err)}
	}()
	<-h.entered
	r.cancel()
	eventually(t, "new connections are refused", func() bool {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	select {
	case err := <-r.result:
		t.Fatalf("Run did not wait for the scrape: %v", err)
	default:
	}
	close(h.open)
	if got := <-answered; got.code != http.StatusOK || !strings.Contains(got.body, "go_goroutines") {
		t.Errorf("the scrape under way got %d %.300s", got.code, got.body)
	}
	must(t, r.wait())
}

func TestAClientThatDoesNotLeaveHoldsNobodyUp(t *testing.T) {
	var log syncBuffer
	a := newApp(t, settings(t, []string{"127.0.0.1:1"}), &log)
	a.grace = 50 * time.Millisecond
	h := holding(a)
	l := listener(t)
	r := run(t, a, l)
	c, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
	must(t, err)
	<-h.entered
	// That a client is slow is no failure of the exporter.
	must(t, r.end())
	if !strings.Contains(log.String(), "Requests under way were cut off") {
		t.Errorf("the log does not say it:\n%s", log.String())
	}
}

func TestAListenerThatFailsEndsAll(t *testing.T) {
	good, bad := listener(t), listener(t)
	must(t, bad.Close())
	r := run(t, newApp(t, settings(t, []string{"127.0.0.1:1"}), io.Discard), good, bad)
	if err := r.wait(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run returned %v, want the listener's error", err)
	}
	if c, err := net.Dial("tcp", good.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("the other one still listens")
	}
}

func TestABadWebConfigEndsAllAndClosesTheListeners(t *testing.T) {
	l := listener(t)
	r := run(t, newApp(t, settings(t, []string{"127.0.0.1:1"}, servedBy(filepath.Join(t.TempDir(), "missing.yml"))), io.Discard), l)
	if err := r.wait(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Run returned %v", err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	mq := shop(t)
	addConsumer(t, mq, "billing", fakemq.Consumer{Mute: true})
	before := ours()
	l := listener(t)
	r := run(t, newApp(t, settings(t, mq.NameServers()), io.Discard), l)
	eventually(t, "the first round", func() bool { return r.scrape(l)[`rocketmq_up{cluster="shop"}`] == 1 })
	if ours() == before {
		t.Fatal("the test does not see the exporter's goroutines")
	}
	must(t, r.end())
	eventually(t, "all goroutines have ended", func() bool { return ours() <= before })
}

// ours counts the goroutines of the exporter: those of the fake run on.
func ours() int {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	n := 0
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(g, "/rocketmq_exporter/") && !strings.Contains(g, "/fakemq.") && !strings.Contains(g, "testing.tRunner") {
			n++
		}
	}
	return n
}

// webConfig writes a file for --web.config.file.
func webConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "web.yml")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// alicesPassword is "secret", hashed with bcrypt at its lowest cost.
const alicesPassword = "$2a$04$EDa2otIu7wQxnYvCWSlYxuoCr3Vjmb42v7euveIJRvyoxIRgBD9y2"

// everyPath is what is served to read.
func everyPath(mq *fakemq.Cluster) []string {
	return []string{"/metrics", "/", "/style.css", "/-/healthy", "/-/ready", PathProbe + "?target=" + mq.NameServers()[0]}
}

func TestBasicAuth(t *testing.T) {
	mq := shop(t)
	one, two := listener(t), listener(t)
	file := webConfig(t, "basic_auth_users:\n  alice: "+alicesPassword+"\n")
	r := run(t, newApp(t, settings(t, mq.NameServers(), servedBy(file)), io.Discard), one, two)
	eventually(t, "it is ready", func() bool {
		code, _ := r.get("http://alice:secret@" + one.Addr().String() + "/-/ready")
		return code == http.StatusOK
	})
	for _, l := range []net.Listener{one, two} {
		if resp, err := r.client.Post("http://"+l.Addr().String()+PathReload, "", nil); err != nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("a reload without a user: %v, %v", resp, err)
		} else {
			_ = resp.Body.Close()
		}
		for _, c := range []struct {
			userinfo string
			want     int
		}{{"", 401}, {"alice:wrong@", 401}, {"bob:secret@", 401}, {"alice:secret@", 200}} {
			for _, path := range everyPath(mq) {
				if code, body := r.get("http://" + c.userinfo + l.Addr().String() + path); code != c.want {
					t.Errorf("%s as %q: %d %.100s, want %d", path, c.userinfo, code, body, c.want)
				}
			}
		}
	}
	must(t, r.end())
}

func TestTLS(t *testing.T) {
	mq := shop(t)
	dir := t.TempDir()
	writeCertificate(t, dir)
	file := filepath.Join(dir, "web.yml")
	must(t, os.WriteFile(file, []byte("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"), 0o600))
	one, two := listener(t), listener(t)
	var log syncBuffer
	r := run(t, newApp(t, settings(t, mq.NameServers(), servedBy(file)), &log), one, two)
	for _, l := range []net.Listener{one, two} {
		eventually(t, "it is ready", func() bool {
			code, _ := r.get("https://" + l.Addr().String() + "/-/ready")
			return code == http.StatusOK
		})
		for _, path := range everyPath(mq) {
			if code, body := r.get("https://" + l.Addr().String() + path); code != http.StatusOK || path == "/metrics" && !strings.Contains(body, "go_goroutines") {
				t.Errorf("%s: %d %.100s", path, code, body)
			}
		}
	}
	// A client that speaks no TLS is told so, and logged like everything else.
	c, err := net.Dial("tcp", one.Addr().String())
	must(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET /metrics HTTP/1.0\r\n\r\n")
	must(t, err)
	if line, _ := bufio.NewReader(c).ReadString('\n'); !strings.Contains(line, "400") {
		t.Errorf("plain HTTP got %q", line)
	}
	eventually(t, "the failed handshake is logged", func() bool {
		return strings.Contains(log.String(), `level=WARN msg="http: TLS handshake error`)
	})
	must(t, r.end())
}

func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: der},
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
}

func TestTooManyScrapesAreRefusedAndCounted(t *testing.T) {
	a := newApp(t, settings(t, []string{"127.0.0.1:1"}, func(c *config.Config) { c.Web.MaxScrapes = 1 }), io.Discard)
	tgt := stepped{a, t}
	tgt.scrape().lacks(t, `rocketmq_exporter_errors_total{cluster="",reason="scrape_busy"}`)

	// A scrape whose client does not read keeps its place.
	w := &stuckWriter{header: make(http.Header), writing: make(chan struct{}), open: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		req, _ := http.NewRequest(http.MethodGet, "/metrics", http.NoBody)
		a.ServeHTTP(w, req)
	}()
	<-w.writing
	if got := tgt.get("/metrics"); got.Code != http.StatusServiceUnavailable {
		t.Errorf("a second scrape got %d", got.Code)
	}
	close(w.open)
	<-ended
	tgt.scrape().want(t, series{`rocketmq_exporter_errors_total{cluster="",reason="scrape_busy"}`: 1})
}

// stuckWriter blocks the first write until it is opened.
type stuckWriter struct {
	header        http.Header
	writing, open chan struct{}
	stuck         bool
}

func (w *stuckWriter) Header() http.Header { return w.header }
func (w *stuckWriter) WriteHeader(int)     {}
func (w *stuckWriter) Write(p []byte) (int, error) {
	if !w.stuck {
		w.stuck = true
		close(w.writing)
		<-w.open
	}
	return len(p), nil
}
