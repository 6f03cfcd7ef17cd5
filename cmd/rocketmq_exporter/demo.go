package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
)

const demoCommand = "demo"

// demoOptions are what the command demo takes besides the flags of all.
type demoOptions struct {
	seed       uint64
	nameServer string
}

func addDemo(k *kingpin.Application) (*demoOptions, *kingpin.CmdClause) {
	o := &demoOptions{}
	c := k.Command(demoCommand, "Start a fake cluster with traffic, and the exporter in front of it.").
		HelpLong("It reads the cluster every 5 seconds, unless --collect.interval says otherwise. --namesrv and --console do not go with it.")
	c.Flag("seed", "Seed of the traffic: the same seed makes the same traffic.").Default("1").Uint64Var(&o.seed)
	c.Flag(flagDemoAddress, "Address of the fake name server, host:port. By default it is a free port on loopback.").
		PlaceHolder("ADDR").StringVar(&o.nameServer)
	return o, c
}

const flagDemoAddress = "demo.namesrv-address"

// Pace of the demo: a person wants to see it move.
const (
	demoInterval = 5 * time.Second
	demoStep     = 500 * time.Millisecond
)

// demo runs the fake cluster and the exporter until ctx ends.
func demo(ctx context.Context, o options, log *slog.Logger, stdout io.Writer) error {
	if o.nameServersFlag || o.consoleFlag {
		return errors.New("demo brings its own cluster: leave --namesrv and --console out, or the command demo")
	}
	if !o.intervalSet {
		o.config.Interval = demoInterval
	}
	o.config.NameServers = []string{"127.0.0.1:9876"} // stands in for the fake's, which listens last
	valid, err := o.check()
	if err != nil {
		return err
	}
	listeners, err := listen(ctx, o.web)
	if err != nil {
		return err
	}
	mq, traffic, err := startDemo(o.demo)
	if err != nil {
		closeAll(listeners)
		return err
	}
	defer mq.Close()
	valid.NameServers = mq.NameServers()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := traffic.Run(ctx, demoStep); err != nil && ctx.Err() == nil {
			log.Error("The traffic of the demo ended", "err", err)
		}
	})
	defer wg.Wait()
	defer cancel()
	printDemo(stdout, listeners, valid.MetricsPath, mq.NameServers())
	return runApp(ctx, valid, listeners, o.web, log)
}

func startDemo(o *demoOptions) (*fakemq.Cluster, *fakemq.Traffic, error) {
	if o.nameServer == "" {
		return fakemq.Demo(o.seed)
	}
	mq, traffic, err := fakemq.Demo(o.seed, o.nameServer)
	if err != nil {
		err = fmt.Errorf("--%s=%s: %w", flagDemoAddress, o.nameServer, err)
	}
	return mq, traffic, err
}

func printDemo(w io.Writer, listeners []net.Listener, metricsPath string, nameServers []string) {
	fmt.Fprintln(w, "A fake RocketMQ cluster is running, with the exporter in front of it.")
	for _, l := range listeners {
		url := "http://" + shownAddr(l.Addr())
		fmt.Fprintf(w, "  page         %s/\n  metrics      %s%s\n", url, url, metricsPath)
	}
	for _, addr := range nameServers {
		fmt.Fprintf(w, "  name server  %s   (for a second exporter, or: mqadmin clusterList -n %s)\n", addr, addr)
	}
	fmt.Fprintln(w, "Ctrl-C ends both.")
}

// shownAddr is an address that a person can open: one that listens everywhere
// is reached as localhost.
func shownAddr(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	return fmt.Sprintf("localhost:%d", tcp.Port)
}
