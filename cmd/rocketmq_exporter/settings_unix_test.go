//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Whatever settings name is read only where it is a regular file: a named pipe
// would be waited for.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range []string{pipe, "/dev/zero", folder} {
		for flag, args := range map[string][]string{
			"--config.file":                 nil,
			"--web.config.file":             {"--namesrv=mq:1"},
			"--namesrv.secret-key-file":     {"--namesrv=mq:1", "--namesrv.access-key=me"},
			"--namesrv.security-token-file": {"--namesrv=mq:1", "--namesrv.access-key=me", "--namesrv.secret-key-file=" + write(t, "secret", "s\n")},
			"--namesrv.ca-file":             {"--namesrv=mq:1", "--namesrv.tls"},
			"--console.password-file":       {"--console=mq", "--console.username=me"},
		} {
			err := settingsOf(t, pipe, append([]string{flag + "=" + name}, args...)...)
			why := "wanted is a regular file"
			if name == folder {
				why = "is a directory"
			}
			if err == nil || !strings.HasPrefix(err.Error(), flag) || !strings.HasSuffix(err.Error(), "read "+name+": "+why) {
				t.Errorf("%s=%s: %v", flag, name, err)
			}
		}
	}
}

// Kubernetes mounts files behind symbolic links, which change with the files.
func TestSymbolicLinksAreFollowed(t *testing.T) {
	dir := t.TempDir()
	for link, target := range map[string]string{
		"..data": filepath.Dir(write(t, "mq.yml", "clusters: [{namesrv: [mq:1]}]\n")),
		"mq.yml": filepath.Join("..data", "mq.yml"),
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := settingsOf(t, "", "--config.file="+filepath.Join(dir, "mq.yml")); err != nil {
		t.Error(err)
	}
}

// settingsOf checks settings, and ends the test where that waits for a pipe.
func settingsOf(t *testing.T, pipe string, args ...string) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		var stdout, stderr bytes.Buffer
		ended <- run(t.Context(), append(args, "--check-config"), &stdout, &stderr)
	}()
	select {
	case err := <-ended:
		return err
	case <-time.After(10 * time.Second):
		if w, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = w.Close() // it waits no more
		}
		t.Fatalf("%v: it waits for a pipe", args)
		return nil
	}
}
