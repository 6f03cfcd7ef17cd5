package lag_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// TestRules has one row per rule of truth that arithmetic can hold.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		name       string
		make       func(w *world)
		rows       []string
		pairs      []lag.Pair // where more than the rows matters
		incomplete int
	}{
		{
			name: "rule 1: the backlog is the end minus the commit",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100, 50})
				w.commit("a", "orders", "billing", 97, 50)
				w.offline("billing", "")
			},
			rows:  []string{"billing orders a/0 - = 3", "billing orders a/1 - = 0"},
			pairs: []lag.Pair{{Topic: "orders", Group: "billing", Backlog: 3, Rows: 2}},
		},
		{
			name: "rule 1: a commit beyond the end is no backlog below 0, it is ahead",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100, 50, 9})
				w.commit("a", "orders", "billing", 130, 45, 10)
				w.offline("billing", "")
			},
			rows:  []string{"billing orders a/0 - = 0", "billing orders a/1 - = 5", "billing orders a/2 - = 0"},
			pairs: []lag.Pair{{Topic: "orders", Group: "billing", Backlog: 5, Rows: 3, Ahead: 31}},
		},
		{
			name: "rule 2: an end that nobody told makes no row",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{unknown, 50})
				w.commit("a", "orders", "billing", 97, 45)
				w.offline("billing", "")
			},
			rows: []string{"billing orders a/1 - = 5"},
		},
		{
			name: "rule 2: a pair without any known queue has no backlog, not one of 0",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{unknown})
				w.commit("a", "orders", "billing", 97)
				w.offline("billing", "")
			},
			pairs: []lag.Pair{{Topic: "orders", Group: "billing"}},
		},
		{
			name: "rule 2: an old part stands in and is counted",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100})
				w.commit("a", "orders", "billing", 97)
				w.topic("b", "orders", nil, []int64{10})
				w.commit("b", "orders", "billing", 9)
				w.part("b").Age = 2
				w.offline("billing", "")
			},
			rows:       []string{"billing orders a/0 - = 3", "billing orders b/0 - = 1"},
			incomplete: 1,
		},
		{
			name: "rule 2: a part with missing topics is counted, once",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100})
				w.commit("a", "orders", "billing", 97)
				w.part("a").Missing = 5
				w.offline("billing", "")
			},
			rows:       []string{"billing orders a/0 - = 3"},
			incomplete: 1,
		},
		{
			name: "rule 2: while nobody tells who is online, the backlog stays and has no process",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100})
				w.commit("a", "orders", "billing", 97)
				w.Groups = append(w.Groups, &model.Group{Name: "billing"})
			},
			rows: []string{"billing orders a/0 - = 3"},
		},
		{
			name: "rule 3: what a deleted group has left is nothing",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100})
				w.commit("a", "orders", "billing", 97)
				w.commit("a", "orders", "deleted", 1)
				w.offline("billing", "")
			},
			rows: []string{"billing orders a/0 - = 3"},
		},
		{
			name: "rule 3: each queue stands under the process that holds it",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{10, 20, 30, 40})
				w.commit("a", "orders", "billing", 0, 0, 0, 0)
				g := w.online("billing", []string{"orders"}, "10.0.0.1@7#1", "10.0.0.2@8#2")
				own(g, "orders", "a", 1, 0, model.NoOwner) // queue 3 is newer than the answer
			},
			rows: []string{
				"billing orders a/0 10.0.0.2:8 = 10", "billing orders a/1 10.0.0.1:7 = 20",
				"billing orders a/2 - = 30", "billing orders a/3 - = 40",
			},
		},
		{
			name: "rule 3: one process of several groups is one process",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{10})
				for _, name := range []string{"billing", "stock"} {
					w.commit("a", "orders", name, 4)
					own(w.online(name, []string{"orders"}, "10.0.0.1@7#1"), "orders", "a", 0)
				}
			},
			rows: []string{"billing orders a/0 10.0.0.1:7 = 6", "stock orders a/0 10.0.0.1:7 = 6"},
		},
		{
			name: "rule 4: what brokers keep for a broadcasting group is a leftover",
			make: func(w *world) {
				w.topic("a", "notices", nil, []int64{100})
				w.commit("a", "notices", "cache", 3) // of a former life as a clustering group
				g := w.online("cache", []string{"notices"}, "10.0.0.1@DEFAULT", "10.0.0.2@DEFAULT")
				local(g, 0, "notices", "a", []int64{100}, []int64{100})
				local(g, 1, "notices", "a", []int64{98}, []int64{100})
			},
			rows:  []string{"cache notices a/0 10.0.0.1:DEFAULT = 0", "cache notices a/0 10.0.0.2:DEFAULT = 2"},
			pairs: []lag.Pair{{Topic: "notices", Group: "cache", Backlog: 2, Rows: 2}},
		},
		{
			name: "rule 4: a broadcasting group stays one when it is offline",
			make: func(w *world) {
				w.topic("a", "notices", nil, []int64{100})
				w.commit("a", "notices", "cache", 3)
				w.offline("cache", model.Broadcasting)
			},
		},
		{
			name: "rule 4: the brokers' minimum has no process",
			make: func(w *world) {
				g := w.online("cache", []string{"notices"}, "10.0.0.1@DEFAULT")
				local(g, model.NoClient, "notices", "a", []int64{90, unknown, 5}, []int64{100, 7})
			},
			rows: []string{"cache notices a/0 - = 10"},
		},
		{
			name: "rule 4: processes on one host that share their labels add up",
			make: func(w *world) {
				g := w.online("cache", []string{"notices"}, "10.0.0.1@DEFAULT@u1", "10.0.0.1@DEFAULT@u2")
				local(g, 0, "notices", "a", []int64{90, 1}, []int64{100, 1})
				local(g, 1, "notices", "a", []int64{95, unknown, 0}, []int64{100, 1, 4})
			},
			rows: []string{
				"cache notices a/0 10.0.0.1:DEFAULT = 15", "cache notices a/1 10.0.0.1:DEFAULT = 0",
				"cache notices a/2 10.0.0.1:DEFAULT = 4",
			},
		},
		{
			name: "rule 4: a process ahead of the end has no backlog",
			make: func(w *world) {
				g := w.online("cache", []string{"notices"}, "10.0.0.1@DEFAULT")
				local(g, 0, "notices", "a", []int64{101, 0}, []int64{100, unknown})
			},
			rows: []string{"cache notices a/0 10.0.0.1:DEFAULT = 0"},
		},
		{
			name: "rule 5: an online group has no backlog on a topic that it left",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100})
				w.topic("a", "returns", nil, []int64{100})
				w.commit("a", "orders", "billing", 97)
				w.commit("a", "returns", "billing", 1)
				w.online("billing", []string{"orders"}, "10.0.0.1@7#1")
			},
			rows: []string{"billing orders a/0 - = 3"},
		},
		{
			name: "rule 5: an offline group keeps its backlog, without a process",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100})
				w.topic("a", "returns", nil, []int64{100})
				w.commit("a", "orders", "billing", 97)
				w.commit("a", "returns", "billing", 99)
				w.offline("billing", model.Clustering)
			},
			rows: []string{"billing orders a/0 - = 3", "billing returns a/0 - = 1"},
		},
		{
			name: "rule 5: a pull consumer tells no subscription and has what it commits",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100})
				w.commit("a", "orders", "puller", 97)
				own(w.online("puller", nil, "10.0.0.1@7#1"), "orders", "a", 0)
			},
			rows: []string{"puller orders a/0 10.0.0.1:7 = 3"},
		},
		{
			name: "rules 5 and 9: retry topics belong to a group, and to a topic that it subscribes",
			make: func(w *world) {
				for i, name := range []string{
					"%RETRY%billing", "%RETRY%billing_orders", "%RETRY%billing+orders", // its own
					"%RETRY%billing_returns", "%RETRY%billing+returns", // of a topic that it left
					"%RETRY%billing2", "%RETRY%billingorders", "%RETRY%", "%RETRY%bill", "%RETRY%billing+", // others'
				} {
					w.topic("a", name, nil, []int64{int64(i) + 1})
					w.commit("a", name, "billing", 0)
				}
				w.online("billing", []string{"orders"}, "10.0.0.1@7#1")
			},
			rows: []string{
				"billing %RETRY%billing a/0 - = 1", "billing %RETRY%billing+orders a/0 - = 3",
				"billing %RETRY%billing_orders a/0 - = 2",
			},
		},
		{
			name: "rule 7: a dead-letter topic has no backlog, online or offline",
			make: func(w *world) {
				w.topic("a", "%DLQ%billing", []int64{0}, []int64{40})
				w.commit("a", "%DLQ%billing", "billing", 0)
				w.commit("a", "%DLQ%billing", "undertaker", 0)
				w.online("undertaker", []string{"%DLQ%billing"}, "10.0.0.1@7#1")
				w.offline("billing", "")
			},
		},
		{
			name: "rule 7: retry topics count as topics",
			make: func(w *world) {
				w.topic("a", "%RETRY%billing", nil, []int64{40})
				w.commit("a", "%RETRY%billing", "billing", 30)
				w.offline("billing", "")
			},
			rows: []string{"billing %RETRY%billing a/0 - = 10"},
		},
		{
			name: "rule 8: a queue never committed counts from 0 while it begins at 0",
			make: func(w *world) {
				w.topic("a", "orders", []int64{0, 0}, []int64{100, 70})
				w.commit("a", "orders", "billing", 97, unknown)
				w.offline("billing", "")
			},
			rows:  []string{"billing orders a/0 - = 3", "billing orders a/1 - = 70"},
			pairs: []lag.Pair{{Topic: "orders", Group: "billing", Backlog: 73, Rows: 2}},
		},
		{
			name: "rule 8: where retention has moved the beginning, or nobody told it, there is no row",
			make: func(w *world) {
				w.topic("a", "orders", []int64{0, 60, unknown}, []int64{100, 70, 80})
				w.commit("a", "orders", "billing", 97, unknown, unknown)
				w.offline("billing", "")
			},
			rows:  []string{"billing orders a/0 - = 3"},
			pairs: []lag.Pair{{Topic: "orders", Group: "billing", Backlog: 3, Rows: 1, Uncommitted: 2}},
		},
		{
			name: "rule 8: an empty queue holds no question",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{100, 0})
				w.commit("a", "orders", "billing", 97, unknown)
				w.offline("billing", "")
			},
			rows:  []string{"billing orders a/0 - = 3", "billing orders a/1 - = 0"},
			pairs: []lag.Pair{{Topic: "orders", Group: "billing", Backlog: 3, Rows: 2}},
		},
		{
			name: "rule 10: offsets that no log can reach break no sum",
			make: func(w *world) {
				const most = 1<<63 - 1
				w.topic("a", "orders", nil, []int64{most, most})
				w.commit("a", "orders", "billing", 0, 1)
				w.topic("b", "orders", nil, []int64{0, 1})
				w.commit("b", "orders", "billing", most, most)
				w.offline("billing", "")
			},
			rows: []string{
				"billing orders a/0 - = 9223372036854775807", "billing orders a/1 - = 9223372036854775806",
				"billing orders b/0 - = 0", "billing orders b/1 - = 0",
			},
			pairs: []lag.Pair{{
				Topic: "orders", Group: "billing", Rows: 4,
				Backlog: 1<<63 - 1, Ahead: 1<<63 - 1,
			}},
		},
		{
			name: "rule 10: a process without a name cannot be told from none",
			make: func(w *world) {
				w.topic("a", "orders", nil, []int64{10})
				w.commit("a", "orders", "billing", 4)
				own(w.online("billing", []string{"orders"}, ""), "orders", "a", 0)
			},
			rows: []string{"billing orders a/0 - = 6"},
		},
		{name: "nothing at all", make: func(*world) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w world
			c.make(&w)
			r := lag.Build(&w.Snapshot)
			if got := rows(r); !slices.Equal(got, c.rows) {
				t.Errorf("rows:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.rows, "\n"))
			}
			if c.pairs != nil && !slices.EqualFunc(r.Pairs, c.pairs, sameBacklog) {
				t.Errorf("pairs: %+v\nwant:  %+v", r.Pairs, c.pairs)
			}
			if r.Incomplete != c.incomplete {
				t.Errorf("incomplete brokers: %d, want %d", r.Incomplete, c.incomplete)
			}
			if err := consistent(r); err != nil {
				t.Error(err)
			}
		})
	}
}

// sameBacklog compares what does not need the past.
func sameBacklog(a, b lag.Pair) bool {
	return a.Topic == b.Topic && a.Group == b.Group && a.Backlog == b.Backlog && a.Rows == b.Rows && a.Ahead == b.Ahead && a.Uncommitted == b.Uncommitted
}

// TestOrder: the lists are sorted by the names in them, whatever the order in
// which parts and groups came.
func TestOrder(t *testing.T) {
	var w world
	for _, broker := range []string{"b", "a"} {
		for _, topic := range []string{"y", "x"} {
			w.topic(broker, topic, nil, []int64{9, 9})
			w.commit(broker, topic, "h", 1, 2)
			w.commit(broker, topic, "g", 3, 4)
		}
	}
	w.offline("h", "")
	w.offline("g", "")
	want := []string{
		"g x a/0 - = 6", "g x a/1 - = 5", "g x b/0 - = 6", "g x b/1 - = 5",
		"g y a/0 - = 6", "g y a/1 - = 5", "g y b/0 - = 6", "g y b/1 - = 5",
		"h x a/0 - = 8", "h x a/1 - = 7", "h x b/0 - = 8", "h x b/1 - = 7",
		"h y a/0 - = 8", "h y a/1 - = 7", "h y b/0 - = 8", "h y b/1 - = 7",
	}
	if got := rows(lag.Build(&w.Snapshot)); !slices.Equal(got, want) {
		t.Errorf("rows:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestUp(t *testing.T) {
	for _, c := range []struct {
		name    string
		brokers []bool
		want    bool
	}{
		{"no broker", nil, false},
		{"none answered", []bool{false, false}, false},
		{"some answered", []bool{false, true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := lag.Report{Snapshot: &model.Snapshot{}}
			for _, up := range c.brokers {
				r.Snapshot.Brokers = append(r.Snapshot.Brokers, model.Broker{Up: up})
			}
			if got := r.Up(); got != c.want {
				t.Errorf("Up() = %t, want %t", got, c.want)
			}
		})
	}
}
