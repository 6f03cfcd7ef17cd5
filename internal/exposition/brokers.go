package exposition

import (
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// brokerStreams are the families of what broker processes tell of themselves.
func brokerStreams() []stream {
	return []stream{
		{family.BrokerBoot, runtimeValue(model.RuntimeBoot)},
		{family.BrokerActive, runtimeValue(model.RuntimeActive)},
		{family.BrokerPutMessages, runtimeValue(model.RuntimePutMessages)},
		{family.BrokerGetMessages, runtimeValue(model.RuntimeGetMessages)},
		{family.BrokerPutBytes, runtimeValue(model.RuntimePutBytes)},
		{family.BrokerPutFailures, runtimeValue(model.RuntimePutFailures)},
		{family.BrokerPutLatencyP99, runtimeValue(model.RuntimePutLatency99)},
		{family.BrokerPutLatencyP999, runtimeValue(model.RuntimePutLatency999)},
		{family.BrokerPageCacheLock, runtimeValue(model.RuntimePageCacheLock)},
		{family.BrokerCommitLogMin, runtimeValue(model.RuntimeCommitLogMin)},
		{family.BrokerCommitLogMax, runtimeValue(model.RuntimeCommitLogMax)},
		{family.BrokerEarliestMessage, runtimeValue(model.RuntimeEarliestMessage)},
		{family.BrokerDispatchBehind, runtimeValue(model.RuntimeDispatchBehind)},
		{family.BrokerCommitBehind, runtimeValue(model.RuntimeCommitBehind)},
		{family.BrokerFlushBehind, runtimeValue(model.RuntimeFlushBehind)},
		{family.BrokerTransientBuffers, runtimeValue(model.RuntimeTransientBuffers)},
		{family.BrokerCommitLogDisk, runtimeValue(model.RuntimeCommitLogDisk)},
		{family.BrokerConsumeQueueDisk, runtimeValue(model.RuntimeConsumeQueueDisk)},
		{family.BrokerDiskSize, runtimeValue(model.RuntimeDiskSize)},
		{family.BrokerDiskFree, runtimeValue(model.RuntimeDiskFree)},
		{family.BrokerPoolQueued, (*encoder).poolsQueued},
		{family.BrokerPoolCapacity, (*encoder).poolsCapacity},
		{family.BrokerPoolHeadWait, (*encoder).poolsHeadWait},
		{family.BrokerDelayed, (*encoder).delayed},
		{family.BrokerTimerPending, runtimeValue(model.RuntimeTimerPending)},
		{family.BrokerTimerEnqueueBehind, runtimeValue(model.RuntimeTimerEnqueue)},
		{family.BrokerTimerBehind, runtimeValue(model.RuntimeTimerBehind)},
		{family.BrokerSlaveBehind, runtimeValue(model.RuntimeSlaveBehind)},
		{family.BrokerConnectedSlaves, runtimeValue(model.RuntimeSlavesConnected)},
		{family.BrokerInSyncSlaves, runtimeValue(model.RuntimeSlavesInSync)},
	}
}

// ofBroker starts a series about a broker process.
func (e *encoder) ofBroker(b *model.Broker) {
	e.start()
	e.label(b.Name)
	e.labelInt(b.ID)
}

func runtimeValue(key model.RuntimeKey) func(*encoder, *lag.Report) {
	return func(e *encoder, r *lag.Report) {
		for i := range r.Snapshot.Brokers {
			b := &r.Snapshot.Brokers[i]
			if b.Runtime == nil {
				continue
			}
			if v, ok := b.Runtime.Values[key]; ok {
				e.ofBroker(b)
				e.endFloat(v)
			}
		}
	}
}

func (e *encoder) poolsQueued(r *lag.Report) {
	e.pools(r, func(p *model.ThreadPool) int64 { return p.Queued }, (*encoder).end)
}

func (e *encoder) poolsCapacity(r *lag.Report) {
	e.pools(r, func(p *model.ThreadPool) int64 { return p.Capacity }, (*encoder).end)
}

func (e *encoder) poolsHeadWait(r *lag.Report) {
	e.pools(r, func(p *model.ThreadPool) int64 { return p.HeadWait }, (*encoder).endMillis)
}

func (e *encoder) pools(r *lag.Report, of func(*model.ThreadPool) int64, end func(*encoder, int64)) {
	for i := range r.Snapshot.Brokers {
		b := &r.Snapshot.Brokers[i]
		if b.Runtime == nil {
			continue
		}
		for p := range b.Runtime.Pools {
			pool := &b.Runtime.Pools[p]
			if v := of(pool); v != model.Unknown {
				e.ofBroker(b)
				e.label(pool.Name)
				end(e, v)
			}
		}
	}
}

// delayed writes what is left of each delay level. Its offsets were read one
// after the other, or set: there is no less than nothing left.
func (e *encoder) delayed(r *lag.Report) {
	for i := range r.Snapshot.Brokers {
		b := &r.Snapshot.Brokers[i]
		if b.Runtime == nil {
			continue
		}
		for _, d := range b.Runtime.Delays {
			e.ofBroker(b)
			e.labelInt(int64(d.Level))
			e.end(max(d.End-d.Delivered, 0))
		}
	}
}
