package fakemq

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The console of each release was recorded before a cluster of one release.
var consolePairs = []struct {
	console ConsoleRelease
	cluster Release
}{{Console100, Release497}, {Console211, Release550}}

// consoleRecordings are the recorded bodies of one release by file name.
func consoleRecordings(t *testing.T, r ConsoleRelease) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "console", string(r), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings of %s: %v", r, err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		must(t, err)
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = bytes.TrimSpace(body)
	}
	return all
}

// recordedCall is what a recording was asked with.
func recordedCall(name, broker string, recs map[string]recording) (path string, params []string) {
	kind, what, _ := strings.Cut(name, "-")
	switch {
	case kind == "consumers":
		if rest, ok := strings.CutPrefix(what, "_"); ok {
			prefix, name, _ := strings.Cut(rest, "_")
			what = "%" + prefix + "%" + name
		}
		return "/topic/queryConsumerByTopic.query", []string{"topic", what}
	case kind == "running":
		client := recs["307-running-"+what+"-0"].Request.ExtFields["clientId"]
		return "/consumer/consumerRunningInfo.query", []string{"consumerGroup", what, "clientId", client, "jstack", "false"}
	case kind == "stats" || kind == "route":
		return "/topic/" + kind + ".query", []string{"topic", what}
	case name == "topic-list":
		return "/topic/list.query", nil
	case name == "group-list":
		return "/consumer/groupList.query", []string{"skipSysGroup", "false", "address", ""}
	case kind == "group":
		return "/consumer/queryTopicByConsumer.query", []string{"consumerGroup", what, "address", broker}
	case kind == "connection":
		return "/consumer/consumerConnection.query", []string{"consumerGroup", what, "address", broker}
	}
	return "/cluster/list.query", nil
}

// TestConsoleAnswersLikeTheRecordedOne builds, for each recorded answer, the
// cluster that it was given for, and compares form and content.
func TestConsoleAnswersLikeTheRecordedOne(t *testing.T) {
	for _, pair := range consolePairs {
		recs := recordings(t, pair.cluster)
		for name, want := range consoleRecordings(t, pair.console) {
			t.Run(string(pair.console)+"/"+name, func(t *testing.T) {
				mq := recordedTopology(t, pair.cluster, recs)
				if pair.console.two() {
					must(t, mq.DeleteTopic("HealthCheckTopic-DefaultCluster")) // came later
					must(t, mq.AddGroup(Group{Name: "TOOLS_CONSUMER", Pull: true}))
					mustID(t)(mq.AddConsumer("TOOLS_CONSUMER", Consumer{Version: 401}))
				}
				rows := recordedRows(t, name, want)
				fill(t, mq, rows)
				b := browse(t, startConsole(t, mq, ConsoleOptions{Release: pair.console}))
				path, params := recordedCall(name, mq.Broker("broker-a").Addr(), recs)
				got := b.get(path, params...)
				if !bytes.HasPrefix(want, []byte(`{"status":0,`)) {
					if !bytes.Equal(got.body, want) {
						t.Errorf("got  %s\nwant %s", got.body, want)
					}
					return
				}
				compareForms(t, got.body, want)
				compareContents(t, b, name, got, want, rows)
			})
		}
	}
}

// recordedRows are the queues of a recorded answer by group.
func recordedRows(t *testing.T, name string, body []byte) map[string][]progress {
	t.Helper()
	kind, what, _ := strings.Cut(name, "-")
	switch {
	case !bytes.HasPrefix(body, []byte(`{"status":0,`)):
	case kind == "consumers":
		var in struct{ Data map[string]progress }
		must(t, json.Unmarshal(body, &in))
		rows := map[string][]progress{}
		for group, p := range in.Data {
			rows[group] = []progress{p}
		}
		return rows
	case kind == "group" && what != "list":
		var in struct{ Data []progress }
		must(t, json.Unmarshal(body, &in))
		return map[string][]progress{what: in.Data}
	}
	return nil
}

// fill makes the messages and commits of recorded queues. Where groups were
// asked one after the other, the later queue end counts.
func fill(t *testing.T, mq *Cluster, rows map[string][]progress) {
	t.Helper()
	type queue struct {
		topic string
		id    int
	}
	ends := map[queue]int64{}
	for _, topics := range rows {
		for _, p := range topics {
			for _, q := range p.QueueStatInfoList {
				at := queue{p.Topic, q.QueueID}
				ends[at] = max(ends[at], q.BrokerOffset)
			}
		}
	}
	for q, end := range ends {
		must(t, mq.ProduceTo(q.topic, "broker-a", q.id, end))
	}
	for group, topics := range rows {
		for _, p := range topics {
			for _, q := range p.QueueStatInfoList {
				if !mq.groups[group].broadcasting() {
					must(t, mq.Commit(group, p.Topic, q.BrokerName, q.QueueID, q.ConsumerOffset))
				}
			}
		}
	}
}

func compareContents(t *testing.T, b *browser, name string, got reply, want []byte, rows map[string][]progress) {
	t.Helper()
	switch kind, _, _ := strings.Cut(name, "-"); {
	case rows != nil:
		compareLines(t, name, progressLines(recordedRows(t, name, got.body)), progressLines(rows))
	case name == "topic-list":
		compareLines(t, name, topicNameLines(t, b, got), topicNameLines(t, b, reply{code: 200, body: want}))
	case name == "group-list":
		compareLines(t, name, groupLines(t, b, got), groupLines(t, b, reply{code: 200, body: want}))
	case kind == "route":
		route := func(r reply) string {
			var data struct {
				BrokerDatas []struct{ BrokerAddrs map[string]string }
			}
			b.envelope(r, &data)
			return strings.Replace(string(r.body), data.BrokerDatas[0].BrokerAddrs["0"], "ADDRESS", 1)
		}
		if got, want := route(got), route(reply{code: 200, body: want}); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	case kind == "stats":
		compareLines(t, name, statsQueueLines(t, b, got), statsQueueLines(t, b, reply{code: 200, body: want}))
	case kind == "running":
		compareLines(t, name, runningLines(t, b, got), runningLines(t, b, reply{code: 200, body: want}))
	case kind == "connection":
		compareLines(t, name, connectionLines(t, b, got), connectionLines(t, b, reply{code: 200, body: want}))
	}
}

// progressLines leave out the times, which cannot be the same, and the queue
// ends, which moved while the recorded console went from group to group.
func progressLines(rows map[string][]progress) []string {
	var lines []string
	for group, topics := range rows {
		for _, p := range topics {
			var sum int64
			lines = append(lines, fmt.Sprintf("%s %s timed=%t", group, p.Topic, p.LastTimestamp > 0))
			for _, q := range p.QueueStatInfoList {
				sum += q.BrokerOffset - q.ConsumerOffset
				lines = append(lines, fmt.Sprintf("%s %s %s/%d committed=%d by=%s timed=%t",
					group, p.Topic, q.BrokerName, q.QueueID, q.ConsumerOffset, q.client(), q.LastTimestamp > 0))
			}
			if sum != p.DiffTotal {
				lines = append(lines, fmt.Sprintf("%s %s: diffTotal %d, the queues' sum %d", group, p.Topic, p.DiffTotal, sum))
			}
		}
	}
	return lines
}

func topicNameLines(t *testing.T, b *browser, r reply) []string {
	t.Helper()
	var list struct{ TopicList []string }
	b.envelope(r, &list)
	return list.TopicList
}

func groupLines(t *testing.T, b *browser, r reply) []string {
	t.Helper()
	var list []struct {
		Group, Version, ConsumeType, MessageModel, SubGroupType string
		Count                                                   int
		DiffTotal                                               int64
		Address                                                 []string
	}
	b.envelope(r, &list)
	var lines []string
	for _, g := range list {
		lines = append(lines, fmt.Sprintf("%s %q x%d %q %q %q addresses=%d known=%t",
			g.Group, g.Version, g.Count, g.ConsumeType, g.MessageModel, g.SubGroupType, len(g.Address), g.DiffTotal >= 0))
	}
	return lines
}

func statsQueueLines(t *testing.T, b *browser, r reply) []string {
	t.Helper()
	var table struct{ OffsetTable map[string]any }
	b.envelope(r, &table)
	return slices.Collect(maps.Keys(table.OffsetTable))
}

func runningLines(t *testing.T, b *browser, r reply) []string {
	t.Helper()
	var info struct {
		MQTable     map[string]any
		StatusTable map[string]any
		Properties  map[string]string
	}
	b.envelope(r, &info)
	lines := slices.Concat(slices.Collect(maps.Keys(info.MQTable)), slices.Collect(maps.Keys(info.StatusTable)))
	for _, key := range []string{"messageModel", "consumerGroup", "PROP_CLIENT_VERSION", "PROP_CONSUME_TYPE"} {
		lines = append(lines, key+"="+info.Properties[key])
	}
	return lines
}

func connectionLines(t *testing.T, b *browser, r reply) []string {
	t.Helper()
	var conns struct {
		ConnectionSet                               []map[string]any
		SubscriptionTable                           map[string]map[string]any
		ConsumeType, MessageModel, ConsumeFromWhere string
	}
	b.envelope(r, &conns)
	lines := []string{conns.ConsumeType, conns.MessageModel, conns.ConsumeFromWhere}
	for _, c := range conns.ConnectionSet {
		lines = append(lines, fmt.Sprint(c))
	}
	for topic, sub := range conns.SubscriptionTable {
		delete(sub, "subVersion")
		lines = append(lines, fmt.Sprint(topic, sub))
	}
	return lines
}

// formMaps are the objects of the console's answers whose keys are data.
var formMaps = []string{
	".data.subscriptionTable", ".data.brokerServer", ".data.brokerServer.*", ".data.clusterInfo.brokerAddrTable",
	".data.clusterInfo.brokerAddrTable.*.brokerAddrs", ".data.clusterInfo.clusterAddrTable",
	".data.offsetTable", ".data.brokerDatas.*.brokerAddrs", ".data.properties", ".data.mqTable", ".data.statusTable",
}

// form lists what standard JSON is made of: per object its keys in their order,
// per other value its kind.
func form(t *testing.T, body []byte) []string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	lines := map[string]bool{}
	byGroup := bytes.Contains(body, []byte(`"queueStatInfoList"`)) && bytes.Contains(body, []byte(`"data":{"cg_`))
	var walk func(path string)
	walk = func(path string) {
		tok, err := dec.Token()
		must(t, err)
		switch delim, _ := tok.(json.Delim); delim {
		case '{':
			isMap := slices.Contains(formMaps, path) || path == ".data" && byGroup
			var keys []string
			for dec.More() {
				key, err := dec.Token()
				must(t, err)
				name := fmt.Sprint(key)
				if isMap {
					name = "*"
				}
				keys = append(keys, name)
				walk(path + "." + name)
			}
			if strings.HasPrefix(path, ".data.brokerServer.*.*") {
				slices.Sort(keys) // a hash map's order
			}
			if isMap {
				keys = slices.Compact(keys)
			}
			lines[path+" {"+strings.Join(keys, " ")+"}"] = true
			_, err := dec.Token()
			must(t, err)
		case '[':
			for dec.More() {
				walk(path + ".*")
			}
			lines[path+" []"] = true
			_, err := dec.Token()
			must(t, err)
		default:
			lines[fmt.Sprintf("%s %T", path, tok)] = true
		}
	}
	walk("")
	return slices.Sorted(maps.Keys(lines))
}

func compareForms(t *testing.T, got, want []byte) {
	t.Helper()
	compareLines(t, "form", form(t, got), form(t, want))
}
