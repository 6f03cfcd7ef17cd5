package kubernetes

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	core "k8s.io/api/core/v1"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/kube"
	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

func TestKustomize(t *testing.T) {
	for _, c := range []struct {
		folder string
		more   []string
		// addresses of the overlay, and of what is there instead
		addresses map[string]string
		check     func(t *testing.T, objects []kube.Object, addr string)
	}{
		{
			folder: "base", addresses: map[string]string{"rocketmq-namesrv:9876": "NAMESRV"},
			check: func(t *testing.T, _ []kube.Object, addr string) {
				scrapes(t, "http://"+addr+"/metrics", `rocketmq_msg_diff_detail{cluster="shop"`)
			},
		},
		{
			folder: "overlays/rocketmq-c0", more: []string{"ServiceMonitor", "NetworkPolicy", "PrometheusRule"},
			addresses: map[string]string{"rocketmq-c0-namesrv-0.rocketmq:9876,rocketmq-c0-namesrv-1.rocketmq:9876": "NAMESRV"},
			check: func(t *testing.T, objects []kube.Object, addr string) {
				scrapes(t, "http://"+addr+"/metrics", `rocketmq_msg_diff_detail{cluster="shop"`)
				named(t, objects, "exporter-rocketmq-c0", "rocketmq-c0", "rocketmq-c0-namesrv")
				checkRelabelings(t, kube.All[*monitoring.ServiceMonitor](objects)[0].Spec.Endpoints[0].RelabelConfigs)
				checkRules(t, objects, []string{"rocketmq-alerts.yml", "rocketmq-recording.yml"})
				notAnnotated(t, objects)
			},
		},
		{
			folder: "overlays/rocketmq-c0-console", more: []string{"Secret"},
			addresses: map[string]string{"rocketmq-c0-console-prod-server:8080": "127.0.0.1:1"},
			check: func(t *testing.T, objects []kube.Object, _ string) {
				named(t, objects, "exporter-rocketmq-c0", "rocketmq-c0", "rocketmq-c0-console-prod-server")
			},
		},
		{
			folder: "overlays/several-clusters", more: []string{"ConfigMap*", "PodMonitor", "PodDisruptionBudget"},
			addresses: map[string]string{"rocketmq-east-namesrv:9876": "NAMESRV", "rocketmq-west-console:8080": "127.0.0.1:1"},
			check: func(t *testing.T, objects []kube.Object, addr string) {
				scrapes(t, "http://"+addr+"/metrics", `rocketmq_msg_diff_detail{cluster="east"`)
				checkRelabelings(t, kube.All[*monitoring.PodMonitor](objects)[0].Spec.PodMetricsEndpoints[0].RelabelConfigs)
				checkBoards(t, objects, "en", "grafana_dashboard", "1")
				notAnnotated(t, objects)
			},
		},
		{
			folder: "overlays/shards", more: []string{"-Deployment", "StatefulSet", "PodMonitor", "PodDisruptionBudget"},
			addresses: map[string]string{"rocketmq-namesrv:9876": "NAMESRV"},
			check: func(t *testing.T, objects []kube.Object, addr string) {
				scrapes(t, "http://"+addr+"/metrics", "\nrocketmq_exporter_shard_index 1\n")
				scrapes(t, "http://"+addr+"/metrics", "\nrocketmq_exporter_shards 2\n")
				checkRelabelings(t, kube.All[*monitoring.PodMonitor](objects)[0].Spec.PodMetricsEndpoints[0].RelabelConfigs, "shard")
			},
		},
	} {
		t.Run(c.folder, func(t *testing.T) {
			t.Parallel()
			text := customize(t, c.folder)
			nameServer := ship.Demo(t, exporter(t))
			for from, to := range c.addresses {
				if !strings.Contains(text, from) {
					t.Fatalf("it does not name %s", from)
				}
				text = strings.ReplaceAll(text, from, strings.ReplaceAll(to, "NAMESRV", nameServer))
			}
			objects := decode(t, text)
			for _, m := range kube.Check(objects) {
				t.Error(m)
			}
			checkKinds(t, objects, c.more)
			checkPod(t, workload(t, objects).Pod, true)
			c.check(t, objects, start(t, objects, nil))
		})
	}
}

// Each language has its component, whose boards go to one namespace with the
// exporter, under names that stay when a board changes.
func TestBoardsOfKustomize(t *testing.T) {
	manifests := filepath.Join(ship.Root(t), "deploy", "kubernetes")
	languages, err := filepath.Glob(filepath.Join(manifests, "components", "dashboards", "*"))
	if err != nil || len(languages) < 2 {
		t.Fatalf("languages %q, %v", languages, err)
	}
	for _, folder := range languages {
		language := filepath.Base(folder)
		t.Run(language, func(t *testing.T) {
			at := filepath.Join(shared.folder, language)
			above, err := filepath.Rel(at, manifests)
			if err != nil {
				t.Fatal(err)
			}
			text := "namespace: elsewhere\nresources: [" + above + "/base]\ncomponents: [" + above + "/components/dashboards/" + language + "]\n"
			if err := errors.Join(os.Mkdir(at, 0o750), os.WriteFile(filepath.Join(at, "kustomization.yaml"), []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
			objects := decode(t, customize(t, at))
			for _, m := range kube.Check(objects) {
				t.Error(m)
			}
			checkKinds(t, objects, []string{"ConfigMap*"})
			checkBoards(t, objects, language, "grafana_dashboard", "1")
			for _, m := range kube.All[*core.ConfigMap](objects) {
				board := strings.TrimPrefix(m.Name, "exporter-rocketmq-board-")
				if _, ok := m.Data["rocketmq-"+board+".json"]; !ok || m.Namespace != "elsewhere" {
					t.Errorf("%s in %s", m.Name, m.Namespace)
				}
			}
		})
	}
}

// named sees to the name of an overlay, and to the labels of its pods.
func named(t *testing.T, objects []kube.Object, name, cluster, nameServer string) {
	t.Helper()
	for _, o := range objects {
		if !strings.HasPrefix(o.GetName(), strings.TrimSuffix(name, "-c0")) || !strings.Contains(o.GetName(), "-c0") || o.GetNamespace() != "monitor" {
			t.Errorf("%s in %s", kube.Name(o), o.GetNamespace())
		}
	}
	l := workload(t, objects).Pod.Labels
	if l["rocketClusterName"] != cluster || l["namesrvAddr"] != nameServer || l["app"] != name {
		t.Errorf("labels %v", l)
	}
}

func notAnnotated(t *testing.T, objects []kube.Object) {
	t.Helper()
	if a := kube.All[*core.Service](objects)[0].Annotations; len(a) != 0 {
		t.Errorf("the Service is found besides, by %v", a)
	}
}

// Chart and manifests run the same container.
func TestChartAndManifestsAgree(t *testing.T) {
	text, err := template(t, today, `namesrv: ["rocketmq-namesrv:9876"]`)
	if err != nil {
		t.Fatal(err)
	}
	a, b := workload(t, decode(t, text)).Pod.Spec, workload(t, decode(t, customize(t, "base"))).Pod.Spec
	same := func(what string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: the chart has\n%+v\nthe manifests have\n%+v", what, a, b)
		}
	}
	one, other := a.Containers[0], b.Containers[0]
	same("image", one.Image, other.Image)
	same("resources", one.Resources, other.Resources)
	same("ports", one.Ports, other.Ports)
	same("liveness", one.LivenessProbe, other.LivenessProbe)
	same("readiness", one.ReadinessProbe, other.ReadinessProbe)
	same("security of the container", one.SecurityContext, other.SecurityContext)
	same("security of the pod", a.SecurityContext, b.SecurityContext)
	same("end", a.TerminationGracePeriodSeconds, b.TerminationGracePeriodSeconds)
	limit := func(list []core.EnvVar) core.EnvVar {
		return list[slices.IndexFunc(list, func(e core.EnvVar) bool { return e.Name == "GOMEMLIMIT" })]
	}
	same("GOMEMLIMIT", limit(one.Env), limit(other.Env))
	if want := strings.TrimSpace(ship.Read(t, "deploy/IMAGE")) + ":" + ship.Version(t); one.Image != want {
		t.Errorf("the image is %s, want %s", one.Image, want)
	}
}
