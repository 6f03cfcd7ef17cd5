package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

// load reads all settings: flags, environment and file. It may be called again,
// when the file has changed.
func (c commandLine) load() (config.Valid, error) { return c.loadWith(nil) }

// loadWith does so for a command that has defaults of its own, by key.
func (c commandLine) loadWith(defaults map[string]string) (config.Valid, error) {
	s := c.sources()
	s.Defaults = defaults
	s.Environment, s.Old = environment()
	if name := c.file(s.Environment); name != "" {
		content, err := readFile(name)
		if err != nil {
			s.File = config.Unreadable(err)
		} else {
			s.File = config.ParseFile(name, content)
		}
	}
	return config.Load(s)
}

func (c commandLine) sources() config.Sources {
	return config.Sources{Flags: c.said, Getenv: os.Getenv, Hostname: os.Hostname, ReadFile: readFile, CheckWeb: checkWeb}
}

// file is the name of the configuration file; empty where there is none.
func (c commandLine) file(environment config.Said) string {
	for _, said := range []config.Said{c.said, environment} {
		if texts := said[config.KeyFile]; len(texts) > 0 {
			return texts[0]
		}
	}
	return ""
}

// checkOnly says whether the settings are only to be checked.
func (c commandLine) checkOnly() bool {
	texts := c.said[config.KeyCheck]
	return len(texts) > 0 && texts[0] == "true"
}

// environment is what the exporter's variables say, and those of the original
// exporter: people swap the binary and keep their environment. An empty variable
// is none.
func environment() (own, old config.Said) {
	own, old = make(config.Said), make(config.Said)
	for _, s := range config.Settings() {
		if v := os.Getenv(s.Env()); v != "" {
			own[s.Key] = []string{v}
			if s.IsList() {
				own[s.Key] = strings.Split(v, "\n")
			}
		}
		if v := strings.TrimSpace(os.Getenv(s.Old)); v != "" {
			old[s.Key] = []string{v}
		}
	}
	return own, old
}

// maxFile bounds what is read of a file: a log that was named by mistake must not
// fill the memory.
const maxFile = 4 << 20

// readFile reads a regular file, or one that a symbolic link leads to: opening a
// named pipe would wait for whoever writes to it, and a device may do anything.
func readFile(name string) ([]byte, error) {
	if info, err := os.Stat(name); err == nil { // else opening it says why not
		if err := mustBeRegular(name, info); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(name) //nolint:gosec // the user's own file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxFile {
		return nil, &os.PathError{Op: "read", Path: name, Err: errTooLarge}
	}
	return content, nil
}

func mustBeRegular(name string, info os.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return &os.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	default:
		return &os.PathError{Op: "read", Path: name, Err: errIrregular}
	}
}

var (
	errTooLarge  = errors.New("it is larger than 4 MiB")
	errIrregular = errors.New("wanted is a regular file")
)

// checkWeb checks a file with TLS and users, which the toolkit would wait for
// where it is a pipe.
func checkWeb(name string) error {
	if _, err := readFile(name); err != nil {
		return err
	}
	return toolkit.Validate(name)
}
