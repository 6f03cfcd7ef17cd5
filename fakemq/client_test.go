package fakemq

import (
	"bufio"
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// peer is one connection to a node.
type peer struct {
	t      testing.TB
	conn   net.Conn
	r      *bufio.Reader
	opaque int32
}

func dial(t testing.TB, addr string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return &peer{t: t, conn: conn, r: bufio.NewReader(conn)}
}

func request(code remoting.RequestCode, fields ...string) *remoting.Command {
	c := &remoting.Command{Code: int32(code), Language: remoting.LanguageGo, Version: remoting.ClientVersion}
	for i := 0; i+1 < len(fields); i += 2 {
		c.Fields = append(c.Fields, remoting.Field{Key: fields[i], Value: fields[i+1]})
	}
	return c
}

func (p *peer) send(c *remoting.Command) int32 {
	p.t.Helper()
	p.opaque++
	c.Opaque = p.opaque
	frame, err := c.Append(nil, remoting.JSONHeader)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.conn.Write(frame); err != nil {
		p.t.Fatal(err)
	}
	return c.Opaque
}

func (p *peer) receive() (remoting.Frame, error) {
	f, _, err := remoting.ReadFrame(p.r, nil, remoting.DefaultMaxFrame)
	f.Body = bytes.Clone(f.Body)
	return f, err
}

// ask sends one request on a connection of its own and returns the answer.
func ask(t testing.TB, n *Node, code remoting.RequestCode, fields ...string) remoting.Frame {
	t.Helper()
	p := dial(t, n.Addr())
	defer func() { _ = p.conn.Close() }()
	opaque := p.send(request(code, fields...))
	f, err := p.receive()
	if err != nil {
		t.Fatalf("%s to %s: %v", code, n.Name(), err)
	}
	if f.Opaque != opaque || !f.IsResponse() {
		t.Fatalf("%s to %s: answer has opaque %d and flag %d, want %d and 1", code, n.Name(), f.Opaque, f.Flag, opaque)
	}
	return f
}

func askOK(t testing.TB, n *Node, code remoting.RequestCode, fields ...string) []byte {
	t.Helper()
	f := ask(t, n, code, fields...)
	if f.Code != int32(remoting.Success) {
		t.Fatalf("%s to %s: code %d: %s", code, n.Name(), f.Code, f.Remark)
	}
	return f.Body
}

func start(t testing.TB, o Options) *Cluster {
	t.Helper()
	mq, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mq.Close)
	return mq
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustID(t testing.TB) func(id string, err error) string {
	return func(id string, err error) string {
		t.Helper()
		must(t, err)
		return id
	}
}
