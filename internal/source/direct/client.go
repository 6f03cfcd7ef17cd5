package direct

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// client asks nodes. What a node has denied for want of a right it does not ask
// again for a while, with pauses that grow: the right will hardly be there in
// the next round, and a broker notes each refusal in its log. Meanwhile the
// refusal stands, and it still counts as a failure in every round.
//
// Requests without a field are always sent: there are few, and whether the node
// is there shows in their answers.
type client struct {
	*remoting.Client

	now func() time.Time

	mu     sync.Mutex
	denied map[deniedKey]*denial
}

// deniedKey is one request to one node: with its topic, its group, its process.
type deniedKey struct {
	addr   string
	code   remoting.RequestCode
	fields string
}

// denial is a refusal, and when the request may be tried again.
type denial struct {
	err    error
	right  string // that is missing
	pause  time.Duration
	at     time.Time
	wanted time.Time // when the request was last to be sent
}

// Pauses after a denial.
const (
	deniedPause    = 30 * time.Second
	maxDeniedPause = 5 * time.Minute
)

func newClient(o remoting.Options, now func() time.Time) *client {
	return &client{Client: remoting.NewClient(o), now: now, denied: make(map[deniedKey]*denial)}
}

// withheldError stands for an answer to a request that was not sent.
type withheldError struct {
	err error // the refusal
	in  time.Duration
}

func (e *withheldError) Error() string { return e.err.Error() }

// Unwrap is the refusal.
func (e *withheldError) Unwrap() error { return e.err }

// Pipeline is that of remoting.Client, whose rules for request and handle hold
// here too. A request may be made twice, and handle be called for one that is
// not sent before it is for others.
func (c *client) Pipeline(ctx context.Context, addr string, n int, request func(int) remoting.Request, handle func(int, remoting.Response, error)) {
	if !c.deniesAny() {
		c.Client.Pipeline(ctx, addr, n, request, func(i int, resp remoting.Response, err error) {
			if isDenied(err) {
				c.note(keyOf(addr, request(i)), err)
			}
			handle(i, resp, err)
		})
		return
	}
	index := make([]int, 0, n)
	requests := make([]remoting.Request, 0, n)
	now := c.now()
	for i := range n {
		r := request(i)
		if err := c.withheld(keyOf(addr, r), now); err != nil {
			handle(i, remoting.Response{}, err)
			continue
		}
		index, requests = append(index, i), append(requests, r)
	}
	c.Client.Pipeline(ctx, addr, len(index),
		func(j int) remoting.Request { return requests[j] },
		func(j int, resp remoting.Response, err error) {
			c.note(keyOf(addr, requests[j]), err)
			handle(index[j], resp, err)
		})
}

func (c *client) deniesAny() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.denied) > 0
}

func isDenied(err error) bool { return err != nil && remoting.Reason(err) == reasonDenied }

// reasonDenied is what remoting calls a missing right.
const reasonDenied = "denied"

func keyOf(addr string, r remoting.Request) deniedKey {
	var fields strings.Builder
	for _, f := range r.Fields {
		fields.WriteString(f.Value)
		fields.WriteByte(0)
	}
	return deniedKey{addr, r.Code, fields.String()}
}

// withheld is the error of a request that is not sent; nil where it is.
func (c *client) withheld(key deniedKey, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.denied[key]
	if d == nil {
		return nil
	}
	if d.wanted = now; key.fields == "" || !now.Before(d.at) {
		return nil
	}
	return &withheldError{d.err, d.at.Sub(now)}
}

// note learns from an answer. A request that was not answered proves nothing.
func (c *client) note(key deniedKey, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case isDenied(err):
		d := c.denied[key]
		if d == nil {
			d = &denial{}
			c.denied[key] = d
		}
		now := c.now()
		d.err, d.right, d.wanted = err, missingRight(key.code, err), now
		d.pause = min(max(2*d.pause, deniedPause), maxDeniedPause)
		d.at = now.Add(d.pause)
	case isAnswer(err):
		delete(c.denied, key)
	}
}

// forget lets go of what nobody has wanted for long.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for key, d := range c.denied {
		if now.Sub(d.wanted) > maxDeniedPause {
			delete(c.denied, key)
		}
	}
}

// denials counts what the nodes deny, with the right that is missing.
func (c *client) denials(isOne func(addr string) bool) map[model.Denial]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var counts map[model.Denial]int
	for key, d := range c.denied {
		if isOne(key.addr) {
			if counts == nil {
				counts = make(map[model.Denial]int)
			}
			counts[model.Denial{Request: key.code.String(), Right: d.right}]++
		}
	}
	return counts
}
