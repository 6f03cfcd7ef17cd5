package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// queueStat is one queue as one group consumes it (QueueStatInfo).
type queueStat struct {
	Broker    string `json:"brokerName"`
	Queue     int64  `json:"queueId"`
	End       int64  `json:"brokerOffset"`
	Committed int64  `json:"consumerOffset"`
	Consumed  int64  `json:"lastTimestamp"`
	Client    string `json:"clientInfo"`
}

// readTopicsOfGroup reads /consumer/queryTopicByConsumer.query, a list of
// TopicConsumerInfo. 2.1 and later list a topic once for each broker.
func readTopicsOfGroup(d *decoder, t table) error {
	rows := 0
	return d.array(maxTopics, func() error { return readProgress(d, &rows, t) })
}

// readGroupsOfTopic reads /topic/queryConsumerByTopic.query, a map of group to
// TopicConsumerInfo. A group whose numbers the console could not get has no
// queue.
func readGroupsOfTopic(d *decoder) (map[string]table, error) {
	groups := make(map[string]table)
	rows := 0
	err := d.object(func(group string) error {
		t := table{}
		if err := readProgress(d, &rows, t); err != nil {
			return err
		}
		group = strings.TrimPrefix(group, systemPrefix)
		if group == "" || len(group) > maxName || len(groups) >= maxGroups {
			d.odd++
			return nil
		}
		groups[group] = t
		return nil
	})
	return groups, err
}

// readProgress reads one TopicConsumerInfo into a table.
func readProgress(d *decoder, rows *int, t table) error {
	var topic string
	var stats []queueStat
	err := d.object(func(key string) error {
		switch key {
		case "topic":
			return d.value(&topic)
		case "queueStatInfoList":
			return d.array(maxRows, func() error {
				if *rows++; *rows > maxRows {
					return fmt.Errorf("%w: more than %d rows", errShape, maxRows)
				}
				// What is not told must not look like an offset of 0.
				s := queueStat{Queue: -1, End: model.Unknown, Committed: model.Unknown}
				if fits, err := d.entry(&s); err != nil || !fits {
					return err
				}
				s.Broker, s.Client = d.name(s.Broker), d.name(s.Client)
				stats = append(stats, s)
				return nil
			})
		}
		return d.skip()
	})
	if err != nil {
		return err
	}
	if topic = d.name(topic); topic == "" {
		d.odd += max(len(stats), 1)
		return nil
	}
	for i := range stats {
		grown, ok := t.add(topic, &stats[i])
		if !ok {
			d.odd++
		}
		// A single forged queue id makes a cell as wide.
		if d.queues += grown; d.queues > maxWidth {
			return fmt.Errorf("%w: more than %d queues", errShape, maxWidth)
		}
	}
	return nil
}

// table is rows by topic and broker.
type table map[model.TopicOnBroker]*cell

// cell is how far one group is on one topic of one broker. Each slice holds one
// value per queue.
type cell struct {
	ends, committed []int64
	consumed        []int64  // when the message in front of the commit was stored
	clients         []string // ids, empty where nobody is known to hold the queue
	taken           time.Time
	age             int // rounds since it was read
}

// add puts one row into its cell. It says by how many queues the cell has grown,
// and whether the row makes sense.
func (t table) add(topic string, s *queueStat) (grown int, ok bool) {
	if s.Broker == "" || s.Queue < 0 || s.Queue >= maxQueues || s.End < 0 {
		return 0, false
	}
	key := model.TopicOnBroker{Topic: topic, Broker: s.Broker}
	c := t[key]
	if c == nil {
		c = &cell{}
		t[key] = c
	}
	for ; len(c.ends) <= int(s.Queue); grown++ {
		c.ends = append(c.ends, model.Unknown)
		c.committed = append(c.committed, model.Unknown)
		c.consumed = append(c.consumed, model.Unknown)
		c.clients = append(c.clients, "")
	}
	c.ends[s.Queue], c.committed[s.Queue], c.clients[s.Queue] = s.End, max(s.Committed, model.Unknown), s.Client
	if s.Consumed > 0 {
		c.consumed[s.Queue] = s.Consumed
	}
	return grown, true
}

// sum adds all commits up: they moved or not.
func (c *cell) sum() int64 {
	sum := int64(0)
	for _, n := range c.committed {
		sum += max(n, 0) // may wrap, which is a move too
	}
	return sum
}

// held is what one process of a broadcasting group said of itself: its own
// commits by queue id.
type held map[model.TopicOnBroker][]int64

// readRunning reads /consumer/consumerRunningInfo.query (ConsumerRunningInfo).
// The keys of its tables are MessageQueue.toString(): Jackson has no other way
// to write a key.
func readRunning(d *decoder) (held, error) {
	h := make(held)
	total := 0
	err := d.object(func(key string) error {
		if key != "mqTable" {
			return d.skip()
		}
		return d.object(func(key string) error {
			q := struct {
				Commit  int64 `json:"commitOffset"`
				Dropped bool  `json:"droped"`
			}{Commit: model.Unknown}
			fits, err := d.entry(&q)
			if err != nil || !fits || q.Dropped {
				return err
			}
			on, id, ok := parseQueue(key)
			if !ok {
				d.odd++
				return nil
			}
			if total += max(id+1-len(h[on]), 0); total > maxRows {
				return fmt.Errorf("%w: more than %d queues", errShape, maxRows)
			}
			h[on] = widen(h[on], id+1)
			h[on][id] = max(q.Commit, model.Unknown)
			return nil
		})
	})
	return h, err
}

// span is where the queues of a topic on one broker begin and end, and when the
// newest message was stored.
type span struct {
	begins, ends []int64
	stored       int64
}

// readStats reads /topic/stats.query (TopicStatsTable).
func readStats(d *decoder) (map[model.TopicOnBroker]span, error) {
	spans := make(map[model.TopicOnBroker]span)
	total := 0
	err := d.object(func(key string) error {
		if key != "offsetTable" {
			return d.skip()
		}
		return d.object(func(key string) error {
			o := struct {
				Min    int64 `json:"minOffset"`
				Max    int64 `json:"maxOffset"`
				Stored int64 `json:"lastUpdateTimestamp"`
			}{model.Unknown, model.Unknown, model.Unknown}
			fits, err := d.entry(&o)
			if err != nil || !fits {
				return err
			}
			on, id, ok := parseQueue(key)
			if !ok || o.Min < 0 || o.Max < 0 {
				d.odd++
				return nil
			}
			s, ok := spans[on]
			if !ok {
				s.stored = model.Unknown
			}
			if total += max(id+1-len(s.ends), 0); total > maxRows {
				return fmt.Errorf("%w: more than %d queues", errShape, maxRows)
			}
			s.begins, s.ends = widen(s.begins, id+1), widen(s.ends, id+1)
			if s.begins[id], s.ends[id] = o.Min, o.Max; o.Stored > 0 && o.Max > 0 {
				s.stored = max(s.stored, o.Stored)
			}
			spans[on] = s
			return nil
		})
	})
	return spans, err
}

func widen(list []int64, n int) []int64 {
	if n <= len(list) {
		return list
	}
	return append(list, slices.Repeat([]int64{model.Unknown}, n-len(list))...)
}

// parseQueue takes "MessageQueue [topic=T, brokerName=B, queueId=N]" apart
// (MessageQueue.toString).
func parseQueue(text string) (on model.TopicOnBroker, id int, ok bool) {
	text, ok = strings.CutPrefix(text, "MessageQueue [topic=")
	if !ok {
		return on, 0, false
	}
	text, ok = strings.CutSuffix(text, "]")
	i := strings.LastIndex(text, ", queueId=")
	if !ok || i < 0 || len(text) > 3*maxName {
		return on, 0, false
	}
	id, err := strconv.Atoi(text[i+len(", queueId="):])
	topic, broker, ok := strings.Cut(text[:i], ", brokerName=")
	if err != nil || !ok || id < 0 || id >= maxQueues || topic == "" || broker == "" {
		return on, 0, false
	}
	return model.TopicOnBroker{Topic: topic, Broker: broker}, id, true
}
