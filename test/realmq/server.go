package realmq

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// bootTimeout bounds the boot of one JVM, 2 s to 8 s on an idle machine.
const bootTimeout = 2 * time.Minute

// errBindClash reports that a port was taken between its choice and the boot.
var errBindClash = errors.New("port is in use")

// bindClash matches what a server prints when it cannot have its port.
var bindClash = regexp.MustCompile(`BindException|Address already in use|Failed to bind`)

// Server is a name server or a broker: a JVM that can be ended and started
// again, with its port and its data.
type Server struct {
	cluster *Cluster
	name    string
	home    string
	broker  *BrokerOptions // nil for a name server

	mu      sync.Mutex
	ports   *portReservation
	process *process // nil before the first boot
}

// Name is the broker's name, or "namesrv-0" and so on.
func (s *Server) Name() string { return s.name }

// Addr is host:port of the server's listener, the same after a restart.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.ports.port))
}

// PID is the process id of the last JVM.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.pid
}

// Running says whether the JVM is there.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process != nil && s.process.running()
}

// Kill ends the server by SIGKILL, as a crash would, and returns when it is
// gone. The name servers notice by the closed connection a little later.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	return s.process.kill()
}

// Stop ends the server by SIGTERM, its orderly shutdown, and returns when it
// is gone. When ctx ends first it is killed, which is an error.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	return s.process.terminate(ctx)
}

// Start boots the server again on its port and its data. It returns when the
// server has said so and is registered: a broker at every running name server,
// a name server by every running broker, which takes up to 10 s, the shortest
// period at which brokers register.
func (s *Server) Start(ctx context.Context) error {
	if s.Running() {
		return fmt.Errorf("start %s: already running", s.name)
	}
	if err := s.boot(ctx); err != nil {
		return err
	}
	return s.cluster.awaitRegistered(ctx, s)
}

// bootFirst boots a server for the first time, on ports of its own choice.
func (s *Server) bootFirst(ctx context.Context) error {
	const attempts = 3
	var err error
	for range attempts {
		if err = s.reserve(); err != nil {
			return fmt.Errorf("boot %s: %w", s.name, err)
		}
		if err = s.boot(ctx); !errors.Is(err, errBindClash) {
			return err
		}
	}
	return err
}

// reserve chooses ports, and an empty home in place of what a failed boot left.
func (s *Server) reserve() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ports != nil {
		if err := s.ports.release(); err != nil {
			return err
		}
	}
	reserve := reserveBrokerPorts
	if s.broker == nil {
		reserve = reserveNameServerPort
	}
	var err error
	if s.ports, err = reserve(); err != nil {
		return err
	}
	if err := os.RemoveAll(s.home); err != nil {
		return err
	}
	if err := writeHome(s.home, s.cluster.options.Credentials); err != nil || s.broker == nil {
		return err
	}
	for path, text := range s.broker.Files {
		if err := os.WriteFile(filepath.Join(s.home, path), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) boot(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTimeout, fmt.Errorf("no boot within %s", bootTimeout))
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.bootLocked(ctx); err != nil {
		return fmt.Errorf("boot %s: %w", s.name, err)
	}
	return nil
}

func (s *Server) bootLocked(ctx context.Context) error {
	config := filepath.Join(s.home, "server.properties")
	if err := os.WriteFile(config, []byte(s.properties()), 0o644); err != nil {
		return err
	}
	logged, err := openOutputLog(s.stdoutPath(), "boot success")
	if err != nil {
		return err
	}
	cmd := s.command(config).command()
	cmd.Stdout, cmd.Stderr = logged, logged
	if s.process, err = startProcess(s.name, cmd); err != nil {
		return errors.Join(err, logged.file.Close())
	}
	logged.closeAfter(s.process)
	ended := s.process.done
	select {
	case <-logged.marked:
		return nil
	case <-ended:
		output := s.logTail(4 << 10)
		if bindClash.MatchString(output) {
			return fmt.Errorf("%w: 127.0.0.1:%d or a neighbour\n%s", errBindClash, s.ports.port, output)
		}
		return errors.Join(fmt.Errorf("ended before it was up\n%s", output), s.process.err)
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("%w\n%s", context.Cause(ctx), s.logTail(4<<10)), s.process.kill())
	}
}

func (s *Server) command(config string) javaCommand {
	java := javaCommand{
		classPath: []string{filepath.Join(s.cluster.libDir, "*")},
		home:      s.home,
		args:      []string{"-c", config},
	}
	java.options = append(java.options, s.cluster.options.serverTLS()...)
	if s.broker == nil {
		java.main = "org.apache.rocketmq.namesrv.NamesrvStartup"
		java.options = append(java.options, "-Xms64m", "-Xmx256m")
		return java
	}
	java.main = "org.apache.rocketmq.broker.BrokerStartup"
	java.options = append(java.options,
		fmt.Sprintf("-Xmx%dm", s.broker.HeapMB),
		fmt.Sprintf("-XX:MaxDirectMemorySize=%dm", s.broker.HeapMB),
		// Else a developer's disk that is 85 % full makes brokers refuse
		// messages (DefaultMessageStore.CleanCommitLogService).
		"-Drocketmq.broker.diskSpaceWarningLevelRatio=0.99",
		"-Drocketmq.broker.diskSpaceCleanForciblyRatio=0.99",
	)
	return java
}

// properties is the configuration file; what the test asked for comes last.
func (s *Server) properties() string {
	properties := map[string]string{
		"listenPort": strconv.Itoa(s.ports.port),
		// Unknown to 4.x, which listens on every address.
		"bindAddress": "127.0.0.1",
	}
	if s.broker == nil {
		properties["kvConfigPath"] = filepath.Join(s.home, "kvConfig.json")
		properties["configStorePath"] = filepath.Join(s.home, "namesrv.properties")
	} else {
		maps.Copy(properties, s.brokerProperties())
		maps.Copy(properties, s.broker.Properties)
	}
	var lines strings.Builder
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		fmt.Fprintf(&lines, "%s=%s\n", key, properties[key])
	}
	return lines.String()
}

func (s *Server) brokerProperties() map[string]string {
	store := filepath.Join(s.home, "store")
	role := "ASYNC_MASTER"
	if s.broker.ID != 0 {
		role = "SLAVE"
	}
	return map[string]string{
		"brokerClusterName": s.broker.ClusterName,
		"brokerName":        s.broker.Name,
		"brokerId":          strconv.Itoa(s.broker.ID),
		"brokerRole":        role,
		"brokerIP1":         "127.0.0.1",
		"brokerIP2":         "127.0.0.1",
		"namesrvAddr":       s.cluster.NameServer(),
		// The shortest period that BrokerController takes, in milliseconds.
		"registerNameServerPeriod": "10000",
		"storePathRootDir":         store,
		"storePathCommitLog":       filepath.Join(store, "commitlog"),
		"flushDiskType":            "ASYNC_FLUSH",
		"mappedFileSizeCommitLog":  "16777216",
		"mapedFileSizeCommitLog":   "16777216", // the spelling of older 4.x
		// In bytes: 3,000 entries. The whole of each of the many files is mapped.
		"mapedFileSizeConsumeQueue":  "60000",
		"mappedFileSizeConsumeQueue": "60000",
		"diskMaxUsedSpaceRatio":      "99", // percent
		"cleanFileForciblyEnable":    "false",
		// A busy machine is no error here. Milliseconds.
		"waitTimeMillsInSendQueue":    "10000",
		"osPageCacheBusyTimeOutMills": "10000",
		// 5.x spins for the length of this after its boot, by default 10 s
		// (TransactionMetricsFlushService).
		"transactionMetricFlushInterval": "1000",
		// 5.x copies 38 MB each time, by default each second (TimerWheel.flush).
		"timerFlushIntervalMs": "10000",
	}
}

func (s *Server) stdoutPath() string { return filepath.Join(s.home, "stdout.log") }

// logTail returns the ends of what the server printed and logged.
func (s *Server) logTail(limit int64) string {
	parts := []string{fileTail(s.stdoutPath(), limit)}
	if path := logPath(s.home); fileSize(path) > 0 {
		parts = append(parts, fileTail(path, limit))
	}
	return strings.Join(parts, "\n")
}

// logbackTemplate replaces the logging of the distribution, whose dozens of
// files are no help here. PACKAGE is of the copy of logback that 5.x has.
const logbackTemplate = `<configuration>
  <statusListener class="PACKAGEch.qos.logback.core.status.NopStatusListener"/>
  <appender name="file" class="PACKAGEch.qos.logback.core.FileAppender">
    <file>LOG</file>
    <encoder><pattern>%d %p %t - %m%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="file"/></root>
</configuration>
`

// logPath is the log of the JVM with this home.
func logPath(home string) string { return filepath.Join(home, "rocketmq.log") }

// logbackPath is the logging configuration of 5.x, by a system property.
func logbackPath(home string) string { return filepath.Join(home, "conf", "logback.xml") }

// writeHome makes the folder that is rocketmq.home.dir for a server or a tool.
func writeHome(dir string, credentials *Credentials) error {
	conf := filepath.Join(dir, "conf")
	if err := os.MkdirAll(conf, 0o755); err != nil {
		return err
	}
	configurations := map[string]string{logbackPath(dir): "org.apache.rocketmq.logging."}
	for _, name := range []string{"namesrv", "broker", "tools"} { // 4.x does not boot without
		configurations[filepath.Join(conf, "logback_"+name+".xml")] = ""
	}
	for path, prefix := range configurations {
		text := strings.NewReplacer("PACKAGE", prefix, "LOG", logPath(dir)).Replace(logbackTemplate)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if credentials == nil {
		return nil
	}
	// What mqadmin signs its requests with (AclUtils.getAclRPCHook).
	text := fmt.Sprintf("accessKey: %q\nsecretKey: %q\n", credentials.AccessKey, credentials.SecretKey)
	return os.WriteFile(filepath.Join(conf, "tools.yml"), []byte(text), 0o600)
}
