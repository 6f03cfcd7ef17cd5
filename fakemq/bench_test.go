package fakemq

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// large is one broker with topics of eight queues, each consumed by two groups.
func large(b *testing.B, topics int) *Cluster {
	b.Helper()
	mq := start(b, Options{})
	for i := range topics {
		name := fmt.Sprintf("topic-%d", i)
		must(b, mq.AddTopic(Topic{Name: name, Queues: 8, Begin: 1_000_000}))
		for j := range 2 {
			group := fmt.Sprintf("group-%d-%d", i, j)
			must(b, mq.AddGroup(Group{Name: group, Topics: []string{name}}))
			for q := range 8 {
				must(b, mq.Commit(group, name, "broker-a", q, 999_000))
			}
		}
	}
	return mq
}

// BenchmarkAnswers measures making one answer, without the network, about 1000
// topics of 8 queues and 16,000 commits.
func BenchmarkAnswers(b *testing.B) {
	mq := large(b, 1000)
	n := mq.Broker("broker-a")
	topics := make([]string, 1000)
	for i := range topics {
		topics[i] = fmt.Sprintf("topic-%d", i)
	}
	for _, req := range []*remoting.Command{
		request(21), request(43), request(201), request(202, "topic", "topic-7"),
		request(208, "consumerGroup", "none", "topicList", strings.Join(topics, ";")), request(208, "consumerGroup", "group-7-0"),
	} {
		b.Run(fmt.Sprintf("%d-%d-fields", req.Code, len(req.Fields)), func(b *testing.B) {
			b.ReportAllocs()
			var body []byte
			for b.Loop() {
				a := answer{body: body[:0]}
				n.answer(req, &a)
				body = a.body
			}
			b.ReportMetric(float64(len(body)), "bytes/answer")
		})
	}
}
