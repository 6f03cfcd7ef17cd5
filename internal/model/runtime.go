package model

import "time"

// Runtime is what a broker process told of itself (GET_BROKER_RUNTIME_INFO), in
// base units. Every value stands alone: one that was not told, or makes no
// sense, is missing and costs no other.
type Runtime struct {
	Taken time.Time
	// Clock is what the broker's own clock showed at Taken, to the second
	// (bootTimestamp and runtime); zero where it did not tell.
	Clock time.Time
	// Values are by key; a key that is not in it was not told.
	Values map[RuntimeKey]float64
	// Pools are the thread pools with a queue in front of them.
	Pools []ThreadPool
	// Delays are the backlogs of the delay levels in use, in their order.
	Delays []DelayLevel
}

// RuntimeKey names one value of a Runtime.
type RuntimeKey uint8

// The values of a Runtime. Times are in seconds since 1970, durations in
// seconds, sizes and places in the commit log in bytes; what is counted is
// counted since the broker's start. In brackets stand RocketMQ's keys.
const (
	RuntimeBoot             RuntimeKey = iota // start of the broker's store (bootTimestamp)
	RuntimeActive                             // 1 if it does a master's work, else 0 (brokerActive, 5.0 and later)
	RuntimePutMessages                        // messages stored (msgPutTotalTodayNow)
	RuntimeGetMessages                        // messages given to consumers (msgGetTotalTodayNow)
	RuntimePutBytes                           // their size in the commit log (putMessageSizeTotal)
	RuntimePutFailures                        // messages that could not be stored (putMessageFailedTimes, 4.9.4 and later)
	RuntimePutLatency99                       // 99th percentile of storing one, of the last minute (putLatency99, 4.9.4 and later)
	RuntimePutLatency999                      // 99.9th (putLatency999)
	RuntimePageCacheLock                      // how long the lock for storing has been held (pageCacheLockTimeMills)
	RuntimeCommitLogMin                       // where the commit log begins (commitLogMinOffset)
	RuntimeCommitLogMax                       // where it ends (commitLogMaxOffset)
	RuntimeEarliestMessage                    // store time of the oldest message (earliestMessageTimeStamp)
	RuntimeDispatchBehind                     // part of the commit log that no queue shows yet (dispatchBehindBytes)
	RuntimeCommitBehind                       // part not committed yet (remainHowManyDataToCommit, with a transient store pool)
	RuntimeFlushBehind                        // part not flushed yet, to a tenth of its unit (remainHowManyDataToFlush)
	RuntimeTransientBuffers                   // free buffers of the transient store pool (remainTransientStoreBufferNumbs)
	RuntimeCommitLogDisk                      // used share of the commit log's disk, 0 to 1 (commitLogDiskRatio)
	RuntimeConsumeQueueDisk                   // used share of the consume queues' disk, 0 to 1 (consumeQueueDiskRatio)
	RuntimeDiskSize                           // size of the store's disk, to a tenth of its unit (commitLogDirCapacity)
	RuntimeDiskFree                           // its free space, likewise
	RuntimeTimerPending                       // messages waiting in the timer wheel (timerCongestNum, 5.0 and later)
	RuntimeTimerEnqueue                       // messages not in the wheel yet (timerOffsetBehind)
	RuntimeTimerBehind                        // how late the wheel delivers (timerReadBehind)
	RuntimeSlaveBehind                        // of a slave: what its master's commit log has beyond its own (GET_BROKER_HA_STATUS; before 5.0 by commitLogMaxOffset)
	RuntimeSlavesConnected                    // of a master: slaves connected to it for replication (GET_BROKER_HA_STATUS, 5.0 and later)
	RuntimeSlavesInSync                       // of a master: those of them that it calls in sync
)

// ThreadPool is a pool of a broker's threads, by RocketMQ's word for it, and
// the requests that wait for one of them.
type ThreadPool struct {
	Name             string
	Queued, Capacity int64 // Unknown where it was not told
	// HeadWait is for how long the first of them has waited, in ms; Unknown
	// where it was not told.
	HeadWait int64
}

// DelayLevel is one delay level of a broker's schedule topic
// (scheduleMessageOffset_N): how far it was delivered, and its end.
type DelayLevel struct {
	Level          int
	Delivered, End int64
}
