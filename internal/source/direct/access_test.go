package direct

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/sourcetest"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

const secret = "hush-hush-0815"

// user is the exporter's user, with what it may do.
func user(policies ...fakemq.Policy) *fakemq.Access {
	return &fakemq.Access{Users: []fakemq.User{{AccessKey: "monitor", SecretKey: secret, Policies: policies}}}
}

// get lets a user read resources.
func get(resources ...string) []fakemq.Policy {
	var list []fakemq.Policy
	for _, r := range resources {
		list = append(list, fakemq.Policy{Resource: r, Actions: []string{"Get"}})
	}
	return list
}

func logsIn(o *Options) {
	o.Remoting.Credentials = remoting.Credentials{AccessKey: "monitor", SecretKey: remoting.NewSecret(secret)}
}

// secured is a stage of one broker whose access is checked.
func secured(t *testing.T, r fakemq.Release, a *fakemq.Access, change func(*Options)) *stage {
	t.Helper()
	o := brokers(r, 1, "broker-a")
	o.Access = a
	return newStage(t, o, change)
}

// TestReadOnlyUser: Get on topics and groups is all that the whole takes, and on
// 4.x a login.
func TestReadOnlyUser(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		rights := get("Topic:*", "Group:*")
		if release == fakemq.Release497 {
			rights = nil
		}
		s := secured(t, release, user(rights...), logsIn)
		s.Shop()
		for range 3 {
			s.More()
			r := s.Check("a read-only user")
			if d := r.Snapshots[0].Denials; d != nil {
				t.Errorf("denied: %+v", d)
			}
		}
	})
}

// byGroup are the group's columns of a snapshot.
func byGroup(r source.Round, name string) *model.Group {
	for _, g := range r.Snapshots[0].Groups {
		if g.Name == name {
			return g
		}
	}
	return nil
}

// TestUserWithoutRights may log in and no more: commits without ends are no
// backlog, and who is online is unknown. Nothing of it is asked again soon, and
// all of it when the rights are there.
func TestUserWithoutRights(t *testing.T) {
	t.Parallel()
	s := secured(t, fakemq.Release550, user(), logsIn)
	s.Shop()
	r := s.Collect()
	s.Compare("no right", r, sourcetest.Rows{})
	s.wantIncomplete("no right", r, 1)
	if b := r.Snapshots[0].Brokers[0]; !b.Up || b.Version == "" {
		t.Errorf("broker %+v: it answers, and tells its version", b)
	}
	if g := byGroup(r, "billing"); g == nil || g.Known || g.Clients != nil {
		t.Errorf("group %+v: it is there, and nothing is known of it", g)
	}
	want := []model.Denial{
		{Request: "GET_CONSUMER_CONNECTION_LIST", Right: "Get on Group:*", Count: 3},
		{Request: "GET_CONSUME_STATS", Right: "Get on Group:*", Count: 1},
		{Request: "GET_TOPIC_STATS_INFO", Right: "Get on Group:*", Count: 2}, // of retry topics
		{Request: "GET_TOPIC_STATS_INFO", Right: "Get on Topic:*", Count: 3},
	}
	if got := r.Snapshots[0].Denials; !slices.Equal(got, want) {
		t.Errorf("denied: %+v\nwant %+v", got, want)
	}
	wantDenied(t, r, "GET_CONSUMER_CONNECTION_LIST", "(a right is missing: Get on Group:*)", 3)
	wantDenied(t, r, "GET_TOPIC_STATS_INFO", "(a right is missing: Get on ", 5)

	w := s.watch()
	for range 5 {
		r = s.Collect()
		wantDenied(t, r, "GET_CONSUMER_CONNECTION_LIST", "; asked again in ", 3)
		wantDenied(t, r, "GET_TOPIC_STATS_INFO", "; asked again in ", 5)
	}
	// What is left: what needs no right, and whether the slave is there.
	if got := w.of("broker-a"); got[202] != 0 || got[203] != 0 || got[208] != 0 || got[43] != 5 {
		t.Errorf("requests of five rounds: %v: want none that was denied a moment ago", got)
	}
	if got := w.of("broker-a#1"); got[203] != 5 {
		t.Errorf("requests to the slave: %v: want one in each round", got)
	}

	s.MQ.SetAccess(user(get("Topic:*", "Group:*")...))
	s.clock.Advance(deniedPause)
	s.Check("with rights")
	s.clock.Advance(2 * maxDeniedPause)
	if r = s.Check("later"); r.Snapshots[0].Denials != nil {
		t.Errorf("denied: %+v", r.Snapshots[0].Denials)
	}
}

func wantDenied(t *testing.T, r source.Round, request, words string, count int) {
	t.Helper()
	for _, f := range r.Failures {
		if f.Step != request {
			continue
		}
		if f.Reason != "denied" || f.Count != count || !strings.Contains(f.Err.Error(), words) || !strings.Contains(f.Err.Error(), "has no permission to access") {
			t.Errorf("failure %+v: want %d denied, and the words %q", f, count, words)
		}
		return
	}
	t.Errorf("no failure of %s: %+v", request, r.Failures)
}

// TestPausesOfDenialsGrow up to a bound.
func TestPausesOfDenialsGrow(t *testing.T) {
	t.Parallel()
	s := secured(t, fakemq.Release550, user(get("Topic:*")...), logsIn)
	s.Shop()
	var asked []int // after how many seconds
	w := s.watch()
	began := s.clock.Now()
	for last := 0; s.clock.Now().Sub(began) < 30*time.Minute; s.clock.Advance(5 * time.Second) {
		s.Collect()
		if n := w.of("broker-a")[203]; n != last {
			asked, last = append(asked, int(s.clock.Now().Sub(began).Seconds())), n
		}
	}
	want := []int{0, 30, 90, 210, 450, 750, 1050, 1350, 1650}
	if !slices.EqualFunc(asked, want, func(a, b int) bool { return b <= a && a <= b+45 }) {
		t.Errorf("asked after %v seconds, want about %v", asked, want)
	}
}

// TestSomeRightsAreMissing costs what they are about.
func TestSomeRightsAreMissing(t *testing.T) {
	for _, c := range []struct {
		name     string
		policies []fakemq.Policy
		want     func(truth sourcetest.Rows) sourcetest.Rows
		denied   map[string]int
	}{
		{
			"one topic: its rows",
			append(get("Topic:*", "Group:*"), fakemq.Policy{Resource: "Topic:orders", Actions: []string{"Get"}, Deny: true}),
			func(truth sourcetest.Rows) sourcetest.Rows { return truth.Only(not(onTopic("orders"))) },
			map[string]int{"GET_CONSUME_STATS": 1, "GET_TOPIC_STATS_INFO": 1},
		},
		{
			"one group: who is online in it, and its retry topic",
			append(get("Topic:*", "Group:*"), fakemq.Policy{Resource: "Group:billing", Actions: []string{"Get"}, Deny: true}),
			func(truth sourcetest.Rows) sourcetest.Rows {
				return ownerless(truth.Only(not(onTopic("%RETRY%billing"))), "billing")
			},
			map[string]int{"GET_CONSUME_STATS": 1, "GET_TOPIC_STATS_INFO": 1, "GET_CONSUMER_CONNECTION_LIST": 1},
		},
		{
			"the group in whose name ends are asked for: nothing but speed",
			append(get("Topic:*", "Group:*"), fakemq.Policy{Resource: "Group:" + probeGroup, Actions: []string{"Get"}, Deny: true}),
			func(truth sourcetest.Rows) sourcetest.Rows { return truth },
			map[string]int{"GET_CONSUME_STATS": 1},
		},
		{
			"all groups: who is online, and the broadcasting groups",
			get("Topic:*"),
			func(truth sourcetest.Rows) sourcetest.Rows {
				return ownerless(truth.Only(func(l sourcetest.Labels) bool { return l.Group != "cache" && !strings.HasPrefix(l.Topic, "%") }), "billing", "archive")
			},
			map[string]int{"GET_CONSUME_STATS": 1, "GET_TOPIC_STATS_INFO": 2, "GET_CONSUMER_CONNECTION_LIST": 3},
		},
		{
			"all topics: every row but those of retry topics",
			get("Group:*"),
			func(truth sourcetest.Rows) sourcetest.Rows {
				return truth.Only(func(l sourcetest.Labels) bool { return strings.HasPrefix(l.Topic, "%RETRY%") })
			},
			map[string]int{"GET_CONSUME_STATS": 1, "GET_TOPIC_STATS_INFO": 3},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := secured(t, fakemq.Release550, user(c.policies...), logsIn)
			s.Shop()
			for range 3 {
				s.More()
				r := s.Collect()
				s.Compare("rights are missing", r, c.want(s.Truth()))
				denied := map[string]int{}
				for _, d := range r.Snapshots[0].Denials {
					denied[d.Request] += d.Count
				}
				if !maps.Equal(denied, c.denied) {
					t.Errorf("denied: %v, want %v", denied, c.denied)
				}
			}
			s.MQ.SetAccess(user(get("Topic:*", "Group:*")...))
			s.clock.Advance(2 * maxDeniedPause)
			s.Collect()
			s.Check("all rights are there")
		})
	}
}

// ownerless are the rows with nobody to hold the queues of some groups.
func ownerless(rows sourcetest.Rows, groups ...string) sourcetest.Rows {
	out := sourcetest.Rows{}
	for l, n := range rows {
		if slices.Contains(groups, l.Group) {
			l.IP, l.PID = "", ""
		}
		out[l] = n
	}
	return out
}

// TestWrongSecret costs each broker one request per pause, however many rounds
// there are, and is told once per broker.
func TestWrongSecret(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := secured(t, release, user(), func(o *Options) {
			logsIn(o)
			o.Remoting.BackoffMin, o.Remoting.BackoffMax = time.Hour, time.Hour
		})
		s.MQ.SetAccess(&fakemq.Access{Users: []fakemq.User{{AccessKey: "monitor", SecretKey: "another"}}})
		s.Shop()
		for range 20 {
			r := s.Collect()
			s.Compare("wrong secret", r, sourcetest.Rows{})
			for process, is := range up(r) {
				if is {
					t.Errorf("%s is called up: it tells nothing", process)
				}
			}
			s.wantLogin(r, "the broker does not take the login: check access-key and secret-key-file")
		}
		for _, node := range []string{"broker-a", "broker-a#1"} {
			if n := s.total(node); n != 1 {
				t.Errorf("%s was asked %d times in 20 rounds, want once in the pause", node, n)
			}
		}
	})
}

// total is how many requests a node has received.
func (s *stage) total(node string) int {
	n := 0
	for _, times := range (&requests{mq: s.MQ}).of(node) {
		n += times
	}
	return n
}

// wantLogin holds all failures of a round to be refused logins, one per node.
func (s *stage) wantLogin(r source.Round, words string) {
	s.t.Helper()
	nodes := map[string]bool{}
	for _, f := range r.Failures {
		text := f.Err.Error()
		if f.Reason != "login" || f.Step != everyRequest || nodes[f.Target] || !strings.Contains(text, words) || !strings.Contains(text, f.Target) {
			s.t.Errorf("failure %+v: want one refused login per node, and the words %q", f, words)
		}
		if strings.Contains(text, secret) {
			s.t.Errorf("the secret shows: %s", text)
		}
		nodes[f.Target] = true
	}
	if len(nodes) != 2 {
		s.t.Errorf("%d nodes refuse the login, want both: %+v", len(nodes), r.Failures)
	}
}

func TestMissingLogin(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		s := secured(t, release, user(), nil)
		s.Shop()
		s.wantLogin(s.Collect(), "the broker wants a login: set access-key and secret-key-file")
	})
}

// TestSecretIsChanged: the last good rows stay for as long as for a broker that
// is away, and all is well again when the secret is.
func TestSecretIsChanged(t *testing.T) {
	both(t, func(t *testing.T, release fakemq.Release) {
		right := user(get("Topic:*", "Group:*")...)
		s := secured(t, release, right, logsIn)
		s.Shop()
		s.Check("the right secret")
		last := s.Truth()
		s.MQ.SetAccess(&fakemq.Access{Users: []fakemq.User{{AccessKey: "monitor", SecretKey: "another"}}})
		for range keep {
			s.More()
			r := s.Collect()
			s.Compare("another secret", r, last)
			s.wantIncomplete("another secret", r, 1)
		}
		s.Compare("another secret for long", s.Collect(), sourcetest.Rows{})
		s.MQ.SetAccess(right)
		s.settlePulses()
		s.Collect()
		s.Check("the right secret again")
	})
}

// TestAdvice says what to do where the settings of access do not fit the nodes.
func TestAdvice(t *testing.T) {
	pool := func(mq *fakemq.Cluster) *x509.CertPool {
		p := x509.NewCertPool()
		p.AppendCertsFromPEM(mq.CAPEM())
		return p
	}
	for _, c := range []struct {
		name   string
		nodes  fakemq.TLS
		client func(mq *fakemq.Cluster) *tls.Config
		reason string // empty: all is well
		want   string
	}{
		{"trusted", fakemq.TLS{Mode: fakemq.TLSEnforcing}, func(mq *fakemq.Cluster) *tls.Config { return &tls.Config{RootCAs: pool(mq)} }, "", ""},
		{"not checked", fakemq.TLS{Mode: fakemq.TLSPermissive, SelfSigned: true}, func(*fakemq.Cluster) *tls.Config { return &tls.Config{InsecureSkipVerify: true} }, "", ""},
		{
			"plain to nodes that take nothing but TLS", fakemq.TLS{Mode: fakemq.TLSEnforcing}, nil,
			"connection_lost", "is tls to be switched on?",
		},
		{
			"TLS to nodes that take none", fakemq.TLS{}, func(*fakemq.Cluster) *tls.Config { return &tls.Config{InsecureSkipVerify: true} },
			"tls", "is tls to be switched off?",
		},
		{
			"an unknown authority", fakemq.TLS{Mode: fakemq.TLSPermissive}, func(*fakemq.Cluster) *tls.Config { return &tls.Config{RootCAs: x509.NewCertPool()} },
			"tls", "set ca-file to the certificate of the authority",
		},
		{
			"RocketMQ's own certificate", fakemq.TLS{Mode: fakemq.TLSPermissive, SelfSigned: true}, func(*fakemq.Cluster) *tls.Config { return &tls.Config{} },
			"tls", "signs one itself at each start: give it one, or set insecure-skip-verify",
		},
		{
			"another name", fakemq.TLS{Mode: fakemq.TLSPermissive}, func(mq *fakemq.Cluster) *tls.Config {
				return &tls.Config{RootCAs: pool(mq), ServerName: "broker.test"}
			},
			"tls", "set server-name to a name that its certificate holds",
		},
		{
			"no certificate is shown", fakemq.TLS{Mode: fakemq.TLSPermissive, ClientCerts: true}, func(mq *fakemq.Cluster) *tls.Config { return &tls.Config{RootCAs: pool(mq)} },
			"tls", "set cert-file and key-file",
		},
		{
			"a wrong certificate is shown", fakemq.TLS{Mode: fakemq.TLSPermissive, ClientCerts: true}, func(mq *fakemq.Cluster) *tls.Config {
				other, err := fakemq.Start(fakemq.Options{TLS: fakemq.TLS{Mode: fakemq.TLSPermissive}})
				if err != nil {
					t.Fatal(err)
				}
				defer other.Close()
				cert, err := tls.X509KeyPair(other.ClientPEM())
				if err != nil {
					t.Fatal(err)
				}
				// Even if the server does not name the authority of this one.
				return &tls.Config{RootCAs: pool(mq), Certificates: []tls.Certificate{cert}, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }}
			},
			"tls", "it may not trust the certificate in cert-file",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := brokers(fakemq.Release550, 0, "broker-a")
			o.TLS = c.nodes
			mq, err := fakemq.Start(o)
			if err != nil {
				t.Fatal(err)
			}
			defer mq.Close()
			settings := Options{NameServers: mq.NameServers()}
			if c.client != nil {
				settings.Remoting.TLS = c.client(mq)
			}
			src := New(settings)
			defer src.Close()
			r := src.Collect(t.Context())
			if c.reason == "" {
				if len(r.Failures) > 0 || !r.Snapshots[0].Brokers[0].Up {
					t.Errorf("failures: %+v", r.Failures)
				}
				return
			}
			if len(r.Failures) != 1 {
				t.Fatalf("failures: %+v, want one of the name server", r.Failures)
			}
			if f := r.Failures[0]; f.Reason != c.reason || !strings.Contains(f.Err.Error(), c.want) {
				t.Errorf("%s: %v; want %s, and the words %q", f.Reason, f.Err, c.reason, c.want)
			}
		})
	}
}
