package listing

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// shop is a report with a pair that is behind, one that is not, and one of
// which nothing is known.
func shop(cluster string) *lag.Report {
	r := &lag.Report{
		Snapshot: &model.Snapshot{Cluster: cluster},
		Age:      []int32{100, 800, lag.NoAge, 0},
		Processes: []lag.Process{
			{IP: "10.0.0.1", PID: "11", Backlog: 10}, {IP: "10.0.0.2", PID: "22", Backlog: 20},
		},
		Pairs: []lag.Pair{
			{Topic: "orders", Group: "billing", Backlog: 35, State: lag.Lagging, Members: 2, Lag: 80 * time.Second, AtMost: true},
			{Topic: "payments", Group: "fraud", State: lag.OK, Members: 1},
			{Topic: "stock", Group: "fraud", State: lag.Undecided, Members: int32(model.Unknown), Lag: lag.NoLag},
		},
	}
	r.AddRows(0, "broker-a", lag.Row{Backlog: 10}, lag.Row{QueueID: 1, Backlog: 20, Holder: 1})
	r.AddRows(0, "broker-b", lag.Row{Backlog: 5, Holder: lag.NoHolder})
	r.AddRows(1, "broker-a", lag.Row{})
	return r
}

func table(t *testing.T, by By, f Filter, reports ...*lag.Report) string {
	t.Helper()
	var b strings.Builder
	if err := WriteTable(&b, Rows(reports, f, by), by); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTables(t *testing.T) {
	for _, c := range []struct {
		name    string
		by      By
		filter  Filter
		reports []*lag.Report
		want    string
	}{
		{"by topic, the worst first and the unknown last", ByTopic, Filter{}, []*lag.Report{shop("a")}, `
GROUP    TOPIC     MESSAGES  BEHIND   STATE    MEMBERS
billing  orders    35        <=1m20s  lagging  2
fraud    payments  0         0s       ok       1
fraud    stock     ?         ?        unknown  ?
`},
		{"by queue", ByQueue, Filter{Groups: []string{"bill*"}}, []*lag.Report{shop("a")}, `
GROUP    TOPIC   BROKER    QUEUE  CLIENT IP  PID  MESSAGES  BEHIND
billing  orders  broker-a  1      10.0.0.2   22   20        1m20s
billing  orders  broker-a  0      10.0.0.1   11   10        10s
billing  orders  broker-b  0      -          -    5         ?
`},
		{"by client", ByClient, Filter{}, []*lag.Report{shop("a")}, `
GROUP    CLIENT IP  PID  QUEUES  MESSAGES  BEHIND
billing  10.0.0.2   22   1       20        1m20s
billing  10.0.0.1   11   1       10        10s
billing  -          -    1       5         ?
fraud    10.0.0.1   11   1       0         0s
`},
		{"several clusters", ByTopic, Filter{Topics: []string{"pay*", "none"}}, []*lag.Report{shop("a"), shop("b")}, `
CLUSTER  GROUP  TOPIC     MESSAGES  BEHIND  STATE  MEMBERS
a        fraud  payments  0         0s      ok     1
b        fraud  payments  0         0s      ok     1
`},
		{"nothing", ByTopic, Filter{Groups: []string{"none"}}, []*lag.Report{shop("a")}, `
Nothing to list: no consumer group has committed on any topic that was asked for.
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := "\n" + table(t, c.by, c.filter, c.reports...); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// What is not listed is not waited for.
func TestAllAged(t *testing.T) {
	aged, young := shop("a"), shop("b")
	young.Pairs[0].Lag = lag.NoLag
	for _, c := range []struct {
		name   string
		filter Filter
		report *lag.Report
		want   bool
	}{
		{"ages are known, but for what has no backlog", Filter{}, aged, true},
		{"one is not", Filter{}, young, false},
		{"it is listed", Filter{Groups: []string{"bill*"}, Topics: []string{"orders"}}, young, false},
		{"its group is not listed", Filter{Groups: []string{"fraud"}}, young, true},
		{"its topic is not listed", Filter{Topics: []string{"payments"}}, young, true},
	} {
		if got := AllAged([]*lag.Report{aged, c.report}, c.filter); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestNamesCannotMoveTheCursor(t *testing.T) {
	r := shop("a")
	r.Pairs[0].Topic = "or\x1b[2Jders\tx\n"
	if got := table(t, ByTopic, Filter{}, r); !strings.Contains(got, "or\uFFFD[2Jders\uFFFDx\uFFFD  35") {
		t.Errorf("got\n%q", got)
	}
}

func TestJSONTellsUnknownFromZero(t *testing.T) {
	var b strings.Builder
	if err := WriteJSON(&b, Rows([]*lag.Report{shop("a")}, Filter{}, ByTopic)); err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal([]byte(b.String()), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 || strings.Count(b.String(), "\n") != 1 {
		t.Fatalf("got %s", b.String())
	}
	if rows[1]["messages"] != 0.0 || rows[1]["seconds"] != 0.0 {
		t.Errorf("no backlog: %v", rows[1])
	}
	if m, told := rows[2]["messages"]; m != nil || !told {
		t.Errorf("unknown backlog: %v", rows[2])
	}
	if _, told := rows[2]["members"]; told {
		t.Errorf("unknown members: %v", rows[2])
	}
	b.Reset()
	if err := WriteJSON(&b, nil); err != nil || b.String() != "[]\n" {
		t.Errorf("nothing is %q, %v", b.String(), err)
	}
}

func TestPatternsThatCannotBeRead(t *testing.T) {
	if err := (Filter{Groups: []string{"a*", "[b"}}).Check(); err == nil || !strings.Contains(err.Error(), `"[b"`) {
		t.Errorf("got %v", err)
	}
	if err := (Filter{Topics: []string{"%RETRY%*", "a?c"}}).Check(); err != nil {
		t.Error(err)
	}
}

func TestKindsOfLists(t *testing.T) {
	if by, err := ParseBy("client"); by != ByClient || err != nil {
		t.Errorf("got %q, %v", by, err)
	}
	if _, err := ParseBy("broker"); err == nil || !strings.Contains(err.Error(), "topic, queue, client") {
		t.Errorf("got %v", err)
	}
}

func TestSpans(t *testing.T) {
	for want, seconds := range map[string]float64{
		"0s": 0.2, "59s": 59, "1m0s": 59.9, "3m20s": 200, "2h5m": 7500, "1d3h": 97200, "400d0h": 400 * 86400,
	} {
		if got := span(seconds); got != want {
			t.Errorf("span(%v) = %s, want %s", seconds, got, want)
		}
	}
}
