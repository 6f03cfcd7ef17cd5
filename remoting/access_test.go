package remoting

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// refusal is a node's answer to a request that it does not let in.
func (p *peerConn) refuse(c Command, code ResponseCode, remark string) {
	p.write(Command{Code: int32(code), Opaque: c.Opaque, Flag: FlagResponse, Version: 513, Remark: remark})
}

const wrongSecret = "check signature failed."

func monitor() Credentials {
	return Credentials{AccessKey: "monitor", SecretKey: NewSecret("0123456789")}
}

// logins is a node that refuses every login until it is told to take them.
type logins struct {
	asked  atomic.Int32 // requests since it was last looked at
	open   atomic.Bool
	hangUp bool // after a refusal
}

func (l *logins) play(p *peerConn) {
	for c, ok := p.next(); ok; c, ok = p.next() {
		l.asked.Add(1)
		if l.open.Load() {
			p.answer(c)
			continue
		}
		p.refuse(c, NoPermission, wrongSecret)
		if l.hangUp {
			return
		}
	}
}

func TestRefusedLoginIsTriedOncePerPause(t *testing.T) {
	for _, hangUp := range []bool{false, true} {
		t.Run(fmt.Sprint("the node hangs up: ", hangUp), func(t *testing.T) {
			node := &logins{hangUp: hangUp}
			bubble(t, Options{Credentials: monitor(), BackoffMin: time.Second}, node.play, func(t *testing.T, client *Client, d *pipes) {
				for try := range 6 {
					refusedOnce(t, client, node)
					_, err := client.Call(t.Context(), broker, numbered(0))
					pause, ok := errors.AsType[*DialError](err)
					if !ok || Reason(err) != "login" || node.asked.Load() != 0 {
						t.Fatalf("within the pause: %v (%s)", err, Reason(err))
					}
					if !strings.Contains(err.Error(), "NO_PERMISSION: check signature failed. (next try in ") {
						t.Errorf("%v does not say why, or when", err)
					}
					if want := min(time.Second<<try, 10*time.Second); pause.RetryIn < want*8/10 || pause.RetryIn > want*12/10 {
						t.Errorf("pause %d is %v, want %v give or take a fifth", try, pause.RetryIn, want)
					}
					time.Sleep(pause.RetryIn)
				}
				node.open.Store(true)
				passes(t, client, 100)
				if d.dialed() != 7 {
					t.Errorf("%d connections, want one per try", d.dialed())
				}
			})
		})
	}
}

// refusedOnce sends many requests, of which one must reach the node.
func refusedOnce(t *testing.T, client *Client, node *logins) {
	t.Helper()
	got := newOutcomes(t, 100)
	var batches sync.WaitGroup
	batches.Go(func() { // beside them, from somebody else
		if _, err := client.Call(t.Context(), broker, numbered(0)); Reason(err) != "login" {
			t.Errorf("%v (%s)", err, Reason(err))
		}
	})
	client.Pipeline(t.Context(), broker, 100, numbered, got.handle)
	batches.Wait()
	synctest.Wait()
	got.once()
	for i, err := range got.errs {
		if Reason(err) != "login" || !strings.Contains(err.Error(), wrongSecret) {
			t.Fatalf("request %d: %v (%s)", i, err, Reason(err))
		}
	}
	if n := node.asked.Swap(0); n != 1 {
		t.Fatalf("the node was asked %d times, want once", n)
	}
}

func passes(t *testing.T, client *Client, n int) {
	t.Helper()
	got := newOutcomes(t, n)
	client.Pipeline(t.Context(), broker, n, numbered, got.handle)
	got.once()
	if f := got.failed(); f != nil {
		t.Errorf("failed: %v: %v", f, got.errs[f[0]])
	}
}

// Who has no credentials does not wait for a first answer; a node that wants
// some costs one window, and then one request per pause.
func TestMissingLoginIsTriedOncePerPause(t *testing.T) {
	node := &logins{}
	bubble(t, Options{Window: 8}, node.play, func(t *testing.T, client *Client, _ *pipes) {
		got := newOutcomes(t, 100)
		client.Pipeline(t.Context(), broker, 100, numbered, got.handle)
		synctest.Wait()
		if f, n := got.failed(), node.asked.Swap(0); len(f) != 100 || n > 8 {
			t.Errorf("%d requests failed and %d were sent, want 100 and at most 8", len(f), n)
		}
		for range 3 {
			time.Sleep(12 * time.Second)
			refusedOnce(t, client, node)
		}
	})
}

func TestWindowOpensWithTheFirstAnswer(t *testing.T) {
	const n, window = 50, 8
	most := 0
	bubble(t, Options{Credentials: monitor(), Window: window}, func(p *peerConn) {
		first := p.take(1)[0]
		synctest.Wait()
		if p.r.Buffered() > 0 {
			t.Error("a second request came before the first was answered")
		}
		p.answer(first)
		for done := 1; done < n; {
			batch := p.take(min(window, n-done))
			most = max(most, len(batch))
			for _, c := range batch {
				p.answer(c)
			}
			done += len(batch)
		}
		swallow(p)
	}, func(t *testing.T, client *Client, _ *pipes) {
		passes(t, client, n)
	})
	if most != window {
		t.Errorf("%d requests in flight afterwards, want %d", most, window)
	}
}

func TestSlowFirstAnswerHoldsNobodyForLong(t *testing.T) {
	bubble(t, Options{Credentials: monitor()}, func(p *peerConn) {
		slow := p.take(1)[0]
		for _, c := range p.take(3) {
			p.answer(c)
		}
		time.Sleep(3 * time.Second)
		p.answer(slow)
		swallow(p)
	}, func(t *testing.T, client *Client, _ *pipes) {
		start := time.Now()
		var all sync.WaitGroup
		all.Go(func() { passes(t, client, 1) })
		synctest.Wait()
		all.Go(func() {
			got := newOutcomes(t, 3)
			client.Pipeline(t.Context(), broker, 3, numbered, got.handle)
			if took := time.Since(start); got.failed() != nil || took != time.Second {
				t.Errorf("after %v: %v", took, got.errs)
			}
		})
		all.Wait()
	})
}

// A secret that is changed while a connection is open ends that one too.
func TestSecretThatIsChangedMeanwhile(t *testing.T) {
	node := &logins{}
	node.open.Store(true)
	bubble(t, Options{Credentials: monitor()}, node.play, func(t *testing.T, client *Client, d *pipes) {
		passes(t, client, 20)
		node.open.Store(false)
		node.asked.Store(0)
		got := newOutcomes(t, 100)
		client.Pipeline(t.Context(), broker, 100, numbered, got.handle)
		synctest.Wait()
		if f, n := got.failed(), node.asked.Swap(0); len(f) != 100 || n > 64 {
			t.Errorf("%d requests failed and %d were sent, want 100 and at most a window of 64", len(f), n)
		}
		time.Sleep(12 * time.Second)
		refusedOnce(t, client, node)
		time.Sleep(12 * time.Second)
		node.open.Store(true)
		passes(t, client, 20)
		if d.dialed() != 3 {
			t.Errorf("%d connections, want 3", d.dialed())
		}
	})
}

// A broker may check the login of some requests only, and a right may be missing
// for some: the others go on.
func TestRefusalOfOneKindOfRequestLeavesTheOthers(t *testing.T) {
	for _, remark := range []string{"username cannot be null.", "User:x has no permission to access Group:g from 10.0.0.1, no matched policies."} {
		t.Run(remark, func(t *testing.T) {
			bubble(t, Options{}, func(p *peerConn) {
				for c, ok := p.next(); ok; c, ok = p.next() {
					if c.Code == int32(GetConsumerConnectionList) {
						p.refuse(c, NoPermission, remark)
						continue
					}
					p.answer(c)
				}
			}, func(t *testing.T, client *Client, d *pipes) {
				passes(t, client, 1)
				mixed := func(i int) Request {
					r := numbered(i)
					if i%2 == 1 {
						r.Code = GetConsumerConnectionList
					}
					return r
				}
				got := newOutcomes(t, 100)
				client.Pipeline(t.Context(), broker, 100, mixed, got.handle)
				got.once()
				if f := got.failed(); len(f) != 50 || d.dialed() != 1 {
					t.Errorf("%d failed over %d connections, want 50 over 1", len(f), d.dialed())
				}
			})
		})
	}
}

func TestConnectionWithoutAnyAnswerIsAFailedOne(t *testing.T) {
	bubble(t, Options{BackoffMin: time.Second}, func(p *peerConn) { _, _ = p.r.Peek(1) }, func(t *testing.T, client *Client, d *pipes) {
		for try := 1; try <= 3; try++ {
			_, err := client.Call(t.Context(), broker, numbered(0))
			if !errors.Is(err, ErrNoAnswer) || Reason(err) != "connection_lost" || d.dialed() != try {
				t.Fatalf("try %d: %v (%s), %d connections", try, err, Reason(err), d.dialed())
			}
			if want := "connection ended: no answer ever came on it: closed by the peer"; !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			_, err = client.Call(t.Context(), broker, numbered(0))
			pause, ok := errors.AsType[*DialError](err)
			if !ok || !errors.Is(err, ErrNoAnswer) || Reason(err) != "connection_lost" || d.dialed() != try {
				t.Fatalf("within the pause: %v (%s)", err, Reason(err))
			}
			time.Sleep(pause.RetryIn)
		}
	})
}

// What brokers say, of both generations of access control; the words are
// RocketMQ's, recorded from 4.9.7 and 5.4.0 or, where they need a broken
// broker, read in its source.
func TestLoginAndRightAreToldApart(t *testing.T) {
	const exception = "org.apache.rocketmq.acl.common.AclException: "
	for _, c := range []struct {
		code   ResponseCode
		remark string
		want   string
	}{
		{NoPermission, "username cannot be null.", "login"},
		{NoPermission, "User:monitor is not found.", "login"},
		{NoPermission, "User:monitor is disabled.", "login"},
		{NoPermission, "check signature failed.", "login"},
		{NoPermission, "Authentication failed. Please verify the credentials and try again.", "login"},
		{NoPermission, "User:monitor has no permission to access Topic:orders from 10.0.0.1, no matched policies.", "denied"},
		{NoPermission, "User:monitor has no permission to access Group:g from 10.0.0.1, the decision is deny.", "denied"},
		{NoPermission, "User:is disabled has no permission to access Group:g from 10.0.0.1, no matched policies.", "denied"},
		{NoPermission, "Authorization failed. Please verify your access rights and try again.", "denied"},
		{NoPermission, "something new", "denied"},
		{NoPermission, "", "denied"},
		{SystemError, exception + "No accessKey is configured, org.apache.rocketmq.acl.plain.PlainPermissionManager.validate(PlainPermissionManager.java:663)", "login"},
		{SystemError, exception + "No acl config for monitor, org", "login"},
		{SystemError, exception + "Check signature failed for accessKey=monitor, org", "login"},
		{SystemError, exception + "No default permission for group:g, org", "denied"},
		{SystemError, exception + "Need admin permission for request code=17, but accessKey=monitor is not, org", "denied"},
		{SystemError, "the consumer group is not found.", "refused"},
		{TopicNotExist, "No topic in this broker. topic: check signature failed.", "not_found"},
	} {
		if got := Reason(&ResponseError{Code: c.code, Remark: c.remark}); got != c.want {
			t.Errorf("%v %q: %s, want %s", c.code, c.remark, got, c.want)
		}
	}
}
