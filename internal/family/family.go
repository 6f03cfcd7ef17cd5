// Package family is the one table of metric families: what each is called, what
// it means, its unit and its labels. Exposition, the registered metrics, the
// documentation and the checks of dashboards and alerts all read it.
//
// It may hold words and their properties. It holds no values, imports only the
// standard library, and does not know who writes a family or where to.
package family

import (
	"slices"
	"strings"
)

// Family is what is true of all series of one name.
type Family struct {
	// Name is without the prefix that all families share.
	Name string
	// Help is plain English: what the value is, and what its absence means.
	Help string
	Type Type
	// Unit is the plural word for what the value counts, in base units; empty
	// where the value is a yes or a no.
	Unit string
	// Labels are the names of the labels in the order of their values.
	Labels []string
	Set    Set
	// Stability says what a user may rely on.
	Stability Stability
}

// FullName is the name of the family's samples under a prefix.
func (f Family) FullName(prefix string) string {
	return prefix + "_" + f.Name
}

// MetricName is the name that OpenMetrics gives to the family as a whole, in
// its HELP, TYPE and UNIT lines: there the suffix that the type adds belongs
// to the sample.
func (f Family) MetricName(prefix string) string {
	return strings.TrimSuffix(f.FullName(prefix), f.Type.suffix())
}

// Type is the kind of value that a family has.
type Type uint8

// The types. StateSet and Info are gauges in the text format. A StateSet is one
// in OpenMetrics too: there its label would have to bear the metric's name.
const (
	Gauge Type = iota
	Counter
	Info
	StateSet
)

// OpenMetrics is the type as OpenMetrics writes it.
func (t Type) OpenMetrics() string {
	if t == StateSet {
		return Gauge.String()
	}
	return t.String()
}

// String is what the type is called.
func (t Type) String() string {
	switch t {
	case Gauge:
		return "gauge"
	case Counter:
		return "counter"
	case Info:
		return "info"
	case StateSet:
		return "stateset"
	}
	return "unknown"
}

// Text is the type as the text format 0.0.4 knows it.
func (t Type) Text() string {
	if t == Counter {
		return "counter"
	}
	return "gauge"
}

// suffix is what OpenMetrics adds to the name of a sample of this type.
func (t Type) suffix() string {
	switch t {
	case Counter:
		return "_total"
	case Info:
		return "_info"
	case Gauge, StateSet:
	}
	return ""
}

// Set says what switches a family on.
type Set uint8

// The sets.
const (
	// Backlog is the core and always on.
	Backlog Set = iota
	// Default is on unless it is switched off.
	Default
	// OptIn is off unless it is switched on.
	OptIn
	// Exporter is about the exporter itself and always on.
	Exporter
)

// String is the set's name.
func (s Set) String() string {
	switch s {
	case Backlog:
		return "backlog"
	case Default:
		return "default"
	case OptIn:
		return "opt-in"
	case Exporter:
		return "exporter"
	}
	return "unknown"
}

// Stability says what may change of a family.
type Stability uint8

// The stabilities.
const (
	// Stable families keep name, labels and meaning within a major version.
	Stable Stability = iota
	// Experimental families may change in any minor version.
	Experimental
)

// String is the stability's name.
func (s Stability) String() string {
	switch s {
	case Stable:
		return "stable"
	case Experimental:
		return "experimental"
	}
	return "unknown"
}

// Family is the entry of an id. Its labels are the caller's own.
func (id ID) Family() Family {
	f := table[id]
	f.Labels = slices.Clone(f.Labels)
	return f
}

// OfGroups says whether the family tells something of consumer groups, and so is
// in parts where several processes share these between them.
func (f Family) OfGroups() bool {
	return f.Set == Backlog || slices.Contains(f.Labels, LabelConsumerGroup)
}

// All lists every family in the order in which they are written and documented.
func All() []ID {
	ids := make([]ID, len(table))
	for i := range ids {
		ids[i] = ID(i)
	}
	return ids
}
