package main

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"

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

// What a round and the scrapes meanwhile may take beside what is in use between
// rounds: so much the limit of the garbage collector is above that. It is not much
// less than they need, and where it is, the collector works harder, in at most half
// of the time, and nothing fails. What a limit does besides is worth more: memory
// that is free between objects is given back before new is taken.
const (
	roomPercent = 8
	leastRoom   = 4 << 20 // bytes
)

// limitFor is the limit where so many bytes are in use between rounds.
func limitFor(used uint64) int64 {
	return int64(min(used+max(used/100*roomPercent, leastRoom), math.MaxInt64))
}

// collector sets how much memory may grow by what is in use. One that is nil leaves
// that alone.
type collector struct {
	most int64 // the limit of the container, or of the environment

	mu      sync.Mutex // rounds of several targets may end at once
	percent int
}

// tune is called after each round: then most of what will be kept is there. It
// gives back what the round needed besides.
func (c *collector) tune() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	debug.FreeOSMemory()
	live, total, released := read("/gc/heap/live:bytes"), read("/memory/classes/total:bytes"), read("/memory/classes/heap/released:bytes")
	if live == 0 || total <= released {
		return // another Go, which does not tell
	}
	if percent := gcPercentFor(live); percent != c.percent {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
	debug.SetMemoryLimit(min(limitFor(total-released), c.most))
}

// loosen is called when what will be in use may soon be much more.
func (c *collector) loosen() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	debug.SetMemoryLimit(c.most)
}

// read is a number of the runtime's; 0 where it has no such.
func read(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
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
// of the container, where there is one. GOMEMLIMIT in the environment stands in the
// place of that limit; with GOGC nothing else is set.
func tuneMemory(limit memlimit.Provider, log *slog.Logger) *collector {
	bytes, err := memlimit.Set(memlimit.WithProvider(heapOf(limit, programSize())), memlimit.WithRatio(1))
	if err != nil {
		// No Linux, or no control groups: then there is no limit to keep to.
		log.Debug("The container's memory limit is not known", "err", err)
	} else {
		log.Debug("Memory limit of the garbage collector", "bytes", bytes)
	}
	if _, set := os.LookupEnv("GOGC"); set {
		return nil
	}
	debug.SetGCPercent(gcPercent)
	return &collector{most: debug.SetMemoryLimit(-1)}
}
