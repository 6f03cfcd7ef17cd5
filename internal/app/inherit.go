package app

import (
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// brokerAt is a broker and where it is: what tells clusters apart that have the
// same name.
type brokerAt struct{ name, addr string }

// inherit takes what another target remembers, which is no longer read. Whether
// it is of the same cluster is seen in the first round: see disown.
func (t *target) inherit(old *target) {
	last := old.state.Load()
	if last == nil || areConsolesApart(old.config, t.config) {
		return
	}
	t.main, t.pasts = old.main, old.pasts
	t.inherited = make(map[brokerAt]bool)
	for _, r := range last.reports {
		for i := range r.Snapshot.Brokers {
			t.inherited[at(&r.Snapshot.Brokers[i])] = true
		}
	}
}

// disown lets go of what was inherited where the first round meets none of the
// brokers that it is about. Then the settings have given the name to another
// cluster: its commits would seem to have gone back, and ages would be those of
// other messages.
func (t *target) disown(first []*model.Snapshot) {
	known := t.inherited
	t.inherited = nil
	if known == nil {
		return
	}
	for _, s := range first {
		for i := range s.Brokers {
			if known[at(&s.Brokers[i])] {
				return
			}
		}
	}
	t.main, t.pasts = "", nil
}

func at(b *model.Broker) brokerAt { return brokerAt{b.Name, b.Addr} }

// areConsolesApart says whether both are read from consoles, and those are not in
// one place. The addresses of brokers may be such as mean something only where a
// console is, so that they may be those of other brokers elsewhere.
func areConsolesApart(a, b config.Cluster) bool {
	return a.Console.URL != "" && b.Console.URL != "" && a.Console.Host() != b.Console.Host()
}
