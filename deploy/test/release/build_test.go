// Package release tests that the same commit gives the same files anywhere, and
// that a release by GoReleaser is made of what make makes.
package release

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

// mostBytes bounds the binaries for Linux, so that the image stays below 15 MB
// with what else is in it. Where one grows beyond its bound at once by megabytes,
// something reachable calls methods by names that the linker cannot know, as
// text/template does: see docs/design.md.
var mostBytes = map[string]int{"amd64": 14_600_000, "arm64": 13_600_000}

// stamp is what make tells of the commit, here without one.
var stamp = []string{"VERSION=9.8.7", "REVISION=abc", "BRANCH=main", "BUILD_USER=nobody", "BUILD_DATE=20260102-03:04:05"}

// copyTo copies what git knows or would know of the repository.
func copyTo(t *testing.T, folder string) {
	t.Helper()
	root := ship.Root(t)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	ship.Run(t, root, nil, "bash", "-c", `git ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
		tar --create --null --files-from=- | tar --extract --directory "$0"`, folder)
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Two folders, one of which is a repository with a change in it, give the same
// bytes: nothing of the folder, of git, of the user or of the clock is in them.
func TestBinariesAreTheSameAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain, repository := filepath.Join(dir, "a"), filepath.Join(dir, "somewhere", "else", "with a space")
	copyTo(t, plain)
	copyTo(t, repository)
	ship.Run(t, repository, nil, "bash", "-c", `git init -q -b other && git add . &&
		git -c user.name=n -c user.email=e commit -q -m m && echo >>README.md`)

	build := func(folder string, env ...string) {
		args := append([]string{"--no-print-directory", "linux-binaries"}, stamp...)
		ship.Run(t, folder, env, "make", args...)
	}
	build(plain)
	build(repository, "USER=somebody", "TZ=Asia/Shanghai", "GOFLAGS=")
	for _, arch := range []string{"amd64", "arm64"} {
		name := filepath.Join("dist", "bin", "linux-"+arch, "rocketmq_exporter")
		one, other := read(t, filepath.Join(plain, name)), read(t, filepath.Join(repository, name))
		if !bytes.Equal(one, other) {
			t.Errorf("%s: %d bytes in one folder, %d in the other, and they differ", arch, len(one), len(other))
		}
		checkBinary(t, arch, one)
		if bytes.Contains(one, []byte(dir)) {
			t.Errorf("%s: it names the folder in which it was built", arch)
		}
	}
	native := filepath.Join(plain, "dist", "bin", "linux-"+goArch(t), "rocketmq_exporter")
	version := ship.Run(t, plain, nil, native, "--version")
	for _, want := range []string{"version 9.8.7 (branch: main, revision: abc)", "nobody", "20260102-03:04:05"} {
		if !strings.Contains(version, want) {
			t.Errorf("--version does not say %q:\n%s", want, version)
		}
	}
}

func goArch(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(ship.Run(t, ".", nil, "go", "env", "GOARCH"))
}

// checkBinary sees to it that a binary is for its machine, and needs nothing
// besides itself: neither a loader nor a library.
func checkBinary(t *testing.T, arch string, b []byte) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", arch, err)
	}
	if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]; f.Machine != want {
		t.Errorf("%s: it is for %v", arch, f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s: it is not static: %v", arch, p.Type)
		}
	}
	if libraries, err := f.ImportedLibraries(); len(libraries) > 0 {
		t.Errorf("%s: it wants %v (%v)", arch, libraries, err)
	}
	if f.Section(".symtab") != nil || f.Section(".debug_info") != nil {
		t.Errorf("%s: it is not stripped", arch)
	}
	if n := len(b); n > mostBytes[arch] {
		t.Errorf("%s: it has %d bytes, want at most %d", arch, n, mostBytes[arch])
	}
	t.Logf("%s: %d bytes", arch, len(b))
}

// The licences go with every binary: of the exporter, of Go, and of each module.
func TestLicenses(t *testing.T) {
	t.Parallel()
	root := ship.Root(t)
	text := ship.Run(t, root, nil, "hack/licenses.sh")
	modules := ship.Run(t, root, []string{"GOOS=linux", "CGO_ENABLED=0"}, "go", "list", "-deps",
		"-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./cmd/rocketmq_exporter")
	chapters := 0
	for module := range strings.Lines(modules) {
		if module == "\n" {
			continue
		}
		chapters++
		if !strings.Contains(text, "\n"+module) {
			t.Errorf("no licence of %s", module)
		}
	}
	if chapters == 0 || !strings.Contains(text, "Apache License") || !strings.Contains(text, "The Go Authors") {
		t.Errorf("%d packages of modules; the licences are\n%.500s", chapters, text)
	}
}
