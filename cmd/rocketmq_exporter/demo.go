package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

// demoOptions are what the command demo takes besides the flags of all.
type demoOptions struct {
	seed       string // a number
	nameServer string
}

func newDemo() (*cobra.Command, *demoOptions) {
	o := &demoOptions{seed: cmp.Or(os.Getenv("ROCKETMQ_EXPORTER_SEED"), defaultSeed), nameServer: os.Getenv("ROCKETMQ_EXPORTER_DEMO_NAMESRV_ADDRESS")}
	c := newCommand(demoCommand, "Start a fake cluster with traffic, and the exporter in front of it.")
	c.Long = "It reads the cluster every 5 seconds, unless --collect.interval says otherwise. It brings its own cluster: --namesrv, --console and --config.file do not go with it."
	addFlag(c.Flags(), flagValue{
		name: flagSeed, value: defaultSeed, note: func(s string) { o.seed = s },
		help: "Seed of the traffic: the same seed makes the same traffic.",
	})
	addFlag(c.Flags(), flagValue{
		name: flagDemoAddress, value: "ADDR", note: func(s string) { o.nameServer = s },
		help: "Address of the fake name server, host:port. By default it is a free port on loopback.",
	})
	return c, o
}

const defaultSeed = "1"

const (
	flagSeed        = "seed"
	flagDemoAddress = "demo.namesrv-address"
)

// Pace of the demo: a person wants to see it move.
const (
	demoInterval = 5 * time.Second
	demoStep     = 500 * time.Millisecond
)

// demo runs the fake cluster and the exporter until ctx ends.
func demo(ctx context.Context, c commandLine, stdout, stderr io.Writer) error {
	valid, seed, err := c.loadDemo()
	if err != nil {
		return err
	}
	if c.checkOnly() {
		fmt.Fprintln(stdout, settingsAreRight)
		return nil
	}
	log := newLogger(valid, stderr)
	reload := func() (config.Valid, error) { return config.Valid{}, errors.New("the demo has no settings to reload") }
	listeners, err := listen(ctx, valid)
	if err != nil {
		return err
	}
	mq, traffic, err := startDemo(seed, c.demo.nameServer)
	if err != nil {
		closeAll(listeners)
		return err
	}
	defer mq.Close()
	valid.Clusters[0].NameServers = mq.NameServers()

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
	printDemo(stdout, listeners, valid.Web.MetricsPath, mq.NameServers())
	return runApp(ctx, valid, reload, listeners, log)
}

// loadDemo reads the settings of the demo. What the environment says of clusters
// is about somebody's real ones.
func (c commandLine) loadDemo() (valid config.Valid, seed uint64, err error) {
	s := c.sources()
	s.Environment, _ = environment()
	s.Flags = maps.Clone(s.Flags)
	for _, row := range config.Settings() {
		if row.Identity || row.Of != config.Any || row.Key == config.KeyFile {
			if _, said := s.Flags[row.Key]; said {
				return valid, 0, fmt.Errorf("demo brings its own cluster: leave --%s out, or the command demo", row.Flag)
			}
			delete(s.Environment, row.Key)
		}
	}
	s.Defaults = map[string]string{config.KeyInterval: demoInterval.String()}
	s.Flags[config.KeyNameServers] = []string{"127.0.0.1:9876"} // stands in for the fake's, which listens last
	valid, err = config.Load(s)
	seed, notSeed := strconv.ParseUint(c.demo.seed, 10, 64)
	if notSeed != nil {
		mistakes := config.SettingErrors{fmt.Errorf("--%s: %q is no number: allowed are 0 to %d", flagSeed, c.demo.seed, uint64(math.MaxUint64))}
		if others, ok := errors.AsType[config.SettingErrors](err); ok {
			mistakes = append(mistakes, others...)
		}
		err = mistakes
	}
	return valid, seed, err
}

func startDemo(seed uint64, nameServer string) (*fakemq.Cluster, *fakemq.Traffic, error) {
	if nameServer == "" {
		return fakemq.Demo(seed)
	}
	mq, traffic, err := fakemq.Demo(seed, nameServer)
	if err != nil {
		err = fmt.Errorf("--%s=%s: %w", flagDemoAddress, nameServer, err)
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
