package linezip

import "math/bits"

// Limits of RFC 1951.
const (
	minLength   = 3
	maxLength   = 258
	maxDistance = 32 << 10
)

// counts say how often each symbol was used; lengths are counted as they are.
type counts struct {
	literals  [endBlock + 1]uint32
	lengths   [maxLength - minLength + 1]uint32
	distances [distances]uint32
}

// guess is about what text of labels has.
func (c *counts) guess() {
	*c = counts{}
	for b := range c.literals[:128] {
		switch {
		case b >= '0' && b <= '9':
			c.literals[b] = 40
		case b >= 'a' && b <= 'z':
			c.literals[b] = 16
		case b > ' ':
			c.literals[b] = 2
		}
	}
	for l := range c.lengths[:200] {
		c.lengths[l] = 1
	}
	for d := range c.distances[12:16] {
		c.distances[12+d] = 40
	}
}

// codes are those of a block. A code of a length has the bits of its place in the
// symbol's range in it.
type codes struct {
	literals  [literals]code
	lengths   [maxLength - minLength + 1]code
	distances [distances]code
}

// symbolOfLength is the symbol of a length, and how many bits follow it.
func symbolOfLength(length int) (symbol int, extra uint) {
	x := uint(length - minLength)
	switch {
	case length == maxLength:
		return literals - 1, 0
	case x < 8:
		return endBlock + 1 + int(x), 0
	}
	extra = uint(bits.Len(x)) - 3
	return endBlock + 1 + int(4*extra+x>>extra), extra
}

// symbolOfDistance is the symbol of a distance, and how many bits of what is left
// follow it.
func symbolOfDistance(distance int) (symbol int, extra uint, rest uint64) {
	x := uint(distance - 1)
	if x < 4 {
		return int(x), 0, 0
	}
	extra = uint(bits.Len(x)) - 2
	return int(2*extra + x>>extra), extra, uint64(x & (1<<extra - 1))
}

// beginBlock makes codes of what was counted, and writes the block's header.
func (z *Writer) beginBlock() {
	var lengths [literals + distances]uint8
	ofLiterals, ofDistances := lengths[:literals], lengths[literals:]
	var used [literals]uint32
	copy(used[:], z.counts.literals[:])
	for i := range z.counts.lengths {
		symbol, _ := symbolOfLength(minLength + i)
		used[symbol] += z.counts.lengths[i]
	}
	z.huffman.lengths(ofLiterals, used[:], maxBits)
	z.huffman.lengths(ofDistances, z.counts.distances[:], maxBits)
	assign(z.codes.literals[:], ofLiterals)
	assign(z.codes.distances[:], ofDistances)
	for i := range z.codes.lengths {
		symbol, extra := symbolOfLength(minLength + i)
		c := z.codes.literals[symbol]
		place := uint64(i) & (1<<extra - 1)
		z.codes.lengths[i] = code(c.bits()|place<<c.len())<<5 | code(c.len()+extra)
	}
	z.counts = counts{}
	z.open, z.left = true, z.block
	z.block = min(2*z.block, lastBlock)
	z.header(lengths[:])
}

// orderOfLengths is the order in which the lengths of their own code are written.
const orderOfLengths = "\x10\x11\x12\x00\x08\x07\x09\x06\x0a\x05\x0b\x04\x0c\x03\x0d\x02\x0e\x01\x0f"

// header writes the beginning of a block that is not the last, with codes of these
// lengths (RFC 1951, 3.2.7).
func (z *Writer) header(of []uint8) {
	const again = 16 // the last length 3 to 6 times more
	var used [ofLengths]uint32
	runs(of, func(length uint8, more int) {
		used[length]++
		if more > 0 {
			used[again]++
		}
	})
	var lengths [ofLengths]uint8
	var codes [ofLengths]code
	z.huffman.lengths(lengths[:], used[:], maxOfLen)
	assign(codes[:], lengths[:])
	z.put(0b100, 3)
	z.put(literals-257, 5)
	z.put(distances-1, 5)
	z.put(ofLengths-4, 4)
	for i := range len(orderOfLengths) {
		z.put(uint64(lengths[orderOfLengths[i]]), 3)
	}
	runs(of, func(length uint8, more int) {
		z.put(codes[length].bits(), codes[length].len())
		if more > 0 {
			z.put(codes[again].bits(), codes[again].len())
			z.put(uint64(more-3), 2)
		}
	})
}

// runs cuts the lengths into such that are followed by 3 to 6 of the same, or by
// another one.
func runs(of []uint8, each func(length uint8, more int)) {
	for i := 0; i < len(of); {
		more := 0
		for more < 6 && i+1+more < len(of) && of[i+1+more] == of[i] {
			more++
		}
		if more < 3 {
			more = 0
		}
		each(of[i], more)
		i += 1 + more
	}
}

// endBlock ends the block, if there is one.
func (z *Writer) endBlock() {
	if !z.open {
		return
	}
	c := z.codes.literals[endBlock]
	z.put(c.bits(), c.len())
	z.counts.literals[endBlock]++
	z.open = false
}
