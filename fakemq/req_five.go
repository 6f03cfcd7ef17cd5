package fakemq

import (
	"maps"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerTimerMetrics answers GET_TIMER_METRICS (TimerMetricsSerializeWrapper):
// the fake has no messages with a delay of their own.
func answerTimerMetrics(n *Node, _ *remoting.Command, a *answer) {
	dst := appendVersion(append(a.body, '{'), "dataVersion", dataVersion{at: n.broker.boot}, true)
	a.end(dst, `"timingCount":{}}`)
}

// answerRequestModes answers GET_ALL_MESSAGE_REQUEST_MODE
// (MessageRequestModeSerializeWrapper): no group pops.
func answerRequestModes(_ *Node, _ *remoting.Command, a *answer) {
	a.body = append(a.body, `{"messageRequestModeMap":{}}`...)
}

// answerHAStatus answers GET_BROKER_HA_STATUS (HARuntimeInfo). Slaves that run
// have everything at once.
func answerHAStatus(n *Node, _ *remoting.Command, a *answer) {
	end := n.broker.bytes
	master := n.id == remoting.MasterID
	dst := a.begin(`{"haClientRuntimeInfo":{"lastReadTimestamp":`)
	if master {
		dst = append(dst, `0,"lastWriteTimestamp":0,"masterFlushOffset":0,"maxOffset":0`...)
	} else {
		dst = appendInt(dst, "", n.mq.now())
		dst = appendInt(dst, `,"lastWriteTimestamp":`, n.mq.now())
		dst = append(dst, `,"masterAddr":`...)
		dst = append(dst, quote(n.broker.nodes[0].Addr())...)
		dst = appendInt(dst, `,"masterFlushOffset":`, end)
		dst = appendInt(dst, `,"maxOffset":`, end)
	}
	dst = append(dst, `,"transferredByteInSecond":0},"haConnectionInfo":[`...)
	var slaves int64
	var l list
	for _, s := range n.broker.nodes[1:] {
		if !master || !s.Running() {
			continue
		}
		slaves++
		dst = append(l.next(dst), `{"addr":`...)
		dst = append(dst, quote(s.Addr())...)
		dst = appendInt(dst, `,"diff":0,"inSync":true,"slaveAckOffset":`, end)
		dst = appendInt(dst, `,"transferFromWhere":`, end)
		dst = append(dst, `,"transferredByteInSecond":0}`...)
	}
	dst = appendInt(dst, `],"inSyncSlaveNums":`, slaves)
	if master {
		dst = append(dst, `,"master":true`...)
	} else {
		dst = append(dst, `,"master":false`...)
	}
	dst = appendInt(dst, `,"masterCommitLogMaxOffset":`, end)
	a.end(dst, "}")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
