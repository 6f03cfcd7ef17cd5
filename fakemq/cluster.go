package fakemq

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Cluster is a running fake: its name servers, its brokers and the truth they
// answer from. Its methods may be called from many goroutines.
type Cluster struct {
	opts        Options
	nameServers []*Node
	nodes       []*Node // brokers' nodes: each master followed by its slaves
	buffers     sync.Pool
	access      atomic.Pointer[Access]
	certs       *certificates // nil where nodes take no TLS
	tls         *tls.Config

	mu        sync.RWMutex // guards the truth below
	brokers   []*broker    // sorted by name, as clients sort queues
	byName    map[string]*broker
	groups    map[string]*group
	groupSeq  []*group // in the order of their making
	producers []*producer
	consoles  []*Console
	ports     int // numbers handed out to consumer processes as their sockets' ports
}

// Start starts a fake. Close it when done.
func Start(opts Options) (*Cluster, error) {
	opts, err := opts.checked()
	if err != nil {
		return nil, fmt.Errorf("fakemq: %w", err)
	}
	c := &Cluster{opts: opts, byName: map[string]*broker{}, groups: map[string]*group{}}
	c.access.Store(opts.Access)
	if err := c.makeTLS(); err != nil {
		return nil, fmt.Errorf("fakemq: %w", err)
	}
	c.addNameServers()
	for _, co := range opts.Clusters {
		c.addBrokers(co)
	}
	sortBrokers(c.brokers)
	for _, n := range c.allNodes() {
		if err := n.Start(); err != nil {
			c.Close()
			return nil, fmt.Errorf("fakemq: %w", err)
		}
	}
	return c, nil
}

// Close stops every node and console, and returns when no goroutine of the fake
// is left.
func (c *Cluster) Close() {
	c.mu.RLock()
	consoles := slices.Clone(c.consoles)
	c.mu.RUnlock()
	var all sync.WaitGroup
	for _, s := range consoles {
		all.Go(s.Close)
	}
	for _, n := range c.allNodes() {
		all.Go(n.Stop)
	}
	all.Wait()
}

func (c *Cluster) addNameServers() {
	for i := range c.opts.NameServers {
		n := c.newNode(fmt.Sprintf("namesrv-%d", i), c.opts.Release)
		if len(c.opts.NameServerAddrs) > 0 {
			n.addr = c.opts.NameServerAddrs[i]
		}
		c.nameServers = append(c.nameServers, n)
	}
}

func (c *Cluster) addBrokers(co ClusterOptions) {
	for _, name := range co.Brokers {
		b := newBroker(name, co, func() int64 { return c.now() + co.Skew.Milliseconds() })
		c.brokers = append(c.brokers, b)
		c.byName[name] = b
		for id := range co.Slaves + 1 {
			n := c.newNode(name, co.Release)
			if n.broker, n.id = b, int64(id); id > 0 {
				n.name = fmt.Sprintf("%s#%d", name, id)
			}
			c.nodes = append(c.nodes, n)
			b.nodes = append(b.nodes, n)
		}
		b.addSystem()
	}
}

func (c *Cluster) newNode(name string, r Release) *Node {
	return &Node{
		mq: c, name: name, release: r, addr: "127.0.0.1:0",
		conns:  map[net.Conn]struct{}{},
		counts: map[remoting.RequestCode]int{},
	}
}

func (c *Cluster) allNodes() []*Node {
	all := make([]*Node, 0, len(c.nameServers)+len(c.nodes))
	return append(append(all, c.nameServers...), c.nodes...)
}

// NameServers are the addresses of the name servers, host:port.
func (c *Cluster) NameServers() []string {
	addrs := make([]string, 0, len(c.nameServers))
	for _, n := range c.nameServers {
		addrs = append(addrs, n.Addr())
	}
	return addrs
}

// NameServer is the i-th name server, from 0. It panics beyond the last, like
// the index of a slice.
func (c *Cluster) NameServer(i int) *Node { return c.nameServers[i] }

// Broker is the master of a broker. It panics when there is no broker of that
// name, which only a mistake in the calling test can cause.
func (c *Cluster) Broker(name string) *Node { return c.BrokerID(name, remoting.MasterID) }

// BrokerID is the node of a broker with that broker id: 0 is the master, 1 the
// first slave. It panics when there is no such node.
func (c *Cluster) BrokerID(name string, id int64) *Node {
	for _, n := range c.nodes {
		if n.broker.name == name && n.id == id {
			return n
		}
	}
	var known []string
	for _, n := range c.nodes {
		known = append(known, n.name)
	}
	panic(fmt.Sprintf("fakemq: no broker %q with id %d: there are %s", name, id, strings.Join(known, ", ")))
}

// Nodes are all nodes: the name servers, then each master followed by its
// slaves.
func (c *Cluster) Nodes() []*Node { return c.allNodes() }

// Requests is how often each request was received by any node since the start.
func (c *Cluster) Requests() map[remoting.RequestCode]int {
	sum := map[remoting.RequestCode]int{}
	for _, n := range c.allNodes() {
		for code, times := range n.Requests() {
			sum[code] += times
		}
	}
	return sum
}

// Clock is the clock of the options.
func (c *Cluster) Clock() Clock { return c.opts.Clock }

// Now is what the clock of the options shows.
func (c *Cluster) Now() time.Time { return c.opts.Clock.Now() }

// now is the time on the fake's clock, in ms since 1970 as RocketMQ counts it.
func (c *Cluster) now() int64 { return c.opts.Clock.Now().UnixMilli() }

func (c *Cluster) encoding() remoting.Encoding {
	if c.opts.BinaryHeaders {
		return remoting.BinaryHeader
	}
	return remoting.JSONHeader
}

// buffer lends memory for an answer; release takes it back.
func (c *Cluster) buffer() *[]byte {
	b, ok := c.buffers.Get().(*[]byte)
	if !ok {
		b = new([]byte)
	}
	return b
}

func (c *Cluster) release(b *[]byte) { c.buffers.Put(b) }
