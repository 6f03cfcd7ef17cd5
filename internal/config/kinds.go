package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is what the value of a setting may be.
type kind interface {
	// read puts what was said, at least one text, into a field. Its errors
	// say what is wrong and what is allowed; the caller names the setting.
	read(said []string, field any) error
	isList() bool
	word() string    // for documents
	allowed() string // likewise; empty: everything
}

// single is a kind with one value.
type single struct{}

func (single) isList() bool    { return false }
func (single) allowed() string { return "" }

var errList = errors.New("one value is wanted, not a list")

// one is the only text that was said.
func one(said []string) (string, error) {
	if len(said) != 1 {
		return "", errList
	}
	return said[0], nil
}

// setText puts a text into a field if check finds nothing wrong with it.
func setText(said []string, field any, check func(string) error) error {
	s, err := one(said)
	if err == nil {
		err = check(s)
	}
	if err == nil {
		*field.(*string) = s //nolint:forcetypeassert // the table and its test
	}
	return err
}

// text is any text.
type text struct{ single }

func (text) word() string { return "text" }
func (text) read(said []string, field any) error {
	return setText(said, field, func(string) error { return nil })
}

// file is the name of a file. Whether it can be read is found when it is.
type file struct{ text }

func (file) word() string { return "file" }

// number is a whole number within bounds.
type number struct {
	single

	least, most int
}

func (number) word() string { return "number" }

func (n number) allowed() string { return fmt.Sprintf("%d to %d", n.least, n.most) }

func (n number) read(said []string, field any) error {
	s, err := one(said)
	if err != nil {
		return err
	}
	v, err := strconv.Atoi(s)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && (v < n.least || v > n.most):
		return fmt.Errorf("%s is out of bounds: allowed are %s", s, n.allowed())
	case err != nil:
		return fmt.Errorf("%q is no number: allowed are %s", s, n.allowed())
	}
	*field.(*int) = v //nolint:forcetypeassert // the table and its test
	return nil
}

// span is a duration within bounds.
type span struct {
	single

	least, most time.Duration
}

func (span) word() string { return "duration" }

func (d span) allowed() string { return Span(d.least) + " to " + Span(d.most) }

func (d span) read(said []string, field any) error {
	s, err := one(said)
	if err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no duration: wanted is a number with its unit, as in 15s or 1h30m; allowed are %s", s, d.allowed())
	case v < d.least || v > d.most:
		return fmt.Errorf("%s is out of bounds: allowed are %s", s, d.allowed())
	}
	*field.(*time.Duration) = v //nolint:forcetypeassert // the table and its test
	return nil
}

// Span is a duration as it is set, without the units that are 0.
func Span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// yesNo is true or false.
type yesNo struct{ single }

func (yesNo) word() string    { return "switch" }
func (yesNo) allowed() string { return "`true` or `false`" }

func (yesNo) read(said []string, field any) error {
	s, err := one(said)
	if err != nil {
		return err
	}
	v, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("%q is not allowed: allowed are true and false", s)
	}
	*field.(*bool) = v //nolint:forcetypeassert // the table and its test
	return nil
}

// choice is one of a few words.
type choice struct {
	single

	words []string
}

func (choice) word() string      { return "word" }
func (c choice) allowed() string { return "`" + strings.Join(c.words, "`, `") + "`" }

func (c choice) read(said []string, field any) error {
	return setText(said, field, func(s string) error {
		if !slices.Contains(c.words, s) {
			return fmt.Errorf("%q is not allowed: allowed are %s", s, strings.Join(c.words, ", "))
		}
		return nil
	})
}

// names is a list of texts that are joined by separators, or said one by one.
// What is empty and what repeats is dropped.
type names struct {
	separators string
	check      func(string) error // of each; may be nil
	what       string
	rule       string
}

func (names) isList() bool      { return true }
func (n names) word() string    { return "list of " + n.what }
func (n names) allowed() string { return n.rule }

func (n names) read(said []string, field any) error {
	list := split(said, n.separators)
	var errs []error
	for _, name := range list {
		if n.check == nil {
			break
		}
		if err := n.check(name); err != nil {
			errs = append(errs, err)
		}
	}
	*field.(*[]string) = list //nolint:forcetypeassert // the table and its test
	return errors.Join(errs...)
}

// split parts each text at any of the separators and drops what is empty and
// what repeats.
func split(texts []string, separators string) []string {
	var list []string
	for _, s := range texts {
		for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			if part = strings.TrimSpace(part); part != "" && !slices.Contains(list, part) {
				list = append(list, part)
			}
		}
	}
	return list
}

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

// urlPath is where something is served. Allowed is what needs no escape in a
// URL and has no meaning to http.ServeMux, which panics at a pattern that it
// cannot read.
type urlPath struct{ single }

func (urlPath) word() string { return "path" }

func (urlPath) read(said []string, field any) error {
	return setText(said, field, func(p string) error {
		switch {
		case !regexp.MustCompile(`^/[a-zA-Z0-9._~/-]*$`).MatchString(p) || path.Clean(p) != p:
			return fmt.Errorf("%q is no path: it must begin with '/', and hold letters, digits and any of . _ ~ - between single slashes", p)
		case slices.Contains(ownPaths(), p):
			return fmt.Errorf("%q is taken: %s are the exporter's own", p, strings.Join(ownPaths(), ", "))
		}
		return nil
	})
}

// ownPaths are the paths that the metrics cannot have.
func ownPaths() []string {
	return []string{"/-/healthy", "/-/ready", "/-/reload", "/probe", "/style.css"}
}

// prefix begins the names of metrics.
type prefix struct{ single }

func (prefix) word() string { return "text" }
func (prefix) allowed() string {
	return "letters, digits, `_` and `:`, and no digit in front"
}

func (prefix) read(said []string, field any) error {
	return setText(said, field, func(s string) error {
		if !regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`).MatchString(s) {
			return fmt.Errorf("%q is no prefix of a metric name: allowed are letters, digits, '_' and ':', and no digit in front", s)
		}
		return nil
	})
}

// label is a value of the label cluster, and of a parameter of a URL. A '/' parts
// it from the names of further clusters behind the same name servers.
type label struct{ single }

func (label) word() string { return "text" }
func (label) allowed() string {
	return "at most 100 letters, digits, signs and symbols, no spaces and no `/`"
}

func (label) read(said []string, field any) error {
	return setText(said, field, func(s string) error {
		odd := strings.ContainsFunc(s, func(r rune) bool { return r == ' ' || r == '/' || r == '\uFFFD' || !strconv.IsPrint(r) })
		if odd || len(s) > 100 {
			return fmt.Errorf("%q is no name: allowed are at most 100 letters, digits, signs and symbols, no spaces and no '/'", s)
		}
		return nil
	})
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
