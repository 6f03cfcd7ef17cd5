package model

import (
	"slices"
	"testing"
)

func TestTopicSet(t *testing.T) {
	s := TopicSetOf("orders", "", "audit", "orders")
	if !slices.Equal(s, TopicSet{"", "audit", "orders"}) {
		t.Errorf("%q", s)
	}
	for name, want := range map[string]bool{"": true, "audit": true, "orders": true, "order": false, "z": false} {
		if s.Has(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
	if s := TopicSetOf(); len(s) != 0 || s.Has("") || TopicSet(nil).Has("") {
		t.Error("an empty set has something")
	}
}
