// Package conntrack stands in for github.com/mwitkow/go-conntrack where binaries
// are linked that ship, see the Makefile. Like that one it makes the functions with
// which the HTTP client of prometheus/common dials, which the exporter does not
// use; unlike it, it brings neither metrics nor golang.org/x/net/trace. The latter
// renders pages by html/template, which calls methods by names that the linker
// cannot know: it would have to keep all exported methods of everything.
//
// It may hold what github.com/prometheus/common/config calls, and no more.
package conntrack

import (
	"context"
	"net"
)

// Option is how connections are dialed.
type Option func(*dialer)

type dialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// DialWithDialContextFunc has connections dialed by dial, and not by a net.Dialer.
func DialWithDialContextFunc(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	return func(d *dialer) { d.dial = dial }
}

// DialWithName does nothing: a name is for metrics.
func DialWithName(string) Option { return func(*dialer) {} }

// DialWithTracing does nothing.
func DialWithTracing() Option { return func(*dialer) {} }

// NewDialContextFunc makes a function that dials.
func NewDialContextFunc(options ...Option) func(ctx context.Context, network, address string) (net.Conn, error) {
	d := dialer{(&net.Dialer{}).DialContext}
	for _, o := range options {
		o(&d)
	}
	return d.dial
}
