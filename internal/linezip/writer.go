// Package linezip writes gzip (RFC 1952, RFC 1951) of text whose lines repeat the
// line before with small differences, as an exposition's do. It is several times
// as fast as a compressor that has to look for what repeats itself, and compresses
// such text as much; other text it compresses badly.
//
// It may hold the formats and the search for what repeats itself. It knows nothing
// of what the lines say.
package linezip

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

const (
	// outSize is how much is gathered before it is written.
	outSize = 32 << 10
	// outSpare is room for a line, and what is behind it in a store of eight
	// bytes.
	outSpare = 2*longestLine + 64
	// firstBlock and lastBlock are how much of a text the first block has, and
	// later ones. A block has codes by what was in the block before it; those
	// of the first are a guess, so it is short.
	firstBlock = 8 << 10
	lastBlock  = 512 << 10
)

// Writer compresses what is written to it. Each Write is compressed on its own, so
// it should be of many lines; nothing of it is kept. It is used by one goroutine.
type Writer struct {
	w   io.Writer
	err error // the first of w; nothing is written after it

	began bool
	crc   uint32
	size  uint32

	acc    uint64 // bits that are not in out yet
	held   uint   // how many: less than 8 between tokens
	out    []byte
	filled int

	open    bool // a block is
	left    int  // of the text, in the block
	block   int  // how much the next one has
	counts  counts
	codes   codes
	huffman huffman

	recent [1 << recentBits]int32 // see match
}

// NewWriter makes a Writer.
func NewWriter(w io.Writer) *Writer {
	z := &Writer{out: make([]byte, outSize+outSpare)}
	z.Reset(w)
	return z
}

// Reset begins anew.
func (z *Writer) Reset(w io.Writer) {
	z.w, z.err, z.began, z.open, z.left = w, nil, false, false, 0
	z.crc, z.size = 0, 0
	z.acc, z.held, z.filled = 0, 0, 0
	z.block = firstBlock
	z.counts.guess()
}

// Write compresses p. The error is that of the writer below.
func (z *Writer) Write(p []byte) (int, error) {
	z.begin()
	z.crc = crc32.Update(z.crc, crc32.IEEETable, p)
	z.size += uint32(len(p))
	for rest := p; len(rest) > 0 && z.err == nil; {
		part := rest[:min(len(rest), mostAtOnce)]
		z.compress(part)
		rest = rest[len(part):]
	}
	if z.err != nil {
		return 0, z.err
	}
	return len(p), nil
}

// mostAtOnce is far from where places in a text would not fit into 32 bits.
const mostAtOnce = 1 << 28

// Close writes what is left, and the end. It does not close the writer below.
func (z *Writer) Close() error {
	z.begin()
	z.endBlock()
	// The last block is an empty one with the fixed codes.
	z.put(0b011, 3)
	z.put(0, 7)
	z.put(0, (8-z.held)&7)
	z.put(uint64(z.crc), 32)
	z.put(uint64(z.size), 32)
	z.drain()
	return z.err
}

// begin writes the header of gzip: deflate, no name, no time, fast, no system.
func (z *Writer) begin() {
	if !z.began {
		z.began = true
		z.filled = copy(z.out, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff")
	}
}

// put writes at most 48 bits.
func (z *Writer) put(bits uint64, n uint) {
	z.acc |= bits << z.held
	z.held += n
	binary.LittleEndian.PutUint64(z.out[z.filled:], z.acc)
	whole := z.held >> 3
	z.filled += int(whole)
	z.acc >>= whole * 8
	z.held &= 7
	if z.filled >= outSize {
		z.drain()
	}
}

// drain hands over what is whole.
func (z *Writer) drain() {
	if z.err == nil && z.filled > 0 {
		_, z.err = z.w.Write(z.out[:z.filled])
	}
	z.filled = 0
}
