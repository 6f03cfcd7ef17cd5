package kubernetes

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/kube"
	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

// secretsOfUsers are those that are there before the chart.
var secretsOfUsers = map[string]map[string]string{
	"Secret/console": {"pw": "hunter2"},
	"Secret/mine":    {"west-password": "hunter3\n", "web.yml": "basic_auth_users:\n  prometheus: " + bcrypt + "\n"},
	"Secret/old":     {"rocketmqConsoleIPAndPort": "127.0.0.1:1"},
}

// bcrypt is "secret", at the least cost.
const bcrypt = "$2a$04$0gUpI4COJHjHHjRBMaKxHuJ/IgWLnXaoRszFECUftCdnuY5djZ65i"

// always is what the chart makes of any values.
var always = []string{"Deployment", "Service", "ServiceAccount"}

// cases are the values that the chart is rendered for. NAMESRV stands for the
// address of a cluster that is there.
var cases = []struct {
	name, values string
	more         []string // kinds besides those of always
	open         bool     // pods that are not "restricted"
	check        func(t *testing.T, objects []kube.Object, addr string)
}{
	{
		name: "name servers", values: `namesrv: [NAMESRV]`,
		check: func(t *testing.T, objects []kube.Object, addr string) {
			scrapes(t, "http://"+addr+"/metrics", `rocketmq_msg_diff_detail{cluster="shop"`)
			pod := workload(t, objects).Pod
			if got := pod.Labels["namesrvAddr"]; got != "127.0.0.1" {
				t.Errorf("namesrvAddr is %q", got)
			}
			if got := kube.All[*core.Service](objects)[0].Annotations["prometheus.io/scrape"]; got != "true" {
				t.Errorf("the Service is to be scraped: %q", got)
			}
		},
	},
	{
		name: "several name servers, other names", values: `
namesrv: [NAMESRV, "mq-1.rocketmq.svc:9876", "[fd00::1]:9876"]
fullnameOverride: exporter-rocketmq-c0
labels: {rocketClusterName: "rocketmq c0/prod"}
commonLabels: {team: mq}
podLabels: {tier: monitoring}
podAnnotations: {a: b}
config: {defaults: {collect: {interval: 1s}}, log: {format: json}}`,
		more: []string{"ConfigMap"},
		check: func(t *testing.T, objects []kube.Object, _ string) {
			d := workload(t, objects)
			for label, want := range map[string]string{
				"rocketClusterName": "rocketmq_c0_prod", "namesrvAddr": "127.0.0.1_mq-1.rocketmq.svc__fd00__1", "team": "mq", "tier": "monitoring",
			} {
				if got := d.Pod.Labels[label]; got != want {
					t.Errorf("label %s is %q, want %q", label, got, want)
				}
			}
			if d.GetName() != "exporter-rocketmq-c0" || d.GetNamespace() != "monitor" || d.Pod.Annotations["a"] != "b" {
				t.Errorf("it is %s in %s, %v", d.GetName(), d.GetNamespace(), d.Pod.Annotations)
			}
		},
	},
	{
		name: "a console with a password of the chart's", values: `
console: {url: "http://127.0.0.1:1/console", username: monitoring, password: hunter2}`,
		more: []string{"Secret"},
		check: func(t *testing.T, objects []kube.Object, _ string) {
			if got := workload(t, objects).Pod.Labels["namesrvAddr"]; got != "127.0.0.1" {
				t.Errorf("namesrvAddr is %q", got)
			}
		},
	},
	{
		name: "a console with a password of the user's", values: `
console: {url: "127.0.0.1:1", username: monitoring, existingSecret: console, existingSecretKey: pw}`,
	},
	{
		name: "several clusters and their secrets", values: `
config:
  defaults: {collect: {interval: 5s}}
  clusters:
    - {name: east, namesrv: [NAMESRV]}
    - {name: west, console: {url: "http://127.0.0.1:1", username: u, password_file: /secrets/west-password}}
    - {name: north, console: {url: "http://127.0.0.1:1", username: u, password_file: /secrets/north}}
secrets: {existing: [mine], files: {north: hunter4}}`,
		more: []string{"ConfigMap", "Secret"},
		check: func(t *testing.T, _ []kube.Object, addr string) {
			scrapes(t, "http://"+addr+"/metrics", `rocketmq_msg_diff_detail{cluster="east"`)
		},
	},
	{
		name: "the variables of the original exporter", values: `
extraEnv:
  - {name: rocketmqConsoleIPAndPort, value: "127.0.0.1:1"}
  - {name: ignoredTopics, value: "BenchmarkTest,TBW102"}`,
	},
	{name: "the same from a Secret", values: `extraEnvFrom: [{secretRef: {name: old}}]`},
	{
		name: "demo", values: `{demo: true, replicaCount: 2, podDisruptionBudget: {enabled: true, maxUnavailable: "50%"}}`,
		more: []string{"PodDisruptionBudget"},
	},
	{
		name: "shards", values: `{namesrv: [NAMESRV], shards: 3, serviceMonitor: {enabled: true}, podDisruptionBudget: {enabled: true}, hostNetwork: true}`,
		more: []string{"-Deployment", "StatefulSet", "ServiceMonitor", "PodDisruptionBudget"}, open: true,
		check: func(t *testing.T, objects []kube.Object, addr string) {
			scrapes(t, "http://"+addr+"/metrics", "\nrocketmq_exporter_shard_index 2\n")
			scrapes(t, "http://"+addr+"/metrics", "\nrocketmq_exporter_shards 3\n")
			checkRelabelings(t, kube.All[*monitoring.ServiceMonitor](objects)[0].Spec.Endpoints[0].RelabelConfigs, "shard")
		},
	},
	{
		name: "users", values: `{namesrv: [NAMESRV], web: {config: {basic_auth_users: {prometheus: "` + bcrypt + `"}}}}`,
		more: []string{"Secret"},
		check: func(t *testing.T, _ []kube.Object, addr string) {
			asksForUsers(t, "http://"+addr)
		},
	},
	{
		name: "users in a Secret of the user's", values: `{namesrv: [NAMESRV], web: {configFromSecret: true}, secrets: {existing: [mine]}}`,
		check: func(t *testing.T, _ []kube.Object, addr string) {
			asksForUsers(t, "http://"+addr)
		},
	},
	{
		name: "TLS", values: `
namesrv: [NAMESRV]
web: {config: {tls_server_config: {cert_file: /secrets/tls.crt, key_file: /secrets/tls.key}}}
secrets: {files: {tls.crt: CERTIFICATE, tls.key: KEY}}
serviceMonitor: {enabled: true}
monitor: {tlsConfig: {insecureSkipVerify: true}, basicAuth: {username: {name: s, key: u}, password: {name: s, key: p}}}`,
		more: []string{"Secret", "ServiceMonitor"},
		check: func(t *testing.T, objects []kube.Object, addr string) {
			scrapes(t, "https://"+addr+"/metrics", "rocketmq_up")
			e := kube.All[*monitoring.ServiceMonitor](objects)[0].Spec.Endpoints[0]
			if e.Scheme == nil || strings.ToLower(e.Scheme.String()) != "https" {
				t.Errorf("it is scraped by %v", e.Scheme)
			}
		},
	},
	{
		name: "another port and path", values: `
namesrv: [NAMESRV]
service: {port: 9999, type: NodePort, annotations: {x: "y"}}
web: {telemetryPath: /rocketmq/metrics}
networkPolicy: {enabled: true}
serviceAccount: {create: false}`,
		more: []string{"NetworkPolicy", "-ServiceAccount"},
		check: func(t *testing.T, objects []kube.Object, addr string) {
			scrapes(t, "http://"+addr+"/rocketmq/metrics", "rocketmq_up")
			a := kube.All[*core.Service](objects)[0].Annotations
			if a["prometheus.io/port"] != "9999" || a["prometheus.io/path"] != "/rocketmq/metrics" || a["x"] != "y" {
				t.Errorf("annotations %v", a)
			}
		},
	},
	{
		name: "ServiceMonitor", values: `
namesrv: [NAMESRV]
serviceMonitor: {enabled: true}
monitor: {interval: 30s, scrapeTimeout: 10s, labels: {release: prometheus},
  relabelings: [{targetLabel: env, replacement: prod}], metricRelabelings: [{action: labeldrop, regex: queueId}]}`,
		more: []string{"ServiceMonitor"},
		check: func(t *testing.T, objects []kube.Object, _ string) {
			m := kube.All[*monitoring.ServiceMonitor](objects)[0]
			checkRelabelings(t, m.Spec.Endpoints[0].RelabelConfigs)
			if m.Labels["release"] != "prometheus" || m.Spec.Endpoints[0].Interval != "30s" || len(m.Spec.Endpoints[0].MetricRelabelConfigs) != 1 {
				t.Errorf("%v %+v", m.Labels, m.Spec.Endpoints[0])
			}
			if a := kube.All[*core.Service](objects)[0].Annotations; len(a) != 0 {
				t.Errorf("the Service is found besides, by %v", a)
			}
		},
	},
	{
		name: "PodMonitor", values: `{namesrv: [NAMESRV], podMonitor: {enabled: true}, monitor: {job: ""}}`,
		more: []string{"PodMonitor"},
		check: func(t *testing.T, objects []kube.Object, _ string) {
			for _, r := range kube.All[*monitoring.PodMonitor](objects)[0].Spec.PodMetricsEndpoints[0].RelabelConfigs {
				if r.TargetLabel == "job" {
					t.Error("its job is changed")
				}
			}
		},
	},
	{
		name: "rules", values: `
namesrv: [NAMESRV]
prometheusRule:
  enabled: true
  labels: {release: prometheus}
  groups: [{name: own, rules: [{alert: Own, expr: rocketmq_up == 0}]}]`,
		more: []string{"PrometheusRule"},
		check: func(t *testing.T, objects []kube.Object, _ string) {
			checkRules(t, objects, []string{"rocketmq-alerts.yml", "rocketmq-recording.yml"}, "own")
		},
	},
	{
		name: "some of the rules", values: `{namesrv: [NAMESRV], prometheusRule: {enabled: true, exclude: [rocketmq-alerts.yml]}}`,
		more: []string{"PrometheusRule"},
		check: func(t *testing.T, objects []kube.Object, _ string) {
			checkRules(t, objects, []string{"rocketmq-recording.yml"})
		},
	},
	{
		name: "boards", values: `{namesrv: [NAMESRV], dashboards: {enabled: true, annotations: {grafana_folder: RocketMQ}}}`,
		more: []string{"ConfigMap*"},
		check: func(t *testing.T, objects []kube.Object, _ string) {
			checkBoards(t, objects, "en", "grafana_dashboard", "1")
		},
	},
	{
		name: "boards in Chinese, elsewhere, beside a file of settings", values: `
namesrv: [NAMESRV]
config: {log: {level: debug}}
fullnameOverride: a-name-that-is-as-long-as-a-name-may-be-in-kubernetes-and-helm
dashboards: {enabled: true, language: zh, namespace: grafana, label: board, labelValue: "yes"}`,
		more: []string{"ConfigMap*"},
		check: func(t *testing.T, objects []kube.Object, _ string) {
			checkBoards(t, objects, "zh", "board", "yes")
		},
	},
	{
		name: "network policy", values: `
namesrv: [NAMESRV]
networkPolicy:
  enabled: true
  ingressFrom: [{namespaceSelector: {matchLabels: {name: monitoring}}}]
  egress: {enabled: true, ports: [9876, 10911, 30911], to: [{ipBlock: {cidr: 10.0.0.0/8}}]}`,
		more: []string{"NetworkPolicy"},
		check: func(t *testing.T, objects []kube.Object, _ string) {
			p := kube.All[*networking.NetworkPolicy](objects)[0].Spec
			if len(p.Ingress[0].From) != 1 || len(p.Egress[0].Ports) != 3 || len(p.Egress[0].To) != 1 || len(p.Egress[1].To) != 0 {
				t.Errorf("%+v", p)
			}
		},
	},
	{
		name: "everything about pods", values: `
namesrv: [NAMESRV]
image: {repository: registry.example:5000/mq/exporter, digest: "sha256:` + strings.Repeat("0", 64) + `", pullPolicy: Always}
imagePullSecrets: [{name: registry}]
resources: {limits: {memory: 256Mi, cpu: 1}, requests: {memory: 128Mi, cpu: 50m}}
hostAliases: [{ip: 10.0.0.1, hostnames: [broker-a]}]
priorityClassName: high
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: dedicated, operator: Exists, effect: NoSchedule}]
affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {a: b}}}}]}}
topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {a: b}}}]
extraVolumes: [{name: tmp, emptyDir: {}}]
extraVolumeMounts: [{name: tmp, mountPath: /tmp}]
extraArgs: [--collect.interval=7s, --log.format=json]
serviceAccount: {name: mq, annotations: {role: r}}`,
		check: func(t *testing.T, objects []kube.Object, _ string) {
			d := workload(t, objects).Pod.Spec
			if want := "registry.example:5000/mq/exporter@sha256:" + strings.Repeat("0", 64); d.Containers[0].Image != want {
				t.Errorf("its image is %s", d.Containers[0].Image)
			}
			if d.ServiceAccountName != "mq" || d.HostAliases == nil || d.NodeSelector == nil || d.Tolerations == nil || d.Affinity == nil || d.TopologySpreadConstraints == nil {
				t.Errorf("something is missing: %+v", d)
			}
		},
	},
	{name: "no requests and limits", values: `{namesrv: [NAMESRV], resources: {requests: {memory: null}, limits: null}}`},
	{name: "the network of the node", values: `{namesrv: [NAMESRV], hostNetwork: true}`, open: true},
	{
		name: "a platform that chooses the user", values: `
{namesrv: [NAMESRV], podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}}`,
	},
}

func TestChart(t *testing.T) {
	certificate, key := newCertificate(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			values := strings.NewReplacer("NAMESRV", fmt.Sprintf("%q", ship.Demo(t, exporter(t))),
				"CERTIFICATE", fmt.Sprintf("%q", certificate), "KEY", fmt.Sprintf("%q", key)).Replace(c.values)
			for _, release := range []string{oldest, today} {
				text, err := template(t, release, values)
				if err != nil {
					t.Fatal(err)
				}
				objects := decode(t, text)
				var outside []string
				for name := range secretsOfUsers {
					outside = append(outside, name)
				}
				for _, m := range kube.Check(objects, outside...) {
					t.Error(m)
				}
				checkKinds(t, objects, c.more)
				checkPod(t, workload(t, objects).Pod, !c.open)
				if release != today || t.Failed() {
					continue
				}
				addr := start(t, objects, secretsOfUsers)
				if c.check != nil {
					c.check(t, objects, addr)
				}
			}
		})
	}
}

// checkKinds sees to it that there is what is wanted, and nothing else: "-Kind"
// is one of always that is not there, "Kind*" is there at least once.
func checkKinds(t *testing.T, objects []kube.Object, more []string) {
	t.Helper()
	want, many := slices.Clone(always), ""
	for _, kind := range more {
		if less, ok := strings.CutPrefix(kind, "-"); ok {
			want = slices.DeleteFunc(want, func(k string) bool { return k == less })
			continue
		}
		kind, repeated := strings.CutSuffix(kind, "*")
		if repeated {
			many = kind
		}
		want = append(want, kind)
	}
	var got []string
	for _, o := range objects {
		if kind := kube.Kind(o); kind != many || !slices.Contains(got, kind) {
			got = append(got, kind)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("kinds %q, want %q", got, want)
	}
}

func scrapes(t *testing.T, url, want string) {
	t.Helper()
	ship.Eventually(t, url+" has "+want, func() bool {
		status, text := ship.Get(t, url)
		return status == http.StatusOK && strings.Contains(text, want)
	})
}

func asksForUsers(t *testing.T, url string) {
	t.Helper()
	if status, _ := ship.Get(t, url+"/metrics"); status != http.StatusUnauthorized {
		t.Errorf("without a user: %d", status)
	}
	ship.Eventually(t, "a scrape with a user", func() bool {
		status, text := ship.Get(t, url+"/metrics", func(r *http.Request) { r.SetBasicAuth("prometheus", "secret") })
		return status == http.StatusOK && strings.Contains(text, "rocketmq_up")
	})
}

// checkRelabelings sees to what the original exporter's board wants.
// Other labels besides are made of the pod's name.
func checkRelabelings(t *testing.T, list []monitoring.RelabelConfig, ofName ...string) {
	t.Helper()
	want := map[string]string{
		"rocketmqClusterName": "__meta_kubernetes_pod_label_rocketClusterName", "namesrvAddr": "__meta_kubernetes_pod_label_namesrvAddr", "job": "rocketmq-monitor",
	}
	for _, label := range ofName {
		want[label] = "__meta_kubernetes_pod_name"
	}
	for _, r := range list {
		from := want[r.TargetLabel]
		if len(r.SourceLabels) == 1 && string(r.SourceLabels[0]) == from || r.Replacement != nil && *r.Replacement == from {
			delete(want, r.TargetLabel)
		}
	}
	if len(want) > 0 {
		t.Errorf("these labels are missing: %v", want)
	}
}

// checkRules sees to it that all groups of the shipped files are there.
func checkRules(t *testing.T, objects []kube.Object, files []string, own ...string) {
	t.Helper()
	var got []string
	rules := 0
	for _, g := range kube.All[*monitoring.PrometheusRule](objects)[0].Spec.Groups {
		got = append(got, g.Name)
		rules += len(g.Rules)
	}
	var want []string
	wantRules := len(own)
	for _, file := range files {
		var f struct {
			Groups []struct {
				Name  string
				Rules []map[string]any
			}
		}
		if err := yaml.Unmarshal([]byte(ship.Read(t, "observability/rules/"+file)), &f); err != nil {
			t.Fatal(err)
		}
		for _, g := range f.Groups {
			want = append(want, g.Name)
			wantRules += len(g.Rules)
		}
	}
	want = append(want, own...)
	if !slices.Equal(got, want) || rules != wantRules || rules == 0 {
		t.Errorf("%d rules in %q, want %d in %q", rules, got, wantRules, want)
	}
}
