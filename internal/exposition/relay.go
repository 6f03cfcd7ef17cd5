package exposition

import (
	"fmt"
	"io"
	"runtime/debug"
)

// relay writes an exposition in a goroutine of its own, while what follows is made:
// to compress the bytes, and to copy them into a connection, takes as long as to make
// them. Some buffers go round between the two: with only two, each would wait for the
// other to wake up.
type relay struct {
	parts   chan []byte // to be written; closed behind the last one
	back    chan written
	buffers int // that go round
	passed  int // parts
}

// written is a buffer that may be filled again, and what came of the writes so far.
type written struct {
	room     []byte
	err      error
	panicked error // what a write panicked with, and where
}

const (
	// partsBefore are written before there is a relay: for a page of a megabyte it is
	// not worth its memory, as on a single processor it never is.
	partsBefore = 4
	// fewBuffers go round at first, and mostBuffers in large expositions, with one
	// more every partsPerBuffer parts: more are no faster.
	fewBuffers, mostBuffers = 4, 6
	partsPerBuffer          = 32
)

// startRelay starts one with buffers besides the one that is filled first.
func startRelay(w io.Writer, rooms [][]byte) *relay {
	r := &relay{parts: make(chan []byte, mostBuffers), back: make(chan written, mostBuffers), buffers: 1 + len(rooms)}
	for _, room := range rooms {
		r.back <- written{room: room}
	}
	go r.run(w)
	return r
}

func (r *relay) run(w io.Writer) {
	defer close(r.back)
	var last written // with the first error
	for part := range r.parts {
		if last.err == nil && last.panicked == nil {
			last = writePart(w, part)
		}
		last.room = part[:0]
		r.back <- last
	}
}

// writePart writes one part. What panics here must do so where the scrape can be ended
// for it.
func writePart(w io.Writer, part []byte) (done written) {
	defer func() {
		if p := recover(); p != nil {
			done.panicked = fmt.Errorf("%v\n\nit panicked at:\n%s", p, debug.Stack())
		}
	}()
	_, done.err = w.Write(part)
	return done
}

// pass hands a part over, and returns another buffer: the one that was written
// first, with the error until then.
func (r *relay) pass(part []byte) (room []byte, err error) {
	r.parts <- part
	r.passed++
	if r.buffers < min(mostBuffers, fewBuffers+r.passed/partsPerBuffer) {
		r.buffers++
		return make([]byte, 0, bufferSize), nil
	}
	b := <-r.back
	if b.panicked != nil {
		panic(b.panicked)
	}
	return b.room, b.err
}

// end waits until all is written, and returns the buffers.
func (r *relay) end(rooms [][]byte) (_ [][]byte, err error) {
	close(r.parts)
	var last written
	for last = range r.back {
		rooms = append(rooms, last.room)
	}
	if last.panicked != nil {
		panic(last.panicked)
	}
	return rooms, last.err
}
