package direct

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// asker asks consumer processes, through their brokers, what they hold (307).
// A broker hands such a request on to the client and holds one of its 16 admin
// threads until the client answers or 10 s are over (Broker2Client,
// AdminBrokerProcessor.callConsumer). So at most askersPerBroker are under way
// at a time per broker, in the background: a slow client delays no round. A
// process waits in the queue at most once, and not when it has left, which bounds
// it.
type asker struct {
	client *client
	ctx    context.Context //nolint:containedctx // lives as long as the source
	wg     *sync.WaitGroup // the source's
	seed   maphash.Seed    // of refs

	mu      sync.Mutex
	queues  map[string]*askQueue // by address
	queued  map[askKey]struct{}
	answers []answer
	awaited map[askKey]struct{} // questions that the round waits for
	idle    chan struct{}       // closed when there is none left
	settled chan struct{}       // closed when no question is open; nil: nobody waits for that
}

const (
	askersPerBroker = 2
	// askTimeout is a little longer than the broker waits for the client.
	askTimeout = 12 * time.Second
)

// askKey names a process of a group.
type askKey struct{ cluster, group, clientID string }

// question is one process to be asked.
type question struct {
	askKey
	members uint64 // the group's members when it was asked
	// broadcasting: what is asked for is how far the process is itself.
	broadcasting bool
	began        time.Time // of the round that asked
	// urgent: the round waits a moment for the answer.
	urgent bool
}

// answer is what came of a question.
type answer struct {
	question
	addr string
	took time.Duration // from the sending of the question
	held *held         // nil when err is set
	err  error
}

// askQueue is what is still to be asked through one broker: urgent questions
// first.
type askQueue struct {
	urgent, waiting []question
	running         int
}

func (q *askQueue) add(one question) {
	if one.urgent {
		q.urgent = append(q.urgent, one)
	} else {
		q.waiting = append(q.waiting, one)
	}
}

func (q *askQueue) next() (one question, ok bool) {
	from := &q.waiting
	if len(q.urgent) > 0 {
		from = &q.urgent
	}
	if len(*from) == 0 {
		return question{}, false
	}
	one, *from = (*from)[0], (*from)[1:]
	return one, true
}

func newAsker(ctx context.Context, client *client, wg *sync.WaitGroup, seed maphash.Seed) *asker {
	return &asker{
		client: client, ctx: ctx, wg: wg, seed: seed,
		queues: make(map[string]*askQueue),
		queued: make(map[askKey]struct{}), awaited: make(map[askKey]struct{}),
	}
}

// ask queues a question to the client behind the broker process at addr,
// unless the same is waiting or under way already.
func (a *asker) ask(addr string, q question) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.queued[q.askKey]; ok || a.ctx.Err() != nil {
		return
	}
	a.queued[q.askKey] = struct{}{}
	if q.urgent {
		if a.awaited[q.askKey] = struct{}{}; a.idle == nil {
			a.idle = make(chan struct{})
		}
	}
	queue := a.queues[addr]
	if queue == nil {
		queue = &askQueue{}
		a.queues[addr] = queue
	}
	queue.add(q)
	if queue.running < askersPerBroker {
		queue.running++
		a.wg.Go(func() { a.work(addr, queue) })
	}
}

// work asks until the queue of one broker is empty.
func (a *asker) work(addr string, queue *askQueue) {
	for {
		a.mu.Lock()
		q, ok := queue.next()
		if !ok {
			if queue.running--; queue.running == 0 && a.queues[addr] == queue {
				delete(a.queues, addr)
			}
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()

		got, sent := answer{question: q, addr: addr}, time.Now()
		got.held, got.err = a.one(addr, q)
		got.took = time.Since(sent)

		a.mu.Lock()
		a.answers = append(a.answers, got)
		a.close(q.askKey)
		a.mu.Unlock()
	}
}

// close notes that a question is open no more.
func (a *asker) close(key askKey) {
	if delete(a.queued, key); len(a.queued) == 0 {
		// A map never shrinks, and in the beginning everybody was asked.
		a.queued = make(map[askKey]struct{})
		if a.settled != nil {
			close(a.settled)
			a.settled = nil
		}
	}
	if delete(a.awaited, key); len(a.awaited) == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

// keep lets go of the questions that have not been sent and are not wanted any
// more.
func (a *asker) keep(wanted func(question) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	unwanted := func(q question) bool {
		if wanted(q) {
			return false
		}
		a.close(q.askKey)
		return true
	}
	for _, queue := range a.queues {
		queue.urgent = slices.DeleteFunc(queue.urgent, unwanted)
		queue.waiting = slices.DeleteFunc(queue.waiting, unwanted)
	}
}

func (a *asker) one(addr string, q question) (*held, error) {
	ctx, cancel := context.WithTimeout(a.ctx, askTimeout)
	defer cancel()
	var h *held
	var failed error
	a.client.Pipeline(ctx, addr, 1, func(int) remoting.Request {
		return remoting.Request{
			Code: remoting.GetConsumerRunningInfo, Timeout: askTimeout,
			Fields: []remoting.Field{
				{Key: "consumerGroup", Value: q.group},
				{Key: "clientId", Value: q.clientID},
			},
		}
	}, func(_ int, resp remoting.Response, err error) {
		if failed = err; err != nil {
			return
		}
		if h, failed = readHeld(resp.Body, a.seed, q.broadcasting); failed != nil {
			failed = fmt.Errorf("%s: %w", addr, failed)
		}
	})
	return h, failed
}

// wait waits until no urgent question is open, but no longer than longest.
// Whoever has not answered by then is not waited for again.
func (a *asker) wait(ctx context.Context, longest time.Duration) {
	a.mu.Lock()
	idle := a.idle
	a.mu.Unlock()
	if idle == nil {
		return
	}
	await(ctx, idle, longest)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.awaited, a.idle = make(map[askKey]struct{}), nil
}

// settle waits until no question is open, but no longer than longest.
func (a *asker) settle(ctx context.Context, longest time.Duration) {
	a.mu.Lock()
	if len(a.queued) == 0 {
		a.mu.Unlock()
		return
	}
	if a.settled == nil {
		a.settled = make(chan struct{})
	}
	settled := a.settled
	a.mu.Unlock()
	await(ctx, settled, longest)
}

// await waits until a channel is closed, but no longer than longest.
func await(ctx context.Context, closed <-chan struct{}, longest time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	select {
	case <-closed:
	case <-ctx.Done():
	}
}

// take hands over the answers that have come since it was called last.
func (a *asker) take() []answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	answers := a.answers
	a.answers = nil
	return answers
}
