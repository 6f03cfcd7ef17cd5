// Command generate writes what of the deployment follows from other files: the
// version and the place of the image, the chart's table of values, and the copies
// of rules and boards.
//
// It may hold the words and the layout of what it writes. go generate runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	root := flag.String("root", "..", "folder of the repository")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// chartFolder is the chart's, in the repository.
const chartFolder = "deploy/helm/rocketmq-exporter"

func run(root string) error {
	version, err := word(filepath.Join(root, "VERSION"))
	if err != nil {
		return err
	}
	image, err := word(filepath.Join(root, "deploy", "IMAGE"))
	if err != nil {
		return err
	}
	return errors.Join(
		stampAll(root, version, image),
		writeReadme(filepath.Join(root, chartFolder)), // of values that are stamped
		copyRules(root),
		copyBoards(root),
	)
}

// word is what a file of one word says.
func word(name string) (string, error) {
	text, err := os.ReadFile(name) //nolint:gosec // a file of the repository
	if err != nil {
		return "", err
	}
	w := strings.TrimSpace(string(text))
	if w == "" || strings.ContainsAny(w, " \t\n") {
		return "", fmt.Errorf("%s: %q is not one word", name, w)
	}
	return w, nil
}

func write(name, text string) error {
	return os.WriteFile(name, []byte(text), 0o644) //nolint:gosec // for all to read
}
