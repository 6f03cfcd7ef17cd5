package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// controlGroup limits the memory of what is put into it. Both versions of the
// kernel's interface do.
type controlGroup struct {
	folder  string
	limit   int64 // bytes
	unified bool  // version 2
}

const controlGroups = "/sys/fs/cgroup"

func newControlGroup(name string, limit int64) (*controlGroup, error) {
	_, err := os.Stat(filepath.Join(controlGroups, "cgroup.controllers"))
	g := &controlGroup{folder: filepath.Join(controlGroups, "memory", name), limit: limit, unified: err == nil}
	file := "memory.limit_in_bytes"
	if g.unified {
		g.folder, file = filepath.Join(controlGroups, name), "memory.max"
	}
	if err := os.Mkdir(g.folder, 0o755); err != nil && !os.IsExist(err) {
		return nil, fmt.Errorf("make a control group (as root?): %w", err)
	}
	if err := os.WriteFile(g.file(file), []byte(strconv.FormatInt(limit, 10)), 0o600); err != nil {
		return nil, fmt.Errorf("set the limit: %w", err)
	}
	return g, nil
}

func (g *controlGroup) file(name string) string { return filepath.Join(g.folder, name) }

// used is the most memory that was used, in bytes, and how often the limit was
// met.
func (g *controlGroup) used() (most, failures int64, err error) {
	if !g.unified {
		if most, err = g.number("memory.max_usage_in_bytes"); err == nil {
			failures, err = g.number("memory.failcnt")
		}
		return most, failures, err
	}
	if most, err = g.number("memory.peak"); err != nil {
		return 0, 0, err
	}
	events, err := os.ReadFile(g.file("memory.events"))
	for line := range strings.Lines(string(events)) {
		if n, ok := strings.CutPrefix(line, "max "); ok {
			failures, err = strconv.ParseInt(strings.TrimSpace(n), 10, 64)
		}
	}
	return most, failures, err
}

func (g *controlGroup) number(name string) (int64, error) {
	text, err := os.ReadFile(g.file(name))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

func (g *controlGroup) remove() error { return os.Remove(g.folder) }
