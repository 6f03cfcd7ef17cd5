package remoting

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The decoders of bodies, by the recorded answers that are theirs. Each emits a
// line for all that it hands out, so that two readings compare.
var bodyDecoders = []struct {
	prefix string
	decode func(body []byte, emit func(format string, args ...any)) error
}{
	{"106-", func(body []byte, emit func(string, ...any)) error {
		info, err := DecodeClusterInfo(body)
		emit("%+v", info)
		return err
	}},
	{"21-", func(body []byte, emit func(string, ...any)) error {
		return DecodeTopicConfigs(body, func(t TopicConfig) { emit("%+v", t) })
	}},
	{"201-", func(body []byte, emit func(string, ...any)) error {
		return DecodeGroups(body, func(name []byte) { emit("%q", name) })
	}},
	{"43-", func(body []byte, emit func(string, ...any)) error {
		odd, err := DecodeConsumerOffsets(body, func(k *OffsetKey) bool { emit("%+v", *k); return true },
			func(queueID int32, committed int64) { emit("%d:%d", queueID, committed) })
		emit("%d odd", odd)
		return err
	}},
	{"202-", func(body []byte, emit func(string, ...any)) error {
		return DecodeTopicStats(body, func(q *MessageQueue, o *TopicOffset) { emit("%+v %+v", *q, *o) })
	}},
	{"208-", func(body []byte, emit func(string, ...any)) error {
		return DecodeConsumeStats(body, func(q *MessageQueue, o *ConsumeOffset) { emit("%+v %+v", *q, *o) })
	}},
	{"203-", func(body []byte, emit func(string, ...any)) error {
		c, err := DecodeConsumerConnections(body)
		emit("%+v", c)
		return err
	}},
	{"307-", func(body []byte, emit func(string, ...any)) error {
		return DecodeRunningInfo(body, func(q RunningQueue) { emit("%+v", q) })
	}},
	{"28-", func(body []byte, emit func(string, ...any)) error {
		return DecodeRuntimeInfo(body, func(key, value []byte) { emit("%q=%q", key, value) })
	}},
	{"303-", func(body []byte, emit func(string, ...any)) error {
		return DecodeTimeSpans(body, func(s TimeSpan) { emit("%+v", s) })
	}},
	{"402-", func(body []byte, emit func(string, ...any)) error {
		return DecodeRequestModes(body, func(m RequestMode) { emit("%q %q %q", m.Topic, m.Group, m.Mode) })
	}},
	{"907-", func(body []byte, emit func(string, ...any)) error {
		h, err := DecodeHAStatus(body)
		emit("%+v", h)
		return err
	}},
	{"307-running", func(body []byte, emit func(string, ...any)) error {
		return DecodePopQueues(body, func(q PopQueue) { emit("%+v", q) })
	}},
}

// lines are what one decoder hands out of a body.
func lines(decode func([]byte, func(string, ...any)) error, body []byte) ([]string, error) {
	var got []string
	err := decode(body, func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) })
	return got, err
}

// spaced puts white space behind brackets, commas and colons: the same answer
// in a layout that no broker writes, so that no decoder's guess fits it.
func spaced(body []byte) []byte {
	var out []byte
	inText, escaped := false, false
	for _, c := range body {
		out = append(out, c)
		switch {
		case inText:
			inText = escaped || c != '"'
			escaped = c == '\\' && !escaped
		case c == '"':
			inText = true
		case strings.IndexByte("{}[],:", c) >= 0:
			out = append(out, ' ', '\n')
		}
	}
	return out
}

func TestRecordedBodies(t *testing.T) {
	for _, release := range releases {
		for _, d := range bodyDecoders {
			for _, name := range recordedNames(t, release, d.prefix) {
				t.Run(release+"/"+name, func(t *testing.T) {
					body := recordedBody(t, release, name)
					if len(body) == 0 {
						if _, err := lines(d.decode, body); !errors.Is(err, ErrMalformed) || !strings.HasSuffix(err.Error(), "malformed: byte 0: want '{', found the end") {
							t.Errorf("no body: %v", err)
						}
						return
					}
					got, err := lines(d.decode, body)
					if err != nil {
						t.Fatal(err)
					}
					if again, err := lines(d.decode, spaced(body)); err != nil || !slices.Equal(again, got) {
						t.Errorf("with white space it reads differently: %v\n%.300v\n%.300v", err, again, got)
					}
					if _, err := lines(d.decode, append(body, '}')); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), `want the end, found "}"`) {
						t.Errorf("garbage behind: %v", err)
					}
					everyCut(t, body, d.decode)
				})
			}
		}
	}
}

// everyCut reads the body cut short at each byte, and of the large ones at each
// byte of both ends and at a hundred between. It must fail each time.
func everyCut(t *testing.T, body []byte, decode func([]byte, func(string, ...any)) error) {
	t.Helper()
	const large, end = 1500, 200
	for n := 0; n < len(body); n++ {
		if len(body) > large && n >= end && n < len(body)-end {
			n = min(n+len(body)/100, len(body)-end)
		}
		if err := decode(body[:n:n], func(string, ...any) {}); !errors.Is(err, ErrMalformed) || !strings.HasPrefix(err.Error(), "body of ") {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

func TestClusterInfo(t *testing.T) {
	for release, addr := range map[string]string{"4.9.7": "127.0.0.1:10811", "5.5.0": "127.0.0.1:10911"} {
		got, err := DecodeClusterInfo(recordedBody(t, release, "106-clusters"))
		want := []BrokerAddrs{{Cluster: "DefaultCluster", Name: "broker-a", Addrs: []BrokerAddr{{ID: MasterID, Addr: addr}}}}
		if err != nil || fmt.Sprint(got.Brokers) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v", release, got, err)
		}
	}
	got, err := DecodeClusterInfo([]byte(`{"clusterAddrTable":{"c1":["a","b"],"c2":["z"]},"new":[{{1:2}:3}],"brokerAddrTable":{` +
		`"a":{"brokerAddrs":{0:"h1:1",1:"h2:1","2":"h3:1"},"brokerName":"a","cluster":"c1","zoneName":null},` +
		`"b":{"brokerAddrs":{},"cluster":"c1"},"z":{}}}`))
	want := `[{c1 a [{0 h1:1} {1 h2:1} {2 h3:1}]} {c1 b []} { z []}]`
	if err != nil || fmt.Sprint(got.Brokers) != want {
		t.Errorf("%v, %v", got.Brokers, err)
	}
	for _, empty := range []string{`{}`, `{"brokerAddrTable":{}}`, `{"brokerAddrTable":null}`} {
		if got, err := DecodeClusterInfo([]byte(empty)); err != nil || got.Brokers != nil {
			t.Errorf("%s: %v, %v", empty, got, err)
		}
	}
}

func TestTopicConfigs(t *testing.T) {
	for _, c := range []struct {
		release      string
		topics, read int
	}{{"4.9.7", 21, 1103}, {"5.5.0", 1280, 9372}} {
		topics, read := map[string]TopicConfig{}, 0
		if err := DecodeTopicConfigs(recordedBody(t, c.release, "21-topic-config"), func(x TopicConfig) {
			topics[string(x.Name)] = x
			read += int(x.ReadQueues)
		}); err != nil {
			t.Fatal(err)
		}
		if len(topics) != c.topics || read != c.read {
			t.Errorf("%s: %d topics, %d read queues; want %d, %d", c.release, len(topics), read, c.topics, c.read)
		}
		for name, want := range map[string][3]int32{"orders": {8, 8, 6}, "%RETRY%cg_orders": {1, 1, 6}, "DefaultCluster": {16, 16, 7}, "SCHEDULE_TOPIC_XXXX": {18, 18, 6}} {
			if x := topics[name]; [3]int32{x.ReadQueues, x.WriteQueues, x.Perm} != want {
				t.Errorf("%s: %s: %+v, want %v", c.release, name, x, want)
			}
		}
	}
}

func TestGroups(t *testing.T) {
	for release, want := range map[string]int{"4.9.7": 12, "5.5.0": 264} {
		names := map[string]bool{}
		if err := DecodeGroups(recordedBody(t, release, "201-groups"), func(name []byte) { names[string(name)] = true }); err != nil {
			t.Fatal(err)
		}
		if len(names) != want || !names["cg_orders"] || !names["TOOLS_CONSUMER"] {
			t.Errorf("%s: %d groups, want %d", release, len(names), want)
		}
	}
}

func TestConsumerOffsets(t *testing.T) {
	for _, c := range []struct {
		release     string
		keys, queue int
		sum         int64
		spots       map[string]string
	}{
		{"4.9.7", 9, 30, 741201, map[string]string{
			"orders@cg_orders":               "map[0:82058 1:82055 2:82056 3:82058 4:82057 5:82057 6:82058 7:82057]",
			"%RETRY%cg_failing@cg_failing":   "map[0:30]",
			"notices@cg_notice_bc@broadcast": "map[]",
		}},
		{"5.5.0", 2012, 16039, 747420, map[string]string{
			"orders@cg_payments":             "map[0:952 1:952 2:952 3:951 4:951 5:951 6:951 7:951]",
			"notices@cg_notice_bc@broadcast": "map[0:500 1:500 2:500 3:500]",
			"notices@cg_notice_bc":           "map[]", // only pulled, in another table
			"load-t-998@load-g-247":          "map[0:4 1:0 2:1 3:2 4:3 5:4 6:0 7:1]",
		}},
	} {
		keys, queues, sum := map[string]map[int32]int64{}, 0, int64(0)
		var last map[int32]int64
		odd, err := DecodeConsumerOffsets(recordedBody(t, c.release, "43-offsets"), func(k *OffsetKey) bool {
			name := string(k.Topic) + "@" + string(k.Group)
			if k.Broadcast {
				name += "@broadcast"
			}
			last = map[int32]int64{}
			keys[name] = last
			return true
		}, func(queueID int32, committed int64) {
			last[queueID] = committed
			queues++
			sum += committed
		})
		if err != nil || odd != 0 || len(keys) != c.keys || queues != c.queue || sum != c.sum {
			t.Errorf("%s: %v, %d odd, %d keys, %d queues, sum %d; want %d, %d, %d", c.release, err, odd, len(keys), queues, sum, c.keys, c.queue, c.sum)
		}
		for name, want := range c.spots {
			if got := fmt.Sprint(keys[name]); got != want {
				t.Errorf("%s: %s: %s, want %s", c.release, name, got, want)
			}
		}
	}
}

func TestConsumerOffsetsOfEveryKind(t *testing.T) {
	body := `{"lmqOffsetTable":{"t@%LMQ%g":7},"offsetTable":{"t@g":{0:1, "1":2,-1:-3,2:null,3:"4",4:5.0,5:9223372036854775807},` +
		`"odd":{0:1},"a@b@c":{0:2},"@g":{0:3},"t@":{0:4},"t@g@broadcast@x":{0:5},"t@unwanted":{0:6},` +
		`"t@empty":{},"t@null":null,"t\u0040esc":{0:8},"t@g@broadcast":{7:9}}}`
	var lines []string
	odd, err := DecodeConsumerOffsets([]byte(body), func(k *OffsetKey) bool {
		lines = append(lines, fmt.Sprintf("%s %s %v", k.Topic, k.Group, k.Broadcast))
		return string(k.Group) != "unwanted"
	}, func(queueID int32, committed int64) { lines = append(lines, fmt.Sprint(queueID, "=", committed)) })
	want := "t g false|0=1|1=2|-1=-3|2=0|3=4|4=5|5=9223372036854775807|t unwanted false|t empty false|t null false|t esc false|0=8|t g true|7=9"
	if err != nil || odd != 5 || strings.Join(lines, "|") != want {
		t.Errorf("%v, %d odd\n%s\n%s", err, odd, strings.Join(lines, "|"), want)
	}
}

func TestTopicStats(t *testing.T) {
	for _, release := range releases {
		for name, rows := range map[string]int{"orders": 8, "payments": 4, "notices": 4, "idle": 4, "_DLQ_cg_failing": 1, "_RETRY_cg_failing": 1} {
			seen := map[int32]bool{}
			err := DecodeTopicStats(recordedBody(t, release, "202-topic-stats-"+name), func(q *MessageQueue, o *TopicOffset) {
				seen[q.QueueID] = true
				if string(q.Broker) != "broker-a" || string(q.Topic) != strings.ReplaceAll(name, "_RETRY_", "%RETRY%") && string(q.Topic) != strings.ReplaceAll(name, "_DLQ_", "%DLQ%") ||
					o.Min != 0 || o.Max <= 0 || o.LastUpdate < 1795396000000 {
					t.Errorf("%s: %q %+v", release, *q, *o)
				}
			})
			if err != nil || len(seen) != rows {
				t.Errorf("%s %s: %v, %d queues, want %d", release, name, err, len(seen), rows)
			}
		}
	}
	err := DecodeTopicStats(recordedBody(t, "5.5.0", "202-topic-stats-orders"), func(q *MessageQueue, o *TopicOffset) {
		if want := (TopicOffset{Max: 77704, LastUpdate: 1795400963778}); q.QueueID == 6 && *o != want {
			t.Errorf("orders 6: %+v, want %+v", *o, want)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestConsumeStats(t *testing.T) {
	for _, c := range []struct {
		release, name string
		rows          int
		spot          string // topic/queue
		want          ConsumeOffset
	}{
		{"4.9.7", "208-consume-stats-cg_orders", 9, "orders/7", ConsumeOffset{82059, 82058, 0, 1795400987917}},
		{"4.9.7", "208-consume-stats-cg_payments", 13, "", ConsumeOffset{}},
		{"4.9.7", "208-consume-stats-cg_notice_bc", 0, "", ConsumeOffset{}},
		{"4.9.7", "208-consume-stats-nosuch", 0, "", ConsumeOffset{}},
		{"4.9.7", "208-probe", 0, "", ConsumeOffset{}},
		{"5.5.0", "208-consume-stats-cg_payments", 13, "orders/6", ConsumeOffset{77704, 951, 1961, 1795396923894}},
		{"5.5.0", "208-consume-stats-cg_orders", 9, "%RETRY%cg_orders/0", ConsumeOffset{}},
		{"5.5.0", "208-probe", 26, "payments/3", ConsumeOffset{BrokerOffset: 9788}},
	} {
		rows := map[string]ConsumeOffset{}
		err := DecodeConsumeStats(recordedBody(t, c.release, c.name), func(q *MessageQueue, o *ConsumeOffset) {
			rows[fmt.Sprintf("%s/%d", q.Topic, q.QueueID)] = *o
		})
		if err != nil || len(rows) != c.rows || rows[c.spot] != c.want {
			t.Errorf("%s %s: %v, %d rows, %s %+v; want %d, %+v", c.release, c.name, err, len(rows), c.spot, rows[c.spot], c.rows, c.want)
		}
	}
}

// TestRowsInAnyOrder: the keys of an object may come in any order, be absent
// or be new; the decoders' guess of their order is only a guess.
func TestRowsInAnyOrder(t *testing.T) {
	for _, c := range []struct{ row, want string }{
		{`{"brokerName":"b","queueId":1,"topic":"t"}:{"brokerOffset":1,"consumerOffset":2,"lastTimestamp":3,"pullOffset":4}`, "t b 1 {1 2 4 3}"},
		{`{"brokerName":"b","queueId":1,"topic":"t"}:{"brokerOffset":1,"consumerOffset":2,"lastTimestamp":3}`, "t b 1 {1 2 0 3}"},
		{`{"brokerName":"b","queueId":1,"topic":"t"}:{"brokerOffset":1,"consumerOffset":2,"lastTimestamp":3,"new":[4]}`, "t b 1 {1 2 0 3}"},
		{`{"brokerName":"b","queueId":1,"topic":"t"}:{"brokerOffset":1,"consumerOffset":2,"inflight":9,"lastTimestamp":3,"pullOffset":4}`, "t b 1 {1 2 4 3}"},
		{`{"brokerName":"b","queueId":1,"topic":"t"}:{"brokerOffset":1,"consumerOffset":null,"lastTimestamp":3}`, "t b 1 {1 0 0 3}"},
		{`{"brokerName":"b","queueId":1,"topic":"t"}:{"pullOffset":4,"brokerOffset":1,"lastTimestamp":3,"consumerOffset":2}`, "t b 1 {1 2 4 3}"},
		{`{"brokerName":"b","queueId":1,"topic":"t"}:{}`, "t b 1 {0 0 0 0}"},
		{`{"topic":"t","brokerName":"b","queueId":1}:{"brokerOffset":1}`, "t b 1 {1 0 0 0}"},
		{`{"brokerName":"b","new":{},"queueId":1,"topic":"t"}:{"brokerOffset":1}`, "t b 1 {1 0 0 0}"},
		{`{"brokerName":"b","queueId":-1,"topic":"t","lite":"x"}:{"brokerOffset":-1}`, "t b -1 {-1 0 0 0}"},
		{`{"brokerName":"b\"","queueId":"1","topic":"\u4e3b"}:{"brokerOffset":"1"}`, "主 b\" 1 {1 0 0 0}"},
		{`{"brokerName":null,"topic":"t"}:{"brokerOffset":1}`, "t  -1 {1 0 0 0}"},
		{`{}:{}`, "  -1 {0 0 0 0}"},
	} {
		got := ""
		err := DecodeConsumeStats([]byte(`{"offsetTable":{`+c.row+`}}`), func(q *MessageQueue, o *ConsumeOffset) {
			got += fmt.Sprintf("%s %s %d %v", q.Topic, q.Broker, q.QueueID, *o)
		})
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.row, got, err, c.want)
		}
	}
	for _, row := range []string{
		`{"minOffset":1,"maxOffset":2,"lastUpdateTimestamp":3}`,
		`{"lastUpdateTimestamp":3,"maxOffset":2,"minOffset":1}`,
		`{"lastUpdateTimestamp":3,"maxOffset":2,"minOffset":1,"new":null}`,
		`{"a":"b","lastUpdateTimestamp":3,"maxOffset":2,"minOffset":1}`,
	} {
		var got TopicOffset
		err := DecodeTopicStats([]byte(`{"offsetTable":{{"queueId":0}:`+row+`}}`), func(_ *MessageQueue, o *TopicOffset) { got = *o })
		if err != nil || got != (TopicOffset{1, 2, 3}) {
			t.Errorf("%s: %+v, %v", row, got, err)
		}
	}
}

func TestFailureOfABodySaysWhere(t *testing.T) {
	for _, c := range []struct {
		prefix, body, words string
	}{
		{"208-", `{"offsetTable":{{"brokerName":"b","queueId":1,"topic":"t"}:{"brokerOffset":x}}}`, `body of GET_CONSUME_STATS: malformed: byte 75: want a whole number of 64 bits, found "x}}}"`},
		{"208-", `{"offsetTable":{"t@g":{}}}`, `body of GET_CONSUME_STATS: malformed: byte 16: want '{', found "\"t@g\":{}}}"`},
		{"202-", `{"offsetTable":{{"brokerName":"b","queueId":99999999999,"topic":"t"}:{}}}`, `body of GET_TOPIC_STATS_INFO: malformed: byte 44: want a whole number of 32 bits, found "99999999999,"`},
		{"43-", `{"offsetTable":{"t@g":{0:1,1}}}`, `body of GET_ALL_CONSUMER_OFFSET: malformed: byte 28: want ':', found "}}}"`},
		{"43-", `{"offsetTable":{"t@g":{0:1 1:2}}}`, `body of GET_ALL_CONSUMER_OFFSET: malformed: byte 27: want ',' or '}', found "1:2}}}"`},
		{"43-", `{"offsetTable":{"t@g":[1]}}`, `body of GET_ALL_CONSUMER_OFFSET: malformed: byte 22: want '{', found "[1]}}"`},
		{"43-", `{"offsetTable":{"t@g":{99999999999:1}}}`, `body of GET_ALL_CONSUMER_OFFSET: malformed: byte 23: want a whole number of 32 bits, found "99999999999:"`},
		{"21-", `[]`, `body of GET_ALL_TOPIC_CONFIG: malformed: byte 0: want '{', found "[]"`},
		{"21-", `{"topicConfigTable":{"t":{"perm":6.5.1}}}`, `body of GET_ALL_TOPIC_CONFIG: malformed: byte 33: want a whole number of 64 bits, found "6.5.1}}}"`},
		{"201-", `{"subscriptionGroupTable":{"g"}}`, `body of GET_ALL_SUBSCRIPTIONGROUP_CONFIG: malformed: byte 30: want ':', found "}}"`},
		{"203-", `{"connectionSet":[{"clientId":["x"]}]}`, `body of GET_CONSUMER_CONNECTION_LIST: malformed: byte 30: want text, found "[\"x\"]}]}"`},
		{"203-", `{"connectionSet":{}}`, `body of GET_CONSUMER_CONNECTION_LIST: malformed: byte 17: want '[', found "{}}"`},
		{"307-", `{"mqTable":{{}:{"droped":1}}}`, `body of GET_CONSUMER_RUNNING_INFO: malformed: byte 25: want true or false, found "1}}}"`},
		{"307-running", `{"mqPopTable":{{}:{"waitAckCount":"x"}}}`, `body of GET_CONSUMER_RUNNING_INFO: malformed: byte 34: want a whole number of 64 bits, found "\"x\"}}}"`},
		{"303-", `{"consumeTimeSpanSet":{}}`, `body of QUERY_CONSUME_TIME_SPAN: malformed: byte 22: want '[', found "{}}"`},
		{"402-", `{"messageRequestModeMap":{"t":{"g":{"mode":[]}}}}`, `body of GET_ALL_MESSAGE_REQUEST_MODE: malformed: byte 43: want text, found "[]}}}}"`},
		{"907-", `{"haConnectionInfo":3}`, `body of GET_BROKER_HA_STATUS: malformed: byte 20: want '[', found "3}"`},
		{"28-", `{"table":{"a":"b",}}`, `body of GET_BROKER_RUNTIME_INFO: malformed: byte 18: want a value, found "}}"`},
		{"106-", `{"brokerAddrTable":{"a":{"brokerAddrs":{x:"h:1"}}}}`, `body of GET_BROKER_CLUSTER_INFO: malformed: byte 40: want a whole number of 64 bits, found "x:\"h:1\"}}}}"`},
	} {
		for _, d := range bodyDecoders {
			if d.prefix != c.prefix {
				continue
			}
			if _, err := lines(d.decode, []byte(c.body)); !errors.Is(err, ErrMalformed) || err.Error() != c.words {
				t.Errorf("%s\n%v\n%s", c.body, err, c.words)
			}
		}
	}
}

func TestConsumerConnections(t *testing.T) {
	got, err := DecodeConsumerConnections(recordedBody(t, "5.5.0", "203-connections-cg_orders"))
	want := ConsumerConnections{
		ConsumeType: "CONSUME_PASSIVELY", MessageModel: Clustering,
		Clients: []Connection{
			{ClientID: "192.0.2.2@i1", Addr: "127.0.0.1:50292", Language: "JAVA", Version: 513},
			{ClientID: "192.0.2.2@i2", Addr: "127.0.0.1:50304", Language: "JAVA", Version: 513},
		},
		Topics: []string{"orders", "%RETRY%cg_orders"},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = DecodeConsumerConnections(recordedBody(t, "4.9.7", "203-connections-cg_payments"))
	if err != nil || len(got.Clients) != 1 || got.Clients[0].ClientID != "192.0.2.2@12342#635157199904" || got.Clients[0].Version != 407 ||
		!slices.Equal(got.Topics, []string{"%RETRY%cg_payments", "payments", "orders"}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, release := range releases {
		if got, err := DecodeConsumerConnections(recordedBody(t, release, "203-connections-cg_notice_bc")); err != nil || got.MessageModel != Broadcasting {
			t.Errorf("%s: %+v, %v", release, got, err)
		}
	}
	got, err = DecodeConsumerConnections([]byte(`{"connectionSet":null,"subscriptionTable":null,"messageModel":null,"new":1}`))
	if err != nil || got.Clients != nil || got.Topics != nil || got.MessageModel != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRunningInfo(t *testing.T) {
	for _, c := range []struct {
		release, name string
		want          map[string]int64
	}{
		{"4.9.7", "cg_orders-0", map[string]int64{"orders/4": 82058, "orders/5": 82058, "orders/6": 82058, "orders/7": 82059}},
		{"5.5.0", "cg_notice_bc-0", map[string]int64{"notices/0": 500, "notices/1": 500, "notices/2": 500, "notices/3": 500}},
		{"5.5.0", "cg_orders-0", map[string]int64{"%RETRY%cg_orders/0": 0, "orders/0": 77706, "orders/1": 77706, "orders/2": 77706, "orders/3": 77705}},
	} {
		got := map[string]int64{}
		err := DecodeRunningInfo(recordedBody(t, c.release, "307-running-"+c.name), func(q RunningQueue) {
			got[fmt.Sprintf("%s/%d", q.Topic, q.QueueID)] = q.CommitOffset
			if q.Dropped || string(q.Broker) != "broker-a" {
				t.Errorf("%+v", q)
			}
		})
		if err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%s %s: %v, %v; want %v", c.release, c.name, got, err, c.want)
		}
	}
	// As client-go builds it by hand, with a stack dump in raw lines.
	var got []string
	body := `{"properties":{"PROP_CLIENT_VERSION":"V4_5_2"},"subscriptionSet":[{"topic":"t"}],"mqTable":{` +
		`{"topic":"t","brokerName":"b","queueId":2}:{"commitOffset":7,"dropped":true,"locked":false},` +
		`{"topic":"t","brokerName":"b","queueId":3}:{"locked":false}},` +
		`"statusTable":{"t":{"consumeRT":0.5,"consumeFailedTPS":null}},"jstack":"goroutine 1 [running]:` + "\n\tmain.main()\n" + `"}`
	err := DecodeRunningInfo([]byte(body), func(q RunningQueue) {
		got = append(got, fmt.Sprintf("%s %d %d %v", q.Topic, q.QueueID, q.CommitOffset, q.Dropped))
	})
	if err != nil || !slices.Equal(got, []string{"t 2 7 true", "t 3 -1 false"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRuntimeInfo(t *testing.T) {
	for _, c := range []struct {
		release string
		entries int
		want    map[string]string
	}{
		{"4.9.7", 49, map[string]string{"brokerVersionDesc": "V4_9_7"}},
		{"5.5.0", 60, map[string]string{"brokerVersionDesc": "V5_5_0", "bootTimestamp": "1795396620707", "remainHowManyDataToFlush": "15.2 KiB", "scheduleMessageOffset_3": "30,30"}},
	} {
		got := map[string]string{}
		err := DecodeRuntimeInfo(recordedBody(t, c.release, "28-runtime"), func(k, v []byte) { got[string(k)] = string(v) })
		if err != nil || len(got) != c.entries {
			t.Errorf("%s: %v, %d entries, want %d", c.release, err, len(got), c.entries)
		}
		for k, v := range c.want {
			if got[k] != v {
				t.Errorf("%s: %s is %q, want %q", c.release, k, got[k], v)
			}
		}
	}
}

// TestHotDecodersAllocateOnce: what they lend, and nothing for each row.
func TestHotDecodersAllocateOnce(t *testing.T) {
	offsets := recordedBody(t, "5.5.0", "43-offsets")
	probe := recordedBody(t, "5.5.0", "208-probe")
	odd := bytes.ReplaceAll(probe, []byte(`,"topic"`), []byte(`, "topic"`)) // no guess fits
	stats := recordedBody(t, "4.9.7", "202-topic-stats-orders")
	topics := recordedBody(t, "5.5.0", "21-topic-config")
	groups := recordedBody(t, "5.5.0", "201-groups")
	running := recordedBody(t, "5.5.0", "307-running-cg_payments-0")
	rows := 0
	if n := testing.AllocsPerRun(5, func() {
		_, err := DecodeConsumerOffsets(offsets, func(*OffsetKey) bool { return true }, func(int32, int64) { rows++ })
		err = errors.Join(err,
			DecodeConsumeStats(probe, func(*MessageQueue, *ConsumeOffset) { rows++ }),
			DecodeConsumeStats(odd, func(*MessageQueue, *ConsumeOffset) { rows++ }),
			DecodeTopicStats(stats, func(*MessageQueue, *TopicOffset) { rows++ }),
			DecodeTopicConfigs(topics, func(TopicConfig) { rows++ }),
			DecodeGroups(groups, func([]byte) { rows++ }),
			DecodeRunningInfo(running, func(RunningQueue) { rows++ }))
		if err != nil {
			t.Error(err)
		}
	}); n > 4 { // of the four that lend something
		t.Errorf("%v allocations", n)
	}
	if want := 6 * (16039 + 26 + 26 + 8 + 1280 + 264 + 13); rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
}
