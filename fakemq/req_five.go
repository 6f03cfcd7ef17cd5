package fakemq

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// answerTimerMetrics answers GET_TIMER_METRICS (TimerMetricsSerializeWrapper).
func answerTimerMetrics(n *Node, _ *remoting.Command, a *answer) {
	dst := appendVersion(append(a.body, '{'), "dataVersion", dataVersion{at: n.broker.boot}, true)
	dst = append(dst, `"timingCount":{`...)
	var l list
	for _, topic := range sortedKeys(n.broker.timers) {
		dst = append(l.next(dst), quote(topic)...)
		dst = appendInt(dst, `:{"count":`, n.broker.timers[topic])
		dst = appendInt(dst, `,"timeStamp":`, n.broker.now())
		dst = append(dst, '}')
	}
	a.end(dst, "}}")
}

// SetTimer says how many messages of a topic with a delivery time of their own
// wait in a broker's timer wheel. Brokers of 4.x have none.
func (c *Cluster) SetTimer(broker, topic string, pending int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.byName[broker]
	if b == nil || b.topics[topic] == nil || !b.release.five() || pending < 0 {
		return fmt.Errorf("timer of topic %q on broker %q: %d messages: no such broker of 5.x or topic, or less than none", topic, broker, pending)
	}
	if b.timers == nil {
		b.timers = map[string]int64{}
	}
	b.timers[topic] = pending
	return nil
}

// pending is how many messages wait in the timer wheel.
func (b *broker) pending() int64 {
	var n int64
	for _, more := range b.timers {
		n += more
	}
	return n
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
