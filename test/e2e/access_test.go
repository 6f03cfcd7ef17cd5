package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

// The users of both clusters, as docs/access.md has them made.
var (
	root    = realmq.Credentials{AccessKey: "rocketmq-root", SecretKey: "root-secret-0815"}
	monitor = realmq.Credentials{AccessKey: "exporter", SecretKey: "exporter-secret-0815"}
	nobody  = realmq.Credentials{AccessKey: "nobody-1", SecretKey: "nobody-secret-0815"}
	rotated = realmq.Credentials{AccessKey: "rotated", SecretKey: "rotated-secret-0815"}
)

// another is the same user with a secret that is not his.
func another(c realmq.Credentials) realmq.Credentials {
	c.SecretKey = "another-secret-4711"
	return c
}

// TestAccess5 is about ACL 2.0, and about TLS beside plain connections with a
// certificate that an authority has signed.
func TestAccess5(t *testing.T) {
	t.Parallel()
	ca, certificate := makeCertificates(t)
	s := &story{T: t, mq: realmq.Start(t, realmq.Options{
		Version:     realmq.Version5,
		Brokers:     []realmq.BrokerOptions{{Properties: realmq.AccessControl(root)}},
		Credentials: &root,
		TLS:         true,
		Certificate: certificate,
	})}
	readAll := realmq.Policy{Resources: []string{"Topic:*", "Group:*"}, Actions: []string{"Get"}}
	check(t, errors.Join(
		s.mq.CreateUser(t.Context(), monitor, readAll),
		s.mq.CreateUser(t.Context(), nobody),
		s.mq.CreateUser(t.Context(), rotated, readAll),
	))
	s.traffic()
	byTLS := []string{"--namesrv.tls", "--namesrv.ca-file=" + ca}
	s.exporter = s.as(t, monitor, byTLS...)

	t.Run("the read-only user sees what the super user sees", func(t *testing.T) {
		s.seesAll(t, s.as(t, root))
	})
	t.Run("nothing was sent that writes", s.onlyReads)
	t.Run("a user without rights", s.withoutRights)
	t.Run("a wrong secret, which becomes right", func(t *testing.T) {
		e := s.as(t, another(rotated), byTLS...)
		s.wrongSecret(t, e, "NO_PERMISSION: check signature failed.")
		check(t, s.mq.SetPassword(t.Context(), another(rotated)))
		s.of(e).eventually("it is up when the secret is right", s.whole)
	})
	t.Run("no login", func(t *testing.T) {
		s.of(s.as(t, realmq.Credentials{})).says(t, "the broker wants a login: set access-key and secret-key-file")
	})
	t.Run("any certificate", func(t *testing.T) {
		s.of(s.as(t, monitor, "--namesrv.tls", "--namesrv.insecure-skip-verify")).eventually("all is there", s.whole)
	})
	t.Run("an unknown authority", func(t *testing.T) {
		s.of(s.as(t, monitor, "--namesrv.tls")).says(t, "certificate signed by unknown authority", "set ca-file to the certificate of the authority")
	})
	t.Run("another name", func(t *testing.T) {
		args := slices.Concat(byTLS, []string{"--namesrv.server-name=broker.test"})
		s.of(s.as(t, monitor, args...)).says(t, "wanted to match broker.test", "set server-name to a name that its certificate holds")
	})
	t.Run("the fake refuses in the same words", func(t *testing.T) { s.fakeRefusesAlike(t, fakemq.Release550) })
}

// TestAccess4 is about ACL 1.0, and about nodes that take nothing but TLS, with
// the certificate that each makes for itself.
func TestAccess4(t *testing.T) {
	t.Parallel()
	s := &story{T: t, mq: realmq.Start(t, realmq.Options{
		Version: realmq.Version4,
		Brokers: []realmq.BrokerOptions{{
			Properties: map[string]string{"aclEnable": "true"},
			Files:      map[string]string{"conf/plain_acl.yml": plainACL()},
		}},
		Credentials: &root,
		TLS:         true,
		TLSOnly:     true,
	})}
	s.traffic()
	byTLS := []string{"--namesrv.tls", "--namesrv.insecure-skip-verify"}
	s.exporter = s.as(t, monitor, byTLS...)

	t.Run("the read-only account sees what the admin sees", func(t *testing.T) {
		s.seesAll(t, s.as(t, root, byTLS...))
	})
	t.Run("a wrong secret", func(t *testing.T) {
		s.wrongSecret(t, s.as(t, another(monitor), byTLS...), "Check signature failed for accessKey=exporter")
	})
	t.Run("no login", func(t *testing.T) {
		s.of(s.as(t, realmq.Credentials{}, byTLS...)).says(t, "No accessKey is configured", "the broker wants a login: set access-key and secret-key-file")
	})
	t.Run("a certificate of its own making", func(t *testing.T) {
		s.of(s.as(t, monitor, "--namesrv.tls")).says(t, "a node that was given no certificate signs one itself at each start: give it one, or set insecure-skip-verify")
	})
	t.Run("no TLS", func(t *testing.T) {
		s.of(s.as(t, monitor)).says(t, "is tls to be switched on?")
	})
	t.Run("the fake refuses in the same words", func(t *testing.T) { s.fakeRefusesAlike(t, fakemq.Release497) })
}

// plainACL are the accounts of ACL 1.0. The exporter's may do nothing that needs
// a right.
func plainACL() string {
	return `accounts:
- accessKey: ` + root.AccessKey + `
  secretKey: ` + root.SecretKey + `
  admin: true
- accessKey: ` + monitor.AccessKey + `
  secretKey: ` + monitor.SecretKey + `
  admin: false
  defaultTopicPerm: DENY
  defaultGroupPerm: DENY
`
}

// traffic leaves a group behind by 40 messages.
func (s *story) traffic() {
	ctx, t := s.Context(), s.T
	check(t, s.mq.CreateTopic(ctx, realmq.Topic{Name: "orders", Queues: 4}))
	consumer := must[*realmq.Consumer](t)(s.mq.StartConsumer(ctx, realmq.ConsumerOptions{
		Group: "cg_orders", Topics: []string{"orders"}, ClientIP: "10.1.0.1", CommitInterval: commitInterval,
	}))
	check(t, s.mq.Produce(ctx, realmq.Messages{Topic: "orders", Count: 100}))
	realmq.Eventually(t, within, func(ctx context.Context) error {
		if n, err := consumer.Consumed(ctx); err != nil || n < 100 {
			return fmt.Errorf("%d of 100 messages are consumed, %w", n, err)
		}
		return nil
	})
	check(t, consumer.Pause(ctx))
	check(t, s.mq.Produce(ctx, realmq.Messages{Topic: "orders", Count: 40}))
}

// as starts an exporter with a login; without a key it has none.
func (s *story) as(t *testing.T, user realmq.Credentials, args ...string) *exporter {
	t.Helper()
	if user.AccessKey != "" {
		file := filepath.Join(t.TempDir(), "secret")
		check(t, os.WriteFile(file, []byte(user.SecretKey+"\n"), 0o600))
		args = append(args, "--namesrv.access-key="+user.AccessKey, "--namesrv.secret-key-file="+file)
	}
	e := startExporter(t, s.mq.NameServer(), args...)
	t.Cleanup(func() { noSecret(t, e) })
	return e
}

// of is the story as another exporter tells it.
func (s *story) of(e *exporter) *story { return &story{T: s.T, mq: s.mq, exporter: e} }

// noSecret looks for secrets where people could read them.
func noSecret(t *testing.T, e *exporter) {
	t.Helper()
	texts := map[string]string{"log": e.logText()}
	for _, path := range []string{"/", "/metrics"} {
		texts[path] = must[string](t)(e.read(path))
	}
	for where, text := range texts {
		for _, user := range []realmq.Credentials{root, monitor, nobody, rotated, another(monitor)} {
			if strings.Contains(text, user.SecretKey) {
				t.Errorf("the secret %s is in %s", user.SecretKey, where)
			}
		}
	}
}

// whole: everything of the one group is there.
func (s *story) whole(x exposition) error {
	rows := x.find("rocketmq_msg_diff_detail", "consumerGroup", "cg_orders", "topic", "orders")
	held := rows.mentions("consumerClientIP", "10.1.0.1")
	if len(rows) != 4 || len(held) != 4 || rows.sum() != 40 {
		return fmt.Errorf("want a backlog of 40 in 4 rows of one process: %v", rows)
	}
	if members, err := x.find("rocketmq_consumergroup_members", "consumerGroup", "cg_orders").one(); err != nil || members != 1 {
		return fmt.Errorf("members %v, %w", members, err)
	}
	if denied := x.find("rocketmq_exporter_denied_requests"); len(denied) > 0 {
		return fmt.Errorf("denied: %v", denied)
	}
	return nil
}

// seesAll compares with what an exporter sees whose user may do everything.
func (s *story) seesAll(t *testing.T, superior *exporter) {
	s.eventually("all is there", s.whole)
	s.of(superior).eventually("all is there", s.whole)
	// Runtime values and what is asked now and then come with their time.
	s.eventually("it has the same families", func(x exposition) error {
		all, err := superior.scrape(t.Context())
		if err != nil {
			return err
		}
		if missing := missingFrom(families(x), families(all)); len(missing) > 0 {
			return fmt.Errorf("missing: %v", missing)
		}
		for _, reason := range []string{"login", "denied", "tls"} {
			if bad := x.find("rocketmq_exporter_errors_total", "reason", reason); len(bad) > 0 {
				t.Errorf("errors: %v", bad)
			}
		}
		return nil
	})
	s.eventually("rows equal those of mqadmin", func(x exposition) error {
		rows, err := s.mq.ConsumerProgress(t.Context(), "cg_orders")
		if err != nil {
			return err
		}
		return equalRows(x.find("rocketmq_msg_diff_detail", "consumerGroup", "cg_orders"), rows)
	})
}

// families of an exposition, but for the one that is there only after failures.
func families(x exposition) map[string]bool {
	names := map[string]bool{}
	for _, s := range x {
		if strings.HasPrefix(s.name, "rocketmq_") && s.name != "rocketmq_exporter_errors_total" {
			names[s.name] = true
		}
	}
	return names
}

func missingFrom(have, want map[string]bool) []string {
	var missing []string
	for name := range want {
		if !have[name] {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}

// withoutRights: who may log in and no more learns which brokers and groups
// there are, and nothing of what groups do.
func (s *story) withoutRights(t *testing.T) {
	e := s.as(t, nobody)
	s.of(e).eventually("denials are counted", func(x exposition) error {
		for request, right := range map[string]string{
			"GET_CONSUMER_CONNECTION_LIST": "Get on Group:*", "GET_CONSUME_STATS": "Get on Group:*", "GET_TOPIC_STATS_INFO": "Get on Topic:*",
		} {
			if n, err := x.find("rocketmq_exporter_denied_requests", "request", request, "right", right).one(); err != nil || n < 1 {
				return fmt.Errorf("%s denied %v times, %w", request, n, err)
			}
		}
		return nil
	})
	x := must[exposition](t)(e.scrape(t.Context()))
	have := families(x)
	for _, name := range []string{"rocketmq_up", "rocketmq_nameserver_up", "rocketmq_broker_up", "rocketmq_broker_info"} {
		if !have[name] {
			t.Errorf("%s is missing: it needs no right", name)
		}
	}
	for name := range have {
		if strings.HasPrefix(name, "rocketmq_msg_diff_") || strings.HasPrefix(name, "rocketmq_consumergroup_members") {
			t.Errorf("%s is there, and nobody told it: %v", name, x.find(name))
		}
	}
	for _, words := range []string{"(a right is missing: Get on Group:*)", "(a right is missing: Get on Topic:*)", "User:nobody-1 has no permission to access"} {
		if !strings.Contains(e.logText(), words) {
			t.Errorf("the log does not say %q", words)
		}
	}
	// What is asked behind the first round is answered some time after it.
	x = s.of(e).roundsLater(x, 2)
	denied := x.find("rocketmq_exporter_requests_total", "result", "denied")
	x = s.of(e).roundsLater(x, 3)
	if now := x.find("rocketmq_exporter_requests_total", "result", "denied"); now.sum() > denied.sum() {
		t.Errorf("denied after three rounds more are\n%v\nand before\n%v\nwant none sent again so soon", now, denied)
	}
}

// roundsLater awaits an exposition that is n rounds younger than x.
func (s *story) roundsLater(x exposition, n float64) (later exposition) {
	s.Helper()
	const rounds = "rocketmq_exporter_rounds_total"
	want := x.find(rounds).sum() + n
	s.eventually(fmt.Sprintf("%v rounds more", n), func(x exposition) error {
		if n := x.find(rounds).sum(); n < want {
			return fmt.Errorf("%v rounds", n)
		}
		later = x
		return nil
	})
	return later
}

// wrongSecret: the log says it once, and the broker is left alone.
func (s *story) wrongSecret(t *testing.T, e *exporter, words string) {
	const rounds = 6 // of a second; the pauses are 0.5, 1, 2, 4 s and so on
	s.of(e).eventually("some rounds have failed", func(x exposition) error {
		if n := x.find("rocketmq_exporter_rounds_total", "result", "failed").sum(); n < rounds {
			return fmt.Errorf("%v rounds have failed", n)
		}
		return nil
	})
	x := must[exposition](t)(e.scrape(t.Context()))
	if up, err := x.find("rocketmq_broker_up").one(); err != nil || up != 0 {
		t.Errorf("broker_up %v, %v", up, err)
	}
	refused := x.find("rocketmq_exporter_requests_total", "result", "login").sum()
	if n := x.find("rocketmq_exporter_errors_total", "reason", "login").sum(); n < rounds || refused < 1 || refused > rounds {
		t.Errorf("%v failures, %v requests in %d rounds: want a failure in each round, and fewer requests than rounds", n, refused, rounds)
	}
	log := e.logText()
	if !strings.Contains(log, words) || !strings.Contains(log, "the broker does not take the login: check access-key and secret-key-file") {
		t.Errorf("the log does not say %q, and what to do:\n%s", words, log)
	}
	// Once, unless something else was the matter in between, on a busy machine.
	begun := len(regexp.MustCompile(`msg="Cannot be read.* reason=login`).FindAllString(log, -1))
	ended := len(regexp.MustCompile(`msg="No longer fails.* reason=login`).FindAllString(log, -1))
	if begun-ended != 1 {
		t.Errorf("the log says %d times that the login is refused, and %d times that it is no longer:\n%s", begun, ended, log)
	}
	t.Logf("%v requests in %v rounds", refused, x.find("rocketmq_exporter_rounds_total").sum())
}

// says waits for words in the log, of an exporter that reads nothing.
func (s *story) says(t *testing.T, words ...string) {
	t.Helper()
	realmq.Eventually(t, within, func(context.Context) error {
		for _, w := range words {
			if !strings.Contains(s.exporter.logText(), w) {
				return fmt.Errorf("the log does not say %q", w)
			}
		}
		return nil
	})
	x := must[exposition](t)(s.exporter.scrape(t.Context()))
	if rows := x.find("rocketmq_msg_diff_detail"); len(rows) > 0 {
		t.Errorf("it reads for all that: %v", rows)
	}
}

// fakeRefusesAlike asks the real broker and a fake one the same things.
func (s *story) fakeRefusesAlike(t *testing.T, release fakemq.Release) {
	users := []fakemq.User{
		{AccessKey: root.AccessKey, SecretKey: root.SecretKey, Super: true},
		{AccessKey: nobody.AccessKey, SecretKey: nobody.SecretKey},
	}
	who := []realmq.Credentials{{}, another(nobody), nobody, root, {AccessKey: "not-there", SecretKey: "x"}}
	if release == fakemq.Release497 {
		users[1] = fakemq.User{AccessKey: monitor.AccessKey, SecretKey: monitor.SecretKey}
		who = []realmq.Credentials{{}, another(monitor), monitor, root, {AccessKey: "not-there", SecretKey: "x"}}
	}
	mq := must[*fakemq.Cluster](t)(fakemq.Start(fakemq.Options{Release: release, Access: &fakemq.Access{Users: users}}))
	defer mq.Close()
	check(t, errors.Join(
		mq.AddTopic(fakemq.Topic{Name: "orders", Queues: 4}),
		mq.AddGroup(fakemq.Group{Name: "cg_orders", Topics: []string{"orders"}}),
	))
	for _, user := range who {
		for _, request := range []remoting.Request{
			{Code: remoting.GetAllConsumerOffset}, {Code: remoting.GetAllTopicConfig}, {Code: remoting.GetAllSubscriptionGroup}, {Code: remoting.GetBrokerRuntimeInfo},
			with(remoting.GetTopicStatsInfo, "topic", "orders"),
			with(remoting.GetTopicStatsInfo, "topic", "%RETRY%cg_orders"),
			with(remoting.GetConsumeStats, "consumerGroup", "cg_orders"),
			with(remoting.GetConsumeStats, "consumerGroup", "cg_orders", "topicList", "orders;TBW102"),
			with(remoting.GetConsumerListByGroup, "consumerGroup", "no-such-group"),
			with(remoting.GetConsumerConnectionList, "consumerGroup", "no-such-group"),
			with(remoting.QueryConsumeTimeSpan, "topic", "orders", "group", "cg_orders"),
			with(remoting.QueryTopicConsumeByWho, "topic", "orders"),
			with(remoting.GetAllProducerInfo),
			with(remoting.GetProducerConnectionList, "producerGroup", "no-such-group"),
			with(remoting.ViewBrokerStatsData, "statsName", "TOPIC_PUT_NUMS", "statsKey", "no-such-topic"),
			with(remoting.GetBrokerConsumeStats, "isOrder", "false"),
		} {
			want := s.refusal(t, s.mq.Brokers()[0].Addr(), user, request)
			if fake := s.refusal(t, mq.Broker("broker-a").Addr(), user, request); fake != want {
				t.Errorf("%v of %q: the fake says %q, RocketMQ %q", request.Code, user.AccessKey, fake, want)
			}
		}
	}
}

func with(code remoting.RequestCode, fields ...string) remoting.Request {
	r := remoting.Request{Code: code}
	for i := 0; i < len(fields); i += 2 {
		r.Fields = append(r.Fields, remoting.Field{Key: fields[i], Value: fields[i+1]})
	}
	return r
}

// refusal is what a node has against a request, on a connection of its own.
func (s *story) refusal(t *testing.T, addr string, user realmq.Credentials, r remoting.Request) string {
	t.Helper()
	o := remoting.Options{DialTimeout: within, RequestTimeout: within, Credentials: remoting.Credentials{AccessKey: user.AccessKey, SecretKey: remoting.NewSecret(user.SecretKey)}}
	if addr == s.mq.Brokers()[0].Addr() && s.mq.Version() == realmq.Version4 {
		o.TLS = &tls.Config{InsecureSkipVerify: true} // it takes nothing else
	}
	client := remoting.NewClient(o)
	defer client.Close()
	_, err := client.Call(t.Context(), addr, r)
	if refused, ok := errors.AsType[*remoting.ResponseError](err); ok {
		return fmt.Sprintf("%v %s", refused.Code, refused.Remark)
	}
	check(t, err)
	return ""
}

// makeCertificates makes the certificate of an authority, and one of the nodes
// that it has signed, in files.
func makeCertificates(t *testing.T) (ca string, node *realmq.Certificate) {
	t.Helper()
	dir := t.TempDir()
	authority, authorityKey := certificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
	}, nil, nil)
	leaf, key := certificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "rocketmq"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, authority, authorityKey)
	der := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))
	ca = write(t, dir, "ca.pem", "CERTIFICATE", authority.Raw)
	return ca, &realmq.Certificate{
		CertFile: write(t, dir, "cert.pem", "CERTIFICATE", leaf.Raw),
		KeyFile:  write(t, dir, "key.pem", "PRIVATE KEY", der),
	}
}

// certificate makes one that signs itself where there is no parent.
func certificate(t *testing.T, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if parent == nil {
		parent, signer = template, key
	}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer))
	return must[*x509.Certificate](t)(x509.ParseCertificate(der)), key
}

func write(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	check(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}
