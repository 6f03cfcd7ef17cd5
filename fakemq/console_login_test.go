package fakemq

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// credentialsOf is a login's body as a release wants it.
func credentialsOf(two bool, user, password string) (kind, body string) {
	if !two {
		return "application/x-www-form-urlencoded", url.Values{"username": {user}, "password": {password}}.Encode()
	}
	return "application/json", `{"username":` + quote(user) + `,"password":` + quote(password) + `}`
}

// logIn logs in as 2.x wants it.
func (b *browser) logIn(user, password string) (message string) {
	b.t.Helper()
	var token struct{ HeaderName, Token string }
	b.data(&token, "/rocketmq-dashboard/csrf-token")
	kind, body := credentialsOf(true, user, password)
	r, err := b.send(http.MethodPost, "/login/login.do", kind, body, token.HeaderName, token.Token)
	must(b.t, err)
	_, message = b.envelope(r, nil)
	return message
}

// logInOld logs in as 1.0.0 wants it.
func (b *browser) logInOld(user, password string) (message string) {
	b.t.Helper()
	kind, body := credentialsOf(false, user, password)
	r, err := b.send(http.MethodPost, "/login/login.do", kind, body)
	must(b.t, err)
	_, message = b.envelope(r, nil)
	return message
}

func TestConsoleLogin(t *testing.T) {
	bothConsoles(t, func(t *testing.T, r ConsoleRelease) {
		s := startConsole(t, withShop(t, Options{}), ConsoleOptions{
			Release: r, User: "admin", Password: "s&cret=", ContextPath: "/console",
		})
		b := browse(t, s)
		logIn := b.logInOld
		if r.two() {
			logIn = b.logIn
		}
		const path = "/topic/queryConsumerByTopic.query?topic=a%25b"
		sent := func() bool {
			reply := b.get(path)
			to := reply.head.Get("Location")
			if reply.code == http.StatusFound && to != s.URL()+"/#/login?redirect="+url.QueryEscape(s.URL()+path) {
				t.Errorf("sent to %s", to)
			}
			return reply.code == http.StatusFound
		}
		if !sent() {
			t.Error("an answer without a session")
		}
		for _, bad := range [][2]string{{"admin", "wrong"}, {"", ""}, {"other", "s&cret="}} {
			if msg := logIn(bad[0], bad[1]); msg != "Bad username or password!" || !sent() {
				t.Errorf("%q: %s", bad, msg)
			}
		}
		if msg := logIn("admin", "s&cret="); msg != "" || sent() {
			t.Errorf("good password: %s", msg)
		}
		if logIn("admin", "s&cret="); s.Sessions() != 1 {
			t.Errorf("%d sessions after logging in twice", s.Sessions())
		}
		s.ExpireSessions()
		if !sent() {
			t.Error("the session did not end")
		}
		b.CheckRedirect = nil
		if reply := b.get(path); reply.code != http.StatusOK || !strings.HasPrefix(string(reply.body), "<!DOCTYPE html>") {
			t.Errorf("who follows gets %d %s", reply.code, reply.body)
		}
	})
}

func TestConsoleLoginInTheOtherManner(t *testing.T) {
	bothConsoles(t, func(t *testing.T, r ConsoleRelease) {
		b := browse(t, startConsole(t, withShop(t, Options{}), ConsoleOptions{Release: r, User: "admin", Password: "p"}))
		kind, body := credentialsOf(!r.two(), "admin", "p")
		reply, err := b.send(http.MethodPost, "/login/login.do", kind, body)
		must(t, err)
		if r.two() {
			if reply.code != http.StatusForbidden {
				t.Errorf("without a token: %d", reply.code)
			}
			var token struct{ HeaderName, Token string }
			b.data(&token, "/rocketmq-dashboard/csrf-token")
			if reply, err = b.send(http.MethodPost, "/login/login.do", kind, body, token.HeaderName, "x"); err != nil || reply.code != http.StatusForbidden {
				t.Errorf("with another token: %v %d", err, reply.code)
			}
			reply, err = b.send(http.MethodPost, "/login/login.do", kind, body, token.HeaderName, token.Token)
			must(t, err)
		} else if token := b.get("/rocketmq-dashboard/csrf-token"); token.code != http.StatusNotFound {
			t.Errorf("1.0.0 has tokens: %d", token.code)
		}
		if status, msg := b.envelope(reply, nil); status != -1 {
			t.Errorf("status %d: %s", status, msg)
		}
		if r := b.get("/topic/list.query"); r.code != http.StatusFound {
			t.Errorf("logged in all the same: %d", r.code)
		}
	})
}

func TestConsoleBehindAProxy(t *testing.T) {
	s := startConsole(t, withShop(t, Options{}), ConsoleOptions{ProxyUser: "u", ProxyPassword: "p"})
	b := browse(t, s)
	if r := b.get("/topic/list.query"); r.code != http.StatusUnauthorized || r.head.Get("WWW-Authenticate") == "" {
		t.Errorf("nobody: %+v", r)
	}
	for password, want := range map[string]int{"p": http.StatusOK, "x": http.StatusUnauthorized} {
		b.url = strings.Replace(s.URL(), "http://", "http://u:"+password+"@", 1)
		if r := b.get("/topic/list.query"); r.code != want {
			t.Errorf("password %s: %d", password, r.code)
		}
	}
}

func TestConsoleTLS(t *testing.T) {
	mq := withShop(t, Options{})
	plain := startConsole(t, mq, ConsoleOptions{})
	if cert, key := plain.ClientPEM(); plain.CAs() != nil || plain.CAPEM() != nil || cert != nil || key != nil || plain.ClientCertificate().Leaf != nil {
		t.Error("certificates without TLS")
	}
	s := startConsole(t, mq, ConsoleOptions{TLS: true, ClientCerts: true, User: "admin", Password: "p"})
	pair, err := tls.X509KeyPair(s.ClientPEM())
	must(t, err)
	roots := s.CAs()
	if !roots.AppendCertsFromPEM(s.CAPEM()) {
		t.Error("no certificate in CAPEM")
	}
	for name, c := range map[string]struct {
		conf *tls.Config
		ok   bool
	}{
		"unknown authority": {&tls.Config{Certificates: []tls.Certificate{pair}}, false},
		"no certificate":    {&tls.Config{RootCAs: roots}, false},
		"from memory":       {&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{s.ClientCertificate()}}, true},
		"from files":        {&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}, true},
		"by name":           {&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, ServerName: "localhost"}, true},
		"by another name":   {&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, ServerName: "example.org"}, false},
	} {
		b := browse(t, s)
		transport := &http.Transport{TLSClientConfig: c.conf}
		t.Cleanup(transport.CloseIdleConnections)
		b.Transport = transport
		r, err := b.send(http.MethodGet, "/topic/list.query", "", "")
		if (err == nil) != c.ok || c.ok && !strings.HasPrefix(r.head.Get("Location"), "https://") {
			t.Errorf("%s: %v %+v", name, err, r)
		}
	}
}
