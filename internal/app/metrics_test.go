package app

import (
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/version"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// truth is what the seven families must say of a cluster.
func truth(mq *fakemq.Cluster) series {
	list := make(series)
	for _, r := range mq.Backlog() {
		if r.Uncommitted && r.Begin > 0 {
			continue // nobody knows where the group will start
		}
		ip, pid, _ := strings.Cut(r.ClientID, "@")
		pid, _, _ = strings.Cut(pid, "#")
		add := func(name string, labels ...string) {
			l := map[string]string{"cluster": r.Cluster}
			for i := 0; i < len(labels); i += 2 {
				l[labels[i]] = labels[i+1]
			}
			list[key("rocketmq_msg_diff_"+name, l)] += float64(r.Backlog)
		}
		queue := strconv.Itoa(r.Queue)
		add("detail", "topic", r.Topic, "consumerGroup", r.Group, "broker", r.Broker, "queueId", queue,
			"consumerClientIP", ip, "consumerClientPID", pid)
		add("topic", "topic", r.Topic)
		add("consumergroup", "consumerGroup", r.Group)
		add("topic_consumergroup", "topic", r.Topic, "consumerGroup", r.Group)
		add("broker", "broker", r.Broker)
		add("queue", "broker", r.Broker, "queueId", queue)
		if r.ClientID != "" {
			add("clientinfo", "consumerClientIP", ip, "consumerClientPID", pid)
		}
	}
	return list
}

func backlogOf(s series) series {
	list := make(series)
	for _, name := range []string{"detail", "topic", "consumergroup", "topic_consumergroup", "broker", "queue", "clientinfo"} {
		maps.Copy(list, s.of("rocketmq_msg_diff_"+name))
	}
	return list
}

func TestTheSevenFamiliesTellTheTruth(t *testing.T) {
	mq := shop(t)
	a := newStepped(t, settings(t, mq.NameServers()))
	a.round()
	compareBacklog := func() {
		t.Helper()
		got, want := backlogOf(a.scrape()), truth(mq)
		if !maps.Equal(got, want) {
			t.Errorf("\n got\n%vwant\n%v", got, want)
		}
	}
	compareBacklog()
	if n := len(truth(mq).of("rocketmq_msg_diff_detail")); n < 15 {
		t.Fatalf("%d rows are too few to show anything", n)
	}

	must(t, mq.Produce("orders", 60))
	must(t, mq.KillConsumer("billing", mq.ClientIDs("billing")[0]))
	must(t, mq.DeleteTopic("audit"))
	a.round()
	compareBacklog()
}

func TestAScrapeReadsTheLastReportAndAsksNobody(t *testing.T) {
	mq := shop(t)
	a := newStepped(t, settings(t, mq.NameServers()))
	a.round()
	settle(t, a.targets()[0])
	requests, accepted := mq.Requests(), acceptedBy(mq)

	before := a.scrape()
	must(t, mq.Produce("orders", 1000))
	after := a.scrape()
	a.get("/")
	if !maps.Equal(backlogOf(before), backlogOf(after)) {
		t.Error("two scrapes of one report differ")
	}
	if got := mq.Requests(); !maps.Equal(got, requests) {
		t.Errorf("scrapes sent requests: %v before, %v after", requests, got)
	}
	if got := acceptedBy(mq); got != accepted {
		t.Errorf("scrapes opened connections: %d before, %d after", accepted, got)
	}
}

func acceptedBy(mq *fakemq.Cluster) int {
	n := 0
	for _, node := range mq.Nodes() {
		n += node.Accepted()
	}
	return n
}

func TestCountersOfRoundsAndRequests(t *testing.T) {
	mq := shop(t)
	a := newStepped(t, settings(t, mq.NameServers()))
	before := time.Now()
	a.round()
	a.round()
	settle(t, a.targets()[0])
	s := a.scrape()
	s.want(t, series{
		`rocketmq_exporter_rounds_total{cluster="shop",result="ok"}`:                                                       2,
		`rocketmq_exporter_rounds_total{cluster="shop",result="partial"}`:                                                  0,
		`rocketmq_exporter_rounds_total{cluster="shop",result="failed"}`:                                                   0,
		`rocketmq_exporter_requests_total{cluster="shop",request="GET_BROKER_CLUSTER_INFO",result="ok"}`:                   2,
		`rocketmq_exporter_requests_total{cluster="shop",request="GET_ALL_CONSUMER_OFFSET",result="ok"}`:                   4,
		`rocketmq_exporter_odd_entries_total{cluster="shop"}`:                                                              0,
		`rocketmq_exporter_incomplete_brokers{cluster="shop"}`:                                                             0,
		`rocketmq_up{cluster="shop"}`:                                                                                      1,
		`rocketmq_nameserver_up{address="` + mq.NameServers()[0] + `",cluster="shop"}`:                                     1,
		`rocketmq_exporter_series{}`:                                                                                       float64(aboutClusters(s)),
		`rocketmq_broker_up{address="` + mq.Broker("broker-a").Addr() + `",broker="broker-a",brokerId="0",cluster="shop"}`: 1,
	})
	steps, whole := 0.0, s[`rocketmq_exporter_round_duration_seconds{cluster="shop"}`]
	for _, took := range s.of("rocketmq_exporter_round_step_duration_seconds") {
		steps += took
	}
	if n := len(s.of("rocketmq_exporter_round_step_duration_seconds")); n != 6 || steps <= 0 || steps > whole {
		t.Errorf("%d steps of a round took %v s of its %v", n, steps, whole)
	}
	// Every request that the cluster received was counted, and no other.
	sums := make(map[string]float64)
	for k, v := range s.of("rocketmq_exporter_requests_total") {
		_, name, _ := strings.Cut(k, `request="`)
		name, _, _ = strings.Cut(name, `"`)
		sums[name] += v
	}
	for code, n := range mq.Requests() {
		if sums[code.String()] != float64(n) {
			t.Errorf("%s: %v counted, the cluster received %d", code, sums[code.String()], n)
		}
		delete(sums, code.String())
	}
	if len(sums) > 0 {
		t.Errorf("counted, but never received: %v", sums)
	}
	for _, dir := range []string{"request_sent", "response_received"} {
		k := `rocketmq_exporter_` + dir + `_bytes_total{cluster="shop",request="GET_ALL_CONSUMER_OFFSET"}`
		if s[k] < 100 {
			t.Errorf("%s is %v", k, s[k])
		}
	}
	for _, k := range []string{
		`rocketmq_exporter_last_success_timestamp_seconds{cluster="shop"}`,
		`rocketmq_exporter_snapshot_timestamp_seconds{cluster="shop"}`,
	} {
		if at := s[k]; at < float64(before.Unix()) || at > float64(time.Now().Unix())+1 {
			t.Errorf("%s is %v, not between %v and now", k, at, before)
		}
	}
	if d := s[`rocketmq_exporter_round_duration_seconds{cluster="shop"}`]; d <= 0 || d > patience.Seconds() {
		t.Errorf("round duration %v s", d)
	}
	for _, name := range []string{"go_goroutines", "process_start_time_seconds"} {
		if s[name+"{}"] <= 0 {
			t.Errorf("%s is missing", name)
		}
	}
	if len(s.of("rocketmq_exporter_build_info")) != 1 {
		t.Error("rocketmq_exporter_build_info is missing")
	}
}

// aboutClusters counts what rocketmq_exporter_series counts.
func aboutClusters(s series) int {
	n := 0
	for k := range s {
		own := strings.HasPrefix(k, "rocketmq_exporter_") &&
			!strings.HasPrefix(k, "rocketmq_exporter_incomplete_brokers{") &&
			!strings.HasPrefix(k, "rocketmq_exporter_snapshot_timestamp_seconds{") &&
			!strings.HasPrefix(k, "rocketmq_exporter_slow_cycle_timestamp_seconds{")
		if strings.HasPrefix(k, "rocketmq_") && !own {
			n++
		}
	}
	return n
}

func TestFailuresAreCountedByReason(t *testing.T) {
	mq := shop(t)
	a := newStepped(t, settings(t, mq.NameServers()))
	a.round()
	mq.Broker("broker-b").Inject(fakemq.Fault{
		Code: remoting.GetAllConsumerOffset, Effect: fakemq.Refuse(remoting.SystemBusy, "[OVERLOAD]"),
	})
	a.round()
	a.round()
	a.scrape().want(t, series{
		`rocketmq_exporter_errors_total{cluster="shop",reason="busy"}`:                                                     2,
		`rocketmq_exporter_requests_total{cluster="shop",request="GET_ALL_CONSUMER_OFFSET",result="busy"}`:                 2,
		`rocketmq_exporter_requests_total{cluster="shop",request="GET_ALL_CONSUMER_OFFSET",result="ok"}`:                   4,
		`rocketmq_exporter_rounds_total{cluster="shop",result="ok"}`:                                                       1,
		`rocketmq_exporter_rounds_total{cluster="shop",result="partial"}`:                                                  2,
		`rocketmq_exporter_incomplete_brokers{cluster="shop"}`:                                                             1,
		`rocketmq_up{cluster="shop"}`:                                                                                      1,
		`rocketmq_broker_up{address="` + mq.Broker("broker-b").Addr() + `",broker="broker-b",brokerId="0",cluster="shop"}`: 1,
	})
}

// Nobody knows how many brokers a cluster has that was never reached.
func TestBrokersOfAClusterThatWasNeverReachedAreNotCounted(t *testing.T) {
	mq := shop(t)
	addrs := mq.NameServers()
	mq.NameServer(0).Stop()
	a := newStepped(t, settings(t, addrs, func(c *config.Config) { c.Clusters[0].Name = "shop" }))
	a.round()
	s := a.scrape()
	s.want(t, series{up("shop"): 0})
	s.lacks(t, `rocketmq_exporter_incomplete_brokers{cluster="shop"}`)
}

func TestOddEntriesAreCounted(t *testing.T) {
	mq := shop(t)
	a := newStepped(t, settings(t, mq.NameServers()))
	mq.Broker("broker-a").Inject(fakemq.Fault{
		Code: remoting.GetAllConsumerOffset, Effect: fakemq.Body([]byte(`{"offsetTable":{"orders@billing":{0:-7,1:3}}}`)),
	})
	a.round()
	a.round()
	a.scrape().want(t, series{`rocketmq_exporter_odd_entries_total{cluster="shop"}`: 2})
}

func TestHowARoundEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(mq *fakemq.Cluster)
		want  string
		up    float64
	}{
		{"all well", func(*fakemq.Cluster) {}, "ok", 1},
		{"a process does not answer", func(mq *fakemq.Cluster) {
			_, _ = mq.AddConsumer("billing", fakemq.Consumer{Mute: true})
		}, "ok", 1},
		{"a broker is down", func(mq *fakemq.Cluster) { mq.Broker("broker-a").Stop() }, "partial", 1},
		{"a broker refuses", func(mq *fakemq.Cluster) {
			mq.Broker("broker-a").Inject(fakemq.Fault{Code: remoting.GetAllTopicConfig, Effect: fakemq.Refuse(remoting.NoPermission, "")})
		}, "partial", 1},
		{"one group's members are not known", func(mq *fakemq.Cluster) {
			for _, b := range []string{"broker-a", "broker-b"} {
				mq.Broker(b).Inject(fakemq.Fault{
					Code: remoting.GetConsumerConnectionList, Fields: map[string]string{"consumerGroup": "billing"},
					Effect: fakemq.Refuse(remoting.SystemError, "no"),
				})
			}
		}, "partial", 1},
		{"all brokers are down", func(mq *fakemq.Cluster) {
			mq.Broker("broker-a").Stop()
			mq.Broker("broker-b").Stop()
		}, "failed", 0},
		{"all is down", func(mq *fakemq.Cluster) { mq.Close() }, "failed", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			mq := shop(t)
			c.spoil(mq)
			a := newStepped(t, settings(t, mq.NameServers()))
			a.round()
			s := a.scrape()
			ends := 0.0
			for k, n := range s.of("rocketmq_exporter_rounds_total") {
				if ends += n; n > 0 && !strings.Contains(k, `result="`+c.want+`"`) {
					t.Errorf("the round ended as %s, want %s", k, c.want)
				}
			}
			if ends != 1 {
				t.Errorf("%v ends of one round", ends)
			}
			for k, v := range s.of("rocketmq_up") {
				if v != c.up {
					t.Errorf("%s is %v, want %v", k, v, c.up)
				}
			}
			// Only a round that has read everything is a success.
			if got, want := len(s.of("rocketmq_exporter_last_success_timestamp_seconds")) > 0, c.want == "ok"; got != want {
				t.Errorf("there was a success: %v, want %v", got, want)
			}
		})
	}
}

func TestTheLabelClusterBeforeAndAfterTheFirstSuccess(t *testing.T) {
	mq := shop(t)
	ns := mq.NameServers()[0]
	a := newStepped(t, settings(t, mq.NameServers()))

	s := a.scrape() // before any round
	s.want(t, series{key("rocketmq_exporter_rounds_total", map[string]string{"cluster": ns, "result": "failed"}): 0})
	if len(s.of("rocketmq_up")) > 0 {
		t.Error("rocketmq_up is there before a round has ended")
	}

	mq.NameServer(0).Stop()
	a.round()
	a.scrape().want(t, series{
		key("rocketmq_up", map[string]string{"cluster": ns}):                                         0,
		key("rocketmq_nameserver_up", map[string]string{"cluster": ns, "address": ns}):               0,
		key("rocketmq_exporter_rounds_total", map[string]string{"cluster": ns, "result": "failed"}):  1,
		key("rocketmq_exporter_errors_total", map[string]string{"cluster": ns, "reason": "connect"}): 1,
	})

	must(t, mq.NameServer(0).Start())
	eventually(t, "the client dials again", func() bool {
		a.round()
		return a.scrape()[`rocketmq_up{cluster="shop"}`] == 1
	})
	s = a.scrape()
	for k := range s {
		if strings.Contains(k, `cluster="`+ns+`"`) {
			t.Errorf("still under the address: %s", k)
		}
	}

	// Lost again, it keeps its name.
	mq.Close()
	a.round()
	a.scrape().want(t, series{
		`rocketmq_up{cluster="shop"}`: 0,
		key("rocketmq_nameserver_up", map[string]string{"cluster": "shop", "address": ns}): 0,
	})
}

func TestTwoClustersBehindOneNameServer(t *testing.T) {
	mq := start(t, fakemq.Options{Clusters: []fakemq.ClusterOptions{
		{Name: "east", Brokers: []string{"broker-e"}}, {Name: "west", Brokers: []string{"broker-w"}},
	}})
	a := newStepped(t, settings(t, mq.NameServers()))
	a.round()
	a.scrape().want(t, series{
		`rocketmq_up{cluster="east"}`: 1,
		`rocketmq_up{cluster="west"}`: 1,
		// The rounds are those of both.
		key("rocketmq_exporter_rounds_total", map[string]string{"cluster": mq.NameServers()[0], "result": "ok"}): 1,
	})
}

// What a name server says may be anything. The exporter's own metrics must
// still be there, under the same label as those about the cluster.
func TestAClusterNameThatIsNoText(t *testing.T) {
	a := newStepped(t, settings(t, []string{"127.0.0.1:1"}))
	snap := &model.Snapshot{Cluster: "e\xff\xfeast"}
	report := lag.Build(snap)
	a.targets()[0].state.Store(&state{reports: []*lag.Report{report}, views: []*exposition.View{rules(config.Cluster{}).View(report)}})
	s := a.scrape()
	s.want(t, series{
		key("rocketmq_up", map[string]string{"cluster": "e\uFFFD\uFFFDast"}):                                         0,
		key("rocketmq_exporter_rounds_total", map[string]string{"cluster": "e\uFFFD\uFFFDast", "result": "partial"}): 0,
	})
}

func TestPrefix(t *testing.T) {
	mq := shop(t)
	a := newStepped(t, settings(t, mq.NameServers(), func(c *config.Config) { c.Prefix = "mq" }))
	a.round()
	s := a.scrape()
	s.want(t, series{
		`mq_up{cluster="shop"}`:                                1,
		`mq_exporter_rounds_total{cluster="shop",result="ok"}`: 1,
	})
	if len(s.of("mq_msg_diff_detail")) == 0 || len(s.of("mq_exporter_build_info")) != 1 {
		t.Error("families are missing under the prefix")
	}
	for k := range s {
		if strings.HasPrefix(k, "rocketmq_") {
			t.Errorf("not under the prefix: %s", k)
		}
	}
}

func TestSelection(t *testing.T) {
	mq := shop(t)
	a := newStepped(t, settings(t, mq.NameServers(), func(c *config.Config) {
		c.Clusters[0].IgnoredTopics, c.Clusters[0].System = []string{"orders", "notices"}, true
	}))
	a.round()
	s := a.scrape()
	s.lacks(t, `rocketmq_msg_diff_topic{cluster="shop",topic="orders"}`, `rocketmq_msg_diff_topic{cluster="shop",topic="notices"}`)
	s.want(t, series{`rocketmq_msg_diff_topic{cluster="shop",topic="audit"}`: 1})
}

func TestPaths(t *testing.T) {
	mq := shop(t)
	for _, c := range []struct {
		metrics string
		want    map[string]string // path: what the answer's type begins with, or its code
	}{
		{"/metrics", map[string]string{
			"/": "text/html", "/metrics": "text/plain; version=0.0.4", "/-/healthy": "text/plain", "/style.css": "text/css",
			"/nothing": "404", "/metrics/": "404", "/-/": "404",
		}},
		{"/own/path", map[string]string{"/": "text/html", "/own/path": "text/plain; version=0.0.4", "/metrics": "404", "/own": "404"}},
		{"/", map[string]string{
			"/": "text/plain; version=0.0.4", "/metrics": "404", "/nothing": "404", "/-/healthy": "text/plain", "/-/ready": "text/plain",
		}},
	} {
		a := newStepped(t, settings(t, mq.NameServers(), func(s *config.Config) { s.Web.MetricsPath = c.metrics }))
		a.round()
		for path, want := range c.want {
			w := a.get(path)
			got := strconv.Itoa(w.Code)
			if w.Code == http.StatusOK {
				got = w.Header().Get("Content-Type")
			}
			if !strings.HasPrefix(got, want) {
				t.Errorf("metrics at %s: %s is %s, want %s", c.metrics, path, got, want)
			}
		}
	}
}

func TestReadyAfterTheFirstRoundWhateverItFound(t *testing.T) {
	a := newStepped(t, settings(t, []string{"127.0.0.1:1"}))
	if w := a.get("/-/ready"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "127.0.0.1:1") {
		t.Errorf("before the first round: %d %s", w.Code, w.Body)
	}
	if w := a.get("/-/healthy"); w.Code != http.StatusOK {
		t.Errorf("healthy before the first round: %d", w.Code)
	}
	if w := a.get("/"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "not read yet") {
		t.Errorf("page before the first round: %d %s", w.Code, w.Body)
	}
	a.round()
	if w := a.get("/-/ready"); w.Code != http.StatusOK {
		t.Errorf("after it: %d %s", w.Code, w.Body)
	}
}

func TestThePageShowsTheRound(t *testing.T) {
	mq := shop(t)
	a := newStepped(t, settings(t, mq.NameServers()))
	a.round()
	page := func(wants ...string) {
		t.Helper()
		body := a.get("/").Body.String()
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("the page lacks %q:\n%s", want, body)
			}
		}
	}
	page("shop", "whole", "billing", "orders", `href="./metrics"`, version.Version)

	mq.Broker("broker-a").Stop()
	a.round()
	page("partial", mq.Broker("broker-a").Addr(), "could not be read whole")

	mq.Close()
	a.round()
	page("unreachable", "the numbers are older")
}

func TestThePageSaysTheMostFrequentFailures(t *testing.T) {
	s := &state{}
	for i, count := range []int{1, 5, 1, 1, 2} {
		s.failures = append(s.failures, failure(strconv.Itoa(i), count))
	}
	if got, want := s.errorText(), "failure 1 (5 times); failure 4 (2 times); failure 0; and 2 more"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (&state{}).errorText(); got != "" {
		t.Errorf("%q of no failure", got)
	}
}

func TestWhatIsNotAskedInEachRoundSettlesLater(t *testing.T) {
	a := newApp(t, settings(t, []string{"127.0.0.1:1"}), io.Discard)
	for step, want := range map[remoting.RequestCode]time.Duration{
		remoting.GetBrokerClusterInfo:   0,
		remoting.GetAllConsumerOffset:   0,
		remoting.GetBrokerRuntimeInfo:   10 * time.Second,
		remoting.GetConsumerRunningInfo: 2*5*time.Minute + 2*time.Second,
	} {
		if got := a.targets()[0].settle(source.Failure{Step: step.String()}); got != want {
			t.Errorf("%v settles after %v, want %v", step, got, want)
		}
	}
}
