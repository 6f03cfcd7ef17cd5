package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/test/realmq"
)

// shortStates are settings that let states show as soon as a test can see them,
// and a group that was set back for as long as a busy machine needs to get there.
func shortStates() []string {
	return []string{"--states.lagging=2s", "--states.stalled=5s", "--states.stopped=3s", "--states.rewound-after=2s", "--states.rewound-for=1h"}
}

// state says that a group is in a state on a topic, and in no other.
func (s *story) state(x exposition, group, topic, want string) error {
	var is []string
	for _, v := range x.find("rocketmq_consumergroup_state", "consumerGroup", group, "topic", topic) {
		if v.value == 1 {
			is = append(is, v.labels["state"])
		}
	}
	if len(is) != 1 || is[0] != want {
		return fmt.Errorf("group %s on %s is %v, want %s", group, topic, is, want)
	}
	return nil
}

// seconds compares the lag of a suspended group with what the brokers say of the
// first message that it has not consumed.
func (s *story) seconds(t *testing.T) {
	const group, topic = "cg_payments", "payments"
	s.eventually("the suspended group is stalled", func(x exposition) error {
		return s.state(x, group, topic, "stalled")
	})
	// Sent, read and scraped at different moments, a second apart each.
	const tolerance = 3.5
	s.eventually("its lag is that of the brokers", func(x exposition) error {
		got, err := x.find("rocketmq_consumergroup_lag_seconds", "consumerGroup", group, "topic", topic).one()
		if err != nil {
			return err
		}
		spans, err := s.mq.TimeSpans(t.Context(), topic, group)
		if err != nil {
			return err
		}
		want := worst(spans)
		if math.Abs(got-want.Seconds()) > tolerance || want < 4*time.Second {
			return fmt.Errorf("%v s, the brokers say %v: %+v", got, want, spans)
		}
		t.Logf("lag %v s, the brokers say %v", got, want)
		return nil
	})
	x := must[exposition](t)(s.exporter.scrape(t.Context()))
	for _, idle := range []string{"cg_orders", "cg_go"} {
		if v, err := x.find("rocketmq_consumergroup_lag_seconds", "consumerGroup", idle, "topic", "orders").one(); err != nil || v != 0 {
			t.Errorf("lag of %s, which has consumed all: %v, %v", idle, v, err)
		}
		if err := s.state(x, idle, "orders", "ok"); err != nil {
			t.Error(err)
		}
	}
	// One that has just started was not there when the messages came: it asks
	// the brokers how old they are.
	fresh := startExporter(t, s.mq.NameServer(), shortStates()...)
	realmq.Eventually(t, within, func(ctx context.Context) error {
		x, err := fresh.scrape(ctx)
		if err != nil {
			return err
		}
		got, err := x.find("rocketmq_consumergroup_lag_seconds", "consumerGroup", group, "topic", topic).one()
		if err != nil {
			return err
		}
		spans, err := s.mq.TimeSpans(ctx, topic, group)
		if err != nil {
			return err
		}
		if want := worst(spans).Seconds(); got < want-tolerance {
			t.Errorf("an exporter that has just started: lag %v s, the brokers say %v", got, want)
		} else if got > want+tolerance {
			return fmt.Errorf("lag %v s, the brokers say %v", got, want)
		}
		return s.state(x, group, topic, "stalled")
	})
}

// worst is the longest that a message has waited.
func worst(spans []realmq.TimeSpan) time.Duration {
	longest := time.Duration(0)
	for _, s := range spans {
		if s.Delay < 365*24*time.Hour { // not where the broker does not know
			longest = max(longest, s.Delay)
		}
	}
	return longest
}

// offline: nobody is online and messages wait.
func (s *story) offline(*testing.T) {
	s.eventually("the offline group is stopped", func(x exposition) error {
		return s.state(x, "cg_offline", "idle", "stopped")
	})
}

// Of the group whose offsets are reset.
const resetGroup, resetTopic = "cg_reset", "failing"

// reset sets a group back to the beginning, as mqadmin does it: its client lets
// go of what it has, and waits for ten seconds.
func (s *story) reset(t *testing.T) {
	s.eventually("the group has consumed everything", func(x exposition) error {
		return errors.Join(s.groupBacklog(x, resetGroup, 0), s.state(x, resetGroup, resetTopic, "ok"))
	})
	s.consumed = s.consumedBy(must[exposition](t)(s.exporter.scrape(t.Context())))
	if _, err := s.mq.Admin(t.Context(), "resetOffsetByTime", "-g", resetGroup, "-t", resetTopic, "-s", "0"); err != nil {
		t.Fatal(err)
	}
}

// rewound: the group was set back, and consumes again.
func (s *story) rewound(t *testing.T) {
	s.eventually("the group is rewound", func(x exposition) error { return s.state(x, resetGroup, resetTopic, "rewound") })
	s.eventually("and has caught up again", func(x exposition) error { return s.groupBacklog(x, resetGroup, 0) })
	more := s.consumedBy(must[exposition](t)(s.exporter.scrape(t.Context()))) - s.consumed
	if more <= 0 || more > 400 {
		t.Errorf("it has consumed %v messages more, of 400 that it consumed again", more)
	}
}

func (s *story) consumedBy(x exposition) float64 {
	return x.find("rocketmq_consumergroup_consumed_messages_total", "consumerGroup", resetGroup, "topic", resetTopic).sum()
}
