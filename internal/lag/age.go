package lag

import (
	"math"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/store"
)

const unknown = model.Unknown

// queues tells how old messages of one topic on one broker are: at the time at
// which its offsets were read, so that they do not grow while those stand still.
type queues struct {
	ends store.Ends
	now  store.Tick
	// clock turns store times into ticks; nil where the broker's clock is not
	// known.
	clock *brokerClock
}

// age is what is known of the age of one message, in ticks.
type age struct {
	ticks   int64 // unknown
	atMost  bool
	atLeast int64
}

// age is that of the message at an offset. moved is since when it has waited,
// consumedAt when the message in front of it was stored, which is not later.
func (a *queues) age(queue int, offset int64, moved store.Tick, consumedAt int64) age {
	span := a.ends.Find(queue, offset)
	known := age{ticks: unknown, atLeast: since(a.now, span.To)}
	if span.From == store.NoTick { // it was there before the history began
		known.atLeast = max(known.atLeast, since(a.now, moved))
	}
	if span.At != store.NoTick {
		known.ticks = since(a.now, span.At)
		return known
	}
	if from := max(span.From, a.clock.tick(consumedAt)); from != store.NoTick {
		known.ticks, known.atMost = max(since(a.now, from), known.atLeast), true
	}
	return known
}

// since is how long ago something was: 0 where nobody knows, or clocks differ.
func since(now, then store.Tick) int64 {
	if then == store.NoTick {
		return 0
	}
	return min(max(int64(now)-int64(then), 0), math.MaxInt32)
}

// brokerClock sets a broker's clock against the exporter's.
type brokerClock struct {
	taken store.Tick // by the exporter's
	shown int64      // by the broker's at that time, ms since 1970
}

// clockPrecision is that of model.Runtime.Clock, with the time that the answer
// took.
const clockPrecision = 2 * time.Second

// tick is when a message was stored at the earliest, if the broker said that it
// was stored at ms since 1970 by its own clock. What is years away is nonsense.
func (c *brokerClock) tick(ms int64) store.Tick {
	if c == nil || ms <= 0 {
		return store.NoTick
	}
	ago := (c.shown - ms + clockPrecision.Milliseconds()) / store.Unit.Milliseconds()
	if ago < -math.MaxInt32/2 || ago > math.MaxInt32/2 {
		return store.NoTick
	}
	return store.Tick(min(max(int64(c.taken)-ago, -math.MaxInt32), math.MaxInt32))
}

// clocks are those of the processes whose offsets are read, by broker.
func clocks(s *model.Snapshot, past *store.History) map[string]*brokerClock {
	list := make(map[string]*brokerClock, len(s.Parts))
	for i := range s.Brokers {
		b := &s.Brokers[i]
		if b.Role != model.Slave && b.Runtime != nil && !b.Runtime.Clock.IsZero() {
			list[b.Name] = &brokerClock{past.Tick(b.Runtime.Taken), b.Runtime.Clock.UnixMilli()}
		}
	}
	return list
}
