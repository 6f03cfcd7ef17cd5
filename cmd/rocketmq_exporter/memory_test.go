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
		{0, 50}, {1 << 20, 50}, {6 << 20, 50}, {8 << 20, 37}, {12 << 20, 25}, {24 << 20, 12}, {30 << 20, 10}, {1 << 30, 10}, {1 << 50, 10},
	} {
		if got := gcPercentFor(c.live); got != c.want {
			t.Errorf("%d bytes in use: %d %%, want %d", c.live, got, c.want)
		}
	}
}

// TestTunedAfterRounds: what is in use decides.
func TestTunedAfterRounds(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	held := make([]byte, 64<<20)
	runtime.GC()
	c := collector{most: math.MaxInt64}
	c.tune()
	if got := debug.SetGCPercent(gcPercent); got != gcPercentLarge {
		t.Errorf("with %d bytes in use the collector runs at %d %%, want %d", len(held), got, gcPercentLarge)
	}
	if got := debug.SetMemoryLimit(-1); got < int64(len(held)) || got > 2*int64(len(held)) {
		t.Errorf("with %d bytes in use the limit is %d", len(held), got)
	}
	c.most = 1 << 20
	c.tune()
	if got := debug.SetMemoryLimit(-1); got != c.most {
		t.Errorf("the limit is %d, where the container's is %d", got, c.most)
	}
	runtime.KeepAlive(held)
	runtime.GC() // what comes next starts without it
}

func TestLimit(t *testing.T) {
	const mib = 1 << 20
	for used, want := range map[uint64]int64{
		0: 4 * mib, 5 * mib: 9 * mib, 100 * mib: 108 * mib, math.MaxUint64 / 2: math.MaxInt64,
	} {
		if got := limitFor(used); got < want-want/100 || got > want {
			t.Errorf("%d bytes in use: %d, want %d", used, got, want)
		}
	}
}

// The file of the program counts in the container as well. Where it is most of
// the container, the kernel has to take some of it back.
func TestHeapOfAContainer(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct{ container, file, want uint64 }{
		{116 * mib, 16 * mib, 90 * mib},
		{48 * mib, 18 * mib, 27 * mib},
		{48 * mib, 8 * mib, 36 * mib},
		{100 * mib, 0, 90 * mib}, // nobody knows how large it is
		{20 * mib, 16 * mib, 10 * mib},
		{10 * mib, 16 * mib, 5 * mib},
		{math.MaxUint64, 16 * mib, math.MaxInt64},
	} {
		got, err := heapOf(memlimit.Limit(c.container), c.file)()
		if err != nil || got != c.want {
			t.Errorf("a container of %d bytes and a file of %d: %d, %v; want %d", c.container, c.file, got, err, c.want)
		}
	}
	if _, err := heapOf(func() (uint64, error) { return 0, memlimit.ErrNoLimit }, mib)(); !errors.Is(err, memlimit.ErrNoLimit) {
		t.Errorf("no limit: %v", err)
	}
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || programSize() != uint64(info.Size()) {
		t.Errorf("this program has %d bytes: %v, %v", programSize(), info, err)
	}
}

func TestMemory(t *testing.T) {
	container := memlimit.Limit(100<<20 + programSize())
	none := func() (uint64, error) { return 0, memlimit.ErrNoLimit }
	unknown := func() (uint64, error) { return 0, errors.New("no control groups") }
	const own = 77 << 20 // what the environment has set
	for _, c := range []struct {
		name      string
		env       map[string]string
		container memlimit.Provider
		gcPercent int
		limit     int64 // at most, and exactly where the collector is left alone
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
			memory := tuneMemory(c.container, slog.New(slog.DiscardHandler))
			memory.tune()
			if got := debug.SetGCPercent(-1); got != c.gcPercent {
				t.Errorf("the collector runs at %d %%, want %d", got, c.gcPercent)
			}
			limit := debug.SetMemoryLimit(-1)
			if want := min(c.limit, 1<<30); limit > want && c.gcPercent == gcPercent {
				t.Errorf("the limit is %d bytes, want at most %d", limit, want)
			}
			if memory.loosen(); debug.SetMemoryLimit(-1) != c.limit {
				t.Errorf("then the limit is %d bytes, want %d", debug.SetMemoryLimit(-1), c.limit)
			}
			if limit != c.limit && c.gcPercent != gcPercent {
				t.Errorf("the limit is %d bytes, want %d", limit, c.limit)
			}
		})
	}
}
