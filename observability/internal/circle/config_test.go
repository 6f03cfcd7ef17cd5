package circle

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/rule"
)

// quick is by how much all times of the rules are divided: what takes ten minutes
// in production takes ten seconds here. Scrapes and evaluations are every second.
const quick = 60

// least is the shortest range: a rate wants a few scrapes.
const least = 5 * time.Second

// config is one of the shipped configurations, changed for a test.
type config map[string]any

func readConfig(t *testing.T, name string) config {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "prometheus", name))
	if err != nil {
		t.Fatal(err)
	}
	var c config
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// quicken makes everything happen within seconds, with the shipped rules and
// those of the files that are named besides.
func (c config) quicken(t *testing.T) {
	t.Helper()
	c["global"] = map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"}
	dir := t.TempDir()
	var files []any
	for _, name := range c["rule_files"].([]any) {
		from := filepath.Join("..", "..", "prometheus", name.(string))
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if text, err = rule.Variant(text, rule.Change{From: "rocketmq", To: "rocketmq", Quick: quick, Least: least}); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Base(from))
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, to)
	}
	c["rule_files"] = files
}

// jobs lists the scrape configurations.
func (c config) jobs() []map[string]any {
	var list []map[string]any
	for _, j := range c["scrape_configs"].([]any) {
		list = append(list, map[string]any(j.(config)))
	}
	return list
}

// write puts the configuration into a file for Prometheus.
func (c config) write(t *testing.T) string {
	t.Helper()
	text, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
