package runtimeinfo

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// recorded is what a real broker told.
func recorded(t *testing.T, release string) *Reader {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "fakemq", "testdata", release, "28-runtime.body"))
	if err != nil {
		t.Fatal(err)
	}
	var r Reader
	if err := remoting.DecodeRuntimeInfo(body, func(k, v []byte) { r.Add(string(k), string(v)) }); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestRecordedTables(t *testing.T) {
	const gib = 1 << 30
	taken := time.UnixMilli(1)
	for release, want := range map[string]struct {
		version, boot string
		clock         int64
		values        map[model.RuntimeKey]float64
		pools         []string
	}{
		"4.9.7": {
			"V4_9_7", "1795396679662", 1795396679662 + (71*60+48)*1000, map[model.RuntimeKey]float64{
				model.RuntimeBoot: 1795396679.662, model.RuntimePutMessages: 774568, model.RuntimeGetMessages: 755757,
				model.RuntimePutBytes: 165885304, model.RuntimePutFailures: 0,
				model.RuntimePutLatency99: 0.00099, model.RuntimePutLatency999: 0.001, model.RuntimePageCacheLock: 0,
				model.RuntimeCommitLogMin: 0, model.RuntimeCommitLogMax: 165886384,
				model.RuntimeEarliestMessage: 1795396881.247, model.RuntimeDispatchBehind: 0, model.RuntimeFlushBehind: 13.2 * 1024,
				model.RuntimeCommitLogDisk: 0.25, model.RuntimeConsumeQueueDisk: 0.25,
				model.RuntimeDiskSize: 252 * gib, model.RuntimeDiskFree: 68.7 * gib,
			}, []string{"send", "pull", "query", "endTransaction"},
		},
		"5.5.0": {
			"V5_5_0", "1795396620707", 1795396620707 + (72*60+23)*1000, map[model.RuntimeKey]float64{
				model.RuntimeBoot: 1795396620.707, model.RuntimeActive: 1,
				model.RuntimePutMessages: 778532, model.RuntimeGetMessages: 2287246,
				model.RuntimePutBytes: 204708878, model.RuntimePutFailures: 0,
				model.RuntimePutLatency99: 0.00099, model.RuntimePutLatency999: 0.001, model.RuntimePageCacheLock: 0,
				model.RuntimeCommitLogMin: 0, model.RuntimeCommitLogMax: 204710404,
				model.RuntimeEarliestMessage: 1795396863.046, model.RuntimeDispatchBehind: 0, model.RuntimeFlushBehind: 15.2 * 1024,
				model.RuntimeCommitLogDisk: 0.25, model.RuntimeConsumeQueueDisk: 0.25,
				model.RuntimeDiskSize: 252 * gib, model.RuntimeDiskFree: 229.6 * gib,
				model.RuntimeTimerPending: 0, model.RuntimeTimerEnqueue: 0, model.RuntimeTimerBehind: 0,
			}, []string{"send", "pull", "query", "litePull", "ack", "endTransaction"},
		},
	} {
		t.Run(release, func(t *testing.T) {
			r := recorded(t, release)
			got := r.Runtime(taken)
			if r.Odd != 0 || r.Version != want.version || r.Boot != want.boot || got.Taken != taken || got.Clock.UnixMilli() != want.clock {
				t.Errorf("odd %d, version %q, boot %q, taken %v, clock %v", r.Odd, r.Version, r.Boot, got.Taken, got.Clock)
			}
			if !maps.Equal(got.Values, want.values) {
				t.Errorf("values %v\nwant %v", got.Values, want.values)
			}
			var pools []string
			for _, p := range got.Pools {
				pools = append(pools, p.Name)
				capacity := map[string]int64{"send": 10000, "query": 20000}[p.Name]
				if capacity == 0 {
					capacity = 100000
				}
				headWait := int64(0)
				if p.Name == "endTransaction" {
					headWait = model.Unknown
				}
				if p.Queued != 0 || p.Capacity != capacity || p.HeadWait != headWait {
					t.Errorf("pool %+v", p)
				}
			}
			if !reflect.DeepEqual(pools, want.pools) {
				t.Errorf("pools %v, want %v", pools, want.pools)
			}
			if want := []model.DelayLevel{{Level: 3, Delivered: 30, End: 30}}; !reflect.DeepEqual(got.Delays, want) {
				t.Errorf("delay levels %v, want %v", got.Delays, want)
			}
		})
	}
}

// TestOneKey: what one entry becomes, alone and beside a good one.
func TestOneKey(t *testing.T) {
	absent := map[model.RuntimeKey]float64{}
	value := func(k model.RuntimeKey, v float64) map[model.RuntimeKey]float64 {
		return map[model.RuntimeKey]float64{k: v}
	}
	for _, c := range []struct {
		name, key, value string
		want             map[model.RuntimeKey]float64
		odd              int
	}{
		{"no message yet", "earliestMessageTimeStamp", "-1", absent, 0},
		{"empty commit log", "commitLogMinOffset", "-1", absent, 0},
		{"a disk that is not there", "commitLogDiskRatio", "-1.0", absent, 0},
		{"no transient store pool", "remainTransientStoreBufferNumbs", "2147483647", absent, 0},
		{"transient store pool", "remainTransientStoreBufferNumbs", "5", value(model.RuntimeTransientBuffers, 5), 0},
		{"a comma of another locale", "putLatency99", "1,25", value(model.RuntimePutLatency99, 0.00125), 0},
		{"bytes", "remainHowManyDataToFlush", "0 B", value(model.RuntimeFlushBehind, 0), 0},
		{"bytes below a KiB", "remainHowManyDataToFlush", "1023 B", value(model.RuntimeFlushBehind, 1023), 0},
		{"TiB", "remainHowManyDataToCommit", "1,5 TiB", value(model.RuntimeCommitBehind, 1.5*(1<<40)), 0},
		{"EiB", "remainHowManyDataToCommit", "8.0 EiB", value(model.RuntimeCommitBehind, 8*(1<<60)), 0},
		{"no unit", "remainHowManyDataToFlush", "13.2", absent, 1},
		{"odd unit", "remainHowManyDataToFlush", "13.2 XiB", absent, 1},
		{"two units", "remainHowManyDataToFlush", "13.2 KMiB", absent, 1},
		{"negative size", "remainHowManyDataToFlush", "-5 B", absent, 1},
		{"a word", "putMessageSizeTotal", "many", absent, 1},
		{"null", "putMessageSizeTotal", "null", absent, 1},
		{"empty", "putMessageSizeTotal", "", absent, 1},
		{"not a number", "putLatency99", "NaN", absent, 1},
		{"endless", "putLatency99", "Infinity", absent, 1},
		{"negative", "dispatchBehindBytes", "-7", absent, 1},
		{"too much", "putMessageSizeTotal", "1e300", absent, 1},
		{"more than the whole disk", "consumeQueueDiskRatio", "1.01", absent, 1},
		{"full disk", "consumeQueueDiskRatio", "1.0", value(model.RuntimeConsumeQueueDisk, 1), 0},
		{"not active", "brokerActive", "false", value(model.RuntimeActive, 0), 0},
		{"maybe active", "brokerActive", "maybe", absent, 1},
		{"half a disk", "commitLogDirCapacity", "Total : 1.0 GiB", absent, 2},
		{"odd free space", "commitLogDirCapacity", "Total : 1.0 GiB, Free : all.", value(model.RuntimeDiskSize, 1<<30), 1},
		{"odd uptime", "runtime", "[ 1 days, 2 hours ]", absent, 1},
		{"endless uptime", "runtime", "[ 999999999 days, 2 hours, 1 minutes, 1 seconds ]", absent, 1},
		{"a pool's word", "sendThreadPoolQueueSize", "x", absent, 1},
		{"a pool's negative", "sendThreadPoolQueueHeadWaitTimeMills", "-1", absent, 1},
		{"no level", "scheduleMessageOffset_x", "1,2", absent, 1},
		{"level 0", "scheduleMessageOffset_0", "1,2", absent, 1},
		{"too high a level", "scheduleMessageOffset_257", "1,2", absent, 1},
		{"half an offset", "scheduleMessageOffset_1", "1", absent, 1},
		{"negative offset", "scheduleMessageOffset_1", "-1,5", absent, 1},
		{"of a later release", "somethingNew", "x", absent, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Reader
			r.Add(c.key, c.value)
			info := r.Runtime(time.Time{})
			if r.Odd != c.odd || !maps.Equal(info.Values, c.want) || len(info.Pools) > 0 || len(info.Delays) > 0 || !info.Clock.IsZero() {
				t.Errorf("odd %d, %+v; want odd %d, values %v", r.Odd, info, c.odd, c.want)
			}
			r.Add("msgPutTotalTodayNow", "7")
			if v := r.Runtime(time.Time{}).Values[model.RuntimePutMessages]; v != 7 {
				t.Errorf("the value beside it is %v, want 7", v)
			}
		})
	}
}

func TestDelayLevelsAreInOrder(t *testing.T) {
	var r Reader
	for _, level := range []string{"18", "2", "10", "2"} {
		r.Add("scheduleMessageOffset_"+level, "1,2")
	}
	var got []int
	for _, d := range r.Runtime(time.Time{}).Delays {
		got = append(got, d.Level)
	}
	if want := []int{2, 10, 18}; !reflect.DeepEqual(got, want) || r.Odd != 1 {
		t.Errorf("levels %v with %d odd, want %v with the one that came twice", got, r.Odd, want)
	}
}

func FuzzReader(f *testing.F) {
	for key := range entries {
		f.Add(key, "1")
	}
	f.Add("commitLogDirCapacity", "Total : 252.0 GiB, Free : 68.7 GiB.")
	f.Add("remainHowManyDataToFlush", "13.2 KiB")
	f.Add("runtime", "[ 0 days, 1 hours, 11 minutes, 48 seconds ]")
	f.Add("scheduleMessageOffset_3", "30,30")
	f.Fuzz(func(t *testing.T, key, value string) {
		var r Reader
		r.Add(key, value)
		r.Add(key, value)
		for k, v := range r.Runtime(time.Time{}).Values {
			if !(v >= 0 && v <= 1<<63) {
				t.Errorf("%s = %q makes %d = %v", key, value, k, v)
			}
		}
	})
}
