package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

func TestEachMistakeAboutAccessIsNamed(t *testing.T) {
	const (
		login = "--namesrv.access-key goes with a secret key, in --namesrv.secret-key-file or ROCKETMQ_EXPORTER_NAMESRV_SECRET_KEY: one of them is missing"
		noTLS = " is set, and --namesrv.tls is not"
	)
	w := world{env: map[string]string{}, files: map[string]string{"s": secret, "empty": "\n", "no.pem": secret}}
	for _, c := range []struct {
		name  string
		flags []string
		env   string // the secret key there
		want  string
	}{
		{"key without secret", []string{"--namesrv.access-key=exporter"}, "", login},
		{"secret without key", nil, secret, login},
		{"secret file without key", []string{"--namesrv.secret-key-file=s"}, "", login},
		{"no secret file", []string{"--namesrv.access-key=exporter", "--namesrv.secret-key-file=missing"}, secret, "--namesrv.secret-key-file: open missing: file does not exist"},
		{"empty secret file", []string{"--namesrv.access-key=exporter", "--namesrv.secret-key-file=empty"}, "", "--namesrv.secret-key-file: empty is empty"},
		{"token without key", []string{"--namesrv.security-token-file=s"}, "", "--namesrv.security-token-file goes with --namesrv.access-key, which is missing"},
		{"no token file", []string{"--namesrv.access-key=exporter", "--namesrv.security-token-file=missing"}, secret, "--namesrv.security-token-file: open missing: file does not exist"},

		{"authorities without TLS", []string{"--namesrv.ca-file=missing"}, "", "--namesrv.ca-file" + noTLS},
		{"name without TLS", []string{"--namesrv.server-name=mq"}, "", "--namesrv.server-name" + noTLS},
		{"any certificate without TLS", []string{"--namesrv.insecure-skip-verify=true"}, "", "--namesrv.insecure-skip-verify" + noTLS},
		{"no authorities", []string{"--namesrv.tls=true", "--namesrv.ca-file=no.pem"}, "", "--namesrv.ca-file: no.pem holds no certificate in PEM"},
		{"certificate without key", []string{"--namesrv.tls=true", "--namesrv.cert-file=c"}, "", "--namesrv.cert-file and --namesrv.key-file: one of them is missing"},
		{"no switch", []string{"--namesrv.tls=on"}, "", `--namesrv.tls: "on" is not allowed: allowed are true and false`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.env[EnvSecretKey] = c.env
			_, err := w.load(Sources{Flags: byFlags(append(c.flags, "--namesrv=mq:9876")...)})
			if err == nil || err.Error() != c.want {
				t.Fatalf("\n got %v\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the message repeats a secret: %v", err)
			}
		})
	}
	if _, err := flags("--console=mq", "--namesrv.tls=true"); err == nil || err.Error() != "--namesrv.tls is set, and there is no --namesrv" {
		t.Errorf("with a console: %v", err)
	}
}

func TestAccess(t *testing.T) {
	ca := selfSigned(t)
	w := world{
		env:   map[string]string{EnvSecretKey: "of the environment\n", "WEST": "west's own", "TOKEN": "token"},
		files: map[string]string{"secret": secret + "\n", "ca.pem": ca},
	}
	v, err := w.load(Sources{Flags: byFlags("--namesrv=mq:9876", "--namesrv.access-key=exporter")})
	if a := must(t, v, err).Clusters[0].Access; !reflect.DeepEqual(a, Access{AccessKey: "exporter", SecretKey: remoting.NewSecret("of the environment")}) {
		t.Errorf("%+v", a)
	}
	v, err = w.load(Sources{Flags: byFlags("--namesrv=mq:9876", "--namesrv.access-key=exporter", "--namesrv.secret-key-file=secret",
		"--namesrv.tls=true", "--namesrv.ca-file=ca.pem", "--namesrv.server-name=broker.test")})
	a := must(t, v, err).Clusters[0].Access
	if a.SecretKey.Reveal() != secret || !a.Secure {
		t.Errorf("%+v", a)
	}
	if c, err := a.TLS.Client(); err != nil || c.ServerName != "broker.test" || c.RootCAs == nil || c.InsecureSkipVerify {
		t.Errorf("%v, %v", c, err)
	}
	v, err = w.load(Sources{File: ParseFile("mq.yml", []byte(`
defaults:
  tls: {enabled: true, ca_file: ca.pem}
clusters:
  - {name: east, namesrv: mq:1, acl: {access_key: east, secret_key_file: secret}}
  - {name: west, namesrv: mq:2, acl: {access_key: west, secret_key_env: WEST, security_token_env: TOKEN}, tls: {insecure_skip_verify: true}}
  - {name: open, namesrv: mq:3, tls: {enabled: false}}
  - {name: by-console, console: {url: mq}}
`))})
	list := must(t, v, err).Clusters
	east, west, open := list[0].Access, list[1].Access, list[2].Access
	if east.SecretKey.Reveal() != secret || !east.Secure || east.TLS.CA != ca {
		t.Errorf("east: %+v", east)
	}
	if west.SecretKey.Reveal() != "west's own" || west.SecurityToken.Reveal() != "token" || !west.TLS.Insecure || !west.Secure {
		t.Errorf("west: %+v", west)
	}
	if open.AccessKey != "" || !open.SecretKey.IsZero() || open.Secure {
		t.Errorf("open: %+v", open)
	}
}

// People put a secret where its name belongs, or into the address.
func TestMistakesShowNoSecret(t *testing.T) {
	for text, want := range map[string]string{
		"{namesrv: mq:1, acl: {access_key: me, secret_key_env: " + secret + "}}":    "mq.yml:1: clusters[0].acl.secret_key_env: the variable that it names is empty, or there is none",
		"{console: {url: mq, username: me, password_env: " + secret + "}}":          "mq.yml:1: clusters[0].console.password_env: the variable that it names is empty, or there is none",
		"{namesrv: [\"me:" + secret + "@mq:9876\", mq:1]}":                          "mq.yml:1: clusters[0].namesrv: credentials do not belong in the address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876",
		"{namesrv: mq:1, acl: {access_key: me, secret_key_file: [" + secret + "]}}": "mq.yml:1: clusters[0].acl.secret_key_file: wanted is one value",
	} {
		_, err := ofFile("clusters: [" + text + "]")
		if err == nil || err.Error() != want {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
	_, err := ofFile("clusters: [{namesrv: mq:1, acl: {access_key: me, secret_key: " + secret + "}}]")
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a key that there is not: %v", err)
	}
}

// Whoever prints or logs settings, as a whole or in part, shows no secret.
func TestSettingsShowNoSecret(t *testing.T) {
	w := world{
		env:   map[string]string{"TOKEN": secret + "-token"},
		files: map[string]string{"secret": secret, "password": secret + "-password", "proxy": secret + "-proxy"},
	}
	v, err := w.load(Sources{File: ParseFile("mq.yml", []byte(`
clusters:
  - {name: east, namesrv: mq:1, acl: {access_key: east, secret_key_file: secret, security_token_env: TOKEN}}
  - {name: west, console: {url: mq, username: me, password_file: password, proxy_username: us, proxy_password_file: proxy}}
`))})
	list := must(t, v, err).Clusters
	list[0].Access.TLS.Key = remoting.NewSecret(secret)
	a, k := list[0].Access, list[1].Console
	if a.SecretKey.Reveal() != secret || a.SecurityToken.Reveal() != secret+"-token" || k.Password.Reveal() != secret+"-password" || k.ProxyPassword.Reveal() != secret+"-proxy" {
		t.Fatal("they were not read")
	}
	for _, held := range []any{v, &v, v.Config, list, &list[0], struct{ inner Cluster }{list[0]}, a, k, &k, a.TLS} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if got := fmt.Sprintf(verb, held); strings.Contains(got, secret) || strings.Contains(got, fmt.Sprintf("%x", secret)) {
				t.Errorf("%T by %s shows a secret: %s", held, verb, got)
			}
		}
		encoded, err := json.Marshal(held)
		if err == nil && strings.Contains(string(encoded), secret) {
			t.Errorf("%T as JSON shows a secret: %s", held, encoded)
		}
	}
}

func selfSigned(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
