package fakemq

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Fault makes a node misbehave.
type Fault struct {
	// Code is the request that it concerns. 0 is every request.
	Code remoting.RequestCode
	// Fields, where given, must all stand among the request's ext fields with
	// these values: {"topic": "orders"}.
	Fields map[string]string
	// Times is how often it happens. 0 is until it is removed.
	Times int
	// Effect is what happens instead of an answer.
	Effect Effect
}

// Injection is a fault at work on a node.
type Injection struct {
	node  *Node
	fault Fault
	left  int // how often it may still happen, where the fault has a number
	hits  int
}

// Inject puts a fault on a node. Of several that concern a request the one
// injected first counts.
func (n *Node) Inject(f Fault) *Injection {
	n.mu.Lock()
	defer n.mu.Unlock()
	in := &Injection{node: n, fault: f, left: f.Times}
	n.faults = append(n.faults, in)
	return in
}

// Remove ends the fault.
func (in *Injection) Remove() {
	in.node.mu.Lock()
	defer in.node.mu.Unlock()
	in.node.faults = slices.DeleteFunc(in.node.faults, func(other *Injection) bool { return other == in })
}

// Hits is how often the fault happened.
func (in *Injection) Hits() int {
	in.node.mu.Lock()
	defer in.node.mu.Unlock()
	return in.hits
}

// ClearFaults ends all faults of a node.
func (n *Node) ClearFaults() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = nil
}

// fault finds what is to happen to a request, and counts it.
func (n *Node) fault(req *remoting.Command) *Effect {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, in := range n.faults {
		if !in.fault.concerns(req) || in.fault.Times > 0 && in.left == 0 {
			continue
		}
		in.left--
		in.hits++
		return &in.fault.Effect
	}
	return nil
}

func (f *Fault) concerns(req *remoting.Command) bool {
	if f.Code != 0 && f.Code != remoting.RequestCode(req.Code) {
		return false
	}
	for key, want := range f.Fields {
		if got, ok := req.Field(key); !ok || got != want {
			return false
		}
	}
	return true
}

// Effect is what happens to a request. The zero value answers normally.
type Effect struct{ act func(*exchange) }

func (e Effect) apply(x *exchange) {
	if e.act == nil {
		x.answerNormally()
		return
	}
	e.act(x)
}

// Delay answers normally after d. The node's thread is busy meanwhile.
func Delay(d time.Duration) Effect { return After(d, Effect{}) }

// After lets another effect happen after d.
func After(d time.Duration, then Effect) Effect {
	return Effect{func(x *exchange) {
		if wait(x.stopped, d) {
			then.apply(x)
		}
	}}
}

// Gate answers normally once the channel is closed, or not at all when the
// node stops first: a delay that a test can end.
func Gate(open <-chan struct{}) Effect {
	return Effect{func(x *exchange) {
		select {
		case <-open:
			x.answerNormally()
		case <-x.stopped:
		}
	}}
}

// Refuse answers with a code and a remark.
func Refuse(code remoting.ResponseCode, remark string) Effect {
	return Effect{func(x *exchange) { x.refuse(code, remark) }}
}

// Drop answers nothing.
func Drop() Effect { return Effect{func(*exchange) {}} }

// Disconnect closes the connection instead of answering.
func Disconnect() Effect { return Effect{func(x *exchange) { _ = x.link.conn.Close() }} }

// Cut sends the first n bytes of the true answer, then closes the connection.
func Cut(n int) Effect {
	return Effect{func(x *exchange) {
		x.answerWith(func(frame []byte) {
			x.link.send(frame[:min(max(n, 0), len(frame))])
			_ = x.link.conn.Close()
		})
	}}
}

// Body answers with success and a body of the test's own: half a document,
// something that is no JSON, numbers where text belongs.
func Body(body []byte) Effect {
	return Effect{func(x *exchange) { x.frame(&answer{body: body}, x.link.send) }}
}

// Garble answers with the true frame, every third byte of whose body is
// another one. The header is intact.
func Garble() Effect {
	return Effect{func(x *exchange) {
		x.answerWith(func(frame []byte) {
			header := int(binary.BigEndian.Uint32(frame[4:]) & 0xffffff)
			for i := 8 + header; i < len(frame); i += 3 {
				frame[i] ^= 0x5a
			}
			x.link.send(frame)
		})
	}}
}

// Huge announces a frame of 2 GiB less one byte, sends the header of the true
// answer and nothing more. The connection stays open.
func Huge() Effect {
	return Effect{func(x *exchange) {
		x.answerWith(func(frame []byte) {
			header := int(binary.BigEndian.Uint32(frame[4:]) & 0xffffff)
			binary.BigEndian.PutUint32(frame, 1<<31-1)
			x.link.send(frame[:8+header])
		})
	}}
}

// WrongOpaque gives the true answer to a request that nobody sent.
func WrongOpaque() Effect {
	return Effect{func(x *exchange) {
		other := *x.req
		other.Opaque ^= 0x40000000
		wrong := *x
		wrong.req = &other
		wrong.answerNormally()
	}}
}

// Twice sends the true answer two times.
func Twice() Effect {
	return Effect{func(x *exchange) {
		x.answerWith(func(frame []byte) {
			x.link.send(frame)
			x.link.send(frame)
		})
	}}
}

// Custom sends what answer makes of the request: whole frames or anything
// else. Nothing is sent where it returns nil.
func Custom(answer func(req *remoting.Command) []byte) Effect {
	return Effect{func(x *exchange) {
		if frame := answer(x.req); frame != nil {
			x.link.send(frame)
		}
	}}
}
