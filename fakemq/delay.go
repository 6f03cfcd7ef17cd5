package fakemq

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// delay is how far one delay level is on a broker.
type delay struct{ consumed, end int64 }

// Delay sets how far a broker is with the delayed messages of one level (1 to
// 18): how many are due and delivered, how many were stored.
func (c *Cluster) Delay(broker string, level int, consumed, end int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.byName[broker]
	if b == nil {
		return fmt.Errorf("delay: no broker %q", broker)
	}
	if level < 1 || level > 18 || consumed < 0 || end < consumed {
		return fmt.Errorf("delay on %q: level %d, %d of %d: allowed are levels 1 to 18 and no more consumed than stored", broker, level, consumed, end)
	}
	if b.delays == nil {
		b.delays = map[int]delay{}
	}
	b.delays[level] = delay{consumed, end}
	t := b.topics["SCHEDULE_TOPIC_XXXX"]
	t.append(level-1, end-t.max[level-1], b.now(), c.opts.Marks)
	return nil
}

func sortedLevels(delays map[int]delay) []int { return slices.Sorted(maps.Keys(delays)) }

// answerDelayOffsets answers GET_ALL_DELAY_OFFSET (DelayOffsetSerializeWrapper).
func answerDelayOffsets(n *Node, _ *remoting.Command, a *answer) {
	dst := a.begin("{")
	if n.release.five() {
		dst = appendVersion(dst, "dataVersion", dataVersion{at: n.broker.boot}, true)
	}
	dst = append(dst, `"offsetTable":{`...)
	var l list
	for _, level := range sortedLevels(n.broker.delays) {
		dst = strconv.AppendInt(l.next(dst), int64(level), 10)
		dst = appendInt(dst, ":", n.broker.delays[level].consumed)
	}
	a.end(dst, "}}")
}
