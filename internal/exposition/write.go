// Package exposition writes reports as metrics: in Prometheus' text format and
// in OpenMetrics, straight from a report's columns into the response, so that a
// scrape needs no memory for what it writes.
//
// It may hold syntax, HTTP and their limits. Names, labels and helps come from
// package family, numbers from package lag; it computes neither.
package exposition

import (
	"io"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Write writes the reports' families, those that are chosen, and tells the
// number of series. Each report is one cluster; nil ones are passed over. Other
// families may follow; Finish ends the exposition.
func Write(w io.Writer, f Format, prefix string, chosen family.Choice, reports []*lag.Report) (series int, err error) {
	var views []*View
	for _, r := range reports {
		if r != nil {
			views = append(views, Rules{Families: chosen}.View(r))
		}
	}
	return newEncoder(newLayout(prefix)).write(w, f, views)
}

// Finish writes what must be last.
func Finish(w io.Writer, f Format) error {
	if f != OpenMetrics {
		return nil
	}
	_, err := io.WriteString(w, "# EOF\n")
	return err
}

func (e *encoder) write(w io.Writer, f Format, views []*View) (series int, err error) {
	e.reset(w, f)
	defer e.stop() // where something panics
	for _, s := range e.streams {
		e.begin(s.id)
		for _, v := range views {
			if e.err != nil || !v.families.Has(s.id) {
				continue
			}
			e.of(v)
			s.write(e, v.Report)
		}
	}
	e.view, e.kept = nil, nil
	e.finish()
	return e.series, e.err
}

// stream is one family and what writes one cluster's series of it.
type stream struct {
	id    family.ID
	write func(*encoder, *lag.Report)
}

// streams lists the families in the order in which they are written.
func streams() []stream {
	return slices.Concat([]stream{
		{family.MsgDiffDetail, (*encoder).details},
		{family.MsgDiffTopic, func(e *encoder, r *lag.Report) { e.sums(r.Topics) }},
		{family.MsgDiffConsumerGroup, func(e *encoder, r *lag.Report) { e.sums(r.Groups) }},
		{family.MsgDiffTopicConsumerGroup, (*encoder).pairs},
		{family.MsgDiffBroker, func(e *encoder, r *lag.Report) { e.sums(r.Brokers) }},
		{family.MsgDiffQueue, (*encoder).queues},
		{family.MsgDiffClientInfo, (*encoder).processes},
		{family.Up, (*encoder).up},
		{family.NameServerUp, (*encoder).nameServersUp},
		{family.BrokerUp, (*encoder).brokersUp},
		{family.BrokerInfo, (*encoder).brokerInfo},
	}, brokerStreams(), []stream{
		{family.ConsumerGroupMembers, (*encoder).groupMembers},
		{family.ConsumerGroupInfo, (*encoder).groupInfo},
		{family.ConsumerGroupClientInfo, (*encoder).groupClientInfo},
		{family.ConsumerGroupLag, (*encoder).lag},
		{family.ConsumerGroupState, (*encoder).states},
		{family.ConsumerGroupConsumed, (*encoder).consumed},
		{family.ConsumerGroupUnowned, (*encoder).unowned},
		{family.ConsumerGroupUncommitted, (*encoder).uncommitted},
		{family.ConsumerGroupAhead, (*encoder).ahead},
		{family.ConsumerGroupLost, (*encoder).lost},
		{family.ConsumerGroupRetained, (*encoder).retained},
		{family.ConsumerGroupInFlight, (*encoder).inFlight},
		{family.ConsumerGroupPopRetry, (*encoder).popRetry},
		{family.ConsumerGroupDeadLetters, (*encoder).deadLetters},
		{family.TopicProduced, (*encoder).produced},
		{family.TopicStored, (*encoder).stored},
		{family.TopicLastMessage, (*encoder).lastMessages},
		{family.QueueLag, (*encoder).queueLag},
		{family.QueueMinOffset, (*encoder).minOffsets},
		{family.QueueMaxOffset, (*encoder).maxOffsets},
		{family.QueueConsumerOffset, (*encoder).consumerOffsets},
		{family.ExporterIncompleteBrokers, (*encoder).incompleteBrokers},
		{family.ExporterSnapshotTimestamp, (*encoder).snapshotTimestamp},
		{family.ExporterSlowCycle, (*encoder).slowCycle},
		{family.ExporterDeniedRequests, (*encoder).denials},
	})
}

func (e *encoder) sums(sums []lag.Sum) {
	for i := range sums {
		e.start()
		e.label(sums[i].Name)
		e.end(sums[i].Backlog)
	}
}

func (e *encoder) queues(r *lag.Report) {
	for i := range r.Queues {
		e.start()
		e.label(r.Queues[i].Broker)
		e.labelInt(int64(r.Queues[i].QueueID))
		e.end(r.Queues[i].Backlog)
	}
}

func (e *encoder) processes(r *lag.Report) {
	for i := range r.Processes {
		e.start()
		e.label(r.Processes[i].IP)
		e.label(r.Processes[i].PID)
		e.end(r.Processes[i].Backlog)
	}
}

func (e *encoder) up(r *lag.Report) {
	e.start()
	e.endBool(r.Up())
}

func (e *encoder) nameServersUp(r *lag.Report) {
	for _, n := range r.Snapshot.NameServers {
		e.start()
		e.label(n.Addr)
		e.endBool(n.Up)
	}
}

// broker starts a series of one broker process.
func (e *encoder) broker(b *model.Broker) {
	e.start()
	e.label(b.Name)
	e.labelInt(b.ID)
	e.label(b.Addr)
}

func (e *encoder) brokersUp(r *lag.Report) {
	for i := range r.Snapshot.Brokers {
		b := &r.Snapshot.Brokers[i]
		e.broker(b)
		e.endBool(b.Up)
	}
}

func (e *encoder) brokerInfo(r *lag.Report) {
	for i := range r.Snapshot.Brokers {
		b := &r.Snapshot.Brokers[i]
		e.broker(b)
		e.label(b.Role.String())
		e.label(b.Version)
		e.end(1)
	}
}

// incompleteBrokers says nothing of a cluster of which no broker is known: it was
// never reached.
func (e *encoder) incompleteBrokers(r *lag.Report) {
	if len(r.Snapshot.Brokers) == 0 {
		return
	}
	e.start()
	e.end(int64(r.Incomplete))
}

func (e *encoder) snapshotTimestamp(r *lag.Report) {
	if r.Snapshot.Taken.IsZero() {
		return
	}
	e.start()
	e.endTime(r.Snapshot.Taken)
}

func (e *encoder) slowCycle(r *lag.Report) {
	if r.Snapshot.SlowTaken.IsZero() {
		return
	}
	e.start()
	e.endTime(r.Snapshot.SlowTaken)
}

func (e *encoder) denials(r *lag.Report) {
	for _, d := range r.Snapshot.Denials {
		e.start()
		e.label(d.Request)
		e.label(d.Right)
		e.end(int64(d.Count))
	}
}
