package exposition

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// TestRelayKeepsTheOrder: all parts are written, in their order, by one goroutine
// that ends with them; and the buffers come back.
func TestRelayKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got, want bytes.Buffer
		r := startRelay(&got, nil)
		room := make([]byte, 0, bufferSize)
		const parts = 200
		for i := range parts {
			room = append(room, bytes.Repeat([]byte{byte(i)}, i)...)
			want.Write(room)
			var err error
			if room, err = r.pass(room); err != nil || len(room) != 0 {
				t.Fatalf("part %d: %d bytes in the next buffer, err = %v", i, len(room), err)
			}
		}
		rooms, err := r.end(nil)
		if err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%d bytes, want %d; err = %v", got.Len(), want.Len(), err)
		}
		if len(rooms) != mostBuffers-1 {
			t.Errorf("%d buffers besides the one in use, want %d", len(rooms), mostBuffers-1)
		}
	})
}

// TestRelayTellsAnError: nothing is written behind it, and it comes back with each
// further part, and at the end.
func TestRelayTellsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &limited{writes: 3}
		r := startRelay(w, nil)
		room := make([]byte, 0, bufferSize)
		var failed int
		for range 20 {
			var err error
			if room, err = r.pass(append(room, 'x')); errors.Is(err, io.ErrClosedPipe) {
				failed++
			}
		}
		if _, err := r.end(nil); !errors.Is(err, io.ErrClosedPipe) || failed < 20-3-mostBuffers || w.done != 3 {
			t.Errorf("%d times an error, at the end %v; %d writes, want 3", failed, err, w.done)
		}
	})
}

// TestPanicInTheRelay: it comes out where the exposition was asked for, leaves no
// goroutine behind, and the encoder works again.
func TestPanicInTheRelay(t *testing.T) {
	processors(t, 2)
	synctest.Test(t, func(t *testing.T) {
		e, v := newEncoder(newLayout("rocketmq")), views(wide(16_000, 50))
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.HasPrefix(p, "at the tenth\n") || !strings.Contains(p, "(*panicking).Write") {
					t.Errorf("it panicked with %s", p)
				}
			}()
			_, err := e.write(&panicking{at: 10}, Text, v)
			t.Errorf("no panic, err = %v", err)
		}()
		var got, want bytes.Buffer
		if _, err := e.write(&got, Text, v); err != nil {
			t.Fatal(err)
		}
		if _, err := newEncoder(newLayout("rocketmq")).write(&want, Text, v); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Error("then it writes something else")
		}
	})
}

// processors lets the test have as many.
func processors(t *testing.T, n int) {
	t.Helper()
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// TestWhoHasARelay: pages of more than a megabyte, where there are two processors; and
// they are the same.
func TestWhoHasARelay(t *testing.T) {
	for _, c := range []struct{ rows, processors, rooms int }{
		{800, 2, 0}, {16_000, 1, 0}, {16_000, 2, fewBuffers}, {225_000, 2, mostBuffers - 1},
	} {
		t.Run(fmt.Sprintf("%d rows, %d processors", c.rows, c.processors), func(t *testing.T) {
			e, v := newEncoder(newLayout("rocketmq")), views(wide(c.rows, 500))
			sum := func(n int) (sum [sha256.Size]byte) {
				processors(t, n)
				page := sha256.New()
				if _, err := e.write(page, Text, v); err != nil {
					t.Fatal(err)
				}
				page.Sum(sum[:0])
				return sum
			}
			alone := sum(1)
			if got := sum(c.processors); got != alone || len(e.rooms) != c.rooms {
				t.Errorf("the same page: %t; %d buffers besides one, want %d", got == alone, len(e.rooms), c.rooms)
			}
		})
	}
}

// panicking panics at a write.
type panicking struct{ at, writes int }

func (p *panicking) Write(b []byte) (int, error) {
	if p.writes++; p.writes == p.at {
		panic("at the tenth")
	}
	return len(b), nil
}

// TestPanicBesideTheRelay: where making the exposition panics, nothing is written any
// more behind its back.
func TestPanicBesideTheRelay(t *testing.T) {
	processors(t, 2)
	synctest.Test(t, func(t *testing.T) {
		e := newEncoder(newLayout("rocketmq"))
		e.streams = append(slices.Clone(e.streams[:1]), stream{e.streams[1].id, func(*encoder, *lag.Report) { panic("here") }})
		defer func() {
			if p := recover(); p != "here" || e.relay != nil || len(e.rooms) == 0 {
				t.Errorf("it panicked with %v; still writing: %t; %d buffers of a relay", p, e.relay != nil, len(e.rooms))
			}
		}()
		_, _ = e.write(io.Discard, Text, views(wide(16_000, 50)))
	})
}
