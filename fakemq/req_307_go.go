package fakemq

import "strconv"

// appendGoRunning writes what a Go client answers
// (ConsumerRunningInfo.Encode of rocketmq-client-go): other words in places,
// no tables of 5.x, a blank before "jstack" and the last brace.
func (c *Cluster) appendGoRunning(dst []byte, p *process) []byte {
	dst = append(dst, `{"properties":{`...)
	var l list
	for _, prop := range c.goProperties(p) {
		dst = append(l.next(dst), quote(prop.key)...)
		dst = append(dst, ':')
		dst = append(dst, quote(prop.value)...)
	}
	dst = append(dst, `},"statusTable":{`...)
	l = list{}
	for _, topic := range p.group.topics {
		dst = append(l.next(dst), quote(topic)...)
		dst = append(dst, `:{"pullRT":1,"pullTPS":1,"consumeRT":1,"consumeOKTPS":`...)
		dst = strconv.AppendFloat(dst, c.consumeRate(p, topic), 'f', -1, 64)
		dst = append(dst, `,"consumeFailedTPS":0,"consumeFailedMsgs":0}`...)
	}
	dst = append(dst, `},"subscriptionSet":[`...)
	l = list{}
	for _, topic := range p.group.topics {
		dst = append(l.next(dst), `{"classFilterMode":false,"topic":`...)
		dst = append(dst, quote(topic)...)
		dst = appendInt(dst, `,"subString":"*","tagsSet":[],"codeSet":[],"subVersion":`, p.group.subbedAt)
		dst = append(dst, `,"expressionType":"TAG"}`...)
	}
	dst = append(dst, `],"mqTable":{`...)
	l = list{}
	c.runningQueues(p, func(t *brokerTopic, id int, committed int64) {
		dst = append(l.next(dst), `{"topic":`...)
		dst = append(dst, t.quoted...)
		dst = append(dst, `,"brokerName":`...)
		dst = append(dst, t.broker.quoted...)
		dst = appendInt(dst, `,"queueId":`, int64(id))
		dst = c.appendGoQueue(append(dst, `}:`...), p, t, id, committed)
	})
	return append(dst, `}, "jstack":"" }`...)
}

// goProperties are the settings that a Go client tells.
func (c *Cluster) goProperties(p *process) []pair {
	return []pair{
		{"PROP_CONSUMEORDERLY", strconv.FormatBool(p.group.Orderly)},
		{"PROP_CONSUMER_START_TIMESTAMP", strconv.FormatInt(p.since, 10)},
		{"PROP_CONSUME_TYPE", p.group.consumeType()},
		{"PROP_NAMESERVER_ADDR", c.nameServers[0].Addr() + ";"},
		{"PROP_THREADPOOL_CORE_SIZE", "-1"},
	}
}

func (c *Cluster) appendGoQueue(dst []byte, p *process, t *brokerTopic, id int, committed int64) []byte {
	count, first, last := cached(t, id, committed)
	dst = appendInt(dst, `{"commitOffset":`, committed)
	dst = appendInt(dst, `,"cachedMsgMinOffset":`, first)
	dst = appendInt(dst, `,"cachedMsgMaxOffset":`, last)
	dst = appendInt(dst, `,"cachedMsgCount":`, count)
	dst = appendInt(dst, `,"cachedMsgSizeInMiB":`, count*messageBytes>>20)
	dst = append(dst, `,"transactionMsgMinOffset":0,"transactionMsgMaxOffset":0,"transactionMsgCount":0,"locked":true,"tryUnlockTimes":0`...)
	dst = appendInt(dst, `,"lastLockTimestamp":`, p.since)
	dst = append(dst, `,"dropped":false`...)
	dst = appendInt(dst, `,"lastPullTimestamp":`, c.now())
	dst = appendInt(dst, `,"lastConsumeTimestamp":`, c.now())
	return append(dst, '}')
}
