package direct

import "slices"

// groupSet is the groups that a broker has, in the order of their names. Brokers
// of a cluster mostly have the same ones, and share one set.
type groupSet struct {
	names []string
	index map[string]int32 // of names
	// groups are what is remembered of each of names. Who writes them has the
	// cluster's lock, or is alone.
	groups []*group
}

func newGroupSet(names []string) *groupSet {
	s := &groupSet{names: slices.Clone(names), index: make(map[string]int32, len(names)), groups: make([]*group, len(names))}
	for i, name := range s.names {
		s.index[name] = int32(i)
	}
	return s
}

// groupSet is the set of these groups.
func (c *cluster) groupSet(names []string) *groupSet {
	slices.Sort(names)
	names = slices.Compact(names)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sets {
		if slices.Equal(s.names, names) {
			return s
		}
	}
	s := newGroupSet(names)
	c.sets = append(c.sets, s)
	return s
}

// forgetSets lets go of sets that no broker has any more.
func (c *cluster) forgetSets() {
	used := make(map[*groupSet]struct{}, len(c.sets))
	for _, b := range c.brokers {
		used[b.known.groups], used[b.groups] = struct{}{}, struct{}{}
	}
	c.sets = slices.DeleteFunc(c.sets, func(s *groupSet) bool {
		_, ok := used[s]
		return !ok
	})
}

func (s *groupSet) len() int {
	if s == nil {
		return 0
	}
	return len(s.names)
}

func (s *groupSet) has(name string) bool {
	if s == nil {
		return false
	}
	_, ok := s.index[name]
	return ok
}

// meet finds what is remembered of each group of the set.
func (s *groupSet) meet(groups map[string]*group) {
	if s == nil {
		return
	}
	for i, g := range s.groups {
		if g == nil || g.forgotten {
			s.groups[i] = groups[s.names[i]]
		}
	}
}

const noGroup = -1

// numbersIn are the places of the set's names in another one; noGroup: it is not
// in there.
func (s *groupSet) numbersIn(other *groupSet) []int32 {
	list := make([]int32, s.len())
	for i := range list {
		n, ok := other.index[s.names[i]]
		if !ok {
			n = noGroup
		}
		list[i] = n
	}
	return list
}

// groupOf is the group of an entry of the part's commits; nil: it is not
// remembered.
func (b *broker) groupOf(commits int) *group { return b.groups.groups[b.part.Commits[commits].Group] }
