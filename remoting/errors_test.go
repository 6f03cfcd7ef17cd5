package remoting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestReason(t *testing.T) {
	dns := &net.DNSError{Err: "no such host", Name: "x"}
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("?"), "other"},
		{fmt.Errorf("node: %w", ErrTimeout), "timeout"},
		{context.DeadlineExceeded, "timeout"},
		{context.Canceled, "canceled"},
		{ErrClosed, "canceled"},
		{fmt.Errorf("%w: %w", ErrConnection, ErrClosed), "canceled"},
		{&DialError{Err: dns}, "resolve"},
		{&DialError{Err: &net.OpError{Op: "dial", Err: dns}}, "resolve"},
		{&DialError{Err: errors.New("refused")}, "connect"},
		{&DialError{Err: context.DeadlineExceeded}, "connect"},
		{&DialError{Err: context.Canceled}, "canceled"},
		{fmt.Errorf("%w: %w", ErrConnection, io.EOF), "connection_lost"},
		{fmt.Errorf("frame: %w", io.ErrUnexpectedEOF), "connection_lost"},
		{fmt.Errorf("%w: %w", ErrConnection, ErrTimeout), "timeout"},
		{fmt.Errorf("%w: %w", ErrConnection, ErrMalformed), "malformed"},
		{bodyError(GetConsumeStats, ErrMalformed), "malformed"},
		{&ResponseError{Code: SystemBusy}, "busy"},
		{&ResponseError{Code: FlowControl}, "busy"},
		{&ResponseError{Code: GoAway}, "busy"},
		{fmt.Errorf("node: %w", &ResponseError{Code: RequestCodeNotSupported}), "unsupported"},
		{&ResponseError{Code: NoPermission}, "denied"},
		{&ResponseError{Code: SystemError, Remark: "org.apache.rocketmq.acl.common.AclException: No accessKey is configured"}, "login"},
		{&ResponseError{Code: SystemError, Remark: "java.lang.NullPointerException"}, "refused"},
		{&ResponseError{Code: SystemError, Remark: "The Consumer <billing> <10.0.0.1@7> not online"}, "offline"},
		{&ResponseError{Code: SystemError, Remark: "the broker is not online"}, "refused"},
		{&ResponseError{Code: TopicNotExist}, "not_found"},
		{&ResponseError{Code: QueryNotFound}, "not_found"},
		{&ResponseError{Code: SubscriptionGroupAbsent}, "not_found"},
		{&ResponseError{Code: ConsumerNotOnline}, "offline"},
		{&ResponseError{Code: ConsumeMsgTimeout}, "client_timeout"},
		{&ResponseError{Code: InvalidParameter}, "refused"},
		{&ResponseError{Code: 31999}, "refused"},
	} {
		if got := Reason(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestResponseErrorShowsOneShortLine(t *testing.T) {
	for _, c := range []struct{ remark, want string }{
		{"", "SYSTEM_ERROR"},
		{"short", "SYSTEM_ERROR: short"},
		{"first\r\n\tat org.apache", "SYSTEM_ERROR: first …"},
		{strings.Repeat("x", 300), "SYSTEM_ERROR: " + strings.Repeat("x", 300)},
		{strings.Repeat("x", 301), "SYSTEM_ERROR: " + strings.Repeat("x", 300) + " …"},
		{strings.Repeat("x", 299) + "主题", "SYSTEM_ERROR: " + strings.Repeat("x", 299) + " …"},
		{strings.Repeat("\x80", 400), "SYSTEM_ERROR: " + strings.Repeat("\x80", 300) + " …"},
	} {
		if got := (&ResponseError{Code: SystemError, Remark: c.remark}).Error(); got != c.want {
			t.Errorf("%.40q: %q, want %q", c.remark, got, c.want)
		}
	}
}

func TestDialErrorTellsOfTheNextTry(t *testing.T) {
	err := &DialError{Err: io.ErrClosedPipe, RetryIn: 1234 * time.Millisecond}
	if got := err.Error(); got != "no connection: io: read/write on closed pipe (next try in 1.2s)" || !errors.Is(err, io.ErrClosedPipe) {
		t.Error(got)
	}
}
