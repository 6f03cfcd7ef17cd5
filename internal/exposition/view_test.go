package exposition

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// views are reports of which everything is written.
func views(reports ...*lag.Report) []*View {
	list := make([]*View, len(reports))
	for i, r := range reports {
		list[i] = Rules{Families: everything()}.View(r)
	}
	return list
}

// lines are the series of a view, without their headers, by family.
func lines(t *testing.T, v *View) map[string][]string {
	t.Helper()
	for _, f := range []Format{Text, OpenMetrics} {
		var b bytes.Buffer
		series, err := newEncoder(newLayout("rocketmq")).write(&b, f, []*View{v})
		if err != nil {
			t.Fatal(err)
		}
		byFamily := make(map[string][]string)
		n := 0
		header := ""
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if name, ok := strings.CutPrefix(line, "# HELP "); ok {
				header, _, _ = strings.Cut(name, " ")
				continue
			}
			if strings.HasPrefix(line, "#") {
				continue
			}
			name, _, _ := strings.Cut(line, "{")
			if f == Text && name != header {
				t.Fatalf("series of %s below the header of %s", name, header)
			}
			byFamily[name] = append(byFamily[name], line)
			n++
		}
		if series != n {
			t.Fatalf("%d series were written, %d were counted", n, series)
		}
		if f == OpenMetrics {
			return byFamily
		}
		for name := range byFamily {
			if strings.Count(b.String(), "# HELP "+name+" ") != 1 {
				t.Fatalf("%s has not one header:\n%s", name, b.String())
			}
		}
	}
	return nil
}

func count(m map[string][]string) int {
	n := 0
	for _, l := range m {
		n += len(l)
	}
	return n
}

// weigh is the weight of a line by an own way: the backlog behind its labels.
func weigh(r *lag.Report, line string) int64 {
	label := func(name string) (string, bool) {
		_, rest, ok := strings.Cut(line, name+`="`)
		value, _, _ := strings.Cut(rest, `"`)
		return value, ok
	}
	topic, hasTopic := label("topic")
	group, hasGroup := label("consumerGroup")
	ip, hasIP := label("consumerClientIP")
	pid, _ := label("consumerClientPID")
	queue, hasQueue := label("queueId")
	broker, _ := label("broker")
	switch {
	case hasTopic && hasGroup && hasQueue:
		for _, d := range r.Details {
			pair := r.PairOf(&d)
			for _, row := range r.AppendRows(nil, &d) {
				var p lag.Process
				if h := row.Holder; h != lag.NoHolder {
					p = r.Processes[h]
				}
				if pair.Topic == topic && pair.Group == group && r.BrokerOf(&d) == broker && itoa(row.QueueID) == queue && p.IP == ip && p.PID == pid {
					return row.Backlog
				}
			}
		}
	case hasTopic && hasGroup:
		for _, p := range r.Pairs {
			if p.Topic == topic && p.Group == group {
				return p.Backlog
			}
		}
	case hasTopic:
		for _, s := range r.Topics {
			if s.Name == topic {
				return s.Backlog
			}
		}
	case hasIP:
		for _, p := range r.Processes {
			if p.IP == ip && p.PID == pid {
				return p.Backlog
			}
		}
	case hasGroup:
		for _, s := range r.Groups {
			if s.Name == group {
				return s.Backlog
			}
		}
	case hasQueue:
		for _, q := range r.Queues {
			if q.Broker == broker && itoa(q.QueueID) == queue {
				return q.Backlog
			}
		}
	}
	return -1
}

// Whatever the limits are: what is written is what would be written without
// them, never more than they allow, and always the worst.
func TestLimitsKeepTheWorst(t *testing.T) {
	report := wide(600, 20)
	whole := lines(t, Rules{Families: everything()}.View(report))
	for _, limits := range []struct{ family, all int }{{1, 0}, {5, 0}, {50, 0}, {599, 0}, {100_000, 0}, {0, 2500}, {0, 700}, {0, 1200}, {0, 100_000}, {20, 400}, {300, 900}} {
		t.Run(fmt.Sprintf("family=%d,all=%d", limits.family, limits.all), func(t *testing.T) {
			v := Rules{Families: everything(), FamilyLimit: limits.family, Limit: limits.all}.View(report)
			got := lines(t, v)
			if n := count(got); limits.all > 0 && n > limits.all {
				t.Errorf("%d series", n)
			}
			left := make(map[string]int)
			for _, d := range v.Dropped {
				if d.Rule == RuleLimit && limits.all == 0 || d.Rule == RuleFamilyLimit && limits.family == 0 {
					t.Errorf("there is no such limit: %+v", d)
				}
				left[d.Family.Family().FullName("rocketmq")] += d.Series
			}
			for name, all := range whole {
				kept := got[name]
				if len(all)-len(kept) != left[name] {
					t.Errorf("%s: %d of %d are written, and %d are said to be left out", name, len(kept), len(all), left[name])
				}
				if limits.family > 0 && strings.Contains(all[0], "topic=") && len(kept) > limits.family {
					t.Errorf("%s: %d series", name, len(kept))
				}
				least := int64(1 << 62)
				for _, line := range kept {
					if !slices.Contains(all, line) {
						t.Fatalf("%s is new", line)
					}
					least = min(least, weigh(report, line))
				}
				if len(kept) == 0 {
					continue
				}
				for _, line := range all {
					if !slices.Contains(kept, line) && weigh(report, line) > least {
						t.Errorf("%s is left out, with %d, and one with %d is not", line, weigh(report, line), least)
					}
				}
			}
			if n := len(got["rocketmq_consumergroup_state"]); n%len(lag.States()) != 0 {
				t.Errorf("%d states: a set is torn", n)
			}
			// What there are few of stays.
			for _, name := range []string{"rocketmq_up", "rocketmq_broker_up", "rocketmq_msg_diff_broker"} {
				if !slices.Equal(got[name], whole[name]) {
					t.Errorf("%s is cut", name)
				}
			}
		})
	}
}

// A limit on all series takes from the largest families first.
func TestTheLimitOfAllCutsTheLargest(t *testing.T) {
	report := wide(600, 20)
	whole := lines(t, Rules{}.View(report))
	limit := count(whole) - 100
	v := Rules{Limit: limit}.View(report)
	if n := count(lines(t, v)); n > limit || n < limit-len(whole) {
		t.Errorf("%d series, allowed are %d", n, limit)
	}
	for _, d := range v.Dropped {
		if d.Rule != RuleLimit || d.Family != family.MsgDiffDetail {
			t.Errorf("%+v", d)
		}
	}
	if len(v.Dropped) != 1 {
		t.Errorf("%+v", v.Dropped)
	}
}

func TestEachRuleIsCounted(t *testing.T) {
	report := wide(600, 20)
	ip := report.Processes[0].IP
	v := Rules{
		Families: family.Choice{}, FamilyLimit: 100, Limit: 500,
		Clients: func(of, _ string) bool { return of != ip },
	}.View(report)
	rules := make(map[Rule]bool)
	for _, d := range v.Dropped {
		rules[d.Rule] = true
		if d.Series <= 0 {
			t.Errorf("%+v", d)
		}
	}
	if want := map[Rule]bool{RuleClients: true, RuleFamilyLimit: true, RuleLimit: true}; !maps.Equal(rules, want) {
		t.Errorf("%v: %+v", rules, v.Dropped)
	}
}

// A process that is filtered out has no series, and is in all sums.
func TestClientsThatAreFilteredOut(t *testing.T) {
	report := wide(600, 20)
	out := report.Processes[3]
	whole := lines(t, Rules{Families: everything()}.View(report))
	for _, detail := range []Detail{ByQueue, ByClient, ByGroup} {
		v := Rules{Families: everything(), Detail: detail, Clients: func(ip, pid string) bool { return ip != out.IP || pid != out.PID }}.View(report)
		got := lines(t, v)
		mark := fmt.Sprintf("consumerClientIP=%q,consumerClientPID=%q", out.IP, out.PID)
		for name, list := range got {
			for _, line := range list {
				if strings.Contains(line, mark) {
					t.Errorf("it shows: %s", line)
				}
			}
			if name == "rocketmq_msg_diff_detail" || strings.Contains(whole[name][0], "consumerClientIP") {
				continue
			}
			if !slices.Equal(list, whole[name]) {
				t.Errorf("%s is another", name)
			}
		}
		if detail == ByQueue && len(got["rocketmq_msg_diff_detail"]) >= len(whole["rocketmq_msg_diff_detail"]) {
			t.Error("no row is left out: the test shows nothing")
		}
	}
}

// At each level the rows add up to the sums, and say no more than they should.
func TestLevelsOfDetail(t *testing.T) {
	report := wide(600, 20)
	for _, report := range []*lag.Report{report, usual("east")} {
		wholeSums := lines(t, Rules{Families: everything()}.View(report))
		for detail, want := range map[Detail]string{
			ByQueue: "", ByClient: `broker="",queueId="",`, ByGroup: `broker="",queueId="",consumerClientIP="",consumerClientPID=""`,
		} {
			got := lines(t, Rules{Families: everything(), Detail: detail}.View(report))
			sums := make(map[string]int64)
			seen := make(map[string]bool)
			for _, line := range got["rocketmq_msg_diff_detail"] {
				labels, value, _ := strings.Cut(line, "} ")
				if seen[labels] {
					t.Errorf("it is there twice: %s", line)
				}
				seen[labels] = true
				if !strings.Contains(line, want) {
					t.Errorf("level %d has %s", detail, line)
				}
				pair, _, _ := strings.Cut(labels, `,broker=`)
				var n int64
				if _, err := fmt.Sscan(value, &n); err != nil {
					t.Fatal(err)
				}
				sums[strings.Replace(pair, "_detail", "_topic_consumergroup", 1)] += n
			}
			for _, line := range got["rocketmq_msg_diff_topic_consumergroup"] {
				labels, value, _ := strings.Cut(line, "} ")
				if fmt.Sprint(sums[labels]) != value {
					t.Errorf("level %d: the rows of %s add up to %d", detail, line, sums[labels])
				}
			}
			delete(got, "rocketmq_msg_diff_detail")
			for name, list := range got {
				if !slices.Equal(list, wholeSums[name]) {
					t.Errorf("level %d: %s is another", detail, name)
				}
			}
		}
	}
}

func TestFamiliesArePerCluster(t *testing.T) {
	choose := func(enable, disable []string) family.Choice {
		c, err := family.Choose(enable, disable)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := Rules{Families: choose([]string{"queue_lag_seconds"}, nil)}.View(usual("a"))
	b := Rules{Families: choose(nil, []string{"broker_up"})}.View(usual("b"))
	var out bytes.Buffer
	if _, err := newEncoder(newLayout("rocketmq")).write(&out, Text, []*View{a, b}); err != nil {
		t.Fatal(err)
	}
	for series, want := range map[string]bool{
		`rocketmq_queue_lag_seconds{cluster="a"`: true, `rocketmq_queue_lag_seconds{cluster="b"`: false,
		`rocketmq_broker_up{cluster="a"`: true, `rocketmq_broker_up{cluster="b"`: false,
		`rocketmq_up{cluster="a"`: true, `rocketmq_up{cluster="b"`: true,
	} {
		if strings.Contains(out.String(), series) != want {
			t.Errorf("%s: there %v, want %v", series, !want, want)
		}
	}
}

// The threshold is the one that sorting finds.
func TestThreshold(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, most := range []int64{1, 3, 2000, 2047, 2048, 5000, 1 << 40, math.MaxInt64} {
		for range 200 {
			c := &candidates{}
			var wanted []int64
			for range 1 + random.IntN(50) {
				w := int64(unwanted)
				if random.IntN(4) > 0 {
					w = unknown + int64(random.Uint64N(uint64(most)+1))
					if random.IntN(8) == 0 {
						w = most
					}
					wanted = append(wanted, w)
				}
				c.weights = append(c.weights, w)
			}
			slices.SortFunc(wanted, func(a, b int64) int { return cmp.Compare(b, a) })
			for n := range len(wanted) + 1 {
				least, ties := c.threshold(n)
				kept := 0
				for _, w := range wanted {
					if w > least {
						kept++
					}
				}
				if n == 0 && kept+ties != 0 || n > 0 && (least != wanted[n-1] || kept+ties != n) {
					t.Fatalf("%d of %v: %d of %d, and those above", n, wanted, ties, least)
				}
			}
		}
	}
}
