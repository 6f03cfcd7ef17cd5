package direct

import (
	"context"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// statsList is topics whose stats a process is asked for behind a round. There are
// as many as the broker has topics when it is met first: so what is to be sent is
// made when it is, and what was told waits for the next round in few bytes.
type statsList struct {
	addr   string
	now    func() time.Time
	topics []statsTopic
}

type statsTopic struct {
	name   string
	queues int32
}

// toldTopics are the stats of topics as answers told them, in the order of those.
type toldTopics struct {
	list   []toldTopic
	values model.Offsets
}

type toldTopic struct {
	name   string
	at     model.Stamp
	stored int64
	first  int32 // of statsLists values for each queue, as topicStats has them
	queues int32
}

// add adds what was told of one topic.
func (l *toldTopics) add(name string, s *topicStats) {
	l.list = append(l.list, toldTopic{name, s.at, s.stored, int32(l.values.Len()), int32(len(s.values) / statsLists)})
	l.values.Append(s.values...)
}

// at are the stats that were told at a place.
func (l *toldTopics) at(i int) topicStats {
	t := &l.list[i]
	return topicStats{l.values.AppendTo(nil, int(t.first), statsLists*int(t.queues)), t.stored, t.at}
}

// stats asks for the stats of topics, one after the other.
func (r *errandRun) stats(ctx context.Context, list *statsList) {
	for i := range list.topics {
		t := &list.topics[i]
		var s topicStats
		told := r.tell(ctx, list, t, statsRequest(t.name), func(body []byte) (err error) {
			s, err = readStats(body, int(t.queues), list.now())
			return err
		})
		if told && s.lacksEnd() { // of a queue that is only read any more
			told = r.tell(ctx, list, t, endsRequest(t.name), s.readEnds)
		}
		if told {
			r.takeTold(t.name, &s)
		}
	}
}

// tell asks one question about a topic, and says whether the answer could be read.
func (r *errandRun) tell(ctx context.Context, list *statsList, t *statsTopic, request remoting.Request, read func(body []byte) error) (told bool) {
	r.ask(ctx, list.addr, request, func(body []byte, err error) {
		if err == nil {
			err = bodyOf(list.addr, read(body))
		}
		if told = err == nil; !told {
			addr, name := list.addr, t.name
			r.find(func(w *reading) { w.takeStats(addr, name, request.Code, topicStats{}, err) })
		}
	})
	return told
}

func (e *errands) takeTold(name string, s *topicStats) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told.add(name, s)
}

// takeTold takes the stats that were told behind earlier rounds.
func (w *reading) takeTold(told *toldTopics) {
	for i := range told.list {
		w.takeStats(w.proc.addr, told.list[i].name, remoting.GetTopicStatsInfo, told.at(i), nil)
	}
}
