package fakemq

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
)

// TLSMode is how nodes take connections (tls.server.mode in RocketMQ).
type TLSMode int

// The modes, the first byte of a connection tells TLS from plain.
const (
	// TLSDisabled closes a connection that begins TLS. RocketMQ's own default
	// is TLSPermissive.
	TLSDisabled TLSMode = iota
	// TLSPermissive takes both.
	TLSPermissive
	// TLSEnforcing closes a connection that does not begin TLS.
	TLSEnforcing
)

// TLS says how nodes take TLS, and with what certificate.
type TLS struct {
	Mode TLSMode
	// SelfSigned shows a certificate as a RocketMQ makes one for itself where
	// it was given none: for the common name localhost, and no other name.
	// Else it is one for localhost and the loopback addresses that the fake's
	// authority has signed.
	SelfSigned bool
	// ClientCerts wants a certificate of the fake's authority from clients
	// (tls.server.need.client.auth=require).
	ClientCerts bool
}

// CAPEM is the authority that has signed the nodes' certificate, as a file holds
// it. It is nil where nodes take no TLS.
func (c *Cluster) CAPEM() []byte {
	if c.certs == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.certs.ca.Raw})
}

// ClientPEM is a certificate that ClientCerts lets in, and its key, as two files
// hold them. They are nil where nodes take no TLS.
func (c *Cluster) ClientPEM() (cert, key []byte) {
	if c.certs == nil {
		return nil, nil
	}
	return c.certs.clientCertPEM, c.certs.clientKeyPEM
}

// makeTLS makes what the options ask for.
func (c *Cluster) makeTLS() error {
	o := c.opts.TLS
	if o.Mode == TLSDisabled {
		return nil
	}
	var err error
	if c.certs, err = makeCertificates(); err != nil {
		return err
	}
	c.tls = c.certs.server(o.ClientCerts)
	c.tls.NextProtos = nil
	if o.SelfSigned {
		own, err := (&certificates{}).make(1, localhostAlone())
		if err != nil {
			return err
		}
		c.tls.Certificates = []tls.Certificate{own}
	}
	return nil
}

// sniff looks at the first byte, as NettyRemotingServer's HandshakeHandler does,
// and returns the connection to be read; nil where it is to be closed.
func (c *Cluster) sniff(conn net.Conn) net.Conn {
	mode := c.opts.TLS.Mode
	if mode == TLSDisabled {
		return conn // the byte makes a length that is refused
	}
	r := bufio.NewReader(conn)
	first, err := r.Peek(1)
	const handshake = 0x16
	switch {
	case err != nil:
		return nil
	case first[0] == handshake:
		return tls.Server(peeked{conn, r}, c.tls)
	case mode == TLSEnforcing:
		return nil
	}
	return peeked{conn, r}
}

// peeked is a connection some of whose bytes were read already.
type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.r.Read(b) }

// localhostAlone is what Netty's SelfSignedCertificate makes.
func localhostAlone() *x509.Certificate {
	return &x509.Certificate{Subject: localhost(), IsCA: true, BasicConstraintsValid: true}
}
