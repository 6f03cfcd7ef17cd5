package model

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// all are the offsets of a list, told in both ways.
func all(t *testing.T, o Offsets) []int64 {
	t.Helper()
	list := o.AppendTo(nil, 0, o.Len())
	for i, v := range list {
		if at := o.At(i); at != v {
			t.Fatalf("at %d: %d, in a run %d", i, at, v)
		}
	}
	return list
}

func equal(t *testing.T, o Offsets, want []int64) {
	t.Helper()
	if got := all(t, o); !slices.Equal(got, want) {
		t.Fatalf("%d, want %d", got, want)
	}
}

func TestOffsets(t *testing.T) {
	long := make([]int64, 3*blockLen+1)
	for i := range long {
		long[i] = 1<<40 + int64(i)
	}
	for name, values := range map[string][]int64{
		"none":             {},
		"few":              {0, 1, Unknown, 7},
		"all unknown":      {Unknown, Unknown},
		"the largest":      {math.MaxInt64, math.MaxInt64 - 1},
		"far from another": {5, 1 << 40, Unknown, 6, math.MaxInt64, 0},
		"the last code":    {0, 1<<32 - 2, 1<<32 - 1, 1 << 32},
		"below the base":   {1 << 33, 1<<33 - 1},
		"blocks":           long,
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, OffsetsOf(values...), values)
			o := MakeOffsets(len(values))
			o.AppendUnknown(len(values))
			for i := range slices.Backward(values) {
				o.Set(i, values[i])
			}
			equal(t, o, values)
			for i := range values {
				o.Set(i, -7)
			}
			equal(t, o, slices.Repeat([]int64{Unknown}, len(values)))
		})
	}
}

func TestRunOfOffsets(t *testing.T) {
	var values []int64
	for i := range int64(2*blockLen + 9) {
		values = append(values, i)
	}
	values[blockLen] = math.MaxInt64 // the second block is wide
	o := OffsetsOf(values...)
	var run Run
	for _, span := range [][2]int32{{0, 0}, {0, 1}, {blockLen - 1, 1}, {blockLen - 1, 2}, {3, 2*blockLen + 6}, {2*blockLen + 9, 0}} {
		first, n := span[0], span[1]
		if got := run.Read(&o, first, n); !slices.Equal(got, values[first:first+n]) {
			t.Errorf("%d from %d on: %d", n, first, got)
		}
	}
	var some Offsets
	some.AppendFrom(&o, blockLen-1, 3)
	equal(t, some, []int64{blockLen - 1, math.MaxInt64, blockLen + 1})
}

// Lists of rounds share the blocks that did not change, and never write to the
// other's.
func TestOffsetsShare(t *testing.T) {
	var values []int64
	for i := range int64(4 * blockLen) {
		values = append(values, i)
	}
	values[3*blockLen] = 1 << 50
	earlier := OffsetsOf(values...)
	changed := slices.Clone(values)
	changed[2*blockLen+5]++
	changed[3*blockLen+5]++ // in a wide one

	later := OffsetsOf(changed...)
	later.Share(&earlier)
	equal(t, later, changed)
	shares(t, later, earlier, true, true, false, false)

	shorter := OffsetsOf(values[:blockLen+3]...)
	shorter.Share(&earlier)
	equal(t, shorter, values[:blockLen+3])
	shares(t, shorter, earlier, true, false)
}

func shares(t *testing.T, a, b Offsets, want ...bool) {
	t.Helper()
	for i := range want {
		x, y := a.blocks[i], b.blocks[i]
		if got := x.values == y.values && x.wide == y.wide; got != want[i] {
			t.Errorf("block %d is shared: %t, want %t", i, got, want[i])
		}
	}
}

func FuzzOffsets(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var want []int64
		var o, twice Offsets
		for ; len(data) >= 8; data = data[8:] {
			v := int64(binary.BigEndian.Uint64(data))
			want = append(want, max(v, Unknown))
			o.Append(v)
			twice.Append(v, v)
		}
		equal(t, o, want)
		later := twice
		later.Share(&o)
		equal(t, later, all(t, twice))
		same := OffsetsOf(want...)
		same.Share(&o)
		equal(t, same, want)
		for i := range same.blocks {
			if same.blocks[i] != o.blocks[i] {
				t.Errorf("block %d is the same and not shared", i)
			}
		}
	})
}
