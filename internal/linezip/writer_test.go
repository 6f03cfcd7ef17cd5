package linezip

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// zip compresses chunks, each with a Write of its own.
func zip(t testing.TB, z *Writer, chunks ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z.Reset(&out)
	for _, c := range chunks {
		if n, err := z.Write(c); n != len(c) || err != nil {
			t.Fatalf("Write(%d bytes) = %d, %v", len(c), n, err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// roundTrip compresses chunks, has the standard library read them, which checks
// size and checksum as well, and tells the compressed size.
func roundTrip(t testing.TB, chunks ...[]byte) int {
	t.Helper()
	zipped := zip(t, NewWriter(nil), chunks...)
	in := bytes.NewReader(zipped)
	r, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	r.Multistream(false)
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("it cannot be read: %v", err)
	}
	if want := bytes.Join(chunks, nil); !bytes.Equal(got, want) {
		t.Fatalf("%d bytes became %d others", len(want), len(got))
	}
	if in.Len() > 0 {
		t.Fatalf("%d bytes stand behind the end", in.Len())
	}
	return len(zipped)
}

// lines is text like an exposition's.
func lines(n int) []byte {
	var b bytes.Buffer
	r := rand.New(rand.NewPCG(1, 2)) // the same each time
	for i := range n {
		fmt.Fprintf(&b, `some_metric_of_a_name{cluster="large",topic="topic-of-a-length-%05d",broker="broker-%03d",queueId="%d",ip="10.0.0.%d",pid="%d"} %d`+"\n",
			i/40, i/8%5, i%8, i/20%250, 1000+i/20%250, r.IntN(100_000)>>r.IntN(16))
	}
	return b.Bytes()
}

func random(n int, seed uint64) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed)})
	b := make([]byte, n)
	_, _ = r.Read(b) // never fails
	return b
}

func TestRoundTrip(t *testing.T) {
	long := bytes.Repeat([]byte("abcdefgh"), longestLine)
	skewed := func() []byte { // counts that would make codes of more than 15 bits
		var b []byte
		n, m := 1, 1
		for c := byte('A'); c < 'A'+24; c++ {
			b = append(b, bytes.Repeat([]byte{c, ' '}, min(n, 1<<17))...)
			n, m = n+m, n
		}
		rand.New(rand.NewPCG(3, 4)).Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] }) // the same each time
		return b
	}
	for name, chunks := range map[string][][]byte{
		"nothing":         nil,
		"empty writes":    {{}, nil, {}},
		"a byte":          {{0}},
		"a newline":       {{'\n'}},
		"newlines":        {bytes.Repeat([]byte{'\n'}, 100_000)},
		"one byte":        {bytes.Repeat([]byte{'x'}, 100_000)},
		"spaces":          {bytes.Repeat([]byte{' '}, 100_000)},
		"quotes, lines":   {bytes.Repeat([]byte("\"\n"), 50_000)},
		"lines":           {lines(20_000)},
		"lines in pieces": slices.Collect(slices.Chunk(lines(3000), 777)),
		"byte by byte":    slices.Collect(slices.Chunk(lines(40), 1)),
		"long line":       {long},
		"long lines":      {bytes.Join([][]byte{long, long, long}, []byte("\n"))},
		"noise":           {random(1<<20, 1)},
		"noise in lines":  {bytes.Join(slices.Collect(slices.Chunk(random(1<<18, 2), 300)), []byte("\n"))},
		"noise twice":     {random(1<<15+longestLine, 3), random(1<<15+longestLine, 3)},
		"far repetition":  {slices.Concat(random(1<<15, 4), []byte("\n"), random(1<<15, 4), random(1<<15, 4))},
		"skewed":          {skewed()},
		"not UTF-8":       {[]byte("a{b=\"\xff\xfe\"} 1\na{b=\"\xff\xfe\xfd\"} 1\n")},
	} {
		t.Run(name, func(t *testing.T) { roundTrip(t, chunks...) })
	}
}

// TestLengths: repetitions of every length that is near to where they are cut.
func TestLengths(t *testing.T) {
	for n := range 3*maxLength + 10 {
		text := strings.Repeat("a", n)
		roundTrip(t, []byte(text), []byte("x"+text+"y\nx"+text+"z\nx"+text+"y\n"))
	}
}

// TestSize: it compresses what it is made for at least as well as the standard
// library, and nothing becomes much larger.
func TestSize(t *testing.T) {
	text := lines(50_000)
	var out bytes.Buffer
	standard, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = standard.Write(text) // into memory
	_ = standard.Close()
	if n := roundTrip(t, text); n > out.Len() {
		t.Errorf("%d bytes; the standard library makes %d", n, out.Len())
	}
	if n := roundTrip(t, random(1<<20, 5)); n > 1<<20+1<<14 {
		t.Errorf("1 MiB of noise takes %d bytes", n)
	}
	if n := roundTrip(t); n > 32 {
		t.Errorf("nothing takes %d bytes", n)
	}
}

// TestAgain: what was written before has no influence, and takes no memory.
func TestAgain(t *testing.T) {
	z := NewWriter(nil)
	want := slices.Clone(zip(t, z, lines(1000)))
	zip(t, z, random(100_000, 6))
	if got := zip(t, z, lines(1000)); !bytes.Equal(got, want) {
		t.Error("the same text becomes something else")
	}
	text := lines(5000)
	if n := testing.AllocsPerRun(5, func() {
		z.Reset(io.Discard)
		_, _ = z.Write(text) // io.Discard takes all
		_ = z.Close()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestError: nothing is written after an error, and it comes back.
func TestError(t *testing.T) {
	text := random(1<<20, 7)
	for n := range 5 {
		w := &limited{writes: n}
		z := NewWriter(w)
		if _, err := z.Write(text); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d writes: err = %v", n, err)
		}
		if _, err := z.Write(text); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d writes, again: err = %v", n, err)
		}
		if err := z.Close(); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d writes: Close: %v", n, err)
		}
		if w.done != n {
			t.Errorf("%d more writes after an error", w.done-n)
		}
	}
	if err := NewWriter(&limited{}).Close(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Close alone: %v", err)
	}
}

// limited fails after a number of writes and counts those that come.
type limited struct{ writes, done int }

func (l *limited) Write(p []byte) (int, error) {
	if l.done >= l.writes {
		if l.done > l.writes {
			l.done++
		}
		l.writes = -1
		return 0, io.ErrClosedPipe
	}
	l.done++
	return len(p), nil
}

// FuzzRoundTrip: any bytes in any chunks come back. What repeats itself is made
// of the bytes, since fuzzing finds it hardly.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{
		"", "a", "\n", "a b\n", "some_metric{label=\"value\"} 1\nsome_metric{label=\"valve\"} 12\n",
		`"a"b"c d" "`, strings.Repeat("x", 300), strings.Repeat("\x00\xff\n", 2),
	} {
		f.Add([]byte(s), uint16(7), uint16(3))
		f.Add([]byte(s), uint16(9999), uint16(4000))
	}
	f.Fuzz(func(t *testing.T, text []byte, chunk, times uint16) {
		text = bytes.Repeat(text, 1+int(times)%max(1, min(1<<12, (1<<19)/(1+len(text)))))
		for i := 0; i < len(text); i += 1 + int(chunk)%991 { // not quite the same
			text[i] ^= byte(i >> 4)
		}
		roundTrip(t, slices.Collect(slices.Chunk(text, 1+int(chunk)))...)
	})
}
