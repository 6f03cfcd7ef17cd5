package fakemq

import (
	"fmt"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerStats answers VIEW_BROKER_STATS_DATA (BrokerStatsData) for the numbers
// of topics, groups and the broker. The windows are taken from one rate: the
// fake keeps no samples of an hour or a day.
func answerStats(n *Node, req *remoting.Command, a *answer) {
	name, ok := need(req, a, "statsName")
	if !ok {
		return
	}
	key, ok := need(req, a, "statsKey")
	if !ok {
		return
	}
	total, rate, found := n.stats(name, key)
	if !found {
		a.refuse(remoting.SystemError, fmt.Sprintf("The stats <%s> <%s> not exist", name, key))
		return
	}
	// avgpt is the average per call: one message, or its size.
	unit := 1.0
	if strings.HasSuffix(name, "_SIZE") {
		unit = messageBytes
	}
	up := float64(max(1, n.broker.now()-n.broker.boot)) / 1000
	dst := a.begin("{")
	dst = appendStatsItem(dst, "statsDay", total, float64(total)/up, unit)
	dst = appendStatsItem(append(dst, ','), "statsHour", total, float64(total)/up, unit)
	dst = appendStatsItem(append(dst, ','), "statsMinute", int64(rate*60), rate, unit)
	a.end(dst, "}")
}

func appendStatsItem(dst []byte, key string, sum int64, perSecond, unit float64) []byte {
	dst = append(dst, '"')
	dst = append(dst, key...)
	dst = appendDouble(dst, `":{"avgpt":`, unit)
	dst = appendInt(dst, `,"sum":`, sum*int64(unit))
	dst = appendDouble(dst, `,"tps":`, perSecond*unit)
	return append(dst, '}')
}

// stats finds how many messages went where since the boot, and how many per
// second. As in RocketMQ there is nothing before the first.
func (n *Node) stats(name, key string) (total int64, rate float64, found bool) {
	b, now := n.broker, n.broker.now()
	switch name {
	case "TOPIC_PUT_NUMS", "TOPIC_PUT_SIZE":
		if t := b.topics[key]; t != nil && t.produced > 0 {
			return t.produced, t.putRate.perSecond(now), true
		}
	case "GROUP_GET_NUMS", "GROUP_GET_SIZE":
		topic, group, _ := strings.Cut(key, "@")
		if o := b.offsets[offsetKey{topic: topic, group: group}]; o != nil && o.got > 0 {
			return o.got, o.gotRate.perSecond(now), true
		}
	case "BROKER_PUT_NUMS":
		return b.put, b.putRate.perSecond(now), key == b.cluster && b.put > 0
	case "BROKER_GET_NUMS":
		return b.got, b.gotRate.perSecond(now), key == b.cluster && b.got > 0
	}
	return 0, 0, false
}
