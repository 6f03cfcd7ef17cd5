package fakemq

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ConsoleRelease is the release of the console whose answers are given.
type ConsoleRelease string

// The consoles that are known to the byte.
const (
	// Console100 is rocketmq-dashboard 1.0.0, whose interface is that of the
	// rocketmq-console before it.
	Console100 ConsoleRelease = "1.0.0"
	// Console211 is rocketmq-dashboard 2.1.1.
	Console211 ConsoleRelease = "2.1.1"
)

func (r ConsoleRelease) two() bool { return r == Console211 }

// ConsoleOptions say what console to start. The zero value is a console of
// 2.1.1 that lets everybody in.
type ConsoleOptions struct {
	Release ConsoleRelease // empty is Console211
	// Addr is the address to listen on. Empty is a port of 127.0.0.1 that the
	// kernel chooses.
	Addr string
	// ContextPath stands before every path: /console.
	ContextPath string
	// Delay is what every call takes besides.
	Delay time.Duration
	// MaxServed is how many calls are served at once; others wait. 0 is no
	// bound.
	MaxServed int
	// User and Password, where given, must log in (loginRequired).
	User, Password string
	// ProxyUser and ProxyPassword, where given, are asked for by a proxy in
	// front, by basic authentication.
	ProxyUser, ProxyPassword string
	// TLS makes it an https server, whose certificate CAs verifies.
	TLS bool
	// ClientCerts refuses clients without a certificate such as
	// ClientCertificate. It needs TLS.
	ClientCerts bool
}

func (o ConsoleOptions) checked() (ConsoleOptions, error) {
	var bad []error
	o.Release = cmp.Or(o.Release, Console211)
	o.Addr = cmp.Or(o.Addr, "127.0.0.1:0")
	if o.Release != Console100 && o.Release != Console211 {
		bad = append(bad, fmt.Errorf("release %q: known are %s and %s", string(o.Release), Console100, Console211))
	}
	o.ContextPath = strings.TrimSuffix(o.ContextPath, "/")
	if o.ContextPath != "" && !strings.HasPrefix(o.ContextPath, "/") {
		bad = append(bad, fmt.Errorf("context path %q: it begins with a slash", o.ContextPath))
	}
	if o.Delay < 0 || o.MaxServed < 0 {
		bad = append(bad, fmt.Errorf("delay %v, at most %d served at once: %w", o.Delay, o.MaxServed, errNegative))
	}
	if o.ClientCerts && !o.TLS {
		bad = append(bad, errors.New("client certificates need TLS"))
	}
	return o, errors.Join(bad...)
}

// Console is the web console of a fake cluster: the HTTP interface of
// rocketmq-dashboard, answering from the same truth as the nodes do. Its
// methods may be called from many goroutines.
type Console struct {
	mq    *Cluster
	opts  ConsoleOptions
	admin admin
	certs *certificates // nil without TLS
	slots chan struct{} // as many as are served at once, nil without a bound

	mu       sync.Mutex
	addr     string // fixed by the first start
	server   *http.Server
	stop     context.CancelFunc
	calls    map[string]int
	inFlight int
	most     int
	faults   []*ConsoleInjection
	sessions map[string]bool // by session id

	listMu sync.Mutex
	list   []groupInfo // the cache of groups, of 2.x

	work  sync.WaitGroup // the accept loop
	conns sync.WaitGroup // one goroutine per connection
}

// StartConsole starts a console before the cluster. It is closed with the
// cluster.
func (c *Cluster) StartConsole(opts ConsoleOptions) (*Console, error) {
	opts, err := opts.checked()
	if err != nil {
		return nil, fmt.Errorf("fakemq: console: %w", err)
	}
	s := &Console{
		mq: c, opts: opts, addr: opts.Addr, admin: admin{c, opts.Release},
		calls: map[string]int{}, sessions: map[string]bool{},
	}
	if opts.MaxServed > 0 {
		s.slots = make(chan struct{}, opts.MaxServed)
	}
	if opts.TLS {
		if s.certs, err = makeCertificates(); err != nil {
			return nil, fmt.Errorf("fakemq: console: %w", err)
		}
	}
	if err := s.Start(); err != nil {
		return nil, fmt.Errorf("fakemq: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.consoles = append(c.consoles, s)
	return s, nil
}

// URL is where the console is, context path included, without a slash at its
// end. It stays the same over Stop and Start.
func (s *Console) URL() string {
	scheme := "http://"
	if s.opts.TLS {
		scheme = "https://"
	}
	return scheme + s.Addr() + s.opts.ContextPath
}

// Addr is the console's address, host:port.
func (s *Console) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Start makes a stopped console listen on its address again. Like a console
// that was restarted it knows no session.
func (s *Console) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return nil
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	s.addr = l.Addr().String()
	if s.certs != nil {
		l = tls.NewListener(l, s.certs.server(s.opts.ClientCerts))
	}
	clear(s.sessions)
	s.listMu.Lock()
	s.list = nil
	s.listMu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.server = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         s.connState,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          quietLog(),
	}
	server := s.server
	s.work.Go(func() { _ = server.Serve(l) }) // it ends with the listener
	return nil
}

// connState counts the goroutines of connections.
func (s *Console) connState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
	}
}

// Stop ends the console as a crash would: its port refuses, its connections
// are closed. Stop returns when no goroutine of the console is left.
func (s *Console) Stop() {
	s.mu.Lock()
	if s.server != nil {
		s.stop()
		_ = s.server.Close()
		s.server = nil
	}
	s.mu.Unlock()
	s.work.Wait()
	s.conns.Wait()
}

// Close stops the console for good.
func (s *Console) Close() { s.Stop() }

// Running says whether the console listens.
func (s *Console) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server != nil
}

// Requests is how often each path was called since the start, whatever became
// of it. Paths are without the context path.
func (s *Console) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// Total is how many calls there were since the start.
func (s *Console) Total() int {
	sum := 0
	for _, n := range s.Requests() {
		sum += n
	}
	return sum
}

// InFlight is how many calls are under way, those that wait for their turn
// among them.
func (s *Console) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inFlight
}

// MostInFlight is the largest InFlight since the start.
func (s *Console) MostInFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}
