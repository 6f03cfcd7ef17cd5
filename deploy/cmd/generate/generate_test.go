package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, root, name, text string) {
	t.Helper()
	name = filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, root, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestStamps(t *testing.T) {
	root := t.TempDir()
	put(t, root, "doc.md", "docker run ghcr.io/a/rocketmq_exporter:0.1.0 demo\n`registry.x:5000/rocketmq_exporter:12.0.1-rc.1`\n")
	s := stamp{"doc.md", stamps("2.3.4", "quay.io/b/c/rocketmq_exporter")[3].place, "quay.io/b/c/rocketmq_exporter:2.3.4"}
	if err := s.put(root); err != nil {
		t.Fatal(err)
	}
	if got, want := get(t, root, "doc.md"), "docker run quay.io/b/c/rocketmq_exporter:2.3.4 demo\n`quay.io/b/c/rocketmq_exporter:2.3.4`\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	put(t, root, "doc.md", "nothing\n")
	if err := s.put(root); err == nil || !strings.Contains(err.Error(), "doc.md: there is no ") {
		t.Errorf("a file without a place: %v", err)
	}
}

func TestWord(t *testing.T) {
	root := t.TempDir()
	put(t, root, "one", "1.2.3\n")
	put(t, root, "two", "a b\n")
	put(t, root, "none", "\n")
	if w, err := word(filepath.Join(root, "one")); err != nil || w != "1.2.3" {
		t.Errorf("%q, %v", w, err)
	}
	for _, name := range []string{"two", "none", "missing"} {
		if w, err := word(filepath.Join(root, name)); err == nil {
			t.Errorf("%s: %q", name, w)
		}
	}
}

func TestValues(t *testing.T) {
	rows, err := values([]byte(`
# A section.

# -- First, over
# two lines | with a bar.
a: ""
# Not about b itself.
b:
  # -- Of b.
  c: [1, two]
# -- All of d.
d:
  e: true
  # -- One of d.
  f: {x: y}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []value{
		{"a", "", `First, over two lines \| with a bar.`},
		{"b.c", "`[1,\"two\"]`", "Of b."},
		{"d", "`{\"e\":true,\"f\":{\"x\":\"y\"}}`", "All of d."},
		{"d.f", "`{\"x\":\"y\"}`", "One of d."},
	}
	for i := range max(len(rows), len(want)) {
		if i >= len(rows) || i >= len(want) || rows[i] != want[i] {
			t.Fatalf("got  %q\nwant %q", rows, want)
		}
	}
	_, err = values([]byte("a:\n  # About.\n  b: 1\nc: {}\n"))
	if err == nil || err.Error() != "line 3: a.b has no comment that begins with '-- '\nline 4: c has no comment that begins with '-- '" {
		t.Errorf("values without a word: %v", err)
	}
}

// Rules and boards are what their folders have, and nothing that was there before.
func TestCopies(t *testing.T) {
	root := t.TempDir()
	put(t, root, "observability/rules/a.yml", "groups:\n  - name: a # why\n    rules: []\n")
	put(t, root, "observability/rules/b.yml", "groups:\n  - name: b\n    rules: []\n")
	put(t, root, "observability/rules/c.example.yml", "groups: []\n")
	put(t, root, "observability/grafana/en/x.json", "{}\n")
	put(t, root, "observability/grafana/provisioning/p.yml", "a: b\n")
	put(t, root, chartFolder+"/files/rules/old.yml", "")
	put(t, root, chartFolder+"/files/dashboards/de/old.json", "")
	put(t, root, boardFolder+"/de/kustomization.yaml", "")
	run := func() {
		t.Helper()
		if err := copyRules(root); err != nil {
			t.Fatal(err)
		}
		if err := copyBoards(root); err != nil {
			t.Fatal(err)
		}
	}
	run()
	for name, want := range map[string]bool{
		"rules/a.yml": true, "rules/b.yml": true, "rules/c.example.yml": false, "rules/old.yml": false,
		"dashboards/en/x.json": true, "dashboards/de": false, "dashboards/provisioning": false,
	} {
		if _, err := os.Stat(filepath.Join(root, chartFolder, "files", filepath.FromSlash(name))); (err == nil) != want {
			t.Errorf("%s is there: %t", name, err == nil)
		}
	}
	component := get(t, root, boardFolder+"/en/kustomization.yaml")
	if !strings.Contains(component, "name: exporter-rocketmq-board-x\n") || !strings.Contains(component, "- rocketmq-x.json=x.json\n") || get(t, root, boardFolder+"/en/x.json") != "{}\n" {
		t.Errorf("the component with boards is\n%s", component)
	}
	if old := get(t, root, boardFolder+"/de/kustomization.yaml"); !strings.Contains(old, "no such file") {
		t.Errorf("a component of before: %s", old)
	}
	rule := get(t, root, ruleFolder+"/prometheus-rule.yaml")
	if want := "spec:\n  groups:\n    - name: a # why\n      rules: []\n    - name: b\n      rules: []\n"; !strings.HasSuffix(rule, want) {
		t.Errorf("got\n%s\nwant at its end\n%s", rule, want)
	}
	// Without any there is no component, which kustomize would refuse.
	for _, name := range []string{"a", "b"} {
		if err := os.Remove(filepath.Join(root, rulesFolder, name+".yml")); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if _, err := os.Stat(filepath.Join(root, ruleFolder)); err == nil {
		t.Error("there is a component without rules")
	}
	put(t, root, "observability/rules/a.yml", "groups: [\n")
	if err := copyRules(root); err == nil || !strings.Contains(err.Error(), "a.yml") {
		t.Errorf("rules that are no YAML: %v", err)
	}
}
