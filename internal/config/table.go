package config

import (
	"slices"
	"time"
)

// Settings is the table of everything that can be set, in the order of help and
// documents.
func Settings() []*Setting {
	rows := slices.Concat(commandLineSettings(), sourceSettings(), accessSettings(), consoleSettings(), collectSettings(), stateSettings(), selectionSettings(), globalSettings())
	list := make([]*Setting, len(rows))
	for i := range rows {
		list[i] = &rows[i]
	}
	return list
}

func commandLineSettings() []Setting {
	return []Setting{
		{
			Key: KeyFile, Flag: "config.file", Scope: CommandLine, Basic: true, Value: "FILE",
			Help: "File with settings: several clusters, and everything that the flags can say.",
			kind: file{},
		},
		{
			Key: KeyCheck, Flag: "check-config", Scope: CommandLine, Basic: true, Default: "false", noEnv: true,
			Help: "Check all settings, say what is wrong with them, and end with 1 if something is, else with 0.",
			kind: yesNo{},
		},
	}
}

func sourceSettings() []Setting {
	return []Setting{
		{
			Key: KeyNameServers, Flag: "namesrv", Scope: PerCluster, Of: Direct, Identity: true, Basic: true, Value: "HOST:PORT",
			Help: "Address of a name server. Several are joined by commas, or given one by one; all of them are asked.",
			kind: names{separators: ",;", what: "addresses", check: checkAddress, rule: "`host:port`"},
			at:   func(_ *Config, k *Cluster) any { return &k.NameServers },
		},
		{
			Key: KeyConsole, Flag: "console", Old: "rocketmqConsoleIPAndPort", Scope: PerCluster, Of: FromConsole, Identity: true, Basic: true, Value: "URL",
			Help: "Address of a rocketmq-console or rocketmq-dashboard to read instead of name servers and brokers, where those cannot be reached.",
			kind: consoleURL{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.URL },
		},
		{
			Key: keyName, Flag: "cluster.name", Scope: PerCluster, Identity: true, Value: "NAME",
			Help: "What the label cluster says, instead of RocketMQ's own name of the cluster. Each of several clusters needs one.",
			kind: label{},
			at:   func(_ *Config, k *Cluster) any { return &k.Name },
		},
	}
}

func consoleSettings() []Setting {
	rows := []Setting{
		{
			Key: keyUsername, Flag: "console.username", Value: "NAME",
			Help: "User for a console that wants a login. The password comes from a file, or from " + EnvConsolePassword + ".",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.Username },
		},
		{
			Key: keyPasswordFile, Flag: "console.password-file", Value: "FILE", Secret: EnvConsolePassword,
			Help: "File with the password of that user.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.PasswordFile },
		},
		{
			Key: keyPasswordEnv, Value: "NAME",
			Help: "Environment variable with that password.",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.PasswordEnv },
		},
		{
			Key: keyProxyUsername, Flag: "console.proxy-username", Value: "NAME",
			Help: "User for a proxy in front that wants basic authentication. The password comes from a file, or from " + EnvConsoleProxyPassword + ".",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.ProxyUsername },
		},
		{
			Key: keyProxyFile, Flag: "console.proxy-password-file", Value: "FILE", Secret: EnvConsoleProxyPassword,
			Help: "File with the password of that user.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.ProxyPasswordFile },
		},
		{
			Key: keyProxyEnv, Value: "NAME",
			Help: "Environment variable with that password.",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.ProxyPasswordEnv },
		},
	}
	rows = append(rows, tlsSettings("console.", "console.", "https", "console", func(k *Cluster) *TLS { return &k.Console.TLS })...)
	rows = append(rows,
		Setting{
			Key: "console.parallel", Flag: "console.parallel", Default: "4", Unit: "calls",
			Help: "Calls under way at the same time.",
			kind: number{least: 1, most: 64},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.Parallel },
		},
		Setting{
			Key: "console.call_timeout", Flag: "console.call-timeout", Default: "5s",
			Help: "Time limit of a call; four times that for the slow ones.",
			kind: span{least: 100 * time.Millisecond, most: time.Minute},
			at:   func(_ *Config, k *Cluster) any { return &k.Console.Timeout },
		},
	)
	for i := range rows {
		rows[i].Scope, rows[i].Of = PerCluster, FromConsole
	}
	return rows
}

// tlsSettings are those of a server that is reached by TLS: with what begins
// their keys, and their flags.
func tlsSettings(section, flags, protocol, server string, of func(*Cluster) *TLS) []Setting {
	return []Setting{
		{
			Key: section + keyCA, Flag: flags + "ca-file", Value: "FILE",
			Help: "PEM file with the authorities to trust for " + protocol + ", instead of the system's.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).CAFile },
		},
		{
			Key: section + keyCert, Flag: flags + "cert-file", Value: "FILE",
			Help: "PEM file with a certificate to show.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).CertFile },
		},
		{
			Key: section + keyKey, Flag: flags + "key-file", Value: "FILE",
			Help: "PEM file with the key of that certificate.",
			kind: file{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).KeyFile },
		},
		{
			Key: section + keyServerName, Flag: flags + "server-name", Value: "NAME",
			Help: "Name in the " + server + "'s certificate, if not that of the address.",
			kind: text{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).ServerName },
		},
		{
			Key: section + keyInsecure, Flag: flags + "insecure-skip-verify", Default: "false",
			Help: "Trust any certificate.",
			kind: yesNo{},
			at:   func(_ *Config, k *Cluster) any { return &of(k).Insecure },
		},
	}
}

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
			Key: "collect.window", Flag: "collect.window", Default: "16", Unit: "requests",
			Help: "Requests that may be under way at one node; not of a console. A broker has 16 threads for all who ask; fewer make a round slower and dearer for it.",
			kind: number{least: 1, most: 256},
			at:   func(_ *Config, k *Cluster) any { return &k.Window },
		},
		{
			Key: "collect.parallel", Flag: "collect.parallel", Default: "8", Unit: "nodes",
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

func globalSettings() []Setting {
	return []Setting{
		{
			Key: keyShardIndex, Flag: "shard.index", Default: indexAuto,
			Help: "Which shard of the consumer groups this process is for. auto takes the number at the end of POD_NAME, or else of the host's name, as in a StatefulSet.",
			kind: shardIndex{},
			at:   func(c *Config, _ *Cluster) any { return &c.Shard.Index },
		},
		{
			Key: keyShardTotal, Flag: "shard.total", Default: "1", Unit: "shards",
			Help: "How many processes share the consumer groups between them. Each reads all clusters.",
			kind: number{least: 1, most: 1000},
			at:   func(c *Config, _ *Cluster) any { return &c.Shard.Total },
		},
		{
			Key: "metrics.prefix", Flag: "metrics.prefix", Old: "metricsPrefix", Basic: true, Default: "rocketmq",
			Help: "First word of the names of all metrics.",
			kind: prefix{},
			at:   func(c *Config, _ *Cluster) any { return &c.Prefix },
		},
		{
			Key: keySystemd, Flag: "web.systemd-socket", restart: true, Default: "false",
			Help: "Serve on the sockets that systemd hands over, instead of an address. On Linux only.",
			kind: yesNo{},
			at:   func(c *Config, _ *Cluster) any { return &c.Web.SystemdSocket },
		},
		{
			Key: KeyListen, Flag: "web.listen-address", restart: true, Old: "listenAddress", Basic: true, Default: ":9104",
			Help: "Address to serve on: :9104, 127.0.0.1:9104, [::1]:9104, vsock://:9104. Repeat it for more.",
			kind: listen{},
			at:   func(c *Config, _ *Cluster) any { return &c.Web.Listen },
		},
		{
			Key: KeyWebConfig, Flag: "web.config.file", restart: true, Basic: true, Value: "FILE",
			Help: "File with TLS and users for what is served: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md",
			kind: file{},
			at:   func(c *Config, _ *Cluster) any { return &c.Web.ConfigFile },
		},
		{
			Key: "web.telemetry_path", Flag: "web.telemetry-path", Old: "metricsPath", Basic: true, Default: "/metrics",
			Help: "Path of the metrics.",
			kind: urlPath{},
			at:   func(c *Config, _ *Cluster) any { return &c.Web.MetricsPath },
		},
		{
			Key: "web.max_scrapes", Flag: "web.max-scrapes", Default: "4", Unit: "scrapes",
			Help: "Scrapes that may be under way at the same time. More are refused.",
			kind: number{least: 1, most: 1000},
			at:   func(c *Config, _ *Cluster) any { return &c.Web.MaxScrapes },
		},
		{
			Key: "web.enable_lifecycle", Flag: "web.enable-lifecycle", Default: "false",
			Help: "Reload the settings upon a POST to /-/reload, besides SIGHUP.",
			kind: yesNo{},
			at:   func(c *Config, _ *Cluster) any { return &c.Web.Lifecycle },
		},
		{
			Key: KeyProfiles, Flag: "web.pprof-address", Value: "HOST:PORT", restart: true,
			Help: "Address to serve profiles of the process on, as in 127.0.0.1:6060; none are served without it. They are never on the port of the metrics.",
			kind: profiles{},
			at:   func(c *Config, _ *Cluster) any { return &c.Web.Profiles },
		},
		{
			Key: "web.pprof_open", Flag: "web.pprof-open", Default: "false",
			Help: "Allow an address for profiles that other machines can reach. Profiles have no password.",
			kind: yesNo{},
			at:   func(c *Config, _ *Cluster) any { return &c.Web.ProfilesOpen },
		},
		{
			Key: KeyLogLevel, Flag: "log.level", Basic: true, Default: "info",
			Help: "Least level that is logged: debug, info, warn or error.",
			kind: choice{words: []string{"debug", "info", "warn", "error"}},
			at:   func(c *Config, _ *Cluster) any { return &c.Log.Level },
		},
		{
			Key: "log.format", Flag: "log.format", restart: true, Basic: true, Default: "logfmt",
			Help: "Format of the log: logfmt or json.",
			kind: choice{words: []string{"logfmt", "json"}},
			at:   func(c *Config, _ *Cluster) any { return &c.Log.Format },
		},
	}
}
