package fakemq

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// shop is one group of each model on two brokers, with some backlog.
func shop(t testing.TB, release Release) *Cluster {
	t.Helper()
	mq := start(t, Options{Release: release, Clusters: []ClusterOptions{
		{Name: "c1", Brokers: []string{"broker-a", "broker-b"}, Slaves: 1},
		{Name: "c2", Brokers: []string{"broker-c"}},
	}})
	must(t, mq.AddTopic(Topic{Name: "orders", Queues: 2, Brokers: []string{"broker-a", "broker-b"}}))
	must(t, mq.AddTopic(Topic{Name: "notices", Queues: 2, Order: true}))
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	must(t, mq.AddGroup(Group{Name: "bc", Topics: []string{"notices"}, Broadcasting: true}))
	mustID(t)(mq.AddConsumer("g", Consumer{ID: "c@1", Addr: "127.0.0.1:4001"}))
	mustID(t)(mq.AddConsumer("g", Consumer{ID: "c@2", Language: "GO", Version: 317}))
	mustID(t)(mq.AddConsumer("bc", Consumer{IP: "10.0.0.7"}))
	mustID(t)(mq.AddProducer(Producer{Group: "pg", ID: "p@1"}))
	must(t, mq.Produce("orders", 40))
	must(t, mq.Commit("g", "orders", "broker-a", 0, 4))
	return mq
}

func TestSmallRequests(t *testing.T) {
	mq := shop(t, Release550)
	ns, a, c := mq.NameServer(0), mq.Broker("broker-a"), mq.Broker("broker-c")
	for _, q := range []struct {
		node   *Node
		code   remoting.RequestCode
		fields []string
		want   string // part of the body
	}{
		{ns, 105, []string{"topic", "orders"}, `"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":2,"topicSysFlag":0,"writeQueueNums":2},{"brokerName":"broker-b",`},
		{ns, 224, []string{"cluster", "c2"}, `"broker-c"`},
		{ns, 304, nil, `"topicList":["broker-a","broker-b","broker-c","c1","c2"]`},
		{ns, 901, []string{"clusterName", "c1", "brokerName", "broker-b"}, `{"brokerMemberGroup":{"brokerAddrs":{0:"127.0.0.1:`},
		{a, 38, []string{"consumerGroup", "g"}, `{"consumerIdList":["c@1","c@2"]}`},
		{a, 204, []string{"producerGroup", "pg"}, `{"connectionSet":[{"clientAddr":"127.0.0.1:`},
		{c, 300, []string{"topic", "notices"}, `{"groupList":["bc"]}`},
		{a, 315, []string{"statsName", "BROKER_PUT_NUMS", "statsKey", "c1"}, `"sum":20`},
		{a, 317, []string{"isOrder", "false"}, `"totalDiff":16,"totalInflightDiff":-4}`},
		{a, 317, []string{"isOrder", "true"}, `"totalDiff":0,"totalInflightDiff":0}`},
		{a, 328, nil, `"pg":[{"clientId":"p@1"`},
		{a, 351, []string{"topic", "orders"}, `{"attributes":{},"order":false,"perm":6,"readQueueNums":2,`},
		{a, 907, nil, `"inSyncSlaveNums":1,"master":true`},
		{mq.BrokerID("broker-a", 1), 907, nil, `"inSyncSlaveNums":0,"master":false`},
		{mq.BrokerID("broker-a", 1), 28, nil, `"brokerActive":"false"`},
		{a, 34, nil, ""},
	} {
		if body := string(askOK(t, q.node, q.code, q.fields...)); !strings.Contains(body, q.want) {
			t.Errorf("%s to %s: %s\nwant %s in it", q.code, q.node.Name(), body, q.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	mq := shop(t, Release497)
	ns, a, c := mq.NameServer(0), mq.Broker("broker-a"), mq.Broker("broker-c")
	for _, q := range []struct {
		node   *Node
		code   remoting.RequestCode
		fields []string
		want   remoting.ResponseCode
		remark string
	}{
		{ns, 28, nil, 3, " request type 28 not supported"},
		{ns, 901, nil, 3, " request type 901 not supported"},
		{ns, 105, nil, 1, "topic"},
		{a, 106, nil, 3, " request type 106 not supported"},
		{a, 351, []string{"topic", "orders"}, 3, " request type 351 not supported"},
		{a, 907, nil, 3, " request type 907 not supported"},
		{a, 202, nil, 1, "topic"},
		{a, 208, nil, 1, "consumerGroup"},
		{a, 303, []string{"topic", "nosuch", "group", "g"}, 17, "topic[nosuch] not exist"},
		{a, 307, []string{"consumerGroup", "g", "clientId", "x"}, 1, "The Consumer <g> <x> not online"},
		{c, 203, []string{"consumerGroup", "g"}, 206, "not online"}, // none of its topics is there
		{c, 38, []string{"consumerGroup", "g"}, 1, "no consumer for this group"},
		{a, 204, []string{"producerGroup", "x"}, 1, "the producer group[x] not exist"},
		{a, 315, []string{"statsName", "GROUP_GET_NUMS", "statsKey", "orders@x"}, 1, "not exist"},
	} {
		f := ask(t, q.node, q.code, q.fields...)
		if f.Code != int32(q.want) || !strings.Contains(f.Remark, q.remark) || len(f.Body) > 0 {
			t.Errorf("%s to %s: code %d, remark %q, body %q; want %d with %q", q.code, q.node.Name(), f.Code, f.Remark, f.Body, q.want, q.remark)
		}
	}
}

func TestGoClientAnswersInItsOwnWords(t *testing.T) {
	mq := shop(t, Release550)
	body := askOK(t, mq.Broker("broker-b"), 307, "consumerGroup", "g", "clientId", "c@2")
	if !strings.Contains(string(body), `"dropped":false`) || strings.Contains(string(body), "mqPopTable") {
		t.Errorf("body %s", body)
	}
	var queues []string
	must(t, remoting.DecodeRunningInfo(body, func(q remoting.RunningQueue) {
		queues = append(queues, fmt.Sprintf("%s %s %d", q.Topic, q.Broker, q.QueueID))
	}))
	if want := []string{"%RETRY%g broker-b 0", "orders broker-b 0", "orders broker-b 1"}; !slices.Equal(queues, want) {
		t.Errorf("holds %q, want %q", queues, want)
	}
}

// Clients of before 4.9.4 get broker ids as bare numbers in a route.
func TestRouteForOldClients(t *testing.T) {
	mq := shop(t, Release550)
	p := dial(t, mq.NameServer(0).Addr())
	old := request(105, "topic", "orders")
	old.Version = 317
	p.send(old)
	f, err := p.receive()
	if err != nil || !strings.Contains(string(f.Body), `"brokerAddrs":{0:"`) {
		t.Errorf("body %s, %v", f.Body, err)
	}
}

func TestRuntimeOverrides(t *testing.T) {
	mq := shop(t, Release550)
	a := mq.Broker("broker-a")
	must(t, mq.Delay("broker-a", 3, 7, 9))
	a.SetRuntime("putTps", "odd")
	a.SetRuntime("madeUp", "1")
	a.HideRuntime("bootTimestamp")
	got := map[string]string{}
	must(t, remoting.DecodeRuntimeInfo(askOK(t, a, 28), func(k, v []byte) { got[string(k)] = string(v) }))
	if got["putTps"] != "odd" || got["madeUp"] != "1" || got["scheduleMessageOffset_3"] != "7,9" {
		t.Errorf("table %v", got)
	}
	if _, ok := got["bootTimestamp"]; ok {
		t.Error("hidden key is there")
	}
}

func TestVersionDesc(t *testing.T) {
	for v, want := range map[int32]string{407: "V4_9_7", 413: "V5_0_0", 513: "V5_5_0", 317: "V4_5_2", 412: "V5_0_0_SNAPSHOT", 401: "V4_9_4", 479: "V5_3_3"} {
		if got := versionDesc(v); got != want {
			t.Errorf("%d: %s, want %s", v, got, want)
		}
	}
}
