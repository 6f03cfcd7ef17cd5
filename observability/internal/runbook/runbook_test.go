package runbook

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/rule"
)

const (
	rules = "../../rules"
	pages = "../../../docs/runbooks"
)

// TestPages: each alert has a page in the agreed shape, and the list is current.
func TestPages(t *testing.T) {
	shipped, err := rule.Load(rules)
	if err != nil {
		t.Fatal(err)
	}
	index, err := Make(shipped.Alerts, pages)
	if err != nil {
		t.Error(err)
	}
	is, err := os.ReadFile(filepath.Join(pages, Index))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(is, index) {
		t.Error("the list of runbooks is not current: go generate ./... in observability")
	}
}

// TestLinks: pages lead only to files that there are.
func TestLinks(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(pages, "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(pages, m[1])); err != nil {
				t.Errorf("%s: %v", filepath.Base(f), err)
			}
		}
	}
}

func TestMistakesAreFound(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("NoName.md", "# Other\n\nText.\n")
	write("NoParts.md", "# NoParts\n\nText.\n\n## When it fires\n\nNow.\n")
	write("NoAlert.md", "# NoAlert\n")
	alerts := rule.File{Groups: []rule.Group{{Rules: []rule.Rule{{Alert: "NoName"}, {Alert: "NoParts"}, {Alert: "NoPage"}}}}}
	_, err := Make(alerts, dir)
	for _, want := range []string{
		"NoName.md does not begin with its name", "NoParts.md has the parts", "NoAlert.md is the page of no alert", "NoPage.md: no such file",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("mistakes are %v, want one with %q", err, want)
		}
	}
}
