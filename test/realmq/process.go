package realmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// moduleOptions open what RocketMQ 4.x and its Netty reach into on JDK 9 and later.
var moduleOptions = [...]string{
	"--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
	"--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
	"--add-opens=java.base/java.nio=ALL-UNNAMED",
	"--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
	"--add-opens=java.base/java.lang=ALL-UNNAMED",
	"--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
}

// javaCommand describes a JVM.
type javaCommand struct {
	classPath []string
	home      string   // stands in for the user's home and the temporary folder: logs stay in it
	options   []string // heap size, system properties
	main      string
	args      []string
}

func (j javaCommand) command() *exec.Cmd {
	args := append([]string{}, moduleOptions[:]...)
	// These JVMs live for a minute and share two cores with what is tested: the
	// second compiler would cost more than it brings.
	args = append(args, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
		"-Duser.home="+j.home, "-Djava.io.tmpdir="+j.home, "-Drocketmq.home.dir="+j.home,
		"-Drmq.logback.configurationFile="+logbackPath(j.home))
	args = append(args, j.options...)
	args = append(args, "-cp", strings.Join(j.classPath, string(filepath.ListSeparator)), j.main)
	return exec.Command("java", append(args, j.args...)...)
}

// process is a running child.
type process struct {
	name string
	pid  int
	done chan struct{} // closed when the child has ended and its output is read
	err  error         // of Wait; valid after done
}

// startProcess starts cmd in a process group of its own.
func startProcess(name string, cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = processAttributes()
	cmd.WaitDelay = 5 * time.Second
	p := &process{name: name, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The "parent" whose death ends the child is the thread that started
		// it, so that thread has to live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the process at once and returns when it is gone.
func (p *process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// terminate asks the process to end and returns when it is gone. When ctx ends
// first it is killed, and that is an error.
func (p *process) terminate(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop %s: still there, killed: %w", p.name, context.Cause(ctx)), p.kill())
	}
}

func (p *process) signal(signal syscall.Signal) error {
	if !p.running() {
		return nil
	}
	err := syscall.Kill(-p.pid, signal)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %s (pid %d): %w", p.name, p.pid, err)
	}
	return nil
}

// lineWriter calls a function for each line that is written to it.
type lineWriter struct {
	partial []byte
	line    func(string)
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.partial = append(w.partial, b...)
	for {
		line, rest, found := bytes.Cut(w.partial, []byte("\n"))
		if !found {
			return len(b), nil
		}
		w.line(string(line))
		w.partial = rest
	}
}

// outputLog appends what a process prints to a file and notes whether a line
// with the marker was among it.
type outputLog struct {
	marked chan struct{} // closed at the marker

	mu    sync.Mutex
	file  *os.File
	lines lineWriter
}

// openOutputLog truncates nothing: the runs of a server that is started several
// times follow each other. An empty marker is never found.
func openOutputLog(path, marker string) (*outputLog, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	log := &outputLog{marked: make(chan struct{}), file: file}
	var once sync.Once
	log.lines.line = func(line string) {
		if marker != "" && strings.Contains(line, marker) {
			once.Do(func() { close(log.marked) })
		}
	}
	return log, nil
}

func (l *outputLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.lines.Write(b); err != nil {
		return 0, err
	}
	return l.file.Write(b)
}

// closeAfter closes the file when the process that writes to it has ended.
func (l *outputLog) closeAfter(p *process) {
	go func() {
		<-p.done
		l.file.Close()
	}()
}

// fileSize is 0 also for a file that is not there.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// fileTail returns the end of a file for people to read, with its name.
func fileTail(path string, limit int64) string {
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > limit {
		if _, err := file.Seek(-limit, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("--- %s\n%s", path, strings.TrimSpace(string(text)))
}
