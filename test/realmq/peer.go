package realmq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// peer is a child process that speaks the line protocol of java/Lines.java.
type peer struct {
	*process
	log   *outputLog // its standard error
	stdin io.WriteCloser

	mu      sync.Mutex
	lastID  int
	waiting map[int]chan<- []string // the request's id to where the fields after the id go
}

// startPeer starts cmd and waits until it is ready; it returns the fields of
// the ready line. What cmd prints to standard error goes to the file logPath.
func startPeer(ctx context.Context, name string, cmd *exec.Cmd, logPath string) (*peer, *fields, error) {
	log, err := openOutputLog(logPath, "")
	if err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", name, err)
	}
	ready := make(chan []string, 1)
	p := &peer{log: log, waiting: map[int]chan<- []string{0: ready}}
	cmd.Stdout = &lineWriter{line: p.dispatch}
	cmd.Stderr = log
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", name, err)
	}
	if p.process, err = startProcess(name, cmd); err != nil {
		return nil, nil, errors.Join(err, log.file.Close())
	}
	log.closeAfter(p.process)
	answer, err := p.await(ctx, "boot", ready)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%w\n%s", err, fileTail(logPath, 4<<10)), p.kill())
	}
	return p, answer, nil
}

// dispatch hands an answer to the request that waits for it.
func (p *peer) dispatch(line string) {
	parts := strings.Split(line, "\t")
	id, err := strconv.Atoi(parts[0])
	if err != nil || len(parts) < 2 {
		fmt.Fprintf(p.log, "not of the protocol: %s\n", line)
		return
	}
	p.mu.Lock()
	answer := p.waiting[id]
	delete(p.waiting, id)
	p.mu.Unlock()
	if answer != nil {
		answer <- parts[1:]
	}
}

// call sends a command and waits for its answer. Any number of calls may be
// under way. When ctx ends first the command may still take effect.
func (p *peer) call(ctx context.Context, command string, args ...any) (*fields, error) {
	answer := make(chan []string, 1)
	var line strings.Builder
	p.mu.Lock()
	p.lastID++
	id := p.lastID
	p.waiting[id] = answer
	fmt.Fprintf(&line, "%d\t%s", id, command)
	for _, arg := range args {
		fmt.Fprintf(&line, "\t%v", arg)
	}
	line.WriteByte('\n')
	_, err := io.WriteString(p.stdin, line.String())
	p.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", p.name, command, err)
	}
	return p.await(ctx, command, answer)
}

func (p *peer) await(ctx context.Context, command string, answer <-chan []string) (*fields, error) {
	select {
	case parts := <-answer:
		if parts[0] != "ok" {
			return nil, fmt.Errorf("%s: %s: %s", p.name, command, strings.Join(parts[1:], " "))
		}
		return &fields{rest: parts[1:]}, nil
	case <-p.done:
		return nil, fmt.Errorf("%s: %s: process has ended: %w", p.name, command, errors.Join(p.err, io.ErrUnexpectedEOF))
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %s: %w", p.name, command, context.Cause(ctx))
	}
}

// hangUp closes the peer's input, at which it ends, and waits for that.
func (p *peer) hangUp(ctx context.Context) error {
	if err := p.stdin.Close(); err != nil && p.running() {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop %s: still there, killed: %w", p.name, context.Cause(ctx)), p.kill())
	}
}

// fields takes an answer apart, remembering the first error.
type fields struct {
	rest []string
	err  error
}

func (f *fields) more() bool { return f.err == nil && len(f.rest) > 0 }

func (f *fields) text() string {
	if len(f.rest) == 0 {
		if f.err == nil {
			f.err = fmt.Errorf("answer is too short: %w", io.ErrUnexpectedEOF)
		}
		return ""
	}
	text := f.rest[0]
	f.rest = f.rest[1:]
	return text
}

func (f *fields) number() int64 {
	text := f.text()
	if f.err != nil {
		return 0
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f.err = fmt.Errorf("answer: %w", err)
	}
	return number
}

// unixMillis reads a time as Java has it; 0 is the zero Time, "never".
func (f *fields) unixMillis() time.Time {
	if millis := f.number(); millis != 0 {
		return time.UnixMilli(millis)
	}
	return time.Time{}
}
