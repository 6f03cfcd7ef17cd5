package console

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// client calls one console.
type client struct {
	opts  Options
	base  *url.URL
	http  *http.Client
	login *login
}

// Calls that only read. A test holds them against what is called.
const (
	pathClusters   = "/cluster/list.query"
	pathTopics     = "/topic/list.query"
	pathConsumers  = "/topic/queryConsumerByTopic.query"
	pathStats      = "/topic/stats.query"
	pathRoute      = "/topic/route.query"
	pathGroups     = "/consumer/groupList.query"
	pathRefresh    = "/consumer/group.refresh.all"
	pathRows       = "/consumer/queryTopicByConsumer.query"
	pathConnection = "/consumer/consumerConnection.query"
	pathRunning    = PathRunningInfo
)

// PathRunningInfo is the one path whose failures are a consumer process's: the
// console is well, and so are the rows of others.
const PathRunningInfo = "/consumer/consumerRunningInfo.query"

func newClient(o Options) (*client, error) {
	base, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	conf := o.TLS
	if conf == nil {
		conf = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c := &client{opts: o, base: base}
	c.http = &http.Client{
		Jar: jar,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        conf,
			MaxIdleConnsPerHost:    o.Parallel,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 1 << 18,
		},
		// Without a session the console sends to its login page, which is
		// HTML with 200: whoever follows takes it for an answer.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.login = newLogin(c)
	return c, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// get calls a path and hands the answer's data to read, which is called again
// where a session had to be renewed.
func (c *client) get(ctx context.Context, limit time.Duration, path string, query url.Values, read func(*decoder) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	session, err := c.login.session()
	if err != nil {
		return c.named(path, err)
	}
	err = c.exchange(ctx, request{method: http.MethodGet, path: path, query: query}, read)
	if !errors.Is(err, errNoSession) {
		return err
	}
	if err := c.login.renew(ctx, session); err != nil {
		return c.named(path, err)
	}
	err = c.exchange(ctx, request{method: http.MethodGet, path: path, query: query}, read)
	if errors.Is(err, errNoSession) {
		return c.named(path, c.login.lost())
	}
	return err
}

// named puts the console's address and the path before an error.
func (c *client) named(path string, err error) error {
	return fmt.Errorf("%s%s: %w", c.base, path, c.redact(err))
}

// redact makes sure that no password is in an error's words, wherever they come
// from.
func (c *client) redact(err error) error {
	words := err.Error()
	clean := words
	for _, secret := range []string{c.opts.Password, c.opts.BasicPassword} {
		if secret != "" {
			clean = strings.ReplaceAll(clean, secret, "***")
		}
	}
	if clean == words {
		return err
	}
	return &redactedError{clean, err}
}

// redactedError is an error in other words.
type redactedError struct {
	words string
	err   error
}

func (e *redactedError) Error() string { return e.words }
func (e *redactedError) Unwrap() error { return e.err }

type request struct {
	method, path string
	query        url.Values
	header       http.Header
	body         string
}

// exchange sends one request and reads its answer.
func (c *client) exchange(ctx context.Context, r request, read func(*decoder) error) error {
	target := *c.base
	target.Path += r.path
	// Spaces as %20: what every server understands.
	target.RawQuery = strings.ReplaceAll(r.query.Encode(), "+", "%20")
	x := Exchange{Addr: c.base.Host, Path: r.path, Sent: len(target.RequestURI()) + len(r.body)}
	began := c.opts.Now()
	received, err := c.send(ctx, r, target.String(), read)
	x.Received, x.Took = received, c.opts.Now().Sub(began)
	if err != nil {
		if ctx.Err() != nil && Reason(err) == reasonConnect {
			err = ctx.Err() // what broke was broken off
		}
		err = c.named(r.path, err)
	}
	x.Err = err
	c.opts.Observe(x)
	return err
}

func (c *client) send(ctx context.Context, r request, target string, read func(*decoder) error) (received int64, err error) {
	req, err := http.NewRequestWithContext(ctx, r.method, target, strings.NewReader(r.body))
	if err != nil {
		return 0, errors.New("the request makes no sense") // its words would repeat the address
	}
	maps.Copy(req.Header, r.header)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "rocketmq_exporter")
	if c.opts.BasicUser != "" || c.opts.BasicPassword != "" {
		req.SetBasicAuth(c.opts.BasicUser, c.opts.BasicPassword)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the address, which stands before it anyway
		}
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := checkStatus(resp); err != nil {
		return 0, err
	}
	if resp.ContentLength > c.opts.MaxAnswer {
		return 0, tooLarge(c.opts.MaxAnswer)
	}
	body := &bounded{from: resp.Body, max: c.opts.MaxAnswer}
	if err := c.decode(resp, body, read); err != nil {
		return body.read, err
	}
	// Read to its end, a connection serves the next call.
	_, _ = io.CopyN(io.Discard, body, maxRest)
	return body.read, nil
}

// maxRest is how much may follow an answer before its connection is given up.
const maxRest = 4096

// errNoSession: the console sends to its login page.
var errNoSession = failf(reasonLogin, "the console wants a login")

func checkStatus(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code >= 300 && code < 400:
		to, err := resp.Location()
		if err == nil && strings.Contains(to.Path+"#"+to.Fragment, "login") {
			return errNoSession
		}
		if err != nil {
			return failf(reasonHTTPStatus, "it answers %s", resp.Status)
		}
		return failf(reasonHTTPStatus, "it answers %s to %s://%s: is the URL right?", resp.Status, to.Scheme, to.Host)
	case code == http.StatusUnauthorized:
		return failf(reasonHTTPStatus, "it answers %s: a proxy in front wants basic authentication, or another one", resp.Status)
	case code == http.StatusNotFound:
		return failf(reasonHTTPStatus, "it answers %s: %w", resp.Status, errNoPath)
	}
	return failf(reasonHTTPStatus, "it answers %s", resp.Status)
}

// decode reads the answer's envelope and its data.
func (c *client) decode(resp *http.Response, body *bounded, read func(*decoder) error) error {
	buffered := bufio.NewReader(body)
	first, err := firstByte(buffered)
	switch {
	case errors.Is(err, io.EOF):
		return failf(reasonNotJSON, "it answers nothing")
	case err != nil:
		return readError(err)
	case first != '{':
		kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
		return failf(reasonNotJSON, "it answers something else than the console does (%s): is the URL right, and is there no proxy that wants a login?", clean(kind))
	}
	d := newDecoder(buffered)
	return readError(d.envelope(func() error { return read(d) }))
}

func firstByte(r *bufio.Reader) (byte, error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, r.UnreadByte()
		}
	}
}

// bounded reads at most max bytes and then says that there were too many.
type bounded struct {
	from      io.Reader
	read, max int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.read >= b.max {
		return 0, tooLarge(b.max)
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.max-b.read)])
	b.read += int64(n)
	return n, err
}

func tooLarge(limit int64) error {
	return failf(reasonTooLarge, "the answer is larger than %d bytes", limit)
}
