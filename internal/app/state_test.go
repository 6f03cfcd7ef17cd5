package app

import (
	"runtime"
	"testing"
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
