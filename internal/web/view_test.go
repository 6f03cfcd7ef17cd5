package web

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 9: "9", 999: "999", 1000: "1,000", 12_345: "12,345", 123_456: "123,456", 1_234_567: "1,234,567",
		math.MaxInt64: "9,223,372,036,854,775,807",
	} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 999 * time.Millisecond: "999 ms", time.Second: "1.0 s", 9949 * time.Millisecond: "9.9 s",
		12300 * time.Millisecond: "12 s", 119 * time.Second: "119 s", 2 * time.Minute: "2 min", 119 * time.Minute: "119 min",
		2 * time.Hour: "2 h", 47 * time.Hour: "47 h", 50 * time.Hour: "2 days",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

// TestWorstPairs: the largest, in their order, and of equals those with the
// first names.
func TestWorstPairs(t *testing.T) {
	var rows []row
	for i := range 3 * worstCount {
		rows = append(rows, row{group: string(rune('A' + i)), topic: "t", backlog: int64(i % 5 * 100), holder: lag.NoHolder})
	}
	var want []string
	for _, backlog := range []int64{400, 300} {
		for _, r := range rows {
			if r.backlog == backlog && len(want) < worstCount {
				want = append(want, r.group)
			}
		}
	}
	var got []string
	for _, p := range worstPairs(report(snapshot("c", true), nil, rows...)) {
		got = append(got, p.Group)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the worst are %v, want %v", got, want)
	}
}

func TestWorstHolder(t *testing.T) {
	for _, c := range []struct {
		name   string
		rows   []row
		holder int32
		held   int64
	}{
		{"by sum", []row{{"g", "t", 0, 5, 0}, {"g", "t", 1, 4, 1}, {"g", "t", 2, 4, 1}}, 1, 8},
		{"nobody", []row{{"g", "t", 0, 5, 0}, {"g", "t", 1, 6, lag.NoHolder}}, lag.NoHolder, 6},
		{"of equals the first by name", []row{{"g", "t", 0, 5, 0}, {"g", "t", 1, 5, 1}, {"g", "t", 2, 5, 2}}, 2, 5},
		{"a process before nobody's nothing", []row{{"g", "t", 0, 5, 0}}, 0, 5},
		{"nobody and a process alike", []row{{"g", "t", 0, 5, 0}, {"g", "t", 1, 5, lag.NoHolder}}, lag.NoHolder, 5},
		{"other pairs do not count", []row{{"f", "t", 0, 99, 1}, {"g", "s", 0, 99, 1}, {"g", "t", 0, 5, 0}, {"g", "u", 0, 99, 1}}, 0, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := report(snapshot("c", true), processes(), c.rows...)
			i := slices.IndexFunc(r.Pairs, func(p lag.Pair) bool { return p.Group == "g" && p.Topic == "t" })
			if holder, held := worstHolder(r, &r.Pairs[i]); holder != c.holder || held != c.held {
				t.Errorf("%d holds %d, want %d and %d", holder, held, c.holder, c.held)
			}
		})
	}
}

// TestClockBehind: a snapshot from the future is 0 old.
func TestClockBehind(t *testing.T) {
	c := Cluster{Name: "c", LastRound: Whole, Report: report(snapshot("c", true), nil)}
	if v := newClusterView(&c, now().Add(-time.Hour)); v.Age != "0 ms" {
		t.Errorf("age %q", v.Age)
	}
}
