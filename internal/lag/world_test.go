package lag_test

import (
	"fmt"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

const unknown = model.Unknown

// world is a snapshot in the making.
type world struct{ model.Snapshot }

// topic adds a topic to a broker's part. Begins of nil are unknown.
func (w *world) topic(broker, name string, begins, ends []int64) {
	p := w.part(broker)
	if begins == nil {
		begins = slices.Repeat([]int64{unknown}, len(ends))
	}
	p.Topics = append(p.Topics, model.Topic{Name: name, First: int32(p.Ends.Len()), Queues: int32(len(ends))})
	p.Ends.Append(ends...)
	p.Begins.Append(begins...)
}

// commit adds what a group committed on a topic of a broker.
func (w *world) commit(broker, topic, group string, committed ...int64) {
	p := w.part(broker)
	i := slices.IndexFunc(p.Topics, func(t model.Topic) bool { return t.Name == topic })
	p.Commits = append(p.Commits, model.Commits{Group: groupIn(p.Part, group), Topic: int32(i), First: int32(p.Committed.Len())})
	p.Committed.Append(committed...)
}

// groupIn is the place of a group among a part's, where it is put if need be.
func groupIn(p *model.Part, name string) int32 {
	if i := slices.Index(p.Groups, name); i >= 0 {
		return int32(i)
	}
	p.Groups = append(p.Groups, name)
	return int32(len(p.Groups) - 1)
}

func (w *world) part(broker string) *model.PartOfRound {
	i := slices.IndexFunc(w.Parts, func(p model.PartOfRound) bool { return p.Broker == broker })
	if i < 0 {
		i = len(w.Parts)
		w.Parts = append(w.Parts, model.PartOfRound{Part: &model.Part{Broker: broker}})
	}
	return &w.Parts[i]
}

// offline adds a group of which brokers say that nobody is online.
func (w *world) offline(name, messageModel string) *model.Group {
	g := &model.Group{Name: name, Model: messageModel, Known: true}
	w.Groups = append(w.Groups, g)
	return g
}

// online adds a clustering group whose clients subscribe topics.
func (w *world) online(name string, topics []string, ids ...string) *model.Group {
	g := w.offline(name, model.Clustering)
	g.Topics = model.TopicSetOf(slices.Clone(topics)...)
	for _, id := range ids {
		c := model.Client{ID: id}
		c.IP, c.PID = model.SplitClientID(id)
		g.Clients = append(g.Clients, c)
	}
	g.Owners = make(map[model.TopicOnBroker][]int32)
	return g
}

func own(g *model.Group, topic, broker string, clients ...int32) {
	g.Owners[model.TopicOnBroker{Topic: topic, Broker: broker}] = clients
}

// local adds the commits of one process of a broadcasting group.
func local(g *model.Group, client int, topic, broker string, committed, ends []int64) {
	g.Model = model.Broadcasting
	g.Local = append(g.Local, model.LocalCommits{
		TopicOnBroker: model.TopicOnBroker{Topic: topic, Broker: broker},
		Client:        client, Committed: committed, Ends: ends,
	})
}

// rows writes a report's rows as lines: group, topic, broker/queue, process,
// backlog.
func rows(r *lag.Report) []string {
	var lines []string
	for _, d := range r.Details {
		pair := r.PairOf(&d)
		for _, row := range r.AppendRows(nil, &d) {
			process := "-"
			if h := row.Holder; h != lag.NoHolder {
				process = r.Processes[h].IP + ":" + r.Processes[h].PID
			}
			lines = append(lines, fmt.Sprintf("%s %s %s/%d %s = %d", pair.Group, pair.Topic, r.BrokerOf(&d), row.QueueID, process, row.Backlog))
		}
	}
	return lines
}
