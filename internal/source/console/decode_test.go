package console

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

func decode(text string, read func(*decoder) error) (odd int, err error) {
	d := newDecoder(strings.NewReader(text))
	err = readError(d.envelope(func() error { return read(d) }))
	return d.odd, err
}

func enveloped(data string) string { return `{"status":0,"data":` + data + `,"errMsg":null}` }

// TestOddEntries: what makes no sense is left out and counted, and costs nothing
// else.
func TestOddEntries(t *testing.T) {
	t.Parallel()
	row := func(fields string) string {
		return `[{"topic":"orders","queueStatInfoList":[` + fields + `,{"brokerName":"b","queueId":1,"brokerOffset":9,"consumerOffset":4,"clientInfo":null}]}]`
	}
	for name, fields := range map[string]string{
		"no broker":        `{"queueId":0,"brokerOffset":5,"consumerOffset":0}`,
		"no end":           `{"brokerName":"b","queueId":0,"consumerOffset":0}`,
		"null end":         `{"brokerName":"b","queueId":0,"brokerOffset":null,"consumerOffset":0}`,
		"no queue":         `{"brokerName":"b","brokerOffset":5,"consumerOffset":0}`,
		"negative queue":   `{"brokerName":"b","queueId":-1,"brokerOffset":5,"consumerOffset":0}`,
		"huge queue":       `{"brokerName":"b","queueId":65536,"brokerOffset":5,"consumerOffset":0}`,
		"negative end":     `{"brokerName":"b","queueId":0,"brokerOffset":-1,"consumerOffset":0}`,
		"end as text":      `{"brokerName":"b","queueId":0,"brokerOffset":"5","consumerOffset":0}`,
		"end of 30 digits": `{"brokerName":"b","queueId":0,"brokerOffset":123456789012345678901234567890,"consumerOffset":0}`,
		"a list":           `[]`,
		"long broker":      `{"brokerName":"` + strings.Repeat("b", maxName+1) + `","queueId":0,"brokerOffset":5,"consumerOffset":0}`,
	} {
		got := table{}
		odd, err := decode(enveloped(row(fields)), func(d *decoder) error { return readTopicsOfGroup(d, got) })
		c := got[model.TopicOnBroker{Topic: "orders", Broker: "b"}]
		if err != nil || odd != 1 || len(got) != 1 || c == nil || c.ends[0] != model.Unknown || c.ends[1] != 9 || c.committed[1] != 4 {
			t.Errorf("%s: %v, %d odd, %+v", name, err, odd, c)
		}
	}
}

// TestCommitNotTold: a commit that is not told is unknown and not 0.
func TestCommitNotTold(t *testing.T) {
	t.Parallel()
	got := table{}
	_, err := decode(enveloped(`[{"queueStatInfoList":[{"brokerName":"b","queueId":0,"brokerOffset":5},{"brokerName":"b","queueId":1,"brokerOffset":5,"consumerOffset":-1}],"topic":"orders"}]`),
		func(d *decoder) error { return readTopicsOfGroup(d, got) })
	c := got[model.TopicOnBroker{Topic: "orders", Broker: "b"}]
	if err != nil || c == nil || c.committed[0] != model.Unknown || c.committed[1] != model.Unknown {
		t.Errorf("%v, %+v", err, c)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	wide := make([]string, 0, maxWidth/maxQueues+2)
	for i := range maxWidth/maxQueues + 2 {
		wide = append(wide, fmt.Sprintf(`{"topic":"t%d","queueStatInfoList":[{"brokerName":"b","queueId":%d,"brokerOffset":1,"consumerOffset":1}]}`, i, maxQueues-1))
	}
	for name, c := range map[string]struct {
		data string
		read func(*decoder) error
	}{
		"rows that are too wide":  {"[" + strings.Join(wide, ",") + "]", func(d *decoder) error { return readTopicsOfGroup(d, table{}) }},
		"a list that is too long": {"[1,2,3]", func(d *decoder) error { return d.array(2, d.skip) }},
	} {
		if _, err := decode(enveloped(c.data), c.read); Reason(err) != reasonMalformed || !errors.Is(err, errShape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"status":0,"data":{"a":[1,{"b":2}]},"errMsg":null}`: "",
		`{"errMsg":null,"data":null,"status":0}`:              "",
		`{"status":-1,"data":null,"errMsg":"no"}`:             reasonRefused,
		`{"data":null,"errMsg":"no","status":-1}`:             reasonRefused,
		`{"status":-1}`: reasonRefused,
		`{"status":500,"error":"Internal Server Error","path":"/x"}`: reasonRefused,
		`{"timestamp":1,"error":"Not Found"}`:                        reasonMalformed,
		`{"status":"0","data":null}`:                                 reasonMalformed,
		`{"status":0,"data":`:                                        reasonMalformed,
		`{"status":0,"data":{"a":[1,2`:                               reasonMalformed,
		`{"status":0 "data":1}`:                                      reasonMalformed,
		`{}`:                                                         reasonMalformed,
		`{"status":0,"data":` + strings.Repeat("[", 20_000) + `,"x":1}`: reasonMalformed,
	} {
		if _, err := decode(text, (*decoder).skip); Reason(err) != want {
			t.Errorf("%.80s: %v, want %q", text, err, want)
		}
	}
}

func TestParseQueue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"MessageQueue [topic=orders, brokerName=broker-a, queueId=3]": "orders|broker-a|3",
		"MessageQueue [topic=%RETRY%g, brokerName=b, queueId=0]":      "%RETRY%g|b|0",
		"MessageQueue [topic=t, brokerName=a, queueId=1, queueId=2]":  "t|a, queueId=1|2",
		"MessageQueue [topic=t, brokerName=b, queueId=-1]":            "",
		"MessageQueue [topic=t, brokerName=b, queueId=65536]":         "",
		"MessageQueue [topic=t, brokerName=b, queueId=x]":             "",
		"MessageQueue [topic=, brokerName=b, queueId=0]":              "",
		"MessageQueue [topic=t, brokerName=, queueId=0]":              "",
		"MessageQueue [topic=t, brokerName=b]":                        "",
		"MessageQueue [topic=t, brokerName=b, queueId=0":              "",
		`{"topic":"t","brokerName":"b","queueId":0}`:                  "",
		"": "",
	} {
		on, id, ok := parseQueue(text)
		got := ""
		if ok {
			got = fmt.Sprintf("%s|%s|%d", on.Topic, on.Broker, id)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestRefusalNames(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]bool{
		"RemotingConnectException: connect to 10.0.0.1:10911 failed":      true,
		"RemotingConnectException: connect to [10.0.0.1:10911] failed":    true,
		"wait response on the channel <10.0.0.1:10911> timeout, 3000(ms)": true,
		"connect to /10.0.0.1:10911 failed":                               true,
		"connect to 110.0.0.1:10911 failed":                               false,
		"connect to 10.0.0.1:109112 failed":                               false,
		"connect to 10.0.0.1:109112 failed, then to 10.0.0.1:10911":       true,
		"CODE: 206  DESC: the consumer group[10.0.0.1] not online":        false,
	} {
		if got := refusalNames(newRefused(words), "10.0.0.1:10911"); got != want {
			t.Errorf("%s: %t", words, got)
		}
	}
	if refusalNames(errShape, "10.0.0.1:10911") || refusalNames(newRefused("x"), "") {
		t.Error("found where nothing is")
	}
}

// TestOwnEnds: groups are read one after the other. What arrives meanwhile is no
// backlog of the group that was read first.
func TestOwnEnds(t *testing.T) {
	t.Parallel()
	on := model.TopicOnBroker{Topic: "orders", Broker: "b"}
	p := &partBuilder{src: &Source{}, part: &model.Part{Broker: "b"}, groups: map[string]int32{}}
	p.add(on, []groupCell{
		{"early", &cell{ends: []int64{100, 50}, committed: []int64{100, 50}, consumed: []int64{1, 1}}},
		{"late", &cell{ends: []int64{130, 50, 7}, committed: []int64{120, 50, 0}, consumed: []int64{1, 1, -1}}},
		{"latest", &cell{ends: []int64{130, 50, 7}, committed: []int64{130, 40, 7}, consumed: []int64{1, 1, 1}}},
	})
	want := map[string]int64{"early": 0, "late": 17, "latest": 10}
	for _, c := range p.part.Commits {
		topic := p.part.Topics[c.Topic]
		sum := int64(0)
		for q := range int(topic.Queues) {
			sum += p.part.Ends.At(int(topic.First)+q) - p.part.Committed.At(int(c.First)+q)
		}
		if group := p.part.GroupOf(&c); sum != want[group] {
			t.Errorf("%s: backlog %d, want %d", group, sum, want[group])
		}
	}
	if first := p.part.Topics[0]; len(p.part.Topics) != 2 || p.part.Ends.At(int(first.First)) != 130 {
		t.Errorf("topics %+v, ends %v: the latest ends come first", p.part.Topics, p.part.Ends)
	}
}

func FuzzDecoders(f *testing.F) {
	for _, data := range []string{
		`[{"topic":"t","queueStatInfoList":[{"brokerName":"b","queueId":0,"brokerOffset":1,"consumerOffset":0,"clientInfo":"1@2"}]}]`,
		`{"mqTable":{"MessageQueue [topic=t, brokerName=b, queueId=0]":{"commitOffset":5,"droped":false}},"offsetTable":{"MessageQueue [topic=t, brokerName=b, queueId=0]":{"minOffset":0,"maxOffset":5}}}`,
		`{"connectionSet":[{"clientId":"1@2","language":"JAVA","version":1}],"subscriptionTable":{"t":{}},"messageModel":"CLUSTERING"}`,
		`{"brokerServer":{"b":{"0":{"brokerVersionDesc":"V5"}}},"clusterInfo":{"brokerAddrTable":{"b":{"cluster":"c","brokerName":"b","brokerAddrs":{"0":"a:1"}}}},"topicList":["%SYS%a","b"]}`,
		`[{"group":"g","count":1,"address":["a:1"],"updateTime":"x"}]`,
	} {
		f.Add(enveloped(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func(*decoder) error{
			func(d *decoder) error { _, err := readClusters(d, time.Time{}); return err },
			func(d *decoder) error { _, err := readRoute(d); return err },
			func(d *decoder) error { _, err := readTopicNames(d); return err },
			func(d *decoder) error { _, err := readGroups(d); return err },
			func(d *decoder) error { _, err := readGroupsOfTopic(d); return err },
			func(d *decoder) error { _, err := readConnections(d); return err },
			func(d *decoder) error { _, err := readRunning(d); return err },
			func(d *decoder) error { _, err := readStats(d); return err },
			func(d *decoder) error {
				rows := table{}
				err := readTopicsOfGroup(d, rows)
				for on, c := range rows {
					if on.Topic == "" || on.Broker == "" || len(c.ends) != len(c.committed) || len(c.ends) != len(c.clients) || len(c.ends) != len(c.consumed) {
						t.Errorf("cell %v: %+v", on, c)
					}
				}
				return err
			},
		} {
			_, err := decode(text, read)
			if err != nil && Reason(err) != reasonMalformed && Reason(err) != reasonRefused {
				t.Errorf("%v: reason %s", err, Reason(err))
			}
		}
	})
}
