package fakemq

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// waitForClient waits for a process as long as it takes to answer a broker that
// relays GET_CONSUMER_RUNNING_INFO. It says whether there is more to answer.
func (n *Node) waitForClient(req *remoting.Command, a *answer) bool {
	n.mq.mu.RLock()
	p := n.client(req)
	timeout := n.mq.opts.ClientTimeout
	n.mq.mu.RUnlock()
	switch {
	case p == nil:
		return true
	case !p.Mute && p.AnswerAfter < timeout:
		if p.AnswerAfter > 0 && !wait(a.stopped, p.AnswerAfter) {
			a.abandoned = true
		}
		return !a.abandoned
	case !wait(a.stopped, timeout):
		a.abandoned = true
		return false
	}
	a.refuse(remoting.ConsumeMsgTimeout, fmt.Sprintf(
		"consumer <%s> <%s> Timeout: RemotingTimeoutException, wait response on the channel <%s> timeout, %d(ms)",
		p.group.name, p.ID, p.Addr, timeout.Milliseconds()))
	return false
}

// client finds the process that a request names.
func (n *Node) client(req *remoting.Command) *process {
	group, _ := req.Field("consumerGroup")
	id, _ := req.Field("clientId")
	g := n.mq.groups[group]
	if g == nil || !g.onlineAt(n.broker) {
		return nil
	}
	if i := slices.IndexFunc(g.processes, func(p *process) bool { return p.ID == id }); i >= 0 {
		return g.processes[i]
	}
	return nil
}

// answerRunningInfo answers GET_CONSUMER_RUNNING_INFO (ConsumerRunningInfo): a
// process's queues on all brokers.
func answerRunningInfo(n *Node, req *remoting.Command, a *answer) {
	group, ok := need(req, a, "consumerGroup")
	if !ok {
		return
	}
	id, ok := need(req, a, "clientId")
	if !ok {
		return
	}
	p := n.client(req)
	if p == nil {
		a.refuse(remoting.SystemError, notOnline(group, id))
		return
	}
	// Every answer that comes from a client carries this remark.
	a.remark = "not set any response code"
	if p.Language == "GO" {
		a.body = n.mq.appendGoRunning(a.body, p)
		return
	}
	a.body = n.mq.appendJavaRunning(a.body, p)
}

// notOnline are a broker's words for a process that it does not know.
func notOnline(group, id string) string {
	return fmt.Sprintf("The Consumer <%s> <%s> not online", group, id)
}

// runningQueues calls queue for each queue that a process consumes, with the
// process's commit.
func (c *Cluster) runningQueues(p *process, queue func(t *brokerTopic, id int, committed int64)) {
	for _, topic := range p.group.topics {
		if p.group.broadcasting() {
			for _, t := range c.topicParts(topic) {
				for id, at := range p.local[t][:t.read] {
					queue(t, id, at)
				}
			}
			continue
		}
		c.allocate(p.group, topic).held(p, func(t *brokerTopic, id int) {
			committed := int64(never)
			if o := t.broker.offsets[offsetKey{topic: topic, group: p.group.name}]; o != nil {
				committed = o.committed[id]
			}
			queue(t, id, committed)
		})
	}
}

func (c *Cluster) appendJavaRunning(dst []byte, p *process) []byte {
	five := p.Version >= firstOfFive
	dst = append(dst, '{')
	if five {
		dst = append(dst, `"mqPopTable":{`...)
		dst = append(c.appendPopped(dst, p, appendQueueKey), "},"...)
	}
	dst = append(dst, `"mqTable":{`...)
	var l list
	c.runningQueues(p, func(t *brokerTopic, id int, committed int64) {
		dst = appendQueueKey(l.next(dst), t, id)
		dst = c.appendJavaQueue(dst, p, t, id, committed)
	})
	dst = append(dst, `},"properties":{`...)
	l = list{}
	for _, prop := range c.javaProperties(p, five) {
		dst = append(l.next(dst), quote(prop.key)...)
		dst = append(dst, ':')
		dst = append(dst, quote(prop.value)...)
	}
	dst = append(dst, `},"statusTable":{`...)
	l = list{}
	for _, topic := range p.group.topics {
		dst = append(l.next(dst), quote(topic)...)
		dst = append(dst, `:{"consumeFailedMsgs":0,"consumeFailedTPS":0.0,`...)
		dst = appendDouble(dst, `"consumeOKTPS":`, c.consumeRate(p, topic))
		dst = append(dst, `,"consumeRT":1.0,"pullRT":1.0,"pullTPS":1.0}`...)
	}
	dst = append(dst, `},"subscriptionSet":[`...)
	l = list{}
	for _, topic := range p.group.topics {
		dst = appendSubscription(l.next(dst), p.group, topic)
	}
	dst = append(dst, ']')
	if five {
		dst = append(dst, `,"userConsumerInfo":{}`...)
	}
	return append(dst, '}')
}

// maxCached is how many messages of a queue a push consumer fetches ahead
// (pullThresholdForQueue).
const maxCached = 1000

// cached is what a process has fetched of a queue and not consumed: how many,
// the first and the last.
func cached(t *brokerTopic, id int, committed int64) (count, first, last int64) {
	if committed == never || committed >= t.max[id] {
		return 0, 0, 0
	}
	first = max(committed, t.min[id])
	last = min(t.max[id]-1, first+maxCached-1)
	return last - first + 1, first, last
}

func (c *Cluster) appendJavaQueue(dst []byte, p *process, t *brokerTopic, id int, committed int64) []byte {
	count, first, last := cached(t, id, committed)
	dst = appendInt(dst, `{"cachedMsgCount":`, count)
	dst = appendInt(dst, `,"cachedMsgMaxOffset":`, last)
	dst = appendInt(dst, `,"cachedMsgMinOffset":`, first)
	dst = appendInt(dst, `,"cachedMsgSizeInMiB":`, count*messageBytes>>20)
	dst = appendInt(dst, `,"commitOffset":`, committed)
	dst = append(dst, `,"droped":false`...)
	dst = appendInt(dst, `,"lastConsumeTimestamp":`, c.now())
	dst = appendInt(dst, `,"lastLockTimestamp":`, p.since)
	dst = appendInt(dst, `,"lastPullTimestamp":`, c.now())
	return append(dst, `,"locked":true,"transactionMsgCount":0,"transactionMsgMaxOffset":0,"transactionMsgMinOffset":0,"tryUnlockTimes":0}`...)
}

// javaProperties are those of a process's settings that observers look at.
func (c *Cluster) javaProperties(p *process, five bool) []pair {
	props := []pair{
		{"PROP_CLIENT_VERSION", versionDesc(p.Version)},
		{"PROP_CONSUMEORDERLY", strconv.FormatBool(p.group.Orderly)},
		{"PROP_CONSUMER_START_TIMESTAMP", strconv.FormatInt(p.since, 10)},
		{"PROP_CONSUME_TYPE", p.group.consumeType()},
		{"PROP_NAMESERVER_ADDR", c.nameServers[0].Addr() + ";"},
		{"PROP_THREADPOOL_CORE_SIZE", "20"},
		{"allocateMessageQueueStrategy", "org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely@2e400893"},
		{"consumeFromWhere", p.group.fromWhere()},
		{"consumeMessageBatchMaxSize", "1"},
		{"consumeThreadMax", "20"},
		{"consumeThreadMin", "20"},
		{"consumerGroup", p.group.name},
		{"maxReconsumeTimes", "-1"},
		{"messageModel", p.group.model()},
		{"pullBatchSize", "32"},
		{"pullThresholdForQueue", strconv.Itoa(maxCached)},
		{"subscription", "{}"},
		{"unitMode", strconv.FormatBool(p.Unit != "")},
	}
	if five {
		props = append(props, pair{"clientRebalance", "true"}, pair{"language", p.Language},
			pair{"persistConsumerOffsetInterval", "5000"}, pair{"useTLS", "false"})
	}
	return props
}

// properties are a process's settings in whichever words.
func (c *Cluster) properties(p *process) []pair {
	if p.Language == "GO" {
		return c.goProperties(p)
	}
	return c.javaProperties(p, p.Version >= firstOfFive)
}

// consumeRate is a process's share of what its group consumes of a topic.
func (c *Cluster) consumeRate(p *process, topic string) float64 {
	var rate float64
	for _, t := range c.topicParts(topic) {
		if o := t.broker.offsets[offsetKey{topic, p.group.name, p.group.broadcasting()}]; o != nil {
			rate += o.gotRate.perSecond(t.broker.now())
		}
	}
	return rate / float64(len(p.group.processes))
}

// versionDesc writes a version ordinal as MQVersion.getVersionDesc does.
func versionDesc(v int32) string {
	base, major := int32(213), 4
	if v >= 412 {
		base, major = 413, 5
	}
	suffix := ""
	if v%2 == 0 {
		v++
		suffix = "_SNAPSHOT"
	}
	return fmt.Sprintf("V%d_%d_%d%s", major, (v-base)/20, (v-base)%20/2, suffix)
}
