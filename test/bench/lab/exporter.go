package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Exporter is the exporter's own binary, running.
type Exporter struct {
	*Process
	URL string // of the metrics
}

// BuildExporter builds the binary as `make build` does, into a folder.
func BuildExporter(ctx context.Context, folder string) (string, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "rocketmq_exporter")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./cmd/rocketmq_exporter")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build the exporter: %w", err)
	}
	return path, nil
}

// moduleRoot is the folder of the exporter's module: the parent of the one that
// this program is run in.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/rocketmq-exporter/rocketmq_exporter").Output()
	if err != nil {
		return "", fmt.Errorf("find the exporter's module; run this in the folder test: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// StartExporter starts the binary before a cluster, and waits until it is
// ready.
func StartExporter(ctx context.Context, path string, nameServers []string, env []string, args ...string) (*Exporter, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	args = append(args, "--namesrv="+strings.Join(nameServers, ","), "--web.listen-address="+addr, "--log.level=warn")
	p, err := Start(ctx, env, path, args...)
	if err != nil {
		return nil, err
	}
	e := &Exporter{Process: p, URL: "http://" + addr + "/metrics"}
	if err := awaitReady(ctx, "http://"+addr+"/-/ready"); err != nil {
		p.Stop()
		return nil, fmt.Errorf("the exporter is not ready: %w", err)
	}
	return e, nil
}

// FreeAddr is an address of this machine that nobody listens on.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// readyWithin is how long the first round may take, with all that the exporter
// learns in it.
const readyWithin = time.Minute

func awaitReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for r := NewReader(); ; {
		_, _, err := r.Read(ctx, url, false)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}
