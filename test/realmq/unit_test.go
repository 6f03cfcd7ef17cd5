package realmq

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestParseProgress(t *testing.T) {
	// As printed by the two versions.
	const printed4 = `#Topic                                                            #Broker Name                      #QID  #Broker Offset        #Consumer Offset      #Client IP           #Diff                 #LastTime
%RETRY%billing                                                    broker-a                          0     0                     0                     N/A                  0                     N/A
orders                                                            broker-a                          3     1250                  1216                  192.0.2.2            34                    2026-11-23 04:09:42

Consume TPS: 1000.00
Diff Total: 34
`
	const printed5 = `#Topic                                                            #Broker Name                      #QID  #Broker Offset        #Consumer Offset      #Client IP           #Diff                #Inflight           #LastTime
orders                                                            broker-a                          0     1250                  1248                  192.0.2.2            2                    7                    2026-11-23 04:11:13

Consume TPS: 1000.00
Consume Diff Total: 14
Consume Inflight Total: 14
`
	for _, test := range []struct {
		name, printed string
		want          []ProgressRow
	}{
		{"4.x", printed4, []ProgressRow{
			{Topic: "%RETRY%billing", Broker: "broker-a"},
			{Topic: "orders", Broker: "broker-a", QueueID: 3, BrokerOffset: 1250, ConsumerOffset: 1216, Diff: 34, ClientIP: "192.0.2.2"},
		}},
		{"5.x", printed5, []ProgressRow{
			{Topic: "orders", Broker: "broker-a", BrokerOffset: 1250, ConsumerOffset: 1248, Diff: 2, Inflight: 7, ClientIP: "192.0.2.2"},
		}},
		{"5.x after a warning", "some warning\n" + printed5, []ProgressRow{
			{Topic: "orders", Broker: "broker-a", BrokerOffset: 1250, ConsumerOffset: 1248, Diff: 2, Inflight: 7, ClientIP: "192.0.2.2"},
		}},
	} {
		got, err := parseProgress(test.printed)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
	for _, printed := range []string{"", "#Topic", printed4[:400], strings.Replace(printed4, "1250", "many", 1)} {
		if rows, err := parseProgress(printed); err == nil {
			t.Errorf("parsed %q as %+v", printed, rows)
		}
	}
}

func TestRestoreCutNames(t *testing.T) {
	long := strings.Repeat("t", 70)
	row := ProgressRow{Topic: long[:printedTopic], Broker: "b", QueueID: 1}
	full := []GroupOffset{
		{Queue: Queue{Topic: long, Broker: "b", ID: 0}},
		{Queue: Queue{Topic: long, Broker: "b", ID: 1}},
		{Queue: Queue{Topic: long, Broker: "c", ID: 1}},
	}
	if err := row.restore(full); err != nil || row.Topic != long {
		t.Errorf("restored %+v, %v", row, err)
	}
	row = ProgressRow{Topic: long[:printedTopic], Broker: "b", QueueID: 1}
	if err := row.restore(append(full, GroupOffset{Queue: Queue{Topic: long + "2", Broker: "b", ID: 1}})); err == nil {
		t.Errorf("an ambiguous name was restored to %+v", row)
	}
}

func TestInstallOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "rocketmq", "lib")
	broken := errors.New("broken")
	if err := installOnce(t.Context(), dir, func(string) error { return broken }); !errors.Is(err, broken) {
		t.Fatalf("failed installation: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Fatal("a failed installation left its folder")
	}
	var fills atomic.Int32
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			err := installOnce(t.Context(), dir, func(unfinished string) error {
				fills.Add(1)
				return os.WriteFile(filepath.Join(unfinished, "a.jar"), nil, 0o644)
			})
			if err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(dir, "a.jar")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := fills.Load(); got != 1 {
		t.Errorf("installed %d times at once, want 1", got)
	}
}

func TestInstallNeedsTools(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Install(t.Context(), Version5)
	if err == nil || !strings.Contains(err.Error(), "java, mvn") {
		t.Errorf("without tools: %v", err)
	}
	if _, err := Install(t.Context(), "../5.5.0"); err == nil {
		t.Error("installed a path")
	}
}

func TestPortReservation(t *testing.T) {
	t.Parallel()
	reservation, err := reserveBrokerPorts()
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []int{reservation.port - 2, reservation.port, reservation.port + 1} {
		// A server that sets SO_REUSEADDR, as Go does too, has the port …
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			t.Fatalf("listen on a reserved port: %v", err)
		}
		listener.Close()
		// … while nobody else can reserve it.
		other := &portReservation{}
		if _, err := other.bind(port); err == nil {
			t.Errorf("port %d was reserved twice", port)
		}
		if err := other.release(); err != nil {
			t.Error(err)
		}
	}
	if err := reservation.release(); err != nil {
		t.Error(err)
	}
}

func TestPollKeepsTheReason(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
	defer cancel()
	reason := errors.New("no queue yet")
	calls := 0
	err := Poll(ctx, func(ctx context.Context) error {
		if calls++; calls > 1 {
			<-ctx.Done()
			return ctx.Err()
		}
		return reason
	})
	if !errors.Is(err, reason) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Poll returned %v, want both the reason and the deadline", err)
	}
}
