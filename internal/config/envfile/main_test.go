package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

// Whoever has the package finds every variable there, and none of them counts
// before somebody wants it.
func TestTheFileNamesEveryVariableOnce(t *testing.T) {
	is, err := os.ReadFile(filepath.FromSlash("../../../deploy/package/rocketmq_exporter.env"))
	if err != nil {
		t.Fatal(err)
	}
	if string(is) != text() {
		t.Error("deploy/package/rocketmq_exporter.env is not what the table says: go generate ./internal/config")
	}
	for _, s := range config.Settings() {
		for _, name := range []string{s.Env(), s.Old, s.Secret} {
			if n := strings.Count(string(is), "\n#"+name+"="); name != "" && n != 1 {
				t.Errorf("%s stands there %d times", name, n)
			}
		}
	}
	for line := range strings.Lines(string(is)) {
		if line != "\n" && line[0] != '#' {
			t.Errorf("this is set: %s", line)
		}
		if len(line) > width+1 && strings.Count(line, " ") > 1 {
			t.Errorf("this is wide: %s", line)
		}
	}
}

func TestRun(t *testing.T) {
	name := filepath.Join(t.TempDir(), "env")
	if err := run(name); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != text() {
		t.Errorf("%v\n%s", err, got)
	}
	if err := run(filepath.Join(name, "below-a-file")); err == nil {
		t.Error("no error where nothing can be written")
	}
}
