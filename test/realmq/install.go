package realmq

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Versions that tests use unless they are about another one: the last of each
// line. 4.8.0, 4.9.4, 5.1.4, 5.3.3 and 5.4.0 are complete on Maven Central too.
const (
	Version4 = "4.9.7"
	Version5 = "5.5.0"
)

// The artifacts whose dependencies make a whole installation. The tools bring
// the client, and mqadmin.
const pomTemplate = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>realmq</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.rocketmq</groupId><artifactId>rocketmq-namesrv</artifactId><version>VERSION</version></dependency>
    <dependency><groupId>org.apache.rocketmq</groupId><artifactId>rocketmq-broker</artifactId><version>VERSION</version></dependency>
    <dependency><groupId>org.apache.rocketmq</groupId><artifactId>rocketmq-tools</artifactId><version>VERSION</version></dependency>
  </dependencies>
</project>
`

//go:embed java/*.java
var javaSources embed.FS

// Install returns the folder that holds the jars of a RocketMQ version, such
// as "5.5.0". The first call per user and version fetches them by Maven; they
// stay in os.UserCacheDir()/rocketmq_exporter/rocketmq-VERSION/lib. Processes
// that install at the same time wait for each other.
func Install(ctx context.Context, version string) (libDir string, err error) {
	dir, err := installDir(version)
	if err != nil {
		return "", err
	}
	if err := requireTools("java", "mvn"); err != nil {
		return "", err
	}
	err = installOnce(ctx, filepath.Join(dir, "lib"), func(lib string) error {
		return fetchJars(ctx, version, lib)
	})
	if err != nil {
		return "", fmt.Errorf("install RocketMQ %s: %w", version, err)
	}
	return filepath.Join(dir, "lib"), nil
}

// installDir is the cache folder of one version.
func installDir(version string) (string, error) {
	if version == "" || strings.ContainsAny(version, "/\\<>& \t\n") {
		return "", fmt.Errorf("install RocketMQ: %q is no version", version)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("install RocketMQ %s: %w", version, err)
	}
	return filepath.Join(cache, "rocketmq_exporter", "rocketmq-"+version), nil
}

// requireTools names every missing program at once. They are required and not
// skipped over: a test that did not run must not look like one that passed.
func requireTools(names ...string) error {
	var missing []string
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("tests against a real RocketMQ need a JDK (11 or later) and Maven: not in PATH: %s",
			strings.Join(missing, ", "))
	}
	return nil
}

// installOnce makes dir by fill unless it is there. fill gets a temporary
// folder, which gets its name only when fill succeeded, so dir is complete
// whenever it exists.
func installOnce(ctx context.Context, dir string, fill func(dir string) error) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	unlock, err := lockFile(ctx, filepath.Join(filepath.Dir(dir), "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), "unfinished-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(unfinished)
	if err := fill(unfinished); err != nil {
		return err
	}
	return os.Rename(unfinished, dir)
}

// lockFile takes an exclusive lock that the kernel drops with the process.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = Poll(ctx, func(context.Context) error {
		return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	})
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { file.Close() }, nil
}

func fetchJars(ctx context.Context, version, dir string) error {
	work, err := os.MkdirTemp("", "realmq-maven-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	pom := strings.ReplaceAll(pomTemplate, "VERSION", version)
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), []byte(pom), 0o644); err != nil {
		return err
	}
	cmd := commandGroup(ctx, "mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+dir)
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn dependency:copy-dependencies: %w\n%s", err, tail(out, 4<<10))
	}
	// Maven is content with a version of which only the pom was published.
	for _, artifact := range []string{"namesrv", "broker", "tools"} {
		jar := filepath.Join(dir, "rocketmq-"+artifact+"-"+version+".jar")
		if _, err := os.Stat(jar); err != nil {
			return fmt.Errorf("mvn dependency:copy-dependencies brought no such jar: %w", err)
		}
	}
	return nil
}

// compileClients returns the folder with the classes of java/*.java for one
// version. They are compiled once per change and version: the JDK's source
// launcher would take two seconds of CPU for every single consumer.
func compileClients(ctx context.Context, version string) (classDir string, err error) {
	dir, err := installDir(version)
	if err != nil {
		return "", err
	}
	if err := requireTools("javac"); err != nil {
		return "", err
	}
	sources, err := clientSources(version)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, source := range sources {
		fmt.Fprintf(hash, "%s\x00%s\x00", source.name, source.text)
	}
	classes := filepath.Join(dir, "clients-"+hex.EncodeToString(hash.Sum(nil))[:16])
	err = installOnce(ctx, classes, func(out string) error {
		args := []string{"-nowarn", "-proc:none", "-cp", filepath.Join(dir, "lib", "*"), "-d", out}
		for _, source := range sources {
			path := filepath.Join(out, source.name)
			if err := os.WriteFile(path, []byte(source.text), 0o644); err != nil {
				return err
			}
			args = append(args, path)
		}
		if output, err := commandGroup(ctx, "javac", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("javac: %w\n%s", err, tail(output, 4<<10))
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("compile the clients for RocketMQ %s: %w", version, err)
	}
	return classes, nil
}

type javaSource struct{ name, text string }

// clientSources returns java/*.java, which are written for 5.x, with the
// package names of the version.
func clientSources(version string) ([]javaSource, error) {
	packages := strings.NewReplacer()
	if isVersion4(version) {
		packages = strings.NewReplacer(
			"org.apache.rocketmq.remoting.protocol.subscription.", "org.apache.rocketmq.common.subscription.",
			"org.apache.rocketmq.remoting.protocol.heartbeat.", "org.apache.rocketmq.common.protocol.heartbeat.",
		)
	}
	paths, err := fs.Glob(javaSources, "java/*.java")
	if err != nil {
		return nil, err
	}
	var sources []javaSource
	for _, path := range paths {
		text, err := javaSources.ReadFile(path)
		if err != nil {
			return nil, err
		}
		sources = append(sources, javaSource{filepath.Base(path), packages.Replace(string(text))})
	}
	return sources, nil
}

func isVersion4(version string) bool { return strings.HasPrefix(version, "4.") }

// commandGroup is exec.CommandContext for a program that starts others: the
// end of ctx ends its whole process group.
func commandGroup(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// tail returns the last limit bytes of output, from the start of a line.
func tail(output []byte, limit int) string {
	text := strings.TrimSpace(string(output))
	if len(text) <= limit {
		return text
	}
	text = text[len(text)-limit:]
	if _, rest, found := strings.Cut(text, "\n"); found {
		text = rest
	}
	return "…\n" + text
}
