package config

import (
	"time"
)

func collectSettings() []Setting {
	rows := []Setting{
		{
			Key: KeyInterval, Flag: "collect.interval", Basic: true, Default: "15s",
			Help: "Time from the beginning of one round to that of the next.",
			kind: span{least: time.Second, most: time.Hour},
			at:   func(_ *Config, k *Cluster) any { return &k.Interval },
		},
		{
			Key: "collect.timeout", Flag: "collect.timeout", Basic: true, Default: "10s",
			Help: "Time limit of a round. What was read by then is shown.",
			kind: span{least: 100 * time.Millisecond, most: time.Hour},
			at:   func(_ *Config, k *Cluster) any { return &k.Timeout },
		},
		{
			Key: "collect.window", Flag: "collect.window", Default: "64", Unit: "requests",
			Help: "Requests that may be under way at one node; not of a console. A broker has 16 threads for all who ask, and four for each keep them busy; fewer make a round slower and dearer for it.",
			kind: number{least: 1, most: 256},
			at:   func(_ *Config, k *Cluster) any { return &k.Window },
		},
		{
			Key: "collect.parallel", Flag: "collect.parallel", Default: "16", Unit: "nodes",
			Help: "Nodes that are asked at the same time; not of a console.",
			kind: number{least: 1, most: 256},
			at:   func(_ *Config, k *Cluster) any { return &k.Parallel },
		},
		{
			Key: "collect.keep_rounds", Flag: "collect.keep-rounds", Default: "3", Unit: "rounds",
			Help: "For how many rounds the last good numbers stand in for what cannot be read.",
			kind: number{least: 1, most: 100},
			at:   func(_ *Config, k *Cluster) any { return &k.KeepRounds },
		},
		{
			Key: "collect.forget_after", Flag: "collect.forget-after", Default: "1h",
			Help: "How long a broker that no name server lists and that does not answer is shown as down.",
			kind: span{least: time.Second, most: 30 * 24 * time.Hour},
			at:   func(_ *Config, k *Cluster) any { return &k.ForgetAfter },
		},
		{
			Key: "collect.owner_refresh", Flag: "collect.owner-refresh", Default: "5m",
			Help: "How long a consumer process is believed about the queues that it holds, while its group does not change; " +
				"not of a console, which tells it with every answer.",
			kind: span{least: 10 * time.Second, most: 24 * time.Hour},
			at:   func(_ *Config, k *Cluster) any { return &k.OwnerRefresh },
		},
		{
			Key: "collect.slow_cycle", Flag: "collect.slow-cycle", Default: "1m",
			Help: "How old may be what costs a request per topic: where queues begin, when their newest messages were stored, topics that nobody consumes. " +
				"It is asked in the background, a part behind each round.",
			kind: span{least: time.Second, most: 24 * time.Hour},
			at:   func(_ *Config, k *Cluster) any { return &k.SlowCycle },
		},
	}
	for i := range rows {
		rows[i].Scope = PerCluster
	}
	return rows
}

func stateSettings() []Setting {
	rows := []Setting{
		{
			Key: "states.lagging", Flag: "states.lagging", Default: "1m",
			Help: "Age of the oldest message not consumed from which a consumer group is lagging.",
			at:   func(_ *Config, k *Cluster) any { return &k.States.Lagging },
		},
		{
			Key: "states.stalled", Flag: "states.stalled", Default: "2m",
			Help: "Time for which messages must wait in a queue, with members online, without its commit moving, until the group is stalled.",
			at:   func(_ *Config, k *Cluster) any { return &k.States.Stalled },
		},
		{
			Key: "states.stopped", Flag: "states.stopped", Default: "1m",
			Help: "Time without any member online after which a group with messages to consume is stopped.",
			at:   func(_ *Config, k *Cluster) any { return &k.States.Stopped },
		},
		{
			Key: "states.rewound_after", Flag: "states.rewound-after", Default: "30s",
			Help: "Time for which commits must stay back until a group is rewound. A broker that crashed has lost the commits of its last seconds, which are soon made good.",
			at:   func(_ *Config, k *Cluster) any { return &k.States.RewoundAfter },
		},
		{
			Key: "states.rewound_for", Flag: "states.rewound-for", Default: "5m",
			Help: "Time for which a group is shown as rewound after its commits went back.",
			at:   func(_ *Config, k *Cluster) any { return &k.States.RewoundFor },
		},
	}
	for i := range rows {
		rows[i].Scope, rows[i].kind = PerCluster, span{least: time.Second, most: 24 * time.Hour}
	}
	return rows
}
