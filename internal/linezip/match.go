package linezip

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

const (
	// leastBefore and leastRecent are the shortest repetitions that are worth
	// their distance: that of the line before has a short code.
	leastBefore = 4
	leastRecent = 5
	// recentBits is the logarithm of the number of places that are kept.
	recentBits = 12
	// wordEnd is the highest of the bytes that end a word: quotes and spaces.
	wordEnd = '"'
	// longestLine is what is looked at as a line at most. Each of its bytes
	// becomes less than 16 bits (a literal at most 15; a repetition of
	// leastBefore bytes or more at most 48), and there is room for them in out.
	longestLine = 4 << 10
)

// compress writes a text line by line. A line begins with the newline of the line
// before it, so that a repetition goes on from the end of one to the next.
func (z *Writer) compress(p []byte) {
	clear(z.recent[:])
	before := 0 // where the line before begins
	same := 0   // how much of it this one begins with
	for at := 0; at < len(p); {
		if z.left <= 0 {
			z.endBlock()
			z.beginBlock()
		}
		if z.filled >= outSize {
			z.drain()
		}
		end := min(len(p), at+longestLine)
		// As much is equal as was the time before, for as long as it lasts.
		if n := min(same, at-before, end-at); bytes.Equal(p[before:before+n], p[at:at+n]) {
			same = n + equal(p[before+n:at], p[at+n:end])
		} else {
			same = equal(p[before:before+n], p[at:at+n])
		}
		// There is no newline in it but the first byte.
		if i := bytes.IndexByte(p[at+max(same, 1):end], '\n'); i >= 0 {
			end = at + max(same, 1) + i
		}
		z.line(p, before, at, end, same)
		z.left -= end - at
		before, at = at, end
	}
}

// line writes p[at:end], laid beside the line before it, p[before:at]: what is
// equal is a repetition. From the first byte that differs on it writes literals up
// to the end of the word, and behind the same word of the line before the
// comparison goes on. Before that it looks whether these bytes are those of recent:
// where something has differed, the words are often those of a line further back.
//
// It is the inner loop, so the state of the bits is in variables of its own.
func (z *Writer) line(p []byte, before, at, end, same int) {
	var (
		out    = z.out
		acc    = z.acc
		held   = z.held
		filled = z.filled
		codes  = &z.codes
	)
	i, j := at, before // j is the place beside i
	for i < end {
		length, distance := same, i-j
		same = 0
		if length == 0 && j < at && distance <= maxDistance {
			length = equal(p[j:], p[i:end])
		}
		if length >= leastBefore {
			j += length
		} else {
			length = 0
			if i+8 <= end { // a value is not worth it
				recent := &z.recent[hash(binary.LittleEndian.Uint64(p[i:]))]
				distance = i - int(*recent)
				*recent = int32(i)
				if distance > 0 && distance <= maxDistance {
					length = equal(p[i-distance:], p[i:end])
				}
			}
			if length >= leastRecent {
				// The line before mostly ends as this one does.
				j = max(before, at-(end-i-length))
			} else {
				length = 0
			}
		}
		if length > 0 {
			i += length
			symbol, extra, rest := symbolOfDistance(distance)
			d := codes.distances[symbol]
			dBits, dLen := d.bits()|rest<<(d.len()&63), d.len()+extra
			for length > 0 {
				n := min(length, maxLength)
				if length-n < minLength && length > n {
					n = length - minLength // leave enough for one more
				}
				length -= n
				z.counts.lengths[n-minLength]++
				z.counts.distances[symbol]++
				l := codes.lengths[n-minLength]
				acc |= l.bits() << (held & 63)
				held += l.len()
				acc |= dBits << (held & 63)
				held += dLen
				binary.LittleEndian.PutUint64(out[filled:], acc)
				filled += int(held >> 3)
				acc >>= held & 56
				held &= 7
			}
			continue
		}
		first := i
		for {
			b := p[i]
			c := codes.literals[b]
			z.counts.literals[b]++
			acc |= c.bits() << (held & 63)
			if held += c.len(); held > 64-7-maxBits {
				binary.LittleEndian.PutUint64(out[filled:], acc)
				filled += int(held >> 3)
				acc >>= held & 56
				held &= 7
			}
			if i++; i == end || b <= wordEnd || p[i] <= wordEnd {
				break
			}
		}
		binary.LittleEndian.PutUint64(out[filled:], acc)
		filled += int(held >> 3)
		acc >>= held & 56
		held &= 7
		for j < at && p[j] > wordEnd {
			j++
		}
		if p[first] <= wordEnd {
			j++
		}
	}
	z.acc, z.held, z.filled = acc, held, filled
}

// hash is of the first five bytes of a word of eight.
func hash(word uint64) uint64 {
	return word << 24 * 0x9E3779B185EBCA87 >> (64 - recentBits)
}

// equal is how many bytes of b are those of a, which is longer, or ends where b does.
func equal(a, b []byte) int {
	n := 0
	for ; n+8 <= len(b) && n+8 <= len(a); n += 8 {
		if x := binary.LittleEndian.Uint64(a[n:n+8]) ^ binary.LittleEndian.Uint64(b[n:n+8]); x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
	}
	for n < len(b) && n < len(a) && a[n] == b[n] {
		n++
	}
	return n
}
