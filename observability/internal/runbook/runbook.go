// Package runbook keeps the pages of docs/runbooks and the alerts together: each
// alert has a page, each page has the parts that somebody looks for who was
// called, and the list of them is made from both.
//
// It may hold the shape of the pages. Their words are in docs/runbooks.
package runbook

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/rule"
)

// Index is the name of the page that lists the others.
const Index = "README.md"

// parts are the headings of every page.
func parts() []string {
	return []string{"## When it fires", "## What to look at", "## What to do", "## When it is no trouble"}
}

// Make is the index of the pages in a folder, for alerts in the order of their
// file. The error lists what is wrong with the pages.
func Make(alerts rule.File, folder string) ([]byte, error) {
	var (
		out strings.Builder
		bad []error
	)
	out.WriteString(head)
	pages := map[string]bool{Index: true}
	for _, g := range alerts.Groups {
		out.WriteString("\n| alert | severity | for | |\n| --- | --- | --- | --- |\n")
		for _, r := range g.Rules {
			pages[r.Alert+".md"] = true
			about, err := read(folder, r.Alert)
			if err != nil {
				bad = append(bad, err)
			}
			fmt.Fprintf(&out, "| [%s](%s.md) | %s | %s | %s |\n", r.Alert, r.Alert, r.Labels["severity"], r.For, about)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !pages[f.Name()] {
			bad = append(bad, fmt.Errorf("%s is the page of no alert", f.Name()))
		}
	}
	return []byte(out.String()), errors.Join(bad...)
}

// read returns the first paragraph of an alert's page, as one line.
func read(folder, alert string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, alert+".md")) //nolint:gosec // the project's own folder
	if err != nil {
		return "", err
	}
	rest, ok := strings.CutPrefix(string(text), "# "+alert+"\n\n")
	if !ok {
		return "", fmt.Errorf("%s.md does not begin with its name", alert)
	}
	about, _, _ := strings.Cut(rest, "\n\n")
	var headings []string
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "#") {
			headings = append(headings, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(headings, parts()) {
		return "", fmt.Errorf("%s.md has the parts %q, want %q", alert, headings, parts())
	}
	return strings.Join(strings.Fields(about), " "), nil
}

const head = `<!-- Made by go generate ./... in observability, from the alerts and the pages. -->

# Runbooks

What each alert of [rocketmq-alerts.yml](../../observability/rules/rocketmq-alerts.yml)
says, what to look at and what to do. ` + "`critical`" + ` cannot wait until the morning,
` + "`warning`" + ` can. How far behind a consumer group may be is a limit that can be set for
each, see [observability/README.md](../../observability/README.md).

*For* is how long it must hold; what the expression itself looks back for comes on
top.
`
