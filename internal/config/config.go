// Package config turns flags and environment into checked settings. A Valid is
// the only thing that the rest of the program takes, and Check is the only
// maker of one, so that nobody can run on settings that nobody checked.
//
// It may hold the settings, their defaults and what is allowed. It opens
// nothing.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Config is what the user said, unchecked.
type Config struct {
	NameServers []string // each may hold several, joined by commas or semicolons
	Console     Console  // in place of name servers

	Interval     time.Duration // between the beginnings of two rounds
	Timeout      time.Duration // of one round
	Window       int           // requests in flight per node
	Parallel     int           // nodes asked at the same time
	KeepRounds   int
	ForgetAfter  time.Duration
	OwnerRefresh time.Duration

	IgnoredTopics []string // exact names; each may hold several, joined by commas
	System        bool     // topics and groups that RocketMQ makes for itself

	// ConsoleLink is a console that the page links to; it is not read.
	ConsoleLink string

	Prefix      string
	MetricsPath string
	MaxScrapes  int
}

// Valid is a Config that was checked, with its lists split.
type Valid struct{ Config }

// Flag names: messages name them, so that they stand in one place.
const (
	FlagNameServers  = "namesrv"
	FlagInterval     = "collect.interval"
	FlagTimeout      = "collect.timeout"
	FlagWindow       = "collect.window"
	FlagParallel     = "collect.parallel"
	FlagKeepRounds   = "collect.keep-rounds"
	FlagForgetAfter  = "collect.forget-after"
	FlagOwnerRefresh = "collect.owner-refresh"
	FlagIgnored      = "topics.ignore"
	FlagSystem       = "topics.system"
	FlagConsoleLink  = "web.console-link"
	FlagPrefix       = "metrics.prefix"
	FlagMetricsPath  = "web.telemetry-path"
	FlagMaxScrapes   = "web.max-scrapes"
)

// Check checks everything and reports all mistakes in one error.
func (c Config) Check() (Valid, error) {
	var m mistakes
	c.NameServers = split(c.NameServers, ",;")
	c.IgnoredTopics = split(c.IgnoredTopics, ",")
	switch {
	case len(c.NameServers) == 0 && c.Console.URL == "":
		m.add("--%s: the address of a name server is needed, as in --%[1]s=10.0.0.1:9876, or that of a console, as in --%s=http://10.0.0.2:8080 (or try the command demo)", FlagNameServers, FlagConsole)
	case len(c.NameServers) > 0 && c.Console.URL != "":
		m.add("--%s and --%s: one of them is the source, not both", FlagNameServers, FlagConsole)
	}
	c.Console = c.Console.check(&m)
	for _, addr := range c.NameServers {
		m.addAddress(FlagNameServers, addr)
	}
	m.addDuration(FlagInterval, c.Interval, time.Second, time.Hour)
	m.addDuration(FlagTimeout, c.Timeout, 100*time.Millisecond, time.Hour)
	m.addDuration(FlagForgetAfter, c.ForgetAfter, time.Second, 30*24*time.Hour)
	m.addDuration(FlagOwnerRefresh, c.OwnerRefresh, 10*time.Second, 24*time.Hour)
	m.addInt(FlagWindow, c.Window, 256)
	m.addInt(FlagParallel, c.Parallel, 256)
	m.addInt(FlagKeepRounds, c.KeepRounds, 100)
	m.addInt(FlagMaxScrapes, c.MaxScrapes, 1000)
	if !regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`).MatchString(c.Prefix) {
		m.add("--%s: %q is no prefix of a metric name: allowed are letters, digits, '_' and ':', and no digit in front", FlagPrefix, c.Prefix)
	}
	m.addPath(FlagMetricsPath, c.MetricsPath)
	m.addLink(FlagConsoleLink, c.ConsoleLink)
	if len(m) > 0 {
		return Valid{}, errors.Join(m...)
	}
	return Valid{c}, nil
}

// split parts each text at any of the separators and drops what is empty and
// what repeats.
func split(texts []string, separators string) []string {
	var list []string
	seen := make(map[string]bool)
	for _, text := range texts {
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			if part = strings.TrimSpace(part); part != "" && !seen[part] {
				seen[part] = true
				list = append(list, part)
			}
		}
	}
	return list
}

type mistakes []error

func (m *mistakes) add(format string, args ...any) {
	*m = append(*m, fmt.Errorf(format, args...))
}

func (m *mistakes) addAddress(flag, addr string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		m.add("--%s: %q is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876", flag, addr)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		m.add("--%s: %q has the port %q: allowed are 1 to 65535", flag, addr, port)
	}
}

// addPath allows what needs no escape in a URL and has no meaning to
// http.ServeMux, which panics at a pattern that it cannot read.
func (m *mistakes) addPath(flag, p string) {
	switch {
	case !regexp.MustCompile(`^/[a-zA-Z0-9._~/-]*$`).MatchString(p) || path.Clean(p) != p:
		m.add("--%s: %q is no path: it must begin with '/', and hold letters, digits and any of . _ ~ - between single slashes", flag, p)
	case p == "/-/healthy" || p == "/-/ready" || p == "/style.css":
		m.add("--%s: %q is taken: /-/healthy, /-/ready and /style.css are the exporter's own", flag, p)
	}
}

// addLink allows an address that a browser may be sent to. It is not repeated:
// it may hold a password.
func (m *mistakes) addLink(flag, link string) {
	if link == "" {
		return
	}
	u, err := url.Parse(link)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Contains(link, "@") {
		m.add("--%s: that is no address of a page: wanted is http://host:port/path or https://host/path, without credentials", flag)
	}
}

func (m *mistakes) addDuration(flag string, v, least, most time.Duration) {
	if v < least || v > most {
		m.add("--%s: %v is out of bounds: allowed are %v to %v", flag, v, least, most)
	}
}

func (m *mistakes) addInt(flag string, v, most int) {
	if v < 1 || v > most {
		m.add("--%s: %d is out of bounds: allowed are 1 to %d", flag, v, most)
	}
}
