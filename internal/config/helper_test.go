package config

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// secret is what no message may repeat.
const secret = "hunter2"

// world is what Load may look at besides what was said.
type world struct {
	env   map[string]string
	files map[string]string
}

func (w world) readFile(name string) ([]byte, error) {
	text, ok := w.files[name]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	return []byte(text), nil
}

func (w world) load(s Sources) (Valid, error) {
	s.Getenv = func(name string) string { return w.env[name] }
	s.ReadFile = w.readFile
	s.CheckWeb = func(name string) error {
		if strings.Contains(name, "bad") {
			return errors.New("no such user")
		}
		return nil
	}
	return Load(s)
}

// flags loads what flags say, as --name=value.
func flags(said ...string) (Valid, error) { return world{}.load(Sources{Flags: byFlags(said...)}) }

func byFlags(list ...string) Said {
	said := make(Said)
	for _, f := range list {
		name, value, _ := strings.Cut(strings.TrimPrefix(f, "--"), "=")
		i := slices.IndexFunc(Settings(), func(s *Setting) bool { return s.Flag == name })
		if i < 0 {
			panic("no flag " + name)
		}
		key := Settings()[i].Key
		said[key] = append(said[key], value)
	}
	return said
}

// ofFile loads what a file says.
func ofFile(text string) (Valid, error) {
	return world{}.load(Sources{File: ParseFile("mq.yml", []byte(text))})
}

func must(t *testing.T, v Valid, err error) Valid {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}
