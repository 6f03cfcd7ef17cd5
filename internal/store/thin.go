package store

import (
	"math"
	"slices"
)

// maxSamples bounds the samples of one queue in front of the last two looks:
// about 160 bytes, see packed. Of more, those are left out that change times least
// for their age, until there are fewSamples: several at once, since it takes a look
// at all of them to say which. A day of steady traffic is then still known to about
// two intervals, one of bursts to a tenth of its age.
//
// Queues that are behind take turns: in every round others of a topic are thinned
// to fewSamples, so that one round costs and keeps as much as another.
const (
	maxSamples = 32
	fewSamples = 26
	turns      = maxSamples - fewSamples
)

// thin leaves out all samples but fewSamples: one after the other the one that
// changes the times of messages least for their age. It says whether one was an
// anchor.
func (q *queue) thin(now Tick) (anchor bool) {
	s := *q
	room := [maxSamples + 4]omission{{share: math.MaxInt64}} // the oldest stays
	without := room[:1]                                      // by sample
	for i := range len(s) - 2 {
		without = append(without, omit(&s[i], &s[i+1], &s[i+2], now))
	}
	for len(s) > fewSamples {
		i := least(without)
		s[i-1].off, anchor = without[i].off, anchor || s[i].isAnchor()
		s, without = slices.Delete(s, i, i+1), slices.Delete(without, i, i+1)
		if i > 1 {
			without[i-1] = omit(&s[i-2], &s[i-1], &s[i], now)
		}
		if i < len(without) {
			without[i] = omit(&s[i-1], &s[i], &s[i+1], now)
		}
	}
	*q = s
	return anchor
}

// omission is what it does to leave out a sample: how far off times can be then,
// and what share of their age that is, in billionths.
type omission struct {
	share int64
	off   uint32
}

// omit is what it does to leave out a sample between two others. The line over the
// gap and the two that were there differ most at the sample.
func omit(a, b, c *sample, now Tick) (o omission) {
	switch {
	case a.isAnchor() && b.isAnchor():
		return omission{off: a.off} // between anchors nothing is known anyway
	case a.isAnchor():
		o.off = a.off
	case c.end != a.end: // else no message came
		bent := int64(between(*a, *c, b.end)) - int64(b.at)
		o.off = uint32(min(int64(max(a.off, b.off))+max(bent, -bent), int64(c.at)-int64(a.at)))
	}
	o.share = int64(float64(o.off) * 1e9 / float64(max(int64(now)-int64(c.at), 1)))
	return o
}

// least is the first of the smallest shares. Processors cannot guess which is
// smaller, and need not where the number is all that is taken.
func least(list []omission) int {
	share := list[0].share
	for i := range list {
		share = min(share, list[i].share)
	}
	return slices.IndexFunc(list, func(o omission) bool { return o.share == share })
}
