package source

import "hash/fnv"

// Shard is one of several processes that share the consumer groups of a cluster
// between them. The zero value has all groups.
type Shard struct{ Index, Total int }

// First says whether the shard is the one for everything that is no consumer
// group's.
func (s Shard) First() bool { return s.Index == 0 }

// Has says whether a consumer group is this shard's. All that a group consumes is
// in one shard, so that its sums are whole. Which one it is depends on the name
// and the number of shards alone: shards of different releases must agree on it.
func (s Shard) Has(group string) bool {
	if s.Total <= 1 {
		return true
	}
	return mixed(group)%uint64(s.Total) == uint64(s.Index)
}

// Turn is which of n things, from 0 on, a consumer group falls to: about as many to
// each, whichever shards the groups are in. It depends on the name and n alone.
func Turn(group string, n int) int {
	high := mixed(group) >> 32 // shards go by the low bits
	return int(high * uint64(n) >> 32)
}

func mixed(group string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(group)) // never fails
	// FNV leaves the low bits of similar names alike.
	n := h.Sum64()
	n ^= n >> 33
	n *= 0xff51afd7ed558ccd
	return n ^ n>>33
}
