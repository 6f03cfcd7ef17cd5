// Package kubernetes tests the chart and the manifests: what they become for many
// values is read strictly into the API types, checked for what does not fit
// together, and started as a container would be.
package kubernetes

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	core "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/kube"
	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

// built is what all tests share: the exporter and helm.
type built struct {
	folder               string
	exporter, helm       string
	home                 string
	once, exporterIsMade sync.Once
}

var shared built

func TestMain(m *testing.M) {
	var err error
	if shared.folder, err = os.MkdirTemp("", "kubernetes"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(shared.folder)
	os.Exit(code)
}

// helm runs helm, which keeps nothing outside of the tests' folder.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	shared.once.Do(func() {
		shared.helm = strings.TrimSpace(ship.Run(t, filepath.Join(ship.Root(t), "deploy"), nil, "go", "tool", "-n", "helm"))
		shared.home = filepath.Join(shared.folder, "helm")
	})
	env := []string{"HELM_CACHE_HOME=" + shared.home, "HELM_CONFIG_HOME=" + shared.home, "HELM_DATA_HOME=" + shared.home, "KUBECONFIG=/nonexistent"}
	return ship.Try(".", env, shared.helm, args...)
}

func chart(t *testing.T) string {
	t.Helper()
	return filepath.Join(ship.Root(t), "deploy", "helm", "rocketmq-exporter")
}

// Releases of Kubernetes that the chart is rendered for: the oldest that it
// allows, and today's.
const oldest, today = "1.23.0", "1.37.0"

// valuesFile has values, under a name that helm does not split at commas.
func valuesFile(t *testing.T, values string) string {
	t.Helper()
	f, err := os.CreateTemp(shared.folder, "values-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(values); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// template is what the chart becomes.
func template(t *testing.T, release, values string) (string, error) {
	t.Helper()
	file := valuesFile(t, values)
	if out, err := helm(t, "lint", "--strict", "--kube-version", release, "--values", file, chart(t)); err != nil {
		return "", err
	} else if strings.Contains(out, "[WARNING]") || strings.Contains(out, "[ERROR]") {
		t.Errorf("lint:\n%s", out)
	}
	return helm(t, "template", "try", chart(t), "--namespace", "monitor", "--kube-version", release, "--values", file)
}

// customize is what kustomize makes of a folder of the manifests, or of another
// one by its whole path, as kubectl would.
func customize(t *testing.T, folder string) string {
	t.Helper()
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(ship.Root(t), "deploy", "kubernetes", folder)
	}
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	text, err := made.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func decode(t *testing.T, text string) []kube.Object {
	t.Helper()
	objects, err := kube.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// workload is the one that there is.
func workload(t *testing.T, objects []kube.Object) kube.Workload {
	t.Helper()
	list := kube.Workloads(objects)
	if len(list) != 1 {
		t.Fatalf("%d workloads", len(list))
	}
	return list[0]
}

// checkPod sees to what all pods must have in common.
func checkPod(t *testing.T, pod core.PodTemplateSpec, restricted bool) {
	t.Helper()
	why, err := kube.Restricted(pod)
	if err != nil {
		t.Fatal(err)
	}
	if restricted != (why == "") {
		t.Errorf("may it run where only restricted pods may? want %t; what is in the way: %q", restricted, why)
	}
	if pod.Labels["exporter"] != "rocketmq" || pod.Labels["rocketClusterName"] == "" {
		t.Errorf("scrape jobs do not find it by its labels %v", pod.Labels)
	}
	if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
		t.Error("it gets a token for Kubernetes")
	}
	c := pod.Spec.Containers[0]
	if c.SecurityContext == nil || c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
		t.Error("its file system can be written to")
	}
}
