package remoting

import (
	"encoding/binary"
	"math/bits"
)

// A table that is passed over may be as large as the one that is wanted: so it
// is looked at in steps of eight bytes. For words and short values that is slower.
const (
	everyByte = 0x0101010101010101
	topBits   = 0x8080808080808080
)

// zeroBytes has the top bit of every byte of x that is 0 up to the lowest such byte;
// above it some more.
func zeroBytes(x uint64) uint64 { return (x - everyByte) &^ x & topBits }

// nextBracket is where the first quote, brace or bracket from i on stands, or the
// length.
func nextBracket(data []byte, i int) int {
	for ; i+8 <= len(data); i += 8 {
		x := binary.LittleEndian.Uint64(data[i:])
		folded := x | 0x20*everyByte // makes braces of brackets
		if found := zeroBytes(x^'"'*everyByte) | zeroBytes(folded^'{'*everyByte) | zeroBytes(folded^'}'*everyByte); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(data); i++ {
		switch data[i] {
		case '"', '{', '}', '[', ']':
			return i
		}
	}
	return i
}
