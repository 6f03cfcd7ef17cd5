package remoting

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// TLSError says why a connection could not be encrypted: the node's certificate
// is not trusted, or it does not take ours, or it does not speak TLS.
type TLSError struct{ Err error }

func (e *TLSError) Error() string { return "TLS handshake: " + e.Err.Error() }

// Unwrap returns the cause, an error of crypto/tls or crypto/x509 where there
// is one.
func (e *TLSError) Unwrap() error { return e.Err }

// open opens one connection, encrypted where the options say so.
func open(ctx context.Context, o *Options, addr string) (net.Conn, error) {
	nc, err := o.Dial(ctx, "tcp", addr)
	if err != nil || o.TLS == nil {
		return nc, err
	}
	config := o.TLS
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = hostOf(addr)
	}
	secure := tls.Client(nc, config)
	err = secure.HandshakeContext(ctx)
	switch {
	case err == nil:
		return secure, nil
	case ctx.Err() != nil:
		err = fmt.Errorf("TLS handshake: %w", err)
	case errors.Is(err, io.EOF):
		err = &TLSError{errors.New("closed by the peer")}
	default:
		err = &TLSError{err}
	}
	closeAtOnce(nc)
	return nil, err
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr // dialed all the same, by a Dial of the caller's
	}
	return host
}

// tlsAlert tells what the peer said of our certificate: in TLS 1.3 it looks at
// that after the handshake, as the client sees it.
func tlsAlert(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return &TLSError{err}
	}
	return err
}
