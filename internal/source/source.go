// Package source says what a source of snapshots is: something that reads one
// installation of RocketMQ once a round. It may hold the interface, what a
// round can fail with, which topics and groups are wanted, what all sources do
// alike, and the conformance suite that every source passes. It knows no
// protocol.
package source

import (
	"context"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// Source reads one installation: the clusters behind one set of name servers,
// or behind one console.
type Source interface {
	// Collect reads one round within ctx. It is called by one goroutine at
	// a time. A round that failed in part or whole still returns what is
	// known, aged; a source that was never reached returns one snapshot
	// named after what it was told to read.
	Collect(ctx context.Context) Round
	// Behind begins what is asked behind the last round, in the background. It
	// is called after Collect, by the same goroutine, when the round has been
	// shown: what no round waits for must not hold it up. The next Collect
	// makes up for it where it was not called.
	Behind()
	// Close ends all connections and whatever runs in the background.
	Close() error
}

// Round is what one round brought.
type Round struct {
	Snapshots []*model.Snapshot // one per cluster, in the order of their names
	Failures  []Failure
	// Steps are the parts of the round that take their time, in their order.
	Steps []Step
}

// Step is one part of a round.
type Step struct {
	Name string // a word, fit for a label
	Took time.Duration
}

// Failure is one way in which something could not be read in a round. What
// fails the same way many times is one Failure.
type Failure struct {
	Cluster string // empty where it concerns no single cluster
	Target  string // node that was asked, host:port
	Step    string // request, in RocketMQ's words
	Reason  string // a few fixed words, fit for a label
	Count   int
	Err     error // the first one, whole
}

// Failures gathers failures of a round. The zero value is ready; it is not
// safe for concurrent use.
type Failures struct {
	list  []Failure
	index map[failureKey]int
}

type failureKey struct{ cluster, target, step, reason string }

// Add counts one failure.
func (f *Failures) Add(cluster, target, step, reason string, err error) {
	key := failureKey{cluster, target, step, reason}
	if i, ok := f.index[key]; ok {
		f.list[i].Count++
		return
	}
	if f.index == nil {
		f.index = make(map[failureKey]int)
	}
	f.index[key] = len(f.list)
	f.list = append(f.list, Failure{
		Cluster: cluster, Target: target, Step: step, Reason: reason, Count: 1, Err: err,
	})
}

// List is every failure so far, in the order of its first occurrence.
func (f *Failures) List() []Failure { return f.list }
