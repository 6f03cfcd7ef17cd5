// Command envfile writes the env file of the packages, which names every
// variable, from the table of settings.
//
// It may hold the file's words and layout; what is said of a setting comes from
// the table.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

func main() {
	out := flag.String("o", "", "file to write; standard output if empty")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "envfile:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	if out == "" {
		_, err := os.Stdout.WriteString(text())
		return err
	}
	return os.WriteFile(out, []byte(text()), 0o644) //nolint:gosec // it holds no settings yet
}

const head = `# Settings of rocketmq_exporter, for systemd and supervisor. Each flag of
# rocketmq_exporter --help is a variable here; an empty one is none. What stands
# behind a '#' is the default, or nothing.
#
# Both systemd and sh read this file: NAME="value", a line each, without $ and
# export.
# After a change: systemctl restart rocketmq_exporter

`

const old = `# The five variables of the original exporter, which count where nothing above
# says the same.

`

// text is the whole file: every variable that there is, behind a '#'.
func text() string {
	var b strings.Builder
	b.WriteString(head)
	for _, s := range config.Settings() {
		if s.Env() == "" {
			continue
		}
		b.WriteString(comment(s.Help))
		fmt.Fprintf(&b, "#%s=%s\n", s.Env(), quoted(s.Default))
		if s.Secret != "" {
			fmt.Fprintf(&b, "#%s=\n", s.Secret)
		}
		b.WriteByte('\n')
	}
	b.WriteString(old)
	for _, s := range config.Settings() {
		if s.Old != "" {
			fmt.Fprintf(&b, "#%s=%s\n", s.Old, quoted(s.Default))
		}
	}
	return b.String()
}

// quoted is a value as both systemd and sh take it.
func quoted(value string) string {
	if value == "" {
		return ""
	}
	return `"` + value + `"`
}

// width is where lines of comments break.
const width = 80

// comment is a text in lines that begin with '#'.
func comment(text string) string {
	var b strings.Builder
	b.WriteByte('#')
	column := 1
	for word := range strings.FieldsSeq(text) {
		if column > 1 && column+1+len(word) > width {
			b.WriteString("\n#")
			column = 1
		}
		b.WriteString(" " + word)
		column += 1 + len(word)
	}
	b.WriteByte('\n')
	return b.String()
}
