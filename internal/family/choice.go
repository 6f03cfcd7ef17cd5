package family

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Choice says which families are written. The zero value is all but those of
// the set OptIn.
type Choice struct{ turned [len(table)]bool }

// Has says whether a family is written.
func (c *Choice) Has(id ID) bool { return (table[id].Set != OptIn) != c.turned[id] }

// Drop switches a family off, whatever its set is.
func (c *Choice) Drop(id ID) { c.turned[id] = table[id].Set != OptIn }

// Choose switches families on and off by name, without the prefix. Its error
// holds every mistake: a name that no family has, one that is both on and off,
// and one that is always on and was to be switched off.
func Choose(enable, disable []string) (Choice, error) {
	var c Choice
	var bad []error
	for _, name := range enable {
		id, err := named(name)
		switch {
		case err != nil:
			bad = append(bad, err)
		case slices.Contains(disable, name):
			bad = append(bad, fmt.Errorf("metric %q is to be both enabled and disabled", name))
		default:
			c.turned[id] = table[id].Set == OptIn
		}
	}
	for _, name := range disable {
		id, err := named(name)
		switch {
		case err != nil:
			bad = append(bad, err)
		case table[id].Set == Backlog || table[id].Set == Exporter:
			bad = append(bad, fmt.Errorf("metric %q is always there: those that can be disabled are %s", name, strings.Join(names(Default), ", ")))
		default:
			c.turned[id] = table[id].Set == Default
		}
	}
	if len(bad) > 0 {
		return Choice{}, errors.Join(bad...)
	}
	return c, nil
}

func named(name string) (ID, error) {
	for id := range table {
		if table[id].Name == name {
			return ID(id), nil
		}
	}
	return 0, fmt.Errorf("there is no metric %q: those that can be enabled are %s, and those that can be disabled %s",
		name, strings.Join(names(OptIn), ", "), strings.Join(names(Default), ", "))
}

// names are the families of a set.
func names(s Set) []string {
	var list []string
	for id := range table {
		if table[id].Set == s {
			list = append(list, table[id].Name)
		}
	}
	return list
}
