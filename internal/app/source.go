package app

import (
	"cmp"
	"fmt"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/exposition"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/console"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/source/direct"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// newTarget makes what one entry of the settings names. Of the target whose place
// it takes, if there is one, it goes on with the counters.
func newTarget(c config.Cluster, before *target) (*target, error) {
	counted := newStats()
	if before != nil {
		counted = before.stats
	}
	t := &target{config: c, stats: counted, now: time.Now, shown: newShown(c)}
	if c.Console.URL == "" {
		src, err := newDirect(c, t.stats)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name(), err)
		}
		t.src = src
		return t, nil
	}
	src, err := newConsole(c, t.stats)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.name(), err)
	}
	t.src = src
	return t, nil
}

// states says how long something must last before it is a state of a group.
func states(s config.States) lag.Rules {
	return lag.Rules{
		Lagging: s.Lagging, Stalled: s.Stalled, Stopped: s.Stopped, RewoundAfter: s.RewoundAfter, RewoundFor: s.RewoundFor,
	}
}

func selection(c config.Cluster) source.Selection {
	s := source.Selection{System: c.System, IgnoredTopics: c.IgnoredTopics, Shard: source.Shard(c.Shard)}
	if !c.Topics.IsZero() {
		s.Topics = c.Topics.Wants
	}
	if !c.Groups.IsZero() {
		s.Groups = c.Groups.Wants
	}
	return s
}

func newShown(c config.Cluster) shown {
	return shown{states: states(c.States), rules: rules(c), console: consoleLink(c)}
}

func consoleLink(c config.Cluster) string { return cmp.Or(c.ConsoleLink, c.Console.URL) }

// rules say what of the cluster's reports is written.
func rules(c config.Cluster) exposition.Rules {
	r := exposition.Rules{Families: c.Families, FamilyLimit: c.FamilyLimit, Limit: c.Limit}
	if !source.Shard(c.Shard).First() {
		dropShared(&r.Families)
	}
	switch c.Detail {
	case config.ByClient:
		r.Detail = exposition.ByClient
	case config.ByGroup:
		r.Detail = exposition.ByGroup
	}
	if !c.Clients.IsZero() {
		r.Clients = func(ip, pid string) bool { return c.Clients.Wants(ip + "@" + pid) }
	}
	return r
}

// dropShared leaves to the first shard what is no consumer group's. Whether the
// cluster was reached each shard tells of itself.
func dropShared(choice *family.Choice) {
	for _, id := range family.All() {
		if f := id.Family(); !f.OfGroups() && f.Set != family.Exporter && id != family.Up {
			choice.Drop(id)
		}
	}
}

func newDirect(c config.Cluster, s *stats) (source.Source, error) {
	a := c.Access
	o := remoting.Options{
		Window: c.Window, Observe: s.observeRemoting,
		Credentials: remoting.Credentials{
			AccessKey: a.AccessKey, SecretKey: a.SecretKey, SecurityToken: a.SecurityToken,
		},
	}
	if a.Secure {
		secure, err := a.TLS.Client()
		if err != nil {
			return nil, err
		}
		o.TLS = secure
	}
	return direct.New(direct.Options{
		NameServers:  c.NameServers,
		Selection:    selection(c),
		Remoting:     o,
		KeepRounds:   c.KeepRounds,
		ForgetAfter:  c.ForgetAfter,
		Parallel:     c.Parallel,
		OwnerRefresh: c.OwnerRefresh,
		SlowEvery:    c.SlowCycle,
	}), nil
}

func newConsole(c config.Cluster, s *stats) (source.Source, error) {
	k := c.Console
	secure, err := k.TLS.Client()
	if err != nil {
		return nil, err
	}
	return console.New(console.Options{
		URL: k.URL, Selection: selection(c),
		Username: k.Username, Password: k.Password.Reveal(),
		BasicUser: k.ProxyUsername, BasicPassword: k.ProxyPassword.Reveal(),
		TLS: secure, Parallel: k.Parallel, CallTimeout: k.Timeout,
		KeepRounds: c.KeepRounds, ForgetAfter: c.ForgetAfter, SlowEvery: c.SlowCycle, Observe: s.observeConsole,
		GroupRounds: consoleGroupRounds, OfflineRounds: consoleOfflineRounds,
	})
}

// What a console is not asked in every round, and how often at least. A process
// that did not answer is asked again after pauses that grow to
// consoleProcessPause.
const (
	consoleGroups        = "/consumer/groupList.query"
	consoleGroupRounds   = 20
	consoleConnection    = "/consumer/consumerConnection.query"
	consoleOfflineRounds = 4
	consoleProcessPause  = 5 * time.Minute
)
