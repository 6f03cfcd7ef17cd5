package fakemq

import "strings"

// answerClusterList answers /cluster/list.query: the brokers, and the runtime
// info of each node. One node that does not answer fails it all.
func answerClusterList(x *call, dst []byte) ([]byte, error) {
	a := x.console.admin
	a.mq.mu.RLock()
	defer a.mq.mu.RUnlock()
	if _, err := a.nameServer(); err != nil {
		return dst, err
	}
	dst = append(dst, `{"brokerServer":{`...)
	var l list
	for _, b := range a.mq.brokers {
		if !b.listed() {
			continue
		}
		dst = append(l.next(dst), b.quoted...)
		dst = append(dst, ":{"...)
		var nodes list
		for _, n := range b.nodes {
			if !n.isRegistered() {
				continue
			}
			if !n.Running() {
				return dst, connectError(n.Addr())
			}
			dst = appendInt(nodes.next(dst), `"`, n.id)
			dst = n.appendRuntime(append(dst, `":`...))
		}
		dst = append(dst, '}')
	}
	dst = append(dst, `},"clusterInfo":{"brokerAddrTable":{`...)
	l = list{}
	for _, b := range a.mq.brokers {
		if b.listed() {
			dst = append(l.next(dst), b.quoted...)
			dst = appendConsoleBroker(append(dst, ':'), b, a.release)
		}
	}
	dst = append(dst, `},"clusterAddrTable":`...)
	dst = append(a.mq.appendClusterNames(dst), '}')
	if a.release.two() {
		dst = append(dst, `,"messageTypes":{"UNSPECIFIED":"MESSAGE_TYPE_UNSPECIFIED","MIXED":"MESSAGE_TYPE_MIXED",`+
			`"TRANSACTION":"MESSAGE_TYPE_TRANSACTION","FIFO":"MESSAGE_TYPE_FIFO","DELAY":"MESSAGE_TYPE_DELAY","NORMAL":"MESSAGE_TYPE_NORMAL"}`...)
	}
	return append(dst, '}'), nil
}

// appendConsoleBroker writes a BrokerData as the console does.
func appendConsoleBroker(dst []byte, b *broker, r ConsoleRelease) []byte {
	dst = append(dst, `{"cluster":`...)
	dst = append(dst, quote(b.cluster)...)
	dst = append(dst, `,"brokerName":`...)
	dst = append(dst, b.quoted...)
	dst = append(dst, `,"brokerAddrs":{`...)
	var l list
	for _, n := range b.nodes {
		if n.isRegistered() {
			dst = appendInt(l.next(dst), `"`, n.id)
			dst = append(dst, `":`...)
			dst = append(dst, quote(n.Addr())...)
		}
	}
	dst = append(dst, '}')
	if r.two() {
		dst = append(dst, `,"zoneName":null,"enableActingMaster":false`...)
	}
	return append(dst, '}')
}

// answerHomePage answers /ops/homePage.query: the name servers that the console
// was given, as the one entry of a list in 2.x, which can know several
// clusters.
func answerHomePage(x *call, dst []byte) ([]byte, error) {
	addrs := x.console.mq.NameServers()
	joined := strings.Join(addrs, ";")
	dst = append(dst, `{"useVIPChannel":true,"namesvrAddrList":`...)
	if x.console.opts.Release.two() {
		dst = appendStrings(dst, []string{joined})
		dst = append(dst, `,"currentNamesrv":`...)
		dst = append(dst, quote(joined)...)
	} else {
		dst = appendStrings(dst, addrs)
	}
	return append(dst, `,"useTLS":false}`...), nil
}
