package main

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

// Passwords of the tests: nothing may show them.
const (
	password      = "hunter2&=%"
	proxyPassword = "correct horse"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPasswords(t *testing.T) {
	newline := write(t, "newline", password+"\n")
	crlf := write(t, "crlf", proxyPassword+"\r\n")
	spaces := write(t, "spaces", " "+password+" ")
	const user, proxyUser = "--console.username=admin", "--console.proxy-username=proxy"
	for _, c := range []struct {
		name            string
		env             map[string]string
		args            []string
		password, proxy string
	}{
		{"none", nil, nil, "", ""},
		{
			"environment",
			map[string]string{config.EnvConsolePassword: password, config.EnvConsoleProxyPassword: proxyPassword},
			[]string{user, proxyUser},
			password, proxyPassword,
		},
		{"environment with a newline", map[string]string{config.EnvConsolePassword: password + "\n"}, []string{user}, password, ""},
		{"files", nil, []string{user, "--console.password-file=" + newline, proxyUser, "--console.proxy-password-file=" + crlf}, password, proxyPassword},
		{"only newlines are trimmed", nil, []string{user, "--console.password-file=" + spaces}, " " + password + " ", ""},
		{"a file that the environment names", map[string]string{"ROCKETMQ_EXPORTER_CONSOLE_PASSWORD_FILE": newline}, []string{user}, password, ""},
		{
			"a file beats the environment",
			map[string]string{config.EnvConsolePassword: "other"},
			[]string{user, "--console.password-file=" + newline},
			password, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			o, _, err := parse(append(c.args, "--console=mq:8080"), io.Discard, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			v, err := o.load()
			if err != nil {
				t.Fatal(err)
			}
			if got := v.Clusters[0].Console; got.Password.Reveal() != c.password || got.ProxyPassword.Reveal() != c.proxy {
				t.Errorf("passwords %q and %q, want %q and %q", got.Password.Reveal(), got.ProxyPassword.Reveal(), c.password, c.proxy)
			}
		})
	}
}

func TestMistakesAboutAConsole(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	empty := write(t, "empty", "\n")
	noPEM := write(t, "no.pem", password)
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		want string
	}{
		{
			"passwords are no arguments", nil,
			[]string{"--console=mq:8080", "--console.username=admin", "--console.password=" + password},
			"unknown flag: --console.password (--help lists commands and flags)",
		},
		{
			"no password file", nil,
			[]string{"--console=mq:8080", "--console.username=admin", "--console.password-file=" + missing},
			"--console.password-file: open " + missing + ": no such file or directory",
		},
		{
			"empty password file", nil,
			[]string{"--console=mq:8080", "--console.username=admin", "--console.password-file=" + empty},
			"--console.password-file: " + empty + " is empty",
		},
		{
			"a folder for a password file", nil,
			[]string{"--console=mq:8080", "--console.proxy-username=admin", "--console.proxy-password-file=" + dir},
			"--console.proxy-password-file: read " + dir + ": is a directory",
		},
		{
			"no user",
			map[string]string{config.EnvConsolePassword: password},
			[]string{"--console=mq:8080"},
			"--console.username goes with a password, in --console.password-file or ROCKETMQ_EXPORTER_CONSOLE_PASSWORD: one of them is missing",
		},
		{"two sources", nil, []string{"--console=mq:8080", "--namesrv=mq:9876"}, "--namesrv and --console: one of them is the source, not both"},
		{
			"two sources beside an old variable",
			map[string]string{"rocketmqConsoleIPAndPort": "old:8080"},
			[]string{"--console=mq:8080", "--namesrv=mq:9876"},
			"--namesrv and --console: one of them is the source, not both",
		},
		{
			"a login and no console", nil,
			[]string{"--namesrv=mq:9876", "--console.username=admin", "--console.password-file=" + missing},
			"2 mistakes in the settings:\n" +
				"  --console.username is set, and there is no --console\n" +
				"  --console.password-file is set, and there is no --console",
		},
		{
			"a login and no console, for an old variable that name servers beat",
			map[string]string{"rocketmqConsoleIPAndPort": "old:8080"},
			[]string{"--namesrv=mq:9876", "--console.username=admin"},
			"--console.username is set, and there is no --console",
		},
		{
			"credentials in the address", nil,
			[]string{"--console=http://admin:" + password + "@mq:8080"},
			"--console: credentials do not belong in the address: for a login there are --console.username and --console.password-file, " +
				"for a proxy in front --console.proxy-username and --console.proxy-password-file",
		},
		{
			"all files at once", nil,
			[]string{
				"--console=https://mq:8080", "--console.username=admin", "--console.password-file=" + missing, "--console.ca-file=" + missing,
				"--console.cert-file=" + missing, "--console.key-file=" + missing, "--collect.window=0",
			},
			"4 mistakes in the settings:\n" +
				"  --collect.window: 0 is out of bounds: allowed are 1 to 256\n" +
				"  --console.password-file: open " + missing + ": no such file or directory\n" +
				"  --console.ca-file: open " + missing + ": no such file or directory\n" +
				"  --console.cert-file and --console.key-file: open " + missing + ": no such file or directory",
		},
		{
			"files that are no PEM", nil,
			[]string{"--console=https://mq:8080", "--console.ca-file=" + noPEM, "--console.cert-file=" + noPEM, "--console.key-file=" + noPEM},
			"2 mistakes in the settings:\n" +
				"  --console.ca-file: " + noPEM + " holds no certificate in PEM\n" +
				"  --console.cert-file and --console.key-file: tls: failed to find any PEM data in certificate input",
		},
		{
			"old variables",
			map[string]string{
				"rocketmqConsoleIPAndPort": "admin:" + password + "@mq", "metricsPath": "metrics", "metricsPrefix": "rocketmq-", "listenAddress": "9104",
			},
			nil,
			"4 mistakes in the settings:\n" +
				"  --console: credentials do not belong in the address: for a login there are --console.username and --console.password-file, " +
				"for a proxy in front --console.proxy-username and --console.proxy-password-file (it comes from the variable rocketmqConsoleIPAndPort)\n" +
				`  --metrics.prefix: "rocketmq-" is no prefix of a metric name: allowed are letters, digits, '_' and ':', and no digit in front (it comes from the variable metricsPrefix)` + "\n" +
				`  --web.listen-address: "9104" is no address: wanted is host:port or :port, as in :9104 (it comes from the variable listenAddress)` + "\n" +
				`  --web.telemetry-path: "metrics" is no path: it must begin with '/', and hold letters, digits and any of . _ ~ - between single slashes (it comes from the variable metricsPath)`,
		},
		{
			"an old variable to listen on",
			map[string]string{"rocketmqConsoleIPAndPort": "mq", "listenAddress": ":no-such-port"},
			nil,
			"--web.listen-address=:no-such-port: listen tcp: lookup tcp/no-such-port: unknown port (it comes from the variable listenAddress)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), c.args, &stdout, &stderr)
			if err == nil {
				t.Fatal("it ran")
			}
			if err.Error() != c.want {
				t.Errorf("\n got %v\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), password) || stdout.Len()+stderr.Len() > 0 {
				t.Errorf("the error repeats the password, or something was written: stdout %q, stderr %q", &stdout, &stderr)
			}
		})
	}
}

// The five variables of the original exporter, and what stands beside them.
func TestOldVariables(t *testing.T) {
	old := map[string]string{
		"rocketmqConsoleIPAndPort": "old:8080", "ignoredTopics": "a,b", "metricsPath": "/old", "listenAddress": ":1", "metricsPrefix": "old",
	}
	empty := make(map[string]string)
	for variable := range old {
		empty[variable] = ""
	}
	with := func(variables ...map[string]string) map[string]string {
		all := make(map[string]string)
		for _, v := range variables {
			maps.Copy(all, v)
		}
		return all
	}
	type settings struct{ console, namesrv, ignored, path, listen, prefix string }
	standard := settings{namesrv: "mq:9876", path: "/metrics", listen: ":9104", prefix: "rocketmq"}
	demo := settings{namesrv: "127.0.0.1:9876", path: "/metrics", listen: ":9104", prefix: "rocketmq"}
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		want settings
	}{
		{"all of them", old, nil, settings{"http://old:8080", "", "a b", "/old", ":1", "old"}},
		{"serve by its name", old, []string{"serve"}, settings{"http://old:8080", "", "a b", "/old", ":1", "old"}},
		{"empty", empty, []string{"--namesrv=mq:9876"}, standard},
		{"spaces", map[string]string{"rocketmqConsoleIPAndPort": " old:8080 ", "metricsPath": " ", "listenAddress": "\t", "metricsPrefix": " x\n"}, nil,
			settings{"http://old:8080", "", "", "/metrics", ":9104", "x"}},
		{
			"the exporter's own variables beat them",
			with(old, map[string]string{
				"ROCKETMQ_EXPORTER_CONSOLE": "env:8080", "ROCKETMQ_EXPORTER_TOPICS_IGNORE": "c", "ROCKETMQ_EXPORTER_WEB_TELEMETRY_PATH": "/env",
				"ROCKETMQ_EXPORTER_WEB_LISTEN_ADDRESS": ":2", "ROCKETMQ_EXPORTER_METRICS_PREFIX": "env",
			}),
			nil,
			settings{"http://env:8080", "", "c", "/env", ":2", "env"},
		},
		{
			"unless those are empty",
			with(old, map[string]string{
				"ROCKETMQ_EXPORTER_CONSOLE": "", "ROCKETMQ_EXPORTER_TOPICS_IGNORE": "", "ROCKETMQ_EXPORTER_WEB_TELEMETRY_PATH": "",
				"ROCKETMQ_EXPORTER_WEB_LISTEN_ADDRESS": "", "ROCKETMQ_EXPORTER_METRICS_PREFIX": "", "ROCKETMQ_EXPORTER_NAMESRV": "",
			}),
			nil,
			settings{"http://old:8080", "", "a b", "/old", ":1", "old"},
		},
		{
			"flags beat both",
			with(old, map[string]string{
				"ROCKETMQ_EXPORTER_CONSOLE": "env:8080", "ROCKETMQ_EXPORTER_TOPICS_IGNORE": "c", "ROCKETMQ_EXPORTER_METRICS_PREFIX": "env",
			}),
			[]string{"--console=flag:8080", "--topics.ignore=d", "--web.telemetry-path=/flag", "--web.listen-address=:3", "--metrics.prefix=flag"},
			settings{"http://flag:8080", "", "d", "/flag", ":3", "flag"},
		},
		{"a name server beats the old console, and no more", old, []string{"--namesrv=mq:9876"}, settings{"", "mq:9876", "a b", "/old", ":1", "old"}},
		{
			"so does one of the environment",
			with(old, map[string]string{"ROCKETMQ_EXPORTER_NAMESRV": "mq:9876"}),
			nil,
			settings{"", "mq:9876", "a b", "/old", ":1", "old"},
		},
		{"the demo takes none", old, []string{"demo"}, demo},
		{
			"nor the console of the environment",
			with(old, map[string]string{"ROCKETMQ_EXPORTER_CONSOLE": "env:8080", config.EnvConsolePassword: password}),
			[]string{"demo"},
			demo,
		},
		{"a value that is called like a command", old, []string{"--metrics.prefix", "demo"}, settings{"http://old:8080", "", "a b", "/old", ":1", "demo"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			o, _, err := parse(c.args, io.Discard, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			v, err := loaded(o)
			if err != nil {
				t.Fatal(err)
			}
			k := v.Clusters[0]
			got := settings{
				k.Console.URL, strings.Join(k.NameServers, " "), strings.Join(k.IgnoredTopics, " "),
				v.Web.MetricsPath, strings.Join(v.Web.Listen, " "), v.Prefix,
			}
			if got != c.want {
				t.Errorf("\n got %+v\nwant %+v", got, c.want)
			}
			if !k.Console.Password.IsZero() {
				t.Error("a password was read for the demo")
			}
		})
	}
}

// Each of these ended the original exporter with a panic.
func TestNothingThatOldVariablesSayPanics(t *testing.T) {
	t.Parallel()
	for _, env := range [][]string{
		nil,
		{"rocketmqConsoleIPAndPort=", "ignoredTopics=", "metricsPath=", "listenAddress=", "metricsPrefix="},
		{"rocketmqConsoleIPAndPort=mq", "metricsPath=metrics"},
		{"rocketmqConsoleIPAndPort=mq", "metricsPath=/-/ready"},
		{"rocketmqConsoleIPAndPort=mq", "metricsPath=/{x"},
		{"rocketmqConsoleIPAndPort=mq", "metricsPrefix=1"},
		{"rocketmqConsoleIPAndPort=mq", "listenAddress=:http:"},
		{"rocketmqConsoleIPAndPort=:"},
		{"rocketmqConsoleIPAndPort=%"},
	} {
		p := start(t, env)
		if code := p.wait(); code != 1 {
			t.Errorf("%q: exit code %d, want 1", env, code)
		}
		if out := p.stderr.String(); !strings.HasPrefix(out, "rocketmq_exporter: --") || strings.Contains(out, "goroutine") {
			t.Errorf("%q: stderr\n%s", env, out)
		}
	}
}

func families() []string {
	return []string{"detail", "topic", "consumergroup", "topic_consumergroup", "broker", "queue", "clientinfo"}
}

// shopConsole is a console in front of a cluster whose consumers are behind on
// the topics a, b and orders.
func shopConsole(t *testing.T, o fakemq.ConsoleOptions) (*fakemq.Cluster, *fakemq.Console) {
	t.Helper()
	mq := cluster(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, topic := range []string{"a", "b", "orders"} {
		must(mq.AddTopic(fakemq.Topic{Name: topic, Queues: 2}))
	}
	must(mq.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"a", "b", "orders"}}))
	_, err := mq.AddConsumer("billing", fakemq.Consumer{IP: "10.0.0.1", PID: 7})
	must(err)
	for _, topic := range []string{"a", "b", "orders"} {
		must(mq.Produce(topic, 100))
		_, err := mq.Consume("billing", topic, 40)
		must(err)
	}
	c, err := mq.StartConsole(o)
	must(err)
	return mq, c
}

func hasSeven(t *testing.T, metrics, prefix string) bool {
	t.Helper()
	for _, name := range families() {
		if sum(values(t, metrics, prefix+"_msg_diff_"+name+"{")) <= 0 {
			return false
		}
	}
	return true
}

func TestTheEnvironmentOfTheOriginalExporterIsEnough(t *testing.T) {
	t.Parallel()
	for _, release := range []fakemq.ConsoleRelease{fakemq.Console100, fakemq.Console211} {
		_, console := shopConsole(t, fakemq.ConsoleOptions{Release: release})
		for _, c := range []struct {
			env          []string
			prefix, path string
			others       []string // paths that are none
		}{
			{[]string{"metricsPath=", "metricsPrefix="}, "rocketmq", "/metrics", nil},
			{[]string{"metricsPath=/old/path", "metricsPrefix=old"}, "old", "/old/path", []string{"/metrics"}},
		} {
			p := start(t, append(c.env, "rocketmqConsoleIPAndPort="+console.Addr(), "ignoredTopics=a,b", "listenAddress=127.0.0.1:0"))
			url := p.url()
			var metrics string
			p.eventually("the seven families", func() bool {
				_, metrics = get(t, url+c.path)
				return hasSeven(t, metrics, c.prefix)
			})
			if strings.Contains(metrics, `topic="a"`) || strings.Contains(metrics, `topic="b"`) {
				t.Errorf("%s: topics to ignore are there:\n%s", release, metrics)
			}
			for begin, want := range map[string]float64{
				`_msg_diff_topic{cluster="east",topic="orders"}`:                                         60,
				`_msg_diff_clientinfo{cluster="east",consumerClientIP="10.0.0.1",consumerClientPID="7"}`: 60,
				`_up{cluster="east"}`: 1,
			} {
				if !is(t, metrics, c.prefix+begin, want) {
					t.Errorf("%s: %s is not %v:\n%s", release, begin, want, metrics)
				}
			}
			for _, path := range c.others {
				if code, _ := get(t, url+path); code != 404 {
					t.Errorf("%s: %d", path, code)
				}
			}
			if !strings.Contains(p.stderr.String(), "console="+console.URL()) || strings.Contains(p.stderr.String(), "namesrv=") {
				t.Errorf("the log does not say what is read:\n%s", p.stderr.String())
			}
			p.endWell(syscall.SIGTERM)
		}
	}
}

func TestNameServersBeatTheOldConsole(t *testing.T) {
	t.Parallel()
	mq, console := shopConsole(t, fakemq.ConsoleOptions{})
	p := start(t, []string{"rocketmqConsoleIPAndPort=" + console.Addr(), "ignoredTopics=a,b"},
		"--namesrv="+mq.NameServers()[0], "--web.listen-address=127.0.0.1:0")
	url := p.url()
	p.eventually("the seven families", func() bool {
		_, metrics := get(t, url+"/metrics")
		return hasSeven(t, metrics, "rocketmq") && !strings.Contains(metrics, `topic="a"`)
	})
	p.endWell(syscall.SIGTERM)
	if n := console.Total(); n != 0 {
		t.Errorf("the console was called %d times", n)
	}
}

// secureConsole is one with everything that can be in the way, and what an
// exporter must be told for it.
func secureConsole(t *testing.T, release fakemq.ConsoleRelease) (console *fakemq.Console, args []string) {
	t.Helper()
	_, console = shopConsole(t, fakemq.ConsoleOptions{
		Release: release, User: "admin", Password: password, ProxyUser: "proxy", ProxyPassword: proxyPassword,
		TLS: true, ClientCerts: true, ContextPath: "/console",
	})
	cert, key := console.ClientPEM()
	return console, []string{
		"--console=" + console.URL(), "--console.username=admin", "--console.proxy-username=proxy",
		"--console.proxy-password-file=" + write(t, "proxy", proxyPassword+"\n"),
		"--console.ca-file=" + write(t, "ca.pem", string(console.CAPEM())),
		"--console.cert-file=" + write(t, "cert.pem", string(cert)), "--console.key-file=" + write(t, "key.pem", string(key)),
		"--console.server-name=localhost", "--web.listen-address=127.0.0.1:0", "--log.level=debug", "--collect.interval=1s",
	}
}

func TestAConsoleWithHTTPSAndLoginThroughTheFlags(t *testing.T) {
	t.Parallel()
	for _, release := range []fakemq.ConsoleRelease{fakemq.Console100, fakemq.Console211} {
		console, args := secureConsole(t, release)
		p := start(t, []string{config.EnvConsolePassword + "=" + password}, args...)
		url := p.url()
		p.eventually("the seven families", func() bool {
			_, metrics := get(t, url+"/metrics")
			return hasSeven(t, metrics, "rocketmq")
		})
		if console.Sessions() != 1 {
			t.Errorf("%s: %d sessions", release, console.Sessions())
		}
		showsNoPassword(t, p, url)
		p.endWell(syscall.SIGTERM)
	}
}

func showsNoPassword(t *testing.T, p *process, url string) {
	t.Helper()
	_, metrics := get(t, url+"/metrics")
	_, page := get(t, url+"/")
	for where, text := range map[string]string{"metrics": metrics, "page": page, "log": p.stderr.String(), "stdout": p.stdout.String()} {
		for _, secret := range []string{password, proxyPassword, "hunter2", "horse"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in the %s:\n%s", secret, where, text)
			}
		}
	}
}

func TestWhatKeepsAConsoleClosedIsSaid(t *testing.T) {
	t.Parallel()
	console, args := secureConsole(t, fakemq.Console211)
	without := func(flag string) []string {
		return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "--console."+flag) })
	}
	for _, c := range []struct {
		name, password string
		args           []string
		reason, words  string
	}{
		{"wrong password", "other" + password, args, "login", "refused the login of user"},
		{"no proxy user", password, without("proxy"), "http_status", "401"},
		{"unknown authority", password, without("ca-file"), "connect", "certificate"},
		{"no client certificate", password, slices.DeleteFunc(without("cert"), func(a string) bool { return strings.HasPrefix(a, "--console.key") }), "connect", "certificate"},
		{"another name", password, append(without("server-name"), "--console.server-name=example.org"), "connect", "example.org"},
	} {
		p := start(t, []string{config.EnvConsolePassword + "=" + c.password}, c.args...)
		url := p.url()
		host := console.Addr()
		p.eventually(c.name+": the failure is counted", func() bool {
			_, metrics := get(t, url+"/metrics")
			return is(t, metrics, `rocketmq_up{cluster="`+host+`"}`, 0) &&
				sum(values(t, metrics, `rocketmq_exporter_errors_total{cluster="`+host+`",reason="`+c.reason+`"}`)) > 0
		})
		if log := p.stderr.String(); !strings.Contains(log, "reason="+c.reason) || !strings.Contains(log, c.words) {
			t.Errorf("%s: the log does not say %q:\n%s", c.name, c.words, log)
		}
		if _, page := get(t, url+"/"); !strings.Contains(page, c.words) {
			t.Errorf("%s: the page does not say %q:\n%s", c.name, c.words, page)
		}
		showsNoPassword(t, p, url)
		p.endWell(syscall.SIGTERM)
	}
	if console.Sessions() != 0 {
		t.Errorf("%d sessions", console.Sessions())
	}
}
