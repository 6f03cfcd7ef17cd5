package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Process is a child of the measurement, whose memory and time are its own.
type Process struct {
	PID int

	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

// Start starts a child. It is ended by Stop, or where that is never reached, by
// the end of its input.
func Start(ctx context.Context, env []string, path string, args ...string) (*Process, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &Process{PID: cmd.Process.Pid, cmd: cmd, stdin: in, stdout: bufio.NewReader(out)}, nil
}

// Line is the next line that the child prints.
func (p *Process) Line() (string, error) {
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("process %d has ended: %w", p.PID, err)
	}
	return strings.TrimSpace(line), nil
}

// Tell sends the child a line, and waits until it says that it is done.
func (p *Process) Tell(format string, args ...any) error {
	if _, err := fmt.Fprintf(p.stdin, format+"\n", args...); err != nil {
		return err
	}
	answer, err := p.Line()
	if err == nil && answer != done {
		err = errors.New(answer)
	}
	return err
}

// done is what a child says when it has done as it was told.
const done = "done"

// Stop ends the child and waits for it.
func (p *Process) Stop() {
	_ = p.stdin.Close()
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
}

// CPU is the processor time of all of a process's threads so far.
func CPU(pid int) (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err == nil && len(tasks) == 0 {
		err = fmt.Errorf("process %d: the kernel does not tell its processor time", pid)
	}
	var sum time.Duration
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has just ended
		}
		ran, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", task, err)
		}
		sum += time.Duration(ns)
	}
	return sum, err
}

// RssAnon is the anonymous memory of a process that is resident, in bytes.
func RssAnon(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(text), "RssAnon:")
	if !ok {
		return 0, fmt.Errorf("process %d: the kernel does not tell its RssAnon", pid)
	}
	kB, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kB << 10, err
}

// Peak is the most RssAnon that a process was seen with.
type Peak struct {
	most atomic.Int64
	stop context.CancelFunc
	done chan struct{}
}

// peakEvery is far shorter than a round or a scrape of any size that matters.
const peakEvery = 2 * time.Millisecond

// WatchPeak looks at a process until Stop.
func WatchPeak(ctx context.Context, pid int) *Peak {
	ctx, cancel := context.WithCancel(ctx)
	p := &Peak{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		tick := time.NewTicker(peakEvery)
		defer tick.Stop()
		for {
			now, err := RssAnon(pid)
			if err != nil {
				return
			}
			p.most.Store(max(p.most.Load(), now))
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return p
}

// Stop ends the watch and tells the peak in bytes.
func (p *Peak) Stop() int64 {
	p.stop()
	<-p.done
	return p.most.Load()
}
