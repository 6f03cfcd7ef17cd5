package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

// measureSlowCycle sets rounds with the slower cycle behind them against rounds
// without it, in turn. Four rounds make a cycle, as with the default settings,
// and a pause follows each round, in which the errands behind it have time.
func measureSlowCycle(ctx context.Context, mq *realmq.Cluster, window, rounds int) error {
	if rounds == 0 {
		return nil
	}
	const pause = 500 * time.Millisecond
	behind := &times{}
	behind.reset()
	with := direct.New(direct.Options{
		NameServers: mq.NameServers(), SlowEvery: 4 * pause,
		Remoting: remoting.Options{Observe: behind.observe, Window: window},
	})
	defer with.Close()
	without := direct.New(direct.Options{
		NameServers: mq.NameServers(), SlowEvery: -1, Remoting: remoting.Options{Window: window},
	})
	defer without.Close()
	var slow, plain []time.Duration
	for range rounds {
		for _, s := range []struct {
			src  *direct.Source
			took *[]time.Duration
		}{{with, &slow}, {without, &plain}} {
			began := time.Now()
			r := s.src.Collect(ctx)
			*s.took = append(*s.took, time.Since(began))
			s.src.Behind()
			if len(r.Failures) > 0 {
				return r.Failures[0].Err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause / 2):
			}
		}
	}
	fmt.Fprintln(os.Stdout, "with the slower cycle behind the rounds, and without:")
	line("round", slow[1:])
	line("round without", plain[1:])
	behind.mu.Lock()
	defer behind.mu.Unlock()
	for _, code := range slices.Sorted(maps.Keys(behind.took)) {
		fmt.Fprintf(os.Stdout, "  request %-4d %6d times\n", code, len(behind.took[code]))
		line("", behind.took[code])
	}
	return nil
}
