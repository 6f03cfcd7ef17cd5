package fakemq

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// certificates are what TLS needs: an authority of its own, and a certificate for
// either side.
type certificates struct {
	ca            *x509.Certificate
	key           *ecdsa.PrivateKey // the authority's
	own, client   tls.Certificate
	clientKeyPEM  []byte
	clientCertPEM []byte
}

func makeCertificates() (*certificates, error) {
	c := &certificates{}
	authority := &x509.Certificate{
		Subject: pkix.Name{CommonName: "fakemq authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	made, err := c.make(1, authority)
	if err != nil {
		return nil, err
	}
	c.ca, c.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey) //nolint:forcetypeassert // made below
	c.own, err = c.make(2, &x509.Certificate{
		Subject: localhost(), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return nil, err
	}
	c.client, err = c.make(3, &x509.Certificate{
		Subject:  pkix.Name{CommonName: "fakemq client"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.client.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	c.clientKeyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	c.clientCertPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.client.Certificate[0]})
	return c, nil
}

// make makes a certificate that the authority signs; the first one is the
// authority's own.
func (c *certificates) make(serial int64, template *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	template.SerialNumber = big.NewInt(serial)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
	parent, signer := c.ca, c.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

func localhost() pkix.Name { return pkix.Name{CommonName: "localhost"} }

func (c *certificates) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.ca)
	return pool
}

// server is HTTP/1.1 alone, as the console's Tomcat speaks it.
func (c *certificates) server(clientCerts bool) *tls.Config {
	conf := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{c.own}, NextProtos: []string{"http/1.1"},
	}
	if clientCerts {
		conf.ClientAuth, conf.ClientCAs = tls.RequireAndVerifyClientCert, c.pool()
	}
	return conf
}

// CAs is the pool that verifies the console's certificate. It is nil without
// TLS.
func (s *Console) CAs() *x509.CertPool {
	if s.certs == nil {
		return nil
	}
	return s.certs.pool()
}

// CAPEM is the same as a file holds it.
func (s *Console) CAPEM() []byte {
	if s.certs == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certs.ca.Raw})
}

// ClientCertificate is one that ClientCerts lets in. It is empty without TLS.
func (s *Console) ClientCertificate() tls.Certificate {
	if s.certs == nil {
		return tls.Certificate{}
	}
	return s.certs.client
}

// ClientPEM is the same as two files hold it.
func (s *Console) ClientPEM() (cert, key []byte) {
	if s.certs == nil {
		return nil, nil
	}
	return s.certs.clientCertPEM, s.certs.clientKeyPEM
}
