package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// checkConsole checks what goes together, and reads what files hold.
func (r *reading) checkConsole(c *Console) {
	c.Password = r.secret(c.Username, c.PasswordFile, c.PasswordEnv, keyPasswordFile, keyPasswordEnv)
	r.checkLogin("a password", c.Username, c.Password.Reveal()+c.PasswordFile+c.PasswordEnv, keyUsername, keyPasswordFile, keyPasswordEnv)
	c.ProxyPassword = r.secret(c.ProxyUsername, c.ProxyPasswordFile, c.ProxyPasswordEnv, keyProxyFile, keyProxyEnv)
	r.checkLogin("a password", c.ProxyUsername, c.ProxyPassword.Reveal()+c.ProxyPasswordFile+c.ProxyPasswordEnv, keyProxyUsername, keyProxyFile, keyProxyEnv)
	if strings.HasPrefix(c.URL, "http://") {
		for _, s := range tlsSettings("console.", "console.", "", "", nil) {
			if r.place(s.Key).is() {
				r.about(s.Key, " is set, and the console's address is not https")
			}
		}
		return
	}
	r.readTLS("console.", &c.TLS)
}

// checkLogin reports a user without a password, or what stands for one, and a
// password without a user.
func (r *reading) checkLogin(what, user, password, userKey, fileKey, envKey string) {
	if (user == "") == (password == "") || r.isWrong(userKey) || r.isWrong(fileKey) || r.isWrong(envKey) {
		return
	}
	env := find(r.settings, fileKey).Secret
	if r.listed {
		env = envKey
	}
	r.aboutPair(userKey, " goes with %s, in %s or %s: one of them is missing", what, r.short(fileKey), env)
}

// secret is what a file holds, or where none is named, a variable.
func (r *reading) secret(user, file, variable, fileKey, envKey string) remoting.Secret {
	if file != "" {
		content, err := r.ReadFile(file)
		s := withoutNewline(string(content))
		switch {
		case err != nil:
			r.about(fileKey, ": %w", err)
		case s.IsZero():
			r.about(fileKey, ": %s is empty", file)
		}
		return s
	}
	if variable != "" {
		s := withoutNewline(r.Getenv(variable))
		if s.IsZero() {
			r.about(envKey, ": the variable that it names is empty, or there is none") // its name may be the secret
		}
		return s
	}
	if r.listed && user == "" {
		return remoting.Secret{} // it may be of another cluster
	}
	return withoutNewline(r.Getenv(find(r.settings, fileKey).Secret))
}

// withoutNewline drops what editors and echo put behind a password.
func withoutNewline(s string) remoting.Secret {
	return remoting.NewSecret(strings.TrimRight(s, "\r\n"))
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
