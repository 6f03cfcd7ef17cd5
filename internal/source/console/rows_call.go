package console

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// rowsCall is a call for the rows of a group. It may outlive its round.
type rowsCall struct {
	done   chan struct{}
	cancel context.CancelFunc
	asked  []target

	// Of the answer, once done.
	table    table
	covered  []string // brokers whose rows are all in the table
	dead     []string // addresses that the console could not reach
	failures []error
	odd      int
}

// await says whether the call is done, or is within the time.
func (c *rowsCall) await(ctx context.Context, wait time.Duration) bool {
	select {
	case <-c.done:
		return true
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// startRows begins to read the rows of a group.
func (s *Source) startRows(name string, f flavour, asked []target) *rowsCall {
	ctx, cancel := context.WithTimeout(s.ctx, slowCall*s.opts.CallTimeout)
	call := &rowsCall{done: make(chan struct{}), cancel: cancel, asked: asked, table: make(table)}
	batches := [][]target{asked}
	if f == addressed || f == unknown {
		batches = batches[:0]
		for _, t := range asked {
			batches = append(batches, []target{t})
		}
	}
	s.background.Go(func() {
		defer close(call.done)
		defer cancel()
		for _, batch := range batches {
			s.askRows(ctx, call, name, f, batch)
		}
	})
	return call
}

// askRows asks for the rows of a group on some brokers. One that the console
// cannot reach must not cost the others.
func (s *Source) askRows(ctx context.Context, call *rowsCall, name string, f flavour, batch []target) {
	for {
		query := url.Values{"consumerGroup": {name}}
		if f != plain {
			query.Set("address", joinAddresses(batch))
		}
		part, odd := table{}, 0
		err := s.client.get(ctx, slowCall*s.opts.CallTimeout, pathRows, query, func(d *decoder) error {
			part = table{}
			err := readTopicsOfGroup(d, part)
			odd = d.odd
			return err
		})
		if refusedWith(err, codeConsumerNotOnline) {
			err = nil // no broker has a commit of it
		}
		if err == nil {
			for _, c := range part {
				c.taken = s.opts.Now()
			}
			maps.Copy(call.table, part)
			call.odd += odd
			for _, t := range batch {
				call.covered = append(call.covered, t.broker)
			}
			return
		}
		call.failures = append(call.failures, err)
		reachable := slices.DeleteFunc(slices.Clone(batch), func(t target) bool { return refusalNames(err, t.addr) })
		if len(reachable) == len(batch) {
			return
		}
		for _, t := range batch {
			if !slices.Contains(reachable, t) {
				call.dead = append(call.dead, t.addr)
			}
		}
		if batch = reachable; len(batch) == 0 || f == plain {
			return
		}
	}
}

func joinAddresses(batch []target) string {
	addrs := make([]string, 0, len(batch))
	for _, t := range batch {
		addrs = append(addrs, t.addr)
	}
	return strings.Join(addrs, ",")
}
