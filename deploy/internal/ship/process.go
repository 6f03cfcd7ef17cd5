package ship

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that a test has started.
type Process struct {
	PID   int
	t     testing.TB
	out   syncBuffer
	ended chan struct{}
}

// syncBuffer is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Start starts a program with nothing but env in its environment, and ends it
// with the test.
func Start(t testing.TB, env []string, name string, args ...string) *Process {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append([]string{}, env...)
	p := &Process{t: t, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.PID = cmd.Process.Pid
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() { p.end(cmd) })
	return p
}

// end asks the process to end, as whoever runs it would, and sees to it.
func (p *Process) end(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(Patience):
		p.t.Errorf("%s does not end:\n%s", cmd.Path, p.Output())
		_ = cmd.Process.Kill()
		<-p.ended
	}
}

// Output is what the process has written.
func (p *Process) Output() string { return p.out.String() }

// Eventually waits until ok is true, and no longer than the process lives.
func (p *Process) Eventually(what string, ok func() bool) {
	p.t.Helper()
	deadline := time.After(Patience)
	for !ok() {
		select {
		case <-p.ended:
			p.t.Fatalf("it has ended before: %s\n%s", what, p.Output())
		case <-deadline:
			p.t.Fatalf("not within %v: %s\n%s", Patience, what, p.Output())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Find waits until the process has written what the expression describes, and
// returns its first group.
func (p *Process) Find(what, expression string) string {
	p.t.Helper()
	wanted := regexp.MustCompile(expression)
	var m []string
	p.Eventually(what, func() bool {
		m = wanted.FindStringSubmatch(p.Output())
		return m != nil
	})
	return m[1]
}

// Listening is the address on which an exporter serves, as its log tells it in
// either of its formats.
const Listening = `Listening on",? ?"?address"?[=:]"?([^\s"]+)`

// Demo starts an exporter with a fake cluster, and returns the address of the
// cluster's name server.
func Demo(t testing.TB, exporter string) string {
	t.Helper()
	p := Start(t, nil, exporter, "demo", "--web.listen-address=127.0.0.1:0")
	return p.Find("the fake cluster's name server", `name server +(127\.0\.0\.1:\d+)`)
}

// Get asks for a page. What went wrong is in the text, with status 0. A
// certificate is not looked at: tests make their own.
func Get(t testing.TB, url string, options ...func(*http.Request)) (status int, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range options {
		o(r)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}
