package fakemq

import (
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// FallBehind makes a slave lack the last bytes of its master's commit log, and
// goes on to copy what comes.
func (n *Node) FallBehind(bytes int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.behind = bytes
}

// Detach ends a slave's connection to its master: it copies nothing any more,
// though it answers and is registered as before. Attach undoes it.
func (n *Node) Detach() {
	n.mq.mu.RLock()
	end := n.logEnd()
	n.mq.mu.RUnlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.detached, n.copied = true, end
}

// Attach lets a slave copy its master's commit log again, from where it is.
func (n *Node) Attach() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.detached = false
}

// logEnd is where the node's own commit log ends.
func (n *Node) logEnd() int64 {
	if n.id == remoting.MasterID {
		return n.broker.bytes
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.detached {
		return n.copied
	}
	return max(n.broker.bytes-n.behind, 0)
}

// copies says whether the node is connected to its master.
func (n *Node) copies() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listener != nil && !n.detached
}

// maxBehind is how far a slave may be behind and count as in sync
// (MessageStoreConfig.haMaxGapNotInSync).
const maxBehind = 256 << 20

// answerHAStatus answers GET_BROKER_HA_STATUS (HARuntimeInfo).
func answerHAStatus(n *Node, _ *remoting.Command, a *answer) {
	if n.id == remoting.MasterID {
		answerMasterStatus(n, a)
		return
	}
	dst := a.begin(`{"haClientRuntimeInfo":{"lastReadTimestamp":`)
	dst = appendInt(dst, "", n.broker.now())
	dst = appendInt(dst, `,"lastWriteTimestamp":`, n.broker.now())
	dst = append(dst, `,"masterAddr":`...)
	dst = append(dst, quote(n.broker.nodes[0].Addr())...)
	dst = appendInt(dst, `,"masterFlushOffset":`, n.logEnd())
	dst = appendInt(dst, `,"maxOffset":`, n.logEnd())
	a.end(dst, `,"transferredByteInSecond":0},"haConnectionInfo":[],"inSyncSlaveNums":0,"master":false,"masterCommitLogMaxOffset":0}`)
}

func answerMasterStatus(n *Node, a *answer) {
	end := n.logEnd()
	dst := a.begin(`{"haClientRuntimeInfo":{"lastReadTimestamp":0,"lastWriteTimestamp":0,"masterFlushOffset":0,"maxOffset":0,` +
		`"transferredByteInSecond":0},"haConnectionInfo":[`)
	var inSync int64
	var l list
	for _, s := range n.broker.nodes[1:] {
		if !s.copies() {
			continue
		}
		has := s.logEnd()
		near := end-has < maxBehind
		if near {
			inSync++
		}
		dst = append(l.next(dst), `{"addr":`...)
		dst = append(dst, quote(s.Addr())...)
		dst = appendInt(dst, `,"diff":`, end-has)
		dst = append(dst, `,"inSync":`...)
		dst = strconv.AppendBool(dst, near)
		dst = appendInt(dst, `,"slaveAckOffset":`, has)
		dst = appendInt(dst, `,"transferFromWhere":`, has)
		dst = append(dst, `,"transferredByteInSecond":0}`...)
	}
	dst = appendInt(dst, `],"inSyncSlaveNums":`, inSync)
	dst = appendInt(dst, `,"master":true,"masterCommitLogMaxOffset":`, end)
	a.end(dst, "}")
}
