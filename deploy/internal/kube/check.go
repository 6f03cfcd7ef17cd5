package kube

import (
	"fmt"
	"slices"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checker gathers what does not fit together in one set of objects.
type checker struct {
	objects  []Object
	outside  []string
	mistakes []string
}

// Check finds what is wrong with objects that are applied together: names and
// labels that Kubernetes refuses, and references and selectors that meet nothing.
// outside names Secrets and ConfigMaps that are there already, as "Secret/name".
func Check(objects []Object, outside ...string) []string {
	c := &checker{objects: objects, outside: outside}
	c.metadata()
	for _, w := range Workloads(objects) {
		c.workload(w)
	}
	for _, s := range All[*core.Service](objects) {
		c.service(s)
	}
	for _, m := range All[*monitoring.ServiceMonitor](objects) {
		c.serviceMonitor(m)
	}
	for _, m := range All[*monitoring.PodMonitor](objects) {
		c.podMonitor(m)
	}
	for _, p := range All[*networking.NetworkPolicy](objects) {
		c.networkPolicy(p)
	}
	for _, p := range All[*policy.PodDisruptionBudget](objects) {
		c.selectsPods(p, p.Spec.Selector)
	}
	for _, r := range All[*monitoring.PrometheusRule](objects) {
		c.rules(r)
	}
	return c.mistakes
}

func (c *checker) mistake(o Object, format string, args ...any) {
	c.mistakes = append(c.mistakes, Name(o)+": "+fmt.Sprintf(format, args...))
}

func (c *checker) metadata() {
	seen := make(map[string]bool)
	for _, o := range c.objects {
		if seen[Name(o)] {
			c.mistake(o, "it is there twice")
		}
		seen[Name(o)] = true
		valid := validation.NameIsDNSSubdomain
		if _, ok := o.(*core.Service); ok {
			valid = validation.NameIsDNS1035Label
		}
		for _, m := range valid(o.GetName(), false) {
			c.mistake(o, "its name: %s", m)
		}
		if o.GetNamespace() == "" {
			c.mistake(o, "it has no namespace")
		}
		c.labels(o, o.GetLabels(), "metadata.labels")
		for _, err := range validation.ValidateAnnotations(o.GetAnnotations(), field.NewPath("metadata.annotations")) {
			c.mistake(o, "%v", err)
		}
	}
}

func (c *checker) labels(o Object, list map[string]string, path string) {
	for _, err := range metavalidation.ValidateLabels(list, field.NewPath(path)) {
		c.mistake(o, "%v", err)
	}
}

func (c *checker) selects(o Object, selector *meta.LabelSelector, list map[string]string) bool {
	s, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		c.mistake(o, "its selector: %v", err)
		return false
	}
	return !s.Empty() && s.Matches(labels.Set(list))
}

// selectsPods sees to it that a selector meets all pods.
func (c *checker) selectsPods(o Object, selector *meta.LabelSelector) {
	for _, w := range Workloads(c.objects) {
		if w.GetNamespace() != o.GetNamespace() || !c.selects(o, selector, w.Pod.Labels) {
			c.mistake(o, "it does not select the pods of %s", Name(w.Object))
		}
	}
}

// hasPort tells whether the pods have a port.
func (c *checker) hasPort(port intstr.IntOrString) bool {
	for _, w := range Workloads(c.objects) {
		for _, container := range w.Pod.Spec.Containers {
			if slices.ContainsFunc(container.Ports, func(p core.ContainerPort) bool {
				return p.Name == port.StrVal && p.Name != "" || p.ContainerPort == port.IntVal
			}) {
				return true
			}
		}
	}
	return false
}

func (c *checker) service(s *core.Service) {
	c.selectsPods(s, &meta.LabelSelector{MatchLabels: s.Spec.Selector})
	for _, p := range s.Spec.Ports {
		if !c.hasPort(p.TargetPort) {
			c.mistake(s, "no pod has the port %s", p.TargetPort.String())
		}
	}
}

func (c *checker) serviceMonitor(m *monitoring.ServiceMonitor) {
	found := false
	for _, s := range All[*core.Service](c.objects) {
		if s.Namespace != m.Namespace || !c.selects(m, &m.Spec.Selector, s.Labels) {
			continue
		}
		found = true
		for _, e := range m.Spec.Endpoints {
			if !slices.ContainsFunc(s.Spec.Ports, func(p core.ServicePort) bool { return p.Name == e.Port && e.Port != "" }) {
				c.mistake(m, "%s has no port %q", Name(s), e.Port)
			}
		}
	}
	if !found || len(m.Spec.Endpoints) == 0 {
		c.mistake(m, "it selects no Service, or nothing of it")
	}
}

func (c *checker) podMonitor(m *monitoring.PodMonitor) {
	c.selectsPods(m, &m.Spec.Selector)
	for _, e := range m.Spec.PodMetricsEndpoints {
		if e.Port == nil || !c.hasPort(intstr.FromString(*e.Port)) {
			c.mistake(m, "no pod has the port that it wants")
		}
	}
	if len(m.Spec.PodMetricsEndpoints) == 0 {
		c.mistake(m, "it scrapes nothing")
	}
}

func (c *checker) networkPolicy(p *networking.NetworkPolicy) {
	c.selectsPods(p, &p.Spec.PodSelector)
	for _, rule := range p.Spec.Ingress {
		for _, port := range rule.Ports {
			if port.Port == nil || !c.hasPort(*port.Port) {
				c.mistake(p, "no pod has the port that it opens")
			}
		}
	}
	for _, t := range p.Spec.PolicyTypes {
		if t == networking.PolicyTypeEgress && len(p.Spec.Egress) == 0 {
			c.mistake(p, "nothing may be connected to")
		}
	}
}

func (c *checker) rules(r *monitoring.PrometheusRule) {
	names := make(map[string]bool)
	if len(r.Spec.Groups) == 0 {
		c.mistake(r, "it has no rules")
	}
	for _, g := range r.Spec.Groups {
		if names[g.Name] || g.Name == "" || len(g.Rules) == 0 {
			c.mistake(r, "group %q: it is there twice, or has no name or no rules", g.Name)
		}
		names[g.Name] = true
		for _, rule := range g.Rules {
			if (rule.Alert == "") == (rule.Record == "") || strings.TrimSpace(rule.Expr.String()) == "" {
				c.mistake(r, "group %q: this is neither an alert nor a record: %+v", g.Name, rule)
			}
		}
	}
}
