package model

import "slices"

// TopicSet is names of topics, in their order. Most groups subscribe a few: a list
// takes a fifth of what a map of them does.
type TopicSet []string

// TopicSetOf is the set of these names. It takes the list over.
func TopicSetOf(names ...string) TopicSet {
	slices.Sort(names)
	return slices.Clip(slices.Compact(names))
}

// Has says whether a topic is in the set.
func (s TopicSet) Has(topic string) bool {
	_, ok := slices.BinarySearch(s, topic)
	return ok
}
