package direct

import (
	"errors"
	"fmt"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// reading is one broker process being read in a round.
type reading struct {
	*round
	broker *broker
	proc   *proc
	build  *partBuilder // nil where the process is only asked how it is
}

// readBrokers asks every process of every broker.
func (r *round) readBrokers() {
	var work []*reading
	for _, c := range r.src.clusters {
		for _, b := range c.brokers {
			teller := b.teller()
			for _, p := range b.procs {
				w := &reading{round: r, broker: b, proc: p}
				if p == teller {
					b.start(p)
					w.build = newPartBuilder(b)
					r.sources = append(r.sources, w)
				}
				work = append(work, w)
			}
		}
	}
	each(r.src.opts.Parallel, work, (*reading).run)
}

// start prepares a broker for being read through p.
func (b *broker) start(p *proc) {
	if b.reader != p.addr {
		b.reader, b.known = p.addr, newConfigs()
	}
	b.minimum = nil
}

func (w *reading) run() {
	if w.build == nil {
		w.ask([]remoting.RequestCode{remoting.GetBrokerRuntimeInfo})
		return
	}
	failed := w.ask([]remoting.RequestCode{
		remoting.GetBrokerRuntimeInfo, remoting.GetAllTopicConfig, remoting.GetAllSubscriptionGroup,
	})
	if !w.proc.up || failed != nil {
		w.build.err = failed
		return
	}
	if err := w.readCommits(); err != nil {
		w.build.err = err
		return
	}
	w.readEndsAndGroups(w.claimGroups())
	w.readBeginnings()
}

// ask sends the requests that describe a process, and returns the first
// failure among those without which its offsets cannot be told.
func (w *reading) ask(codes []remoting.RequestCode) error {
	var failed error
	w.src.client.Pipeline(w.ctx, w.proc.addr, len(codes),
		func(i int) remoting.Request { return remoting.Request{Code: codes[i]} },
		func(i int, resp remoting.Response, err error) {
			w.answered(err)
			if err == nil {
				err = w.take(codes[i], resp.Body)
			}
			if err != nil {
				w.fail(w.broker.cluster.name, w.proc.addr, codes[i], err)
				if codes[i] != remoting.GetBrokerRuntimeInfo && failed == nil {
					failed = err
				}
			}
		})
	return failed
}

// answered notes that the process is there: any answer of its own counts, also
// one that refuses.
func (w *reading) answered(err error) {
	var refused *remoting.ResponseError
	if err == nil || errors.As(err, &refused) {
		w.proc.up, w.proc.seen = true, w.began
	}
}

func (w *reading) take(code remoting.RequestCode, body []byte) error {
	b, s := w.broker, w.src
	var err error
	switch code { //nolint:exhaustive // those that ask sends
	case remoting.GetBrokerRuntimeInfo:
		err = w.proc.setRuntime(body)
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
func (w *reading) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", w.proc.addr, err)
}

func (p *proc) setRuntime(body []byte) error {
	return remoting.DecodeRuntimeInfo(body, func(key, value []byte) {
		switch string(key) {
		case "brokerVersionDesc":
			if string(value) != p.version {
				p.version = string(value)
			}
		case "bootTimestamp":
			if string(value) != p.boot {
				p.boot, p.noTopicList = string(value), false
			}
		}
	})
}

// readCommits asks for every commit of the broker.
func (w *reading) readCommits() error {
	var failed error
	w.src.client.Pipeline(w.ctx, w.proc.addr, 1,
		func(int) remoting.Request { return remoting.Request{Code: remoting.GetAllConsumerOffset} },
		func(_ int, resp remoting.Response, err error) {
			if err == nil {
				err = w.named(w.build.takeCommits(resp.Body))
			}
			if failed = err; err != nil {
				w.fail(w.broker.cluster.name, w.proc.addr, remoting.GetAllConsumerOffset, err)
			}
		})
	return failed
}

// sealParts makes the parts of the round, or lets the last good ones stand in.
func (r *round) sealParts() {
	keep := r.src.opts.KeepRounds
	for _, w := range r.sources {
		b := w.broker
		b.cluster.odd += w.build.odd
		if w.build.err == nil {
			b.part, b.carried = w.build.seal(b.part, b.carried, keep, r.src.opts.Now())
			b.partAge = 0
			continue
		}
		if b.partAge++; b.partAge > keep {
			b.part, b.carried = nil, nil
		}
	}
}
