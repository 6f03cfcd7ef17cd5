// Command rocketmq_exporter exports the message backlog of Apache RocketMQ to
// Prometheus, down to the consumer process.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/app"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

const program = "rocketmq_exporter"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, done, err := parse(args, stdout, stderr)
	if err != nil || done {
		return err
	}
	tuneMemory()
	switch {
	case c.demo != nil:
		return demo(ctx, c, stdout, stderr)
	case c.lag != nil:
		return printLag(ctx, c, stdout, stderr)
	}
	return serve(ctx, c, stdout, stderr)
}

func serve(ctx context.Context, c commandLine, stdout, stderr io.Writer) error {
	valid, err := c.load()
	if err != nil {
		return err
	}
	if c.checkOnly() {
		fmt.Fprintln(stdout, settingsAreRight)
		return nil
	}
	log := newLogger(valid, stderr)
	listeners, err := listen(ctx, valid)
	if err != nil {
		return err
	}
	log.Info("Starting", "version", version.Info(), "build", version.BuildContext())
	return runApp(ctx, valid, listeners, log)
}

const settingsAreRight = "The settings are right."

func newLogger(valid config.Valid, w io.Writer) *slog.Logger {
	c := &promslog.Config{Level: promslog.NewLevel(), Format: promslog.NewFormat(), Writer: w}
	// The words are those that settings allow.
	_ = c.Level.Set(valid.Log.Level)
	_ = c.Format.Set(valid.Log.Format)
	return promslog.New(c)
}

func runApp(ctx context.Context, valid config.Valid, listeners []net.Listener, log *slog.Logger) error {
	a, err := app.New(valid, log)
	if err != nil {
		closeAll(listeners)
		return err
	}
	return a.Run(ctx, listeners)
}

// listen opens what --web.listen-address names. Sockets of systemd and of vsock
// are left to the toolkit: for them it returns none.
func listen(ctx context.Context, valid config.Valid) ([]net.Listener, error) {
	if valid.Web.SystemdSocket {
		return nil, nil
	}
	var list []net.Listener
	for _, addr := range valid.Web.Listen {
		if strings.HasPrefix(addr, "vsock://") {
			closeAll(list)
			return nil, nil
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			closeAll(list)
			return nil, valid.Wrap(config.KeyListen, addr, err)
		}
		list = append(list, l)
	}
	return list, nil
}

func closeAll(list []net.Listener) {
	for _, l := range list {
		_ = l.Close()
	}
}

// Memory matters more than the collector's time here: at the size of most
// clusters the heap is one or two megabytes, and the default would let it
// double from four.
const gcPercent = 50

// tuneMemory sets the garbage collector, unless the environment did.
func tuneMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
}
