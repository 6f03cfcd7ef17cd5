package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

// behind is a cluster with a group that has two processes and 35 messages to
// consume, and another that has nobody.
func behind(t *testing.T) *fakemq.Cluster {
	t.Helper()
	mq, err := fakemq.Start(fakemq.Options{Clusters: []fakemq.ClusterOptions{{Name: "shop"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mq.Close)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(mq.AddTopic(fakemq.Topic{Name: "orders", Queues: 4}))
	must(mq.AddGroup(fakemq.Group{Name: "billing", Topics: []string{"orders"}}))
	must(mq.AddGroup(fakemq.Group{Name: "reports", Topics: []string{"orders"}}))
	for range 2 {
		_, err := mq.AddConsumer("billing", fakemq.Consumer{})
		must(err)
	}
	must(mq.Produce("orders", 40))
	_, err = mq.Consume("billing", "orders", 5)
	must(err)
	must(mq.Commit("reports", "orders", "broker-a", 0, 5))
	return mq
}

// lagOf runs the command against a cluster.
func lagOf(t *testing.T, mq *fakemq.Cluster, args ...string) (out, log string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"lag", "--namesrv=" + strings.Join(mq.NameServers(), ",")}, args...)
	err = run(t.Context(), args, &stdout, &stderr)
	return stdout.String(), stderr.String(), err
}

func TestLagPrintsTheBacklog(t *testing.T) {
	mq := behind(t)
	out, log, err := lagOf(t, mq, "--topic=orders")
	if err != nil || log != "" {
		t.Fatalf("%v\n%s", err, log)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) < 2 || !strings.HasPrefix(lines[0], "GROUP ") {
		t.Fatalf("got\n%s", out)
	}
	for _, line := range lines[1:] {
		words := strings.Fields(line)
		if words[0] == "billing" && words[1] == "orders" && words[2] == "35" && words[len(words)-1] == "2" {
			return
		}
	}
	t.Errorf("got\n%s", out)
}

func TestLagByClientAndQueueAsJSON(t *testing.T) {
	mq := behind(t)
	for by, rows := range map[string]int{"client": 2, "queue": 4} {
		out, log, err := lagOf(t, mq, "--by="+by, "--output=json", "--group=bill*", "--topic=orders")
		if err != nil || log != "" {
			t.Fatalf("%v\n%s", err, log)
		}
		var list []struct {
			Group    string `json:"consumerGroup"`
			IP, PID  string
			Messages int64
		}
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for _, row := range list {
			sum += row.Messages
			if row.Group != "billing" {
				t.Errorf("by %s: a row of %q", by, row.Group)
			}
		}
		if len(list) != rows || sum != 35 {
			t.Errorf("by %s: %d rows with %d messages, want %d with 35:\n%s", by, len(list), sum, rows, out)
		}
	}
}

func TestLagSaysWhatItCouldNotRead(t *testing.T) {
	mq := behind(t)
	for _, n := range mq.Nodes() {
		n.Stop()
	}
	out, log, err := lagOf(t, mq)
	if err == nil || !strings.Contains(err.Error(), "not reached: ") {
		t.Errorf("got %v", err)
	}
	if out != "" || !strings.Contains(log, "Cannot be read") {
		t.Errorf("printed %q, logged %q", out, log)
	}
}

func TestLagWatchesUntilItIsEnded(t *testing.T) {
	mq := behind(t)
	p := start(t, nil, "lag", "--watch", "--collect.interval=1s", "--collect.timeout=1s", "--group=billing", "--topic=orders",
		"--namesrv="+strings.Join(mq.NameServers(), ","))
	p.eventually("35 messages", func() bool { return strings.Contains(p.stdout.String(), " 35 ") })
	if err := mq.Produce("orders", 100); err != nil {
		t.Fatal(err)
	}
	p.eventually("135 messages", func() bool { return strings.Contains(p.stdout.String(), " 135 ") })
	p.endWell(os.Interrupt)
	if out := p.stdout.String(); strings.Contains(out, "\x1b") {
		t.Errorf("what is no terminal was cleared: %q", out)
	}
}

func TestMistakesOfLagAreReportedWithAllOthers(t *testing.T) {
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"lag", "--by=x", "--output=y", "--group=[a", "--collect.window=many", "--collect.interval=foo"}, &stdout, &stderr)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`--by: "x" is none of topic, queue, client`, `--output: "y"`, `"[a" is no pattern`, "--collect.window", `--collect.interval: "foo" is no duration`, "--namesrv"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
}

// Where nobody says otherwise lag has a pace and a log of its own.
func TestDefaultsOfLagAreBeatenByEverythingElse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mq.yml")
	for _, c := range []struct {
		name, text, env, flag string // of the interval, and of the level
		once, watch           time.Duration
		level                 string
	}{
		{"nothing is said", "", "", "", onceInterval, watchInterval, "warn"},
		{"the file", "log: {level: debug}\ndefaults: {collect: {interval: 20s}}\n", "", "", 20 * time.Second, 20 * time.Second, "debug"},
		{"the environment", "log: {level: debug}\ndefaults: {collect: {interval: 20s}}\n", "30s error", "", 30 * time.Second, 30 * time.Second, "error"},
		{"a flag", "log: {level: debug}\n", "30s error", "40s info", 40 * time.Second, 40 * time.Second, "info"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"lag", "--namesrv=a:1", "--config.file=" + file}
			if interval, level, ok := strings.Cut(c.env, " "); ok {
				t.Setenv("ROCKETMQ_EXPORTER_COLLECT_INTERVAL", interval)
				t.Setenv("ROCKETMQ_EXPORTER_LOG_LEVEL", level)
			}
			if interval, level, ok := strings.Cut(c.flag, " "); ok {
				args = append(args, "--collect.interval="+interval, "--log.level="+level)
			}
			for _, way := range []struct {
				flags []string
				want  time.Duration
			}{{nil, c.once}, {[]string{"--watch"}, c.watch}} {
				parsed, _, err := parse(slices.Concat(args, way.flags), io.Discard, io.Discard)
				if err != nil {
					t.Fatal(err)
				}
				v, err := parsed.loadLag()
				if err != nil {
					t.Fatal(err)
				}
				if got := v.Clusters[0].Interval; got != way.want || v.Log.Level != c.level {
					t.Errorf("%v: every %v, logging %s; want %v, %s", way.flags, got, v.Log.Level, way.want, c.level)
				}
			}
		})
	}
}

// Ages that are not known after the first round are waited for, but not for long.
func TestHowOftenLagReads(t *testing.T) {
	for interval, want := range map[time.Duration]int{time.Second: 3, 15 * time.Second: 3, 16 * time.Second: 2, 30 * time.Second: 2, time.Minute: 1, time.Hour: 1} {
		v := config.Valid{Config: config.Config{Clusters: []config.Cluster{{Interval: time.Second}, {Interval: interval}}}}
		if got := roundsOnce(v); got != want {
			t.Errorf("every %v: %d times, want %d", interval, got, want)
		}
	}
}
