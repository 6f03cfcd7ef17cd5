package console

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

const (
	user   = "盯着 & friends"
	secret = `p@ss"w=ö&rd/%`
)

func withLogin(r fakemq.ConsoleRelease) fakemq.ConsoleOptions {
	return fakemq.ConsoleOptions{Release: r, User: user, Password: secret, ContextPath: "/rmq"}
}

func as(name, password string) func(*Options) {
	return func(o *Options) { o.Username, o.Password = name, password }
}

func logins(s *stage) int { return s.console.Requests()[pathLogin] }

func TestLogin(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, withLogin(release), twoBrokers, as(user, secret))
		s.Shop()
		s.whole("first")
		s.whole("later")
		if n := logins(s); n != 1 {
			t.Errorf("%d logins, want 1", n)
		}
		s.console.ExpireSessions()
		s.whole("the session has ended")
		if n := logins(s); n != 2 {
			t.Errorf("%d logins, want 2", n)
		}
		if err := restart(s.console); err != nil {
			t.Fatal(err)
		}
		s.whole("the console was restarted")
	})
}

func restart(c *fakemq.Console) error {
	c.Stop()
	return c.Start()
}

// TestSessionLostInMidRound: the call that finds out logs in and is made again.
func TestSessionLostInMidRound(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, withLogin(release), twoBrokers, as(user, secret))
		s.Shop()
		s.whole("first")
		s.console.Inject(fakemq.ConsoleFault{
			Path: pathRows, Query: map[string]string{"consumerGroup": "billing"}, Times: 1,
			Effect: fakemq.ConsoleHandler(func(w http.ResponseWriter, req *http.Request) {
				s.console.ExpireSessions()
				w.Header().Set("Location", "/rmq/#/login?redirect=x")
				w.WriteHeader(http.StatusFound)
			}),
		})
		s.whole("lost")
		if n := logins(s); n != 2 {
			t.Errorf("%d logins, want 2", n)
		}
	})
}

func TestLoginRefused(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, withLogin(release), twoBrokers, as(user, secret+"wrong"))
		s.Shop()
		for range 3 {
			r := s.Collect()
			checkLoginFailure(t, r, "refused the login of user", secret)
			s.clock.Advance(time.Second)
		}
		if n := logins(s); n != 1 {
			t.Errorf("%d logins in 3 s, want 1: it must not hammer", n)
		}
		before := s.console.Total()
		s.Collect()
		if n := s.console.Total() - before; n != 0 {
			t.Errorf("%d calls in vain", n)
		}
		for range 60 { // an hour
			s.clock.Advance(time.Minute)
			s.Collect()
		}
		if n := logins(s); n < 5 || n > 12 {
			t.Errorf("%d logins in an hour", n)
		}
		s.src.client.opts.Password = secret
		s.clock.Advance(time.Hour)
		s.whole("the right one")
	})
}

func checkLoginFailure(t *testing.T, r source.Round, want, password string) {
	t.Helper()
	if len(r.Failures) == 0 {
		t.Error("no failure")
	}
	for _, f := range r.Failures {
		text := f.Err.Error()
		if f.Reason != reasonLogin || !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %q", f.Reason, text, want)
		}
		if password != "" && strings.Contains(text, password) {
			t.Errorf("the password is in %q", text)
		}
	}
}

func TestLoginNotSet(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		s := newStage(t, withLogin(release), twoBrokers, nil)
		s.Shop()
		checkLoginFailure(t, s.Collect(), "the console wants a login: set", "")
		if n := logins(s); n != 0 {
			t.Errorf("%d logins", n)
		}
	})
}

// TestCookieKeptBack: a session that is gone at once is no reason to log in with
// every call.
func TestCookieKeptBack(t *testing.T) {
	t.Parallel()
	s := newStage(t, withLogin(fakemq.Console100), twoBrokers, as(user, secret))
	s.Shop()
	s.src.client.http.Jar = nil
	for range 3 {
		checkLoginFailure(t, s.Collect(), "still wants a login", secret)
	}
	if n := logins(s); n > 2 { // two calls begin a round
		t.Errorf("%d logins", n)
	}
}

// TestLoginFails: a login that ends in something else than yes or no.
func TestLoginFails(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.ConsoleRelease) {
		for name, effect := range map[string]fakemq.ConsoleEffect{
			"bad gateway": fakemq.ConsolePage(http.StatusBadGateway),
			"forbidden":   fakemq.ConsolePage(http.StatusForbidden),
			"HTML":        fakemq.ConsolePage(http.StatusOK),
			"echo":        fakemq.ConsoleRefuse("cannot parse {\"password\":\"" + secret + "\"}"),
		} {
			t.Run(name, func(t *testing.T) {
				s := newStage(t, withLogin(release), twoBrokers, as(user, secret))
				s.Shop()
				in := s.console.Inject(fakemq.ConsoleFault{Path: pathLogin, Effect: effect})
				checkLoginFailure(t, s.Collect(), "login of user", secret)
				in.Remove()
				s.clock.Advance(time.Minute)
				s.whole("well again")
			})
		}
	})
}

func TestProxyInFront(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{ProxyUser: "gate", ProxyPassword: secret}, twoBrokers, func(o *Options) {
		o.BasicUser, o.BasicPassword = "gate", "wrong"
	})
	s.Shop()
	if f := failuresOf(s.Collect()); f[pathClusters+" http_status"] != 1 {
		t.Errorf("failures %v", f)
	}
	s.src.client.opts.BasicPassword = secret
	s.whole("the right one")
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := newStage(t, fakemq.ConsoleOptions{TLS: true, ClientCerts: true}, twoBrokers, nil)
	s.Shop()
	if f := failuresOf(s.Collect()); f[pathClusters+" connect"] != 1 {
		t.Errorf("an authority that nobody knows: failures %v", f)
	}
	src := newSource(t, s.console, Options{TLS: &tls.Config{
		RootCAs: s.console.CAs(), Certificates: []tls.Certificate{s.console.ClientCertificate()},
	}})
	defer func() { _ = src.Close() }()
	r := src.Collect(t.Context())
	if len(r.Failures) > 0 {
		t.Errorf("failures %v", r.Failures)
	}
	s.Compare("known to each other", r, s.Truth())
}

// TestSecretsStaySecret: whatever fails, and whatever the console says, no error
// holds a password.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	const proxy = "gatekeeper-password"
	o := withLogin(fakemq.Console211)
	o.ProxyUser, o.ProxyPassword = "gate", proxy
	for name, effect := range map[string]fakemq.ConsoleEffect{
		"refused": fakemq.ConsoleRefuse("user " + user + " with " + secret + " and " + proxy),
		"kind":    fakemq.ConsoleBody(http.StatusOK, "text/"+proxy, []byte(secret)),
		"garbled": fakemq.ConsoleGarble(),
		"to": fakemq.ConsoleHandler(func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "http://"+proxy+"/x", http.StatusFound)
		}),
		"gone": fakemq.ConsoleDisconnect(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, o, twoBrokers, func(o *Options) {
				o.Username, o.Password, o.BasicUser, o.BasicPassword = user, secret, "gate", proxy
				o.Observe = func(x Exchange) {
					if x.Err != nil && holdsSecret(x.Err.Error(), secret, proxy) {
						t.Errorf("observed: %v", x.Err)
					}
				}
			})
			s.Shop()
			s.whole("well")
			s.console.Inject(fakemq.ConsoleFault{Effect: effect})
			r := s.Collect()
			if len(r.Failures) == 0 {
				t.Error("nothing failed")
			}
			for _, f := range r.Failures {
				if holdsSecret(f.Err.Error(), secret, proxy) {
					t.Errorf("%v", f.Err)
				}
			}
		})
	}
	for _, text := range []string{"http://gate:" + proxy + "@host:8080", "http://host:" + proxy + "/x y", "http://host/?p=" + proxy} {
		if _, err := New(Options{URL: text}); err == nil || holdsSecret(err.Error(), proxy) {
			t.Errorf("a URL with a password: %v", err)
		}
	}
}

func holdsSecret(text string, secrets ...string) bool {
	for _, s := range secrets {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}
