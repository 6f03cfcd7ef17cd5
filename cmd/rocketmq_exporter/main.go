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

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/app"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

const program = "rocketmq_exporter"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
		os.Exit(1)
	}
}

// options are what the command line and the environment say.
type options struct {
	config config.Config
	log    promslog.Config
	web    *toolkit.FlagConfig
	demo   *demoOptions // nil: serve

	intervalSet bool // by the user
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

// parse reads the command line. done is true when it asked only for help or
// the version.
func parse(args []string, stdout, stderr io.Writer) (o options, done bool, err error) {
	k := kingpin.New(program, "Exports the message backlog of Apache RocketMQ to Prometheus, down to the consumer process.\n\n"+
		"One cluster is one flag: "+program+" --namesrv=10.0.0.1:9876\n\n"+
		"Each flag is also an environment variable: --collect.interval is ROCKETMQ_EXPORTER_COLLECT_INTERVAL. A flag beats the environment.")
	k.DefaultEnvars()
	k.UsageWriter(stdout)
	k.ErrorWriter(stderr)
	k.Terminate(func(int) { done = true })
	k.HelpFlag.Short('h')
	k.Version(version.Print(program))
	addFlags(k, &o)
	promslogflag.AddFlags(k, &o.log)
	o.web = kingpinflag.AddFlags(k, ":9104")
	k.Command("serve", "Export the metrics of a cluster; this is what is done when no command is given.").Default()
	demoFlags := addDemo(k)
	command, err := k.Parse(args)
	if done {
		return o, true, nil
	}
	if err != nil {
		return o, false, fmt.Errorf("%w (--help lists commands and flags)", err)
	}
	if command == demoCommand {
		o.demo = demoFlags
	}
	return o, false, nil
}

func addFlags(k *kingpin.Application, o *options) {
	c := &o.config
	k.Flag(config.FlagNameServers, "Address of a name server, host:port; several are joined by commas. All of them are asked.").
		PlaceHolder("HOST:PORT").StringsVar(&c.NameServers)
	k.Flag(config.FlagInterval, "Time between the beginnings of two rounds.").Default("15s").IsSetByUser(&o.intervalSet).DurationVar(&c.Interval)
	k.Flag(config.FlagTimeout, "Time limit of a round. What was read by then is shown.").Default("10s").DurationVar(&c.Timeout)
	k.Flag(config.FlagWindow, "Requests that may be under way at one node. A broker has 16 threads for all of them.").Default("8").IntVar(&c.Window)
	k.Flag(config.FlagParallel, "Nodes that are asked at the same time.").Default("8").IntVar(&c.Parallel)
	k.Flag(config.FlagKeepRounds, "For how many rounds the last good numbers stand in for what cannot be read.").Default("3").IntVar(&c.KeepRounds)
	k.Flag(config.FlagForgetAfter, "How long a broker that no name server lists and that does not answer is still shown as down.").Default("1h").DurationVar(&c.ForgetAfter)
	k.Flag(config.FlagOwnerRefresh, "How long a consumer process is believed about the queues that it holds while its group does not change.").Default("5m").DurationVar(&c.OwnerRefresh)
	k.Flag(config.FlagIgnored, "Topics to leave out, by exact name; several are joined by commas.").PlaceHolder("TOPIC").StringsVar(&c.IgnoredTopics)
	k.Flag(config.FlagSystem, "Include the topics and consumer groups that RocketMQ makes for itself.").BoolVar(&c.System)
	k.Flag(config.FlagPrefix, "First word of the names of all metrics.").Default("rocketmq").StringVar(&c.Prefix)
	k.Flag(config.FlagMetricsPath, "Path of the metrics.").Default("/metrics").StringVar(&c.MetricsPath)
	k.Flag(config.FlagMaxScrapes, "Scrapes that may be under way at the same time; more are refused.").Default("4").IntVar(&c.MaxScrapes)
}

func serve(ctx context.Context, o options, log *slog.Logger) error {
	valid, err := o.config.Check()
	if err != nil {
		return err
	}
	listeners, err := listen(ctx, o.web)
	if err != nil {
		return err
	}
	log.Info("Starting", "version", version.Info(), "build", version.BuildContext(), "namesrv", valid.NameServers)
	return runApp(ctx, valid, listeners, o.web, log)
}

func runApp(ctx context.Context, valid config.Valid, listeners []net.Listener, flags *toolkit.FlagConfig, log *slog.Logger) error {
	a, err := app.New(valid, log)
	if err != nil {
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
			return nil, fmt.Errorf("--web.listen-address=%s: %w", addr, err)
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
