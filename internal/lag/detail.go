package lag

import (
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Detail is a run of rows: those of one pair on one broker, and of one process
// where the group is broadcasting. There are many, so that what is elsewhere is
// not in it.
type Detail struct {
	Pair  int32 // index in Pairs
	First int32 // of its rows, of which there is one or more

	part, entry int32 // in the snapshot's Parts and its Commits; notInPart and in own
}

// Row is one queue as one process consumes it.
type Row struct {
	QueueID   int32
	Holder    int32 // index in Processes, or NoHolder
	Age       int32 // as Report.Age; NoAge where there are none
	Backlog   int64
	Committed int64 // model.Unknown where there is no commit
}

// ownRows are rows that no broker's commits tell.
type ownRows struct {
	broker string
	rows   []Row
}

// Rows is how many there are.
func (r *Report) Rows() int { return r.rows }

// PairOf is the pair of a detail.
func (r *Report) PairOf(d *Detail) *Pair { return &r.Pairs[d.Pair] }

// BrokerOf is the name of the broker of a detail.
func (r *Report) BrokerOf(d *Detail) string {
	if d.part == notInPart {
		return r.own[d.entry].broker
	}
	return r.Snapshot.Parts[d.part].Broker
}

// AppendRows appends the rows of a detail to a list, in the order of queue ids.
func (r *Report) AppendRows(list []Row, d *Detail) []Row {
	n := len(list)
	if d.part == notInPart {
		list = append(list, r.own[d.entry].rows...)
	} else {
		list = r.appendOfPart(list, d)
	}
	rows := list[n:]
	if len(r.Age) == 0 {
		for i := range rows {
			rows[i].Age = NoAge
		}
		return list
	}
	for i, age := range r.Age[d.First:][:len(rows)] {
		rows[i].Age = age
	}
	return list
}

func (r *Report) appendOfPart(list []Row, d *Detail) []Row {
	part := &r.Snapshot.Parts[d.part]
	c := &part.Commits[d.entry]
	t := &part.Topics[c.Topic]
	pair := &r.Pairs[d.Pair]
	holders := r.holders[pair.holders:]
	var owners owners
	owners.of(r, pair, part, c)
	list = slices.Grow(list, int(t.Queues))
	for id := range int(t.Queues) {
		committed, begin := part.Committed.At(int(c.First)+id), unknown
		if committed == unknown { // it matters
			begin = part.Begins.At(int(t.First) + id)
		}
		backlog, _ := backlogOf(begin, committed, part.Ends.At(int(t.First)+id))
		if backlog == unknown {
			continue
		}
		holder := NoHolder
		if client := owners.at(id); client != model.NoOwner {
			holder = holders[client]
		}
		list = append(list, Row{QueueID: int32(id), Holder: holder, Backlog: backlog, Committed: committed})
	}
	return list
}

// owners are the clients that hold the queues of an entry of a part: as the part
// says, or its group.
type owners struct {
	ofPart  *model.Owners // nil: the group says it
	first   int           // where they begin in ofPart
	ofGroup []int32       // by queue id, as far as it is known
}

// of has them be those of an entry. It writes fields: to copy a thing that was
// written field by field just before stops a processor until all that was to be
// written in front of it is, and there is one for each detail.
func (o *owners) of(r *Report, pair *Pair, part *model.PartOfRound, c *model.Commits) {
	if part.Owners == nil {
		o.ofPart, o.ofGroup = nil, r.ownersOf(pair, part.Broker)
		return
	}
	o.ofPart, o.first = part.Owners, int(c.First)
}

// at is who holds a queue of the entry, or model.NoOwner.
func (o *owners) at(id int) int32 {
	if o.ofPart != nil {
		return o.ofPart.At(o.first + id)
	}
	if id < len(o.ofGroup) {
		return o.ofGroup[id]
	}
	return model.NoOwner
}

// ownersOf are those that the group says, and no part. It is apart so that of,
// which is called for each detail of a scrape, can be inlined.
func (r *Report) ownersOf(pair *Pair, broker string) []int32 {
	return r.groups[pair.group].Owners[model.TopicOnBroker{Topic: pair.Topic, Broker: broker}]
}

// AddRows adds rows of a pair on a broker that are in no part of the snapshot, as
// those of a broadcasting process. Details are in the order of pairs, and ages of
// rows stand in Age.
func (r *Report) AddRows(pair int32, broker string, rows ...Row) {
	r.own = append(r.own, ownRows{broker, rows})
	r.addDetail(Detail{Pair: pair, part: notInPart, entry: int32(len(r.own) - 1)}, len(rows))
}

func (r *Report) addDetail(d Detail, rows int) {
	d.First = int32(r.rows)
	r.Details = append(r.Details, d)
	r.rows += rows
	r.Pairs[d.Pair].Rows += int32(rows)
}

// backlogOf is how many messages a group has still to consume in a queue, by the
// commit that a broker keeps, and from where on: Unknown where nobody can tell.
func backlogOf(begin, committed, end int64) (backlog, from int64) {
	switch {
	case end == unknown:
		return unknown, unknown
	case committed == unknown && end > 0 && begin != 0:
		// Where retention has moved the beginning nobody knows where the
		// group will start; counting from 0 would be a false full backlog.
		return unknown, unknown
	}
	from = max(committed, 0)
	return max(end-from, 0), from
}
