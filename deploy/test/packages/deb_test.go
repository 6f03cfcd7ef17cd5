// Package packages tests the deb by installing, upgrading, removing and purging
// it on this machine, with the exporter under supervisor in between; and what the
// rpm and the deb hold. It wants root.
package packages

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

const (
	name     = "rocketmq-exporter"
	program  = "/usr/bin/rocketmq_exporter"
	envFile  = "/etc/default/rocketmq_exporter"
	settings = "/etc/rocketmq_exporter/rocketmq_exporter.yml"
	unit     = "/usr/lib/systemd/system/rocketmq_exporter.service"
	docs     = "/usr/share/doc/rocketmq-exporter"
)

// made is a folder with the packages of this version, for the tests that only
// look at them.
var made string

func TestMain(m *testing.M) {
	var err error
	if made, err = os.MkdirTemp("", "packages"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(made)
	os.Exit(code)
}

var once sync.Once

// packages are those of this version.
func packages(t *testing.T) (dist string) {
	t.Helper()
	once.Do(func() { ship.Make(t, made, "packages", "ARCHES="+arch(t)) })
	return made
}

// build has make build the packages of one version for this machine.
func build(t *testing.T, version string) (dist string) {
	t.Helper()
	dist = t.TempDir()
	ship.Make(t, dist, "packages", "ARCHES="+arch(t), "VERSION="+version)
	return dist
}

// arch is this machine's, in Go's and Debian's word.
func arch(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(ship.Run(t, ".", nil, "dpkg", "--print-architecture"))
}

// status is what dpkg thinks of the package.
func status() string {
	out, err := ship.Try(".", nil, "dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", name)
	if err != nil {
		return "not-installed"
	}
	return strings.TrimSpace(out)
}

// dpkg changes what is installed. Somebody else may be at it: then it waits.
func dpkg(t *testing.T, args ...string) {
	t.Helper()
	ship.Eventually(t, "dpkg is free", func() bool {
		_, err := ship.Try(".", []string{"DEBIAN_FRONTEND=noninteractive"}, "dpkg", args...)
		if err != nil && !strings.Contains(err.Error(), "lock") {
			t.Fatal(err)
		}
		return err == nil
	})
}

func install(t *testing.T, dist, version string) {
	t.Helper()
	deb := filepath.Join(dist, name+"_"+version+"_"+arch(t)+".deb")
	dpkg(t, "--install", deb)
	if got := status(); got != "installed "+version {
		t.Fatalf("dpkg says %q", got)
	}
}

// wanted are the files of the package: mode, owner and group.
var wanted = map[string]string{
	program:                                 "-rwxr-xr-x root:root",
	unit:                                    "-rw-r--r-- root:root",
	envFile:                                 "-rw-r----- root:rocketmq_exporter",
	filepath.Dir(settings):                  "drwxr-x--- root:rocketmq_exporter",
	settings:                                "-rw-r----- root:rocketmq_exporter",
	docs + "/supervisor.conf":               "-rw-r--r-- root:root",
	docs + "/rocketmq_exporter.example.yml": "-rw-r--r-- root:root",
	docs + "/copyright":                     "-rw-r--r-- root:root",
}

func TestDeb(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this installs a package: run it as root")
	}
	if got := status(); got != "not-installed" {
		t.Fatalf("%s is %s on this machine, which this test would take away: remove and purge it first", name, got)
	}
	version := ship.Version(t)
	dist := packages(t)
	t.Cleanup(func() { _, _ = ship.Try(".", nil, "dpkg", "--purge", name) })
	install(t, dist, version)

	for file, want := range wanted {
		if got := strings.TrimSpace(ship.Run(t, ".", nil, "stat", "--format=%A %U:%G", file)); got != want {
			t.Errorf("%s is %s, want %s", file, got, want)
		}
	}
	if out := ship.Run(t, ".", nil, program, "--version"); !strings.Contains(out, "version "+version) {
		t.Errorf("it is %s", out)
	}
	user := ship.Run(t, ".", nil, "getent", "passwd", "rocketmq_exporter")
	if !regexp.MustCompile(`^rocketmq_exporter:[^:]*:[1-9]\d{0,2}:\d+:[^:]*:/nonexistent:/usr/sbin/nologin\n$`).MatchString(user) {
		t.Errorf("its user is %s", user)
	}
	// As it comes, its file of settings is right.
	ship.Run(t, ".", nil, program, "--config.file="+settings, "--check-config")

	t.Run("unit", checkUnit)
	t.Run("supervisor", checkSupervisor)

	// What the user has changed outlives an upgrade and a removal.
	const own = "ROCKETMQ_EXPORTER_NAMESRV=\"10.0.0.1:9876\"\n"
	if err := os.WriteFile(envFile, []byte(own), 0o640); err != nil {
		t.Fatal(err)
	}
	const newer = "98.7.6"
	install(t, build(t, newer), newer)
	if out := ship.Run(t, ".", nil, program, "--version"); !strings.Contains(out, "version "+newer) {
		t.Errorf("after the upgrade it is %s", out)
	}
	same := func(when string) {
		t.Helper()
		if text, err := os.ReadFile(envFile); string(text) != own {
			t.Errorf("%s the env file is %q, %v", when, text, err)
		}
	}
	same("after the upgrade")
	dpkg(t, "--remove", name)
	same("after the removal")
	for file := range wanted {
		_, err := os.Stat(file)
		if left := err == nil; left != strings.HasPrefix(file, "/etc/") {
			t.Errorf("after the removal: %s is there: %t", file, left)
		}
	}
	dpkg(t, "--purge", name)
	if got := status(); got != "not-installed" {
		t.Errorf("after the purge it is %s", got)
	}
	for file := range wanted {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("after the purge there is %s", file)
		}
	}
}

// mostExposed is what systemd-analyze may find of 10, times 10.
const mostExposed = 13

// checkUnit has systemd read the unit, and rate what it leaves open.
func checkUnit(t *testing.T) {
	if out, err := ship.Try(".", nil, "systemd-analyze", "verify", "--man=no", unit); err != nil || strings.Contains(out, "rocketmq") {
		t.Errorf("verify: %v\n%s", err, out)
	}
	// It ends with an error above the threshold.
	out, err := ship.Try(".", nil, "systemd-analyze", "security", "--offline=true", "--no-pager",
		"--threshold="+strconv.Itoa(mostExposed), unit)
	if err != nil {
		t.Error(err)
	}
	m := regexp.MustCompile(`Overall exposure level for \S+: (\d+\.\d+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("security:\n%s", out)
	}
	t.Logf("exposure level %s", m[1])
	if doc := ship.Read(t, "docs/install-bare-metal.md"); !strings.Contains(doc, "exposure at "+m[1]+" of 10") {
		t.Errorf("docs/install-bare-metal.md does not say that the exposure is %s", m[1])
	}
}

// checkSupervisor runs the exporter as docs/install-bare-metal.md has it.
func checkSupervisor(t *testing.T) {
	nameServer := ship.Demo(t, program)
	env, err := os.ReadFile(envFile)
	if err != nil {
		t.Fatal(err)
	}
	// As an administrator would: behind a variable that is there.
	text := string(env)
	for variable, value := range map[string]string{"NAMESRV": nameServer, "WEB_LISTEN_ADDRESS": "127.0.0.1:0"} {
		line := regexp.MustCompile(`(?m)^#ROCKETMQ_EXPORTER_` + variable + `=.*$`)
		if !line.MatchString(text) {
			t.Fatalf("the env file has no %s", variable)
		}
		text = line.ReplaceAllString(text, `ROCKETMQ_EXPORTER_`+variable+`="`+value+`"`)
	}
	if err := os.WriteFile(envFile, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}

	section, err := os.ReadFile(docs + "/supervisor.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// Its log belongs to the test; everything else is as it comes.
	log := filepath.Join(dir, "exporter.log")
	moved := strings.Replace(string(section), "/var/log/supervisor/rocketmq_exporter.log", log, 1)
	if moved == string(section) {
		t.Fatal("the section has no log to move")
	}
	conf := "[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=" + filepath.Join(dir, "pid") +
		"\nchildlogdir=" + dir + "\n[include]\nfiles=section.conf\n"
	for file, text := range map[string]string{"supervisord.conf": conf, "section.conf": moved} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := ship.Start(t, []string{"PATH=" + os.Getenv("PATH")}, "supervisord", "--configuration", filepath.Join(dir, "supervisord.conf"))
	var addr, pid string
	p.Eventually("the exporter serves", func() bool {
		text, _ := os.ReadFile(log)
		m := regexp.MustCompile(ship.Listening).FindStringSubmatch(string(text))
		if m != nil {
			addr = m[1]
		}
		return m != nil
	})
	p.Eventually("a scrape", func() bool {
		status, text := ship.Get(t, "http://"+addr+"/metrics")
		return status == 200 && strings.Contains(text, `rocketmq_msg_diff_detail{cluster="shop"`)
	})
	p.Eventually("the exporter runs as its user", func() bool {
		out, err := ship.Try(".", nil, "pgrep", "--parent", strconv.Itoa(p.PID), "--euid", "rocketmq_exporter", "--exact", "rocketmq_export")
		pid = strings.TrimSpace(out)
		return err == nil
	})
	number, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	// Killed, it is started again.
	if err := syscall.Kill(number, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.Eventually("supervisor starts it again", func() bool {
		out, err := ship.Try(".", nil, "pgrep", "--parent", strconv.Itoa(p.PID), "--exact", "rocketmq_export")
		return err == nil && strings.TrimSpace(out) != pid
	})
}
