package lag

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// pieceRows is about how many rows are worth another goroutine.
const pieceRows = 8192

// piece is what one goroutine makes of a report: some groups, one after the other,
// and what comes of them.
type piece struct {
	first, behind     int // places of the groups
	rows, runs, pairs int // upper bounds
	clients           int
	*builder
}

// assemble makes the rows of all groups. Pieces write into one report's lists side
// by side, so that nothing stands in memory twice.
func (f *frame) assemble(byGroup []groupEntries) *builder {
	pieces := f.divide(byGroup)
	var rows, runs, pairs, clients int
	for i := range pieces {
		p := &pieces[i]
		rows, runs, pairs, clients = rows+p.rows, runs+p.runs, pairs+p.pairs, clients+p.clients
	}
	whole := &Report{
		Snapshot: f.snapshot, groups: f.groups,
		Pairs: make([]Pair, pairs), Details: make([]Detail, runs), Age: make([]int32, rows), holders: make([]int32, clients),
	}
	rows, runs, pairs, clients = 0, 0, 0, 0
	for i := range pieces {
		p := &pieces[i]
		p.builder = f.newBuilder(&Report{
			Snapshot: f.snapshot, groups: f.groups,
			Pairs:   whole.Pairs[pairs : pairs : pairs+p.pairs],
			Details: whole.Details[runs : runs : runs+p.runs],
			Age:     whole.Age[rows : rows : rows+p.rows],
			holders: whole.holders[clients : clients : clients+p.clients],
		}, p.clients)
		rows, runs, pairs, clients = rows+p.rows, runs+p.runs, pairs+p.pairs, clients+p.clients
	}
	inParallel(len(pieces), func(i int) {
		p := &pieces[i]
		for g := p.first; g < p.behind; g++ {
			p.addGroup(int32(g), byGroup[g].entries)
		}
	})
	return join(whole, pieces)
}

// divide parts the groups into about as many rows for each processor.
func (f *frame) divide(byGroup []groupEntries) []piece {
	rows := 0
	for i := range byGroup {
		rows += byGroup[i].rows
	}
	n := min(runtime.GOMAXPROCS(0), 1+rows/pieceRows)
	pieces := []piece{{}}
	for g := range byGroup {
		p := &pieces[len(pieces)-1]
		if p.rows >= (rows+n-1)/n && len(pieces) < n {
			pieces = append(pieces, piece{first: g})
			p = &pieces[len(pieces)-1]
		}
		p.behind = g + 1
		p.rows += byGroup[g].rows
		p.runs += len(byGroup[g].entries)
		p.pairs += byGroup[g].pairs
		if len(byGroup[g].entries) > 0 {
			p.clients += len(f.groups[g].Clients)
		}
	}
	return pieces
}

// join makes one report of the pieces, whose lists lie in it, in their order.
func join(whole *Report, pieces []piece) *builder {
	first := pieces[0].builder
	whole.Pairs, whole.Details, whole.Age, whole.holders = whole.Pairs[:0], whole.Details[:0], whole.Age[:0], whole.holders[:0]
	for i := range pieces {
		b := pieces[i].builder
		places := first.takeProcesses(b)
		whole.take(b.report, places)
		if i > 0 {
			first.takeSums(b)
		}
	}
	whole.Processes = first.report.Processes
	first.report = whole
	return first
}

// takeProcesses adds a piece's processes to those of the first one, and says which
// places its own have there.
func (b *builder) takeProcesses(of *builder) (places []int32) {
	places = make([]int32, len(of.report.Processes))
	for i := range of.report.Processes {
		p := &of.report.Processes[i]
		places[i] = b.process(p.IP, p.PID)
		if b != of {
			sum := &b.report.Processes[places[i]].Backlog
			*sum = plus(*sum, p.Backlog)
		}
	}
	return places
}

// take adds what a piece has. Its lists lie behind those of the report, with a
// gap where it has less than it might have had.
func (r *Report) take(p *Report, processes []int32) {
	pairs, rows, holders, own := int32(len(r.Pairs)), int32(r.rows), int32(len(r.holders)), int32(len(r.own))
	move := func(holder *int32) {
		if *holder != NoHolder {
			*holder = processes[*holder]
		}
	}
	for i := range p.holders {
		move(&p.holders[i])
	}
	for i := range p.own {
		for j := range p.own[i].rows {
			move(&p.own[i].rows[j].Holder)
		}
	}
	for i := range p.Pairs {
		p.Pairs[i].holders += holders
	}
	for i := range p.Details {
		d := &p.Details[i]
		d.Pair, d.First = d.Pair+pairs, d.First+rows
		if d.part == notInPart {
			d.entry += own
		}
	}
	r.Pairs, r.Details, r.Age, r.holders = append(r.Pairs, p.Pairs...), append(r.Details, p.Details...), append(r.Age, p.Age...), append(r.holders, p.holders...)
	r.own = append(r.own, p.own...)
	r.Groups = append(r.Groups, p.Groups...)
	r.rows += p.rows
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
