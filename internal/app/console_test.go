package app

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/console"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/web"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Passwords of the tests: nothing may show them.
const (
	password      = "hunter2&=%"
	proxyPassword = "correct horse"
)

func startConsole(t *testing.T, mq *fakemq.Cluster, o fakemq.ConsoleOptions) *fakemq.Console {
	t.Helper()
	c, err := mq.StartConsole(o)
	must(t, err)
	return c
}

// closed is a console that wants a login, behind a proxy that wants another.
func closed(r fakemq.ConsoleRelease) fakemq.ConsoleOptions {
	return fakemq.ConsoleOptions{Release: r, User: "admin", Password: password, ProxyUser: "proxy", ProxyPassword: proxyPassword}
}

// throughConsole are the settings to read one that is closed.
func throughConsole(t *testing.T, c *fakemq.Console, edit ...func(*config.Config)) config.Valid {
	t.Helper()
	return settings(t, nil, append([]func(*config.Config){func(s *config.Config) {
		s.Clusters[0].Console = config.Console{
			URL: c.URL(), Username: "admin", Password: remoting.NewSecret(password), ProxyUsername: "proxy", ProxyPassword: remoting.NewSecret(proxyPassword),
			Parallel: 4, Timeout: 5 * time.Second,
		}
	}}, edit...)...)
}

func eachConsole(t *testing.T, test func(t *testing.T, r fakemq.ConsoleRelease)) {
	for _, r := range []fakemq.ConsoleRelease{fakemq.Console100, fakemq.Console211} {
		t.Run(string(r), func(t *testing.T) { test(t, r) })
	}
}

func TestTheSevenFamiliesTellTheTruthThroughAConsole(t *testing.T) {
	eachConsole(t, func(t *testing.T, r fakemq.ConsoleRelease) {
		mq := shop(t)
		c := startConsole(t, mq, closed(r))
		a := newStepped(t, throughConsole(t, c))
		for step, change := range []func(){
			func() {},
			func() { must(t, mq.Produce("orders", 60)) },
			func() { must(t, mq.KillConsumer("billing", mq.ClientIDs("billing")[0])) },
			func() { must(t, mq.DeleteTopic("audit")) },
		} {
			change()
			a.round()
			if got, want := backlogOf(a.scrape()), truth(mq); !maps.Equal(got, want) {
				t.Errorf("step %d:\n got\n%vwant\n%v", step, got, want)
			}
		}
	})
}

func TestCountersOfAConsole(t *testing.T) {
	eachConsole(t, func(t *testing.T, r fakemq.ConsoleRelease) {
		mq := shop(t)
		c := startConsole(t, mq, closed(r))
		a := newStepped(t, throughConsole(t, c))
		a.round()
		a.round()
		settle(t, a.targets()[0])
		s := a.scrape()
		s.want(t, series{
			`rocketmq_exporter_rounds_total{cluster="shop",result="ok"}`:                                       2,
			`rocketmq_exporter_requests_total{cluster="shop",request="/login/login.do",result="ok"}`:           1,
			`rocketmq_exporter_requests_total{cluster="shop",request="/topic/list.query",result="ok"}`:         2,
			`rocketmq_exporter_requests_total{cluster="shop",request="/consumer/groupList.query",result="ok"}`: 1,
			`rocketmq_exporter_odd_entries_total{cluster="shop"}`:                                              0,
			`rocketmq_up{cluster="shop"}`: 1,
		})
		// Every call that the console received was counted, and no other.
		sums := make(map[string]float64)
		for k, v := range s.of("rocketmq_exporter_requests_total") {
			_, path, _ := strings.Cut(k, `request="`)
			path, _, _ = strings.Cut(path, `"`)
			sums[path] += v
		}
		for path, n := range c.Requests() {
			if sums[path] != float64(n) {
				t.Errorf("%s: %v counted, the console received %d", path, sums[path], n)
			}
			delete(sums, path)
		}
		if len(sums) > 0 {
			t.Errorf("counted, but never received: %v", sums)
		}
		for _, dir := range []string{"request_sent", "response_received"} {
			k := `rocketmq_exporter_` + dir + `_bytes_total{cluster="shop",request="/consumer/queryTopicByConsumer.query"}`
			if s[k] < 100 {
				t.Errorf("%s is %v", k, s[k])
			}
		}
		if n := len(s.of("rocketmq_nameserver_up")); n > 0 {
			t.Errorf("%d series of name servers, which a console does not tell", n)
		}

		requests := c.Requests()
		a.scrape()
		a.get("/")
		if !maps.Equal(requests, c.Requests()) {
			t.Error("a scrape or a page called the console")
		}
	})
}

func TestFailuresOfAConsoleAreCountedByReason(t *testing.T) {
	const rows = "/consumer/queryTopicByConsumer.query"
	for reason, effect := range map[string]fakemq.ConsoleEffect{
		"refused":     fakemq.ConsoleRefuse("no"),
		"http_status": fakemq.ConsolePage(http.StatusBadGateway),
		"not_json":    fakemq.ConsolePage(http.StatusOK),
		"malformed":   fakemq.ConsoleCut(40),
		"connect":     fakemq.ConsoleDisconnect(),
	} {
		mq := shop(t)
		c := startConsole(t, mq, closed(fakemq.Console211))
		a := newStepped(t, throughConsole(t, c))
		a.round()
		before := backlogOf(a.scrape())
		c.Inject(fakemq.ConsoleFault{Path: rows, Query: map[string]string{"consumerGroup": "billing"}, Effect: effect})
		a.round()
		s := a.scrape()
		s.want(t, series{
			`rocketmq_exporter_errors_total{cluster="shop",reason="` + reason + `"}`: 1,
			`rocketmq_exporter_rounds_total{cluster="shop",result="partial"}`:        1,
			`rocketmq_up{cluster="shop"}`:                                            1,
		})
		if n := s[`rocketmq_exporter_requests_total{cluster="shop",request="`+rows+`",result="`+reason+`"}`]; n < 1 {
			t.Errorf("%s: %v calls with this result", reason, n)
		}
		if !maps.Equal(backlogOf(s), before) {
			t.Errorf("%s: the last good numbers do not stand in", reason)
		}
		if body := a.get("/").Body.String(); !strings.Contains(body, "partial") || !strings.Contains(body, rows) {
			t.Errorf("%s: the page does not say it:\n%s", reason, body)
		}
	}
}

func TestALoginThatIsRefused(t *testing.T) {
	eachConsole(t, func(t *testing.T, r fakemq.ConsoleRelease) {
		mq := shop(t)
		c := startConsole(t, mq, closed(r))
		const other = "another secret"
		l := listener(t)
		var log syncBuffer
		run := run(t, newApp(t, throughConsole(t, c, func(s *config.Config) { s.Clusters[0].Console.Password = remoting.NewSecret(other) }), &log), l)
		labels := map[string]string{"cluster": c.Addr()}
		var s series
		eventually(t, "two rounds have failed", func() bool {
			s = run.scrape(l)
			return s[key("rocketmq_exporter_rounds_total", map[string]string{"cluster": c.Addr(), "result": "failed"})] >= 2
		})
		s.want(t, series{
			key("rocketmq_up", labels): 0,
			// A console may lock out who tries too often.
			key("rocketmq_exporter_requests_total", map[string]string{"cluster": c.Addr(), "request": "/login/login.do", "result": "refused"}): 1,
		})
		if n := s[key("rocketmq_exporter_errors_total", map[string]string{"cluster": c.Addr(), "reason": "login"})]; n < 2 {
			t.Errorf("%v refused logins in two rounds:\n%v", n, s)
		}
		_, page := run.get("http://" + l.Addr().String() + "/")
		_, metrics := run.get("http://" + l.Addr().String() + "/metrics")
		must(t, run.end())
		for where, text := range map[string]string{"page": page, "log": log.String()} {
			if !strings.Contains(text, "refused the login of user") {
				t.Errorf("the %s does not say it:\n%s", where, text)
			}
		}
		for where, text := range map[string]string{"page": page, "metrics": metrics, "log": log.String()} {
			for _, secret := range []string{other, password, proxyPassword} {
				if strings.Contains(text, secret) {
					t.Errorf("%q is in the %s:\n%s", secret, where, text)
				}
			}
		}
	})
}

// The console's own words are repeated, and they may repeat a password.
func TestAConsoleThatTellsPasswords(t *testing.T) {
	mq := shop(t)
	c := startConsole(t, mq, closed(fakemq.Console211))
	c.Inject(fakemq.ConsoleFault{Path: "/login/login.do", Effect: fakemq.ConsoleRefuse("bad password " + password + " behind " + proxyPassword)})
	a := newStepped(t, throughConsole(t, c))
	a.round()
	for _, f := range a.targets()[0].state.Load().failures {
		if words := f.Err.Error(); strings.Contains(words, password) || strings.Contains(words, proxyPassword) {
			t.Errorf("a password is in %q", words)
		}
	}
	if body := a.get("/").Body.String(); strings.Contains(body, "hunter2") || strings.Contains(body, "horse") || !strings.Contains(body, "bad password") {
		t.Errorf("the page:\n%s", body)
	}
}

func TestItStartsWithoutAConsoleAndFindsItLater(t *testing.T) {
	eachConsole(t, func(t *testing.T, r fakemq.ConsoleRelease) {
		mq := shop(t)
		c := startConsole(t, mq, closed(r))
		c.Stop()
		l := listener(t)
		var log syncBuffer
		r1 := run(t, newApp(t, throughConsole(t, c), &log), l)
		down := key("rocketmq_up", map[string]string{"cluster": c.Addr()})
		eventually(t, "a round has failed", func() bool { v, ok := r1.scrape(l)[down]; return ok && v == 0 })
		must(t, c.Start())
		eventually(t, "it has found the console", func() bool { return r1.scrape(l)[`rocketmq_exporter_rounds_total{cluster="shop",result="ok"}`] > 0 })

		// A console that was restarted knows no session.
		c.Stop()
		eventually(t, "it has lost it", func() bool { return r1.scrape(l)[`rocketmq_up{cluster="shop"}`] == 0 })
		must(t, c.Start())
		eventually(t, "it has found it again", func() bool {
			s := r1.scrape(l)
			return s[`rocketmq_up{cluster="shop"}`] == 1 && maps.Equal(backlogOf(s), truth(mq))
		})
		must(t, r1.end())
		begun, ended := strings.Count(log.String(), "Cannot be read"), strings.Count(log.String(), "No longer fails")
		if begun == 0 || ended == 0 || strings.Contains(log.String(), password) || strings.Contains(log.String(), proxyPassword) {
			t.Errorf("%d failures begun, %d ended:\n%s", begun, ended, log.String())
		}
	})
}

func TestTheLabelClusterOfAConsole(t *testing.T) {
	mq := shop(t)
	c := startConsole(t, mq, fakemq.ConsoleOptions{ContextPath: "/console"})
	c.Stop()
	a := newStepped(t, settings(t, nil, func(s *config.Config) {
		s.Clusters[0].Console = config.Console{URL: c.URL(), Parallel: 4, Timeout: time.Second}
	}))
	failed := key("rocketmq_exporter_rounds_total", map[string]string{"cluster": c.Addr(), "result": "failed"})
	a.scrape().want(t, series{failed: 0})
	a.round()
	a.scrape().want(t, series{failed: 1, key("rocketmq_up", map[string]string{"cluster": c.Addr()}): 0})
	must(t, c.Start())
	a.round()
	s := a.scrape()
	s.want(t, series{`rocketmq_up{cluster="shop"}`: 1})
	for k := range s {
		if strings.Contains(k, `cluster="`+c.Addr()) {
			t.Errorf("still under the address: %s", k)
		}
	}
}

func TestProcessesThatDoNotAnswerMakeNoRoundPartial(t *testing.T) {
	up := []*lag.Report{lag.Build(&model.Snapshot{Cluster: "c", Brokers: []model.Broker{{Name: "b", Up: true}}})}
	for step, want := range map[string]web.Round{
		"GET_CONSUMER_RUNNING_INFO":            web.Whole,
		console.PathRunningInfo:                web.Whole,
		"GET_ALL_CONSUMER_OFFSET":              web.Partial,
		"/consumer/queryTopicByConsumer.query": web.Partial,
		"/consumer/consumerConnection.query":   web.Partial,
	} {
		if got := endOf(up, []source.Failure{{Step: step}}); got != want {
			t.Errorf("a round in which %s failed ended as %v, want %v", step, got, want)
		}
		if got := endOf(up, []source.Failure{{Step: step}, {Step: "/topic/list.query"}}); got != web.Partial {
			t.Errorf("a round in which topics failed besides ended as %v", got)
		}
	}
}

func TestAMuteProcessMakesNoRoundPartialThroughAConsole(t *testing.T) {
	mq := shop(t)
	c := startConsole(t, mq, closed(fakemq.Console211))
	a := newStepped(t, throughConsole(t, c))
	a.round()
	c.Inject(fakemq.ConsoleFault{Path: console.PathRunningInfo, Effect: fakemq.ConsoleRefuse("client timeout")})
	a.round()
	s := a.scrape()
	s.want(t, series{`rocketmq_exporter_rounds_total{cluster="shop",result="ok"}`: 2})
	if n := s[`rocketmq_exporter_errors_total{cluster="shop",reason="refused"}`]; n < 1 {
		t.Errorf("%v failures", n)
	}
}

// What a console is not asked in every round has not got better because one
// round says nothing of it. A failure must come again within the time that it
// takes to settle, or the log says that it has ended.
func TestFailuresOfAConsoleSettleAfterTheyCouldComeAgain(t *testing.T) {
	for _, path := range []string{consoleGroups, consoleConnection, "/consumer/queryTopicByConsumer.query", "/cluster/list.query"} {
		mq := shop(t)
		for _, group := range []string{"billing", "report", "cache"} {
			for _, id := range mq.ClientIDs(group) {
				must(t, mq.KillConsumer(group, id))
			}
		}
		c := startConsole(t, mq, closed(fakemq.Console100))
		a := newStepped(t, throughConsole(t, c, func(s *config.Config) { s.Clusters[0].Timeout = time.Second }))
		a.round()
		c.Inject(fakemq.ConsoleFault{Path: path, Effect: fakemq.ConsoleRefuse("no")})
		quiet, longest, seen := 0, 0, 0
		for range 100 {
			a.round()
			if slices.ContainsFunc(a.targets()[0].state.Load().failures, func(f source.Failure) bool { return f.Step == path }) {
				if seen++; seen > 1 {
					longest = max(longest, quiet)
				}
				quiet = 0
			} else {
				quiet++
			}
		}
		if path == consoleGroups || path == consoleConnection {
			if longest == 0 {
				t.Errorf("%s fails in every round: the test shows nothing", path)
			}
		}
		if settles := a.targets()[0].settle(source.Failure{Step: path}); seen < 3 || time.Duration(longest)*time.Second > settles {
			t.Errorf("%s: failed in %d of 100 rounds, up to %d rounds without a failure between: it settles after %v", path, seen, longest, settles)
		}
	}
}

func TestNoGoroutineOfAConsoleIsLeft(t *testing.T) {
	mq := shop(t)
	c := startConsole(t, mq, closed(fakemq.Console211))
	before := ours()
	l := listener(t)
	r := run(t, newApp(t, throughConsole(t, c), io.Discard), l)
	eventually(t, "the first round", func() bool { return r.scrape(l)[`rocketmq_up{cluster="shop"}`] == 1 })
	c.Inject(fakemq.ConsoleFault{Effect: fakemq.ConsoleGate(t.Context().Done())})
	eventually(t, "calls hang", func() bool { return c.InFlight() > 0 })
	must(t, r.end())
	eventually(t, "all goroutines have ended", func() bool { return ours() <= before })
}
