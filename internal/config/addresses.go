package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// checkAddress wants host:port.
func checkAddress(addr string) error {
	if strings.Contains(addr, "@") { // it is not repeated
		return errors.New("credentials do not belong in the address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876")
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return fmt.Errorf("%q is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("%q has the port %q: allowed are 1 to 65535", addr, port)
	}
	return nil
}

// checkListen wants host:port or :port. A port may be one of the kernel's choice,
// 0, or have a name; whether it can be had is found when it is served on.
func checkListen(addr, wanted string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is no address: wanted is %s", addr, wanted)
	}
	n, err := strconv.Atoi(port)
	if errors.Is(err, strconv.ErrRange) || err == nil && (n < 0 || n > 65535) {
		return fmt.Errorf("%q has the port %q: allowed are 0 to 65535", addr, port)
	}
	return nil
}

// listen is the addresses to serve on. What follows vsock:// is left to the
// toolkit.
type listen struct{}

func (listen) isList() bool    { return true }
func (listen) word() string    { return "list of addresses" }
func (listen) allowed() string { return "" }

func (listen) read(said []string, field any) error {
	// An empty address would be a port of the kernel's choice.
	if slices.Contains(said, "") {
		return errors.New("the address is empty: wanted is host:port or :port, as in :9104")
	}
	var errs []error
	for _, addr := range said {
		if strings.HasPrefix(addr, "vsock://") {
			continue
		}
		if err := checkListen(addr, "host:port or :port, as in :9104"); err != nil {
			errs = append(errs, err)
		}
	}
	*field.(*[]string) = said //nolint:forcetypeassert // the table and its test
	return errors.Join(errs...)
}

// profiles is an address to serve profiles on; empty: none.
type profiles struct{ single }

func (profiles) word() string    { return "address" }
func (profiles) allowed() string { return "of loopback" }

func (profiles) read(said []string, field any) error {
	return setText(said, field, func(s string) error {
		if s == "" {
			return nil
		}
		return checkListen(s, "host:port, as in 127.0.0.1:6060")
	})
}

// isLoopback says whether only this machine can reach an address. A name other
// than localhost may become anything.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// link is an address that a browser may be sent to. It is not repeated: it may
// hold a password.
type link struct{ single }

func (link) word() string { return "URL" }

func (link) read(said []string, field any) error {
	return setText(said, field, func(s string) error {
		if s == "" {
			return nil
		}
		u, err := url.Parse(s)
		if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Contains(s, "@") {
			return errors.New("that is no address of a page: wanted is http://host:port/path or https://host/path, without credentials")
		}
		return nil
	})
}

// consoleURL is where a console is: a URL, or host:port, or a bare host name,
// which were what the original exporter took. It becomes a whole URL. No message
// repeats what was given: it may hold a password.
type consoleURL struct{ single }

func (consoleURL) word() string { return "URL" }

func (consoleURL) read(said []string, field any) error {
	s, err := one(said)
	if err != nil {
		return err
	}
	if s == "" {
		*field.(*string) = "" //nolint:forcetypeassert // the table and its test
		return nil
	}
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	switch {
	case strings.Contains(s, "@"): // also where it is in the path, behind a password with a slash
		return errCredentials
	case err != nil || u.Hostname() == "" || !isPort(u.Port()):
		return errors.New("that is no address of a console: wanted is http://host:port, https://host:port/path or host:port")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("the scheme %q is unknown: allowed are http and https", u.Scheme)
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return errors.New("the address ends with its path: leave out what follows '?' or '#'")
	}
	*field.(*string) = u.String() //nolint:forcetypeassert // the table and its test
	return nil
}

// errCredentials stands for a message that names other settings.
var errCredentials = errors.New("credentials do not belong in the address")

func isPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n >= 1 && n <= 65535
}
