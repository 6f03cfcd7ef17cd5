package config

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
