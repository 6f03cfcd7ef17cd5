package rule

import (
	"os"
	"path/filepath"
	"testing"
)

const folder = "../../rules"

func load(t *testing.T) Shipped {
	t.Helper()
	s, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRules: the shipped rules ask for nothing that is not there.
func TestRules(t *testing.T) {
	s := load(t)
	v, err := s.Vocabulary("rocketmq")
	if err != nil {
		t.Error(err)
	}
	if err := s.Check(v); err != nil {
		t.Error(err)
	}
}

// TestOtherPrefix: the same under a prefix of the user's.
func TestOtherPrefix(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{RecordingFile, AlertsFile, LimitsFile} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if text, err = Variant(text, Change{From: "rocketmq", To: "acme"}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Vocabulary("acme")
	if err != nil {
		t.Error(err)
	}
	if err := s.Check(v); err != nil {
		t.Error(err)
	}
}
