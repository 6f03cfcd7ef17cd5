package kubernetes

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/kube"
	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

// exporter builds the exporter once, and starts a fake cluster for each test.
func exporter(t *testing.T) string {
	t.Helper()
	shared.exporterIsMade.Do(func() { shared.exporter = ship.Exporter(t, shared.folder) })
	return shared.exporter
}

// container is a container of a workload, started here as the kubelet would
// start it: with its arguments, its environment and its files.
type container struct {
	t       *testing.T
	objects []kube.Object
	outside map[string]map[string]string // "Secret/name": its keys
	folder  string                       // where its volumes are
	spec    core.Container
	pod     string // its name
}

// start runs the exporter as the workload says, on a port of loopback, and
// returns its address once the probes of the workload find it alive and ready.
func start(t *testing.T, objects []kube.Object, outside map[string]map[string]string) string {
	t.Helper()
	w := workload(t, objects)
	c := &container{
		t: t, objects: objects, outside: outside, folder: t.TempDir(), spec: w.Pod.Spec.Containers[0],
		pod: fmt.Sprintf("%s-%d", w.GetName(), *w.Replicas-1), // as that of a StatefulSet
	}
	args, env := c.command(w)
	p := ship.Start(t, env, exporter(t), args...)
	addr := p.Find("where it serves", ship.Listening)
	p.Eventually("the probes", func() bool {
		return c.asks(c.spec.LivenessProbe, addr) && c.asks(c.spec.ReadinessProbe, addr)
	})
	return addr
}

// command lays out the volumes, and is the command line and the environment with
// their paths and with a port of loopback.
func (c *container) command(w kube.Workload) (args, env []string) {
	c.t.Helper()
	for _, v := range w.Pod.Spec.Volumes {
		c.volume(v)
	}
	// Longest first is not needed: no mount lies below another one.
	var pairs []string
	for _, m := range c.spec.VolumeMounts {
		pairs = append(pairs, m.MountPath+"/", filepath.Join(c.folder, m.Name)+"/")
	}
	moved := strings.NewReplacer(pairs...)
	c.move(moved)

	listen := regexp.MustCompile(`^--web\.listen-address=.*$`)
	listens := false
	for _, a := range c.spec.Args {
		if listen.MatchString(a) {
			if want := ":" + strconv.Itoa(int(c.spec.Ports[0].ContainerPort)); !strings.HasSuffix(a, want) {
				c.t.Errorf("%s, and its port is %s", a, want)
			}
			a, listens = "--web.listen-address=127.0.0.1:0", true
		}
		args = append(args, moved.Replace(a))
	}
	if !listens { // it listens where it does by default
		if port := c.spec.Ports[0].ContainerPort; port != 9104 {
			c.t.Errorf("its port is %d", port)
		}
		args = append(args, "--web.listen-address=127.0.0.1:0")
	}
	for _, e := range c.spec.Env {
		value := moved.Replace(e.Value)
		if e.ValueFrom != nil {
			value = c.valueFrom(e.ValueFrom)
		}
		env = append(env, e.Name+"="+value)
	}
	for _, from := range c.spec.EnvFrom {
		if from.SecretRef != nil {
			for k, v := range c.data("Secret", from.SecretRef.Name) {
				env = append(env, from.Prefix+k+"="+v)
			}
		}
	}
	return args, env
}

// move puts the paths in files to where the volumes are.
func (c *container) move(moved *strings.Replacer) {
	c.t.Helper()
	err := filepath.WalkDir(c.folder, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(name, []byte(moved.Replace(string(text))), 0o600)
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *container) valueFrom(from *core.EnvVarSource) string {
	c.t.Helper()
	switch {
	case from.ResourceFieldRef != nil:
		return strconv.FormatInt(kube.Memory(&c.spec, from.ResourceFieldRef.Resource), 10)
	case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.name":
		return c.pod
	case from.SecretKeyRef != nil:
		return c.data("Secret", from.SecretKeyRef.Name)[from.SecretKeyRef.Key]
	}
	c.t.Fatalf("a variable from %+v", from)
	return ""
}

// data is what a Secret or a ConfigMap holds.
func (c *container) data(kind, name string) map[string]string {
	c.t.Helper()
	if data, ok := c.outside[kind+"/"+name]; ok {
		return data
	}
	for _, o := range c.objects {
		if kube.Name(o) != kind+"/"+name {
			continue
		}
		switch o := o.(type) {
		case *core.ConfigMap:
			return o.Data
		case *core.Secret:
			data := make(map[string]string)
			for k, v := range o.Data {
				data[k] = string(v)
			}
			return data
		}
	}
	c.t.Fatalf("there is no %s/%s", kind, name)
	return nil
}

// volume writes the files of a volume.
func (c *container) volume(v core.Volume) {
	c.t.Helper()
	put := func(kind, name string, items []core.KeyToPath) {
		data := c.data(kind, name)
		if items == nil {
			for key := range data {
				items = append(items, core.KeyToPath{Key: key, Path: key})
			}
		}
		for _, i := range items {
			file := filepath.Join(c.folder, v.Name, filepath.FromSlash(i.Path))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				c.t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(data[i.Key]), 0o600); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	switch {
	case v.ConfigMap != nil:
		put("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Items)
	case v.Secret != nil:
		put("Secret", v.Secret.SecretName, v.Secret.Items)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			switch {
			case s.ConfigMap != nil:
				put("ConfigMap", s.ConfigMap.Name, s.ConfigMap.Items)
			case s.Secret != nil:
				put("Secret", s.Secret.Name, s.Secret.Items)
			}
		}
	}
}

// asks is what the kubelet finds.
func (c *container) asks(p *core.Probe, addr string) bool {
	c.t.Helper()
	if p.HTTPGet == nil { // that it listens is known
		return p.TCPSocket != nil
	}
	scheme := strings.ToLower(string(p.HTTPGet.Scheme))
	if scheme == "" {
		scheme = "http"
	}
	status, _ := ship.Get(c.t, scheme+"://"+addr+path.Clean(p.HTTPGet.Path))
	return status == http.StatusOK
}
