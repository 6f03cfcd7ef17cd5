package store

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// TestLetsGo: a history keeps no snapshot alive, and not the lists of offsets
// that it does not need.
func TestLetsGo(t *testing.T) {
	var h History
	var snaps []weak.Pointer[model.Snapshot]
	var parts []weak.Pointer[model.Part]
	var begins, ends, committed []weak.Pointer[byte]
	for i := range 4 {
		s := large(4, i, nil)
		h.Add(s)
		p := s.Parts[0].Part
		snaps, parts = append(snaps, weak.Make(s)), append(parts, weak.Make(p))
		begins, ends = append(begins, memoryOf(&p.Begins)), append(ends, memoryOf(&p.Ends))
		committed = append(committed, memoryOf(&p.Committed))
	}
	runtime.GC()
	for i := range snaps {
		if snaps[i].Value() != nil || parts[i].Value() != nil || begins[i].Value() != nil {
			t.Errorf("snapshot %d of 4 is kept", i)
		}
		if (ends[i].Value() != nil) != (i >= 2) {
			t.Errorf("the ends of snapshot %d of 4: kept or not is wrong", i)
		}
		if (committed[i].Value() != nil) != (i == 3) {
			t.Errorf("the commits of snapshot %d of 4: kept or not is wrong", i)
		}
	}
	if s := large(4, 9, nil); h.Holds(s) || h.Holds(nil) {
		t.Error("a snapshot is held that was not added")
	}
	runtime.KeepAlive(&h)
}

// memoryOf is where the first block of a list stands.
func memoryOf(o *model.Offsets) weak.Pointer[byte] {
	block := reflect.ValueOf(o).Elem().FieldByName("blocks").Index(0)
	return weak.Make((*byte)(block.FieldByName("values").UnsafePointer()))
}

// TestPartsAtOnce: what brokers tell is added up alike on one processor and on
// many.
func TestPartsAtOnce(t *testing.T) {
	story := func(procs int) *History {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		h := &History{}
		for round := range 12 {
			h.Add(spread(round))
		}
		return h
	}
	one, many := story(1), story(8)
	for _, name := range []string{"topic-0", "topic-1", "topic-2"} {
		if got, want := *many.TopicOf(name), *one.TopicOf(name); got != want || got.Produced == 0 {
			t.Errorf("%s: %+v at once, %+v one by one", name, got, want)
		}
		for _, group := range []string{"group-0", "group-1"} {
			if got, want := *many.PairOf(name, group), *one.PairOf(name, group); !reflect.DeepEqual(got, want) || got.Consumed == 0 {
				t.Errorf("%s, %s: %+v at once, %+v one by one", name, group, got, want)
			}
		}
	}
	for b := range one.parts {
		if got, want := many.parts[b].moved, one.parts[b].moved; !reflect.DeepEqual(got, want) {
			t.Errorf("broker %d: commits moved at %v at once, at %v one by one", b, got, want)
		}
	}
}

// spread is a round of 16 brokers that all have the same topics and groups, on
// some of which commits go back, and return.
func spread(round int) *model.Snapshot {
	s := &model.Snapshot{Ended: began().Add(time.Duration(round) * interval), Groups: []*model.Group{{Name: "group-0"}, {Name: "group-1"}}}
	for b := range 16 {
		p := &model.Part{Broker: fmt.Sprintf("broker-%d", b), Taken: s.Ended.Add(time.Duration(b-16) * Unit), Groups: []string{"group-0", "group-1"}}
		for i := range 3 {
			p.Topics = append(p.Topics, model.Topic{Name: fmt.Sprintf("topic-%d", i), First: int32(2 * i), Queues: 2})
			for q := range 2 {
				p.Ends.Append(int64(1000 + (b+q)*round))
				p.Begins.Append(0)
			}
			for g := range 2 {
				p.Commits = append(p.Commits, model.Commits{Group: int32(g), Topic: int32(i), First: int32(p.Committed.Len())})
				commit := int64(900 + b*round)
				if (b+i)%3 == 0 && g == 1 {
					commit -= int64(round % 4 * 100)
				}
				p.Committed.Append(commit, commit-1)
			}
		}
		s.Parts = append(s.Parts, model.PartOfRound{Part: p})
	}
	return s
}

// TestCountsLater: the leftovers of a group that did not count are waited for
// since it last did not.
func TestCountsLater(t *testing.T) {
	s := newStage()
	s.groups["billing"] = &model.Group{Name: "billing", Model: model.Broadcasting}
	for range 5 {
		s.set([]int64{100}, []int64{50})
		s.next()
	}
	s.groups["billing"] = &model.Group{Name: "billing"}
	for range 2 {
		s.next()
	}
	if got, want := s.Part(0).Moved(0, 1)[0].duration(), 4*interval; got != want {
		t.Errorf("moved %v after the first look, want %v", got, want)
	}
}
