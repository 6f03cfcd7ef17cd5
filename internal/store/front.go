package store

// fewFront is how many samples at the front of a queue are read to change something
// there: anchors of a reader that gets on come and go one at a time.
const fewFront = 4

// front is the oldest samples of a packed queue, and what is behind them.
type front struct {
	head

	samples queue
	rest    packed // the others but for the newest: each as it differs from the one before
}

// front reads the front of a queue that has more samples than that. They stand in
// the room.
func (p packed) front(room queue) (f front, ok bool) {
	if len(p) == 0 {
		return f, false
	}
	if f.read(p); f.n < fewFront+2 {
		return f, false
	}
	var s, d sample
	i := 0
	f.samples = room[:0]
	for range fewFront {
		d, i = f.others.sample(i)
		s = after(s, d)
		f.samples = append(f.samples, s)
	}
	f.rest = f.others[i:]
	return f, true
}

// appendWith appends the queue with other samples at its front, the last of which is
// the one that was. Oldest is the first that was.
func (f *front) appendWith(room []byte, oldest sample, samples queue) []byte {
	between := after(minus(oldest, samples[0]), f.between)
	room = appendHead(room, f.n+len(samples)-fewFront, between, f.differs)
	var before sample
	for _, s := range samples {
		room = appendSample(room, minus(s, before))
		before = s
	}
	return append(room, f.rest...)
}

// pruneFront drops what nobody needs of a queue, where that is all at its front, and
// says which sample is the oldest then.
func (k *looking) pruneFront(id int, reach int64) (oldest sample, ok bool) {
	f, ok := k.older[id].front(k.desk.front[:])
	if !ok || f.samples[fewFront-1].end <= reach {
		return oldest, false
	}
	q, was := f.samples, f.samples[0]
	for q[1].end <= reach {
		q = q[1:]
	}
	k.packFront(id, &f, was, q)
	return q[0], true
}

// anchorFront takes a store time of a queue as queue.anchor does, where that is a
// matter of its front, and there is room for one sample more.
func (k *looking) anchorFront(id int, at Tick, offset int64, kind uint32) (changed, ok bool) {
	if id >= len(k.older) {
		return false, false
	}
	f, ok := k.older[id].front(k.desk.front[:])
	if !ok || f.n >= maxSamples {
		return false, false
	}
	// Neither the last of them nor what is behind it is looked at, or changes.
	if s := &f.samples[fewFront-2]; s.isAnchor() && s.end < offset {
		return false, false
	}
	q, was := f.samples, f.samples[0]
	if changed = q.anchor(at, offset, kind); changed {
		k.packFront(id, &f, was, q)
	}
	return changed, true
}

func (k *looking) packFront(id int, f *front, oldest sample, samples queue) {
	from := len(k.desk.room)
	k.desk.room = f.appendWith(k.desk.room, oldest, samples)
	k.older[id] = k.desk.room[from:]
}
