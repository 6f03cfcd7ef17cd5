package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

// TestDemo takes the demo at its word: its name server answers RocketMQ's own
// mqadmin and a second exporter.
func TestDemo(t *testing.T) {
	t.Parallel()
	nameServer := startDemo(t)
	t.Run("mqadmin", func(t *testing.T) { demoAnswersMQAdmin(t, nameServer) })
	t.Run("a second exporter", func(t *testing.T) {
		s := &story{T: t, exporter: startExporter(t, nameServer)}
		s.eventually("it sees what the demo has", demoGroups)
		s.promtool(t)
	})
}

// startDemo runs the command demo until the test ends and returns the address
// of its name server.
func startDemo(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(binary, "demo", "--web.listen-address=127.0.0.1:0")
	stdout := must[io.ReadCloser](t)(cmd.StdoutPipe())
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demo did not end well: %v", err)
		}
	})
	line := regexp.MustCompile(`name server +(\S+)`)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			return m[1]
		}
	}
	t.Fatal("the demo names no name server")
	return ""
}

func demoAnswersMQAdmin(t *testing.T, nameServer string) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"clusterList"}, []string{"shop", "broker-a", "broker-b", "V5_5_0"}},
		{[]string{"topicList"}, []string{"orders", "payments", "notices"}},
		{[]string{"consumerProgress", "-g", "fraud-check", "-s", "true"}, []string{"payments", "broker-a", "10.0.0.8", "Diff Total:"}},
		{[]string{"consumerConnection", "-g", "page-cache"}, []string{"BROADCASTING", "10.0.0.12@DEFAULT"}},
		{[]string{"topicStatus", "-t", "orders"}, []string{"broker-a", "broker-b"}},
	} {
		t.Run(c.args[0], func(t *testing.T) {
			out, err := realmq.AdminOf(t.Context(), realmq.Version5, t.TempDir(), nameServer, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}

func demoGroups(x exposition) error {
	var bad []error
	for _, group := range []string{"billing", "warehouse", "fraud-check", "page-cache", "mailer", "search-indexer", "audit-archive", "monthly-report", "courier"} {
		if len(x.find("rocketmq_msg_diff_consumergroup", "consumerGroup", group)) != 1 {
			bad = append(bad, fmt.Errorf("no backlog of %s", group))
		}
	}
	return errors.Join(bad...)
}
