// Command limit runs the exporter before the demo's cluster in a control group
// with a hard limit of memory, and tells what it used. The kernel kills what does
// not get by with it. It needs Linux and the right to make control groups.
//
// The pages of the program's file count in the control group that read them
// first, which here is another one: the limit is that of anonymous memory.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/test/bench/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "limit:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	limit := flag.Int64("limit", 10, "hard limit in MiB")
	minutes := flag.Int("minutes", 2, "how long the exporter runs, with a round and a scrape each 5 s")
	flag.Parse()
	folder, err := os.MkdirTemp("", "limit")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	binary, err := lab.BuildExporter(ctx, folder)
	if err != nil {
		return err
	}
	demo, nameServer, err := startDemo(ctx, binary)
	if err != nil {
		return err
	}
	defer demo.Stop()
	group, err := newControlGroup("rocketmq-exporter-limit", *limit<<20)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, group.remove()) }()
	return watch(ctx, group, binary, nameServer, *minutes)
}

// startDemo starts the demo, whose exporter serves nowhere that matters.
func startDemo(ctx context.Context, binary string) (demo *lab.Process, nameServer string, err error) {
	demo, err = lab.Start(ctx, nil, binary, "demo", "--web.listen-address=127.0.0.1:0", "--log.level=warn")
	if err != nil {
		return nil, "", err
	}
	for {
		line, err := demo.Line()
		if err != nil {
			demo.Stop()
			return nil, "", err
		}
		if words := strings.Fields(line); len(words) > 2 && words[0] == "name" {
			return demo, words[2], nil
		}
	}
}

func watch(ctx context.Context, group *controlGroup, binary, nameServer string, minutes int) error {
	exporter, err := lab.StartExporter(ctx, "/bin/sh", []string{nameServer}, nil,
		"-c", `echo $$ >"$0" && exec "$@"`, group.file("cgroup.procs"), binary, "--collect.interval=5s")
	if err != nil {
		return err
	}
	defer exporter.Stop()
	peak := lab.WatchPeak(ctx, exporter.PID)
	reader, rows, scrapes := lab.NewReader(), 0, 0
	for range minutes * 12 {
		select {
		case <-time.After(5 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, _, err := reader.Read(ctx, exporter.URL, true); err != nil {
			return fmt.Errorf("after %d scrapes: %w", scrapes, err)
		}
		_, counts, err := reader.Samples(ctx, exporter.URL)
		if err != nil {
			return fmt.Errorf("after %d scrapes: %w", scrapes, err)
		}
		rows, scrapes = cmp.Or(counts["rocketmq_msg_diff_detail"], rows), scrapes+2
	}
	if rows == 0 {
		return errors.New("no row was ever there")
	}
	most, failures, err := group.used()
	if err != nil {
		return err
	}
	mib := func(n int64) float64 { return float64(n) / (1 << 20) }
	fmt.Printf("limit %.0f MiB, %d rows, %d scrapes: at most %.1f MiB of RssAnon, %.1f MiB in the control group, limit met %d times\n",
		mib(group.limit), rows, scrapes, mib(peak.Stop()), mib(most), failures)
	return nil
}
