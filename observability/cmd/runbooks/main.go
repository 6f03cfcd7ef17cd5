// Command runbooks writes the list of runbooks.
//
// It may hold its flags and the writing of the file.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/rule"
	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/runbook"
)

func main() {
	rules := flag.String("rules", "rules", "folder of the rule files")
	out := flag.String("o", "../docs/runbooks", "folder of the runbooks")
	flag.Parse()
	if err := run(*rules, *out); err != nil {
		fmt.Fprintln(os.Stderr, "runbooks:", err)
		os.Exit(1)
	}
}

func run(rules, out string) error {
	shipped, err := rule.Load(rules)
	if err != nil {
		return err
	}
	index, err := runbook.Make(shipped.Alerts, out)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, runbook.Index), index, 0o644) //nolint:gosec // a document is for all to read
}
