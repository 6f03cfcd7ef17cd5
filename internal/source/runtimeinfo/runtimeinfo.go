// Package runtimeinfo reads the table of text in which a broker process tells of
// itself (KVTable of GET_BROKER_RUNTIME_INFO; the console hands it on), key by
// key: which keys there are differs from release to release, and one that is
// missing or odd costs one value.
//
// It may hold RocketMQ's keys, what their values mean, and bounds. It does not
// know how a table came here.
package runtimeinfo

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Reader takes the entries of one table. The zero value is ready.
type Reader struct {
	// Version is brokerVersionDesc, Boot bootTimestamp, as they were told.
	Version, Boot string
	// Odd counts the values that made no sense and were left out.
	Odd int

	values map[model.RuntimeKey]float64
	up     time.Duration // runtime
	timed  bool          // up was told
	pools  [numPools]model.ThreadPool
	delays []model.DelayLevel
}

// Runtime is what the table told.
func (r *Reader) Runtime(taken time.Time) *model.Runtime {
	info := &model.Runtime{Taken: taken, Values: r.values, Delays: r.delays}
	if boot, err := strconv.ParseInt(r.Boot, 10, 64); err == nil && r.timed {
		info.Clock = time.UnixMilli(boot).Add(r.up)
	}
	for _, p := range r.pools {
		if p.Name != "" {
			info.Pools = append(info.Pools, p)
		}
	}
	slices.SortFunc(info.Delays, func(a, b model.DelayLevel) int { return cmp.Compare(a.Level, b.Level) })
	return info
}

// Add takes one entry. Keys that are not known are passed over.
func (r *Reader) Add(key, value string) {
	if e, ok := entries[key]; ok {
		r.number(e, value)
		return
	}
	if e, ok := poolEntries[key]; ok {
		r.pool(e, value)
		return
	}
	if level, ok := strings.CutPrefix(key, "scheduleMessageOffset_"); ok {
		r.delay(level, value)
		return
	}
	switch key {
	case "brokerVersionDesc":
		r.Version = value
	case "runtime":
		if r.up, r.timed = uptime(value); !r.timed {
			r.Odd++
		}
	case "brokerActive":
		active, err := strconv.ParseBool(value)
		number := 0.0
		if active {
			number = 1
		}
		r.set(model.RuntimeActive, number, err == nil)
	case "commitLogDirCapacity":
		r.disk(value)
	}
}

// entry is what a plain number becomes.
type entry struct {
	key model.RuntimeKey
	// per is how many of the key's units make one base unit; 0: the value is
	// a size for people to read.
	per float64
	// none is the value that stands for there being none: commitLogMinOffset
	// of an empty log, the buffers of a pool that is switched off.
	none string
}

// entries are the keys with a plain number.
//
//nolint:gochecknoglobals // a constant, but for the language
var entries = map[string]entry{
	"bootTimestamp":                   {model.RuntimeBoot, 1000, ""},
	"msgPutTotalTodayNow":             {model.RuntimePutMessages, 1, ""},
	"msgGetTotalTodayNow":             {model.RuntimeGetMessages, 1, ""},
	"putMessageSizeTotal":             {model.RuntimePutBytes, 1, ""},
	"putMessageFailedTimes":           {model.RuntimePutFailures, 1, ""},
	"putLatency99":                    {model.RuntimePutLatency99, 1000, ""},
	"putLatency999":                   {model.RuntimePutLatency999, 1000, ""},
	"pageCacheLockTimeMills":          {model.RuntimePageCacheLock, 1000, ""},
	"commitLogMinOffset":              {model.RuntimeCommitLogMin, 1, "-1"},
	"commitLogMaxOffset":              {model.RuntimeCommitLogMax, 1, "-1"},
	"earliestMessageTimeStamp":        {model.RuntimeEarliestMessage, 1000, "-1"},
	"dispatchBehindBytes":             {model.RuntimeDispatchBehind, 1, ""},
	"remainHowManyDataToCommit":       {model.RuntimeCommitBehind, 0, ""},
	"remainHowManyDataToFlush":        {model.RuntimeFlushBehind, 0, ""},
	"remainTransientStoreBufferNumbs": {model.RuntimeTransientBuffers, 1, "2147483647"},
	"commitLogDiskRatio":              {model.RuntimeCommitLogDisk, 1, "-1.0"},
	"consumeQueueDiskRatio":           {model.RuntimeConsumeQueueDisk, 1, "-1.0"},
	"timerCongestNum":                 {model.RuntimeTimerPending, 1, ""},
	"timerOffsetBehind":               {model.RuntimeTimerEnqueue, 1, ""},
	"timerReadBehind":                 {model.RuntimeTimerBehind, 1, ""},
}

func (r *Reader) number(e entry, value string) {
	switch {
	case e.none != "" && value == e.none:
		return
	case e.per == 0:
		n, ok := bytes(value)
		r.set(e.key, n, ok)
		return
	}
	n, ok := decimal(value)
	if isRatio := e.key == model.RuntimeCommitLogDisk || e.key == model.RuntimeConsumeQueueDisk; isRatio && n > 1 {
		ok = false
	}
	if e.key == model.RuntimeBoot && ok {
		r.Boot = value
	}
	r.set(e.key, n/e.per, ok)
}

func (r *Reader) set(key model.RuntimeKey, value float64, ok bool) {
	if !ok {
		r.Odd++
		return
	}
	if r.values == nil {
		r.values = make(map[model.RuntimeKey]float64, len(entries))
	}
	r.values[key] = value
}

// decimal reads a number that is not negative. Java's String.format writes the
// decimal separator of the broker's locale, which may be a comma.
func decimal(text string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	return n, err == nil && n >= 0 && n <= math.MaxInt64
}

// bytes reads a size as MixAll.humanReadableByteCount writes it: "13.2 KiB".
func bytes(text string) (float64, bool) {
	number, unit, _ := strings.Cut(text, " ")
	n, ok := decimal(number)
	if unit != "B" {
		prefix, isUnit := strings.CutSuffix(unit, "iB")
		exp := strings.Index("KMGTPE", prefix)
		ok = ok && isUnit && exp >= 0 && len(prefix) == 1
		n *= math.Pow(1024, float64(exp+1))
	}
	return n, ok && n <= math.MaxInt64
}

// disk reads "Total : 252.0 GiB, Free : 68.7 GiB.".
func (r *Reader) disk(text string) {
	total, free, found := strings.Cut(strings.TrimSuffix(text, "."), ", Free : ")
	total, isTotal := strings.CutPrefix(total, "Total : ")
	size, ok := bytes(total)
	r.set(model.RuntimeDiskSize, size, ok && isTotal && found)
	left, ok := bytes(free)
	r.set(model.RuntimeDiskFree, left, ok && found)
}

// uptime reads "[ 0 days, 1 hours, 11 minutes, 48 seconds ]"
// (StoreStatsService.getFormatRuntime).
func uptime(text string) (time.Duration, bool) {
	var days, hours, minutes, seconds int64
	n, err := fmt.Sscanf(text, "[ %d days, %d hours, %d minutes, %d seconds ]", &days, &hours, &minutes, &seconds)
	if err != nil || n != 4 || min(days, hours, minutes, seconds) < 0 || days > maxDays || max(hours, minutes, seconds) > 60 {
		return 0, false
	}
	return time.Duration(days)*24*time.Hour + time.Duration(hours)*time.Hour +
		time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second, true
}

// maxDays bounds the time that a broker is believed to have run.
const maxDays = 100 * 366

// maxLevel bounds the delay levels that are believed; a broker has 18 unless
// its messageDelayLevel says otherwise.
const maxLevel = 256

// delay reads "30,30": the offset up to which a level was delivered, and its
// end.
func (r *Reader) delay(level, value string) {
	n, err := strconv.Atoi(level)
	delivered, end, _ := strings.Cut(value, ",")
	from, err1 := strconv.ParseInt(delivered, 10, 64)
	to, err2 := strconv.ParseInt(end, 10, 64)
	known := slices.ContainsFunc(r.delays, func(d model.DelayLevel) bool { return d.Level == n })
	if err != nil || err1 != nil || err2 != nil || n < 1 || n > maxLevel || from < 0 || to < 0 || known {
		r.Odd++
		return
	}
	r.delays = append(r.delays, model.DelayLevel{Level: n, Delivered: from, End: to})
}
