package fakemq

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Node is one process of the fake: a name server, a master or a slave.
type Node struct {
	mq      *Cluster
	name    string  // as errors and traces show it
	broker  *broker // nil for a name server
	id      int64   // broker id, 0 is the master
	release Release

	mu         sync.Mutex
	addr       string // fixed by the first start
	listener   net.Listener
	stopped    chan struct{} // closed when the running server stops
	conns      map[net.Conn]struct{}
	mode       Mode
	registered bool // whether name servers list it
	accepted   int
	counts     map[remoting.RequestCode]int
	faults     []*Injection
	runtime    map[string]string // what SetRuntime put over the true values
	hidden     map[string]bool   // what HideRuntime took away

	// Of a slave: bytes that it lacks, and where its commit log ends while it
	// is not connected to its master.
	behind, copied int64
	detached       bool

	readers sync.WaitGroup // the accept loop and one goroutine per connection
	pool    pool
}

// Mode is how a node treats connections.
type Mode int

// The modes of a node.
const (
	Normal Mode = iota
	// HTTP: the port belongs to a web server, which answers everything with
	// 400 Bad Request.
	HTTP
	// Silent: connections are accepted, what arrives is read, nothing is
	// ever answered.
	Silent
)

// Name is the node's name: namesrv-0, broker-a for a master, broker-a#1 for
// the slave with broker id 1.
func (n *Node) Name() string { return n.name }

// Addr is the node's address, host:port. It stays the same over Stop and Start.
func (n *Node) Addr() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addr
}

// Start makes a stopped node listen on its address again and, for a broker,
// registers it at the name servers.
func (n *Node) Start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listener != nil {
		return nil
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", n.addr)
	if err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	n.listener, n.addr, n.registered = l, l.Addr().String(), true
	stopped := make(chan struct{})
	n.stopped = stopped
	n.readers.Go(func() { n.accept(stopped, l) })
	return nil
}

// Stop ends the node as a crash would: its port refuses, its connections are
// reset. Name servers go on listing a stopped broker, as real ones do for two
// minutes, until Deregister. Stop returns when no goroutine of the node is
// left.
func (n *Node) Stop() {
	n.mu.Lock()
	if n.listener != nil {
		close(n.stopped)
		_ = n.listener.Close()
		n.listener = nil
	}
	n.closeConns()
	n.mu.Unlock()
	n.readers.Wait()
	n.pool.wait()
}

// Running says whether the node listens.
func (n *Node) Running() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listener != nil
}

// Deregister takes a broker out of what name servers list, as they do two
// minutes after its last heartbeat. Start and Register undo it.
func (n *Node) Deregister() { n.setRegistered(false) }

// Register puts a broker back into what name servers list.
func (n *Node) Register() { n.setRegistered(true) }

func (n *Node) setRegistered(yes bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.registered = yes
}

func (n *Node) isRegistered() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.registered
}

// SetMode changes how the node treats connections, and closes those it has.
func (n *Node) SetMode(m Mode) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mode = m
	n.closeConns()
}

// CloseConnections closes every connection that the node has now.
func (n *Node) CloseConnections() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closeConns()
}

func (n *Node) closeConns() {
	for conn := range n.conns {
		_ = conn.Close()
	}
	clear(n.conns)
}

// Requests is how often each request was received since the start, whatever
// became of it.
func (n *Node) Requests() map[remoting.RequestCode]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.counts)
}

// Accepted is how many connections the node has taken since the start.
func (n *Node) Accepted() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.accepted
}

// Connections is how many connections the node has now.
func (n *Node) Connections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}

func (n *Node) count(code remoting.RequestCode) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.counts[code]++
}

func (n *Node) accept(stopped <-chan struct{}, l net.Listener) {
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			n.adopt(l, conn)
		case errors.Is(err, net.ErrClosed), !wait(stopped, acceptPause):
			return
		}
	}
}

// acceptPause keeps a lack of file descriptors from becoming a busy loop.
const acceptPause = 10 * time.Millisecond

// adopt takes a connection into the node's care, unless the node was stopped
// while it arrived.
func (n *Node) adopt(l net.Listener, conn net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listener != l {
		_ = conn.Close()
		return
	}
	n.conns[conn] = struct{}{}
	n.accepted++
	mode, stopped := n.mode, n.stopped
	n.readers.Go(func() {
		n.serve(stopped, conn, mode)
		_ = conn.Close()
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.conns, conn)
	})
}
