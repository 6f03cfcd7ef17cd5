package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

//go:embed README.md.tmpl
var readmeText string

// value is one row of the chart's table.
type value struct{ Key, Default, About string }

// writeReadme writes the chart's README: the table comes from the comments of
// its values.
func writeReadme(chart string) error {
	text, err := os.ReadFile(filepath.Join(chart, "values.yaml")) //nolint:gosec // a file of the repository
	if err != nil {
		return err
	}
	rows, err := values(text)
	if err != nil {
		return fmt.Errorf("%s/values.yaml: %w", chart, err)
	}
	t, err := template.New("README.md").Parse(readmeText)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := t.Execute(&b, rows); err != nil {
		return err
	}
	return write(filepath.Join(chart, "README.md"), b.String())
}

// values are the documented values: those with a comment that begins with "--".
// A value without one is a mistake, unless all below it or one above has one.
func values(text []byte) ([]value, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	var rows []value
	var errs []error
	var walk func(n *yaml.Node, prefix string, documented bool)
	walk = func(n *yaml.Node, prefix string, documented bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, v := n.Content[i], n.Content[i+1]
			name := prefix + key.Value
			about := about(key.HeadComment)
			if about != "" {
				rows = append(rows, value{name, shown(v), about})
			}
			if v.Kind == yaml.MappingNode && len(v.Content) > 0 {
				walk(v, name+".", documented || about != "")
			} else if about == "" && !documented {
				errs = append(errs, fmt.Errorf("line %d: %s has no comment that begins with '-- '", key.Line, name))
			}
		}
	}
	walk(doc.Content[0], "", false)
	return rows, errors.Join(errs...)
}

// about is what a comment says of a value: from its last "-- " on.
func about(comment string) string {
	lines := strings.Split(comment, "\n")
	for i, line := range slices.Backward(lines) {
		first, found := strings.CutPrefix(line, "# -- ")
		if !found {
			continue
		}
		words := []string{first}
		for _, line := range lines[i+1:] {
			words = append(words, strings.TrimSpace(strings.TrimPrefix(line, "#")))
		}
		return strings.ReplaceAll(strings.TrimSpace(strings.Join(words, " ")), "|", `\|`)
	}
	return ""
}

// shown is a default as the table has it.
func shown(n *yaml.Node) string {
	var v any
	if err := n.Decode(&v); err != nil {
		return ""
	}
	if v == "" {
		return ""
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return "`" + strings.Trim(string(text), `"`) + "`"
}
