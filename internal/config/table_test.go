package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Every row of the table can be read, and can be told from every other.
func TestTheTable(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range Settings() {
		for _, name := range []string{"key " + s.Key, "flag " + s.Flag, "old variable " + s.Old} {
			if strings.HasSuffix(name, " ") {
				continue
			}
			if seen[name] {
				t.Errorf("there are two rows with the %s", name)
			}
			seen[name] = true
		}
		if s.Help == "" || !strings.HasSuffix(s.Help, ".") && !strings.Contains(s.Help, "://") {
			t.Errorf("%s: help %q", s.Key, s.Help)
		}
		if strings.ContainsAny(s.Key, "-") || strings.ContainsAny(s.Flag, "_") {
			t.Errorf("key %s, flag %s: keys are parted by _, flags by -", s.Key, s.Flag)
		}
		if s.Secret != "" && s.Kind() != "file" {
			t.Errorf("%s: a secret is in a file", s.Key)
		}
		if s.Value == "" && s.Default == "" {
			t.Errorf("%s: help has nothing to show for its value", s.Key)
		}
		if s.Scope == CommandLine {
			continue
		}
		if got := s.at(&Config{}, &Cluster{}); got == nil {
			t.Errorf("%s has no place", s.Key)
		}
		// Kinds and places fit: a place of another type would panic.
		for _, said := range [][]string{{"x"}, {"1"}, {"15s"}, {"true"}, {"/x"}, {"a", "b"}} {
			_ = s.kind.read(said, s.at(&Config{}, &Cluster{}))
		}
		if s.Default == "" {
			continue
		}
		if err := s.kind.read([]string{s.Default}, s.at(&Config{}, &Cluster{})); err != nil {
			t.Errorf("the default of %s: %v", s.Key, err)
		}
	}
}

// Sections and settings do not share names: "a" cannot be both.
func TestNoSettingIsASection(t *testing.T) {
	for _, s := range Settings() {
		for _, other := range Settings() {
			if other.Scope == s.Scope && strings.HasPrefix(other.Key, s.Key+".") {
				t.Errorf("%s is a setting, and a part of %s", s.Key, other.Key)
			}
		}
	}
}

func TestDefaults(t *testing.T) {
	v, err := flags("--namesrv=10.0.0.1:9876")
	if err != nil {
		t.Fatal(err)
	}
	k := v.Clusters[0]
	if k.Interval != 15*time.Second || k.Timeout != 10*time.Second || k.Window != 64 || k.Parallel != 16 || k.KeepRounds != 3 ||
		k.ForgetAfter != time.Hour || k.OwnerRefresh != 5*time.Minute || k.System || k.IgnoredTopics != nil || k.Name != "" {
		t.Errorf("%+v", k)
	}
	if v.Prefix != "rocketmq" || v.Web.MetricsPath != "/metrics" || v.Web.MaxScrapes != 4 || !slices.Equal(v.Web.Listen, []string{":9104"}) ||
		v.Log != (Log{Level: "info", Format: "logfmt"}) || len(v.Clusters) != 1 {
		t.Errorf("%+v", v)
	}
}

func TestEnvironmentVariables(t *testing.T) {
	for key, want := range map[string]string{
		KeyInterval: "ROCKETMQ_EXPORTER_COLLECT_INTERVAL", KeyListen: "ROCKETMQ_EXPORTER_WEB_LISTEN_ADDRESS",
		KeyConsole: "ROCKETMQ_EXPORTER_CONSOLE", keyPasswordEnv: "", KeyCheck: "", KeyFile: "ROCKETMQ_EXPORTER_CONFIG_FILE",
	} {
		if got := find(Settings(), key).Env(); got != want {
			t.Errorf("the variable of %s is %q, want %q", key, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 100 * time.Millisecond: "100ms", 15 * time.Second: "15s", time.Minute: "1m", 90 * time.Second: "1m30s",
		time.Hour: "1h", 90 * time.Minute: "1h30m", 720 * time.Hour: "720h", time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m", 20 * time.Hour: "20h",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
}
