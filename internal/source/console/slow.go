package console

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// slowCycle asks for the stats of every topic (/topic/stats.query), behind the
// rounds: one call at a time, and only so many behind each round, because the
// console asks each broker of the topic for it. What it finds serves the rounds
// after.
type slowCycle struct {
	topics map[string]*slowTopic
	share  float64   // of a call, left over from the round before
	onTime time.Time // round at whose end nothing was older than it should be
	plan   []string  // topics that are to be asked for next

	mu    sync.Mutex
	done  chan struct{} // closed when the calls under way are; nil: none are
	found []finding     // since they were taken last
}

// slowTopic is when a topic was last asked for, and when its stats were last told.
type slowTopic struct {
	asked    time.Time
	told     time.Time
	failures int // in a row
}

// finding is what a call brought.
type finding struct {
	topic string
	round int // behind which it was asked
	spans map[model.TopicOnBroker]span
	taken time.Time
	odd   int
	err   error
}

const (
	// maxErrands bounds the calls behind one round.
	maxErrands = 64
	// quietCycles is how many times longer a topic is believed to be as it was
	// when its ends have not moved and no group is behind on it.
	quietCycles = 10
)

// takeErrands takes what was found since the last round.
func (r *round) takeErrands() {
	s := r.src
	s.slow.mu.Lock()
	found := s.slow.found
	s.slow.found = nil
	s.slow.mu.Unlock()
	for i := range found {
		r.takeErrand(&found[i])
	}
}

func (r *round) takeErrand(f *finding) {
	s := r.src
	t := s.slow.topics[f.topic]
	if t == nil {
		return // deleted, or made anew, meanwhile
	}
	t.asked = r.began
	switch {
	case f.err == nil:
		t.failures, t.told = 0, r.began
		r.odd += f.odd
		s.takeStats(f.topic, f.spans, f.round, f.taken)
	case isNoPath(f.err):
		s.noStats = s.rounds + s.opts.GroupRounds
	case refusedWith(f.err, codeTopicNotExist):
	default:
		if t.failures++; t.failures > s.opts.KeepRounds {
			s.takeStats(f.topic, nil, f.round, time.Time{})
		}
		r.fail(pathStats, f.err)
	}
}

// isNoPath says whether the console does not know a path.
func isNoPath(err error) bool { return errors.Is(err, errNoPath) || Reason(err) == reasonNotJSON }

// waiting is a topic whose stats are to be asked for.
type waiting struct {
	name        string
	isNew       bool
	age, period time.Duration // since it was asked for, and how often it is to be
	told        time.Duration // since its stats were told
	believed    time.Duration // how long they are believed
}

func (w *waiting) overdue() float64 { return float64(w.age) / float64(w.period) }

// planErrands plans the calls behind the round, unless the last ones are still
// under way.
func (r *round) planErrands() {
	s := r.src
	if s.opts.SlowEvery < 0 || s.topics == nil || !r.reached || r.knowsNoStats() || s.ctx.Err() != nil {
		return
	}
	s.slow.mu.Lock()
	busy := s.slow.done != nil
	s.slow.mu.Unlock()
	if !busy {
		s.slow.plan = r.dueTopics()
	}
}

// dueTopics are the topics whose stats are to be asked for: new ones at once, then
// dead letters and others in turn, as many as it takes to come round in one cycle.
func (r *round) dueTopics() []string {
	s, elapsed := r.src, time.Duration(0)
	if !s.lastBegan.IsZero() {
		elapsed = r.began.Sub(s.lastBegan)
	}
	topics := r.slowTopics()
	slices.SortFunc(topics, func(a, b waiting) int {
		return cmp.Or(b2i(b.isNew)-b2i(a.isNew), cmp.Compare(b.overdue(), a.overdue()), strings.Compare(a.name, b.name))
	})
	for i := range topics {
		s.slow.share += float64(elapsed) / float64(topics[i].period)
	}
	late := slices.ContainsFunc(topics, func(t waiting) bool { return t.told > 2*max(t.believed, elapsed) })
	var names []string
	for i := range topics {
		t := &topics[i]
		if isDue := t.age+elapsed > t.period; !t.isNew && !isDue && s.slow.share < 1 || len(names) == maxErrands {
			break
		}
		if !t.isNew {
			s.slow.share--
		}
		names = append(names, t.name)
	}
	s.slow.share = min(max(s.slow.share, 0), 1)
	if !late {
		s.slow.onTime = r.began
	}
	return names
}

// slowTopics lists the topics that are wanted, and forgets the others.
func (r *round) slowTopics() []waiting {
	s := r.src
	known := s.slow.topics
	s.slow.topics = make(map[string]*slowTopic, len(s.topics))
	busy := s.busyTopics()
	list := make([]waiting, 0, len(s.topics))
	for name := range s.topics {
		if !s.wants(name) {
			continue
		}
		t := known[name]
		if t == nil {
			t = &slowTopic{}
		}
		s.slow.topics[name] = t
		w := waiting{
			name: name, isNew: t.asked.IsZero(), age: r.began.Sub(t.asked), period: s.opts.SlowEvery,
			told: r.began.Sub(t.told), believed: s.opts.SlowEvery,
		}
		if isBusy, consumed := busy[name]; consumed && !isBusy {
			if w.believed *= quietCycles; t.failures == 0 {
				w.period = w.believed
			}
		}
		list = append(list, w)
	}
	return list
}

// wants says whether a topic is wanted in some cluster.
func (s *Source) wants(topic string) bool {
	if s.topics[topic] && !s.opts.Selection.System {
		return false
	}
	for _, c := range s.clusters {
		if c.wanted.Topic(topic) {
			return true
		}
	}
	return false
}

// busyTopics says of the topics that groups have rows of whether their ends have
// moved since their stats were told, or somebody is behind on them.
func (s *Source) busyTopics() map[string]bool {
	busy := make(map[string]bool)
	for _, g := range s.groups {
		for on, c := range g.cells {
			told := s.stats[on]
			moved := told == nil || !slices.Equal(told.ends[:min(len(told.ends), len(c.ends))], c.ends)
			busy[on.Topic] = busy[on.Topic] || moved || c.isBehind()
		}
	}
	return busy
}

// isBehind says whether the group has something to consume.
func (c *cell) isBehind() bool {
	for q, end := range c.ends {
		if c.committed[q] < end {
			return true
		}
	}
	return false
}

// Behind begins the calls that were planned to be made behind the last round.
func (s *Source) Behind() {
	names := s.slow.plan
	s.slow.plan = nil
	if len(names) == 0 || s.ctx.Err() != nil {
		return
	}
	done, round := make(chan struct{}), s.rounds
	s.slow.mu.Lock()
	s.slow.done = done
	s.slow.mu.Unlock()
	s.background.Go(func() {
		defer close(done)
		for _, name := range names {
			if s.ctx.Err() != nil {
				break
			}
			f := s.askErrand(name, round)
			s.slow.mu.Lock()
			s.slow.found = append(s.slow.found, f)
			s.slow.mu.Unlock()
			if f.err != nil && Reason(f.err) != reasonRefused {
				break // the console is not well: the rest has time
			}
		}
		s.slow.mu.Lock()
		defer s.slow.mu.Unlock()
		s.slow.done = nil
	})
}

// Settle waits until nothing is asked any more behind the last round, or ctx ends:
// for who reads one round, or a few.
func (s *Source) Settle(ctx context.Context) {
	s.Behind()
	s.slow.mu.Lock()
	done := s.slow.done
	s.slow.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (s *Source) askErrand(topic string, round int) finding {
	f := finding{topic: topic, round: round}
	f.err = s.client.get(s.ctx, s.opts.CallTimeout, pathStats, url.Values{"topic": {topic}}, func(d *decoder) (err error) {
		f.spans, err = readStats(d)
		f.odd = d.odd
		return err
	})
	if isNoQueue(f.err) {
		f.spans, f.err = map[model.TopicOnBroker]span{}, nil
	}
	f.taken = s.opts.Now()
	return f
}

// others are the topics that no group has rows of on a broker. One that was not
// told of yet may be on any.
func (s *Source) others(b *broker, consumed map[string][]groupCell) []model.TopicStats {
	if s.topics == nil {
		return nil
	}
	told := make(map[string]bool)
	for on, st := range s.stats {
		told[on.Topic] = told[on.Topic] || len(st.ends) > 0
	}
	list := []model.TopicStats{}
	for name := range s.topics {
		if _, ok := consumed[name]; ok || !b.cluster.wanted.Topic(name) || !s.wants(name) {
			continue
		}
		st := s.stats[model.TopicOnBroker{Topic: name, Broker: b.name}]
		switch {
		case st != nil && len(st.ends) > 0:
			list = append(list, model.TopicStats{Topic: name, Taken: st.taken, Ends: st.ends, Begins: st.begins, Stored: st.stored})
		case !told[name]:
			list = append(list, model.TopicStats{Topic: name, Stored: model.Unknown})
		}
	}
	slices.SortFunc(list, func(a, b model.TopicStats) int { return strings.Compare(a.Topic, b.Topic) })
	return list
}
