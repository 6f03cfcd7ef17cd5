package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// onlyReads lists what was sent in the whole story. Every one of these only
// reads; in particular there is no pull (11) and no 352, which create groups,
// no 308, which deletes offsets, and no 322, which keeps a dead broker alive.
func (s *story) onlyReads(t *testing.T) {
	allowed := map[string]bool{
		"GET_BROKER_CLUSTER_INFO": true, "GET_ALL_TOPIC_CONFIG": true, "GET_ALL_SUBSCRIPTIONGROUP_CONFIG": true,
		"GET_ALL_CONSUMER_OFFSET": true, "GET_CONSUME_STATS": true, "GET_TOPIC_STATS_INFO": true,
		"GET_CONSUMER_CONNECTION_LIST": true, "GET_CONSUMER_RUNNING_INFO": true, "GET_BROKER_RUNTIME_INFO": true,
		"QUERY_CONSUME_TIME_SPAN": true, "GET_ALL_MESSAGE_REQUEST_MODE": true, "GET_BROKER_HA_STATUS": true,
	}
	x := must[exposition](t)(s.exporter.scrape(t.Context()))
	sent := map[string]float64{}
	for _, r := range x.find("rocketmq_exporter_requests_total") {
		sent[r.labels["request"]] += r.value
		if !allowed[r.labels["request"]] {
			t.Errorf("%v was sent", r)
		}
	}
	t.Logf("requests: %v", sent)
	if len(sent) < 5 {
		t.Errorf("only %d kinds of requests are counted", len(sent))
	}
	// Asking in the name of a group that does not exist has not made it.
	out, err := s.mq.Admin(t.Context(), "consumerProgress")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, "NO_SUCH") || !strings.Contains(out, "cg_orders") {
		t.Errorf("the broker's groups:\n%s", out)
	}
}

// promtool checks the exposition as Prometheus' own tool sees it. What it may
// say is that labels are in camelCase: they are RocketMQ's words, and a
// contract.
func (s *story) promtool(t *testing.T) {
	req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, s.exporter.url+"/metrics", nil))
	resp, err := http.DefaultClient.Do(req)
	check(t, err)
	defer resp.Body.Close()
	text := must[[]byte](t)(io.ReadAll(resp.Body))
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is not installed: hack/install-tools.sh does it")
	}
	cmd := exec.CommandContext(t.Context(), path, "check", "metrics")
	cmd.Stdin = strings.NewReader(string(text))
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "camelCase") {
			t.Errorf("promtool: %s", line)
		}
	}
	if err != nil && len(out) == 0 {
		t.Error(fmt.Errorf("promtool: %w", err))
	}
}
