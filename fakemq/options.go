package fakemq

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Options say what to start. The zero value is one name server and one cluster
// of one broker, all of 5.5.0.
type Options struct {
	// NameServers is how many name servers there are, 1 where it is 0.
	NameServers int
	// NameServerAddrs, where given, are the addresses to listen on, one per
	// name server; else the kernel chooses ports of 127.0.0.1. Brokers
	// always listen on ports that the kernel chooses.
	NameServerAddrs []string
	// Release is the release of the name servers, and of the clusters that
	// name none. Empty is Release550.
	Release Release
	// Clusters are the clusters that register at every name server. None is
	// one DefaultCluster with one broker.
	Clusters []ClusterOptions
	// BinaryHeaders makes every node answer with binary headers, as a server
	// with rocketmq.serialize.type=ROCKETMQ does.
	BinaryHeaders bool
	// Clock is what the nodes take for now. None is the machine's clock.
	Clock Clock
	// MaxFrame is the longest frame a node reads, in bytes. 0 is RocketMQ's
	// own limit for servers, 16 MiB.
	MaxFrame int
	// ClientTimeout is how long a broker waits for a consumer process that
	// does not answer GET_CONSUMER_RUNNING_INFO. 0 is RocketMQ's 10 s.
	ClientTimeout time.Duration
	// Marks is how many store times are kept per queue; older neighbors
	// merge. 0 is 64. A mark costs 16 bytes once a queue has produced it.
	Marks int
	// Access, where given, has brokers check who asks. SetAccess changes it.
	Access *Access
	// TLS says how nodes take TLS. The zero value is not at all.
	TLS TLS
	// Trace, where given, is told every request that a node received, before
	// it is answered, from many goroutines.
	Trace func(node string, req *remoting.Command)
}

// ClusterOptions describe one RocketMQ cluster.
type ClusterOptions struct {
	Name    string  // empty is DefaultCluster
	Release Release // empty is that of Options
	// Brokers are the broker names. None is broker-a.
	Brokers []string
	// Slaves is how many slaves each broker has: broker ids 1 to Slaves.
	Slaves int
	// Skew is how far the clocks of the cluster's brokers are ahead of the
	// true time, or below 0 behind it.
	Skew time.Duration
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

type systemClock struct{}

// Now is the machine's time.
func (systemClock) Now() time.Time { return time.Now() }

// maxNodes bounds what one process listens for.
const maxNodes = 4096

// checked fills in the defaults and reports every mistake at once.
func (o Options) checked() (Options, error) {
	var bad []error
	fail := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }

	if o.NameServers == 0 {
		o.NameServers = max(1, len(o.NameServerAddrs))
	}
	if o.NameServers < 0 || o.NameServers > maxNodes {
		fail("name servers: %d: allowed are 1 to %d", o.NameServers, maxNodes)
	}
	if len(o.NameServerAddrs) > 0 && len(o.NameServerAddrs) != o.NameServers {
		fail("name server addresses: %d for %d name servers", len(o.NameServerAddrs), o.NameServers)
	}
	for _, addr := range o.NameServerAddrs {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			fail("name server address: %w", err)
		}
	}
	if o.Release == "" {
		o.Release = Release550
	}
	if err := o.Release.check(); err != nil {
		bad = append(bad, err)
	}
	if len(o.Clusters) == 0 {
		o.Clusters = []ClusterOptions{{}}
	}
	o.Clusters = checkClusters(o.Clusters, o.Release, fail)
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	o.MaxFrame = cmp.Or(o.MaxFrame, 16<<20)
	o.ClientTimeout = cmp.Or(o.ClientTimeout, 10*time.Second)
	o.Marks = cmp.Or(o.Marks, 64)
	if o.MaxFrame < 0 || o.ClientTimeout < 0 || o.Marks < 4 {
		fail("max frame %d, client timeout %v, marks %d: they must be positive, marks at least 4", o.MaxFrame, o.ClientTimeout, o.Marks)
	}
	return o, errors.Join(bad...)
}

func checkClusters(in []ClusterOptions, release Release, fail func(string, ...any)) []ClusterOptions {
	clusters, names, brokers, nodes := make([]ClusterOptions, 0, len(in)), map[string]bool{}, map[string]bool{}, 0
	for _, c := range in {
		c.Name = cmp.Or(c.Name, "DefaultCluster")
		c.Release = cmp.Or(c.Release, release)
		if len(c.Brokers) == 0 {
			c.Brokers = []string{"broker-a"}
		}
		if err := c.Release.check(); err != nil {
			fail("cluster %q: %w", c.Name, err)
		}
		if names[c.Name] {
			fail("cluster %q: given twice", c.Name)
		}
		names[c.Name] = true
		for _, b := range c.Brokers {
			if err := checkName("broker", b); err != nil {
				fail("cluster %q: %w", c.Name, err)
			}
			if brokers[b] {
				fail("broker %q: given twice; name servers know a broker by its name alone", b)
			}
			brokers[b] = true
		}
		if c.Slaves < 0 {
			fail("cluster %q: %d slaves", c.Name, c.Slaves)
		}
		if nodes += len(c.Brokers) * (1 + max(0, c.Slaves)); nodes > maxNodes {
			fail("cluster %q: more than %d nodes", c.Name, maxNodes)
		}
		clusters = append(clusters, c)
	}
	return clusters
}

// checkName refuses what RocketMQ's TopicValidator and Validators refuse:
// anything but letters, digits and %|-_ in a name of 1 to 255 characters.
// Dots are let through for broker names.
func checkName(kind, name string) error {
	if name == "" || len(name) > 255 {
		return fmt.Errorf("%s %q: a name has 1 to 255 characters", kind, name)
	}
	for _, r := range name {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		case r == '%', r == '|', r == '-', r == '_', r == '.' && kind == "broker":
		default:
			return fmt.Errorf("%s %q: allowed are letters, digits and %%|-_", kind, name)
		}
	}
	return nil
}
