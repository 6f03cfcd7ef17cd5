package circle

import (
	"errors"
	"maps"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v4"
)

// kubernetesSD is what kubernetes.yml uses of Prometheus' service discovery in
// Kubernetes, which Debian's Prometheus is built without.
type kubernetesSD struct {
	Role       string `yaml:"role"`
	Namespaces struct {
		Names []string `yaml:"names"`
	} `yaml:"namespaces"`
}

// targetList is Prometheus' answer about its targets.
type targetList struct {
	ActiveTargets  []struct{ Labels map[string]string }
	DroppedTargets []any
}

// TestKubernetes: of the pods in a namespace the job keeps the exporter's, and
// what it says of them is what the board of the original wants. Prometheus itself
// does the relabelling; the pods' labels are written down as it would find them.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	c := readConfig(t, "kubernetes.yml")
	c.quicken(t)
	job := c.jobs()[0]
	var discovery []kubernetesSD
	text, err := yaml.Marshal(job["kubernetes_sd_configs"])
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Load(text, &discovery, yaml.WithKnownFields()); err != nil || len(discovery) != 1 ||
		discovery[0].Role != "pod" || !reflect.DeepEqual(discovery[0].Namespaces.Names, []string{"monitor"}) {
		t.Fatalf("discovery of %+v, %v", discovery, err)
	}
	delete(job, "kubernetes_sd_configs")
	pod := func(address, name, phase string, labels map[string]string) map[string]any {
		all := map[string]string{
			"__meta_kubernetes_namespace": "monitor", "__meta_kubernetes_pod_name": name, "__meta_kubernetes_pod_phase": phase,
		}
		for k, v := range labels {
			all["__meta_kubernetes_pod_label_"+k] = v
		}
		return map[string]any{"targets": []string{address}, "labels": all}
	}
	ours := map[string]string{"app": "exporter-rocketmq-c0", "exporter": "rocketmq", "rocketClusterName": "rocketmq-c0", "namesrvAddr": "rocketmq-c0-console"}
	job["static_configs"] = []any{
		pod("127.0.0.1:1", "exporter-rocketmq-c0-x", "Running", ours),
		pod("127.0.0.1:2", "exporter-rocketmq-c0-y", "Failed", ours),
		pod("127.0.0.1:3", "other", "Running", map[string]string{"exporter": "redis"}),
		pod("127.0.0.1:4", "none", "Running", nil),
	}
	prometheus := startPrometheus(t, c.write(t))
	var targets targetList
	eventually(t, "all targets are known", func() error {
		if targets, err = ask[targetList](prometheus, "targets"); err == nil && len(targets.ActiveTargets)+len(targets.DroppedTargets) < 4 {
			err = errors.New("some are missing")
		}
		return err
	})
	want := map[string]string{
		"instance": "127.0.0.1:1", "job": "rocketmq-monitor", "namespace": "monitor", "pod": "exporter-rocketmq-c0-x",
		"rocketmqClusterName": "rocketmq-c0", "namesrvAddr": "rocketmq-c0-console",
	}
	if len(targets.ActiveTargets) != 1 || !maps.Equal(targets.ActiveTargets[0].Labels, want) {
		t.Errorf("targets are %v, want one with %v", targets.ActiveTargets, want)
	}
}
