package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Reasons of failures, fit for a label.
const (
	reasonConnect    = "connect"
	reasonTimeout    = "timeout"
	reasonCanceled   = "canceled"
	reasonHTTPStatus = "http_status"
	reasonNotJSON    = "not_json"
	reasonRefused    = "refused"
	reasonLogin      = "login"
	reasonTooLarge   = "too_large"
	reasonMalformed  = "malformed"
)

// Reason is why a call failed, in a few fixed words; empty for nil.
func Reason(err error) string {
	var call *callError
	var refused *refusedError
	var network net.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &call):
		return call.reason
	case errors.As(err, &refused):
		return reasonRefused
	case errors.Is(err, context.Canceled):
		return reasonCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return reasonTimeout
	}
	return reasonConnect
}

// callError is a failure with a reason.
type callError struct {
	reason string
	err    error
}

func (e *callError) Error() string { return e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

func failf(reason, format string, args ...any) error {
	return &callError{reason, fmt.Errorf(format, args...)}
}

// errNoPath: the console does not know the path.
var errNoPath = errors.New("is the URL right, with the context path?")

// errShape is an answer that is JSON and not what was asked for.
var errShape = errors.New("the answer has another shape than expected")

// readError says what a failure to read or decode an answer is.
func readError(err error) error {
	var call *callError
	var refused *refusedError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &call), errors.As(err, &refused):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &callError{reasonMalformed, errors.New("the answer ends in its middle")}
	case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, errShape):
		return &callError{reasonMalformed, err}
	}
	return err // of the connection
}

// refusedError is an answer with a status other than 0. Code is RocketMQ's code
// in its words, 0 where there is none.
type refusedError struct {
	code    int
	message string
}

func (e *refusedError) Error() string {
	if e.message == "" {
		return "the console refuses without a word"
	}
	return "the console refuses: " + e.message
}

// Response codes that the console passes on (ResponseCode).
const (
	codeTopicNotExist     = 17
	codeConsumerNotOnline = 206
)

var codeInWords = regexp.MustCompile(`CODE: (\d+)`)

// maxWords bounds what is repeated of the console's words.
const maxWords = 300

func newRefused(message string) *refusedError {
	e := &refusedError{message: clean(message)}
	if m := codeInWords.FindStringSubmatch(message); m != nil {
		e.code, _ = strconv.Atoi(m[1])
	}
	return e
}

// clean makes somebody else's words fit for a log line.
func clean(words string) string {
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, words)
	if runes := []rune(words); len(runes) > maxWords {
		words = string(runes[:maxWords]) + "…"
	}
	return words
}

// refusedWith says whether the console refused with one of RocketMQ's codes.
func refusedWith(err error, codes ...int) bool {
	refused, ok := errors.AsType[*refusedError](err)
	return ok && slices.Contains(codes, refused.code)
}

// isNoQueue says whether the console was told of no queue in a topic's stats, which
// it refuses to show (DefaultMQAdminExtImpl.examineTopicStats). Before 5.3.0 that
// is so of a topic that nobody may write to any more.
func isNoQueue(err error) bool {
	refused, ok := errors.AsType[*refusedError](err)
	return ok && strings.Contains(refused.message, "Not found the topic stats info")
}

// refusalNames finds an address in the words of a refusal, as in "connect to
// 10.0.0.1:10911 failed".
func refusalNames(err error, addr string) bool {
	refused, ok := errors.AsType[*refusedError](err)
	if !ok || addr == "" {
		return false
	}
	for rest := refused.message; ; {
		i := strings.Index(rest, addr)
		if i < 0 {
			return false
		}
		before, after := rest[:i], rest[i+len(addr):]
		if (before == "" || !isAddrByte(before[len(before)-1])) && (after == "" || after[0] < '0' || after[0] > '9') {
			return true
		}
		rest = after
	}
}

func isAddrByte(b byte) bool {
	return b >= '0' && b <= '9' || b == '.' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '-'
}
