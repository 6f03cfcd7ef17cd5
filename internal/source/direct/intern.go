package direct

import "sync"

// interner keeps one copy of every name that several bodies repeat. Names that
// were not met for a generation are let go, so that churn cannot make it grow;
// one that is met again later is copied again, which costs only memory.
type interner struct {
	mu            sync.Mutex
	current, last map[string]string
	rounds        int
}

// generation is how many rounds a generation of names lasts.
const generation = 64

func (n *interner) nextRound() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rounds++; n.current == nil || n.rounds >= generation {
		n.last, n.current, n.rounds = n.current, make(map[string]string, len(n.current)), 0
	}
}

// text is the one copy of a name.
func (n *interner) text(b []byte) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s, ok := n.current[string(b)]; ok {
		return s
	}
	s, ok := n.last[string(b)]
	if !ok {
		s = string(b)
	}
	n.current[s] = s
	return s
}
