package exposition

// spares are things that are used again, some of them at most. A sync.Pool would let
// go of them at every other garbage collection: that is all the time while scrapes
// follow each other, and each encoder is the better part of a megabyte to make, and
// to collect.
type spares[T any] struct {
	free chan T
	make func() T
}

func newSpares[T any](most int, one func() T) spares[T] { return spares[T]{make(chan T, most), one} }

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
