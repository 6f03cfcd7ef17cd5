package fakemq

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// The functions of this file turn a body into lines, sorted, one for each fact
// that a fake of the same scenario must tell too. What moved between two
// recordings is left out: only topics at rest have their numbers compared.

func atRest(topic []byte) bool {
	switch string(topic) {
	case "orders", "payments", "seq":
		return false
	}
	return true
}

func offsetLines(t *testing.T, body []byte) []string {
	t.Helper()
	var lines []string
	var key remoting.OffsetKey
	_, err := remoting.DecodeConsumerOffsets(body, func(k *remoting.OffsetKey) bool {
		key = *k
		return strings.HasPrefix(string(k.Group), "cg_")
	}, func(queue int32, offset int64) {
		lines = append(lines, fmt.Sprintf("%s@%s broadcast=%v %d %d", key.Topic, key.Group, key.Broadcast, queue, offset))
	})
	must(t, err)
	slices.Sort(lines)
	return lines
}

func topicLines(t *testing.T, body []byte) []string {
	t.Helper()
	var lines []string
	must(t, remoting.DecodeTopicStats(body, func(q *remoting.MessageQueue, o *remoting.TopicOffset) {
		lines = append(lines, fmt.Sprintf("%s %s %d %d-%d dated=%v", q.Topic, q.Broker, q.QueueID, o.Min, o.Max, o.LastUpdate > 0))
	}))
	slices.Sort(lines)
	return lines
}

func statsLines(t *testing.T, body []byte) []string {
	t.Helper()
	var lines []string
	must(t, remoting.DecodeConsumeStats(body, func(q *remoting.MessageQueue, o *remoting.ConsumeOffset) {
		line := fmt.Sprintf("%s %s %d", q.Topic, q.Broker, q.QueueID)
		if atRest(q.Topic) {
			line += fmt.Sprintf(" %+v dated=%v", [3]int64{o.BrokerOffset, o.ConsumerOffset, o.PullOffset}, o.LastTimestamp > 0)
		}
		lines = append(lines, line)
	}))
	slices.Sort(lines)
	return lines
}

func heldLines(t *testing.T, body []byte) []string {
	t.Helper()
	var lines []string
	must(t, remoting.DecodeRunningInfo(body, func(q remoting.RunningQueue) {
		line := fmt.Sprintf("%s %s %d dropped=%v", q.Topic, q.Broker, q.QueueID, q.Dropped)
		if atRest(q.Topic) {
			line += fmt.Sprintf(" %d", q.CommitOffset)
		}
		lines = append(lines, line)
	}))
	slices.Sort(lines)
	return lines
}

// madeByTools matches what the tools that made the recordings left behind.
var madeByTools = regexp.MustCompile(`HealthCheck|%RETRY%TOOLS_CONSUMER`)

func compareNames(t *testing.T, n *Node, code remoting.RequestCode, recorded []byte, fields ...string) {
	t.Helper()
	names := func(body []byte) []string {
		var out []string
		for _, m := range regexp.MustCompile(`"([^"]*)"[,\]]`).FindAllSubmatch(body, -1) {
			if !madeByTools.Match(m[1]) {
				out = append(out, string(m[1]))
			}
		}
		slices.Sort(out)
		return out
	}
	compareLines(t, code.String(), names(askOK(t, n, code, fields...)), names(recorded))
}

func compareConfigs(t *testing.T, got, want []byte) {
	t.Helper()
	lines := func(body []byte) []string {
		var out []string
		must(t, remoting.DecodeTopicConfigs(body, func(c remoting.TopicConfig) {
			if !madeByTools.Match(c.Name) {
				out = append(out, fmt.Sprintf("%s read=%d write=%d perm=%d", c.Name, c.ReadQueues, c.WriteQueues, c.Perm))
			}
		}))
		slices.Sort(out)
		return out
	}
	compareLines(t, "21", lines(got), lines(want))
}

func compareLines(t *testing.T, name string, got, want []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s: recorded has, fake lacks: %s", name, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s: fake has, recorded lacks: %s", name, line)
		}
	}
}
