package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// facts are what a README says in no language: what people type and see, the
// names in its tables, and where its links lead.
type facts struct {
	blocks, cells, links []string
}

// factsOf reads a README.
func factsOf(t *testing.T, name string) facts {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), name))
	if err != nil {
		t.Fatal(err)
	}
	var (
		f     facts
		block *strings.Builder
	)
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "```") && block == nil:
			block = new(strings.Builder)
		case strings.HasPrefix(line, "```"):
			f.blocks, block = append(f.blocks, block.String()), nil
		case block != nil:
			code, _, _ := strings.Cut(line, "# ") // comments are for people
			block.WriteString(strings.TrimSpace(code) + "\n")
		case strings.HasPrefix(line, "|"):
			// The last column is words.
			cells := strings.Split(strings.Trim(line, "| \n"), "|")
			for _, c := range cells[:len(cells)-1] {
				f.cells = append(f.cells, regexp.MustCompile("`[^`]+`").FindAllString(c, -1)...)
			}
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(string(text), -1) {
		f.links = append(f.links, m[1])
	}
	return f
}

// TestReadmes: the Chinese README shows the same commands, outputs and queries as
// the English one, lists the same flags with the same defaults and the same
// metrics, and leads to the same documents, which are there.
func TestReadmes(t *testing.T) {
	en, zh := factsOf(t, "README.md"), factsOf(t, "README.zh-CN.md")
	without := func(list []string, own string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == own })
	}
	for _, c := range []struct {
		what   string
		en, zh []string
	}{
		{"code", en.blocks, zh.blocks},
		{"names in tables", en.cells, zh.cells},
		{"links", without(en.links, "README.zh-CN.md"), without(zh.links, "README.md")},
	} {
		for i := range min(len(c.en), len(c.zh)) {
			if c.en[i] != c.zh[i] {
				t.Errorf("%s, number %d: README.md has\n%s\nREADME.zh-CN.md has\n%s", c.what, i+1, c.en[i], c.zh[i])
				break
			}
		}
		if len(c.en) != len(c.zh) || len(c.en) == 0 {
			t.Errorf("%s: README.md has %d, README.zh-CN.md %d", c.what, len(c.en), len(c.zh))
		}
	}
	for _, link := range slices.Concat(en.links, zh.links) {
		if strings.Contains(link, "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join(moduleRoot(t), link)); err != nil {
			t.Error(err)
		}
	}
}
