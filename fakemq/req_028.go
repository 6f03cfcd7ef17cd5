package fakemq

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// pair is one entry of a table of text.
type pair struct{ key, value string }

// answerRuntime answers GET_BROKER_RUNTIME_INFO (KVTable;
// AdminBrokerProcessor.prepareRuntimeInfo): every value is text.
func answerRuntime(n *Node, _ *remoting.Command, a *answer) {
	dst := a.begin(`{"table":`)
	a.body = append(n.appendRuntime(dst), '}')
}

// appendRuntime writes a node's runtime info.
func (n *Node) appendRuntime(dst []byte) []byte {
	now := n.broker.now()
	table := slices.Concat(n.runtimeTotals(now), n.runtimeStore(now), n.runtimeQueues())
	if n.release.five() {
		table = append(table, n.runtimeFive()...)
	}
	if !n.release.since(version540) {
		table = append(table, pair{"brokerVersion", strconv.Itoa(int(n.release.version()))})
	}
	for _, level := range sortedLevels(n.broker.delays) {
		d := n.broker.delays[level]
		if d.consumed == 0 && !n.release.five() {
			continue // 4.x knows a level once it has delivered something
		}
		table = append(table, pair{"scheduleMessageOffset_" + strconv.Itoa(level), fmt.Sprintf("%d,%d", d.consumed, d.end)})
	}
	dst = append(dst, '{')
	var l list
	for _, p := range n.overridden(table) {
		dst = append(l.next(dst), quote(p.key)...)
		dst = append(dst, ':')
		dst = append(dst, quote(p.value)...)
	}
	return append(dst, '}')
}

// SetRuntime makes a broker's node tell another value in its runtime info, also
// under a key that no release has.
func (n *Node) SetRuntime(key, value string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.runtime == nil {
		n.runtime = map[string]string{}
	}
	n.runtime[key] = value
	delete(n.hidden, key)
}

// HideRuntime takes a key out of a node's runtime info.
func (n *Node) HideRuntime(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hidden == nil {
		n.hidden = map[string]bool{}
	}
	n.hidden[key] = true
}

func (n *Node) overridden(table []pair) []pair {
	n.mu.Lock()
	defer n.mu.Unlock()
	for key, value := range n.runtime {
		if i := slices.IndexFunc(table, func(p pair) bool { return p.key == key }); i >= 0 {
			table[i].value = value
		} else {
			table = append(table, pair{key, value})
		}
	}
	return slices.DeleteFunc(table, func(p pair) bool { return n.hidden[p.key] })
}

func (n *Node) runtimeTotals(now int64) []pair {
	b := n.broker
	up := time.Duration(now-b.boot) * time.Millisecond
	runtime := fmt.Sprintf("[ %d days, %d hours, %d minutes, %d seconds ]",
		int(up.Hours())/24, int(up.Hours())%24, int(up.Minutes())%60, int(up.Seconds())%60)
	put, got := strconv.FormatInt(b.put, 10), strconv.FormatInt(b.got, 10)
	putTps, gotTps := triple(b.putRate.perSecond(now)), triple(b.gotRate.perSecond(now))
	transferred := "getTransferredTps"
	if !n.release.five() {
		transferred = "getTransferedTps" // 4.x spells it so
	}
	return []pair{
		{"brokerVersionDesc", n.release.desc()},
		{"bootTimestamp", strconv.FormatInt(b.boot, 10)},
		{"runtime", runtime},
		{"startAcceptSendRequestTimeStamp", "0"},
		{"msgPutTotalTodayNow", put}, {"msgPutTotalTodayMorning", "0"}, {"msgPutTotalYesterdayMorning", "0"},
		{"msgGetTotalTodayNow", got}, {"msgGetTotalTodayMorning", "0"}, {"msgGetTotalYesterdayMorning", "0"},
		{"putTps", putTps}, {"getFoundTps", gotTps}, {"getMissTps", triple(0)}, {"getTotalTps", gotTps}, {transferred, gotTps},
		{"putMessageTimesTotal", strconv.FormatInt(max(1, b.put), 10)},
		{"putMessageSizeTotal", strconv.FormatInt(b.bytes, 10)},
		{"putMessageAverageSize", averageSize(b)},
		{"putMessageEntireTimeMax", "3"}, {"getMessageEntireTimeMax", "2"}, {"putMessageFailedTimes", "0"},
		{"putLatency99", "0.99"}, {"putLatency999", "1.00"},
		{"putMessageDistributeTime", "[<=0ms]:" + put + " [0~10ms]:0 [10~50ms]:0 [50~100ms]:0 [100~200ms]:0 [200~500ms]:0 " +
			"[500ms~1s]:0 [1~2s]:0 [2~3s]:0 [3~4s]:0 [4~5s]:0 [5~10s]:0 [10s~]:0 "},
	}
}

// triple writes an average over 10 s, 1 min and 10 min.
func triple(v float64) string {
	s := string(appendDouble(nil, "", v))
	return s + " " + s + " " + s
}

func averageSize(b *broker) string {
	if b.put == 0 {
		return "0.0"
	}
	return string(appendDouble(nil, "", float64(b.bytes)/float64(b.put)))
}

func (n *Node) runtimeStore(now int64) []pair {
	b := n.broker
	const ratio = "0.25"
	return []pair{
		{"commitLogMinOffset", "0"},
		{"commitLogMaxOffset", strconv.FormatInt(n.logEnd(), 10)},
		{"commitLogDiskRatio", ratio},
		{"commitLogDiskRatio_/data/rocketmq/store/commitlog", ratio},
		{"consumeQueueDiskRatio", ratio},
		{"commitLogDirCapacity", "Total : 252.0 GiB, Free : 189.0 GiB."},
		{"earliestMessageTimeStamp", strconv.FormatInt(b.earliest(now), 10)},
		{"dispatchBehindBytes", "0"}, {"dispatchMaxBuffer", "0"}, {"pageCacheLockTimeMills", "0"},
		{"remainTransientStoreBufferNumbs", "2147483647"}, // no pool
		{"remainHowManyDataToFlush", "0 B"},
	}
}

// earliest is when the broker stored the oldest message that it still has; now
// where it has none.
func (b *broker) earliest(now int64) int64 {
	oldest := now
	for _, t := range b.topicSeq {
		for id := range t.stored {
			if t.min[id] < t.max[id] {
				if at := t.stored[id].at(t.min[id]); at >= 0 {
					oldest = min(oldest, at)
				}
			}
		}
	}
	return oldest
}

func (n *Node) runtimeQueues() []pair {
	queues := []struct{ name, capacity string }{{"send", "10000"}, {"pull", "100000"}, {"query", "20000"}}
	if n.release.five() {
		queues = append(queues, struct{ name, capacity string }{"litePull", "100000"})
	}
	if n.release.since(version532) {
		queues = append(queues, struct{ name, capacity string }{"ack", "100000"})
	}
	table := make([]pair, 0, 2+3*len(queues))
	table = append(table, pair{"EndTransactionQueueSize", "0"}, pair{"EndTransactionThreadPoolQueueCapacity", "100000"})
	for _, q := range queues {
		table = append(table, pair{q.name + "ThreadPoolQueueSize", "0"},
			pair{q.name + "ThreadPoolQueueCapacity", q.capacity},
			pair{q.name + "ThreadPoolQueueHeadWaitTimeMills", "0"})
	}
	return table
}

// runtimeFive are the keys that 5.x has besides.
func (n *Node) runtimeFive() []pair {
	return []pair{
		{"brokerActive", strconv.FormatBool(n.id == remoting.MasterID)},
		{"timerReadBehind", "0"}, {"timerOffsetBehind", "0"}, {"timerCongestNum", strconv.FormatInt(n.broker.pending(), 10)},
		{"timerEnqueueTps", "0.0"}, {"timerDequeueTps", "0.0"},
	}
}
