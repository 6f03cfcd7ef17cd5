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
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/app"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

const program = "rocketmq_exporter"

func main() {
	runtime.MemProfileRate = 0   // its tables take a megabyte; see runApp
	cobra.MousetrapHelpText = "" // what Windows starts by a click may have its settings in the environment
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
	l := newLogger(valid, stderr)
	listeners, err := listen(ctx, valid)
	if err != nil {
		return err
	}
	l.Info("Starting", "version", version.Info(), "build", version.BuildContext())
	return runApp(ctx, valid, c.load, listeners, l)
}

const settingsAreRight = "The settings are right."

// logger logs as settings say, which may change.
type logger struct {
	*slog.Logger

	level *promslog.Level
}

func newLogger(valid config.Valid, w io.Writer) logger {
	c := &promslog.Config{Level: promslog.NewLevel(), Format: promslog.NewFormat(), Writer: w}
	_ = c.Format.Set(valid.Log.Format) // the words are those that settings allow
	l := logger{promslog.New(c), c.Level}
	l.setLevel(valid.Log.Level)
	return l
}

func (l logger) setLevel(level string) { _ = l.level.Set(level) }

// memProfileRate is Go's own: one sample for about so many bytes.
const memProfileRate = 512 << 10

// runApp runs the exporter until ctx ends. load reads the settings anew.
func runApp(ctx context.Context, valid config.Valid, load func() (config.Valid, error), listeners []net.Listener, l logger) error {
	memory := tuneMemory(memlimit.FromCgroup, l.Logger)
	profiles, err := listenForProfiles(ctx, valid)
	if err != nil {
		closeAll(listeners)
		return err
	}
	if len(profiles) > 0 {
		runtime.MemProfileRate = memProfileRate
	}
	a, err := app.New(valid, l.Logger)
	if err != nil {
		closeAll(append(listeners, profiles...))
		return err
	}
	a.AfterRounds(memory.tune)
	a.Reloads(load, func(level string) {
		l.setLevel(level)
		memory.loosen() // there may be a large cluster more
	})
	for _, p := range profiles {
		a.Profiles(p)
	}
	defer reloadUponSignal(a)()
	return a.Run(ctx, listeners)
}

// reloadUponSignal reads the settings anew at each SIGHUP, until what it returns
// is called.
func reloadUponSignal(a *app.App) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-hangups:
				_ = a.Reload() // logged, and in the metrics
			case <-done:
				return
			}
		}
	})
	return func() {
		signal.Stop(hangups)
		close(done)
		wg.Wait()
	}
}

// listenForProfiles opens what --web.pprof-address names, if it does.
func listenForProfiles(ctx context.Context, valid config.Valid) ([]net.Listener, error) {
	addr := valid.Web.Profiles
	if addr == "" {
		return nil, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, valid.Wrap(config.KeyProfiles, addr, err)
	}
	return []net.Listener{l}, nil
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
