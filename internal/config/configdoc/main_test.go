package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

// The document is what the table says, and lists every setting once.
func TestDocumentIsCurrent(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	is, err := os.ReadFile(filepath.FromSlash("../../../docs/configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc, is) {
		t.Error("docs/configuration.md is not what the table says: go generate ./internal/config")
	}
	for _, s := range config.Settings() {
		if s.Scope == config.CommandLine {
			if !strings.Contains(string(doc), "--"+s.Flag) {
				t.Errorf("the document does not speak of --%s", s.Flag)
			}
			continue
		}
		row := "\n| `" + s.Key + "` | " + code(dashes(s.Flag)) + " |"
		if n := strings.Count(string(doc), row); n != 1 {
			t.Errorf("the document has %s %d times", s.Key, n)
		}
	}
}

func TestTheReadmeIsCurrent(t *testing.T) {
	readme, err := os.ReadFile(filepath.FromSlash("../../../README.md"))
	if err != nil {
		t.Fatal(err)
	}
	after, err := renew(string(readme))
	if err != nil {
		t.Fatal(err)
	}
	if after != string(readme) {
		t.Error("the README's settings are not what the table says: go generate ./internal/config")
	}
	if !strings.Contains(after, "| `--namesrv` | `ROCKETMQ_EXPORTER_NAMESRV` |") {
		t.Error("the README does not begin with --namesrv")
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	out, readme := filepath.Join(dir, "configuration.md"), filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(out, readme); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); !strings.HasPrefix(s, "before\n"+begin+"| flag |") || !strings.HasSuffix(s, end+"after\n") || strings.Contains(s, "old\n") {
		t.Errorf("the README became\n%s", s)
	}
	if err := run(out, out); err == nil || !strings.Contains(err.Error(), "it lacks the lines") {
		t.Errorf("a README without marks: %v", err)
	}
	if err := run(filepath.Join(out, "below-a-file"), ""); err == nil {
		t.Error("no error where nothing can be written")
	}
}
