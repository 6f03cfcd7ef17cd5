// Package listing turns reports into the list that `rocketmq_exporter lag`
// prints: a table for people, or JSON for programs.
//
// It may hold the choice of rows, their order and their words. It has no clock,
// opens no connection, and does no arithmetic but the sum over what one process
// holds.
package listing

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// By says what one row of a list stands for.
type By string

// The kinds of list.
const (
	ByTopic  By = "topic"  // a topic as one consumer group consumes it
	ByQueue  By = "queue"  // one queue of that
	ByClient By = "client" // what one process of the group holds
)

// Kinds lists what By can be.
func Kinds() []By { return []By{ByTopic, ByQueue, ByClient} }

// Filter chooses rows. Patterns are those of a shell (path.Match): * and ?
// stand for any text and any character; empty chooses all.
type Filter struct{ Groups, Topics []string }

// Check finds patterns that cannot be read.
func (f Filter) Check() error {
	for _, p := range slices.Concat(f.Groups, f.Topics) {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("%q is no pattern: * and ? stand for any text and any character, [ab] for one of them", p)
		}
	}
	return nil
}

func (f Filter) takes(group, topic string) bool {
	return matches(f.Groups, group) && matches(f.Topics, topic)
}

func matches(patterns []string, name string) bool {
	if len(patterns) == 0 {
		return true
	}
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

// Row is one line of a list. What does not belong to its kind is absent.
type Row struct {
	Cluster string `json:"cluster"`
	Group   string `json:"consumerGroup"`
	Topic   string `json:"topic,omitempty"` // not by client: it may hold several

	Broker  string  `json:"broker,omitempty"`
	QueueID *int32  `json:"queueId,omitempty"`
	IP      *string `json:"consumerClientIP,omitempty"` // empty: nobody holds it
	PID     *string `json:"consumerClientPID,omitempty"`

	// Messages is the backlog; nil where nobody knows it.
	Messages *int64 `json:"messages"`
	// Seconds is the age of the oldest message not consumed; nil where nobody
	// knows it. AtMost: it is an upper bound.
	Seconds *float64 `json:"seconds"`
	AtMost  bool     `json:"secondsAtMost,omitempty"`

	State   string `json:"state,omitempty"`
	Members *int   `json:"members,omitempty"` // absent where nobody knows
	Queues  int    `json:"queues,omitempty"`  // by client: that it holds
}

// Rows lists reports, the largest backlog first. What nobody knows stands
// last; it is never left out, since unknown is not 0.
func Rows(reports []*lag.Report, f Filter, by By) []Row {
	var rows []Row
	for _, r := range reports {
		switch by {
		case ByQueue:
			rows = appendQueues(rows, r, f)
		case ByClient:
			rows = appendClients(rows, r, f)
		case ByTopic:
			rows = appendPairs(rows, r, f)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(b.order(), a.order()) })
	return rows
}

func (r *Row) order() int64 {
	if r.Messages == nil {
		return model.Unknown
	}
	return *r.Messages
}

// AllAged says whether the age of every backlog that is listed is known.
func AllAged(reports []*lag.Report, f Filter) bool {
	for _, r := range reports {
		for i := range r.Pairs {
			if p := &r.Pairs[i]; p.Rows > 0 && p.Backlog > 0 && p.Lag == lag.NoLag && f.takes(p.Group, p.Topic) {
				return false
			}
		}
	}
	return true
}

func appendPairs(rows []Row, r *lag.Report, f Filter) []Row {
	for i := range r.Pairs {
		p := &r.Pairs[i]
		if !f.takes(p.Group, p.Topic) {
			continue
		}
		row := Row{Cluster: r.Snapshot.Cluster, Group: p.Group, Topic: p.Topic, State: p.State.String(), AtMost: p.AtMost}
		if p.Rows > 0 {
			row.Messages = &p.Backlog
		}
		if p.Lag != lag.NoLag && p.Rows > 0 {
			row.Seconds = seconds(p.Lag)
		}
		if members := int(p.Members); members != int(model.Unknown) {
			row.Members = &members
		}
		row.AtMost = row.AtMost && row.Seconds != nil
		rows = append(rows, row)
	}
	return rows
}

func appendQueues(rows []Row, r *lag.Report, f Filter) []Row {
	for i := range r.Details {
		d := &r.Details[i]
		pair := r.PairOf(d)
		if !f.takes(pair.Group, pair.Topic) {
			continue
		}
		for _, queue := range r.AppendRows(nil, d) {
			row := Row{
				Cluster: r.Snapshot.Cluster, Group: pair.Group, Topic: pair.Topic, Broker: r.BrokerOf(d),
				QueueID: &queue.QueueID, Messages: &queue.Backlog, Seconds: age(&queue),
			}
			row.IP, row.PID = holder(r, queue.Holder)
			rows = append(rows, row)
		}
	}
	return rows
}

func age(row *lag.Row) *float64 {
	if row.Age == lag.NoAge {
		return nil
	}
	return seconds(time.Duration(row.Age) * lag.AgeUnit)
}

func seconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

func holder(r *lag.Report, h int32) (ip, pid *string) {
	if h == lag.NoHolder {
		return new(string), new(string)
	}
	return &r.Processes[h].IP, &r.Processes[h].PID
}

// appendClients sums what each process of a group holds. Queues that nobody
// holds are one row, so that the list adds up to the backlog of the group.
func appendClients(rows []Row, r *lag.Report, f Filter) []Row {
	type key struct {
		group  string
		holder int32
	}
	places := make(map[key]int)
	var queues []lag.Row
	for i := range r.Details {
		d := &r.Details[i]
		pair := r.PairOf(d)
		if !f.takes(pair.Group, pair.Topic) {
			continue
		}
		queues = r.AppendRows(queues[:0], d)
		for j := range queues {
			k := key{pair.Group, queues[j].Holder}
			place, ok := places[k]
			if !ok {
				place = len(rows)
				places[k] = place
				row := Row{Cluster: r.Snapshot.Cluster, Group: pair.Group, Messages: new(int64)}
				row.IP, row.PID = holder(r, k.holder)
				if len(r.Age) > 0 {
					row.Seconds = new(float64)
				}
				rows = append(rows, row)
			}
			rows[place].add(&queues[j])
		}
	}
	return rows
}

// add counts one queue: the oldest message of all is what the process is
// behind, and one queue of unknown age makes that unknown.
func (r *Row) add(queue *lag.Row) {
	*r.Messages += min(queue.Backlog, maxMessages-*r.Messages)
	r.Queues++
	age := age(queue)
	if r.Seconds != nil && age != nil {
		*r.Seconds = max(*r.Seconds, *age)
	} else {
		r.Seconds = nil
	}
}

const maxMessages = 1<<63 - 1

// severalClusters says whether rows need the cluster's name to be told apart.
func severalClusters(rows []Row) bool {
	return slices.ContainsFunc(rows, func(r Row) bool { return r.Cluster != rows[0].Cluster })
}

func words(list []By) string {
	text := make([]string, len(list))
	for i, b := range list {
		text[i] = string(b)
	}
	return strings.Join(text, ", ")
}

// ParseBy reads a kind of list.
func ParseBy(s string) (By, error) {
	if by := By(s); slices.Contains(Kinds(), by) {
		return by, nil
	}
	return "", fmt.Errorf("%q is none of %s", s, words(Kinds()))
}
