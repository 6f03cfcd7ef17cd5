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
	toolkit "github.com/prometheus/exporter-toolkit/web"

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
	o, done, err := parse(args, stdout, stderr)
	if err != nil || done {
		return err
	}
	o.log.Writer = stderr
	log := promslog.New(&o.log)
	tuneMemory()
	if o.demo != nil {
		return demo(ctx, o, log, stdout)
	}
	return serve(ctx, o, log)
}

func serve(ctx context.Context, o options, log *slog.Logger) error {
	valid, err := o.check()
	if err != nil {
		return err
	}
	listeners, err := listen(ctx, o.web)
	if err != nil {
		return o.withVariable(err)
	}
	starting := []any{"version", version.Info(), "build", version.BuildContext()}
	if valid.Console.URL != "" {
		starting = append(starting, "console", valid.Console.URL)
	} else {
		starting = append(starting, "namesrv", valid.NameServers)
	}
	log.Info("Starting", starting...)
	return runApp(ctx, valid, listeners, o.web, log)
}

func runApp(ctx context.Context, valid config.Valid, listeners []net.Listener, flags *toolkit.FlagConfig, log *slog.Logger) error {
	a, err := app.New(valid, log)
	if err != nil {
		closeAll(listeners)
		return err
	}
	return a.Run(ctx, listeners, flags)
}

// listen opens what --web.listen-address names. Sockets of systemd and of vsock
// are left to the toolkit: for them it returns none.
func listen(ctx context.Context, flags *toolkit.FlagConfig) ([]net.Listener, error) {
	if flags.WebSystemdSocket != nil && *flags.WebSystemdSocket {
		return nil, nil
	}
	var list []net.Listener
	for _, addr := range *flags.WebListenAddresses {
		if strings.HasPrefix(addr, "vsock://") {
			closeAll(list)
			return nil, nil
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			closeAll(list)
			return nil, fmt.Errorf("--%s=%s: %w", flagListen, addr, err)
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
