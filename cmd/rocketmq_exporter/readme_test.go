package main

import (
	"os"
	"path/filepath"
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
