package config

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Console is what the user said of a console to read from.
type Console struct {
	// URL is the console's address: a URL, or host:port, or a bare host name,
	// which were what the original exporter took. Empty: none.
	URL string

	Username, Password           string // to log in to the console
	ProxyUsername, ProxyPassword string // for a proxy that asks in front of it

	// Files that the passwords were read from, where they were.
	PasswordFile, ProxyPasswordFile string

	CAFile, CertFile, KeyFile string // of https
	ServerName                string
	Insecure                  bool // believe any certificate

	Parallel int           // calls under way at the same time
	Timeout  time.Duration // of one call
}

// Flag names of the console.
const (
	FlagConsole              = "console"
	FlagConsoleUsername      = "console.username"
	FlagConsolePassword      = "console.password-file"
	FlagConsoleProxyUsername = "console.proxy-username"
	FlagConsoleProxyPassword = "console.proxy-password-file"
	FlagConsoleCA            = "console.ca-file"
	FlagConsoleCert          = "console.cert-file"
	FlagConsoleKey           = "console.key-file"
	FlagConsoleServerName    = "console.server-name"
	FlagConsoleInsecure      = "console.insecure-skip-verify"
	FlagConsoleParallel      = "console.parallel"
	FlagConsoleTimeout       = "console.call-timeout"
)

// Environment variables of passwords. They have no flags: an argument can be
// read by everybody on the machine.
const (
	EnvConsolePassword      = "ROCKETMQ_EXPORTER_CONSOLE_PASSWORD"
	EnvConsoleProxyPassword = "ROCKETMQ_EXPORTER_CONSOLE_PROXY_PASSWORD"
)

// Host is the host of the console's URL, with its port if it names one.
func (c Console) Host() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// check checks the settings of the console, and returns them with a whole URL.
func (c Console) check(m *mistakes) Console {
	if c.URL == "" {
		m.addUnused(c.set(), "is set, and there is no --"+FlagConsole)
		return c
	}
	c.URL = c.checkURL(m)
	m.addPassword(FlagConsoleUsername, c.Username, c.Password+c.PasswordFile, FlagConsolePassword, EnvConsolePassword)
	m.addPassword(FlagConsoleProxyUsername, c.ProxyUsername, c.ProxyPassword+c.ProxyPasswordFile, FlagConsoleProxyPassword, EnvConsoleProxyPassword)
	if (c.CertFile == "") != (c.KeyFile == "") {
		m.add("--%s and --%s: one of them is missing", FlagConsoleCert, FlagConsoleKey)
	}
	m.addInt(FlagConsoleParallel, c.Parallel, 64)
	m.addDuration(FlagConsoleTimeout, c.Timeout, 100*time.Millisecond, time.Minute)
	return c
}

// checkURL checks where the console is and makes a whole URL of it. No message
// repeats what was given: it may hold a password.
func (c Console) checkURL(m *mistakes) string {
	text := strings.TrimSpace(c.URL)
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"): // also where it is in the path, behind a password with a slash
		m.add("--%s: credentials do not belong in the address: for a login there are --%s and --%s, for a proxy in front --%s and --%s",
			FlagConsole, FlagConsoleUsername, FlagConsolePassword, FlagConsoleProxyUsername, FlagConsoleProxyPassword)
	case err != nil || u.Hostname() == "" || !isPort(u.Port()):
		m.add("--%s: that is no address of a console: wanted is http://host:port, https://host:port/path or host:port", FlagConsole)
	case u.Scheme != "http" && u.Scheme != "https":
		m.add("--%s: the scheme %q is unknown: allowed are http and https", FlagConsole, u.Scheme)
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		m.add("--%s: the address ends with its path: leave out what follows '?' or '#'", FlagConsole)
	default:
		if u.Scheme == "http" {
			m.addUnused(c.setForTLS(), "is set, and the console's address is not https")
		}
		return u.String()
	}
	return text
}

func isPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n >= 1 && n <= 65535
}

// addPassword reports a user without a password, and a password without a user.
func (m *mistakes) addPassword(userFlag, user, password, fileFlag, env string) {
	if (user == "") != (password == "") {
		m.add("--%s goes with a password, in --%s or %s: one of them is missing", userFlag, fileFlag, env)
	}
}

// set are the flags that say something of a console. Passwords of the
// environment are not among them: one may be set for all processes of a machine.
func (c Console) set() []string {
	list := namesOfSet([]setting{
		{FlagConsoleUsername, c.Username},
		{FlagConsolePassword, c.PasswordFile},
		{FlagConsoleProxyUsername, c.ProxyUsername},
		{FlagConsoleProxyPassword, c.ProxyPasswordFile},
	})
	return append(list, c.setForTLS()...)
}

// setForTLS are the flags that say something of https.
func (c Console) setForTLS() []string {
	list := namesOfSet([]setting{
		{FlagConsoleCA, c.CAFile},
		{FlagConsoleCert, c.CertFile},
		{FlagConsoleKey, c.KeyFile},
		{FlagConsoleServerName, c.ServerName},
	})
	if c.Insecure {
		list = append(list, FlagConsoleInsecure)
	}
	return list
}

type setting struct{ flag, value string }

func namesOfSet(settings []setting) (flags []string) {
	for _, s := range settings {
		if s.value != "" {
			flags = append(flags, s.flag)
		}
	}
	return flags
}

func (m *mistakes) addUnused(flags []string, why string) {
	for _, flag := range flags {
		m.add("--%s %s", flag, why)
	}
}
