package fakemq

import "sync"

// The size of a broker's pool for requests without one of their own
// (adminBrokerThreadPoolNums and the queue behind it in BrokerController).
const (
	poolThreads = 16
	poolQueue   = 10_000
)

// pool runs tasks on at most poolThreads goroutines, started when there is
// work and gone when there is none.
type pool struct {
	mu      sync.Mutex
	waiting []func()
	running int
	threads sync.WaitGroup
}

// submit queues a task, and refuses it when the queue is full.
func (p *pool) submit(task func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) >= poolQueue {
		return false
	}
	p.waiting = append(p.waiting, task)
	if p.running < poolThreads {
		p.running++
		p.threads.Go(p.work)
	}
	return true
}

func (p *pool) work() {
	for task := p.next(); task != nil; task = p.next() {
		task()
	}
}

// next takes the oldest task. Without one the caller ends.
func (p *pool) next() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.waiting = nil // what a burst grew is given back
		p.running--
		return nil
	}
	task := p.waiting[0]
	p.waiting[0] = nil
	p.waiting = p.waiting[1:]
	return task
}

// wait returns when no task is left.
func (p *pool) wait() { p.threads.Wait() }
