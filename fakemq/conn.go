package fakemq

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// writeTimeout bounds how long a peer that does not read holds a goroutine.
const writeTimeout = 30 * time.Second

// link is one connection as those see it who answer on it.
type link struct {
	conn net.Conn
	mu   sync.Mutex // one frame is written at a time
}

// send writes a frame. A failure closes the connection, which its reader
// notices.
func (l *link) send(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := l.conn.Write(frame); err != nil {
		_ = l.conn.Close()
	}
}

func (n *Node) serve(stopped <-chan struct{}, conn net.Conn, mode Mode) {
	switch mode {
	case HTTP:
		serveHTTP(conn)
	case Silent:
		_, _ = io.Copy(io.Discard, conn)
	default:
		if conn = n.mq.sniff(conn); conn != nil {
			n.serveRemoting(stopped, conn)
		}
	}
}

func serveHTTP(conn net.Conn) {
	var some [512]byte
	if _, err := conn.Read(some[:]); err == nil {
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request")
	}
}

// serveRemoting hands every request of the connection to the node's pool. Like
// a real server it closes the connection on a frame that it cannot read.
func (n *Node) serveRemoting(stopped <-chan struct{}, conn net.Conn) {
	l := &link{conn: conn}
	r := bufio.NewReader(conn)
	var buf []byte
	for {
		frame, grown, err := remoting.ReadFrame(r, buf, n.mq.opts.MaxFrame)
		if err != nil {
			return
		}
		buf = grown
		if frame.IsResponse() {
			continue
		}
		req := frame.Command
		req.Body = bytes.Clone(req.Body)
		n.count(remoting.RequestCode(req.Code))
		if trace := n.mq.opts.Trace; trace != nil {
			trace(n.name, &req)
		}
		if !n.pool.submit(func() { n.handle(stopped, l, &req) }) {
			n.reject(l, &req)
		}
	}
}

// handle answers one request, as a fault says if there is one for it.
func (n *Node) handle(stopped <-chan struct{}, l *link, req *remoting.Command) {
	x := &exchange{stopped: stopped, node: n, link: l, req: req}
	if e := n.fault(req); e != nil {
		e.apply(x)
		return
	}
	x.answerNormally()
}

// reject is what NettyRemotingAbstract says when the pool's queue is full.
func (n *Node) reject(l *link, req *remoting.Command) {
	x := &exchange{node: n, link: l, req: req}
	x.refuse(remoting.SystemBusy, "[OVERLOAD]system busy, start flow control for a while")
}

// exchange is one request on its way to an answer.
type exchange struct {
	stopped <-chan struct{} // closed when the node stops
	node    *Node
	link    *link
	req     *remoting.Command
}

// answerNormally gives the true answer.
func (x *exchange) answerNormally() { x.answerWith(x.link.send) }

// answerWith makes the frame of the true answer and hands it to use, which may
// change it and must not keep it.
func (x *exchange) answerWith(use func(frame []byte)) {
	body := x.node.mq.buffer()
	defer x.node.mq.release(body)
	a := answer{stopped: x.stopped, body: (*body)[:0]}
	if x.node.letIn(x.link.conn.RemoteAddr(), x.req, &a) {
		x.node.answer(x.req, &a)
	}
	*body = a.body[:0]
	x.frame(&a, use)
}

func (x *exchange) refuse(code remoting.ResponseCode, remark string) {
	x.frame(&answer{code: code, remark: remark}, x.link.send)
}

// frame wraps an answer. A oneway request has none, and one that was given up
// because the node stops goes nowhere.
func (x *exchange) frame(a *answer, use func(frame []byte)) {
	if x.req.IsOneway() || a.abandoned {
		return
	}
	c := remoting.Command{
		Code:     int32(a.code),
		Language: remoting.LanguageJava,
		Version:  x.node.release.version(),
		Opaque:   x.req.Opaque,
		Flag:     remoting.FlagResponse,
		Remark:   a.remark,
		Fields:   a.fields,
		Body:     a.body,
	}
	buf := x.node.mq.buffer()
	defer x.node.mq.release(buf)
	frame, err := c.Append((*buf)[:0], x.node.mq.encoding())
	if err != nil {
		_ = x.link.conn.Close()
		return
	}
	use(frame)
	*buf = frame[:0]
}

// answer is what a handler fills in.
type answer struct {
	stopped   <-chan struct{} // that of the exchange, for handlers that wait
	code      remoting.ResponseCode
	remark    string
	fields    []remoting.Field
	body      []byte
	abandoned bool // the node stopped while the handler waited
}

// begin starts the body.
func (a *answer) begin(head string) []byte { return append(a.body[:0], head...) }

// end completes the body that begin started.
func (a *answer) end(dst []byte, tail string) {
	dst = append(dst, tail...)
	a.body = dst
}

func (a *answer) refuse(code remoting.ResponseCode, remark string) {
	a.code, a.remark, a.body = code, remark, a.body[:0]
}

// wait blocks for d and says whether the node is still there.
func wait(stopped <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-stopped:
		return false
	}
}
