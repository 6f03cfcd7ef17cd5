// Package image tests the image: what is in it, who runs in it, and that it is
// scraped, with buildah, which needs no daemon.
package image

import (
	"archive/tar"
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

// Bounds of the image, in bytes: of what a registry keeps and sends, and of what
// is there when it runs.
const (
	mostCompressed = 7_000_000
	mostUnpacked   = 15_000_000 - 1
)

const user = 65532

// storage keeps images in a folder of the test. Neither an overlay nor
// namespaces are to be had everywhere.
func storage(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "storage.conf")
	text := fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = %q\nrunroot = %q\n", filepath.Join(dir, "images"), filepath.Join(dir, "run"))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"CONTAINERS_STORAGE_CONF=" + conf, "STORAGE_DRIVER=vfs", "BUILDAH_ISOLATION=chroot", "CONTAINER=buildah"}
}

// The image as `make image` leaves it among the images of buildah.
func TestImage(t *testing.T) {
	root, dist, env := ship.Root(t), t.TempDir(), storage(t)
	const name = "registry.example/some/where"
	tag := name + ":" + ship.Version(t)
	build := func() {
		ship.Run(t, root, env, "make", "--no-print-directory", "DIST="+dist, "IMAGE="+name, "image")
	}
	buildah := func(args ...string) string { return ship.Run(t, root, env, "buildah", args...) }
	build()
	t.Cleanup(func() { // what containers have mounted would keep the folder busy
		_, _ = ship.Try(root, env, "buildah", "rm", "--all")
	})

	var made struct {
		FromImageID string
		OCIv1       struct {
			Architecture, OS string
			Config           struct {
				User       string
				Entrypoint []string
				Cmd        []string
				Labels     map[string]string
				Ports      map[string]struct{} `json:"ExposedPorts"`
			}
		}
	}
	if err := json.Unmarshal([]byte(buildah("inspect", "--type", "image", tag)), &made); err != nil {
		t.Fatal(err)
	}
	c := made.OCIv1.Config
	if made.OCIv1.OS != "linux" || made.OCIv1.Architecture != runtime.GOARCH {
		t.Errorf("it is for %s on %s", made.OCIv1.OS, made.OCIv1.Architecture)
	}
	if c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/rocketmq_exporter"}) || len(c.Cmd) != 0 {
		t.Errorf("it runs %q %q as %q", c.Entrypoint, c.Cmd, c.User)
	}
	if _, ok := c.Ports["9104/tcp"]; !ok || len(c.Ports) != 1 {
		t.Errorf("ports %v", c.Ports)
	}
	for label, want := range map[string]string{"title": "rocketmq_exporter", "licenses": "Apache-2.0", "version": ship.Version(t)} {
		if got := c.Labels["org.opencontainers.image."+label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
	for _, label := range []string{"description", "url", "source", "documentation", "created"} {
		if c.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("label %s is missing", label)
		}
	}

	// The same again is the same image.
	id := func() string { return strings.TrimSpace(buildah("images", "--no-trunc", "--format", "{{.ID}}", tag)) }
	first := id()
	build()
	if second := id(); first != second {
		t.Errorf("the same again is another image: %s and %s", first, second)
	}

	container := strings.TrimSpace(buildah("from", "--pull-never", tag))
	mounted := strings.TrimSpace(buildah("mount", container))
	checkFiles(t, mounted)
	checkAuthorities(t, filepath.Join(mounted, "etc", "ssl", "certs", "ca-certificates.crt"))
	run(t, env, container)
}

// checkFiles lists what is in the image, all of it.
func checkFiles(t *testing.T, root string) {
	t.Helper()
	var files []string
	var size int64
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		size += info.Size()
		files = append(files, fmt.Sprintf("%v %s", info.Mode(), rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"-rw-r--r-- LICENSES", "-rw-r--r-- etc/ssl/certs/ca-certificates.crt", "-rwxr-xr-x rocketmq_exporter"}
	if !slices.Equal(files, want) {
		t.Errorf("it holds %q, want %q", files, want)
	}
	if size > mostUnpacked {
		t.Errorf("it has %d bytes, want at most %d", size, mostUnpacked)
	}
	t.Logf("%.1f MB unpacked", float64(size)/1e6)
}

func checkAuthorities(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "BEGIN CERTIFICATE"); n < 50 || !x509.NewCertPool().AppendCertsFromPEM(text) {
		t.Errorf("%d certificate authorities", n)
	}
}

// run runs the image with its own entry point and user.
func run(t *testing.T, env []string, container string) {
	t.Helper()
	path := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	// An entry point does not count for `buildah run`.
	p := ship.Start(t, append(path, env...), "buildah", "run", container, "--",
		"/rocketmq_exporter", "demo", "--web.listen-address=127.0.0.1:0")
	addr := p.Find("where it serves", ship.Listening)
	p.Eventually("a scrape", func() bool {
		status, text := ship.Get(t, "http://"+addr+"/metrics")
		return status == 200 && strings.Contains(text, `rocketmq_msg_diff_detail{cluster="shop"`)
	})
	// A round has ended, which is what Kubernetes asks for.
	for _, page := range []string{"/-/ready", "/-/healthy"} {
		if status, text := ship.Get(t, "http://"+addr+page); status != 200 {
			t.Errorf("%s: %d %s", page, status, text)
		}
	}
	checkProcess(t)
}

// checkProcess looks at the exporter from outside, as the kernel sees it.
func checkProcess(t *testing.T) {
	t.Helper()
	list, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, name := range list {
		status, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(status), "Name:\trocketmq_export") {
			continue // gone, or another one
		}
		command, err := os.ReadFile(filepath.Join(filepath.Dir(name), "cmdline"))
		if err != nil || !strings.HasPrefix(string(command), "/rocketmq_exporter\x00demo\x00--web.listen-address=127.0.0.1:0") {
			continue
		}
		found = true
		ids := fmt.Sprintf("\t%d\t%d\t%d\t%d\n", user, user, user, user)
		for _, want := range []string{"Uid:" + ids, "Gid:" + ids, "CapEff:\t0000000000000000\n"} {
			if !strings.Contains(string(status), want) {
				t.Errorf("it does not run with %q:\n%s", want, status)
			}
		}
	}
	if !found {
		t.Error("no process of the image was found")
	}
}

// The archive for a registry has both architectures, and is small.
func TestArchive(t *testing.T) {
	root, dist, env := ship.Root(t), t.TempDir(), storage(t)
	ship.Run(t, root, env, "make", "--no-print-directory", "DIST="+dist, "image-archive")
	blobs := unpack(t, filepath.Join(dist, "rocketmq_exporter-"+ship.Version(t)+".oci.tar"))

	type descriptor struct {
		MediaType, Digest string
		Size              int64
		Platform          struct{ Architecture, OS string }
	}
	decode := func(name string, v any) {
		t.Helper()
		if err := json.Unmarshal(blobs[name], v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	blob := func(digest string) string { return "blobs/" + strings.ReplaceAll(digest, ":", "/") }

	var index, list struct{ Manifests []descriptor }
	decode("index.json", &index)
	if len(index.Manifests) != 1 {
		t.Fatalf("index %+v", index)
	}
	decode(blob(index.Manifests[0].Digest), &list)
	var arches []string
	for _, m := range list.Manifests {
		arches = append(arches, m.Platform.OS+"/"+m.Platform.Architecture)
		var manifest struct {
			Config descriptor
			Layers []descriptor
		}
		decode(blob(m.Digest), &manifest)
		var compressed, unpacked int64
		for _, l := range manifest.Layers {
			compressed += l.Size
			unpacked += checkLayer(t, m.Platform.Architecture, blobs[blob(l.Digest)])
		}
		if compressed == 0 || compressed > mostCompressed {
			t.Errorf("%s has %d bytes to pull, want at most %d", m.Platform.Architecture, compressed, mostCompressed)
		}
		if unpacked > mostUnpacked {
			t.Errorf("%s has %d bytes unpacked, want at most %d", m.Platform.Architecture, unpacked, mostUnpacked)
		}
		t.Logf("%s: %.1f MB to pull, %.1f MB unpacked", m.Platform.Architecture, float64(compressed)/1e6, float64(unpacked)/1e6)
	}
	slices.Sort(arches)
	if !slices.Equal(arches, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("it is for %v", arches)
	}
}

// checkLayer sees to it that the layer of an architecture has its binary, and
// counts the bytes of all files.
func checkLayer(t *testing.T, arch string, layer []byte) (size int64) {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(string(layer)))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		size += h.Size
		if h.Name != "rocketmq_exporter" {
			continue
		}
		found = true
		head := make([]byte, 20)
		if _, err := io.ReadFull(r, head); err != nil {
			t.Fatal(err)
		}
		// The machine of an ELF file is at byte 18.
		if want := map[string]byte{"amd64": 0x3e, "arm64": 0xb7}[arch]; head[18] != want {
			t.Errorf("%s: its binary is for machine %#x, want %#x", arch, head[18], want)
		}
	}
	if !found {
		t.Errorf("%s: no binary", arch)
	}
	return size
}

// unpack reads a tar file.
func unpack(t *testing.T, name string) map[string][]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := make(map[string][]byte)
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}
