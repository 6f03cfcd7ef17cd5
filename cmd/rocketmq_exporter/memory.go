package main

import (
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// Memory matters more than the collector's time here: at the size of most
// clusters the heap is one or two megabytes, and the default would let it
// double from four.
const gcPercent = 50

// memoryRatio is how much of a container's limit the heap and the runtime may
// take: the rest is for what the kernel counts besides.
const memoryRatio = 0.9

// tuneMemory sets the garbage collector, and has it work harder near the limit
// of the container, where there is one. GOGC and GOMEMLIMIT in the environment
// come first, as in any Go program.
func tuneMemory(limit memlimit.Provider, log *slog.Logger) {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	bytes, err := memlimit.Set(memlimit.WithProvider(limit), memlimit.WithRatio(memoryRatio))
	if err != nil {
		// No Linux, or no control groups: then there is no limit to keep to.
		log.Debug("The container's memory limit is not known", "err", err)
		return
	}
	log.Debug("Memory limit of the garbage collector", "bytes", bytes)
}
