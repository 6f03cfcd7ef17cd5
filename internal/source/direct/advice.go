package direct

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// advice says what to do about an error of access, in the words of the settings;
// empty where there is nothing to say.
func advice(o *remoting.Options, code remoting.RequestCode, err error) string {
	switch remoting.Reason(err) {
	case "login":
		if o.Credentials.AccessKey == "" {
			return "the broker wants a login: set access-key and secret-key-file"
		}
		return "the broker does not take the login: check access-key and secret-key-file"
	case reasonDenied:
		return deniedAdvice(code, err)
	case "tls":
		return tlsAdvice(o.TLS, err)
	case "connection_lost":
		if o.TLS == nil && errors.Is(err, remoting.ErrNoAnswer) {
			return "a node that takes nothing but TLS does so (tls.server.mode=enforcing): is tls to be switched on?"
		}
	}
	return ""
}

func deniedAdvice(code remoting.RequestCode, err error) string {
	var parts []string
	if right := missingRight(code, err); right != "" {
		parts = append(parts, "a right is missing: "+right)
	}
	if withheld, ok := errors.AsType[*withheldError](err); ok {
		parts = append(parts, fmt.Sprintf("asked again in %v", withheld.in.Round(time.Second)))
	}
	return strings.Join(parts, "; ")
}

func tlsAdvice(o *tls.Config, err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var peer *net.OpError
	switch {
	case errors.As(err, &host) && isSelfSigned(host.Certificate), errors.As(err, &authority) && isSelfSigned(authority.Cert):
		return "a node that was given no certificate signs one itself at each start: give it one, or set insecure-skip-verify"
	case errors.As(err, &host) && len(host.Certificate.DNSNames)+len(host.Certificate.IPAddresses) == 0:
		return "its certificate holds no name of a host but the common name, which does not count: issue it with subject alternative names, or set insecure-skip-verify"
	case errors.As(err, &host):
		return "set server-name to a name that its certificate holds"
	case errors.As(err, &authority):
		return "set ca-file to the certificate of the authority that has signed the node's"
	case errors.As(err, &invalid):
		return "see to its certificate, or set insecure-skip-verify"
	case errors.As(err, &peer) && peer.Op == "remote error":
		if len(o.Certificates) == 0 && o.GetClientCertificate == nil {
			return "it may want a certificate from its clients: set cert-file and key-file"
		}
		return "it may not trust the certificate in cert-file"
	case errors.As(err, &record):
		return "it speaks no TLS on this port: is tls to be switched off?"
	}
	return "it may take no TLS (tls.server.mode=disabled): is tls to be switched off?"
}

func isSelfSigned(c *x509.Certificate) bool {
	return c != nil && c.Subject.String() == c.Issuer.String()
}

// advisedError is an error with advice.
type advisedError struct {
	err    error
	advice string
}

func (e *advisedError) Error() string { return e.err.Error() + " (" + e.advice + ")" }

// Unwrap is the error without advice.
func (e *advisedError) Unwrap() error { return e.err }
