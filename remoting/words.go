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

// manyDigits is digits for numbers that are mostly long: it takes the first eight
// digits at once.
func manyDigits(data []byte, i int) (v int64, end int) {
	if i+8 > len(data) {
		return digits(data, i)
	}
	x := binary.LittleEndian.Uint64(data[i:]) ^ '0'*everyByte // digits become their values
	n := bits.TrailingZeros64((x+(0x80-10)*everyByte|x)&topBits) / 8
	// The first digit is the lowest byte: noughts go in front of it.
	x <<= 64 - 8*n
	x = (x*10 + x>>8) & 0x00ff00ff00ff00ff
	x = (x*100 + x>>16) & 0x0000ffff0000ffff
	v = int64((x*10_000 + x>>32) & 0xffffffff)
	if i += n; n < 8 {
		return v, i
	}
	for limit := min(len(data), i+10); i < limit && data[i]-'0' <= 9; i++ {
		v = v*10 + int64(data[i]-'0')
	}
	return v, i
}
