package console

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// recorded is what a real console answered.
func recorded(t *testing.T, release, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", release, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// decodeRecorded decodes one recorded answer.
func decodeRecorded(t *testing.T, release, name string, read func(*decoder) error) error {
	t.Helper()
	d := newDecoder(strings.NewReader(string(recorded(t, release, name))))
	err := d.envelope(func() error { return read(d) })
	if err == nil && d.odd > 0 {
		t.Errorf("%s/%s: %d odd entries", release, name, d.odd)
	}
	return err
}

func bothRecorded(t *testing.T, test func(t *testing.T, release string)) {
	t.Helper()
	for _, release := range []string{"1.0.0", "2.1.1"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			test(t, release)
		})
	}
}

// backlog adds up what a table says of a topic.
func (t table) backlog(topic string) (queues int, sum int64) {
	for on, c := range t {
		if on.Topic != topic {
			continue
		}
		for q := range c.ends {
			queues++
			sum += c.ends[q] - c.committed[q]
		}
	}
	return queues, sum
}

func TestRecordedLists(t *testing.T) {
	t.Parallel()
	bothRecorded(t, func(t *testing.T, release string) {
		var processes []process
		var topics map[string]bool
		var groups []listedGroup
		for name, read := range map[string]func(*decoder) error{
			"cluster-list": func(d *decoder) (err error) { processes, err = readClusters(d, time.Time{}); return err },
			"topic-list":   func(d *decoder) (err error) { topics, err = readTopicNames(d); return err },
			"group-list":   func(d *decoder) (err error) { groups, err = readGroups(d); return err },
		} {
			if err := decodeRecorded(t, release, name, read); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		want := map[string]struct {
			process
			topics, groups int
			flavour        flavour
		}{
			"1.0.0": {process{"DefaultCluster", "broker-a", 0, "127.0.0.1:10811", "V4_9_7", nil}, 21, 12, plain},
			"2.1.1": {process{"DefaultCluster", "broker-a", 0, "127.0.0.1:10911", "V5_5_0", nil}, 28, 13, cached},
		}[release]
		if len(processes) != 1 || processes[0].info == nil {
			t.Fatalf("brokers %+v", processes)
		}
		// Before both, 17 percent of the disk were used.
		info := processes[0].info
		if ratio := info.Values[model.RuntimeCommitLogDisk]; ratio != 0.17 || len(info.Pools) < 4 || info.Clock.IsZero() {
			t.Errorf("runtime %+v", info)
		}
		processes[0].info = nil
		if processes[0] != want.process {
			t.Errorf("brokers %+v, want %+v", processes, want.process)
		}
		if len(topics) != want.topics || topics["orders"] || !topics["SELF_TEST_TOPIC"] {
			t.Errorf("%d topics, want %d: %v", len(topics), want.topics, topics)
		}
		if len(groups) != want.groups {
			t.Errorf("%d groups, want %d", len(groups), want.groups)
		}
		if f := flavourOf(groups, unknown); f != want.flavour {
			t.Errorf("flavour %d, want %d", f, want.flavour)
		}
		i := slices.IndexFunc(groups, func(g listedGroup) bool { return g.Name == "cg_notice_bc" })
		if i < 0 || groups[i].Model != model.Broadcasting || groups[i].Count != 1 {
			t.Errorf("cg_notice_bc is not told as it was: %+v", groups)
		}
		for _, g := range groups {
			if strings.HasPrefix(g.Name, systemPrefix) {
				t.Errorf("group %s keeps the console's prefix", g.Name)
			}
		}
	})
}

func TestRecordedRowsOfTopics(t *testing.T) {
	t.Parallel()
	type rows struct {
		queues  int
		backlog int64
	}
	want := map[string]map[string]map[string]rows{
		"1.0.0": {
			"orders":   {"cg_orders": {8, 2}, "cg_payments": {8, 46949}},
			"payments": {"cg_payments": {4, 2751}},
			"notices":  {"cg_notice_bc": {4, 2000}}, // false, and nowhere shown
			"failing":  {"cg_failing": {2, 0}}, "seq": {"cg_seq": {4, 3}},
			"_RETRY_cg_failing": {"cg_failing": {1, 0}}, "_DLQ_cg_failing": {}, "TBW102": {}, "idle": {},
		},
		"2.1.1": {
			"orders":   {"cg_orders": {8, 0}, "cg_payments": {8, 47437}},
			"payments": {"cg_payments": {4, 2873}},
			"notices":  {"cg_notice_bc": {4, 2000}},
			"failing":  {"cg_failing": {2, 0}}, "seq": {"cg_seq": {4, 0}},
			"_RETRY_cg_failing": {"cg_failing": {1, 0}}, "_DLQ_cg_failing": {}, "TBW102": {}, "idle": {},
		},
	}
	bothRecorded(t, func(t *testing.T, release string) {
		for name, groups := range want[release] {
			var got map[string]table
			err := decodeRecorded(t, release, "consumers-"+name, func(d *decoder) (err error) { got, err = readGroupsOfTopic(d); return err })
			if err != nil || len(got) != len(groups) {
				t.Errorf("%s: %d groups, error %v; want %d", name, len(got), err, len(groups))
			}
			topic := name
			for _, prefix := range []string{"RETRY", "DLQ"} {
				topic = strings.Replace(topic, "_"+prefix+"_", "%"+prefix+"%", 1)
			}
			for group, w := range groups {
				if queues, sum := got[group].backlog(topic); queues != w.queues || sum != w.backlog {
					t.Errorf("%s of %s: %d queues, backlog %d; want %d, %d", topic, group, queues, sum, w.queues, w.backlog)
				}
			}
		}
		for _, name := range []string{"nosuch", "_SYS_TBW102", "_SYS_broker-a"} {
			err := decodeRecorded(t, release, "consumers-"+name, (*decoder).skip)
			if !refusedWith(err, codeTopicNotExist) {
				t.Errorf("%s: %v, want a refusal with code 17", name, err)
			}
		}
	})
}

func TestRecordedProcesses(t *testing.T) {
	t.Parallel()
	bothRecorded(t, func(t *testing.T, release string) {
		version := map[string]int32{"1.0.0": 407, "2.1.1": 513}[release]
		for group, want := range map[string]struct {
			model   string
			topics  []string
			clients []string // IP and process
		}{
			"cg_orders":    {model.Clustering, []string{"%RETRY%cg_orders", "orders"}, []string{"192.0.2.2 i1", "192.0.2.2 i2"}},
			"cg_payments":  {model.Clustering, []string{"%RETRY%cg_payments", "orders", "payments"}, []string{map[string]string{"1.0.0": "192.0.2.2 12342", "2.1.1": "192.0.2.2 11453"}[release]}},
			"cg_notice_bc": {model.Broadcasting, []string{"notices"}, []string{"192.0.2.2 DEFAULT"}},
			"cg_failing":   {model.Clustering, []string{"%RETRY%cg_failing", "failing"}, []string{map[string]string{"1.0.0": "192.0.2.2 12344", "2.1.1": "192.0.2.2 11455"}[release]}},
		} {
			var c *connections
			if err := decodeRecorded(t, release, "connection-"+group, func(d *decoder) (err error) { c, err = readConnections(d); return err }); err != nil {
				t.Fatalf("%s: %v", group, err)
			}
			var topics, clients []string
			for topic := range c.topics {
				topics = append(topics, topic)
			}
			slices.Sort(topics)
			for _, cl := range c.clients {
				clients = append(clients, cl.IP+" "+cl.PID)
				if cl.Language != "JAVA" || cl.Version != version {
					t.Errorf("%s: client %+v", group, cl)
				}
			}
			slices.Sort(clients)
			if c.check() != nil || c.model != want.model || !slices.Equal(topics, want.topics) || !slices.Equal(clients, want.clients) {
				t.Errorf("%s: %s, topics %v, clients %v; want %+v", group, c.model, topics, clients, want)
			}
		}
	})
}

// serveRecorded is a console that gives the recorded answers. What was not
// recorded it refuses.
func serveRecorded(t *testing.T, release string) *httptest.Server {
	t.Helper()
	answer := func(w http.ResponseWriter, name string) {
		body, err := os.ReadFile(filepath.Join("testdata", release, name+".json"))
		if errors.Is(err, os.ErrNotExist) {
			body = []byte(`{"status":-1,"data":null,"errMsg":"not recorded"}`)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		switch req.URL.Path {
		case pathClusters:
			answer(w, "cluster-list")
		case pathTopics:
			answer(w, "topic-list")
		case pathGroups, pathRefresh:
			answer(w, "group-list")
		case pathRows:
			answer(w, "group-"+q.Get("consumerGroup"))
		case pathConnection:
			answer(w, "connection-"+q.Get("consumerGroup"))
		case pathConsumers:
			answer(w, "consumers-"+q.Get("topic"))
		case pathRunning:
			// Not recorded: the shape is ConsumerRunningInfo's.
			_, _ = w.Write([]byte(`{"status":0,"data":{"properties":{},"subscriptionSet":[],"mqTable":{` +
				`"MessageQueue [topic=notices, brokerName=broker-a, queueId=0]":{"commitOffset":500,"droped":false},` +
				`"MessageQueue [topic=notices, brokerName=broker-a, queueId=1]":{"commitOffset":498,"droped":false}` +
				`},"statusTable":{},"jstack":null},"errMsg":null}`))
		default:
			http.NotFound(w, req)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// TestRecordedRound reads a whole round of recorded answers.
func TestRecordedRound(t *testing.T) {
	t.Parallel()
	bothRecorded(t, func(t *testing.T, release string) {
		src, err := New(Options{URL: serveRecorded(t, release).URL})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = src.Close() }()
		r := src.Collect(t.Context())
		for _, f := range r.Failures { // of cg_seq, which was not recorded
			if f.Reason != reasonRefused || f.Count != 1 || f.Step != pathRows && f.Step != pathConnection {
				t.Errorf("failure: %+v", f)
			}
		}
		if len(r.Snapshots) != 1 || r.Snapshots[0].Cluster != "DefaultCluster" {
			t.Fatalf("snapshots: %+v", r.Snapshots)
		}
		snap := r.Snapshots[0]
		if len(snap.Brokers) != 1 || !snap.Brokers[0].Up || snap.Odd != 0 {
			t.Errorf("brokers %+v, %d odd", snap.Brokers, snap.Odd)
		}
		want := map[string]map[string]int64{
			"1.0.0": {"cg_payments orders": 143410, "cg_payments payments": 8915, "cg_orders orders": 1, "cg_failing failing": 0, "cg_notice_bc notices": 2},
			"2.1.1": {"cg_payments orders": 138634, "cg_payments payments": 9035, "cg_orders orders": 3, "cg_failing failing": 0, "cg_notice_bc notices": 2},
		}[release]
		for key, n := range want {
			group, topic, _ := strings.Cut(key, " ")
			if got := backlogOf(snap, group, topic); got != n {
				t.Errorf("backlog of %s: %d, want %d", key, got, n)
			}
		}
		onlyKnownGroups(t, r)
	})
}

func onlyKnownGroups(t *testing.T, r source.Round) {
	t.Helper()
	var names []string
	for _, g := range r.Snapshots[0].Groups {
		names = append(names, g.Name)
	}
	want := []string{"cg_failing", "cg_notice_bc", "cg_orders", "cg_payments", "cg_seq"}
	if !slices.Equal(names, want) {
		t.Errorf("groups %v, want %v", names, want)
	}
}
