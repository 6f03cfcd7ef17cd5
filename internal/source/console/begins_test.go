package console

import (
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// TestStatsOfATopicMadeAnew: of queues that are left out what was told before stands
// in, unless it was told of another topic of that name.
func TestStatsOfATopicMadeAnew(t *testing.T) {
	on := model.TopicOnBroker{Topic: "orders", Broker: "broker-a"}
	for _, c := range []struct {
		name          string
		end           int64
		began, stored int64
	}{
		{"the same", 110, 50, 9000},
		{"made anew", 3, model.Unknown, model.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Source{stats: make(map[model.TopicOnBroker]*stats)}
			take := func(told span) {
				s.takeStats(on.Topic, map[model.TopicOnBroker]span{on: told}, 1, time.Unix(1, 0))
			}
			take(span{begins: []int64{40, 50}, ends: []int64{100, 100}, stored: 9000})
			take(span{begins: []int64{0}, ends: []int64{c.end}, stored: model.Unknown}) // queue 1 is only read any more
			if got := s.stats[on].beganAt(1); got != c.began {
				t.Errorf("queue 1 began at %d, want %d", got, c.began)
			}
			if got := s.stats[on].newest(2); got != c.stored {
				t.Errorf("the newest message is of %d, want %d", got, c.stored)
			}
		})
	}
}
