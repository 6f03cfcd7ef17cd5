package store

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
	fewSamples = 24
	turns      = maxSamples - fewSamples
)

// thin leaves out all samples but fewSamples: one after the other the one that
// changes the times of messages least for their age. It says whether one was an
// anchor.
func (q *queue) thin(now Tick) (anchor bool) {
	s := *q
	room := [maxSamples + 4]float64{}
	shares := append(room[:0], 0) // of the age, by sample; those at both ends stay
	for i := 1; i+1 < len(s); i++ {
		_, share := without(&s[i-1], &s[i], &s[i+1], now)
		shares = append(shares, share)
	}
	for len(s) > fewSamples {
		best := 1
		for i, share := range shares {
			if share < shares[best] && i > 0 {
				best = i
			}
		}
		s[best-1].off, _ = without(&s[best-1], &s[best], &s[best+1], now)
		anchor = anchor || s[best].isAnchor()
		s, shares = append(s[:best], s[best+1:]...), append(shares[:best], shares[best+1:]...)
		for i := max(best-1, 1); i <= best && i < len(shares); i++ {
			_, shares[i] = without(&s[i-1], &s[i], &s[i+1], now)
		}
	}
	*q = s
	return anchor
}

// without says how far off times can be where a sample between two others is left
// out, and what share of their age that is. The line over the gap and the two that
// were there differ most at the sample.
func without(a, b, c *sample, now Tick) (off uint32, share float64) {
	switch {
	case a.isAnchor() && b.isAnchor():
		return a.off, 0 // between anchors nothing is known anyway
	case a.isAnchor():
		off = a.off
	case c.end != a.end: // else no message came
		bent := int64(between(*a, *c, b.end)) - int64(b.at)
		off = uint32(min(int64(max(a.off, b.off))+max(bent, -bent), int64(c.at)-int64(a.at)))
	}
	return off, float64(off) / max(float64(now)-float64(c.at), 1)
}
