package lag

import (
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// pieceRows is about how many rows are worth another goroutine.
const pieceRows = 8192

// assemble makes the rows of all groups. Each goroutine makes those of some, one
// after the other, and they write into one report's lists side by side, so that
// nothing stands in memory twice.
func (f *frame) assemble() *builder {
	r, l := f.layOut()
	var pieces []*builder
	for first, last := range l.divide() {
		pieces = append(pieces, f.newBuilder(r, l, first, last))
	}
	parts := f.byBroker()
	inParallel(len(pieces), func(i int) { pieces[i].addGroups(parts) })
	return join(pieces)
}

// divide parts the groups into about as many rows for each processor.
func (l *layout) divide() iter.Seq2[int32, int32] {
	return func(yield func(first, last int32) bool) {
		groups := int32(len(l.stretches) - 1)
		rows := l.stretches[groups].row
		n := min(int32(runtime.GOMAXPROCS(0)), 1+rows/pieceRows)
		first := int32(0)
		for last := int32(1); last < groups; last++ {
			if n > 1 && l.stretches[last].row-l.stretches[first].row >= (rows+n-1)/n {
				if !yield(first, last) {
					return
				}
				first = last
			}
		}
		yield(first, groups)
	}
}

// join makes one report of the pieces, in their order.
func join(pieces []*builder) *builder {
	b := pieces[0]
	for i, p := range pieces {
		places := b.takeProcesses(p)
		if i > 0 {
			b.takeHolders(p, places)
			b.takeSums(p)
		}
	}
	r := b.report
	r.Processes, r.Groups, r.own = b.processes.list, b.groupSums, b.own
	if cap(r.Processes) > 2*len(r.Processes) { // each is in many groups
		r.Processes = slices.Clone(r.Processes)
	}
	r.close(b.rows)
	return b
}

// takeProcesses adds a piece's processes to those of the first one, and says which
// places its own have there.
func (b *builder) takeProcesses(of *builder) (places []int32) {
	if b == of {
		return nil
	}
	places = make([]int32, len(of.processes.list))
	for i := range of.processes.list {
		p := &of.processes.list[i]
		places[i] = b.processes.hold(p.IP, p.PID)
		b.processes.add(places[i], p.Backlog)
	}
	return places
}

// takeHolders adds who holds what in a piece.
func (b *builder) takeHolders(of *builder, processes []int32) {
	move := func(holder *int32) {
		if *holder != NoHolder {
			*holder = processes[*holder]
		}
	}
	from, to := of.stretches[of.first], of.stretches[of.last]
	for i := from.holder; i < to.holder; i++ {
		move(&b.report.holders[i])
	}
	for i := range of.own {
		for j := range of.own[i].rows {
			move(&of.own[i].rows[j].Holder)
		}
	}
	for i := from.detail; i < to.detail; i++ {
		if d := &b.report.Details[i]; d.part == notInPart {
			d.entry += int32(len(b.own))
		}
	}
	b.own = append(b.own, of.own...)
	b.groupSums = append(b.groupSums, of.groupSums...)
}

// close leaves out details without rows, and closes the gaps between the ages of
// the others. rows is how many each has.
func (r *Report) close(rows []int32) {
	details := r.Details[:0]
	for i, d := range r.Details {
		if rows[i] == 0 {
			continue
		}
		if int(d.First) != r.rows {
			copy(r.Age[r.rows:], r.Age[d.First:d.First+rows[i]])
			d.First = int32(r.rows)
		}
		r.rows += int(rows[i])
		details = append(details, d)
	}
	r.Details, r.Age = details, r.Age[:r.rows]
}

// takeSums adds a piece's sums.
func (b *builder) takeSums(of *builder) {
	addSums(b.topicSums, of.topicSums)
	addSums(b.brokerSums, of.brokerSums)
	for i, queues := range of.queueSums {
		for len(b.queueSums[i]) < len(queues) {
			b.queueSums[i] = append(b.queueSums[i], unknown)
		}
		addSums(b.queueSums[i], queues)
	}
}

func addSums(sums, more []int64) {
	for i, n := range more {
		if n != unknown {
			sums[i] = plus(max(sums[i], 0), n)
		}
	}
}

// inParallel calls do for 0 to n-1, on as many processors as there are.
func inParallel(n int, do func(int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	all.Wait()
}
