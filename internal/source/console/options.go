package console

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// Options are the settings of a source. The zero value of each means the default
// named with it.
type Options struct {
	// URL is where the console is: http://host:port, with its context path if
	// it has one. Without a scheme it is http. Credentials do not belong in it.
	URL       string
	Selection source.Selection
	// Username and Password log in to a console that wants it
	// (rocketmq.config.loginRequired).
	Username, Password string
	// BasicUser and BasicPassword are for a proxy in front of the console.
	BasicUser, BasicPassword string
	// TLS is how an https console is verified; the system's authorities.
	TLS *tls.Config
	// Parallel is how many calls are under way at the same time; 4. The
	// console, not the network, is the limit.
	Parallel int
	// CallTimeout bounds one call; 5 s.
	CallTimeout time.Duration
	// ProcessTimeout bounds a call that the console hands on to a consumer
	// process; 2 s.
	ProcessTimeout time.Duration
	// MaxAnswer bounds the bytes of one answer; 64 MiB.
	MaxAnswer int64
	// KeepRounds is for how many rounds the last good numbers stand in for
	// what cannot be read; 3.
	KeepRounds int
	// GroupRounds is after how many rounds the list of groups is read again
	// although no retry topic came or went; 20.
	GroupRounds int
	// OfflineRounds is every how many rounds a group without processes is
	// asked who is online while nothing hints at it; 4.
	OfflineRounds int
	// BeginRounds is for how many rounds the beginning of a queue is believed
	// to be still 0; 20.
	BeginRounds int
	// SlowEvery is how old may be what costs a call per topic, and no round
	// waits for: where queues begin, when their newest messages were stored,
	// and the topics that nobody has committed on; 1 min. Below 0 nothing of
	// that is asked, but where a beginning decides what counts.
	SlowEvery time.Duration
	// ForgetAfter is how long a broker process that is no longer listed is
	// still shown as down; 1 h.
	ForgetAfter time.Duration
	// Observe is told of every call; it may be called from several goroutines.
	Observe func(Exchange)
	// Now is the clock; time.Now.
	Now func() time.Time
}

// Exchange is what Options.Observe is told of one call.
type Exchange struct {
	Addr     string // host:port
	Path     string // without the context path
	Err      error  // nil for an answer with status 0; Reason says why
	Sent     int    // bytes of the request's target and body
	Received int64  // bytes of the answer's body
	Took     time.Duration
}

func (o Options) withDefaults() Options {
	o.Parallel = cmp.Or(o.Parallel, 4)
	o.CallTimeout = cmp.Or(o.CallTimeout, 5*time.Second)
	o.ProcessTimeout = cmp.Or(o.ProcessTimeout, 2*time.Second)
	o.MaxAnswer = cmp.Or(o.MaxAnswer, 64<<20)
	o.KeepRounds = cmp.Or(o.KeepRounds, 3)
	o.GroupRounds = cmp.Or(o.GroupRounds, 20)
	o.OfflineRounds = cmp.Or(o.OfflineRounds, 4)
	o.BeginRounds = cmp.Or(o.BeginRounds, 20)
	o.SlowEvery = cmp.Or(o.SlowEvery, time.Minute)
	o.ForgetAfter = cmp.Or(o.ForgetAfter, time.Hour)
	if o.Observe == nil {
		o.Observe = func(Exchange) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// parseURL checks where the console is. What a browser shows behind '#' is
// dropped: people paste it. No error repeats the text, which may hold a
// password.
func parseURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errors.New("console: no URL")
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("console: the URL makes no sense: want http://host:port or https://host:port, with the context path if there is one")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("console: URL scheme %q: allowed are http and https", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("console: the URL names no host")
	case u.User != nil:
		return nil, errors.New("console: the URL holds credentials: they have settings of their own")
	case u.RawQuery != "":
		return nil, errors.New("console: the URL has a query: only a context path may follow the host")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
}
