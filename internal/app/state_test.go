package app

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// TestReplaceLetsGoFirst: while a state is made, the one before is not held, and
// who asks waits for the new one.
func TestReplaceLetsGoFirst(t *testing.T) {
	var l latest
	l.Store(&state{round: 1})
	gone := make(chan struct{})
	runtime.AddCleanup(l.Load(), func(int) { close(gone) }, 0)
	seen := make(chan int, 1)
	l.Replace(func() *state {
		go func() { seen <- l.Load().round }()
		if l.mu.TryRLock() {
			t.Error("a state can be seen while the next is made")
		}
		runtime.GC()
		<-gone
		return &state{round: 2}
	})
	if round := <-seen; round != 2 {
		t.Errorf("round %d was seen, want the new one", round)
	}
}

// TestReplaceWaitsForScrapes: one that is under way has the report of the round
// before, and is mostly done in a moment. One that is slow keeps it,
// and holds up no other round.
func TestReplaceWaitsForScrapes(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes time.Duration
		waits []time.Duration // of rounds, one after the other
	}{
		{"a scrape that ends", 40 * time.Millisecond, []time.Duration{40 * time.Millisecond, 0}},
		{"a slow one", time.Minute, []time.Duration{lastUse, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l latest
				l.Store(&state{round: 1})
				for range 2 {
					s, done := l.Use()
					time.AfterFunc(c.takes, func() {
						if s.round != 1 {
							t.Errorf("its state became that of round %d", s.round)
						}
						done()
					})
				}
				for i, want := range c.waits {
					began := time.Now()
					l.Replace(func() *state { return &state{round: 2 + i} })
					if took := time.Since(began); took != want {
						t.Errorf("round %d took %v, want %v", 2+i, took, want)
					}
				}
				time.Sleep(c.takes)
				began := time.Now()
				l.Replace(func() *state { return &state{} })
				if took := time.Since(began); took != 0 {
					t.Errorf("with no scrape it took %v", took)
				}
			})
		})
	}
}
