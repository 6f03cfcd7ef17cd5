package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// profile begins a CPU profile of a size's rounds, where a folder for it was
// named; stop ends it and takes one of the heap.
func (o options) profile(size string) (stop func() error, err error) {
	if o.profiles == "" {
		return func() error { return nil }, nil
	}
	path := func(kind string) string { return filepath.Join(o.profiles, "round-"+size+"."+kind+".pprof") }
	cpu, err := os.Create(path("cpu"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, errors.Join(err, cpu.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		heap, err := os.Create(path("heap"))
		if err != nil {
			return errors.Join(err, cpu.Close())
		}
		runtime.GC()
		return errors.Join(pprof.WriteHeapProfile(heap), heap.Close(), cpu.Close())
	}, nil
}
