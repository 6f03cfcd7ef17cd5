package query

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestOfficial: docs/moving-from-official.md has each of the 89 families of
// apache/rocketmq-exporter once (testdata/official.txt, read from its source), and
// what it says to ask for in their place is there.
func TestOfficial(t *testing.T) {
	list, err := os.ReadFile("testdata/official.txt")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../../docs/moving-from-official.md")
	if err != nil {
		t.Fatal(err)
	}
	v := New("rocketmq")
	var names []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(rocketmq_\\w+)` \\| (`[^`]+`)?").FindAllStringSubmatch(string(doc), -1) {
		names = append(names, m[1])
		if expr := strings.Trim(m[2], "`"); expr != "" {
			if _, err := v.Check(expr); err != nil {
				t.Errorf("%s: %v", m[1], err)
			}
		}
		if v.series[m[1]] != nil {
			t.Errorf("%s is a name of the exporter's too", m[1])
		}
	}
	slices.Sort(names)
	if want := strings.Fields(string(list)); !slices.Equal(names, want) {
		t.Errorf("the document has\n%v, want\n%v", names, want)
	}
}
