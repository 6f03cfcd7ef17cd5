package fakemq

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerConsumerRunning answers /consumer/consumerRunningInfo.query
// (ConsumerRunningInfo). The flag jstack must be there.
func answerConsumerRunning(x *call, dst []byte) ([]byte, error) {
	var params [3]string
	for i, name := range []string{"consumerGroup", "clientId", "jstack"} {
		kind := "String"
		if name == "jstack" {
			kind = "boolean"
		}
		var err error
		if params[i], err = x.need(name, kind); err != nil {
			return dst, err
		}
	}
	group, id, a := params[0], params[1], x.console.admin
	if a.release.two() {
		group = strings.TrimPrefix(group, sysPrefix)
	}
	if err := x.awaitClient(group, id); err != nil {
		return dst, err
	}
	a.mq.mu.RLock()
	defer a.mq.mu.RUnlock()
	p, err := a.client(group, id)
	if err != nil {
		return dst, err
	}
	return a.mq.appendConsoleRunning(dst, p, a.release), nil
}

// client finds a process (getConsumerRunningInfo).
func (a admin) client(group, id string) (*process, error) {
	brokers, err := a.topicRoute(retryTopic(group))
	if err != nil {
		return nil, err
	}
	n, err := brokers[0].reach()
	if err != nil {
		return nil, err
	}
	if g := a.mq.groups[group]; g != nil && g.onlineAt(n.broker) {
		if i := slices.IndexFunc(g.processes, func(p *process) bool { return p.ID == id }); i >= 0 {
			return g.processes[i], nil
		}
	}
	return nil, a.clientError("MQClientException", remoting.SystemError, notOnline(group, id))
}

// awaitClient waits until a process has answered, or in vain.
func (x *call) awaitClient(group, id string) error {
	a := x.console.admin
	a.mq.mu.RLock()
	p, err := a.client(group, id)
	var addr string
	if err == nil {
		addr = a.mq.topicParts(retryTopic(group))[0].broker.nodes[0].Addr()
	}
	a.mq.mu.RUnlock()
	timeout := a.adminTimeout()
	switch {
	case err != nil:
		return err
	case !p.Mute && p.AnswerAfter < timeout:
		if x.wait(p.AnswerAfter) {
			return nil
		}
	case x.wait(timeout):
		return javaError("org.apache.rocketmq.remoting.exception.RemotingTimeoutException: wait response on the channel <" +
			addr + "> timeout, " + strconv.FormatInt(timeout.Milliseconds(), 10) + "(ms)")
	}
	return x.r.Context().Err()
}

func (c *Cluster) appendConsoleRunning(dst []byte, p *process, r ConsoleRelease) []byte {
	dst = append(dst, `{"properties":{`...)
	var l list
	for _, prop := range c.properties(p) {
		dst = append(l.next(dst), quote(prop.key)...)
		dst = append(dst, ':')
		dst = append(dst, quote(prop.value)...)
	}
	dst = append(dst, `},"subscriptionSet":[`...)
	l = list{}
	for _, topic := range p.group.topics {
		dst = appendConsoleSubscription(l.next(dst), p.group, topic)
	}
	dst = append(dst, `],"mqTable":{`...)
	l = list{}
	c.runningQueues(p, func(t *brokerTopic, id int, committed int64) {
		dst = append(l.next(dst), javaQueue(t, id)...)
		dst = c.appendConsoleQueue(append(dst, ':'), p, t, id, committed)
	})
	dst = append(dst, '}')
	if r.two() {
		dst = append(dst, `,"mqPopTable":{`...)
		dst = c.appendPopped(dst, p, func(dst []byte, t *brokerTopic, id int) []byte {
			return append(append(dst, javaQueue(t, id)...), ':')
		})
		dst = append(dst, '}')
	}
	dst = append(dst, `,"statusTable":{`...)
	l = list{}
	for _, topic := range p.group.topics {
		dst = append(l.next(dst), quote(topic)...)
		dst = append(dst, `:{"pullRT":1.0,"pullTPS":1.0,"consumeRT":1.0,`...)
		dst = appendDouble(dst, `"consumeOKTPS":`, c.consumeRate(p, topic))
		dst = append(dst, `,"consumeFailedTPS":0.0,"consumeFailedMsgs":0}`...)
	}
	dst = append(dst, '}')
	if r.two() {
		dst = append(dst, `,"userConsumerInfo":{}`...)
	}
	if p.Language == "GO" {
		return append(dst, `,"jstack":""}`...)
	}
	return append(dst, `,"jstack":null}`...)
}

// appendConsoleQueue writes one ProcessQueueInfo as the console does.
func (c *Cluster) appendConsoleQueue(dst []byte, p *process, t *brokerTopic, id int, committed int64) []byte {
	count, first, last := cached(t, id, committed)
	dst = appendInt(dst, `{"commitOffset":`, committed)
	dst = appendInt(dst, `,"cachedMsgMinOffset":`, first)
	dst = appendInt(dst, `,"cachedMsgMaxOffset":`, last)
	dst = appendInt(dst, `,"cachedMsgCount":`, count)
	dst = appendInt(dst, `,"cachedMsgSizeInMiB":`, count*messageBytes>>20)
	dst = append(dst, `,"transactionMsgMinOffset":0,"transactionMsgMaxOffset":0,"transactionMsgCount":0,"locked":true,"tryUnlockTimes":0`...)
	dst = appendInt(dst, `,"lastLockTimestamp":`, p.since)
	dst = append(dst, `,"droped":false`...)
	dst = appendInt(dst, `,"lastPullTimestamp":`, c.now())
	dst = appendInt(dst, `,"lastConsumeTimestamp":`, c.now())
	return append(dst, '}')
}
