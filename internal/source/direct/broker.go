package direct

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// reading is the process of one broker whose offsets are read in a round.
type reading struct {
	*round
	broker *broker
	proc   *proc
	build  *partBuilder
	found  findings // behind earlier rounds, before this one read anything
	late   bool     // something that is asked behind rounds is older than it should be
	denied bool     // the bulk request for ends was, which says nothing of the release
	// place is the broker's among the brokers of its cluster.
	place, brokers int

	// Of the sealed part: its topics in their order, nil where one was deleted
	// meanwhile, and where in the last part each was; notInPart.
	inPart []*topic
	from   []int32

	// Room for the queues of the topic under way.
	ends, before, begins model.Run
	passed               []int64 // see passedBefore
}

// readBrokers reads one process of every broker, and asks the others whether
// they are there.
func (r *round) readBrokers() {
	var reads, pings []func()
	for _, c := range r.src.clusters {
		for i, b := range c.sortedBrokers() {
			teller := b.teller()
			b.reader = teller.addr
			// What is found from now on may be newer than the offsets of the
			// round, and is for the next one.
			w := &reading{round: r, broker: b, proc: teller, build: newPartBuilder(b), found: b.errands.take(), place: i, brokers: len(c.brokers)}
			r.sources = append(r.sources, w)
			reads = append(reads, w.run)
			for _, p := range b.procs {
				if p != teller && !p.ousted {
					pings = append(pings, func() { r.ping(c, p) })
				}
			}
		}
	}
	source.Each(r.src.opts.Parallel, slices.Concat(reads, pings), func(work func()) { work() })
}

func (w *reading) run() {
	if w.proc.ousted {
		w.build.err = fmt.Errorf("%s: no name server lists broker %s any more, and another broker has its address", w.proc.addr, w.broker.name)
		w.add(w.broker.cluster.name, w.proc.addr, remoting.GetBrokerClusterInfo.String(), reasonOusted, w.build.err)
		return
	}
	known := w.askKnownGroups()
	w.build.err = w.ask()
	if w.build.err == nil {
		w.readOffsets()
	}
	known.settle(w)
}

func (w *reading) readOffsets() {
	w.readEndsAndGroups(w.claimGroups())
	w.readDraining(0)
	w.readBeginnings()
}

// ask sends the requests for the broker's topics, groups and commits, and
// returns the first failure. The commits are decoded last: what of them is
// wanted is in the other two. Mostly they come last too; else they are copied.
func (w *reading) ask() error {
	codes := []remoting.RequestCode{remoting.GetAllTopicConfig, remoting.GetAllSubscriptionGroup, remoting.GetAllConsumerOffset}
	var failed error
	var commits []byte
	open, taken := len(codes), false
	w.src.client.Pipeline(w.ctx, w.proc.addr, len(codes),
		func(i int) remoting.Request { return remoting.Request{Code: codes[i]} },
		func(i int, resp remoting.Response, err error) {
			w.answered(err)
			open--
			switch {
			case err != nil:
			case codes[i] != remoting.GetAllConsumerOffset:
				err = w.take(codes[i], resp.Body)
			case open > 0:
				commits = append(commits, resp.Body...) // the body is lent
			case failed == nil:
				taken, err = true, w.named(w.build.takeCommits(resp.Body))
			}
			failed = w.note(codes[i], err, failed)
		})
	if failed == nil && !taken {
		failed = w.note(remoting.GetAllConsumerOffset, w.named(w.build.takeCommits(commits)), nil)
	}
	if failed != nil {
		return failed
	}
	if w.proc.id != remoting.MasterID && len(w.build.part.Commits) == 0 && w.broker.known.groups.len() > 0 {
		failed = fmt.Errorf("%s: a slave of broker %s that stands in for its master knows no commit of any group", w.proc.addr, w.broker.name)
		w.add(w.broker.cluster.name, w.proc.addr, remoting.GetAllConsumerOffset.String(), reasonNoCommits, failed)
	}
	return failed
}

// reasonNoCommits: a slave of 5.5.0 cannot read its master's commits
// (SlaveSynchronize.syncConsumerOffset) and has none of its own. That nobody
// has committed anything must not be believed of it.
const reasonNoCommits = "no_commits"

// reasonOusted: see proc.ousted.
const reasonOusted = "address_taken"

// note counts a failure, and returns the first one.
func (w *reading) note(code remoting.RequestCode, err, first error) error {
	if err == nil {
		return first
	}
	w.fail(w.broker.cluster.name, w.proc.addr, code, err)
	if first == nil {
		return err
	}
	return first
}

// answered notes that the process is there.
func (w *reading) answered(err error) {
	if isAnswer(err) {
		w.proc.told = true
	}
}

func (w *reading) take(code remoting.RequestCode, body []byte) error {
	b, s := w.broker, w.src
	var err error
	switch code { //nolint:exhaustive // those that ask sends
	case remoting.GetAllTopicConfig:
		var odd int
		odd, err = b.known.setTopics(body, b.cluster, &s.names)
		w.build.odd += odd
	case remoting.GetAllSubscriptionGroup:
		err = b.known.setGroups(body, b.cluster, &s.names)
	}
	return w.named(err)
}

// named puts the process's address in front of an error about a body.
func (w *reading) named(err error) error { return bodyOf(w.proc.addr, err) }

// sealParts makes the parts of the round, or lets the last good ones stand in.
func (r *round) sealParts() {
	r.eachSource((*reading).sealPart)
	for _, w := range r.sources {
		c := w.broker.cluster
		if c.odd += w.build.odd; w.build.err == nil {
			c.taken = w.broker.part.Taken
		}
	}
}

func (w *reading) sealPart() {
	b, keep := w.broker, w.src.opts.KeepRounds
	w.takeFound()
	if w.build.err == nil {
		var part *model.Part
		part, b.carried = w.build.seal(b.carried, keep, w.src.opts.Now())
		w.fill(part)
		b.relaid = !sameLayout(part, w.build.last)
		b.part, b.groups, b.partAge = part, w.build.groups, 0
		b.minimum = w.build.sealMinimum(b.minimum, b.carried)
		return
	}
	b.relaid = false
	if b.partAge++; b.partAge > keep {
		b.relaid = b.part != nil
		b.part, b.groups, b.carried, b.minimum, b.waits = nil, nil, nil, nil, waits{}
		b.known.forgetTopics()
		b.forgetModes()
	}
}

// takeFound takes what was found behind earlier rounds.
func (w *reading) takeFound() {
	for _, found := range w.found.found {
		found(w)
	}
	w.takeTold(&w.found.told)
	w.found = findings{}
}

// eachSource does the work of each broker's part that asks nobody: as many at a
// time as there are processors.
func (r *round) eachSource(work func(*reading)) {
	source.Each(r.atOnce(), r.sources, work)
}

func (r *round) atOnce() int { return min(r.src.opts.Parallel, runtime.GOMAXPROCS(0)) }
