package poll

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
)

// logOf runs a Loop over rounds with the failures given, one round a second,
// and returns what it has logged: the lines of each round.
func logOf(t *testing.T, settle func(source.Failure) time.Duration, rounds ...[]source.Failure) []string {
	t.Helper()
	var lines []string
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		f := newFailureLog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		})), settle)
		for _, failures := range rounds {
			f.note(failures)
			lines = append(lines, out.String())
			out.Reset()
			time.Sleep(time.Second)
		}
	})
	return lines
}

func failure(target, step, reason string, count int, err string) source.Failure {
	return source.Failure{Cluster: "east", Target: target, Step: step, Reason: reason, Count: count, Err: errors.New(err)}
}

func TestAFailureIsLoggedWhenItBeginsAndWhenItHasEnded(t *testing.T) {
	one := func(port int) []source.Failure {
		return []source.Failure{failure("10.0.0.1:10911", "GET_ALL_TOPIC_CONFIG", "connect", 2, fmt.Sprintf("refused, from port %d", port))}
	}
	got := logOf(t, nil, nil, one(1), one(2), one(3), nil, nil, one(4))
	want := []string{
		"",
		`level=WARN msg="Cannot be read; repetitions are only counted" cluster=east target=10.0.0.1:10911 request=GET_ALL_TOPIC_CONFIG reason=connect count=2 err="refused, from port 1"` + "\n",
		"",
		"",
		`level=INFO msg="No longer fails" cluster=east target=10.0.0.1:10911 request=GET_ALL_TOPIC_CONFIG reason=connect rounds=3 count=6` + "\n",
		"",
		`level=WARN msg="Cannot be read; repetitions are only counted" cluster=east target=10.0.0.1:10911 request=GET_ALL_TOPIC_CONFIG reason=connect count=2 err="refused, from port 4"` + "\n",
	}
	compare(t, got, want)
}

func TestFailuresAreToldApart(t *testing.T) {
	got := logOf(t, nil,
		[]source.Failure{
			failure("a:1", "GET_CONSUME_STATS", "timeout", 1, "x"), failure("b:1", "GET_CONSUME_STATS", "timeout", 1, "x"),
			failure("a:1", "GET_TOPIC_STATS_INFO", "timeout", 1, "x"), failure("a:1", "GET_CONSUME_STATS", "busy", 1, "x"),
		},
		[]source.Failure{failure("a:1", "GET_CONSUME_STATS", "timeout", 1, "x")},
	)
	if n := strings.Count(got[0], "Cannot be read"); n != 4 {
		t.Errorf("%d failures begun, want 4:\n%s", n, got[0])
	}
	if n := strings.Count(got[1], "No longer fails"); n != 3 || strings.Contains(got[1], "Cannot be read") {
		t.Errorf("%d failures ended, want 3 and no more:\n%s", n, got[1])
	}
}

// What a source does not try in every round has not ended because one round
// says nothing of it.
func TestAFailureThatIsNotTriedInEachRoundEndsWhenItSettles(t *testing.T) {
	mute := []source.Failure{failure("a:1", "GET_CONSUMER_RUNNING_INFO", "client_timeout", 1, "x")}
	settle := func(f source.Failure) time.Duration {
		if f.Step == "GET_CONSUMER_RUNNING_INFO" {
			return 3 * time.Second
		}
		return 0
	}
	got := logOf(t, settle, mute, nil, nil, mute, nil, nil, nil, nil)
	want := []string{
		`level=WARN msg="Cannot be read; repetitions are only counted" cluster=east target=a:1 request=GET_CONSUMER_RUNNING_INFO reason=client_timeout count=1 err=x` + "\n",
		"", "", "", "", "",
		`level=INFO msg="No longer fails" cluster=east target=a:1 request=GET_CONSUMER_RUNNING_INFO reason=client_timeout rounds=2 count=2` + "\n",
		"",
	}
	compare(t, got, want)
}

func TestWhatTheFailureLogRemembersIsBounded(t *testing.T) {
	f := newFailureLog(slog.New(slog.DiscardHandler), nil)
	for round := range 100 {
		var list []source.Failure
		for i := range 10 {
			list = append(list, failure(fmt.Sprintf("10.0.%d.%d:10911", round, i), "GET_CONSUME_STATS", "timeout", 1, "x"))
		}
		f.note(list)
		if n := len(f.failed); n != 10 {
			t.Fatalf("round %d: %d failures remembered, want the 10 of the round", round, n)
		}
	}
	if f.note(nil); len(f.failed) != 0 {
		t.Errorf("%d failures remembered when all have ended", len(f.failed))
	}
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("round %d:\n got %q\nwant %q", i, got[i], want[i])
		}
	}
}
