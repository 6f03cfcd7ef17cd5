package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
)

// TestDocumentIsCurrent: docs/metrics.md is what the table says.
func TestDocumentIsCurrent(t *testing.T) {
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	is, err := os.ReadFile(filepath.FromSlash("../../../docs/metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc, is) {
		t.Error("docs/metrics.md is not what the table says: go generate ./internal/family")
	}
	for _, id := range family.All() {
		if name := "| `" + id.Family().FullName(prefix) + "` |"; strings.Count(string(doc), name) != 1 {
			t.Errorf("the document does not have %s once", name)
		}
	}
}

// TestLabelsAreExplained: the document has a line for each label that is not
// the exporter's own.
func TestLabelsAreExplained(t *testing.T) {
	_, section, _ := strings.Cut(text, "## Labels")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, id := range family.All() {
		f := id.Family()
		if f.Set == family.Exporter {
			continue
		}
		for _, l := range f.Labels {
			if !strings.Contains(section, "`"+l+"`") {
				t.Errorf("label %s of %s is not explained", l, f.Name)
			}
		}
	}
}

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "metrics.md")
	if err := run(out); err != nil {
		t.Fatal(err)
	}
	if err := run(filepath.Join(out, "below-a-file")); err == nil {
		t.Error("no error where nothing can be written")
	}
}
