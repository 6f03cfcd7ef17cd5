package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// login keeps the session with a console that wants one. The session itself is
// a cookie, which the HTTP client keeps.
type login struct {
	client *client
	turn   chan struct{} // who has it logs in

	mu      sync.Mutex
	number  int       // of the session; another one after each login
	failed  error     // why there is none
	retryAt time.Time // when it may be tried again after a failure
	pause   time.Duration
}

// Pauses after a login that failed. A console may lock out who is refused too
// often.
const (
	pauseFailed     = 5 * time.Second
	pauseRefused    = 30 * time.Second
	pauseRefusedMax = 15 * time.Minute
)

func newLogin(c *client) *login { return &login{client: c, turn: make(chan struct{}, 1)} }

// session is the number of the session that calls are made in, or why none is
// made for now.
func (l *login) session() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil && l.client.opts.Now().Before(l.retryAt) {
		return 0, l.failed
	}
	return l.number, nil
}

// renew logs in, unless somebody else has since the session seen.
func (l *login) renew(ctx context.Context, seen int) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	now, err := l.session()
	if err != nil || now != seen {
		return err
	}
	o := &l.client.opts
	if o.Username == "" {
		return l.fail(failf(reasonLogin, "the console wants a login: set a user name and a password for it"), false)
	}
	ctx, cancel := context.WithTimeout(ctx, o.CallTimeout)
	defer cancel()
	err = l.try(ctx)
	var refused *refusedError
	switch {
	case err == nil:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.number++
		l.failed, l.pause = nil, 0
		return nil
	case errors.As(err, &refused):
		return l.fail(failf(reasonLogin, "the console refused the login of user %q (%s)", o.Username, l.client.redact(refused)), true)
	case ctx.Err() != nil:
		return l.fail(fmt.Errorf("login of user %q: %w", o.Username, err), false)
	}
	return l.fail(failf(reasonLogin, "login of user %q: %w", o.Username, err), false)
}

// lost notes that a session was not there any more right after the login.
func (l *login) lost() error {
	return l.fail(failf(reasonLogin, "the console let user %q in and still wants a login: does a proxy keep back its cookie?", l.client.opts.Username), true)
}

// fail remembers why there is no session, so that a round with a thousand calls
// does not try as often.
func (l *login) fail(err error, refused bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	pause := pauseFailed
	if refused {
		l.pause = min(max(2*l.pause, pauseRefused), pauseRefusedMax)
		pause = l.pause
	}
	l.failed, l.retryAt = err, l.client.opts.Now().Add(pause)
	return err
}

const (
	pathToken = "/rocketmq-dashboard/csrf-token" //nolint:gosec // a path
	pathLogin = "/login/login.do"
)

// try logs in once. 2.1.1 and later hand out a token against forged requests
// and take JSON (CsrfTokenController, LoginController); others know no token and
// take a form.
func (l *login) try(ctx context.Context) error {
	o := &l.client.opts
	post := request{method: http.MethodPost, path: pathLogin, header: http.Header{}}
	token, err := l.token(ctx)
	switch Reason(err) {
	case "":
		body, err := json.Marshal(map[string]string{"username": o.Username, "password": o.Password})
		if err != nil {
			return errors.New("the credentials cannot be written as JSON")
		}
		post.body = string(body)
		post.header.Set("Content-Type", "application/json")
		post.header.Set(token.Header, token.Token)
	case reasonTimeout, reasonConnect, reasonCanceled:
		return err
	default: // it has none
		post.body = url.Values{"username": {o.Username}, "password": {o.Password}}.Encode()
		post.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return l.client.exchange(ctx, post, (*decoder).skip)
}

// csrfToken is Spring's CsrfToken.
type csrfToken struct {
	Header string `json:"headerName"`
	Token  string `json:"token"`
}

func (l *login) token(ctx context.Context) (csrfToken, error) {
	var t csrfToken
	err := l.client.exchange(ctx, request{method: http.MethodGet, path: pathToken}, func(d *decoder) error { return d.value(&t) })
	if err == nil && (t.Header == "" || t.Token == "") {
		err = failf(reasonMalformed, "no token in the answer")
	}
	return t, err
}
