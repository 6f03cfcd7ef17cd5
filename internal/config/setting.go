package config

import "strings"

// Setting is one thing that can be set: a row of the table from which flags,
// environment variables, keys of the file, help and documents come.
type Setting struct {
	// Key is the setting's place in the file, below a cluster or at the top.
	// It names the setting everywhere in this program.
	Key string
	// Flag is the name of the flag, without dashes; empty: there is none.
	Flag string
	// Old is the variable of the original exporter that says the same.
	Old   string
	Scope Scope
	Of    Source
	// Identity is true of what says which cluster is read. It is not shared by
	// several clusters.
	Identity bool
	// Basic is true of what the README lists.
	Basic bool
	// Default is the value where none is said; for a list, of its one entry.
	Default string
	// Unit is what a number counts, in the plural.
	Unit string
	// Value stands for the value in help, where Default does not.
	Value string
	// Help is one or two sentences.
	Help string
	// Secret is the environment variable with the text that the setting's file
	// holds, where the setting names the file of a secret.
	Secret string

	kind  kind
	noEnv bool
	// restart is true of what a reload does not change.
	restart bool
	// at is the setting's place in the settings. Only one of them is not nil.
	at func(*Config, *Cluster) any
}

// Scope says how often a setting exists.
type Scope uint8

// The scopes.
const (
	Global      Scope = iota
	PerCluster        // once per cluster; flags and environment speak of all
	CommandLine       // not in the file
)

// Source says for which kind of cluster a setting means anything.
type Source uint8

// The sources.
const (
	Any Source = iota
	Direct
	FromConsole
)

// envPrefix begins the names of all environment variables.
const envPrefix = "ROCKETMQ_EXPORTER_"

// Env is the setting's environment variable; empty where there is none.
func (s *Setting) Env() string {
	if s.Flag == "" || s.noEnv {
		return ""
	}
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(s.Flag))
}

// NeedsRestart says whether a reload of the settings leaves the value as it was
// at the start.
func (s *Setting) NeedsRestart() bool { return s.restart }

// IsList says whether several values may be said, one by one.
func (s *Setting) IsList() bool { return s.kind.isList() }

// IsSwitch says whether the flag needs no value.
func (s *Setting) IsSwitch() bool {
	_, ok := s.kind.(yesNo)
	return ok
}

// Kind is the word for the kind of value.
func (s *Setting) Kind() string { return s.kind.word() }

// Allowed says which values are allowed; empty where all are.
func (s *Setting) Allowed() string { return s.kind.allowed() }

// find is the setting with a key. There must be one.
func find(settings []*Setting, key string) *Setting {
	for _, s := range settings {
		if s.Key == key {
			return s
		}
	}
	panic("no setting has the key " + key)
}
