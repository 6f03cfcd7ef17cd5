package fakemq

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Producer describes a producer process. Producers only show up among the
// clients of a broker; messages come from Produce whether there is one or not.
type Producer struct {
	Group    string
	ID       string // client id; empty is made like a consumer's
	Language string // empty is JAVA
	Version  int32  // 0 is the release of the options
	Addr     string // the peer that brokers see; empty is loopback
}

// producer is a producer process that is connected to every broker.
type producer struct{ Producer }

// innerProducers is the producer group that every client process has for its
// own use (MixAll.CLIENT_INNER_PRODUCER_GROUP).
const innerProducers = "CLIENT_INNER_PRODUCER"

// AddProducer connects a producer process to every broker, and returns its
// client id.
func (c *Cluster) AddProducer(in Producer) (string, error) {
	if err := checkName("producer group", in.Group); err != nil {
		return "", fmt.Errorf("add producer: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ports++
	in.ID = cmp.Or(in.ID, "10.1."+strconv.Itoa(c.ports>>8&255)+"."+strconv.Itoa(c.ports&255)+"@"+strconv.Itoa(1000+c.ports)+
		"#"+strconv.FormatInt(c.now()*1_000_000+int64(c.ports), 10))
	in.Language = cmp.Or(in.Language, "JAVA")
	in.Version = cmp.Or(in.Version, c.opts.Release.version())
	in.Addr = cmp.Or(in.Addr, "127.0.0.1:"+strconv.Itoa(20_000+c.ports%40_000))
	if _, _, err := net.SplitHostPort(in.Addr); err != nil {
		return "", fmt.Errorf("add producer %q: address: %w", in.ID, err)
	}
	c.producers = append(c.producers, &producer{in})
	return in.ID, nil
}

// KillProducer disconnects the producer process with that client id.
func (c *Cluster) KillProducer(clientID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.producers, func(p *producer) bool { return p.ID == clientID })
	if i < 0 {
		return fmt.Errorf("kill producer: there is no %q", clientID)
	}
	c.producers = slices.Delete(c.producers, i, i+1)
	return nil
}

// answerProducer answers GET_PRODUCER_CONNECTION_LIST (ProducerConnection).
func answerProducer(n *Node, req *remoting.Command, a *answer) {
	group, ok := need(req, a, "producerGroup")
	if !ok {
		return
	}
	dst := a.begin(`{"connectionSet":[`)
	var l list
	for _, p := range n.mq.producers {
		if p.Group == group {
			dst = appendConnection(l.next(dst), &process{Consumer: Consumer{
				ID: p.ID, Addr: p.Addr, Language: p.Language, Version: p.Version,
			}})
		}
	}
	if a.end(dst, "]}"); !l.begun {
		a.refuse(remoting.SystemError, "the producer group["+group+"] not exist")
	}
}

// answerProducers answers GET_ALL_PRODUCER_INFO (ProducerTableInfo): producers
// by group, and every process that the broker knows under the inner group.
func answerProducers(n *Node, _ *remoting.Command, a *answer) {
	byGroup := map[string][]Producer{}
	for _, p := range n.mq.producers {
		byGroup[p.Group] = append(byGroup[p.Group], p.Producer)
		byGroup[innerProducers] = append(byGroup[innerProducers], p.Producer)
	}
	for _, g := range n.mq.groupSeq {
		if !g.onlineAt(n.broker) {
			continue
		}
		for _, p := range g.processes {
			byGroup[innerProducers] = append(byGroup[innerProducers],
				Producer{ID: p.ID, Language: p.Language, Version: p.Version, Addr: p.Addr})
		}
	}
	dst := a.begin(`{"data":{`)
	var l list
	for _, group := range sortedKeys(byGroup) {
		dst = append(l.next(dst), quote(group)...)
		dst = append(dst, ":["...)
		var members list
		for _, p := range byGroup[group] {
			dst = n.appendProducer(members.next(dst), p)
		}
		dst = append(dst, ']')
	}
	a.end(dst, "}}")
}

func (n *Node) appendProducer(dst []byte, p Producer) []byte {
	dst = append(dst, `{"clientId":`...)
	dst = append(dst, quote(p.ID)...)
	dst = append(dst, `,"language":`...)
	dst = append(dst, quote(p.Language)...)
	dst = appendInt(dst, `,"lastUpdateTimestamp":`, n.mq.now())
	dst = append(dst, `,"remoteIP":`...)
	dst = append(dst, quote("/"+p.Addr)...) // as Java prints an address without a name
	dst = appendInt(dst, `,"version":`, int64(p.Version))
	return append(dst, '}')
}
