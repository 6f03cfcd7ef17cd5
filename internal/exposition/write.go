// Package exposition writes reports as metrics: in Prometheus' text format and
// in OpenMetrics, straight from a report's columns into the response, so that a
// scrape needs no memory for what it writes.
//
// It may hold syntax, HTTP and their limits. Names, labels and helps come from
// package family, numbers from package lag; it computes neither.
package exposition

import (
	"io"
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Write writes the reports' families and tells the number of series. Each
// report is one cluster; nil ones are passed over. Other families may follow;
// Finish ends the exposition.
func Write(w io.Writer, f Format, prefix string, reports []*lag.Report) (series int, err error) {
	e := newEncoder(newLayout(prefix))
	return e.write(w, f, reports)
}

// Finish writes what must be last.
func Finish(w io.Writer, f Format) error {
	if f != OpenMetrics {
		return nil
	}
	_, err := io.WriteString(w, "# EOF\n")
	return err
}

func (e *encoder) write(w io.Writer, f Format, reports []*lag.Report) (series int, err error) {
	e.reset(w, f)
	for _, s := range streams() {
		e.begin(s.id)
		for _, r := range reports {
			if r == nil || e.err != nil {
				continue
			}
			e.in(r.Snapshot.Cluster)
			s.write(e, r)
		}
	}
	e.flush()
	return e.series, e.err
}

// stream is one family and what writes one cluster's series of it.
type stream struct {
	id    family.ID
	write func(*encoder, *lag.Report)
}

// streams lists the families in the order in which they are written.
func streams() []stream {
	return []stream{
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
		{family.ConsumerGroupMembers, (*encoder).groupMembers},
		{family.ConsumerGroupInfo, (*encoder).groupInfo},
		{family.ConsumerGroupClientInfo, (*encoder).groupClientInfo},
		{family.ConsumerGroupConsumed, (*encoder).consumed},
		{family.ConsumerGroupUncommitted, (*encoder).uncommitted},
		{family.ConsumerGroupAhead, (*encoder).ahead},
		{family.ExporterIncompleteBrokers, (*encoder).incompleteBrokers},
		{family.ExporterSnapshotTimestamp, (*encoder).snapshotTimestamp},
	}
}

// details writes the rows: what nearly every series is. All that rows share is
// escaped once and copied.
func (e *encoder) details(r *lag.Report) {
	keys := e.family.keys
	e.holders.fill(r.Processes, keys[5:])
	for i := range r.Details {
		if e.err != nil {
			return
		}
		d := &r.Details[i]
		e.header()
		e.detail = append(append(e.detail[:0], e.lead...), keys[1]...)
		e.detail = append(appendEscaped(e.detail, d.Topic), keys[2]...)
		e.detail = append(appendEscaped(e.detail, d.Group), keys[3]...)
		e.detail = append(appendEscaped(e.detail, d.Broker), keys[4]...)
		for row := d.First; row < d.First+d.Rows; row++ {
			e.buf = append(e.buf, e.detail...)
			e.buf = strconv.AppendInt(e.buf, int64(r.QueueID[row]), 10)
			e.buf = append(e.buf, e.holders.of(r.Holder[row])...)
			e.buf = strconv.AppendInt(e.buf, r.Backlog[row], 10)
			e.buf = append(e.buf, '\n')
			e.ended()
		}
	}
}

// holders is what follows a queue's id in a row, for every process.
type holders struct {
	text []byte
	ends []int // of the process with the index before: 0 is of none
}

// fill writes the labels of no process, then those of each.
func (h *holders) fill(processes []lag.Process, keys []string) {
	h.text, h.ends = h.text[:0], h.ends[:0]
	h.add("", "", keys)
	for i := range processes {
		h.add(processes[i].IP, processes[i].PID, keys)
	}
}

func (h *holders) add(ip, pid string, keys []string) {
	h.text = appendEscaped(append(h.text, keys[0]...), ip)
	h.text = appendEscaped(append(h.text, keys[1]...), pid)
	h.text = append(h.text, closing...)
	h.ends = append(h.ends, len(h.text))
}

func (h *holders) of(holder int32) []byte {
	if holder == lag.NoHolder {
		return h.text[:h.ends[0]]
	}
	return h.text[h.ends[holder]:h.ends[holder+1]]
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

// pair writes one value of a pair.
func (e *encoder) pair(p *lag.Pair, value int64) {
	e.start()
	e.label(p.Topic)
	e.label(p.Group)
	e.end(value)
}

func (e *encoder) pairs(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; p.Rows > 0 {
			e.pair(p, p.Backlog)
		}
	}
}

func (e *encoder) consumed(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; p.Rows > 0 {
			e.pair(p, p.Consumed)
		}
	}
}

// judged says whether anything is known of a pair's queues. Where it is, a 0
// is known too, and written: an alert needs it.
func judged(p *lag.Pair) bool {
	return p.Rows > 0 || p.Uncommitted > 0
}

func (e *encoder) uncommitted(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; judged(p) {
			e.pair(p, int64(p.Uncommitted))
		}
	}
}

func (e *encoder) ahead(r *lag.Report) {
	for i := range r.Pairs {
		if p := &r.Pairs[i]; judged(p) {
			e.pair(p, p.Ahead)
		}
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

// incompleteBrokers says nothing of a cluster that no round has told of yet.
func (e *encoder) incompleteBrokers(r *lag.Report) {
	if r.Snapshot.Ended.IsZero() {
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
