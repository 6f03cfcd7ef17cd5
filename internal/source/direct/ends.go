package direct

import (
	"errors"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// probeGroup is the group in whose name the bulk request for ends is sent. It
// must not exist, so that the answer holds ends and no commits; asking does not
// create it (tried on 4.9.7, 5.3.3, 5.4.0 and 5.5.0).
const probeGroup = "ROCKETMQ_EXPORTER_NO_SUCH_GROUP"

// chunkQueues is about how many queues one bulk answer holds: some 140 bytes
// each, so 140 kB. A broker spends two milliseconds of a thread on it, and puts
// the next one together while this one is read.
const chunkQueues = 1024

// readEndsAndGroups asks for the ends of the topics in the broker's commits
// and, on the same pipeline, who is online in some groups.
func (w *reading) readEndsAndGroups(groups []*group) {
	topics := w.build.wantedTopics()
	if w.proc.bulk == ignores {
		w.readTopicStats(topics, groups)
		return
	}
	w.readEndsInBulk(topics, groups)
	// What the bulk request did not bring is asked for topic by topic. If
	// the topics are there, the process does not know the request. If not,
	// they were deleted a moment ago and nothing is proven.
	rest := w.build.wantedTopics()
	w.readTopicStats(rest, nil)
	w.learnBulk(rest)
}

// learnBulk learns from topics whose ends the bulk request did not bring and
// another one did.
func (w *reading) learnBulk(topics []*topic) {
	if w.proc.bulk == untried && !w.denied && slices.ContainsFunc(topics, func(t *topic) bool { return t.state == read }) {
		w.proc.bulk = ignores
	}
}

// readDraining asks for the ends of queues that are only read any more, before
// a topic is made smaller or deleted: before 5.3.0 a topic's stats list write
// queues alone, which may be none. From the topic in the first slot on: those
// before it have been asked for. A process that answers the bulk request has told
// all queues that it knows of.
func (w *reading) readDraining(first int) {
	if w.proc.bulk == answers {
		return
	}
	topics := slices.DeleteFunc(w.build.halfTold(), func(t *topic) bool { return int(t.slot) < first })
	w.src.client.Pipeline(w.ctx, w.proc.addr, len(topics),
		func(i int) remoting.Request { return endsRequest(topics[i].name) },
		func(i int, resp remoting.Response, err error) {
			if err == nil {
				err = w.named(remoting.DecodeConsumeStats(resp.Body, func(q *remoting.MessageQueue, o *remoting.ConsumeOffset) {
					w.build.setEnd(q, o.BrokerOffset)
				}))
			}
			if err != nil {
				w.fail(w.broker.cluster.name, w.proc.addr, remoting.GetConsumeStats, err)
				topics[i].state = missing
			}
		})
	w.learnBulk(topics)
}

// endsRequest asks for the ends of the queues of one topic that are read.
func endsRequest(topic string) remoting.Request {
	return remoting.Request{Code: remoting.GetConsumeStats, Fields: []remoting.Field{
		{Key: "consumerGroup", Value: probeGroup},
		{Key: "topic", Value: topic},
	}}
}

// readEndsInBulk sends GET_CONSUME_STATS with a group that does not exist and a
// list of topics: since 5.3.2 the answer has the end of every queue of each, and
// no message file is touched for it (AdminBrokerProcessor.getConsumeStats).
// Before, the list is ignored and the answer is empty.
func (w *reading) readEndsInBulk(topics []*topic, groups []*group) {
	chunks := chunk(topics)
	w.src.client.Pipeline(w.ctx, w.proc.addr, len(chunks)+len(groups),
		func(i int) remoting.Request {
			if i < len(chunks) {
				return bulkRequest(chunks[i])
			}
			return connectionsRequest(groups[i-len(chunks)])
		},
		func(i int, resp remoting.Response, err error) {
			if i < len(chunks) {
				w.takeBulk(chunks[i], resp.Body, err)
				return
			}
			w.takeConnections(groups[i-len(chunks)], resp.Body, err)
		})
}

func chunk(topics []*topic) [][]*topic {
	var chunks [][]*topic
	first, queues := 0, 0
	for i, t := range topics {
		if queues += int(t.queues); queues >= chunkQueues || i == len(topics)-1 {
			chunks = append(chunks, topics[first:i+1])
			first, queues = i+1, 0
		}
	}
	return chunks
}

func bulkRequest(topics []*topic) remoting.Request {
	var list strings.Builder
	size := 0
	for _, t := range topics {
		size += len(t.name) + 1
	}
	list.Grow(size)
	for i, t := range topics {
		if i > 0 {
			list.WriteByte(';')
		}
		list.WriteString(t.name)
	}
	return remoting.Request{Code: remoting.GetConsumeStats, Fields: []remoting.Field{
		{Key: "consumerGroup", Value: probeGroup},
		{Key: "topicList", Value: list.String()},
	}}
}

// takeBulk reads one answer to the bulk request. Topics that the broker left
// out are gone. An answer without any queue, and a refusal, leave the topics
// wanted: maybe the process does not know the list.
func (w *reading) takeBulk(topics []*topic, body []byte, err error) {
	queues := 0
	if err == nil {
		err = w.named(remoting.DecodeConsumeStats(body, func(q *remoting.MessageQueue, o *remoting.ConsumeOffset) {
			queues++
			w.build.setEnd(q, o.BrokerOffset)
		}))
	}
	if err != nil {
		w.fail(w.broker.cluster.name, w.proc.addr, remoting.GetConsumeStats, err)
	}
	var refused *remoting.ResponseError
	switch {
	case isDenied(err):
		w.denied = true
	case errors.As(err, &refused) && remoting.Reason(err) != "busy":
	case err != nil:
		setState(topics, missing)
	case queues > 0:
		w.proc.bulk = answers
		for _, t := range topics {
			if t.state == wanted {
				t.state = gone
			}
		}
	}
}

// readTopicStats asks for the ends, and with them the beginnings, topic by
// topic.
func (w *reading) readTopicStats(topics []*topic, groups []*group) {
	w.src.client.Pipeline(w.ctx, w.proc.addr, len(topics)+len(groups),
		func(i int) remoting.Request {
			if i < len(topics) {
				return statsRequest(topics[i].name)
			}
			return connectionsRequest(groups[i-len(topics)])
		},
		func(i int, resp remoting.Response, err error) {
			if i < len(topics) {
				w.takeTopicStats(topics[i], resp.Body, err)
				return
			}
			w.takeConnections(groups[i-len(topics)], resp.Body, err)
		})
}

func statsRequest(topic string) remoting.Request {
	return remoting.Request{
		Code:   remoting.GetTopicStatsInfo,
		Fields: []remoting.Field{{Key: "topic", Value: topic}},
	}
}

func (w *reading) takeTopicStats(t *topic, body []byte, err error) {
	if err == nil {
		err = w.named(remoting.DecodeTopicStats(body, w.build.setSpan))
	}
	switch {
	case isNotFound(err):
		t.state = gone
	case err != nil:
		w.fail(w.broker.cluster.name, w.proc.addr, remoting.GetTopicStatsInfo, err)
		t.state = missing
	case t.state == wanted:
		t.state = bare
	}
}

func isNotFound(err error) bool {
	refused, ok := errors.AsType[*remoting.ResponseError](err)
	return ok && refused.Code == remoting.TopicNotExist
}

func setState(topics []*topic, s topicState) {
	for _, t := range topics {
		t.state = s
	}
}

// readBeginnings asks for the beginnings of those few queues for which they
// decide whether a missing commit counts.
func (w *reading) readBeginnings() {
	topics := w.build.undecided()
	if w.proc.bulk == ignores {
		return // what it has to tell of them came with the ends
	}
	w.src.client.Pipeline(w.ctx, w.proc.addr, len(topics),
		func(i int) remoting.Request { return statsRequest(topics[i].name) },
		func(i int, resp remoting.Response, err error) {
			if err == nil {
				err = w.named(remoting.DecodeTopicStats(resp.Body, w.build.setBegin))
			}
			if err != nil {
				w.build.forgetBegins(topics[i]) // of a garbled answer
			}
			if err != nil && !isNotFound(err) {
				w.fail(w.broker.cluster.name, w.proc.addr, remoting.GetTopicStatsInfo, err)
			}
		})
}

// readBroadcastEnds asks for the ends of topics that broadcasting groups
// consume: their commits are not at the brokers, so nothing else asked.
func (r *round) readBroadcastEnds() {
	broadcasting := make(map[*cluster][]*group)
	for _, c := range r.src.clusters {
		for _, g := range c.sortedGroups() {
			if g.broadcasts() {
				broadcasting[c] = append(broadcasting[c], g)
			}
		}
	}
	source.Each(r.src.opts.Parallel, r.sources, func(w *reading) {
		groups := broadcasting[w.broker.cluster]
		if w.build.err != nil || len(groups) == 0 {
			return
		}
		first := len(w.build.topics)
		for _, g := range groups {
			for _, name := range g.topics {
				if t := w.broker.known.topicNamed(name); t != nil && t.state == unused && w.build.fits(t) {
					w.build.want(t)
				}
			}
		}
		if len(w.build.wantedTopics()) > 0 {
			w.readEndsAndGroups(nil)
			w.readDraining(first)
		}
	})
}
