package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
)

// asExporter makes the test binary the exporter, so that tests see what a
// process does: exit codes, signals, what it writes where.
const asExporter = "TEST_BINARY_IS_THE_EXPORTER"

func TestMain(m *testing.M) {
	if os.Getenv(asExporter) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// patience bounds how long a test waits for something that happens soon.
const patience = 60 * time.Second

// syncBuffer is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// process is a running exporter.
type process struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr syncBuffer
	ended          chan struct{}
	err            error // once it has ended
}

// start starts an exporter with nothing but env in its environment.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], args...), ended: make(chan struct{})}
	p.cmd.Env = append([]string{asExporter + "=1", "GOCOVERDIR=" + t.TempDir()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// eventually waits until ok is true.
func (p *process) eventually(what string, ok func() bool) {
	p.t.Helper()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-deadline:
			p.t.Fatalf("not within %v: %s\nstdout:\n%s\nstderr:\n%s", patience, what, p.stdout.String(), p.stderr.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// wait returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("it has not ended within %v\nstderr:\n%s", patience, p.stderr.String())
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		p.t.Fatal(p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// endWell sends a signal, upon which it must end with 0, and before the patience
// of the test does.
func (p *process) endWell(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	if code := p.wait(); code != 0 {
		p.t.Errorf("%v ended it with %d\nstderr:\n%s", sig, code, p.stderr.String())
	}
}

// url is where it serves.
func (p *process) url() string {
	p.t.Helper()
	listening := regexp.MustCompile(`"?Listening on"?,?.*address"?[=:]"?(127\.0\.0\.1:\d+)`)
	var addr string
	p.eventually("it listens", func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("it ended: %v\nstderr:\n%s", p.err, p.stderr.String())
		default:
		}
		m := listening.FindStringSubmatch(p.stderr.String())
		if m != nil {
			addr = m[1]
		}
		return m != nil
	})
	return "http://" + addr
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// values are the values of all series whose line begins so.
func values(t *testing.T, metrics, begin string) []float64 {
	t.Helper()
	var list []float64
	for line := range strings.SplitSeq(metrics, "\n") {
		if strings.HasPrefix(line, begin) {
			v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			list = append(list, v)
		}
	}
	return list
}

func sum(list []float64) float64 {
	total := 0.0
	for _, v := range list {
		total += v
	}
	return total
}

// is says whether there is one such series, with this value.
func is(t *testing.T, metrics, begin string, want float64) bool {
	t.Helper()
	list := values(t, metrics, begin)
	return len(list) == 1 && list[0] == want
}

func cluster(t *testing.T) *fakemq.Cluster {
	t.Helper()
	mq, err := fakemq.Start(fakemq.Options{Clusters: []fakemq.ClusterOptions{{Name: "east"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mq.Close)
	return mq
}

func TestSignalsEndItWellAndSoon(t *testing.T) {
	t.Parallel()
	mq := cluster(t)
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		p := start(t, nil, "--namesrv="+mq.NameServers()[0], "--web.listen-address=127.0.0.1:0")
		url := p.url()
		p.eventually("the first round", func() bool {
			_, metrics := get(t, url+"/metrics")
			return is(t, metrics, `rocketmq_up{cluster="east"}`, 1)
		})
		p.endWell(sig)
		if p.stdout.String() != "" {
			t.Errorf("it wrote to stdout:\n%s", p.stdout.String())
		}
	}
}

func TestASignalEndsItBeforeAnythingAnswers(t *testing.T) {
	t.Parallel()
	mq := cluster(t)
	mq.NameServer(0).SetMode(fakemq.Silent)
	p := start(t, nil, "--namesrv="+mq.NameServers()[0], "--web.listen-address=127.0.0.1:0")
	p.url()
	p.eventually("it is asking", func() bool { return mq.NameServer(0).Connections() > 0 })
	p.endWell(syscall.SIGTERM)
}

func TestAPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().String()
	for _, args := range [][]string{{"--namesrv=127.0.0.1:1"}, {"demo"}} {
		p := start(t, nil, append(args, "--web.listen-address=127.0.0.1:0", "--web.listen-address="+addr)...)
		if code := p.wait(); code != 1 {
			t.Errorf("%v: exit code %d, want 1", args, code)
		}
		want := "rocketmq_exporter: --web.listen-address=" + addr + ": listen tcp " + addr + ": bind: address already in use\n"
		if got := p.stderr.String(); got != want {
			t.Errorf("%v: stderr\n%s\nwant\n%s", args, got, want)
		}
	}
	p := start(t, nil, "demo", "--web.listen-address=127.0.0.1:0", "--demo.namesrv-address="+addr)
	if code := p.wait(); code != 1 || !strings.Contains(p.stderr.String(), "--demo.namesrv-address="+addr) {
		t.Errorf("demo: exit code %d, stderr\n%s", code, p.stderr.String())
	}
}

func TestMistakesEndItWithOne(t *testing.T) {
	t.Parallel()
	p := start(t, []string{"ROCKETMQ_EXPORTER_COLLECT_WINDOW=0"})
	if code := p.wait(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	want := "rocketmq_exporter: 2 mistakes in the settings:\n" +
		"  " + noSource + "\n" +
		"  --collect.window: 0 is out of bounds: allowed are 1 to 256\n"
	if got := p.stderr.String(); got != want || p.stdout.String() != "" {
		t.Errorf("stderr\n%s\nwant\n%s\nstdout %q", got, want, p.stdout.String())
	}
}

func TestCheckConfigEndsWithItsVerdict(t *testing.T) {
	t.Parallel()
	good := write(t, "good.yml", "clusters:\n- {name: a, namesrv: [127.0.0.1:1]}\n")
	bad := write(t, "bad.yml", "clusters:\n- {name: a, namesrv: [127.0.0.1]}\n")
	for file, want := range map[string]int{good: 0, bad: 1} {
		p := start(t, nil, "--config.file="+file, "--check-config", "--web.listen-address=127.0.0.1:0")
		if code := p.wait(); code != want {
			t.Errorf("%s: exit code %d, want %d: %s", file, code, want, p.stderr.String())
		}
	}
}

func TestSeveralClustersFromAFile(t *testing.T) {
	t.Parallel()
	mq, console := shopConsole(t, fakemq.ConsoleOptions{User: "admin", Password: password})
	file := write(t, "mq.yml", `
web: {listen_address: ["127.0.0.1:0"]}
log: {level: warn}
clusters:
- {name: direct, namesrv: [`+mq.NameServers()[0]+`]}
- {name: console, console: {url: "`+console.URL()+`", username: admin, password_env: THE_PASSWORD}}
`)
	p := start(t, []string{"THE_PASSWORD=" + password, "ROCKETMQ_EXPORTER_LOG_LEVEL=info"}, "--config.file="+file)
	url := p.url()
	p.eventually("both agree", func() bool {
		_, metrics := get(t, url+"/metrics")
		return is(t, metrics, `rocketmq_msg_diff_topic{cluster="direct",topic="orders"}`, 60) &&
			is(t, metrics, `rocketmq_msg_diff_topic{cluster="console",topic="orders"}`, 60)
	})
	showsNoPassword(t, p, url)
	p.endWell(syscall.SIGTERM)
}

func TestSIGHUPReloads(t *testing.T) {
	t.Parallel()
	east, west := cluster(t), cluster(t)
	clusters := func(name string, mq *fakemq.Cluster) string {
		return "clusters:\n- {name: " + name + ", namesrv: [" + mq.NameServers()[0] + "]}\n"
	}
	file := write(t, "mq.yml", clusters("one", east))
	p := start(t, nil, "--config.file="+file, "--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle")
	url := p.url()
	shows := func(name string, up float64) func() bool {
		return func() bool {
			_, metrics := get(t, url+"/metrics")
			return is(t, metrics, `rocketmq_up{cluster="`+name+`"}`, up)
		}
	}
	rewrite := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hangUp := func() {
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	p.eventually("the first cluster", shows("one", 1))
	rewrite(clusters("two", west))
	hangUp()
	p.eventually("the second one", shows("two", 1))
	rewrite("clusters: none")
	hangUp()
	p.eventually("the bad file is noted", func() bool {
		_, metrics := get(t, url+"/metrics")
		return is(t, metrics, "rocketmq_exporter_config_last_reload_successful", 0) && is(t, metrics, `rocketmq_up{cluster="two"}`, 1)
	})
	rewrite("log: {level: error}\n" + clusters("three", east))
	resp, err := http.Post(url+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("/-/reload: %d", resp.StatusCode)
	}
	p.eventually("the third one", shows("three", 1))
	quiet := len(p.stderr.String())
	p.endWell(syscall.SIGTERM)
	if rest := p.stderr.String()[quiet:]; strings.Contains(rest, "level=INFO") {
		t.Errorf("the level of the log has not changed:\n%s", rest)
	}
}

func TestProfilesAreServedApart(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "--namesrv=127.0.0.1:1", "--web.listen-address=127.0.0.1:0", "--web.pprof-address=127.0.0.1:0")
	serving := regexp.MustCompile(`msg="Serving profiles" address=(127\.0\.0\.1:\d+)`)
	var m []string
	p.eventually("profiles are served", func() bool { m = serving.FindStringSubmatch(p.stderr.String()); return m != nil })
	for url, want := range map[string]int{
		"http://" + m[1] + "/debug/pprof/":                  200,
		"http://" + m[1] + "/debug/pprof/goroutine?debug=1": 200,
		"http://" + m[1] + "/metrics":                       404,
		p.url() + "/debug/pprof/":                           404,
		p.url() + "/debug/pprof/goroutine":                  404,
	} {
		if code, _ := get(t, url); code != want {
			t.Errorf("%s: %d, want %d", url, code, want)
		}
	}
	p.endWell(syscall.SIGTERM)

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	p = start(t, nil, "--namesrv=127.0.0.1:1", "--web.listen-address=127.0.0.1:0", "--web.pprof-address="+addr)
	if code := p.wait(); code != 1 || !strings.Contains(p.stderr.String(), "--web.pprof-address="+addr+": listen tcp") {
		t.Errorf("exit code %d, stderr\n%s", code, p.stderr.String())
	}
}

func TestNamesThatDoNotResolveAndPortsThatRefuse(t *testing.T) {
	t.Parallel()
	// The first is no name at all, so that nobody need be asked for it.
	p := start(t, []string{"GODEBUG=netdns=go"},
		"--namesrv=no..such..name:9876,127.0.0.1:1", "--web.listen-address=127.0.0.1:0", "--collect.interval=1s")
	url := p.url()
	var metrics string
	p.eventually("three rounds", func() bool {
		_, metrics = get(t, url+"/metrics")
		failed := values(t, metrics, `rocketmq_exporter_rounds_total{cluster="no..such..name:9876;127.0.0.1:1",result="failed"}`)
		return len(failed) == 1 && failed[0] >= 3
	})
	for begin, want := range map[string]float64{
		`rocketmq_up{cluster="no..such..name:9876;127.0.0.1:1"}`:                                          0,
		`rocketmq_nameserver_up{cluster="no..such..name:9876;127.0.0.1:1",address="no..such..name:9876"}`: 0,
		`rocketmq_nameserver_up{cluster="no..such..name:9876;127.0.0.1:1",address="127.0.0.1:1"}`:         0,
	} {
		if !is(t, metrics, begin, want) {
			t.Errorf("%s is not %v:\n%s", begin, want, metrics)
		}
	}
	for _, reason := range []string{"resolve", "connect"} {
		if n := sum(values(t, metrics, `rocketmq_exporter_errors_total{cluster="no..such..name:9876;127.0.0.1:1",reason="`+reason+`"}`)); n < 3 {
			t.Errorf("%v failures to %s in three rounds", n, reason)
		}
		if n := strings.Count(p.stderr.String(), "reason="+reason); n != 1 {
			t.Errorf("%s is logged %d times, want once:\n%s", reason, n, p.stderr.String())
		}
	}
	for path, want := range map[string]int{"/": 200, "/-/ready": 200, "/-/healthy": 200} {
		if code, _ := get(t, url+path); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	p.endWell(syscall.SIGTERM)
}

func TestSettingsFromTheEnvironment(t *testing.T) {
	t.Parallel()
	mq := cluster(t)
	p := start(t, []string{
		"ROCKETMQ_EXPORTER_NAMESRV=" + mq.NameServers()[0],
		"ROCKETMQ_EXPORTER_WEB_LISTEN_ADDRESS=127.0.0.1:0",
		"ROCKETMQ_EXPORTER_METRICS_PREFIX=fromenv",
		"ROCKETMQ_EXPORTER_WEB_TELEMETRY_PATH=/from/env",
		"ROCKETMQ_EXPORTER_COLLECT_INTERVAL=",
		"ROCKETMQ_EXPORTER_LOG_FORMAT=json",
	}, "--web.telemetry-path=/from/flag")
	url := p.url()
	p.eventually("the first round", func() bool {
		_, metrics := get(t, url+"/from/flag")
		return is(t, metrics, `fromenv_up{cluster="east"}`, 1)
	})
	if code, _ := get(t, url+"/from/env"); code != http.StatusNotFound {
		t.Errorf("the environment has beaten the flag: %d", code)
	}
	p.endWell(syscall.SIGTERM)
	// The format is that of all that it logs.
	for line := range strings.Lines(p.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestLogfmtIsTheDefaultAndTheLevelCounts(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "--namesrv=127.0.0.1:1", "--web.listen-address=127.0.0.1:0")
	p.url()
	p.eventually("the failure is logged", func() bool { return strings.Contains(p.stderr.String(), "reason=connect") })
	p.endWell(syscall.SIGTERM)
	for line := range strings.Lines(p.stderr.String()) {
		if !regexp.MustCompile(`^time=\S+ level=(INFO|WARN) source=\S+ msg=`).MatchString(line) {
			t.Errorf("no logfmt: %s", line)
		}
	}
	if !strings.Contains(p.stderr.String(), "namesrv=[127.0.0.1:1]") {
		t.Errorf("the log does not say what is read:\n%s", p.stderr.String())
	}

	mq := cluster(t)
	p = start(t, nil, "--namesrv="+mq.NameServers()[0], "--web.listen-address=127.0.0.1:0", "--log.level=error")
	p.eventually("a round", func() bool { return len(mq.Requests()) > 0 })
	p.endWell(syscall.SIGTERM)
	if p.stderr.String() != "" {
		t.Errorf("below the level of error:\n%s", p.stderr.String())
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "demo", "--seed=2", "--collect.interval=1s", "--web.listen-address=127.0.0.1:0")
	printed := regexp.MustCompile(`(?s)page +(http://127\.0\.0\.1:\d+/)\n +metrics +(http://127\.0\.0\.1:\d+/metrics)\n +name server +(127\.0\.0\.1:\d+) .*Ctrl-C`)
	var m []string
	p.eventually("it says where", func() bool {
		m = printed.FindStringSubmatch(p.stdout.String())
		return m != nil
	})
	page, metricsURL, nameServer := m[1], m[2], m[3]

	p.eventually("the page shows the cluster", func() bool {
		_, body := get(t, page)
		return strings.Contains(body, "shop") && strings.Contains(body, "fraud-check")
	})
	var first string
	p.eventually("the seven families", func() bool {
		_, first = get(t, metricsURL)
		for _, name := range []string{"detail", "topic", "consumergroup", "topic_consumergroup", "broker", "queue", "clientinfo"} {
			if sum(values(t, first, "rocketmq_msg_diff_"+name+"{")) <= 0 {
				return false
			}
		}
		return true
	})
	const stalled, consumed = `rocketmq_msg_diff_consumergroup{cluster="shop",consumerGroup="fraud-check"}`, "rocketmq_consumergroup_consumed_messages_total{"
	p.eventually("the values move", func() bool {
		_, now := get(t, metricsURL)
		return sum(values(t, now, stalled)) > sum(values(t, first, stalled)) && sum(values(t, now, consumed)) > sum(values(t, first, consumed))
	})

	// Anybody may read the fake cluster.
	second := start(t, nil, "--namesrv="+nameServer, "--web.listen-address=127.0.0.1:0")
	url := second.url()
	second.eventually("a second exporter reads it", func() bool {
		_, metrics := get(t, url+"/metrics")
		return is(t, metrics, `rocketmq_up{cluster="shop"}`, 1) && sum(values(t, metrics, stalled)) > 0
	})
	second.endWell(syscall.SIGTERM)
	p.endWell(syscall.SIGTERM)
}

func TestDemoWhereTheUserSays(t *testing.T) {
	t.Parallel()
	// A port that was free a moment ago: nobody else is given it so soon.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	p := start(t, []string{"ROCKETMQ_EXPORTER_NAMESRV=127.0.0.1:1"},
		"demo", "--demo.namesrv-address="+addr, "--web.listen-address=127.0.0.1:0", "--web.listen-address=:0", "--web.telemetry-path=/")
	p.eventually("it says where", func() bool { return strings.Contains(p.stdout.String(), "name server  "+addr+" ") })
	if out := p.stdout.String(); strings.Count(out, "metrics") != 2 || !regexp.MustCompile(`metrics +http://localhost:\d+/\n`).MatchString(out) {
		t.Errorf("stdout\n%s", out)
	}
	p.endWell(os.Interrupt)
}

func TestASecondSignalEndsItAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "--namesrv=127.0.0.1:1", "--web.listen-address=127.0.0.1:0")
	// A request that is never sent whole holds the end up.
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /metrics"); err != nil {
		t.Fatal(err)
	}
	// Connections are accepted in the order in which they come: once a later
	// one is served, this one is the server's.
	get(t, p.url()+"/-/healthy")
	signal := func() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }
	signal()
	p.eventually("it is ending", func() bool { return strings.Contains(p.stderr.String(), "msg=Ending") })
	p.eventually("it has ended", func() bool {
		signal()
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	})
	// Left alone it would wait for the request, and then end with 0.
	if code := p.wait(); code == 0 {
		t.Error("it ended in its own time")
	}
}
