package linezip

import (
	"math/bits"
	"slices"
)

// Sizes of the alphabets of RFC 1951.
const (
	literals  = 286 // literals, the end of a block, and lengths
	distances = 30
	ofLengths = 19 // the code that the lengths of the others are written in
	endBlock  = 256
	maxBits   = 15 // of a code
	maxOfLen  = 7  // of a code of ofLengths
)

// code is a Huffman code: its bits in the order of writing, and how many in the
// lowest five bits.
type code uint32

func (c code) bits() uint64 { return uint64(c >> 5) }
func (c code) len() uint    { return uint(c & 31) }

// huffman is room for lengths to work in.
type huffman struct {
	sorted  [literals]uint32 // counts and symbols
	weights [literals - 1]uint32
	parents [2*literals - 1]uint16
	depths  [2*literals - 1]uint16
}

// lengths sets the length of each symbol's code so that the whole is about the
// shortest for these counts, none is longer than most, and every sequence of
// bits means something (the sum of 2^-length is 1). All symbols have a code,
// those that were counted 0 times as well. There must be two symbols or more, and
// at most 2^most; counts are less than 2^22.
func (h *huffman) lengths(lengths []uint8, counts []uint32, most int) {
	n := len(counts)
	sorted := h.sorted[:n]
	for i, c := range counts {
		sorted[i] = (c+1)<<9 | uint32(i)
	}
	slices.Sort(sorted)
	// The tree is built over the counts, the two lightest first: leaves wait in
	// sorted, nodes in weights, which come up in the order of their weights.
	weights, parents := h.weights[:n-1], h.parents[:2*n-1] // parents: leaves, then nodes
	leaf, node := 0, 0
	for made := range weights {
		var sum uint32
		for range 2 {
			if leaf < n && (node == made || sorted[leaf]>>9 <= weights[node]) {
				sum += sorted[leaf] >> 9
				parents[leaf] = uint16(n + made)
				leaf++
			} else {
				sum += weights[node]
				parents[n+node] = uint16(n + made)
				node++
			}
		}
		weights[made] = sum
	}
	// How many leaves there are at each depth, those too deep at the deepest.
	var atDepth [maxBits + 1]int
	depths := h.depths[:2*n-1]
	depths[2*n-2] = 0
	for i := 2*n - 3; i >= 0; i-- {
		depths[i] = depths[parents[i]] + 1
		if i < n {
			atDepth[min(int(depths[i]), most)]++
		}
	}
	// What was lifted takes room, which is made by lowering others.
	room := 0
	for d := 1; d <= most; d++ {
		room += atDepth[d] << (most - d)
	}
	for ; room > 1<<most; room-- {
		atDepth[most]--
		d := most - 1
		for atDepth[d] == 0 {
			d--
		}
		atDepth[d]--
		atDepth[d+1] += 2
	}
	// The rarest get the longest.
	i := 0
	for d := most; d > 0; d-- {
		for range atDepth[d] {
			lengths[sorted[i]&511] = uint8(d)
			i++
		}
	}
}

// assign makes the codes of these lengths, none of which is 0, as RFC 1951, 3.2.2
// has it.
func assign(codes []code, lengths []uint8) {
	var next [maxBits + 2]uint32
	for _, l := range lengths {
		next[l+1]++
	}
	for l := 1; l < len(next); l++ {
		next[l] = (next[l] + next[l-1]) << 1
	}
	for i, l := range lengths {
		codes[i] = code(bits.Reverse16(uint16(next[l])<<(16-l)))<<5 | code(l)
		next[l]++
	}
}
