package kubernetes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/kube"
	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

// Values that cannot be meant are refused, with the name of what is wrong.
func TestChartRefuses(t *testing.T) {
	for _, c := range []struct{ name, values, want string }{
		{"no RocketMQ", `{}`, "where is RocketMQ? Set namesrv, console.url or config.clusters"},
		{"two of them", `{namesrv: ["a:1"], console: {url: b}}`, "namesrv and console.url are set: only one"},
		{"three of them", `{namesrv: ["a:1"], demo: true, config: {clusters: [{namesrv: ["b:1"]}]}}`, "namesrv and config.clusters and demo are set"},
		{"a demo with settings", `{demo: true, config: {log: {level: info}}}`, "demo brings its own settings"},
		{"two passwords", `{console: {url: a, username: u, password: p, existingSecret: s}}`, "console.password and console.existingSecret are set"},
		{"a user without a console", `{namesrv: ["a:1"], console: {username: u}}`, "console.username is set, and console.url is not"},
		{"two web.yml", `{namesrv: ["a:1"], web: {config: {x: y}, configFromSecret: true}}`, "web.config and web.configFromSecret are set"},
		{"a web.yml of nobody", `{namesrv: ["a:1"], web: {configFromSecret: true}}`, "secrets.existing names no Secret"},
		{"two monitors", `{namesrv: ["a:1"], serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}`, "everything would be scraped twice"},
		{"shards and replicas", `{namesrv: ["a:1"], shards: 2, replicaCount: 2}`, "shards and replicaCount are set"},
		{"no shards", `{namesrv: ["a:1"], shards: 0}`, "/shards"},
		{"no rules", `{namesrv: ["a:1"], prometheusRule: {enabled: true, exclude: [rocketmq-alerts.yml, rocketmq-recording.yml]}}`, "there are no rules"},
		{"a language without boards", `{namesrv: ["a:1"], dashboards: {enabled: true, language: xx}}`, "no boards in the language xx"},
		{"a value that there is not", `{namesrv: ["a:1"], replicas: 2}`, "replicas"},
		{"one below another", `{namesrv: ["a:1"], console: {uri: x}}`, "uri"},
		{"no list", `{namesrv: "a:1"}`, "/namesrv"},
		{"no port", `{namesrv: ["a"]}`, "/namesrv/0"},
		{"a port that there is not", `{namesrv: ["a:1"], service: {port: 99999}}`, "/service/port"},
		{"a policy that there is not", `{namesrv: ["a:1"], image: {pullPolicy: Sometimes}}`, "/image/pullPolicy"},
		{"a digest that is none", `{namesrv: ["a:1"], image: {digest: abc}}`, "/image/digest"},
		{"a duration that is none", `{namesrv: ["a:1"], monitor: {interval: fast}}`, "/monitor/interval"},
		{"a file with a path", `{namesrv: ["a:1"], secrets: {files: {a/b: c}}}`, "'a/b' does not match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, err := helm(t, "template", "try", chart(t), "--kube-version", today, "--values", valuesFile(t, c.values))
			if err == nil {
				t.Fatalf("it is taken:\n%s", out)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	t.Run("a Kubernetes that is too old", func(t *testing.T) {
		out, err := helm(t, "template", "try", chart(t), "--kube-version", "1.22.0", "--set", "demo=true")
		if err == nil || !strings.Contains(err.Error(), "kubeVersion") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// node is a schema, as far as it is looked at here.
type node struct {
	Type                 any
	Properties           map[string]*node
	AdditionalProperties any
}

// Every value has a place in the schema and the other way round, so that a typo
// is found wherever it is.
func TestTheSchemaIsThatOfTheValues(t *testing.T) {
	var schema node
	if err := json.Unmarshal([]byte(ship.Read(t, "deploy/helm/rocketmq-exporter/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal([]byte(ship.Read(t, "deploy/helm/rocketmq-exporter/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	delete(schema.Properties, "global") // is the parent chart's, where there is one
	compare(t, "", &schema, values)
}

// open are values in Kubernetes' own form, of which the chart knows no more than
// its defaults.
var open = []string{".podSecurityContext", ".securityContext", ".resources.requests", ".resources.limits"}

func compare(t *testing.T, path string, schema *node, values map[string]any) {
	t.Helper()
	if slices.Contains(open, path) || len(values) == 0 && schema.Properties == nil {
		return
	}
	if path == ".probes.liveness" || path == ".probes.readiness" {
		for name := range values {
			if schema.Properties[name] == nil {
				t.Errorf("the schema lacks %s.%s", path, name)
			}
		}
		return
	}
	if schema.AdditionalProperties != false {
		t.Errorf("the schema allows anything below %q", path)
	}
	want, got := slices.Sorted(maps.Keys(values)), slices.Sorted(maps.Keys(schema.Properties))
	got = slices.DeleteFunc(got, func(k string) bool { return path+"."+k == ".resources.claims" })
	if !slices.Equal(got, want) {
		t.Errorf("below %q the schema has %q, the values have %q", path, got, want)
	}
	for name, value := range values {
		below, ok := value.(map[string]any)
		if ok && schema.Properties[name] != nil {
			compare(t, path+"."+name, schema.Properties[name], below)
		}
	}
}

// checkBoards sees to it that all shipped boards of a language are there, and
// that Kubernetes takes them.
func checkBoards(t *testing.T, objects []kube.Object, language, label, value string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(ship.Root(t), "observability", "grafana", language, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("boards: %q, %v", files, err)
	}
	boards := make(map[string]string)
	for _, m := range kube.All[*core.ConfigMap](objects) {
		for name, text := range m.Data {
			if strings.HasSuffix(name, ".json") {
				boards[name] = text
				if m.Labels[label] != value || len(m.Labels) < 2 || len(text) > 900_000 {
					t.Errorf("%s: labels %v, %d bytes", m.Name, m.Labels, len(text))
				}
			}
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := boards["rocketmq-"+filepath.Base(file)]; strings.TrimSpace(got) != strings.TrimSpace(string(text)) {
			t.Errorf("the board %s is not there, or not as it was", filepath.Base(file))
		}
	}
	if len(boards) != len(files) {
		t.Errorf("%d boards, want %d", len(boards), len(files))
	}
}

func newCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}
