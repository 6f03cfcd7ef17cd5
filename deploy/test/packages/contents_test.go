package packages

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

// rpmArch is this machine's, in rpm's word.
func rpmArch(t *testing.T) string {
	t.Helper()
	return map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch(t)]
}

// What an rpm holds is listed by rpm itself; nothing is installed.
func TestRPM(t *testing.T) {
	version, dist := ship.Version(t), packages(t)
	file := filepath.Join(dist, name+"-"+version+"-1."+rpmArch(t)+".rpm")
	rpm := func(args ...string) string {
		t.Helper()
		return ship.Run(t, ".", nil, "rpm", append([]string{"--dbpath", filepath.Join(dist, "db"), "--query", "--package", file}, args...)...)
	}
	var got []string
	for line := range strings.Lines(rpm("--queryformat", "[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]")) {
		got = append(got, strings.TrimSpace(line))
	}
	var want []string
	for file, is := range wanted {
		want = append(want, is+" "+file)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("it holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := strings.Fields(rpm("--configfiles")); !slices.Equal(got, []string{envFile, settings}) {
		t.Errorf("files that users change: %q", got)
	}
	// Not to be replaced by those of a newer package: the flag 16.
	for line := range strings.Lines(rpm("--queryformat", "[%{FILENAMES} %{FILEFLAGS}\n]")) {
		if path, flags, _ := strings.Cut(strings.TrimSpace(line), " "); slices.Contains([]string{envFile, settings}, path) && flags != "17" {
			t.Errorf("%s has the flags %s, want 17: config(noreplace)", path, flags)
		}
	}
	head := rpm("--queryformat", "%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{LICENSE}")
	if want := name + " " + version + " 1 " + rpmArch(t) + " Apache-2.0"; head != want {
		t.Errorf("it is %q, want %q", head, want)
	}
	for _, want := range []string{"/usr/sbin/useradd", "/usr/sbin/groupadd"} {
		if !strings.Contains(rpm("--requires"), want) {
			t.Errorf("it does not require %s", want)
		}
	}
	scripts := rpm("--scripts")
	for _, want := range []string{"preinstall scriptlet", "postinstall scriptlet", "preuninstall scriptlet", "postuninstall scriptlet", "useradd --system"} {
		if !strings.Contains(scripts, want) {
			t.Errorf("it has no %q:\n%s", want, scripts)
		}
	}
	if out := ship.Run(t, ".", nil, "rpm", "--dbpath", filepath.Join(dist, "db"), "--checksig", "--verbose", file); strings.Contains(out, "BAD") {
		t.Error(out)
	}
}

func TestDebContents(t *testing.T) {
	version, dist := ship.Version(t), packages(t)
	deb := filepath.Join(dist, name+"_"+version+"_"+arch(t)+".deb")
	fields := ship.Run(t, ".", nil, "dpkg-deb", "--field", deb)
	for _, want := range []string{"Package: " + name, "Version: " + version, "Architecture: " + arch(t), "Depends: passwd", "Section: net"} {
		if !strings.Contains("\n"+fields, "\n"+want+"\n") {
			t.Errorf("it lacks %q:\n%s", want, fields)
		}
	}
	dir := t.TempDir()
	ship.Run(t, ".", nil, "dpkg-deb", "--control", deb, dir)
	conffiles, err := os.ReadFile(filepath.Join(dir, "conffiles"))
	if err != nil || strings.TrimSpace(string(conffiles)) != envFile+"\n"+settings {
		t.Errorf("files that users change: %q, %v", conffiles, err)
	}
}

// The same commit gives the same packages.
func TestPackagesAreTheSameAgain(t *testing.T) {
	one, other := packages(t), build(t, ship.Version(t))
	files, err := filepath.Glob(filepath.Join(one, name+"*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		a, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(other, filepath.Base(file)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s is another one the second time", filepath.Base(file))
		}
	}
}
