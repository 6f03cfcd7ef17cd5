package main

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// Memory matters more than the collector's time here, of which there is plenty
// between two rounds. The heap of a small cluster, one or two megabytes, may grow
// by half before it is collected; the default would let it double from four. A
// large one may grow by less, but always by gcLeast, so that a round is not
// collected all the time.
const (
	gcPercent      = 50
	gcPercentLarge = 10
	gcLeast        = 3 << 20 // bytes
)

// gcPercentFor is how much a heap of which so many bytes are in use may grow.
func gcPercentFor(live uint64) int {
	percent := uint64(gcPercent)
	if live > 0 {
		percent = 100 * gcLeast / live
	}
	return int(min(max(percent, gcPercentLarge), gcPercent))
}

// collector sets how much the heap may grow by what is in use.
type collector struct{ percent atomic.Int64 }

// tune is called after each round: then most of what will be kept is there.
func (c *collector) tune() {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	if percent := gcPercentFor(sample[0].Value.Uint64()); c.percent.Swap(int64(percent)) != int64(percent) {
		debug.SetGCPercent(percent)
	}
}

// heapTenths is how much of what a container leaves beside the program's file the
// heap and the runtime may take: the rest is for what the kernel counts besides.
const heapTenths = 9

// heapOf is the memory limit for the garbage collector in a container. The pages of
// the program's file count there as well, as far as they were read. The kernel can
// take them back, so that half of the container is the heap's in any case.
func heapOf(container memlimit.Provider, file uint64) memlimit.Provider {
	return func() (uint64, error) {
		limit, err := container()
		if err != nil {
			return 0, err
		}
		beside := limit - min(limit, file)
		return min(max(beside/10*heapTenths, limit/2), math.MaxInt64), nil
	}
}

// programSize is the size of the program's file in bytes; 0 where it is not known.
func programSize() uint64 {
	name, err := os.Executable()
	if err != nil {
		return 0
	}
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return uint64(info.Size())
}

// tuneMemory sets the garbage collector, and has it work harder near the limit
// of the container, where there is one. What it returns is to be called after
// each round. GOGC and GOMEMLIMIT in the environment come first, as in any Go
// program.
func tuneMemory(limit memlimit.Provider, log *slog.Logger) (afterRounds func()) {
	afterRounds = func() {}
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
		afterRounds = new(collector).tune
	}
	bytes, err := memlimit.Set(memlimit.WithProvider(heapOf(limit, programSize())), memlimit.WithRatio(1))
	if err != nil {
		// No Linux, or no control groups: then there is no limit to keep to.
		log.Debug("The container's memory limit is not known", "err", err)
		return afterRounds
	}
	log.Debug("Memory limit of the garbage collector", "bytes", bytes)
	return afterRounds
}
