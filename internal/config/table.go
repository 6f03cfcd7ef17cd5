package config

import "slices"

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
