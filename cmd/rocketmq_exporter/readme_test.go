package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tables of settings in the README are written by hand.
func TestTheReadmeListsTheSettings(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	help, err := os.ReadFile(filepath.Join("testdata", "help.txt"))
	if err != nil {
		t.Fatal(err)
	}
	placeholder := map[string]bool{"HOST:PORT": true, "TOPIC": true, "FILE": true, "URL": true, "NAME": true}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^ {2}--([a-z.-]+)(?:=(\S+))?`).FindAllStringSubmatch(string(help), -1) {
		name, value := m[1], m[2]
		if name == "version" {
			continue
		}
		env := "ROCKETMQ_EXPORTER_" + strings.ToUpper(regexp.MustCompile(`[^a-z]`).ReplaceAllString(name, "_"))
		switch {
		case value == "":
			value = "`false`"
		case placeholder[value]:
			value = ""
		default:
			value = "`" + value + "`"
		}
		want = append(want, strings.Join(strings.Fields("| `--"+name+"` | `"+env+"` | "+value+" |"), " "))
	}
	var got []string
	for line := range strings.Lines(string(readme)) {
		if cells := strings.SplitN(line, "|", 5); strings.HasPrefix(line, "| `--") && len(cells) == 5 {
			got = append(got, strings.Join(strings.Fields(strings.Join(cells[:4], "|")+"|"), " "))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the README has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Who moves looks for the five variables, and for how each is said today.
func TestMovingListsTheOldVariables(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "moving.md"))
	if err != nil {
		t.Fatal(err)
	}
	for variable, flag := range legacyVariables() {
		if !strings.Contains(string(text), "| `"+variable+"` | `--"+flag+"` |") {
			t.Errorf("docs/moving.md does not say that %s is --%s", variable, flag)
		}
	}
}
