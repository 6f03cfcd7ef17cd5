package remoting

import (
	"slices"
	"time"
)

// hold lets one request through and the others wait for its answer, but not for
// long: where a login is refused, or nobody answers, one request is enough to
// know.
func (c *conn) hold() {
	c.held = cap(c.window) - 1
	for range c.held {
		c.window <- struct{}{}
	}
	c.holding = time.AfterFunc(holdTime, c.release)
}

// holdTime is long for an answer, and short for those who wait.
const holdTime = time.Second

// release opens the window.
func (c *conn) release() {
	c.mu.Lock()
	held := c.held
	if c.held = 0; c.holding != nil {
		c.holding.Stop()
	}
	c.mu.Unlock()
	for range held {
		<-c.window
	}
}

// judge learns from an answer whether the node lets the client in, and returns
// its words where it does not: then the next request would fare no better, and
// the connection is to be given up. Unless the node has let in requests of other
// codes and never one of this: a broker may be told to check the login of some
// codes and not of others (authenticationWhitelist).
func (c *conn) judge(code RequestCode, answer *Command) error {
	said := ResponseError{Code: ResponseCode(answer.Code), Remark: answer.Remark}
	login := said.Code != Success && said.reason() == "login"
	c.mu.Lock()
	known, first := slices.Contains(c.letIn, code), len(c.letIn) == 0
	switch {
	case login && (known || first):
		c.letIn = nil // whatever it was
		c.mu.Unlock()
		return &ResponseError{Code: said.Code, Remark: said.Remark}
	case !login && !known:
		c.letIn = append(c.letIn, code)
	}
	c.mu.Unlock()
	if first && !login {
		c.node.letIn()
		c.release()
	}
	return nil
}
