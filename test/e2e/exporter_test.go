// Package e2e holds the tests that need a real RocketMQ: the exporter's own
// binary in front of it, and what its users would see.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// binary is the exporter, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "rocketmq_exporter-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "rocketmq_exporter")
		build := exec.Command("go", "build", "-o", binary, "./cmd/rocketmq_exporter")
		build.Dir = filepath.Join("..", "..") // the exporter's own module
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the exporter: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// exporter is a running exporter process.
type exporter struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string
	done chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

// startExporter runs the exporter before a cluster, with rounds of a second so
// that tests need not wait. It ends with the test by SIGTERM, and must end well.
func startExporter(t *testing.T, nameServer string, args ...string) *exporter {
	t.Helper()
	return startExporterOf(t, append([]string{"--namesrv=" + nameServer, "--collect.interval=1s"}, args...)...)
}

// startExporterOf runs it with settings of any kind.
func startExporterOf(t *testing.T, args ...string) *exporter {
	t.Helper()
	args = append(args, "--web.listen-address=127.0.0.1:0")
	e := &exporter{t: t, cmd: exec.Command(binary, args...), done: make(chan struct{})}
	stderr, err := e.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Start(); err != nil {
		t.Fatalf("start the exporter: %v", err)
	}
	addr := make(chan string, 1)
	go e.follow(stderr, addr)
	t.Cleanup(e.stop)
	select {
	case a := <-addr:
		e.url = "http://" + a
	case <-e.done:
		t.Fatalf("the exporter ended at once:\n%s", e.logText())
	case <-time.After(30 * time.Second):
		t.Fatalf("the exporter does not listen:\n%s", e.logText())
	}
	return e
}

// follow keeps the log and finds the address in it.
func (e *exporter) follow(stderr io.Reader, addr chan<- string) {
	defer close(e.done)
	listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		e.mu.Lock()
		e.log.WriteString(lines.Text() + "\n")
		e.mu.Unlock()
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			addr <- m[1]
		}
	}
}

func (e *exporter) logText() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.String()
}

func (e *exporter) stop() {
	_ = e.cmd.Process.Signal(syscall.SIGTERM)
	<-e.done
	if err := e.cmd.Wait(); err != nil {
		e.t.Errorf("the exporter did not end well: %v", err)
	}
	if e.t.Failed() {
		e.t.Logf("log of the exporter:\n%s", e.logText())
	}
}

// sample is one line of an exposition.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

func (s sample) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(s.labels)) {
		fmt.Fprintf(&b, " %s=%q", k, s.labels[k])
	}
	return fmt.Sprintf("%s%s %v", s.name, b.String(), s.value)
}

// exposition is what one scrape returned.
type exposition []sample

// read is what the exporter serves at a path.
func (e *exporter) read(path string) (string, error) {
	resp, err := http.Get(e.url + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

func (e *exporter) scrape(ctx context.Context) (exposition, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, err
	}
	var all exposition
	for name, f := range families {
		for _, m := range f.GetMetric() {
			s := sample{name: name, labels: map[string]string{}, value: value(m)}
			for _, l := range m.GetLabel() {
				s.labels[l.GetName()] = l.GetValue()
			}
			all = append(all, s)
		}
	}
	return all, nil
}

func value(m *dto.Metric) float64 {
	switch {
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	}
	return m.GetUntyped().GetValue()
}

// find returns the samples of one name whose labels are as given, in pairs of
// name and value.
func (x exposition) find(name string, labels ...string) exposition {
	var found exposition
	for _, s := range x {
		if s.name == name && s.matches(labels) {
			found = append(found, s)
		}
	}
	return found
}

func (s sample) matches(labels []string) bool {
	for i := 0; i < len(labels); i += 2 {
		if s.labels[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

// sum adds up all values.
func (x exposition) sum() float64 {
	total := 0.0
	for _, s := range x {
		total += s.value
	}
	return total
}

// one is the value of the only sample.
func (x exposition) one() (float64, error) {
	if len(x) != 1 {
		return 0, fmt.Errorf("%d samples where one is wanted: %v", len(x), x)
	}
	return x[0].value, nil
}

// mentions lists the samples that have a label with the value.
func (x exposition) mentions(label, value string) exposition {
	var found exposition
	for _, s := range x {
		if s.labels[label] == value {
			found = append(found, s)
		}
	}
	return found
}
