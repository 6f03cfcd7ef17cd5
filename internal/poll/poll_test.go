package poll

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// fake is a source whose rounds take as long as the test says, the last
// duration for all that follow.
type fake struct {
	takes []time.Duration
	// deaf rounds do not end with their context.
	deaf     bool
	failures []source.Failure

	steps     []string // what happened, in order
	began     []time.Time
	deadlines []time.Duration // of each round, from its beginning
	open      int             // rounds under way
	most      int
}

func (f *fake) Collect(ctx context.Context) source.Round {
	f.steps = append(f.steps, "collect")
	f.open++
	defer func() { f.open-- }()
	f.most = max(f.most, f.open)
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Time{}
	}
	now := time.Now()
	f.began, f.deadlines = append(f.began, now), append(f.deadlines, deadline.Sub(now))
	takes := f.takes[min(len(f.began), len(f.takes))-1]
	if f.deaf {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, takes)
	defer cancel()
	<-ctx.Done()
	return source.Round{Failures: f.failures}
}

func (f *fake) Behind() { f.steps = append(f.steps, "behind") }

func (f *fake) Close() error { return nil }

// published is one round as Publish was told of it.
type published struct{ at, took time.Duration }

// runFor lets a Loop run for some time of the bubble's clock, and returns what
// it published and when its rounds began.
func runFor(t *testing.T, d time.Duration, src *fake, o Options) (list []published, began []time.Duration) {
	t.Helper()
	start := time.Now()
	o.Logger = slog.New(slog.DiscardHandler)
	o.Publish = func(_ source.Round, took time.Duration) {
		list = append(list, published{time.Since(start), took})
		src.steps = append(src.steps, "publish")
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	Loop(ctx, src, o)
	for _, at := range src.began {
		began = append(began, at.Sub(start))
	}
	return list, began
}

func seconds(list ...float64) []time.Duration {
	var durations []time.Duration
	for _, s := range list {
		durations = append(durations, time.Duration(s*float64(time.Second)))
	}
	return durations
}

func TestRoundsBeginAtOnceAndThenAtEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fake{takes: seconds(2)}
		list, began := runFor(t, 31*time.Second, src, Options{Interval: 10 * time.Second, Deadline: 5 * time.Second})
		if want := seconds(0, 10, 20, 30); !slices.Equal(began, want) {
			t.Errorf("rounds began at %v, want %v", began, want)
		}
		want := []published{
			{2 * time.Second, 2 * time.Second}, {12 * time.Second, 2 * time.Second}, {22 * time.Second, 2 * time.Second},
		}
		if !slices.Equal(list, want) {
			t.Errorf("published %v, want %v", list, want)
		}
	})
}

// TestWhatIsAskedBehindARoundIsAskedWhenItIsPublished: it must not hold that up.
func TestWhatIsAskedBehindARoundIsAskedWhenItIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fake{takes: seconds(1)}
		runFor(t, 15*time.Second, src, Options{Interval: 10 * time.Second, Deadline: 5 * time.Second})
		if want := []string{"collect", "publish", "behind", "collect", "publish", "behind"}; !slices.Equal(src.steps, want) {
			t.Errorf("%q, want %q", src.steps, want)
		}
	})
}

func TestALongRoundDelaysTheNextAndIsNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fake{takes: seconds(1, 35, 1), deaf: true}
		_, began := runFor(t, 72*time.Second, src, Options{Interval: 10 * time.Second, Deadline: 5 * time.Second})
		// The third begins as soon as the second has ended; from then on there
		// is an interval between any two again.
		if want := seconds(0, 10, 45, 55, 65); !slices.Equal(began, want) {
			t.Errorf("rounds began at %v, want %v", began, want)
		}
		if src.most != 1 {
			t.Errorf("%d rounds at the same time", src.most)
		}
	})
}

func TestEachRoundHasItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fake{takes: seconds(3600)}
		list, began := runFor(t, 25*time.Second, src, Options{Interval: 10 * time.Second, Deadline: 4 * time.Second})
		if want := seconds(4, 4, 4); !slices.Equal(src.deadlines, want) {
			t.Errorf("deadlines %v, want %v", src.deadlines, want)
		}
		// A round that its own deadline has cut short is shown.
		if len(list) != 3 || len(began) != 3 || list[0] != (published{4 * time.Second, 4 * time.Second}) {
			t.Errorf("published %v of rounds that began at %v", list, began)
		}
	})
}

func TestTheEndOfTheContextEndsTheLoop(t *testing.T) {
	for _, c := range []struct {
		name      string
		after     time.Duration
		published int
	}{
		{"in a round, which is not published", 11 * time.Second, 1},
		{"between two rounds", 7 * time.Second, 1},
		{"before the first round has ended", time.Second, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				src := &fake{takes: seconds(2)}
				list, _ := runFor(t, c.after, src, Options{Interval: 10 * time.Second, Deadline: 5 * time.Second})
				if len(list) != c.published {
					t.Errorf("published %v, want %d", list, c.published)
				}
				if took := time.Since(start); took != c.after {
					t.Errorf("ended after %v, want %v", took, c.after)
				}
			})
		})
	}
}

func TestNoRoundBeginsWithAnEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		src := &fake{takes: seconds(1)}
		Loop(ctx, src, Options{
			Interval: time.Second, Deadline: time.Second, Logger: slog.New(slog.DiscardHandler),
			Publish: func(source.Round, time.Duration) { t.Error("published") },
		})
		if len(src.began) > 0 {
			t.Error("a round began")
		}
	})
}
