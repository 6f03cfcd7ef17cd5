package fakemq

import (
	"runtime"
	"testing"
	"time"
)

func TestDemo(t *testing.T) {
	mq, tr, err := Demo(1)
	must(t, err)
	defer mq.Close()
	between := func(group, topic string, least, most int64) {
		t.Helper()
		if got := sumOf(rows(mq, group, topic)); got < least || got > most {
			t.Errorf("%s on %s is behind by %d, want %d to %d", group, topic, got, least, most)
		}
	}
	between("billing", "orders", 0, 1000)
	between("warehouse", "orders", 10_000, 40_000)
	between("fraud-check", "payments", 30_000, 45_000)
	between("page-cache", "notices", 500, 5000)
	between("monthly-report", "audit", 200_000, 230_000)
	between("audit-archive", "audit", 0, 1000)
	if ids := mq.ClientIDs("fraud-check"); len(ids) != 2 {
		t.Errorf("the stalled group has %d processes", len(ids))
	}
	if ids := mq.ClientIDs("monthly-report"); len(ids) != 0 {
		t.Errorf("the offline group has processes %v", ids)
	}
	came := map[int]bool{}
	for range 180 {
		tr.Step(time.Second)
		came[len(mq.ClientIDs("search-indexer"))] = true
	}
	if !came[3] || !came[4] {
		t.Errorf("processes of the restarting group over three minutes: %v", came)
	}
}

// A demonstration may run for days in a few megabytes.
func TestDemoStaysSmall(t *testing.T) {
	mq, tr, err := Demo(2)
	must(t, err)
	defer mq.Close()
	tr.Step(time.Hour)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 6<<20 {
		t.Errorf("%d KB in use", m.HeapAlloc>>10)
	}
	t.Logf("%d KB in use", m.HeapAlloc>>10)
}
