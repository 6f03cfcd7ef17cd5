package source

import (
	"fmt"
	"slices"
	"testing"
)

// Each group is in one shard, and shards are about as large as each other.
func TestEachGroupIsInOneShard(t *testing.T) {
	const groups = 10_000
	for _, total := range []int{2, 3, 4, 7, 16} {
		sizes := make([]int, total)
		for g := range groups {
			n := 0
			for i := range total {
				if (Shard{Index: i, Total: total}).Has(fmt.Sprintf("group-%d", g)) {
					sizes[i]++
					n++
				}
			}
			if n != 1 {
				t.Fatalf("group-%d is in %d of %d shards", g, n, total)
			}
		}
		if least, most := slices.Min(sizes), slices.Max(sizes); most-least > groups/total/4 {
			t.Errorf("%d shards of %v groups", total, sizes)
		}
	}
	for _, s := range []Shard{{}, {Total: 1}} {
		if !s.Has("any") || !s.First() {
			t.Errorf("%+v lacks a group", s)
		}
	}
}

// Where a group is may never change: shards of different releases run side by
// side while they are replaced.
func TestWhereGroupsAre(t *testing.T) {
	for group, want := range map[string]int{"": 2, "billing": 3, "fraud-check": 0, "GID_订单": 1, "warehouse": 3} {
		for i := range 4 {
			if (Shard{Index: i, Total: 4}).Has(group) != (i == want) {
				t.Errorf("%q is in shard %d of 4: %v", group, i, i != want)
			}
		}
	}
}

// Dead letters are for the shard of their group, other topics that nobody
// consumes for the first.
func TestIdleTopics(t *testing.T) {
	for i := range 4 {
		s := Shard{Index: i, Total: 4}
		w := Selection{Shard: s}.For("c", nil)
		for topic, want := range map[string]bool{
			"orders": i == 0, "%DLQ%billing": i == 0 || s.Has("billing"), "%RETRY%billing": i == 0, "%DLQ%warehouse": i == 0 || s.Has("warehouse"),
		} {
			if got := w.Idle(topic); got != want {
				t.Errorf("shard %d wants %s: %v", i, topic, got)
			}
		}
	}
	if !(Selection{}).For("c", nil).Idle("orders") {
		t.Error("without shards one has all")
	}
}
