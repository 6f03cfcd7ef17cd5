package config

// maxSeries is beyond what any Prometheus takes from one target.
const maxSeries = 100_000_000

func selectionSettings() []Setting {
	rows := []Setting{
		{
			Key: "topics.ignore", Flag: "topics.ignore", Old: "ignoredTopics", Basic: true, Value: "TOPIC",
			Help: "Topics to leave out, by exact name. Several are joined by commas.",
			kind: names{separators: ",", what: "names"},
			at:   func(_ *Config, k *Cluster) any { return &k.IgnoredTopics },
		},
		{
			Key: "topics.system", Flag: "topics.system", Basic: true, Default: "false",
			Help: "Include the topics and consumer groups that RocketMQ makes for itself.",
			kind: yesNo{},
			at:   func(_ *Config, k *Cluster) any { return &k.System },
		},
		{
			Key: "topics.include", Flag: "topics.include", Value: "REGEXP",
			Help: "Topics to read, by a regular expression for the whole name; all others are left out. A group's retry topic is called %RETRY%GROUP. " +
				"Repeat it for more.",
			kind: patterns{},
			at:   func(_ *Config, k *Cluster) any { return &k.Topics.Include },
		},
		{
			Key: "topics.exclude", Flag: "topics.exclude", Value: "REGEXP",
			Help: "Topics to leave out, likewise; it beats the one above.",
			kind: patterns{},
			at:   func(_ *Config, k *Cluster) any { return &k.Topics.Exclude },
		},
		{
			Key: "groups.include", Flag: "groups.include", Value: "REGEXP",
			Help: "Consumer groups to read, by a regular expression for the whole name; all others are left out, and not asked about. Repeat it for more.",
			kind: patterns{},
			at:   func(_ *Config, k *Cluster) any { return &k.Groups.Include },
		},
		{
			Key: "groups.exclude", Flag: "groups.exclude", Value: "REGEXP",
			Help: "Consumer groups to leave out, likewise; it beats the one above.",
			kind: patterns{},
			at:   func(_ *Config, k *Cluster) any { return &k.Groups.Exclude },
		},
		{
			Key: "clients.include", Flag: "clients.include", Value: "REGEXP",
			Help: "Consumer processes that have series of their own, by a regular expression for consumerClientIP@consumerClientPID. " +
				"Those of others are left out; sums count them. Repeat it for more.",
			kind: patterns{},
			at:   func(_ *Config, k *Cluster) any { return &k.Clients.Include },
		},
		{
			Key: "clients.exclude", Flag: "clients.exclude", Value: "REGEXP",
			Help: "Consumer processes that have none, likewise; it beats the one above.",
			kind: patterns{},
			at:   func(_ *Config, k *Cluster) any { return &k.Clients.Exclude },
		},
		{
			Key: keyDetail, Flag: "metrics.detail", Default: ByQueue,
			Help: "Which rows msg_diff_detail has: one per queue; one per topic, group and process (client), without broker and queueId; " +
				"or one per topic and group (group). They always add up to the sums.",
			kind: choice{words: []string{ByQueue, ByClient, ByGroup}},
			at:   func(_ *Config, k *Cluster) any { return &k.Detail },
		},
		{
			Key: keyEnable, Flag: "metrics.enable", Value: "METRIC",
			Help: "Metrics to have besides, of those that are off by default. Several are joined by commas.",
			kind: metrics{},
			at:   func(_ *Config, k *Cluster) any { return &k.Enable },
		},
		{
			Key: keyDisable, Flag: "metrics.disable", Value: "METRIC",
			Help: "Metrics to do without, of those that are on by default. Several are joined by commas.",
			kind: metrics{off: true},
			at:   func(_ *Config, k *Cluster) any { return &k.Disable },
		},
		{
			Key: "limits.series_per_metric", Flag: "limits.series-per-metric", Default: "0", Unit: "series",
			Help: "Most series of each metric of the cluster; 0 is no limit. Those with the largest backlog behind them stay. Sums count what is left out.",
			kind: number{least: 0, most: maxSeries},
			at:   func(_ *Config, k *Cluster) any { return &k.FamilyLimit },
		},
		{
			Key: "limits.series", Flag: "limits.series", Default: "0", Unit: "series",
			Help: "Most series of the cluster; 0 is no limit. The metrics with the most series lose first.",
			kind: number{least: 0, most: maxSeries},
			at:   func(_ *Config, k *Cluster) any { return &k.Limit },
		},
		{
			Key: "probe_only", Default: "false",
			Help: "Show the cluster at /probe?target=NAME only, and not among the metrics of all. It is read like any other.",
			kind: yesNo{},
			at:   func(_ *Config, k *Cluster) any { return &k.ProbeOnly },
		},
		{
			Key: "console_link", Flag: "web.console-link", Value: "URL",
			Help: "Address of a console that the page links to. It is not read.",
			kind: link{},
			at:   func(_ *Config, k *Cluster) any { return &k.ConsoleLink },
		},
	}
	for i := range rows {
		rows[i].Scope = PerCluster
	}
	return rows
}
