package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

// Who moves looks for the five variables, and for how each is said today.
func TestMovingListsTheOldVariables(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "moving.md"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range config.Settings() {
		if s.Old == "" {
			continue
		}
		n++
		if !strings.Contains(string(text), "| `"+s.Old+"` | `--"+s.Flag+"` |") {
			t.Errorf("docs/moving.md does not say that %s is --%s", s.Old, s.Flag)
		}
	}
	if n != 5 {
		t.Errorf("%d variables of the original exporter, there were 5", n)
	}
}

// The flags that docs/access.md names are there.
func TestAccessNamesFlagsThatThereAre(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "access.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`--(namesrv[a-z.-]*)`).FindAllStringSubmatch(string(text), -1)
	if len(named) < 10 {
		t.Errorf("it names %d flags", len(named))
	}
	for _, m := range named {
		if !slices.ContainsFunc(config.Settings(), func(s *config.Setting) bool { return s.Flag == m[1] }) {
			t.Errorf("there is no --%s", m[1])
		}
	}
	for _, s := range config.Settings() {
		if strings.HasPrefix(s.Flag, "namesrv.") && !strings.Contains(string(text), "--"+s.Flag) {
			t.Errorf("it does not name --%s", s.Flag)
		}
	}
}
