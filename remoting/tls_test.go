package remoting

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// authority signs certificates for one test.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t}
	pair := a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true})
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatal("no ECDSA key")
	}
	a.cert, a.key = pair.Leaf, key
	return a
}

// issue makes a certificate; the first one is signed by itself.
func (a *authority) issue(template *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// encrypted serves the script over TLS.
func encrypted(config *tls.Config, play script) script {
	return func(p *peerConn) {
		secure := tls.Server(p.Conn, config)
		play(&peerConn{Conn: secure, r: bufio.NewReader(secure), nth: p.nth})
	}
}

func TestTLS(t *testing.T) {
	ours := newAuthority(t)
	server := ours.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "broker"}, DNSNames: []string{"broker.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	unnamed := ours.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "127.0.0.1"}})
	client := ours.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "exporter"}})
	others := newAuthority(t)
	plain := func(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }
	asking := func(version uint16) *tls.Config {
		return &tls.Config{
			Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool(),
			MinVersion: version, MaxVersion: version,
		}
	}
	for _, c := range []struct {
		name   string
		server script
		client *tls.Config
		want   string // in the error, empty: none
		reason string
	}{
		{"an authority that is trusted", encrypted(plain(server), echo), &tls.Config{RootCAs: ours.pool()}, "", ""},
		{"a name of its own", encrypted(plain(server), echo), &tls.Config{RootCAs: ours.pool(), ServerName: "broker.test"}, "", ""},
		{"another name", encrypted(plain(server), echo), &tls.Config{RootCAs: ours.pool(), ServerName: "other.test"}, "not other.test", "tls"},
		{"a common name alone", encrypted(plain(unnamed), echo), &tls.Config{RootCAs: ours.pool()}, "use SANs instead", "tls"},
		{"an unknown authority", encrypted(plain(server), echo), &tls.Config{RootCAs: others.pool()}, "certificate signed by unknown authority", "tls"},
		{"nobody is asked", encrypted(plain(server), echo), &tls.Config{InsecureSkipVerify: true}, "", ""},
		{"the node speaks something else", func(p *peerConn) { _, _ = p.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, &tls.Config{InsecureSkipVerify: true}, "first record does not look like a TLS handshake", "tls"},
		{"the node hangs up at the handshake", hangUp, &tls.Config{InsecureSkipVerify: true}, "TLS handshake: closed by the peer", "tls"},
		{"a certificate is wanted, 1.2", encrypted(asking(tls.VersionTLS12), echo), &tls.Config{InsecureSkipVerify: true}, "remote error: tls: ", "tls"},
		{"a certificate is wanted, 1.3", encrypted(asking(tls.VersionTLS13), echo), &tls.Config{InsecureSkipVerify: true}, "remote error: tls: certificate required", "tls"},
		{"a certificate is shown, 1.2", encrypted(asking(tls.VersionTLS12), echo), &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{client}}, "", ""},
		{"a certificate is shown, 1.3", encrypted(asking(tls.VersionTLS13), echo), &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{client}}, "", ""},
		{"only we speak plain", encrypted(plain(server), echo), nil, "no answer ever came on it", "connection_lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := listen(t, c.server)
			asker := NewClient(Options{TLS: c.client})
			defer asker.Close()
			_, err := asker.Call(t.Context(), addr, Request{Code: GetBrokerClusterInfo})
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || Reason(err) != c.reason):
				t.Errorf("%v (%s), want %q (%s)", err, Reason(err), c.want, c.reason)
			}
			if c.want == "" {
				return
			}
			// It is not tried again at once, and says why meanwhile.
			_, err = asker.Call(t.Context(), addr, Request{Code: GetBrokerClusterInfo})
			if pause, ok := errors.AsType[*DialError](err); !ok || pause.RetryIn <= 0 || Reason(err) != c.reason {
				t.Errorf("within the pause: %v (%s)", err, Reason(err))
			}
		})
	}
}

// hangUp reads the first record and closes the connection: of one that closes with
// something unread the system may say that it was reset.
func hangUp(p *peerConn) {
	var head [5]byte // the last two are the length
	if _, err := io.ReadFull(p.Conn, head[:]); err == nil {
		_, _ = io.CopyN(io.Discard, p.Conn, int64(binary.BigEndian.Uint16(head[3:])))
	}
}

// A peer that takes the connection and says nothing is a matter of time, not of
// TLS.
func TestTLSHandshakeHasATimeLimit(t *testing.T) {
	bubble(t, Options{TLS: &tls.Config{InsecureSkipVerify: true}}, swallow, func(t *testing.T, client *Client, _ *pipes) {
		start := time.Now()
		_, err := client.Call(t.Context(), broker, numbered(0))
		if took := time.Since(start); Reason(err) != "connect" || took != 3*time.Second {
			t.Errorf("after %v: %v (%s)", took, err, Reason(err))
		}
	})
}

// The settings belong to the caller, and nodes differ in their names.
func TestTLSSettingsAreNotWrittenTo(t *testing.T) {
	config := &tls.Config{InsecureSkipVerify: true}
	ours := newAuthority(t)
	addr := listen(t, encrypted(&tls.Config{Certificates: []tls.Certificate{ours.issue(&x509.Certificate{})}}, echo))
	client := NewClient(Options{TLS: config})
	defer client.Close()
	if _, err := client.Call(t.Context(), addr, Request{Code: GetBrokerClusterInfo}); err != nil {
		t.Error(err)
	}
	if config.ServerName != "" {
		t.Errorf("the name of a node was written to the settings: %q", config.ServerName)
	}
}
