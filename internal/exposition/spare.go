package exposition

// spares are things that are used again, at most as many as there can be in use at
// a time. A sync.Pool would let go of them at every other garbage collection: that
// is all the time while scrapes follow each other, and each encoder is the better
// part of a megabyte to make, and to collect.
type spares[T any] struct {
	free chan T
	make func() T
}

func newSpares[T any](n int, make_ func() T) spares[T] { return spares[T]{make(chan T, n), make_} }

func (s *spares[T]) get() T {
	select {
	case one := <-s.free:
		return one
	default:
		return s.make()
	}
}

func (s *spares[T]) put(one T) {
	select {
	case s.free <- one:
	default:
	}
}
