package store

// ledger keeps what is known of things by their keys, numbers them, and lets go
// of what a round has no more. A number, and the place of the value in memory,
// stay the same while the thing is kept. Numbers are short, and blocks of values
// need less than a map that holds them.
type ledger[K comparable, T any] struct {
	numbers map[K]int32
	blocks  []*[ledgerBlock]T
	met     []uint32 // by number: the last round that had it
	free    []int32  // numbers
	now     int      // how many the round has
}

const ledgerBlock = 128

// nowhere stands where there is no number or place.
const nowhere int32 = -1

// at is the value of a number.
func (l *ledger[K, T]) at(number int32) *T {
	return &l.blocks[number/ledgerBlock][number%ledgerBlock]
}

// find is the number of a key, none where it is not kept.
func (l *ledger[K, T]) find(key K) int32 {
	if number, ok := l.numbers[key]; ok {
		return number
	}
	return nowhere
}

// meet notes that the round has a key, and says whether it is new.
func (l *ledger[K, T]) meet(round uint32, key K) (number int32, isNew bool) {
	number, ok := l.numbers[key]
	if !ok {
		number = l.take()
		if l.numbers == nil {
			l.numbers = make(map[K]int32)
		}
		l.numbers[key] = number
	}
	l.again(round, number)
	return number, !ok
}

// again notes that the round has what the round before had.
func (l *ledger[K, T]) again(round uint32, number int32) {
	if l.met[number] != round {
		l.met[number] = round
		l.now++
	}
}

func (l *ledger[K, T]) take() int32 {
	if n := len(l.free); n > 0 {
		number := l.free[n-1]
		l.free = l.free[:n-1]
		return number
	}
	if len(l.met) == len(l.blocks)*ledgerBlock {
		l.blocks = append(l.blocks, new([ledgerBlock]T))
	}
	l.met = append(l.met, 0)
	return int32(len(l.met) - 1)
}

// forget lets go of what the round does not have.
func (l *ledger[K, T]) forget(round uint32) {
	now := l.now
	if l.now = 0; now == len(l.numbers) {
		return
	}
	if now == 0 {
		*l = ledger[K, T]{}
		return
	}
	for key, number := range l.numbers {
		if l.met[number] != round {
			var zero T
			delete(l.numbers, key)
			*l.at(number) = zero
			l.free = append(l.free, number)
		}
	}
}
