package direct

import (
	"maps"
	"slices"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// support is what is known of a process and a request that came with 5.x.
type support uint8

const (
	untold support = iota
	supported
	unsupported
)

// learn notes whether a process knows a request.
func (s *support) learn(err error) {
	switch {
	case err == nil:
		*s = supported
	case remoting.Reason(err) == "unsupported":
		*s = unsupported
	}
}

// maxModes bounds the pairs of topic and group whose mode is believed.
const maxModes = 1 << 18

// modeErrands ask once a cycle which groups POP which topics. Brokers of 4.x do
// not know the request; that is believed while the process is the same. The last
// good answer stands in for as many that fail as rounds do.
func (w *reading) modeErrands() []errand {
	b, p := w.broker, w.proc
	if p.modes == unsupported || !w.due(b.modesAsked) {
		return nil
	}
	b.modesAsked = w.began
	if b.modesMissed = oneMore(b.modesMissed); int(b.modesMissed) > w.src.opts.KeepRounds+1 {
		b.pop = nil // not even failures came back, see errandRun.ask
	}
	return []errand{{p.addr, remoting.Request{Code: remoting.GetAllMessageRequestMode}, func(body []byte, err error) finding {
		var pop map[string][]string
		refused := err
		if err == nil {
			pop, err = readModes(body)
			err = bodyOf(p.addr, err)
		}
		return func(w *reading) {
			p.modes.learn(refused)
			switch {
			case p.modes == unsupported:
				w.broker.pop = nil
			case err != nil:
				w.fail(w.broker.cluster.name, p.addr, remoting.GetAllMessageRequestMode, err)
				if int(w.broker.modesMissed) > w.src.opts.KeepRounds {
					w.broker.pop = nil
				}
			default:
				w.broker.pop, w.broker.modesTold, w.broker.modesMissed = pop, w.began, 0
			}
		}
	}}}
}

// forgetModes has them asked for as soon as the broker answers again.
func (b *broker) forgetModes() {
	b.pop, b.modesAsked, b.modesTold, b.modesMissed = nil, time.Time{}, time.Time{}, 0
}

// modesLate says whether it is older than it should be, or not known yet, which
// groups POP which topics.
func (w *reading) modesLate() bool {
	return w.proc.modes != unsupported && w.began.Sub(w.broker.modesTold) > 2*max(w.src.opts.SlowEvery, w.elapsed())
}

// readModes reads which topics each group POPs.
func readModes(body []byte) (map[string][]string, error) {
	pop := make(map[string][]string)
	n := 0
	err := remoting.DecodeRequestModes(body, func(m remoting.RequestMode) {
		if n++; string(m.Mode) == remoting.ModePop && n <= maxModes {
			pop[string(m.Group)] = append(pop[string(m.Group)], string(m.Topic))
		}
	})
	return pop, err
}

// popTold are the topics that each group POPs, of the brokers that told of any.
func (c *cluster) popTold() (told []map[string][]string) {
	for _, b := range c.brokers {
		if len(b.pop) > 0 {
			told = append(told, b.pop)
		}
	}
	return told
}

// setPop says which topics a group consumes by POP, as brokers told, and what its processes have
// popped and not acknowledged, as far as they told. A process that does not
// answer is believed for some rounds.
func (r *round) setPop(c *cluster, g *group, told []map[string][]string) {
	var pop map[string]struct{} // of few groups
	add := func(topic string) {
		if pop == nil {
			pop = make(map[string]struct{})
		}
		pop[topic] = struct{}{}
	}
	for _, topics := range told {
		for _, topic := range topics[g.name] {
			if c.wanted.Topic(topic) {
				add(topic)
			}
		}
	}
	g.inFlight = nil
	if g.pops { // few groups do
		g.inFlight = r.inFlight(c, g)
		for i := range g.inFlight {
			add(g.inFlight[i].Topic)
		}
	}
	if !maps.Equal(pop, g.pop) {
		g.pop = pop
		g.versions.pop++
		g.recheck = recheck{pause: firstPause, at: r.began, until: r.began.Add(rebalanceTime)}
	}
}

// inFlight is what the processes of a group have popped and not acknowledged.
func (r *round) inFlight(c *cluster, g *group) (list []model.InFlight) {
	for i := range g.clients {
		h := g.held[g.clients[i].ID]
		if h == nil || h.popped == nil || g.repeated(i) {
			continue
		}
		if h.popAge = oneMore(h.popAge); h.isFresh(r.began) {
			h.popAge = 0
		}
		if int(h.popAge) > r.src.opts.KeepRounds {
			continue
		}
		for _, topic := range slices.Sorted(maps.Keys(h.popped)) {
			if c.wanted.Topic(topic) {
				list = append(list, model.InFlight{Topic: topic, Client: i, Messages: h.popped[topic]})
			}
		}
	}
	return list
}
