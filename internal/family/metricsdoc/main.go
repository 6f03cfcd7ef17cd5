// Command metricsdoc writes docs/metrics.md from the table of metric families.
//
// It may hold the document's words and layout; what is said of a family comes
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

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
)

//go:embed metrics.md.tmpl
var text string

// prefix is the default one, which the document shows.
const prefix = "rocketmq"

func main() {
	out := flag.String("o", "", "file to write; standard output if empty")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "metricsdoc:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	doc, err := document()
	if err != nil {
		return err
	}
	if out == "" {
		_, err = os.Stdout.Write(doc)
		return err
	}
	return os.WriteFile(out, doc, 0o644) //nolint:gosec // a document is for all to read
}

// document is the whole document.
func document() ([]byte, error) {
	t, err := template.New("metrics.md").Funcs(template.FuncMap{"set": table}).Parse(text)
	if err != nil {
		return nil, err
	}
	var doc bytes.Buffer
	if err := t.Execute(&doc, nil); err != nil {
		return nil, err
	}
	return doc.Bytes(), nil
}

// table lists the families of a set.
func table(name string) (string, error) {
	var b strings.Builder
	b.WriteString("| metric | type | unit | labels | meaning |\n| --- | --- | --- | --- | --- |\n")
	found := false
	for _, id := range family.All() {
		f := id.Family()
		if f.Set.String() != name {
			continue
		}
		found = true
		help := strings.ReplaceAll(f.Help, "|", `\|`)
		if f.Stability == family.Experimental {
			help = "*Experimental.* " + help
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.FullName(prefix), f.Type, f.Unit, labels(f.Labels), help)
	}
	if !found {
		return "", fmt.Errorf("no family is in the set %q", name)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func labels(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "`" + n + "`"
	}
	return strings.Join(quoted, ", ")
}
