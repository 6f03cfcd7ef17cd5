package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// Said is what is said of settings in one place: texts by key.
type Said map[string][]string

// Sources are where settings come from. What is said in an earlier one beats
// what is said in a later one.
type Sources struct {
	Flags       Said
	Environment Said
	Old         Said  // by the variables of the original exporter
	File        *File // may be nil
	// Defaults, by key, stand in for those of the table: a command may have
	// its own.
	Defaults map[string]string

	// Getenv looks up the variables of secrets.
	Getenv func(name string) string
	// Hostname is the name of the machine, or of the pod; may be nil.
	Hostname func() (string, error)
	// ReadFile reads the files of secrets and certificates.
	ReadFile func(name string) ([]byte, error)
	// CheckWeb checks a file with TLS and users for what is served; may be nil.
	CheckWeb func(name string) error
}

// Load checks everything. Its error holds all SettingErrors.
func Load(s Sources) (Valid, error) {
	l := &loader{Sources: s, settings: Settings()}
	if s.File != nil {
		l.mistakes = append(l.mistakes, s.File.mistakes...)
	}
	l.clusters()
	v := Valid{places: l.global()}
	for i := range l.config.Clusters {
		l.config.Clusters[i].Shard = l.config.Shard
	}
	if s.File != nil {
		v.file = s.File.name
	}
	if len(l.mistakes) > 0 {
		slices.SortStableFunc(l.mistakes, func(a, b error) int { return cmp.Compare(lineOf(a), lineOf(b)) })
		return Valid{}, l.mistakes
	}
	v.Config = l.config
	return v, nil
}

// SettingErrors are everything that is wrong with the settings.
type SettingErrors []error

// Error is the mistakes, a line each.
func (m SettingErrors) Error() string {
	if len(m) == 1 {
		return m[0].Error()
	}
	lines := make([]string, len(m))
	for i, err := range m {
		lines[i] = "\n  " + err.Error()
	}
	return fmt.Sprintf("%d mistakes in the settings:%s", len(m), strings.Join(lines, ""))
}

// lineOf is a mistake's line in the file. Those of flags and environment come
// after all of the file.
func lineOf(err error) int {
	if m, ok := errors.AsType[lineError](err); ok {
		return m.line
	}
	return math.MaxInt
}

// Unwrap lists them.
func (m SettingErrors) Unwrap() []error { return m }

// Wrap makes an error about a setting that is not of a cluster: it names the
// setting as the user said it.
func (v Valid) Wrap(key, value string, err error) error {
	p := v.places[key]
	if p.line > 0 {
		return lineError{v.file, p.line, fmt.Errorf("%s=%s: %w", p.name, value, err)}
	}
	return fmt.Errorf("%s=%s: %w%s", p.name, value, err, p.note)
}

// NeedRestart are the settings, as they were said, that differ from those in use
// and are only read at the start.
func (v Valid) NeedRestart(inUse Valid) []string {
	var list []string
	for _, s := range Settings() {
		if s.restart && !reflect.DeepEqual(s.at(&v.Config, nil), s.at(&inUse.Config, nil)) {
			list = append(list, v.places[s.Key].name)
		}
	}
	return list
}

// loader reads settings out of sources.
type loader struct {
	Sources

	settings []*Setting
	config   Config
	mistakes SettingErrors
}

// add notes a mistake. What flags and environment say of all clusters is said
// once.
func (l *loader) add(err error) {
	for _, known := range l.mistakes {
		if known.Error() == err.Error() {
			return
		}
	}
	l.mistakes = append(l.mistakes, err)
}

// global reads what is not of a cluster, and returns where it was said.
func (l *loader) global() map[string]place {
	r := &reading{loader: l, places: make(map[string]place)}
	if l.File != nil {
		r.own = l.File.global
	}
	for _, s := range l.settings {
		if s.Scope == Global {
			r.read(s, &l.config, nil)
		}
	}
	web := &l.config.Web
	if web.SystemdSocket && runtime.GOOS != "linux" {
		r.about(keySystemd, ": there is no systemd here: it is on Linux only")
	}
	r.chooseShard()
	if web.Profiles != "" && !web.ProfilesOpen && !isLoopback(web.Profiles) {
		r.about(KeyProfiles, ": %q can be reached from other machines, and profiles have no password: allowed are loopback addresses, as in 127.0.0.1:6060, unless %s is set",
			web.Profiles, r.short("web.pprof_open"))
	}
	if l.CheckWeb != nil && web.ConfigFile != "" {
		if err := l.CheckWeb(web.ConfigFile); err != nil {
			r.about(KeyWebConfig, "=%s: %w", web.ConfigFile, err)
		}
	}
	return r.places
}
