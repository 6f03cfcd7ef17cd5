package fakemq

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

const (
	sessionCookie = "JSESSIONID"
	xsrfCookie    = "XSRF-TOKEN"
	xsrfHeader    = "X-XSRF-TOKEN"
)

// maxLogin bounds the body of a login.
const maxLogin = 1 << 16

// ExpireSessions ends all sessions, as a restart or the time does.
func (s *Console) ExpireSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

// Sessions is how many sessions there are.
func (s *Console) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// passProxy is the proxy in front.
func (x *call) passProxy() bool {
	o := &x.console.opts
	if o.ProxyUser == "" && o.ProxyPassword == "" {
		return true
	}
	user, password, ok := x.r.BasicAuth()
	if ok && same(user, o.ProxyUser) && same(password, o.ProxyPassword) {
		return true
	}
	x.w.Header().Set("WWW-Authenticate", `Basic realm="console"`)
	x.page(http.StatusUnauthorized, proxyPage)
	return false
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// passToken is the check of 2.x against forged requests: what changes something
// must carry a token twice, as a cookie and as a header (CookieCsrfTokenRepository).
func (x *call) passToken() bool {
	if !x.console.opts.Release.two() || x.r.Method == http.MethodGet || x.r.Method == http.MethodHead {
		return true
	}
	cookie, err := x.r.Cookie(xsrfCookie)
	if err == nil && cookie.Value != "" && same(cookie.Value, x.r.Header.Get(xsrfHeader)) {
		return true
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(http.StatusForbidden)
	x.write([]byte(`{"status":403,"error":"Forbidden","path":` + quote(x.r.URL.Path) + `}`))
	return false
}

// token answers /rocketmq-dashboard/csrf-token of 2.x (CsrfToken).
func (x *call) token() {
	if !x.console.opts.Release.two() {
		x.page(http.StatusNotFound, notFoundPage)
		return
	}
	token := rand.Text()
	x.setCookie(xsrfCookie, token, false)
	x.json([]byte(`{"status":0,"data":{"token":` + quote(token) +
		`,"parameterName":"_csrf","headerName":"` + xsrfHeader + `"},"errMsg":null}`))
}

func (x *call) setCookie(name, value string, httpOnly bool) {
	path := x.console.opts.ContextPath
	if path == "" {
		path = "/"
	}
	//nolint:gosec // a console sets its cookies without Secure and SameSite
	http.SetCookie(x.w, &http.Cookie{Name: name, Value: value, Path: path, HttpOnly: httpOnly})
}

// passSession sends who is not logged in to the page for it, with the address
// that was asked for (AuthInterceptor).
func (x *call) passSession() bool {
	if x.console.opts.User == "" || !guarded(x.path) || x.hasSession() {
		return true
	}
	scheme := "http://"
	if x.r.TLS != nil {
		scheme = "https://"
	}
	host := scheme + x.r.Host
	asked := host + x.r.URL.EscapedPath()
	if x.r.URL.RawQuery != "" {
		asked += "?" + x.r.URL.RawQuery
	}
	x.w.Header().Set("Location", host+x.console.opts.ContextPath+"/#/login?redirect="+url.QueryEscape(asked))
	x.w.WriteHeader(http.StatusFound)
	return false
}

// guarded says whether a path is only for those who are logged in.
func guarded(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "cluster", "consumer", "ops", "topic":
		return true
	}
	return false
}

func (x *call) hasSession() bool {
	cookie, err := x.r.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	x.console.mu.Lock()
	defer x.console.mu.Unlock()
	return x.console.sessions[cookie.Value]
}

// login answers /login/login.do: a form in 1.0.0, JSON in 2.x.
func (x *call) login() {
	if x.r.Method != http.MethodPost {
		x.refuse("Request method '" + x.r.Method + "' not supported")
		return
	}
	user, password, err := x.credentials()
	o := &x.console.opts
	switch {
	case err != nil:
		x.refuse(err.Error())
		return
	case o.User == "" || !same(user, o.User) || !same(password, o.Password):
		x.refuse("Bad username or password!")
		return
	}
	if !x.hasSession() {
		id := rand.Text()
		x.console.mu.Lock()
		x.console.sessions[id] = true
		x.console.mu.Unlock()
		x.setCookie(sessionCookie, id, true)
	}
	path := o.ContextPath
	if path == "" {
		path = "/"
	}
	x.json([]byte(`{"status":0,"data":{"loginUserName":` + quote(user) + `,"loginUserRole":0,"contextPath":` + quote(path) + `},"errMsg":null}`))
}

func (x *call) credentials() (user, password string, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, maxLogin))
	if err != nil {
		return "", "", err
	}
	kind, _, _ := strings.Cut(x.r.Header.Get("Content-Type"), ";")
	if x.console.opts.Release.two() {
		return jsonCredentials(kind, body)
	}
	form := x.query
	if kind == "application/x-www-form-urlencoded" {
		if form, err = url.ParseQuery(string(body)); err != nil {
			return "", "", err
		}
	}
	for _, name := range []string{"username", "password"} {
		if !form.Has(name) {
			return "", "", javaError("Required String parameter '" + name + "' is not present")
		}
	}
	return form.Get("username"), form.Get("password"), nil
}

func jsonCredentials(kind string, body []byte) (user, password string, err error) {
	if kind != "application/json" {
		return "", "", javaError("Content-Type '" + kind + "' is not supported")
	}
	var in struct{ Username, Password string }
	if err := json.Unmarshal(body, &in); err != nil {
		return "", "", javaError("JSON parse error: " + err.Error())
	}
	return in.Username, in.Password, nil
}
