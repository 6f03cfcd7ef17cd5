// Package kube reads manifests as strictly as Kubernetes and the Prometheus
// operator do, and finds what does not fit together in them.
//
// It may hold what is true of any manifests. What these should hold is for the
// tests.
package kube

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// Object is any of the API types below.
type Object = meta.Object

// kinds are the API types that manifests may have.
func kinds() map[string]func() Object {
	return map[string]func() Object{
		"v1 ConfigMap":                            func() Object { return &core.ConfigMap{} },
		"v1 Secret":                               func() Object { return &core.Secret{} },
		"v1 Service":                              func() Object { return &core.Service{} },
		"v1 ServiceAccount":                       func() Object { return &core.ServiceAccount{} },
		"apps/v1 Deployment":                      func() Object { return &apps.Deployment{} },
		"apps/v1 StatefulSet":                     func() Object { return &apps.StatefulSet{} },
		"networking.k8s.io/v1 NetworkPolicy":      func() Object { return &networking.NetworkPolicy{} },
		"policy/v1 PodDisruptionBudget":           func() Object { return &policy.PodDisruptionBudget{} },
		"monitoring.coreos.com/v1 ServiceMonitor": func() Object { return &monitoring.ServiceMonitor{} },
		"monitoring.coreos.com/v1 PodMonitor":     func() Object { return &monitoring.PodMonitor{} },
		"monitoring.coreos.com/v1 PrometheusRule": func() Object { return &monitoring.PrometheusRule{} },
	}
}

// Decode reads the documents of a YAML text. A field that a type does not have,
// one that is written in other letters and one that stands twice are errors.
func Decode(text []byte) ([]Object, error) {
	var objects []Object
	r := kubeyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		doc, err := r.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, err
		}
		o, err := decode(doc)
		if err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, doc)
		}
		if o != nil {
			objects = append(objects, o)
		}
	}
}

func decode(doc []byte) (Object, error) {
	text, err := yaml.YAMLToJSONStrict(doc)
	if err != nil || string(text) == "null" {
		return nil, err
	}
	var kind meta.TypeMeta
	if err := yaml.Unmarshal(doc, &kind); err != nil {
		return nil, err
	}
	name := kind.APIVersion + " " + kind.Kind
	create, ok := kinds()[name]
	if !ok {
		return nil, fmt.Errorf("%q is no kind that belongs here", name)
	}
	o := create()
	strict, err := json.UnmarshalStrict(text, o)
	return o, errors.Join(append(strict, err)...)
}

// Name is the kind and the name of an object, as people write them.
func Name(o Object) string { return Kind(o) + "/" + o.GetName() }

// Kind is the kind of an object.
func Kind(o Object) string {
	kind := fmt.Sprintf("%T", o)
	return kind[strings.LastIndexByte(kind, '.')+1:]
}

// All are the objects of one type.
func All[T Object](objects []Object) []T {
	var list []T
	for _, o := range objects {
		if typed, ok := o.(T); ok {
			list = append(list, typed)
		}
	}
	return list
}

// Workload is a Deployment or a StatefulSet: what makes pods.
type Workload struct {
	Object

	Replicas *int32
	Selector *meta.LabelSelector
	Pod      core.PodTemplateSpec
	// Service is the one that a StatefulSet wants.
	Service string
}

// Workloads are all that make pods.
func Workloads(objects []Object) []Workload {
	var list []Workload
	for _, o := range objects {
		switch o := o.(type) {
		case *apps.Deployment:
			list = append(list, Workload{Object: o, Replicas: o.Spec.Replicas, Selector: o.Spec.Selector, Pod: o.Spec.Template})
		case *apps.StatefulSet:
			list = append(list, Workload{Object: o, Replicas: o.Spec.Replicas, Selector: o.Spec.Selector, Pod: o.Spec.Template, Service: o.Spec.ServiceName})
		}
	}
	return list
}
