package kube

import (
	"slices"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func (c *checker) workload(w Workload) {
	d := w.Object
	c.labels(d, w.Pod.Labels, "spec.template.metadata.labels")
	if !c.selects(d, w.Selector, w.Pod.Labels) {
		c.mistake(d, "it does not select its own pods")
	}
	if w.Service != "" && !c.isThere("Service", w.Service) {
		c.mistake(d, "there is no Service %q", w.Service)
	}
	pod := w.Pod.Spec
	if !c.isThere("ServiceAccount", pod.ServiceAccountName) && pod.ServiceAccountName != "default" {
		c.mistake(d, "there is no ServiceAccount %q", pod.ServiceAccountName)
	}
	c.volumes(d, pod.Volumes)
	for i := range pod.Containers {
		c.container(d, &pod.Containers[i], pod.Volumes)
	}
}

func (c *checker) isThere(kind, name string) bool {
	return slices.Contains(c.outside, kind+"/"+name) ||
		slices.ContainsFunc(c.objects, func(o Object) bool { return Name(o) == kind+"/"+name })
}

// refers notes that an object refers to a Secret or a ConfigMap, and to keys.
func (c *checker) refers(o Object, kind, name string, keys []core.KeyToPath) {
	if !c.isThere(kind, name) {
		c.mistake(o, "there is no %s %q", kind, name)
		return
	}
	for _, item := range keys {
		if has, known := c.hasKey(kind, name, item.Key); known && !has {
			c.mistake(o, "%s %q has no key %q", kind, name, item.Key)
		}
	}
}

// hasKey tells whether a Secret or a ConfigMap has a key. It is not known of
// those outside.
func (c *checker) hasKey(kind, name, key string) (has, known bool) {
	for _, o := range c.objects {
		if Name(o) != kind+"/"+name {
			continue
		}
		switch o := o.(type) {
		case *core.Secret:
			_, data := o.Data[key]
			_, text := o.StringData[key]
			return data || text, true
		case *core.ConfigMap:
			_, text := o.Data[key]
			return text, true
		}
	}
	return false, false
}

func (c *checker) volumes(d Object, volumes []core.Volume) {
	seen := make(map[string]bool)
	for _, v := range volumes {
		if seen[v.Name] {
			c.mistake(d, "volume %q is there twice", v.Name)
		}
		seen[v.Name] = true
		switch {
		case v.Secret != nil:
			c.refers(d, "Secret", v.Secret.SecretName, v.Secret.Items)
		case v.ConfigMap != nil:
			c.refers(d, "ConfigMap", v.ConfigMap.Name, v.ConfigMap.Items)
		case v.Projected != nil:
			for _, s := range v.Projected.Sources {
				if s.Secret != nil {
					c.refers(d, "Secret", s.Secret.Name, s.Secret.Items)
				}
				if s.ConfigMap != nil {
					c.refers(d, "ConfigMap", s.ConfigMap.Name, s.ConfigMap.Items)
				}
			}
		}
	}
}

func (c *checker) container(d Object, container *core.Container, volumes []core.Volume) {
	paths := make(map[string]bool)
	for _, m := range container.VolumeMounts {
		if !slices.ContainsFunc(volumes, func(v core.Volume) bool { return v.Name == m.Name }) {
			c.mistake(d, "there is no volume %q", m.Name)
		}
		if paths[m.MountPath] {
			c.mistake(d, "two volumes at %s", m.MountPath)
		}
		paths[m.MountPath] = true
	}
	for _, p := range container.Ports {
		for _, m := range validation.IsValidPortName(p.Name) {
			c.mistake(d, "port %q: %s", p.Name, m)
		}
	}
	for what, probe := range map[string]*core.Probe{"liveness": container.LivenessProbe, "readiness": container.ReadinessProbe} {
		c.probe(d, what, probe)
	}
	c.environment(d, container)
}

func (c *checker) probe(d Object, what string, p *core.Probe) {
	var port intstr.IntOrString
	switch {
	case p == nil:
		c.mistake(d, "it has no probe of %s", what)
		return
	case p.HTTPGet != nil:
		port = p.HTTPGet.Port
	case p.TCPSocket != nil:
		port = p.TCPSocket.Port
	}
	if !c.hasPort(port) {
		c.mistake(d, "the probe of %s asks a port that there is not: %s", what, port.String())
	}
}

func (c *checker) environment(d Object, container *core.Container) {
	seen := make(map[string]bool)
	for _, e := range container.Env {
		if seen[e.Name] {
			c.mistake(d, "variable %s is there twice", e.Name)
		}
		seen[e.Name] = true
		if e.ValueFrom == nil {
			continue
		}
		if r := e.ValueFrom.ResourceFieldRef; r != nil {
			if r.ContainerName != container.Name {
				c.mistake(d, "variable %s asks for a container %q", e.Name, r.ContainerName)
			}
			if Memory(container, r.Resource) == 0 {
				c.mistake(d, "variable %s would be 0: there is no %s", e.Name, r.Resource)
			}
		}
		if s := e.ValueFrom.SecretKeyRef; s != nil {
			c.refers(d, "Secret", s.Name, []core.KeyToPath{{Key: s.Key}})
		}
		if m := e.ValueFrom.ConfigMapKeyRef; m != nil {
			c.refers(d, "ConfigMap", m.Name, []core.KeyToPath{{Key: m.Key}})
		}
	}
}

// Memory is what a reference to the memory of a container gives it, in bytes; 0
// if it is not said.
func Memory(container *core.Container, resource string) int64 {
	switch resource {
	case "requests.memory":
		return container.Resources.Requests.Memory().Value()
	case "limits.memory":
		return container.Resources.Limits.Memory().Value()
	}
	return 0
}

// Restricted says what keeps pods from where only the standard "restricted" of
// Kubernetes is let in; nothing if nothing does.
func Restricted(pod core.PodTemplateSpec) (string, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return "", err
	}
	level := podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}
	result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec))
	if result.Allowed {
		return "", nil
	}
	return result.ForbiddenDetail(), nil
}
