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
	h := fnv.New64a()
	_, _ = h.Write([]byte(group)) // never fails
	// FNV leaves the low bits of similar names alike.
	n := h.Sum64()
	n ^= n >> 33
	n *= 0xff51afd7ed558ccd
	n ^= n >> 33
	return n%uint64(s.Total) == uint64(s.Index)
}
