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
	// Delays are the backlogs of the delay levels in use, in their order.
	Delays []DelayLevel
}

// RuntimeKey names one value of a Runtime.
type RuntimeKey uint8

// DelayLevel is one delay level of a broker's schedule topic
// (scheduleMessageOffset_N): how far it was delivered, and its end.
type DelayLevel struct {
	Level          int
	Delivered, End int64
}
