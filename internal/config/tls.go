package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// tlsSettings are those of a server that is reached by TLS: with what begins
// their keys, and their flags.
func tlsSettings(section, flags, protocol, server string, of func(*Cluster) *TLS) []Setting {
	return []Setting{
		{
			Key: section + keyCA, Flag: flags + "ca-file", Value: "FILE",
			Help: "PEM file with the authorities to trust for " + protocol + ", instead of the system's.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).CAFile },
		},
		{
			Key: section + keyCert, Flag: flags + "cert-file", Value: "FILE",
			Help: "PEM file with a certificate to show.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).CertFile },
		},
		{
			Key: section + keyKey, Flag: flags + "key-file", Value: "FILE",
			Help: "PEM file with the key of that certificate.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).KeyFile },
		},
		{
			Key: section + keyServerName, Flag: flags + "server-name", Value: "NAME",
			Help: "Name in the " + server + "'s certificate, if not that of the address.",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).ServerName },
		},
		{
			Key: section + keyInsecure, Flag: flags + "insecure-skip-verify", Default: "false",
			Help: "Trust any certificate.",
			kind: yesNo{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).Insecure },
		},
	}
}

// readTLS reads the files of a server that is reached by TLS.
func (r *reading) readTLS(section string, t *TLS) {
	ca, cert, key := section+keyCA, section+keyCert, section+keyKey
	if t.CAFile != "" {
		content, err := r.ReadFile(t.CAFile)
		switch {
		case err != nil:
			r.about(ca, ": %w", err)
		case !x509.NewCertPool().AppendCertsFromPEM(content):
			r.about(ca, ": %s holds no certificate in PEM", t.CAFile)
		}
		t.CA = string(content)
	}
	switch {
	case (t.CertFile == "") != (t.KeyFile == ""):
		r.about(cert, " and %s: one of them is missing", r.short(key))
	case t.CertFile != "":
		if err := t.readPair(r.ReadFile); err != nil {
			r.about(cert, " and %s: %w", r.short(key), err)
		}
	}
}

func (t *TLS) readPair(read func(string) ([]byte, error)) error {
	cert, err := read(t.CertFile)
	if err != nil {
		return err
	}
	key, err := read(t.KeyFile)
	if err != nil {
		return err
	}
	t.Cert, t.Key = string(cert), remoting.NewSecret(string(key))
	_, err = tls.X509KeyPair(cert, key)
	return err
}

// Client is how crypto/tls takes it.
func (t *TLS) Client() (*tls.Config, error) {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: t.ServerName,
		InsecureSkipVerify: t.Insecure, //nolint:gosec // only when the user asked for it
	}
	if t.CA != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, errors.New(t.CAFile + " holds no certificate in PEM")
		}
	}
	if t.Cert != "" {
		pair, err := tls.X509KeyPair([]byte(t.Cert), []byte(t.Key.Reveal()))
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
