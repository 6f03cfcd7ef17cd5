package kube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// manifests are all that kustomize's base and components have, in one text.
func manifests(t *testing.T) string {
	t.Helper()
	root := filepath.Join("..", "..", "kubernetes")
	var text strings.Builder
	for _, name := range []string{
		"base/serviceaccount.yaml", "base/deployment.yaml", "base/service.yaml", "components/service-monitor/service-monitor.yaml",
		"components/pod-monitor/pod-monitor.yaml", "components/network-policy/network-policy.yaml",
		"components/pod-disruption-budget/pod-disruption-budget.yaml", "components/prometheus-rule/prometheus-rule.yaml",
	} {
		b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n" + string(b))
	}
	return text.String()
}

// What is refused although it is YAML.
func TestDecodeIsStrict(t *testing.T) {
	good := manifests(t)
	if objects, err := Decode([]byte(good)); err != nil || len(objects) != 8 {
		t.Fatalf("%d objects, %v", len(objects), err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"a field that there is not", "  replicas: 1\n", "  replica: 1\n", `unknown field "spec.replica"`},
		{"one below others", "            httpGet:\n              path: /-/healthy", "            httpGet:\n              route: /-/healthy", "httpGet.route"},
		{"other letters", "  replicas: 1\n", "  Replicas: 1\n", `unknown field "spec.Replicas"`},
		{"twice", "  replicas: 1\n", "  replicas: 1\n  replicas: 2\n", `key "replicas" already set`},
		{"no number", "  replicas: 1\n", "  replicas: one\n", "cannot unmarshal"},
		{"no quantity", "memory: 24Mi", "memory: 24MiB", "quantities must match"},
		{"another version", "apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n", `"policy/v1beta1 PodDisruptionBudget" is no kind that belongs here`},
		{"of the operator", "podMetricsEndpoints:", "endpoints:", `unknown field "spec.endpoints"`},
		{"of its rules", "        - alert: RocketMQBacklogHigh\n", "        - alarm: RocketMQBacklogHigh\n", "alarm"},
		{"no YAML", "spec:\n", "spec: [\n", "yaml:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Decode([]byte(replace(t, good, c.from, c.to))); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %.300v\nwant %s", err, c.want)
			}
		})
	}
}

func replace(t *testing.T, text, from, to string) string {
	t.Helper()
	if !strings.Contains(text, from) {
		t.Fatalf("there is no %q to change", from)
	}
	return strings.Replace(text, from, to, 1)
}

// What is found although each object is right.
func TestCheck(t *testing.T) {
	good := manifests(t)
	find := func(text string) string {
		objects, err := Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(Check(objects), "\n")
	}
	if found := find(good); found != "" {
		t.Fatal(found)
	}
	const volumes = "      serviceAccountName: exporter-rocketmq\n      volumes: "
	for _, c := range []struct{ name, from, to, want string }{
		{"a selector of a Service", "  selector:\n    app: exporter-rocketmq\n", "  selector:\n    app: exporter\n", "Service/exporter-rocketmq: it does not select the pods"},
		{"a selector of its own", "        app: exporter-rocketmq\n        # Scrape", "        app: other\n        # Scrape", "it does not select its own pods"},
		{"a port of a Service", "      targetPort: metrics", "      targetPort: http", "no pod has the port http"},
		{"a port of a probe", "              path: /-/ready\n              port: metrics", "              path: /-/ready\n              port: 80", "asks a port that there is not: 80"},
		{"no probe", "          livenessProbe:\n            httpGet:\n              path: /-/healthy\n              port: metrics\n            periodSeconds: 20\n            timeoutSeconds: 5\n            failureThreshold: 3\n", "", "no probe of liveness"},
		{"a label", "rocketClusterName: rocketmq\n", "rocketClusterName: rocketmq c0\n", "spec.template.metadata.labels"},
		{"a name", "  name: exporter-rocketmq\n", "  name: exporter_rocketmq\n", "its name"},
		{"no namespace", "  namespace: monitor\n", "", "no namespace"},
		{"another namespace", "kind: Service\nmetadata:\n  name: exporter-rocketmq\n  namespace: monitor", "kind: Service\nmetadata:\n  name: exporter-rocketmq\n  namespace: other", "does not select the pods"},
		{"a service account", "serviceAccountName: exporter-rocketmq", "serviceAccountName: other", `no ServiceAccount "other"`},
		{"a monitor", "spec:\n  selector:\n    matchLabels:\n      app: exporter-rocketmq\n  endpoints", "spec:\n  selector:\n    matchLabels:\n      app: other\n  endpoints", "it selects no Service"},
		{"a port of a monitor", "endpoints:\n    - port: metrics", "endpoints:\n    - port: web", `has no port "web"`},
		{"a port of a policy", "  ingress:\n    - ports:\n        - port: metrics", "  ingress:\n    - ports:\n        - port: 80", "no pod has the port that it opens"},
		{"a variable twice", "            - name: GOMEMLIMIT", "            - name: ROCKETMQ_EXPORTER_NAMESRV\n              value: x\n            - name: GOMEMLIMIT", "ROCKETMQ_EXPORTER_NAMESRV is there twice"},
		{"a limit of nothing", "              memory: 24Mi\n", "", "GOMEMLIMIT would be 0"},
		{"another container's limit", "containerName: rocketmq-exporter", "containerName: other", `asks for a container "other"`},
		{"a Secret", "      serviceAccountName: exporter-rocketmq\n", volumes + "[{name: a, secret: {secretName: s}}]\n", `no Secret "s"`},
		{"a ConfigMap", "      serviceAccountName: exporter-rocketmq\n", volumes + "[{name: a, projected: {sources: [{configMap: {name: m}}]}}]\n", `no ConfigMap "m"`},
		{"a volume twice", "      serviceAccountName: exporter-rocketmq\n", volumes + "[{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]\n", `volume "a" is there twice`},
		{"no volume", "          ports:\n            - name: metrics", "          volumeMounts: [{name: a, mountPath: /a}]\n          ports:\n            - name: metrics", `no volume "a"`},
		{"no rules", "          record: ", "          alert: x\n          record: ", "neither an alert nor a record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := c.from
			if c.name == "no rules" { // the first record, whatever it is called
				i := strings.Index(good, "- record: ")
				from, c.to = good[i:i+len("- record: ")], "- alert: x\n          record: "
			}
			if found := find(replace(t, good, from, c.to)); !strings.Contains(found, c.want) {
				t.Errorf("got  %q\nwant %s", found, c.want)
			}
		})
	}
	if objects, err := Decode([]byte(good + "---\n" + good)); err != nil || !strings.Contains(strings.Join(Check(objects), "\n"), "it is there twice") {
		t.Errorf("everything twice: %v", err)
	}
}

func TestRestricted(t *testing.T) {
	good := manifests(t)
	for _, c := range []struct{ name, from, to string }{
		{"nothing", "", ""},
		{"root", "runAsNonRoot: true", "runAsNonRoot: false"},
		{"a capability", "drop: [ALL]", "drop: [ALL]\n              add: [NET_ADMIN]"},
		{"no seccomp", "type: RuntimeDefault", "type: Unconfined"},
		{"more rights", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"},
	} {
		objects, err := Decode([]byte(replace(t, good, c.from, c.to)))
		if err != nil {
			t.Fatal(err)
		}
		why, err := Restricted(Workloads(objects)[0].Pod)
		if err != nil || (why == "") != (c.name == "nothing") {
			t.Errorf("%s: %q, %v", c.name, why, err)
		}
	}
}
