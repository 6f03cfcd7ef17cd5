// Command boards writes the Grafana boards: a folder for each language, a file
// for each board.
//
// It may hold its flags and the writing of files.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/board"
)

func main() {
	out := flag.String("o", "grafana", "folder to write to")
	prefix := flag.String("prefix", "rocketmq", "first word of the names of all metrics, as the exporter has it")
	flag.Parse()
	if err := run(*out, *prefix); err != nil {
		fmt.Fprintln(os.Stderr, "boards:", err)
		os.Exit(1)
	}
}

func run(out, prefix string) error {
	boards, err := board.All(prefix)
	if err != nil {
		return err
	}
	for _, b := range boards {
		folder := filepath.Join(out, string(b.Language))
		if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // boards are for all to read
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, b.Name+".json"), b.JSON, 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return nil
}
