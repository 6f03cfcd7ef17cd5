package remoting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// ErrClosed is the error of every call on a client that was closed.
var ErrClosed = errors.New("client is closed")

// DialError says that no connection to a node could be opened.
type DialError struct {
	Err     error
	RetryIn time.Duration // above 0: it was not tried again yet
}

func (e *DialError) Error() string {
	if e.RetryIn > 0 {
		return fmt.Sprintf("no connection: %v (next try in %v)", e.Err, e.RetryIn.Round(100*time.Millisecond))
	}
	return fmt.Sprintf("no connection: %v", e.Err)
}

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }

// ResponseError is an answer whose code is not Success.
type ResponseError struct {
	Code   ResponseCode
	Remark string // the node's words, cut to 4 KiB
}

func (e *ResponseError) Error() string {
	if e.Remark == "" {
		return e.Code.String()
	}
	return fmt.Sprintf("%s: %s", e.Code, firstLine(e.Remark))
}

// firstLine cuts a remark where its Java stack trace begins.
func firstLine(remark string) string {
	const longest = 300
	line := remark
	if i := strings.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	if line = cutText(line, longest); len(line) < len(remark) {
		line += " …"
	}
	return line
}

// requestError says of which node and request an error is. It is put in words
// only when somebody reads it: that a group is offline is an error too, of which
// a round has hundreds.
type requestError struct {
	addr string
	code RequestCode
	err  error
}

func (e *requestError) Error() string { return fmt.Sprintf("%s: %s: %v", e.addr, e.code, e.err) }

func (e *requestError) Unwrap() error { return e.err }

// ErrTimeout is wrapped by the error of a request whose answer did not come in
// its time.
var ErrTimeout = errors.New("no answer in time")

// ErrConnection is wrapped by the error of a request whose connection ended
// before its answer.
var ErrConnection = errors.New("connection ended")

// contextError is a context's cause, as a time-out or a cancellation, whatever
// words the caller has given it.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrTimeout, cause)
	case errors.Is(cause, err):
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// ErrNoAnswer is wrapped, beside ErrConnection, by the error of a request whose
// connection ended before it had brought any answer: whoever listens there may
// not be a node, or take no connection of this kind.
var ErrNoAnswer = errors.New("no answer ever came on it")

// Reason sorts an error of this package into one of a few words, fit for a
// label: timeout, canceled, resolve (the name has no address), connect, tls,
// connection_lost, malformed, busy, unsupported, login (the node does not take
// the credentials, or wants some), denied (it does, and a right is missing),
// not_found, offline, client_timeout (a consumer did not answer its broker),
// refused (any other code), other. It is empty for nil.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	if resp, ok := errors.AsType[*ResponseError](err); ok {
		return resp.reason()
	}
	if _, ok := errors.AsType[*TLSError](err); ok {
		return "tls"
	}
	switch {
	case errors.Is(err, ErrMalformed):
		return "malformed"
	case errors.Is(err, context.Canceled) || errors.Is(err, ErrClosed):
		return "canceled"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "resolve"
	}
	dial, dialed := errors.AsType[*DialError](err)
	switch {
	case dialed && errors.Is(dial.Err, ErrConnection): // in the pause after it
		return Reason(dial.Err)
	case dialed:
		return "connect"
	case errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, ErrConnection) || errors.Is(err, io.ErrUnexpectedEOF):
		return "connection_lost"
	}
	return "other"
}

func (e *ResponseError) reason() string {
	switch e.Code {
	case SystemBusy, FlowControl, GoAway:
		return "busy"
	case RequestCodeNotSupported:
		return "unsupported"
	case NoPermission:
		return e.access()
	case TopicNotExist, QueryNotFound, SubscriptionGroupAbsent:
		return "not_found"
	case ConsumerNotOnline:
		return "offline"
	case ConsumeMsgTimeout:
		return "client_timeout"
	case SystemError:
		// ACL 1.0 has no code of its own (AclException becomes SYSTEM_ERROR).
		if strings.Contains(e.Remark, "AclException") {
			return e.access()
		}
		// Nor has a process that has left (AdminBrokerProcessor.callConsumer).
		if strings.HasPrefix(e.Remark, "The Consumer <") && strings.HasSuffix(e.Remark, "> not online") {
			return "offline"
		}
		return "refused"
	default:
		return "refused"
	}
}

// access tells a refused login from a missing right, by the node's words: there
// is one code for both. What says neither is taken for a missing right, which
// costs less.
func (e *ResponseError) access() string {
	for _, words := range [...]string{
		"has no permission to access", // ACL 2.0, AclAuthorizationHandler; names stand in front
	} {
		if strings.Contains(e.Remark, words) {
			return "denied"
		}
	}
	for _, words := range [...]string{
		// ACL 2.0: DefaultAuthenticationHandler, UserAuthorizationHandler,
		// AbstractAuthenticationStrategy.
		"username cannot be null", "is not found", " not found.", "is disabled", "check signature failed", "Authentication failed",
		// ACL 1.0: PlainPermissionManager.validate.
		"No accessKey is configured", "No acl config for", "No PlainAccessResource for", "Check signature failed",
	} {
		if strings.Contains(e.Remark, words) {
			return "login"
		}
	}
	return "denied"
}
