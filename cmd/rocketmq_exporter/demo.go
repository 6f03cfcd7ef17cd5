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

func addDemo(k *kingpin.Application) *demoOptions {
	o := &demoOptions{}
	c := k.Command(demoCommand, "Start a fake cluster with traffic on this machine, and the exporter in front of it. Nothing else is needed.")
	c.Flag("seed", "Seed of the traffic: the same seed makes the same traffic.").Default("1").Uint64Var(&o.seed)
	c.Flag("demo.namesrv-address", "Address of the fake name server; by default a free port on loopback.").
		PlaceHolder("HOST:PORT").StringVar(&o.nameServer)
	return o
}

// Pace of the demo: a person wants to see it move.
const (
	demoInterval = 5 * time.Second
	demoStep     = 500 * time.Millisecond
)

// demo runs the fake cluster and the exporter until ctx ends.
func demo(ctx context.Context, o options, log *slog.Logger, stdout io.Writer) error {
	if len(o.config.NameServers) > 0 {
		return errors.New("demo brings its own cluster: leave --namesrv out, or the command demo")
	}
	listeners, err := listen(ctx, o.web)
	if err != nil {
		return err
	}
	var addrs []string
	if o.demo.nameServer != "" {
		addrs = append(addrs, o.demo.nameServer)
	}
	mq, traffic, err := fakemq.Demo(o.demo.seed, addrs...)
	if err != nil {
		closeAll(listeners)
		return err
	}
	defer mq.Close()
	o.config.NameServers = mq.NameServers()
	if !o.intervalSet {
		o.config.Interval = demoInterval
	}
	valid, err := o.config.Check()
	if err != nil {
		closeAll(listeners)
		return err
	}

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
