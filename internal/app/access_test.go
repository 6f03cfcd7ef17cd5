package app

import (
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Secrets that must show nowhere.
const (
	secretKey     = "the-secret-key-0815"
	securityToken = "the-security-token-4711"
)

// closedShop is the shop, whose brokers want a login and whose nodes take
// nothing but TLS.
func closedShop(t *testing.T, policies ...fakemq.Policy) *fakemq.Cluster {
	t.Helper()
	mq := shop(t, func(o *fakemq.Options) {
		o.TLS = fakemq.TLS{Mode: fakemq.TLSEnforcing, ClientCerts: true}
		o.Access = &fakemq.Access{Users: []fakemq.User{{AccessKey: "exporter", SecretKey: secretKey, Policies: policies}}}
	})
	return mq
}

func toClosedShop(t *testing.T, mq *fakemq.Cluster, edit ...func(*config.Access)) config.Valid {
	t.Helper()
	return settings(t, mq.NameServers(), func(c *config.Config) {
		cert, key := mq.ClientPEM()
		a := &c.Clusters[0].Access
		*a = config.Access{
			AccessKey: "exporter", SecretKey: remoting.NewSecret(secretKey), SecurityToken: remoting.NewSecret(securityToken),
			Secure: true, TLS: config.TLS{CA: string(mq.CAPEM()), Cert: string(cert), Key: remoting.NewSecret(string(key))},
		}
		for _, e := range edit {
			e(a)
		}
	})
}

func readEverything() []fakemq.Policy {
	return []fakemq.Policy{{Resource: "Topic:*", Actions: []string{"Get"}}, {Resource: "Group:*", Actions: []string{"Get"}}}
}

func TestAClosedShopTellsTheTruth(t *testing.T) {
	mq := closedShop(t, readEverything()...)
	a := newStepped(t, toClosedShop(t, mq))
	a.round()
	s := a.scrape()
	if got, want := backlogOf(s), truth(mq); got.String() != want.String() {
		t.Errorf("\n got\n%vwant\n%v", got, want)
	}
	s.want(t, series{`rocketmq_up{cluster="shop"}`: 1, `rocketmq_exporter_rounds_total{cluster="shop",result="ok"}`: 1})
	if denied := s.of("rocketmq_exporter_denied_requests"); len(denied) > 0 || len(s.of("rocketmq_exporter_errors_total")) > 0 {
		t.Errorf("denied: %v, errors: %v", denied, s.of("rocketmq_exporter_errors_total"))
	}
}

// What goes wrong is said once in the log, on the page and in metrics; and
// secrets nowhere.
func TestAccessThatIsRefused(t *testing.T) {
	for _, c := range []struct {
		name     string
		policies []fakemq.Policy
		edit     func(*config.Access)
		up       float64
		words    string // in log and on the page
		lines    int    // of the log
		metric   string
	}{
		{
			"a wrong secret", readEverything(), func(a *config.Access) { a.SecretKey = remoting.NewSecret("another-" + secretKey) }, 0,
			"the broker does not take the login: check access-key and secret-key-file", 2, // one for each broker
			`rocketmq_exporter_errors_total{cluster="shop",reason="login"}`,
		},
		{
			"no right", nil, func(*config.Access) {}, 1,
			"a right is missing: Get on Group:*", 6, // by request and broker
			`rocketmq_exporter_denied_requests{cluster="shop",request="GET_CONSUMER_CONNECTION_LIST",right="Get on Group:*"}`,
		},
		{
			"an unknown authority", readEverything(), func(a *config.Access) { a.TLS.CA = a.TLS.Cert }, 0,
			"set ca-file to the certificate of the authority", 1,
			`rocketmq_exporter_errors_total{cluster="NAMESRV",reason="tls"}`,
		},
		{
			"no TLS", readEverything(), func(a *config.Access) { a.Secure = false }, 0,
			"is tls to be switched on?", 1,
			`rocketmq_exporter_errors_total{cluster="NAMESRV",reason="connection_lost"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mq := closedShop(t, c.policies...)
			l := listener(t)
			var log syncBuffer
			run := run(t, newApp(t, toClosedShop(t, mq, c.edit), &log), l)
			metric := strings.ReplaceAll(c.metric, "NAMESRV", mq.NameServers()[0])
			var s series
			eventually(t, "two rounds have ended", func() bool {
				s = run.scrape(l)
				n := 0.0
				for _, v := range s.of("rocketmq_exporter_rounds_total") {
					n += v
				}
				return n >= 2
			})
			if s[metric] < 1 {
				t.Errorf("no %s in\n%v", metric, s.of("rocketmq_exporter"))
			}
			for k, v := range s.of("rocketmq_up") {
				if v != c.up {
					t.Errorf("%s is %v, want %v", k, v, c.up)
				}
			}
			_, page := run.get("http://" + l.Addr().String() + "/")
			_, metrics := run.get("http://" + l.Addr().String() + "/metrics")
			must(t, run.end())
			for where, text := range map[string]string{"page": page, "log": log.String()} {
				if !strings.Contains(text, c.words) {
					t.Errorf("the %s does not say %q:\n%s", where, c.words, text)
				}
			}
			if n := strings.Count(log.String(), "Cannot be read"); n != c.lines {
				t.Errorf("the log says %d times what fails, want %d:\n%s", n, c.lines, log.String())
			}
			for where, text := range map[string]string{"page": page, "metrics": metrics, "log": log.String()} {
				for _, secret := range []string{secretKey, securityToken, "Signature", "PRIVATE"} {
					if strings.Contains(text, secret) {
						t.Errorf("%q is in the %s:\n%s", secret, where, text)
					}
				}
			}
		})
	}
}

// The words of the advice are the settings' own.
func TestAdviceNamesSettings(t *testing.T) {
	for _, word := range []string{"access-key", "secret-key-file", "tls", "ca-file", "cert-file", "key-file", "server-name", "insecure-skip-verify"} {
		found := false
		for _, s := range config.Settings() {
			found = found || s.Flag == "namesrv."+word
		}
		if !found {
			t.Errorf("there is no --namesrv.%s", word)
		}
	}
}
