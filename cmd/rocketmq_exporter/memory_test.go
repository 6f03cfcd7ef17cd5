package main

import (
	"errors"
	"log/slog"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestGCPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, 50}, {1 << 20, 50}, {8 << 20, 50}, {10 << 20, 40}, {16 << 20, 25}, {26 << 20, 15}, {1 << 30, 15}, {1 << 50, 15},
	} {
		if got := gcPercentFor(c.live); got != c.want {
			t.Errorf("%d bytes in use: %d %%, want %d", c.live, got, c.want)
		}
	}
}

// TestTunedAfterRounds: what is in use decides.
func TestTunedAfterRounds(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	held := make([]byte, 64<<20)
	runtime.GC()
	var c collector
	c.tune()
	if got := debug.SetGCPercent(gcPercent); got != gcPercentLarge {
		t.Errorf("with %d bytes in use the collector runs at %d %%, want %d", len(held), got, gcPercentLarge)
	}
	runtime.KeepAlive(held)
	runtime.GC() // what comes next starts without it
}

func TestMemory(t *testing.T) {
	container := memlimit.Limit(100 << 20)
	none := func() (uint64, error) { return 0, memlimit.ErrNoLimit }
	unknown := func() (uint64, error) { return 0, errors.New("no control groups") }
	const own = 77 << 20 // what the environment has set
	for _, c := range []struct {
		name      string
		env       map[string]string
		container memlimit.Provider
		gcPercent int
		limit     int64
	}{
		{"in a container", nil, container, gcPercent, 90 << 20},
		{"in a container without a limit", nil, none, gcPercent, math.MaxInt64},
		{"without control groups", nil, unknown, gcPercent, own},
		{"GOMEMLIMIT comes first", map[string]string{"GOMEMLIMIT": "77MiB"}, container, gcPercent, own},
		{"GOGC comes first", map[string]string{"GOGC": "123"}, container, 123, 90 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer debug.SetGCPercent(debug.SetGCPercent(123))
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(own))
			for _, name := range []string{"GOGC", "GOMEMLIMIT", "AUTOMEMLIMIT"} {
				t.Setenv(name, "") // put back at the end
				_ = os.Unsetenv(name)
			}
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			tuneMemory(c.container, slog.New(slog.DiscardHandler))()
			if got := debug.SetGCPercent(-1); got != c.gcPercent {
				t.Errorf("the collector runs at %d %%, want %d", got, c.gcPercent)
			}
			if got := debug.SetMemoryLimit(-1); got != c.limit {
				t.Errorf("the limit is %d bytes, want %d", got, c.limit)
			}
		})
	}
}
