package realmq

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// pollInterval is short against everything that a cluster does on its own
// (commits each 5 s, rebalancing each 20 s) and long against a request.
const pollInterval = 50 * time.Millisecond

// Poll calls check until it returns nil. When ctx ends first, Poll returns the
// last error of check together with that of ctx.
func Poll(ctx context.Context, check func(context.Context) error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		// An error that only says that ctx ended hides the one that tells why.
		if last == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, last: %w", context.Cause(ctx), last)
		case <-ticker.C:
		}
	}
}

// Eventually calls check until it returns nil, and fails the test with the
// last error of check when that took longer than within.
func Eventually(t testing.TB, within time.Duration, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	start := time.Now()
	if err := Poll(ctx, check); err != nil {
		t.Fatalf("not within %s: %v", time.Since(start).Round(time.Millisecond), err)
	}
}
