package exposition

import (
	"slices"
	"strconv"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// details writes the backlog of the rows.
func (e *encoder) details(r *lag.Report) {
	if e.view.detail != ByQueue {
		e.sumsOfRows(r, e.view.detail == ByClient)
		return
	}
	e.rows(r, strconv.AppendInt, func(row *lag.Row) int64 { return row.Backlog })
}

// sumsOfRows writes the sum of the rows of each pair, or of each process in it.
// The labels of what was summed up are empty.
func (e *encoder) sumsOfRows(r *lag.Report, byClient bool) {
	sums := make(map[int32]int64)
	var holders []int32 // in the order of their first rows
	for i := 0; i < len(r.Details); {
		first := &r.Details[i]
		pair := r.PairOf(first)
		clear(sums)
		holders = holders[:0]
		for ; i < len(r.Details) && r.Details[i].Pair == first.Pair; i++ {
			e.run = r.AppendRows(e.run[:0], &r.Details[i])
			for j := range e.run {
				holder := lag.NoHolder
				if byClient {
					holder = e.run[j].Holder
				}
				if _, ok := sums[holder]; !ok {
					holders = append(holders, holder)
				}
				sums[holder] = lag.Plus(sums[holder], e.run[j].Backlog)
			}
		}
		for _, h := range holders {
			var p lag.Process
			if h != lag.NoHolder {
				p = r.Processes[h]
			}
			e.start()
			for _, label := range []string{pair.Topic, pair.Group, "", "", p.IP, p.PID} {
				e.label(label)
			}
			e.end(sums[h])
		}
	}
}

func (e *encoder) queueLag(r *lag.Report) {
	appendAge := func(dst []byte, age int64, _ int) []byte {
		return appendSeconds(dst, time.Duration(age)*lag.AgeUnit)
	}
	e.rows(r, appendAge, func(row *lag.Row) int64 { return int64(row.Age) })
}

func (e *encoder) consumerOffsets(r *lag.Report) {
	e.rows(r, strconv.AppendInt, func(row *lag.Row) int64 { return row.Committed })
}

// together is how many details' rows are made before they are written. What they
// are made of is scattered over memory: the processor fetches it for several
// details at a time if it has nothing else to do between them.
const together = 16

// rows writes a value of each row that is not Unknown.
func (e *encoder) rows(r *lag.Report, write func(dst []byte, value int64, base int) []byte, value func(*lag.Row) int64) {
	e.holders.fill(r.Processes, e.family.keys[5:])
	pair := int32(-1) // that e.detail begins with
	for details := range slices.Chunk(r.Details, together) {
		if e.err != nil {
			return
		}
		var ends [together]int
		e.run = e.run[:0]
		for i := range details {
			e.run = r.AppendRows(e.run, &details[i])
			ends[i] = len(e.run)
		}
		first := 0
		for i := range details {
			if of := details[i].Pair; of != pair {
				pair = of
				e.startRows(&r.Pairs[of])
			}
			e.startBroker(r.BrokerOf(&details[i]))
			e.rowsOf(r, e.run[first:ends[i]], write, value)
			first = ends[i]
		}
	}
}

// startRows makes what all rows of a pair share, and startBroker what those of one
// of its details share besides. Rows are what nearly every series is: so this is
// escaped once and copied.
func (e *encoder) startRows(p *lag.Pair) {
	keys := e.family.keys
	e.detail = append(append(e.detail[:0], e.lead...), keys[1]...)
	e.detail = append(appendEscaped(e.detail, p.Topic), keys[2]...)
	e.detail = append(appendEscaped(e.detail, p.Group), keys[3]...)
	e.ofPair = len(e.detail)
	if e.measure != nil {
		e.measure.weights.label(1, p.Topic)
		e.measure.weights.label(2, p.Group)
	}
}

func (e *encoder) startBroker(broker string) {
	e.detail = append(appendEscaped(e.detail[:e.ofPair], broker), e.family.keys[4]...)
	if e.measure != nil {
		e.measure.weights.label(3, broker)
	}
}

// rowsOf writes the rows of the detail that was started.
func (e *encoder) rowsOf(r *lag.Report, rows []lag.Row, write func(dst []byte, value int64, base int) []byte, value func(*lag.Row) int64) {
	choosy := e.measure != nil || e.kept != nil
	for j := range rows {
		row := &rows[j]
		v := value(row)
		if v == model.Unknown {
			continue
		}
		if choosy && !e.takes(r, row) {
			continue
		}
		e.header()
		e.buf = append(e.buf, e.detail...)
		e.buf = strconv.AppendInt(e.buf, int64(row.QueueID), 10)
		e.buf = append(e.buf, e.holders.of(row.Holder)...)
		e.buf = write(e.buf, v, 10)
		e.buf = append(e.buf, '\n')
		e.written()
	}
}

// takes says whether the next row is written. A selector it tells what start,
// label and end tell of other series, besides what it was told of the whole run;
// whatever value is written, a row weighs its backlog.
func (e *encoder) takes(r *lag.Report, row *lag.Row) bool {
	if e.measure == nil {
		return e.keeps()
	}
	var p lag.Process
	if h := row.Holder; h != lag.NoHolder {
		p = r.Processes[h]
	}
	e.measure.weights.label(5, p.IP)
	e.measure.weights.label(6, p.PID)
	e.value = row.Backlog
	e.ended()
	return false
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

func (e *encoder) minOffsets(r *lag.Report) {
	e.offsets(r, func(p *model.Part) *model.Offsets { return &p.Begins }, func(t *model.TopicStats) []int64 { return t.Begins })
}

func (e *encoder) maxOffsets(r *lag.Report) {
	e.offsets(r, func(p *model.Part) *model.Offsets { return &p.Ends }, func(t *model.TopicStats) []int64 { return t.Ends })
}

// offsets writes one offset of each queue, whoever consumes it.
func (e *encoder) offsets(r *lag.Report, ofPart func(*model.Part) *model.Offsets, ofOther func(*model.TopicStats) []int64) {
	for i := range r.Snapshot.Parts {
		part := r.Snapshot.Parts[i].Part
		for j := range part.Topics {
			t := &part.Topics[j]
			if !part.Repeats(j) {
				e.offsetsOf(t.Name, part.Broker, e.ends.Read(ofPart(part), t.First, t.Queues))
			}
		}
		for j := range part.Others {
			e.offsetsOf(part.Others[j].Topic, part.Broker, ofOther(&part.Others[j]))
		}
	}
}

func (e *encoder) offsetsOf(topic, broker string, offsets []int64) {
	for q, offset := range offsets {
		if offset == model.Unknown {
			continue
		}
		e.start()
		e.label(topic)
		e.label(broker)
		e.labelInt(int64(q))
		e.end(offset)
	}
}
