package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

// way is one way to learn something of a broker.
type way struct {
	name     string
	requests []remoting.Request
}

// ways are what the plan of docs/design.md chooses from.
func ways(seed realmq.Seed, topics, groups []string) []way {
	perTopic := func(code remoting.RequestCode) (list []remoting.Request) {
		for _, t := range topics {
			list = append(list, request(code, "topic", t))
		}
		return list
	}
	perGroup := func(code remoting.RequestCode) (list []remoting.Request) {
		for _, g := range groups {
			list = append(list, request(code, "consumerGroup", g))
		}
		return list
	}
	var pairs []remoting.Request
	for i, g := range groups {
		for _, t := range seed.GroupTopics(i) {
			pairs = append(pairs, request(remoting.QueryConsumeTimeSpan, "topic", t, "group", g))
		}
	}
	return []way{
		{"all commits (43)", []remoting.Request{request(remoting.GetAllConsumerOffset)}},
		{"all ends in one (208, topicList)", []remoting.Request{request(remoting.GetConsumeStats, "consumerGroup", "NO_SUCH_GROUP", "topicList", strings.Join(topics, ";"))}},
		{"ends by topic (202)", perTopic(remoting.GetTopicStatsInfo)},
		{"commits and ends by group (208)", perGroup(remoting.GetConsumeStats)},
		{"commits and ends, all groups (317)", []remoting.Request{request(remoting.GetBrokerConsumeStats, "isOrder", "false")}},
		{"who consumes, by topic (300)", perTopic(remoting.QueryTopicConsumeByWho)},
		{"ages, by topic and group (303)", pairs},
		{"who is online, by group (203)", perGroup(remoting.GetConsumerConnectionList)},
		{"topics (21)", []remoting.Request{request(remoting.GetAllTopicConfig)}},
		{"groups (201)", []remoting.Request{request(remoting.GetAllSubscriptionGroup)}},
		{"runtime (28)", []remoting.Request{request(remoting.GetBrokerRuntimeInfo)}},
	}
}

func request(code remoting.RequestCode, fields ...string) remoting.Request {
	r := remoting.Request{Code: code, Timeout: time.Minute}
	for i := 0; i < len(fields); i += 2 {
		r.Fields = append(r.Fields, remoting.Field{Key: fields[i], Value: fields[i+1]})
	}
	return r
}

// measureWays prints what each way costs, pipelined as the exporter does it.
func measureWays(ctx context.Context, mq *realmq.Cluster, seed realmq.Seed, repeat int) {
	var topics, groups []string
	for i := range seed.Topics {
		topics = append(topics, seed.Topic(i))
	}
	for i := range seed.Groups {
		groups = append(groups, seed.Group(i))
	}
	client := remoting.NewClient(remoting.Options{})
	defer client.Close()
	addr := mq.Brokers()[0].Addr()
	for _, w := range ways(seed, topics, groups) {
		var took []time.Duration
		bytes := 0
		for range repeat + 1 { // the first one warms
			began := time.Now()
			bytes = 0
			client.Pipeline(ctx, addr, len(w.requests),
				func(i int) remoting.Request { return w.requests[i] },
				func(_ int, resp remoting.Response, _ error) { bytes += len(resp.Body) })
			took = append(took, time.Since(began))
		}
		line(fmt.Sprintf("%-36s %5d requests %8.1f kB ", w.name, len(w.requests), float64(bytes)/1000), took[1:])
	}
}
