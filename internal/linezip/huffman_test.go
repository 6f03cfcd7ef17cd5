package linezip

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCodes: whatever was counted, codes are complete, short enough, prefixes of
// no other, and shorter for what is frequent.
func TestCodes(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9)) // the same each time
	fibonacci := func(i int) uint32 {
		a, b := uint32(0), uint32(1)
		for range min(i, 28) {
			a, b = b, a+b
		}
		return a
	}
	var h huffman
	for _, alphabet := range []struct{ symbols, most int }{{literals, maxBits}, {distances, maxBits}, {ofLengths, maxOfLen}} {
		for name, count := range map[string]func(i int) uint32{
			"none":      func(int) uint32 { return 0 },
			"equal":     func(int) uint32 { return 77 },
			"fibonacci": fibonacci,
			"one":       func(i int) uint32 { return uint32(i / (alphabet.symbols - 1) * 1_000_000) },
			"random":    func(int) uint32 { return r.Uint32() >> 10 >> r.IntN(22) },
		} {
			for range 50 {
				counts := make([]uint32, alphabet.symbols)
				for i := range counts {
					counts[i] = count(i)
				}
				lengths, codes := make([]uint8, len(counts)), make([]code, len(counts))
				h.lengths(lengths, counts, alphabet.most)
				assign(codes, lengths)
				checkCodes(t, name, counts, lengths, codes, alphabet.most)
			}
		}
	}
}

func checkCodes(t *testing.T, name string, counts []uint32, lengths []uint8, codes []code, most int) {
	t.Helper()
	taken := make([]bool, 1<<most) // by what follows a code
	for i, c := range codes {
		if int(c.len()) != int(lengths[i]) || c.len() == 0 || int(c.len()) > most {
			t.Fatalf("%s: symbol %d has a code of %d bits, of length %d", name, i, c.len(), lengths[i])
		}
		for rest := range uint64(1) << (most - int(c.len())) {
			bits := c.bits() | rest<<c.len()
			if taken[bits] {
				t.Fatalf("%s: symbol %d begins as another one does", name, i)
			}
			taken[bits] = true
		}
		for j := range codes {
			if counts[i] > counts[j] && lengths[i] > lengths[j] {
				t.Fatalf("%s: %d times has %d bits, %d times %d", name, counts[i], lengths[i], counts[j], lengths[j])
			}
		}
	}
	if slices.Contains(taken, false) {
		t.Fatalf("%s: some bits mean nothing", name)
	}
}

// TestSymbols holds the arithmetic of symbols against the tables of RFC 1951, 3.2.5.
func TestSymbols(t *testing.T) {
	length := minLength
	for s := 257; s < 285; s++ {
		want := max(0, (s-261)/4)
		for range 1 << want {
			symbol, extra := symbolOfLength(length)
			if length < maxLength && (symbol != s || int(extra) != want) {
				t.Errorf("length %d: symbol %d with %d bits, want %d with %d", length, symbol, extra, s, want)
			}
			length++
		}
	}
	if symbol, extra := symbolOfLength(maxLength); symbol != 285 || extra != 0 {
		t.Errorf("length 258: symbol %d with %d bits", symbol, extra)
	}
	distance := 1
	for s := range distances {
		want := max(0, (s-2)/2)
		for i := range 1 << want {
			symbol, extra, rest := symbolOfDistance(distance)
			if symbol != s || int(extra) != want || int(rest) != i {
				t.Fatalf("distance %d: symbol %d with %d bits %d, want %d with %d bits %d", distance, symbol, extra, rest, s, want, i)
			}
			distance++
		}
	}
	if distance != maxDistance+1 {
		t.Errorf("distances end at %d", distance-1)
	}
}
