// Command scale measures the exporter on fake clusters of growing size, and
// prints one table: what a round costs beside the same requests sent bare, and
// what a scrape costs beside the same number of bytes copied bare and beside
// client_golang with the same rows, each pair in turn in the same run; and the
// memory and the processor time of the exporter's own process.
//
// The fake cluster, the exporter and client_golang are processes of their own.
// Read ratios, not times: the machine is shared by all that is measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/test/bench/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if args := os.Args[1:]; lab.IsFake(args) {
		return lab.RunFake(args, os.Stdin, os.Stdout, nil)
	} else if len(args) == 3 && args[0] == peerCommand {
		var processes int
		if _, err := fmt.Sscan(args[2], &processes); err != nil {
			return err
		}
		return runPeer(ctx, args[1], processes, os.Stdin, os.Stdout)
	}
	o := options{}
	sizes := flag.String("sizes", "1k,16k,225k,1M", "sizes to measure")
	flag.IntVar(&o.minutes, "minutes", 2, "how long rounds and scrapes each 15 s are watched, per size; 0: rounds alone are measured")
	flag.IntVar(&o.repeat, "repeat", 30, "how often rounds and scrapes are measured; large ones less often")
	flag.StringVar(&o.profiles, "profiles", "", "folder for CPU and heap profiles of the rounds; they cost time")
	flag.StringVar(&o.binary, "exporter", "", "binary of the exporter; none: it is built")
	flag.Parse()
	if o.profiles != "" {
		runtime.MemProfileRate = 16 << 10 // many lists are not large
	}
	if o.binary == "" {
		folder, err := os.MkdirTemp("", "scale")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		if o.binary, err = lab.BuildExporter(ctx, folder); err != nil {
			return err
		}
	}
	var results []*result
	for name := range strings.SplitSeq(*sizes, ",") {
		size, err := lab.SizeNamed(name)
		if err != nil {
			return err
		}
		r, err := measure(ctx, size, o)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		results = append(results, r)
		printTable(os.Stderr, results[len(results)-1:])
	}
	printTable(os.Stdout, results)
	return nil
}

type options struct {
	binary, profiles string
	minutes, repeat  int
}
