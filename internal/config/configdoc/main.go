// Command configdoc writes docs/configuration.md, and the settings that the
// README lists, from the table of settings.
//
// It may hold the document's words and layout; what is said of a setting comes
// from the table.
package main

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"strings"
	"text/template"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

//go:embed configuration.md.tmpl
var text string

func main() {
	out := flag.String("o", "", "file to write; standard output if empty")
	readme := flag.String("readme", "", "README to renew the settings in; none if empty")
	flag.Parse()
	if err := run(*out, *readme); err != nil {
		fmt.Fprintln(os.Stderr, "configdoc:", err)
		os.Exit(1)
	}
}

func run(out, readme string) error {
	doc, err := document()
	if err != nil {
		return err
	}
	if out == "" {
		_, err = os.Stdout.Write(doc)
		return err
	}
	if err := os.WriteFile(out, doc, 0o644); err != nil { //nolint:gosec // a document is for all to read
		return err
	}
	if readme == "" {
		return nil
	}
	before, err := os.ReadFile(readme) //nolint:gosec // whoever generates says which
	if err != nil {
		return err
	}
	after, err := renew(string(before))
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	return os.WriteFile(readme, []byte(after), 0o644) //nolint:gosec // likewise
}

// document is the whole document.
func document() ([]byte, error) {
	t, err := template.New("configuration.md").Funcs(template.FuncMap{"table": table, "rows": rows, "restart": restart, "secrets": secrets}).Parse(text)
	if err != nil {
		return nil, err
	}
	var doc bytes.Buffer
	if err := t.Execute(&doc, nil); err != nil {
		return nil, err
	}
	return doc.Bytes(), nil
}

// table lists the settings whose keys begin so, of one scope.
func table(scope, begin string) (string, error) {
	list, err := rows(scope, begin)
	return "| key in the file | flag | value | default | |\n| --- | --- | --- | --- | --- |\n" + list, err
}

// rows are the rows of a table.
func rows(scope, begin string) (string, error) {
	var b strings.Builder
	n := 0
	for _, s := range config.Settings() {
		if !in(s, scope) || section(s) != begin {
			continue
		}
		n++
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", s.Key, code(dashes(s.Flag)), value(s), code(s.Default), cell(s.Help))
	}
	if n == 0 {
		return "", fmt.Errorf("no setting begins with %q", begin)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func in(s *config.Setting, scope string) bool {
	return scope == "cluster" && s.Scope == config.PerCluster || scope == "global" && s.Scope == config.Global
}

// section is the part of a key in front of its first dot; empty for those that
// say where a cluster is, and for those without one.
func section(s *config.Setting) string {
	before, _, found := strings.Cut(s.Key, ".")
	if s.Identity || !found {
		return ""
	}
	return before
}

func value(s *config.Setting) string {
	v := s.Kind()
	if s.Unit != "" {
		v += " of " + s.Unit
	}
	if a := s.Allowed(); a != "" {
		v += ": " + a
	}
	return cell(v)
}

func dashes(flag string) string {
	if flag == "" {
		return ""
	}
	return "--" + flag
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// restart lists what a reload does not change.
func restart() string {
	var keys []string
	for _, s := range config.Settings() {
		if s.NeedsRestart() {
			keys = append(keys, code(s.Key))
		}
	}
	return strings.Join(keys, ", ")
}

// secrets lists what is secret, and where it comes from.
func secrets() string {
	var b strings.Builder
	b.WriteString("| key with the name of a file | variable where there is neither |\n| --- | --- |\n")
	for _, s := range config.Settings() {
		if s.Secret != "" {
			fmt.Fprintf(&b, "| `%s` | `%s` |\n", s.Key, s.Secret)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Marks of the part of the README that is made here.
const (
	begin = "<!-- Made by go generate ./internal/config from the table in internal/config/table.go: change it there. -->\n"
	end   = "<!-- End of what is made. -->\n"
)

// renew puts the settings that most people need into the README.
func renew(readme string) (string, error) {
	before, rest, found := strings.Cut(readme, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("it lacks the lines %q and %q", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	var b strings.Builder
	b.WriteString("| flag | environment | default | |\n| --- | --- | --- | --- |\n")
	for _, s := range config.Settings() {
		if s.Basic {
			fmt.Fprintf(&b, "| `--%s` | %s | %s | %s |\n", s.Flag, code(s.Env()), code(s.Default), cell(s.Help))
		}
	}
	return before + begin + b.String() + end + after, nil
}
