package circle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/board"
)

// patience bounds how long a test waits for something that happens soon, on a busy
// machine too.
const patience = 3 * time.Minute

// project is the folder of the exporter's own module.
const project = "../../.."

// exporterBinary is built once for all tests.
var exporterBinary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "rocketmq_exporter-circle-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		exporterBinary = filepath.Join(dir, "rocketmq_exporter")
		build := exec.Command("go", "build", "-o", exporterBinary, "./cmd/rocketmq_exporter")
		build.Dir = project
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the exporter: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// server is a running process that serves HTTP on a port of its own choice.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string
	done chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

// start runs a program that logs where it listens, as all that use Prometheus'
// toolkit do, and ends it with the test.
func start(t *testing.T, name string, args ...string) *server {
	t.Helper()
	s := &server{t: t, cmd: exec.Command(name, args...), done: make(chan struct{})}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v (hack/install-tools.sh installs what tests need)", name, err)
	}
	addr := make(chan string, 1)
	go s.follow(stderr, addr)
	t.Cleanup(s.stop)
	select {
	case s.addr = <-addr:
	case <-s.done:
		t.Fatalf("%s ended at once:\n%s", name, s.logText())
	case <-time.After(patience):
		t.Fatalf("%s does not listen:\n%s", name, s.logText())
	}
	return s
}

// follow keeps the log and finds the address in it.
func (s *server) follow(stderr io.Reader, addr chan<- string) {
	defer close(s.done)
	listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		s.mu.Lock()
		s.log.WriteString(lines.Text() + "\n")
		s.mu.Unlock()
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			addr <- m[1]
		}
	}
}

func (s *server) logText() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.done
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("%s did not end well: %v", s.cmd.Path, err)
	}
	if s.t.Failed() {
		s.t.Logf("log of %s:\n%s", s.cmd.Path, s.logText())
	}
}

// startPrometheus runs a Prometheus with the configuration in a file.
func startPrometheus(t *testing.T, config string) *server {
	t.Helper()
	name, err := filepath.Abs(filepath.Join(project, ".tools", "bin", "prometheus"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err != nil {
		name = "prometheus" // that of the machine
	}
	return start(t, name,
		"--config.file="+config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address=127.0.0.1:0",
		"--storage.tsdb.retention.time=1h", "--no-storage.tsdb.wal-compression")
}

// ask calls Prometheus' API and reads what it answers under data.
func ask[T any](s *server, path string, parameters ...string) (T, error) {
	var answer struct {
		Status string
		Error  string
		Data   T
	}
	query := make(url.Values)
	for i := 0; i < len(parameters); i += 2 {
		query.Add(parameters[i], parameters[i+1])
	}
	resp, err := http.Get("http://" + s.addr + "/api/v1/" + path + "?" + query.Encode())
	if err != nil {
		return answer.Data, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return answer.Data, fmt.Errorf("%s %v: %s: %w", path, parameters, resp.Status, err)
	}
	if answer.Status != "success" {
		return answer.Data, fmt.Errorf("%s %v: %s", path, parameters, answer.Error)
	}
	return answer.Data, nil
}

// hasData tries an expression with all values chosen, and then with one group that
// keeps up: for a board of one group at a time, all groups are no good choice.
func hasData(prometheus *server, expr string) (bool, error) {
	for _, chosen := range []map[string]string{nil, {"consumerGroup": "billing"}} {
		got, err := ask[struct{ Result []any }](prometheus, "query", "query", board.Sample(expr, least.String(), chosen))
		if err != nil || len(got.Result) > 0 {
			return true, err
		}
	}
	return false, nil
}

// eventually waits until ok returns nil.
func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	deadline := time.After(patience)
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s: %v", patience, what, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
