package console

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/runtimeinfo"
)

// systemPrefix is what the console puts before topics and groups of the system
// (TopicServiceImpl.fetchAllTopicList, ConsumerServiceImpl.queryGroupList).
const systemPrefix = "%SYS%"

// process is one broker process as the console lists it.
type process struct {
	cluster, broker string
	id              int64
	addr, version   string
	info            *model.Runtime // nil: not told
}

// readClusters reads /cluster/list.query (ClusterServiceImpl.list).
func readClusters(d *decoder, now time.Time) ([]process, error) {
	var list []process
	tables := make(map[string]map[string]*runtimeinfo.Reader) // by broker and id
	err := d.object(func(key string) error {
		switch key {
		case "clusterInfo":
			return d.object(func(key string) error {
				if key != "brokerAddrTable" {
					return d.skip()
				}
				return d.object(func(string) error { return readBroker(d, &list) })
			})
		case "brokerServer":
			return d.object(func(broker string) error { return readRuntimes(d, broker, tables) })
		}
		return d.skip()
	})
	for i := range list {
		p := &list[i]
		if table := tables[p.broker][strconv.FormatInt(p.id, 10)]; table != nil {
			p.version, p.info = table.Version, table.Runtime(now)
		}
	}
	setBehind(list)
	return list, err
}

// readRoute reads /topic/route.query (TopicRouteData).
func readRoute(d *decoder) ([]process, error) {
	var list []process
	err := d.object(func(key string) error {
		if key != "brokerDatas" {
			return d.skip()
		}
		return d.array(maxBrokers, func() error { return readBroker(d, &list) })
	})
	return list, err
}

// readBroker reads one BrokerData.
func readBroker(d *decoder, list *[]process) error {
	var b struct {
		Cluster string
		Name    string           `json:"brokerName"`
		Addrs   map[int64]string `json:"brokerAddrs"`
	}
	fits, err := d.entry(&b)
	if err != nil || !fits {
		return err
	}
	if b.Cluster == "" || b.Name == "" || max(len(b.Cluster), len(b.Name)) > maxName || len(b.Addrs) > maxProcesses {
		d.odd++
		return nil
	}
	if len(*list) > maxBrokers*2 {
		return fmt.Errorf("%w: more than %d broker processes", errShape, maxBrokers*2)
	}
	for _, id := range slices.Sorted(maps.Keys(b.Addrs)) {
		if addr := b.Addrs[id]; addr != "" && len(addr) <= maxName {
			*list = append(*list, process{cluster: b.Cluster, broker: b.Name, id: id, addr: addr})
		}
	}
	return nil
}

// readRuntimes reads what one broker's processes tell of themselves, by their
// ids.
func readRuntimes(d *decoder, broker string, tables map[string]map[string]*runtimeinfo.Reader) error {
	byID := make(map[string]*runtimeinfo.Reader)
	tables[broker] = byID
	return d.object(func(id string) error {
		table := &runtimeinfo.Reader{}
		err := d.object(func(key string) error {
			var value string
			if fits, err := d.entry(&value); err != nil || !fits {
				return err
			}
			if len(value) > maxName {
				d.odd++
				return nil
			}
			table.Add(key, value)
			return nil
		})
		if err == nil && len(byID) < maxProcesses {
			byID[id] = table
			d.odd += table.Odd
		}
		return err
	})
}

// setBehind says how far slaves are behind their masters. The console asked
// them one after the other, so it is true but for what came in between.
func setBehind(list []process) {
	ends := make(map[string]float64)
	for i := range list {
		if p := &list[i]; p.id == 0 && p.info != nil {
			if end, ok := p.info.Values[model.RuntimeCommitLogMax]; ok {
				ends[p.broker] = end
			}
		}
	}
	for i := range list {
		p := &list[i]
		if p.id == 0 || p.info == nil {
			continue
		}
		end, told := ends[p.broker]
		if has, ok := p.info.Values[model.RuntimeCommitLogMax]; ok && told {
			p.info.Values[model.RuntimeSlaveBehind] = max(end-has, 0)
		}
	}
}

// readTopicNames reads /topic/list.query (TopicList), and says of each name
// whether it is of the system.
func readTopicNames(d *decoder) (map[string]bool, error) {
	topics := make(map[string]bool)
	err := d.object(func(key string) error {
		if key != "topicList" {
			return d.skip()
		}
		return d.array(maxTopics, func() error {
			var name string
			if fits, err := d.entry(&name); err != nil || !fits {
				return err
			}
			name, system := strings.CutPrefix(name, systemPrefix)
			if name == "" || len(name) > maxName {
				d.odd++
				return nil
			}
			topics[name] = system
			return nil
		})
	})
	return topics, err
}

// listedGroup is one entry of the list of groups (GroupConsumeInfo).
type listedGroup struct {
	Name      string   `json:"group"`
	Count     int      `json:"count"`
	Kind      string   `json:"consumeType"`
	Model     string   `json:"messageModel"`
	Addresses []string `json:"address"`    // 2.0 and later
	Updated   *any     `json:"updateTime"` // 2.1 and later: the list is a cache
}

// readGroups reads /consumer/groupList.query and /consumer/group.refresh.all.
func readGroups(d *decoder) ([]listedGroup, error) {
	var list []listedGroup
	err := d.array(maxGroups, func() error {
		var g listedGroup
		if fits, err := d.entry(&g); err != nil || !fits {
			return err
		}
		g.Name = strings.TrimPrefix(g.Name, systemPrefix)
		if g.Name == "" || len(g.Name) > maxName || len(g.Addresses) > 1<<14 {
			d.odd++
			return nil
		}
		g.Kind, g.Model = d.name(g.Kind), d.name(g.Model)
		for i := range g.Addresses {
			g.Addresses[i] = d.name(g.Addresses[i])
		}
		// 2.1 lists a broker again with every refresh that fails half way.
		slices.Sort(g.Addresses)
		g.Addresses = slices.Compact(g.Addresses)
		list = append(list, g)
		return nil
	})
	return list, err
}

// connections is who is online in a group (ConsumerConnection).
type connections struct {
	clients     []model.Client
	topics      map[string]struct{}
	model, kind string
}

// readConnections reads /consumer/consumerConnection.query.
func readConnections(d *decoder) (*connections, error) {
	c := &connections{topics: make(map[string]struct{})}
	err := d.object(func(key string) error {
		switch key {
		case "connectionSet":
			return d.array(maxClients, func() error { return c.readClient(d) })
		case "subscriptionTable":
			return d.object(func(topic string) error {
				if topic == "" || len(topic) > maxName || len(c.topics) >= maxTopics {
					d.odd++
				} else {
					c.topics[topic] = struct{}{}
				}
				return d.skip()
			})
		case "consumeType":
			return d.value(&c.kind)
		case "messageModel":
			return d.value(&c.model)
		}
		return d.skip()
	})
	return c, err
}

// check is for an answer that is not a refusal, whose data is null.
func (c *connections) check() error {
	if c.model == "" || max(len(c.model), len(c.kind)) > maxName {
		return &callError{reasonMalformed, fmt.Errorf("%w: it tells no message model", errShape)}
	}
	return nil
}

func (c *connections) readClient(d *decoder) error {
	var in struct {
		ID       string `json:"clientId"`
		Language string `json:"language"`
		Version  int32  `json:"version"`
	}
	if fits, err := d.entry(&in); err != nil || !fits {
		return err
	}
	if in.ID == "" || max(len(in.ID), len(in.Language)) > maxName {
		d.odd++
		return nil
	}
	ip, pid := model.SplitClientID(in.ID)
	c.clients = append(c.clients, model.Client{
		ID: in.ID, IP: ip, PID: pid, Language: d.name(in.Language), Version: in.Version,
	})
	return nil
}
