// Package ship is what the tests of this module share: they have make build what
// is shipped, and look at what comes out as whoever gets it would.
//
// It may hold the running of make, of exporters and of other programs, and the
// waiting for what they do.
package ship

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Patience bounds how long a test waits for something that happens soon.
const Patience = 60 * time.Second

// Root is the folder of the repository.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "VERSION")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("this is not in the repository")
		}
		dir = parent
	}
}

// Read is what a file of the repository says.
func Read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Version is the exporter's, from the file VERSION.
func Version(t testing.TB) string {
	t.Helper()
	return strings.TrimSpace(Read(t, "VERSION"))
}

// Make runs make in the repository, with a folder of its own for what it makes.
func Make(t testing.TB, dist string, args ...string) {
	t.Helper()
	Run(t, Root(t), nil, "make", append([]string{"--no-print-directory", "DIST=" + dist}, args...)...)
}

// Run runs a command to its end, which must be a good one, and returns what it
// wrote to standard output. env is added to that of the test.
func Run(t testing.TB, dir string, env []string, name string, args ...string) string {
	t.Helper()
	out, err := Try(dir, env, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Try is Run for what may fail. The error has what the command wrote.
func Try(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), errors.New(name + " " + strings.Join(args, " ") + ": " + err.Error() + "\n" + stdout.String() + stderr.String())
	}
	return stdout.String(), nil
}

// Exporter has make build the exporter for this machine, and returns its path.
func Exporter(t testing.TB, dist string) string {
	t.Helper()
	platform := runtime.GOOS + "/" + runtime.GOARCH
	Make(t, dist, "binaries", "PLATFORMS="+platform)
	return filepath.Join(dist, "bin", strings.ReplaceAll(platform, "/", "-"), "rocketmq_exporter")
}

// Eventually waits until ok is true.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(Patience)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", Patience, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
