package fakemq

import (
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerClusters answers GET_BROKER_CLUSTER_INFO (ClusterInfo), whose broker
// ids are bare numbers in every release.
func answerClusters(n *Node, _ *remoting.Command, a *answer) {
	dst := a.begin(`{"brokerAddrTable":{`)
	var l list
	for _, b := range n.mq.brokers {
		if !b.listed() {
			continue
		}
		dst = append(l.next(dst), b.quoted...)
		dst = append(dst, ':')
		dst = appendBroker(dst, b, n.release, false)
	}
	dst = append(dst, `},"clusterAddrTable":`...)
	a.body = append(n.mq.appendClusterNames(dst), '}')
}

// appendClusterNames writes which brokers each cluster has.
func (c *Cluster) appendClusterNames(dst []byte) []byte {
	dst = append(dst, '{')
	var l list
	for _, co := range c.opts.Clusters {
		names := slices.DeleteFunc(slices.Clone(co.Brokers), func(name string) bool { return !c.byName[name].listed() })
		if len(names) > 0 {
			dst = append(l.next(dst), quote(co.Name)...)
			dst = append(dst, ':')
			dst = appendStrings(dst, names)
		}
	}
	return append(dst, '}')
}

// appendBroker writes a broker with the addresses that are registered
// (BrokerData). Only a route knows quoted ids.
func appendBroker(dst []byte, b *broker, r Release, quoted bool) []byte {
	dst = append(dst, `{"brokerAddrs":{`...)
	var l list
	for _, node := range b.nodes {
		if !node.isRegistered() {
			continue
		}
		dst = l.next(dst)
		if quoted {
			dst = appendInt(dst, `"`, node.id)
			dst = append(dst, `":`...)
		} else {
			dst = appendInt(dst, "", node.id)
			dst = append(dst, ':')
		}
		dst = append(dst, quote(node.Addr())...)
	}
	dst = append(dst, `},"brokerName":`...)
	dst = append(dst, b.quoted...)
	dst = append(dst, `,"cluster":`...)
	dst = append(dst, quote(b.cluster)...)
	if r.five() {
		dst = append(dst, `,"enableActingMaster":false`...)
	}
	return append(dst, '}')
}

// answerMemberGroup answers GET_BROKER_MEMBER_GROUP (BrokerMemberGroup).
func answerMemberGroup(n *Node, req *remoting.Command, a *answer) {
	cluster, ok := need(req, a, "clusterName")
	if !ok {
		return
	}
	name, ok := need(req, a, "brokerName")
	if !ok {
		return
	}
	dst := a.begin(`{"brokerMemberGroup":{"brokerAddrs":{`)
	if b := n.mq.byName[name]; b != nil && b.cluster == cluster {
		var l list
		for _, node := range b.nodes {
			if node.isRegistered() {
				dst = appendInt(l.next(dst), "", node.id)
				dst = append(dst, ':')
				dst = append(dst, quote(node.Addr())...)
			}
		}
	}
	dst = append(dst, `},"brokerName":`...)
	dst = append(dst, quote(name)...)
	dst = append(dst, `,"cluster":`...)
	dst = append(dst, quote(cluster)...)
	a.end(dst, "}}")
}
