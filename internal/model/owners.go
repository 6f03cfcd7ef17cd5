package model

import (
	"math"
	"slices"
)

// NoOwner stands where a queue has no known holder.
const NoOwner int32 = -1

// Owners says of queues which client holds each: its place among those of a group,
// or NoOwner. A large cluster has millions of queues and few groups of more than 255
// clients, so a place takes one byte, and four only where one of the list needs them.
type Owners struct {
	places []uint8 // 1 and on; 0 is NoOwner
	wide   []int32 // instead of places: as they are
}

// MakeOwners is a list of n queues that nobody holds.
func MakeOwners(n int) *Owners { return &Owners{places: make([]uint8, n)} }

// OwnersOf is a list of these.
func OwnersOf(clients ...int32) *Owners {
	o := MakeOwners(len(clients))
	o.Put(0, clients)
	return o
}

// Len is how many queues there are. A list that is nil has none.
func (o *Owners) Len() int {
	if o == nil {
		return 0
	}
	return max(len(o.places), len(o.wide))
}

// At is who holds the queue at a place from 0 to Len()-1.
func (o *Owners) At(i int) int32 {
	if o.wide != nil {
		return o.wide[i]
	}
	return int32(o.places[i]) - 1
}

// Put sets who holds the queues from one on.
func (o *Owners) Put(first int, clients []int32) {
	if o.wide == nil && len(clients) > 0 && slices.Max(clients) >= math.MaxUint8 {
		wide := make([]int32, len(o.places))
		for i := range wide {
			wide[i] = o.At(i)
		}
		o.places, o.wide = nil, wide
	}
	if o.wide != nil {
		copy(o.wide[first:first+len(clients)], clients)
		return
	}
	for i, client := range clients {
		o.places[first+i] = uint8(client + 1)
	}
}

// Has says whether these hold the queues from one on.
func (o *Owners) Has(first int, clients []int32) bool {
	for i, client := range clients {
		if o.At(first+i) != client {
			return false
		}
	}
	return true
}

// Equal says whether two lists say the same in as many bytes.
func (o *Owners) Equal(other *Owners) bool {
	return o != nil && other != nil && slices.Equal(o.places, other.places) && slices.Equal(o.wide, other.wide)
}

// Clone is the same in a list of its own.
func (o *Owners) Clone() *Owners {
	return &Owners{places: slices.Clone(o.places), wide: slices.Clone(o.wide)}
}
