// Command rules writes the rule files for an exporter whose metrics have another
// prefix than rocketmq.
//
// It may hold its flags and the reading and writing of files.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/rule"
)

func main() {
	in := flag.String("i", "rules", "folder of the rule files")
	out := flag.String("o", "", "folder to write to")
	prefix := flag.String("prefix", "rocketmq", "first word of the names of all metrics, as the exporter has it")
	flag.Parse()
	if err := run(*in, *out, *prefix); err != nil {
		fmt.Fprintln(os.Stderr, "rules:", err)
		os.Exit(1)
	}
}

func run(in, out, prefix string) error {
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // rules are for all to read
		return err
	}
	for _, name := range []string{rule.RecordingFile, rule.AlertsFile, rule.LimitsFile} {
		text, err := os.ReadFile(filepath.Join(in, name)) //nolint:gosec // the user's own folder
		if err != nil {
			return err
		}
		if text, err = rule.Variant(text, rule.Change{From: "rocketmq", To: prefix}); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return nil
}
