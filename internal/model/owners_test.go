package model

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestOwners: whatever is put into a list is what it says, and its copy keeps what
// it said.
func TestOwners(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		n := 1 + random.IntN(40)
		most := []int32{3, 254, 255, 256, 257, 65_534, 65_535, 65_536, 1 << 30}[random.IntN(9)]
		o, want := MakeOwners(n), slices.Repeat([]int32{NoOwner}, n)
		check := func(o *Owners, want []int32) {
			t.Helper()
			if o.Len() != n || !o.Has(0, want) {
				t.Fatalf("seed %d: not %v: %+v", seed, want, o)
			}
			for i := range want {
				if o.At(i) != want[i] {
					t.Fatalf("seed %d: %d at %d, want %d", seed, o.At(i), i, want[i])
				}
			}
		}
		check(o, want)
		for range 20 {
			first := random.IntN(n)
			row := make([]int32, random.IntN(n-first+1))
			for i := range row {
				row[i] = []int32{NoOwner, 0, random.Int32N(4), random.Int32N(most) + 1, most}[random.IntN(5)]
			}
			copied, before := o.Clone(), slices.Clone(want)
			o.Put(first, row)
			copy(want[first:], row)
			check(o, want)
			check(copied, before)
			if same := slices.Equal(want, before); !same && (o.Equal(copied) || o.Has(0, before)) || !o.Equal(o.Clone()) {
				t.Fatalf("seed %d: %+v and %+v", seed, o, copied)
			}
		}
		if o := OwnersOf(want...); most < 255 && o.wide != nil {
			t.Fatalf("seed %d: %d needs no more than a byte", seed, most)
		}
	}
	var none *Owners
	if none.Len() != 0 || none.Equal(nil) || none.Equal(MakeOwners(0)) {
		t.Error("a list that nobody made says something")
	}
}
