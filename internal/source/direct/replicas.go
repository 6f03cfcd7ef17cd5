package direct

import (
	"maps"
	"slices"
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// replicaErrands ask once a cycle how far the slaves of a broker are behind: each
// slave for the end of its commit log, and after them the master, so that no
// slave seems to be ahead. A master without a slave is asked all the same who is
// connected to it.
func (w *reading) replicaErrands() []errand {
	b := w.broker
	if !w.due(b.replicasAsked) {
		return nil
	}
	b.replicasAsked = w.began
	var list []errand
	procs := b.sorted() // the master first
	for _, p := range slices.Backward(procs) {
		switch {
		case !p.listed || !p.up:
			p.replica = nil
		case p.ha != unsupported || len(procs) > 1:
			list = append(list, replicaErrand(p))
		}
	}
	return list
}

// replicaErrand asks one process (GET_BROKER_HA_STATUS). One of 4.x does not know
// that and is asked for its runtime, which costs it little.
func replicaErrand(p *proc) errand {
	code, decode := remoting.GetBrokerHAStatus, remoting.DecodeHAStatus
	if p.ha == unsupported {
		code, decode = remoting.GetBrokerRuntimeInfo, readEnd
	}
	return errand{p.addr, remoting.Request{Code: code}, func(body []byte, err error) finding {
		refused := err
		var status remoting.HAStatus
		if err == nil {
			status, err = decode(body)
			err = bodyOf(p.addr, err)
		}
		return func(w *reading) {
			if code == remoting.GetBrokerHAStatus {
				p.ha.learn(refused)
			}
			switch {
			case err == nil:
				p.replica = &status
			case code == remoting.GetBrokerHAStatus && p.ha == unsupported:
				w.broker.replicasAsked = w.began.Add(-w.src.opts.SlowEvery) // ask in the other way at once
			default:
				p.replica = nil
				w.fail(w.broker.cluster.name, p.addr, code, err)
			}
		}
	}}
}

// readEnd reads the end of a commit log out of the answer to
// GET_BROKER_RUNTIME_INFO.
func readEnd(body []byte) (remoting.HAStatus, error) {
	h := remoting.HAStatus{End: model.Unknown}
	err := remoting.DecodeRuntimeInfo(body, func(key, value []byte) {
		if string(key) == "commitLogMaxOffset" {
			if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
				h.End = n
			}
		}
	})
	return h, err
}

// runtime is what the snapshot says that a process told of itself.
func (b *broker) runtime(p *proc) *model.Runtime {
	told := make(map[model.RuntimeKey]float64, 2)
	master := b.sorted()[0].replica
	switch {
	case p.replica == nil || b.part == nil:
	case p.id == remoting.MasterID:
		if p.replica.Master {
			told[model.RuntimeSlavesConnected] = float64(p.replica.Slaves)
			told[model.RuntimeSlavesInSync] = float64(max(p.replica.InSync, 0))
		}
	case p.up && master != nil && master.End >= 0 && p.replica.End >= 0:
		told[model.RuntimeSlaveBehind] = float64(max(master.End-p.replica.End, 0))
	}
	if len(told) == 0 {
		return p.info
	}
	var info model.Runtime
	if p.info != nil {
		info = *p.info
		maps.Copy(told, info.Values)
	}
	info.Values = told
	return &info
}
