package realmq

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options describe a cluster. The zero value of all but Version will do: one
// name server and one broker.
type Options struct {
	// Version of servers, tools and Java clients, such as [Version5].
	Version string

	// Brokers, by default one named "broker-a".
	Brokers []BrokerOptions

	// NameServers is their number, by default 1.
	NameServers int

	// Credentials for mqadmin, the driver and the Java consumers, when the
	// Properties of the brokers switch on access control.
	Credentials *Credentials

	// TLS lets all servers take TLS too, on the same port and with a certificate
	// of their own making for localhost, as RocketMQ does out of the box. Off by
	// default, since the two keys of a broker take three seconds of CPU.
	TLS bool

	// TLSOnly has all servers take nothing but TLS, and every process of the
	// cluster use it. The Go clients of this package cannot.
	TLSOnly bool

	// Certificate of all servers, in place of one of their own making.
	Certificate *Certificate

	// Dir is for data and logs, by default a temporary folder that Close removes.
	Dir string
}

// BrokerOptions describe one broker.
type BrokerOptions struct {
	Name        string            // by default "broker-a", "broker-b" and so on
	ClusterName string            // by default "DefaultCluster"
	ID          int               // 0 for a master, else a slave of the master of the same name
	HeapMB      int               // by default 512; as much again for direct memory
	Properties  map[string]string // added to the configuration file
	Files       map[string]string // put into the broker's home before it boots, by path
}

// Credentials of RocketMQ's access control.
type Credentials struct {
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
}

// Cluster is a running RocketMQ. Its methods may be used from several goroutines.
type Cluster struct {
	version     string
	dir         string
	removeDir   bool
	libDir      string
	classDir    string // of the clients in java/
	options     Options
	nameServers []*Server
	brokers     []*Server

	mu      sync.Mutex
	driver  *peer
	clients []closer // consumers and producers, to be ended with the cluster
	started int      // clients so far, for the names of their folders and instances
}

type closer interface{ close() error }

// Start runs a cluster for one test: it ends with the test, and when that
// failed, the ends of the servers' logs are part of its output.
func Start(t testing.TB, options Options) *Cluster {
	t.Helper()
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	cluster, err := New(t.Context(), options)
	if err != nil {
		t.Fatalf("start a RocketMQ cluster: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(cluster.LogTail(4 << 10))
		}
		if err := cluster.Close(); err != nil {
			t.Errorf("end the RocketMQ cluster: %v", err)
		}
	})
	return cluster
}

// New runs a cluster until Close. It returns when every server is up and every
// broker is registered at every name server. ctx is for the boot only.
func New(ctx context.Context, options Options) (*Cluster, error) {
	c := &Cluster{version: options.Version, dir: options.Dir, options: options}
	if err := c.install(ctx); err != nil {
		return nil, err
	}
	if c.dir == "" {
		var err error
		if c.dir, err = os.MkdirTemp("", "realmq-"); err != nil {
			return nil, err
		}
		c.removeDir = true
	}
	c.addServers(options)
	if err := c.boot(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// install finds the jars and the clients of the cluster's version.
func (c *Cluster) install(ctx context.Context) (err error) {
	if c.libDir, err = Install(ctx, c.version); err != nil {
		return err
	}
	c.classDir, err = compileClients(ctx, c.version)
	return err
}

func (c *Cluster) addServers(options Options) {
	for i := range max(1, options.NameServers) {
		name := fmt.Sprintf("namesrv-%d", i)
		c.nameServers = append(c.nameServers, &Server{cluster: c, name: name, home: filepath.Join(c.dir, name)})
	}
	brokers := slices.Clone(options.Brokers)
	if len(brokers) == 0 {
		brokers = make([]BrokerOptions, 1)
	}
	for i := range brokers {
		broker := &brokers[i]
		if broker.Name == "" {
			broker.Name = "broker-" + string(rune('a'+i))
		}
		if broker.ClusterName == "" {
			broker.ClusterName = "DefaultCluster"
		}
		if broker.HeapMB == 0 {
			broker.HeapMB = 512
		}
		home := filepath.Join(c.dir, fmt.Sprintf("%s-%d", broker.Name, broker.ID))
		c.brokers = append(c.brokers, &Server{cluster: c, name: broker.Name, home: home, broker: broker})
	}
}

// boot starts the name servers, whose addresses all others need, then the rest.
func (c *Cluster) boot(ctx context.Context) error {
	if err := writeHome(c.toolsHome(), c.options.Credentials); err != nil {
		return err
	}
	var first, second []func() error
	for _, server := range c.nameServers {
		first = append(first, func() error { return server.bootFirst(ctx) })
	}
	second = append(second, func() error { return c.startDriver(ctx) })
	for _, server := range c.brokers {
		second = append(second, func() error {
			if err := server.bootFirst(ctx); err != nil {
				return err
			}
			return c.awaitRegistered(ctx, server)
		})
	}
	if err := parallel(first); err != nil {
		return err
	}
	return parallel(second)
}

// parallel runs all functions at once and returns all their errors.
func parallel(functions []func() error) error {
	errs := make([]error, len(functions))
	var group sync.WaitGroup
	for i, function := range functions {
		group.Go(func() { errs[i] = function() })
	}
	group.Wait()
	return errors.Join(errs...)
}

// awaitRegistered waits until every running server of the other kind knows this one.
func (c *Cluster) awaitRegistered(ctx context.Context, server *Server) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bootTimeout, fmt.Errorf("not within %s", bootTimeout))
	defer cancel()
	others := c.nameServers
	if server.broker == nil {
		others = c.brokers
	}
	for _, other := range others {
		if !other.Running() {
			continue
		}
		nameServer, broker := other, server
		if server.broker == nil {
			nameServer, broker = server, other
		}
		err := Poll(ctx, func(ctx context.Context) error {
			return c.checkRegistered(ctx, nameServer.Addr(), broker.Addr())
		})
		if err != nil {
			return fmt.Errorf("register %s at %s: %w", broker.name, nameServer.name, err)
		}
	}
	return nil
}

// Close ends every process of the cluster, clients first, and removes its
// temporary folder. Servers are killed: their data is of no more use.
func (c *Cluster) Close() error {
	c.mu.Lock()
	clients, driver := c.clients, c.driver
	c.clients, c.driver = nil, nil
	c.mu.Unlock()
	var ends []func() error
	for _, client := range clients {
		ends = append(ends, client.close)
	}
	err := parallel(ends)
	if driver != nil {
		err = errors.Join(err, driver.kill())
	}
	for _, server := range c.servers() {
		err = errors.Join(err, server.Kill())
		if server.ports != nil {
			err = errors.Join(err, server.ports.release())
		}
	}
	if c.removeDir {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	return err
}

// Version is that of the servers, such as "5.5.0".
func (c *Cluster) Version() string { return c.version }

// NameServer returns the name servers as clients take them: host:port, joined by ";".
func (c *Cluster) NameServer() string { return strings.Join(c.NameServers(), ";") }

// NameServers returns host:port of each name server, running or not.
func (c *Cluster) NameServers() []string {
	var addresses []string
	for _, server := range c.nameServers {
		addresses = append(addresses, server.Addr())
	}
	return addresses
}

// NameServerAt returns a name server by its number, from 0.
func (c *Cluster) NameServerAt(i int) *Server { return c.nameServers[i] }

// Broker returns the master of that name. It panics when there is none.
func (c *Cluster) Broker(name string) *Server { return c.Replica(name, 0) }

// Replica returns the broker of that name and id. It panics when there is none.
func (c *Cluster) Replica(name string, id int) *Server {
	for _, server := range c.brokers {
		if server.name == name && server.broker.ID == id {
			return server
		}
	}
	panic(fmt.Sprintf("realmq: no broker %q with id %d in this cluster", name, id))
}

// Brokers returns all brokers in the order of the options.
func (c *Cluster) Brokers() []*Server { return slices.Clone(c.brokers) }

// LogTail returns the ends of the servers' and clients' logs, of each file at
// most limit bytes.
func (c *Cluster) LogTail(limit int64) string {
	var parts []string
	for _, server := range c.servers() {
		parts = append(parts, server.logTail(limit))
	}
	logs, err := filepath.Glob(filepath.Join(c.dir, "client-*", "stderr.log"))
	if err != nil {
		parts = append(parts, err.Error())
	}
	for _, path := range append(logs, c.driverLogPath()) {
		if fileSize(path) > 0 {
			parts = append(parts, fileTail(path, limit))
		}
	}
	return strings.Join(parts, "\n")
}

func (c *Cluster) servers() []*Server { return slices.Concat(c.brokers, c.nameServers) }

// masters returns the brokers named, by default all, each of which must be a master.
func (c *Cluster) masters(names []string) ([]*Server, error) {
	var masters []*Server
	for _, server := range c.brokers {
		if server.broker.ID == 0 && (len(names) == 0 || slices.Contains(names, server.name)) {
			masters = append(masters, server)
		}
	}
	if len(masters) == 0 || len(names) > len(masters) {
		return nil, fmt.Errorf("no such master brokers: %q", names)
	}
	return masters, nil
}

func (c *Cluster) broker(name string) (*Server, error) {
	masters, err := c.masters([]string{name})
	if err != nil {
		return nil, err
	}
	return masters[0], nil
}

func (c *Cluster) toolsHome() string { return filepath.Join(c.dir, "tools") }

// addClient remembers a client to be ended with the cluster.
func (c *Cluster) addClient(client closer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clients = append(c.clients, client)
}

// clientHome makes a folder for one more client.
func (c *Cluster) clientHome() (string, error) {
	c.mu.Lock()
	c.started++
	dir := filepath.Join(c.dir, fmt.Sprintf("client-%03d", c.started))
	c.mu.Unlock()
	return dir, writeHome(dir, nil)
}

// clientCommand is a JVM for one of the classes of java/.
func (c *Cluster) clientCommand(home, main string, heapMB int) javaCommand {
	return javaCommand{
		classPath: []string{c.classDir, filepath.Join(c.libDir, "*")},
		home:      home,
		main:      main,
		options:   append(c.options.clientTLS(), fmt.Sprintf("-Xmx%dm", heapMB)),
	}
}

// stopTimeout bounds the orderly end of a client, in Close.
const stopTimeout = 20 * time.Second
