package fakemq

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

func withOrders(t testing.TB, o Options) *Cluster {
	t.Helper()
	mq := start(t, o)
	must(t, mq.AddTopic(Topic{Name: "orders"}))
	must(t, mq.AddTopic(Topic{Name: "payments"}))
	return mq
}

func TestRefuseTouchesOnlyWhatItNames(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	in := b.Inject(Fault{Code: 202, Fields: map[string]string{"topic": "orders"}, Times: 2, Effect: Refuse(remoting.SystemBusy, "busy")})
	askOK(t, b, 202, "topic", "payments")
	askOK(t, b, 28)
	for range 2 {
		if f := ask(t, b, 202, "topic", "orders"); f.Code != int32(remoting.SystemBusy) || f.Remark != "busy" {
			t.Fatalf("code %d, remark %q", f.Code, f.Remark)
		}
	}
	askOK(t, b, 202, "topic", "orders")
	if in.Hits() != 2 {
		t.Errorf("hits: %d, want 2", in.Hits())
	}
}

func TestRemoveEndsAFault(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	in := b.Inject(Fault{Effect: Refuse(remoting.SystemError, "")})
	if f := ask(t, b, 28); f.Code != int32(remoting.SystemError) {
		t.Fatalf("code %d", f.Code)
	}
	in.Remove()
	askOK(t, b, 28)
	b.Inject(Fault{Effect: Disconnect()})
	b.ClearFaults()
	askOK(t, b, 28)
}

func TestDropLeavesTheConnection(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	b.Inject(Fault{Code: 43, Effect: Drop()})
	p := dial(t, b.Addr())
	p.send(request(43))
	want := p.send(request(28))
	if f, err := p.receive(); err != nil || f.Opaque != want {
		t.Fatalf("answer to %d: %v, want that to %d", f.Opaque, err, want)
	}
}

func TestDisconnectAndCut(t *testing.T) {
	for name, c := range map[string]struct {
		effect Effect
		want   error
	}{
		"disconnect":         {Disconnect(), io.EOF},
		"cut to nothing":     {Cut(0), io.EOF},
		"cut in the length":  {Cut(3), io.ErrUnexpectedEOF},
		"cut in the header":  {Cut(20), io.ErrUnexpectedEOF},
		"cut in the body":    {Cut(300), io.ErrUnexpectedEOF},
		"cut behind the end": {Cut(1 << 20), nil},
	} {
		t.Run(name, func(t *testing.T) {
			mq := withOrders(t, Options{})
			b := mq.Broker("broker-a")
			b.Inject(Fault{Effect: c.effect})
			p := dial(t, b.Addr())
			p.send(request(21))
			if _, err := p.receive(); !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestBrokenBodies(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	in := b.Inject(Fault{Code: 21, Effect: Body([]byte("no json"))})
	if body := askOK(t, b, 21); string(body) != "no json" {
		t.Errorf("body %q", body)
	}
	in.Remove()
	whole := askOK(t, b, 21)
	b.Inject(Fault{Code: 21, Effect: Garble()})
	garbled := askOK(t, b, 21)
	if len(garbled) != len(whole) || bytes.Equal(garbled, whole) {
		t.Errorf("garbled body of %d bytes, want %d other ones", len(garbled), len(whole))
	}
	if err := remoting.DecodeTopicConfigs(garbled, func(remoting.TopicConfig) {}); !errors.Is(err, remoting.ErrMalformed) {
		t.Errorf("garbled body decodes: %v", err)
	}
}

func TestHugeFrameIsRefusedByLength(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	b.Inject(Fault{Effect: Huge()})
	p := dial(t, b.Addr())
	p.send(request(28))
	if _, err := p.receive(); !errors.Is(err, remoting.ErrMalformed) || !strings.Contains(err.Error(), "2147483647") {
		t.Fatalf("error %v", err)
	}
}

func TestWrongOpaqueTwiceAndCustom(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	b.Inject(Fault{Code: 28, Effect: WrongOpaque()})
	b.Inject(Fault{Code: 43, Effect: Twice()})
	b.Inject(Fault{Code: 45, Effect: Custom(func(req *remoting.Command) []byte { return []byte{0, 0, 0, 1, byte(req.Code)} })})
	p := dial(t, b.Addr())
	sent := p.send(request(28))
	if f, err := p.receive(); err != nil || f.Opaque == sent {
		t.Errorf("opaque %d, error %v", f.Opaque, err)
	}
	sent = p.send(request(43))
	for range 2 {
		if f, err := p.receive(); err != nil || f.Opaque != sent {
			t.Errorf("opaque %d, error %v", f.Opaque, err)
		}
	}
	p.send(request(45))
	if _, err := p.receive(); !errors.Is(err, remoting.ErrMalformed) {
		t.Errorf("custom frame of one byte: %v", err)
	}
}

func TestAnswersOvertakeADelayedOne(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	open := make(chan struct{})
	b.Inject(Fault{Code: 43, Effect: Gate(open)})
	p := dial(t, b.Addr())
	slow, quick := p.send(request(43)), p.send(request(28))
	if f, err := p.receive(); err != nil || f.Opaque != quick {
		t.Fatalf("first answer is to %d (%v), want %d", f.Opaque, err, quick)
	}
	close(open)
	if f, err := p.receive(); err != nil || f.Opaque != slow {
		t.Fatalf("second answer is to %d (%v), want %d", f.Opaque, err, slow)
	}
}

func TestSixteenRequestsAtATime(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	open := make(chan struct{})
	b.Inject(Fault{Code: 43, Effect: Gate(open)})
	p := dial(t, b.Addr())
	for range poolThreads {
		p.send(request(43))
	}
	last := p.send(request(28))
	close(open)
	answered := map[int32]bool{}
	for range poolThreads + 1 {
		f, err := p.receive()
		must(t, err)
		answered[f.Opaque] = true
	}
	if !answered[last] {
		t.Error("the request behind the busy threads was lost")
	}
}

func TestFullQueueIsBusy(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	open := make(chan struct{})
	defer close(open)
	b.Inject(Fault{Code: 43, Effect: Gate(open)})
	p := dial(t, b.Addr())
	for range poolThreads + poolQueue + 1 {
		p.send(request(43))
	}
	f, err := p.receive()
	if err != nil || f.Code != int32(remoting.SystemBusy) {
		t.Fatalf("code %d, error %v, want %d", f.Code, err, remoting.SystemBusy)
	}
}

func TestDelayIsEndedByStop(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	b.Inject(Fault{Code: 43, Effect: After(time.Hour, Refuse(remoting.SystemError, ""))})
	p := dial(t, b.Addr())
	p.send(request(43))
	p.send(request(28))
	if _, err := p.receive(); err != nil {
		t.Fatal(err)
	}
	b.Stop() // returns although the other answer is an hour away
}

func TestModes(t *testing.T) {
	mq := withOrders(t, Options{})
	b := mq.Broker("broker-a")
	old := dial(t, b.Addr())
	old.send(request(28))
	if _, err := old.receive(); err != nil {
		t.Fatal(err)
	}
	b.SetMode(HTTP)
	if _, err := old.receive(); err == nil {
		t.Error("the old connection lives on")
	}
	p := dial(t, b.Addr())
	p.send(request(28))
	if _, err := p.receive(); !errors.Is(err, remoting.ErrMalformed) || !strings.Contains(err.Error(), "HTTP") {
		t.Errorf("web server: %v", err)
	}
	b.SetMode(Silent)
	silent := dial(t, b.Addr())
	silent.send(request(28))
	must(t, silent.conn.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	var timeout net.Error
	if _, err := silent.receive(); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("silent node: %v", err)
	}
	b.SetMode(Normal)
	askOK(t, b, 28)
}
