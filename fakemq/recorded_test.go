package fakemq

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// recording is one request to a real node and its answer.
type recording struct {
	name    string
	Request struct {
		Code      int32
		ExtFields map[string]string
	}
	Response struct {
		Code      int32
		Flag      int32
		Language  string
		Remark    string
		Version   int32
		ExtFields map[string]string
	}
	body []byte
}

func recordings(t *testing.T, r Release) map[string]recording {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", string(r), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings of %s: %v", r, err)
	}
	all := map[string]recording{}
	for _, file := range files {
		rec := recording{name: strings.TrimSuffix(filepath.Base(file), ".json")}
		raw, err := os.ReadFile(file)
		must(t, err)
		must(t, json.Unmarshal(raw, &rec))
		rec.body, err = os.ReadFile(strings.TrimSuffix(file, ".json") + ".body")
		must(t, err)
		all[rec.name] = rec
	}
	return all
}

// recordedCluster builds the cluster whose answers were recorded.
func recordedCluster(t *testing.T, r Release, recs map[string]recording) *Cluster {
	t.Helper()
	mq := recordedTopology(t, r, recs)
	for name, rec := range recs {
		if strings.HasPrefix(name, "202-") && len(rec.body) > 0 && !strings.Contains(name, "_DLQ_") {
			must(t, remoting.DecodeTopicStats(rec.body, func(q *remoting.MessageQueue, o *remoting.TopicOffset) {
				must(t, mq.ProduceTo(string(q.Topic), string(q.Broker), int(q.QueueID), o.Max))
			}))
		}
	}
	for queue := range 2 { // not recorded by a 202 of its own
		must(t, mq.ProduceTo("failing", "broker-a", queue, 15))
	}
	commitRecorded(t, mq, recs)
	return mq
}

// recordedTopology is that cluster with its topics, groups and processes, and
// no message but dead and delayed ones.
func recordedTopology(t *testing.T, r Release, recs map[string]recording) *Cluster {
	t.Helper()
	mq := start(t, Options{Release: r})
	must(t, remoting.DecodeTopicConfigs(recs["21-topic-config"].body, func(c remoting.TopicConfig) {
		name := string(c.Name)
		if mq.byName["broker-a"].topics[name] == nil && !strings.HasPrefix(name, "%") {
			must(t, mq.AddTopic(Topic{Name: name, ReadQueues: int(c.ReadQueues), WriteQueues: int(c.WriteQueues)}))
		}
	}))
	addRecordedGroups(t, mq, recs)
	must(t, mq.DeadLetter("cg_failing", "broker-a", 30))
	must(t, mq.Delay("broker-a", 3, 30, 30))
	for _, g := range []string{"pg_orders", "pg_pay", "pg_seq"} {
		mustID(t)(mq.AddProducer(Producer{Group: g}))
	}
	return mq
}

func addRecordedGroups(t *testing.T, mq *Cluster, recs map[string]recording) {
	t.Helper()
	for _, name := range []string{"cg_orders", "cg_payments", "cg_notice_bc", "cg_failing", "cg_seq"} {
		conns, err := remoting.DecodeConsumerConnections(recs["203-connections-"+name].body)
		must(t, err)
		topics := slices.DeleteFunc(conns.Topics, isRetry)
		must(t, mq.AddGroup(Group{
			Name: name, Topics: topics, Orderly: name == "cg_seq",
			Broadcasting: conns.MessageModel == remoting.Broadcasting,
		}))
		for _, c := range conns.Clients {
			mustID(t)(mq.AddConsumer(name, Consumer{ID: c.ClientID, Addr: c.Addr, Language: c.Language, Version: c.Version}))
		}
	}
}

func commitRecorded(t *testing.T, mq *Cluster, recs map[string]recording) {
	t.Helper()
	var key remoting.OffsetKey
	_, err := remoting.DecodeConsumerOffsets(recs["43-offsets"].body, func(k *remoting.OffsetKey) bool {
		key = *k
		return !k.Broadcast && strings.HasPrefix(string(k.Group), "cg_")
	}, func(queue int32, offset int64) {
		must(t, mq.Commit(string(key.Group), string(key.Topic), "broker-a", int(queue), offset))
	})
	must(t, err)
	for queue := range 4 {
		must(t, mq.CommitLocal("cg_notice_bc", "192.0.2.2@DEFAULT", "notices", "broker-a", queue, 500))
	}
}

// leftOut are keys of recorded answers that the fake does not have: settings
// of a client process that nobody asks for.
func leftOut(line string) bool { return strings.HasPrefix(line, ".properties.") }

func TestAnswersHaveTheShapeOfRecordedOnes(t *testing.T) {
	for _, release := range []Release{Release497, Release550} {
		recs := recordings(t, release)
		mq := recordedCluster(t, release, recs)
		for _, name := range slices.Sorted(maps.Keys(recs)) {
			t.Run(string(release)+"/"+name, func(t *testing.T) { compareRecorded(t, mq, recs[name]) })
		}
	}
}

func compareRecorded(t *testing.T, mq *Cluster, rec recording) {
	node := mq.Broker("broker-a")
	if code := rec.Request.Code; code == 105 || code == 106 || code == 206 {
		node = mq.NameServer(0)
	}
	var fields []string
	for k, v := range rec.Request.ExtFields {
		fields = append(fields, k, v)
	}
	got := ask(t, node, remoting.RequestCode(rec.Request.Code), fields...)
	want := rec.Response
	if got.Code != want.Code || got.Remark != want.Remark || got.Version != want.Version || got.Flag != want.Flag ||
		got.Language.String() != want.Language {
		t.Errorf("header: %+v\nwant %+v", got.Command, want)
	}
	var keys []string
	for _, f := range got.Fields {
		keys = append(keys, f.Key)
	}
	if wanted := slices.Collect(maps.Keys(want.ExtFields)); !slices.Equal(keys, wanted) {
		t.Errorf("ext fields %v, want %v", keys, wanted)
	}
	if len(rec.body) == 0 {
		if len(got.Body) > 0 {
			t.Errorf("body %q, want none", got.Body)
		}
		return
	}
	compareShapes(t, got.Body, rec.body, leftOut)
}

func TestAnswersHaveTheNumbersOfRecordedOnes(t *testing.T) {
	for _, release := range []Release{Release497, Release550} {
		t.Run(string(release), func(t *testing.T) {
			recs := recordings(t, release)
			mq := recordedCluster(t, release, recs)
			b := mq.Broker("broker-a")
			compareLines(t, "43", offsetLines(t, askOK(t, b, 43)), offsetLines(t, recs["43-offsets"].body))
			for name, rec := range recs {
				switch rec.Request.Code {
				case 202:
					if len(rec.body) > 0 {
						compareLines(t, name, topicLines(t, askOK(t, b, 202, "topic", rec.Request.ExtFields["topic"])), topicLines(t, rec.body))
					}
				case 208:
					got := statsLines(t, askOK(t, b, 208, "consumerGroup", rec.Request.ExtFields["consumerGroup"], "topicList", rec.Request.ExtFields["topicList"]))
					compareLines(t, name, got, statsLines(t, rec.body))
				case 307:
					group, id := rec.Request.ExtFields["consumerGroup"], rec.Request.ExtFields["clientId"]
					compareLines(t, name, heldLines(t, askOK(t, b, 307, "consumerGroup", group, "clientId", id)), heldLines(t, rec.body))
				}
			}
			compareNames(t, b, 305, recs["305-system-topics"].body)
			compareNames(t, b, 300, recs["300-who-consumes-orders"].body, "topic", "orders")
			compareNames(t, mq.NameServer(0), 206, recs["206-topics"].body)
			compareConfigs(t, askOK(t, b, 21), recs["21-topic-config"].body)
		})
	}
}
