package direct

import (
	"context"
	"fmt"
	"sync"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// errands are the questions to one broker that no round waits for, because each
// costs a request per topic or pair: they are sent behind a round, one after the
// other, so that a broker is never asked more than one of them at a time. What
// they find serves the rounds after that.
type errands struct {
	mu   sync.Mutex
	done chan struct{} // closed when those under way are; nil: none are
	findings

	plan errandPlan // of the goroutine that collects: what is to be asked next
}

// errandPlan is what is to be asked, in this order. Ages are read from the disk: a
// broker that does not come to that has told all else before.
type errandPlan struct {
	list  []errand
	stats statsList
	ages  []errand
}

func (p *errandPlan) isEmpty() bool { return len(p.list)+len(p.stats.topics)+len(p.ages) == 0 }

// findings are what errands found, for the next round.
type findings struct {
	found []finding
	told  toldTopics
}

// errand is one question to one process. Read is called in the background, with
// the answer's body, which is lent, or with the failure. It may touch nothing
// that a round owns: that is for the finding.
type errand struct {
	addr    string
	request remoting.Request
	read    func(body []byte, err error) finding
}

// bodyOf puts a process's address in front of an error about the body of its
// answer.
func bodyOf(addr string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", addr, err)
}

// finding is what came of an errand: it is called by the next round.
type finding func(*reading)

// start runs what is planned in the background, unless the last errands are still
// under way. A process that cannot be reached, or is busy, is asked no more of the
// plan.
func (e *errands) start(s *Source) {
	plan := e.plan
	e.plan = errandPlan{}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done != nil || plan.isEmpty() || s.ctx.Err() != nil {
		return
	}
	done := make(chan struct{})
	e.done = done
	s.background.Go(func() {
		defer close(done)
		run := errandRun{errands: e, client: s.client, dead: make(map[string]bool)}
		for i := range plan.list {
			run.one(s.ctx, &plan.list[i])
		}
		run.stats(s.ctx, &plan.stats)
		for i := range plan.ages {
			run.one(s.ctx, &plan.ages[i])
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.done = nil
	})
}

// errandRun is a list of errands under way.
type errandRun struct {
	*errands

	client *client
	dead   map[string]bool // processes that are asked no more
}

func (r *errandRun) one(ctx context.Context, q *errand) {
	r.ask(ctx, q.addr, q.request, func(body []byte, err error) {
		r.find(q.read(body, err))
	})
}

// ask sends one request, unless its process is asked no more, and waits for the
// answer.
func (r *errandRun) ask(ctx context.Context, addr string, request remoting.Request, read func(body []byte, err error)) {
	if r.dead[addr] || ctx.Err() != nil {
		return
	}
	r.client.Pipeline(ctx, addr, 1,
		func(int) remoting.Request { return request },
		func(_ int, resp remoting.Response, err error) {
			r.dead[addr] = !isAnswer(err) || remoting.Reason(err) == "busy"
			if !isUnreachable(err) { // the rounds tell of that
				read(resp.Body, err)
			}
		})
}

func (e *errands) find(found finding) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.found = append(e.found, found)
}

// isUnreachable says whether an error is about the connection, whatever was
// asked on it.
func isUnreachable(err error) bool {
	switch remoting.Reason(err) {
	case "resolve", "connect", "connection_lost", "canceled":
		return true
	}
	return false
}

// Settle waits until nothing is asked any more behind the last round, or ctx ends:
// for who reads one round, or a few. For consumer processes that do not answer it
// waits as long as a round does.
func (s *Source) Settle(ctx context.Context) {
	s.Behind()
	for _, c := range s.clusters {
		for _, b := range c.brokers {
			b.errands.mu.Lock()
			done := b.errands.done
			b.errands.mu.Unlock()
			if done == nil {
				continue
			}
			select {
			case <-done:
			case <-ctx.Done():
				return
			}
		}
	}
	s.asker.settle(ctx, s.opts.OwnerWait)
}

// busy says whether errands are under way.
func (e *errands) busy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.done != nil
}

// take hands over what was found since it was called last.
func (e *errands) take() findings {
	e.mu.Lock()
	defer e.mu.Unlock()
	found := e.findings
	e.findings = findings{}
	return found
}
