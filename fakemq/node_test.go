package fakemq

import (
	"bufio"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

func TestStopAndStartOnTheSamePort(t *testing.T) {
	mq := withOrders(t, Options{NameServers: 2})
	for _, n := range []*Node{mq.Broker("broker-a"), mq.NameServer(1)} {
		addr := n.Addr()
		p := dial(t, addr)
		n.Stop()
		if _, err := p.receive(); err == nil {
			t.Errorf("%s: a connection outlives Stop", n.Name())
		}
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			t.Errorf("%s: listens after Stop", n.Name())
		}
		must(t, n.Start())
		if n.Addr() != addr {
			t.Errorf("%s: moved from %s to %s", n.Name(), addr, n.Addr())
		}
		dial(t, addr)
	}
}

func TestDeregisteredMasterLeavesItsSlave(t *testing.T) {
	mq := start(t, Options{Clusters: []ClusterOptions{{Slaves: 1}}})
	ids := func() (ids []int64) {
		info, err := remoting.DecodeClusterInfo(askOK(t, mq.NameServer(0), 106))
		must(t, err)
		for _, b := range info.Brokers {
			for _, a := range b.Addrs {
				ids = append(ids, a.ID)
			}
		}
		return ids
	}
	if got := ids(); len(got) != 2 {
		t.Fatalf("ids %v, want 0 and 1", got)
	}
	master := mq.Broker("broker-a")
	master.Stop()
	if got := ids(); len(got) != 2 {
		t.Errorf("ids of a broker that stopped just now: %v", got)
	}
	master.Deregister()
	if got := ids(); len(got) != 1 || got[0] != 1 {
		t.Errorf("ids of a broker without master: %v", got)
	}
	mq.BrokerID("broker-a", 1).Deregister()
	if got := ids(); len(got) != 0 {
		t.Errorf("ids of a dead broker: %v", got)
	}
	must(t, master.Start())
	if got := ids(); len(got) != 1 || got[0] != 0 {
		t.Errorf("ids of a master that came back: %v", got)
	}
}

func TestSlaveOf55HasNoCommits(t *testing.T) {
	for release, want := range map[Release]int{Release497: 1, Release550: 0} {
		mq := start(t, Options{Release: release, Clusters: []ClusterOptions{{Slaves: 1}}})
		must(t, mq.AddTopic(Topic{Name: "orders"}))
		must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
		must(t, mq.Commit("g", "orders", "broker-a", 0, 0))
		keys := 0
		_, err := remoting.DecodeConsumerOffsets(askOK(t, mq.BrokerID("broker-a", 1), 43),
			func(*remoting.OffsetKey) bool { keys++; return false }, nil)
		if err != nil || keys != want {
			t.Errorf("%s: %d keys, %v; want %d", release, keys, err, want)
		}
	}
}

func TestBinaryHeaders(t *testing.T) {
	mq := withOrders(t, Options{BinaryHeaders: true})
	f := ask(t, mq.Broker("broker-a"), 202, "topic", "nosuch")
	if f.Encoding != remoting.BinaryHeader || f.Code != int32(remoting.TopicNotExist) || f.Remark == "" {
		t.Errorf("%+v", f)
	}
	// A request with a binary header is understood as well.
	p := dial(t, mq.NameServer(0).Addr())
	frame, err := request(105, "topic", "orders").Append(nil, remoting.BinaryHeader)
	must(t, err)
	if _, err := p.conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	if f, err := p.receive(); err != nil || f.Code != 0 {
		t.Errorf("code %d, error %v", f.Code, err)
	}
}

func TestTooLongFrameClosesTheConnection(t *testing.T) {
	mq := start(t, Options{MaxFrame: 1 << 10})
	p := dial(t, mq.Broker("broker-a").Addr())
	p.send(request(208, "consumerGroup", strings.Repeat("x", 1<<11)))
	if _, err := p.receive(); err == nil {
		t.Error("the request was answered")
	}
}

func TestOnewayHasNoAnswer(t *testing.T) {
	mq := start(t, Options{})
	p := dial(t, mq.Broker("broker-a").Addr())
	quiet := request(28)
	quiet.Flag = remoting.FlagOneway
	p.send(quiet)
	want := p.send(request(45))
	if f, err := p.receive(); err != nil || f.Opaque != want {
		t.Errorf("answer to %d, %v", f.Opaque, err)
	}
}

func TestRequestsAreCounted(t *testing.T) {
	var mu sync.Mutex
	traced := map[string]int{}
	mq := start(t, Options{Trace: func(node string, req *remoting.Command) {
		mu.Lock()
		defer mu.Unlock()
		traced[node+" "+remoting.RequestCode(req.Code).String()]++
	}})
	askOK(t, mq.NameServer(0), 106)
	askOK(t, mq.Broker("broker-a"), 28)
	askOK(t, mq.Broker("broker-a"), 28)
	if got := mq.Requests(); got[28] != 2 || got[106] != 1 || len(got) != 2 {
		t.Errorf("requests %v", got)
	}
	if got := mq.Broker("broker-a").Requests(); got[28] != 2 || len(got) != 1 {
		t.Errorf("requests of the broker %v", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if traced["namesrv-0 GET_BROKER_CLUSTER_INFO"] != 1 || traced["broker-a GET_BROKER_RUNTIME_INFO"] != 2 {
		t.Errorf("traced %v", traced)
	}
}

func TestMuteClientTimesOut(t *testing.T) {
	mq := withOrders(t, Options{ClientTimeout: time.Millisecond})
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	mute := mustID(t)(mq.AddConsumer("g", Consumer{Mute: true}))
	f := ask(t, mq.Broker("broker-a"), 307, "consumerGroup", "g", "clientId", mute)
	if f.Code != int32(remoting.ConsumeMsgTimeout) || !strings.Contains(f.Remark, "Timeout") {
		t.Errorf("code %d, remark %q", f.Code, f.Remark)
	}
}

// No goroutine is left after Close, whatever hung.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	mq, err := Start(Options{NameServers: 2, Clusters: []ClusterOptions{{Slaves: 1}}})
	must(t, err)
	for _, n := range mq.Nodes() {
		n.Inject(Fault{Code: 28, Effect: Delay(time.Hour)})
		conn, err := net.Dial("tcp", n.Addr())
		must(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		p := &peer{t: t, conn: conn, r: bufio.NewReader(conn)}
		p.send(request(28))
		p.send(request(106)) // known or not, its answer shows that the other has begun
		if _, err := p.receive(); err != nil {
			t.Fatal(err)
		}
	}
	mq.Close()
	// Who has said that it is done may have a few instructions to go.
	after := runtime.NumGoroutine()
	for began := time.Now(); after > before && time.Since(began) < 10*time.Second; after = runtime.NumGoroutine() {
		runtime.Gosched()
	}
	if after > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after:\n%s", before, after, buf[:runtime.Stack(buf, true)])
	}
}

func TestManyConnectionsAtOnce(t *testing.T) {
	mq := withOrders(t, Options{})
	must(t, mq.AddGroup(Group{Name: "g", Topics: []string{"orders"}}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			p := dial(t, mq.Broker("broker-a").Addr())
			for range 50 {
				p.send(request(43))
				p.send(request(202, "topic", "orders"))
			}
			for range 100 {
				if _, err := p.receive(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range int64(100) {
		must(t, mq.Produce("orders", 10))
		must(t, mq.Commit("g", "orders", "broker-a", int(i%4), i))
	}
	all.Wait()
}
