package conntrack

import (
	"context"
	"errors"
	"net"
	"testing"
)

func TestDial(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := NewDialContextFunc(DialWithTracing(), DialWithName("x"))(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()

	own := errors.New("own")
	_, err = NewDialContextFunc(DialWithDialContextFunc(func(context.Context, string, string) (net.Conn, error) {
		return nil, own
	}))(t.Context(), "tcp", l.Addr().String())
	if !errors.Is(err, own) {
		t.Errorf("dialed by another function: %v", err)
	}
}
