package remoting

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// The peers of the client's tests. A script plays the server's side of one
// connection; when it returns the connection is closed.
type script func(p *peerConn)

// peerConn is the server's end of one connection.
type peerConn struct {
	net.Conn
	r   *bufio.Reader
	buf []byte
	// nth counts the connections of one peer from 0.
	nth int
	// gone is closed when the client has closed its end; only of pipes.
	gone chan struct{}
}

// next is the next request; ok is false when the client has ended the
// connection.
func (p *peerConn) next() (Command, bool) {
	f, buf, err := ReadFrame(p.r, p.buf, DefaultMaxFrame)
	p.buf = buf
	return f.Command, err == nil
}

// take reads n requests.
func (p *peerConn) take(n int) []Command {
	var taken []Command
	for range n {
		c, ok := p.next()
		if !ok {
			break
		}
		c.Body = append([]byte(nil), c.Body...)
		taken = append(taken, c)
	}
	return taken
}

// answer answers one request: with its own body where none is given.
func (p *peerConn) answer(c Command, body ...byte) {
	if body == nil {
		body = c.Body
	}
	p.write(Command{Opaque: c.Opaque, Flag: FlagResponse, Version: 513, Body: body})
}

func (p *peerConn) write(c Command) {
	frame, err := c.Append(nil, JSONHeader)
	if err != nil {
		panic(err)
	}
	_, _ = p.Write(frame) // the client may have gone
}

// echo answers every request with its own body, in order.
func echo(p *peerConn) {
	for {
		c, ok := p.next()
		if !ok {
			return
		}
		p.answer(c)
	}
}

// swallow reads and never answers.
func swallow(p *peerConn) { _, _ = io.Copy(io.Discard, p.r) }

// readNothing takes the connection and leaves it at that.
func readNothing(p *peerConn) { <-p.gone }

// listen serves the script over TCP on loopback until the test ends.
func listen(t testing.TB, play script) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	all.Go(func() {
		for nth := 0; ; nth++ {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[nc] = true
			mu.Unlock()
			all.Go(func() {
				defer nc.Close()
				play(&peerConn{Conn: nc, r: bufio.NewReader(nc), nth: nth})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for nc := range open {
			_ = nc.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

// pipes dials in memory, so that a test in a synctest bubble owns the clock,
// and fails when a goroutine is left.
type pipes struct {
	play  script
	peers sync.WaitGroup

	mu    sync.Mutex
	dials int
	// refuse, when set, may fail the nth dial.
	refuse func(nth int) error
}

func (d *pipes) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	nth := d.dials
	d.dials++
	d.mu.Unlock()
	if network != "tcp" || addr == "" {
		return nil, errors.New("dialed " + network + " " + addr)
	}
	if d.refuse != nil {
		if err := d.refuse(nth); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	gone := make(chan struct{})
	d.peers.Go(func() {
		defer far.Close()
		d.play(&peerConn{Conn: far, r: bufio.NewReader(far), nth: nth, gone: gone})
	})
	return &toldClose{Conn: near, gone: gone}, nil
}

// toldClose tells of its closing.
type toldClose struct {
	net.Conn
	once sync.Once
	gone chan struct{}
}

func (c *toldClose) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

func (d *pipes) dialed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dials
}

// releases are the two brokers whose answers are in testdata/recorded.
var releases = []string{"4.9.7", "5.5.0"}

// recordedBody is the body of an answer that a real broker gave.
func recordedBody(t testing.TB, release, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "recorded", release, name+".body"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recordedNames are the answers of one release whose names begin so.
func recordedNames(t testing.TB, release, prefix string) []string {
	t.Helper()
	dir := filepath.Join("testdata", "recorded", release)
	files, err := filepath.Glob(filepath.Join(dir, prefix+"*.body"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded %s of %s: %v", prefix, release, err)
	}
	for i, f := range files {
		base := filepath.Base(f)
		files[i] = base[:len(base)-len(".body")]
	}
	return files
}

// recordedHeader is the header of an answer as the broker wrote it.
func recordedHeader(t testing.TB, release, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "recorded", release, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var x struct{ Response json.RawMessage }
	if err := json.Unmarshal(b, &x); err != nil {
		t.Fatal(err)
	}
	return x.Response
}
