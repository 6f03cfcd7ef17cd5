package config

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
)

const noSource = "--namesrv: the address of a name server is needed, as in --namesrv=10.0.0.1:9876, or that of a console, as in --console=http://10.0.0.2:8080 (or try the command demo)"

func TestEachMistakeIsNamedWithWhatIsAllowed(t *testing.T) {
	const (
		noLink   = "that is no address of a page: wanted is http://host:port/path or https://host/path, without credentials"
		noPrefix = " is no prefix of a metric name: allowed are letters, digits, '_' and ':', and no digit in front"
	)
	for _, c := range []struct{ name, said, want string }{
		{"no name server", "--topics.system=true", noSource},
		{"only separators", "--namesrv= ; , ", noSource},
		{"a link that is no page", "--web.console-link=javascript:alert(1)", "--web.console-link: " + noLink},
		{"a link with a password", "--web.console-link=https://admin:" + secret + "@console.example/", "--web.console-link: " + noLink},
		{"no port", "--namesrv=10.0.0.1", `--namesrv: "10.0.0.1" is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876`},
		{"no host", "--namesrv=:9876", `--namesrv: ":9876" is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876`},
		{"IPv6 without brackets", "--namesrv=fe80::1:9876", `--namesrv: "fe80::1:9876" is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876`},
		{"URL", "--namesrv=http://mq:9876", `--namesrv: "http://mq:9876" is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876`},
		{"port 0", "--namesrv=mq:0", `--namesrv: "mq:0" has the port "0": allowed are 1 to 65535`},
		{"port too high", "--namesrv=mq:65536", `--namesrv: "mq:65536" has the port "65536": allowed are 1 to 65535`},
		{"port by name", "--namesrv=mq:http", `--namesrv: "mq:http" has the port "http": allowed are 1 to 65535`},
		{"interval too short", "--collect.interval=999ms", "--collect.interval: 999ms is out of bounds: allowed are 1s to 1h"},
		{"interval too long", "--collect.interval=2h", "--collect.interval: 2h is out of bounds: allowed are 1s to 1h"},
		{"time limit too short", "--collect.timeout=0s", "--collect.timeout: 0s is out of bounds: allowed are 100ms to 1h"},
		{"forget too soon", "--collect.forget-after=-1s", "--collect.forget-after: -1s is out of bounds: allowed are 1s to 720h"},
		{"owners asked too often", "--collect.owner-refresh=1s", "--collect.owner-refresh: 1s is out of bounds: allowed are 10s to 24h"},
		{"no duration", "--collect.interval=15", `--collect.interval: "15" is no duration: wanted is a number with its unit, as in 15s or 1h30m; allowed are 1s to 1h`},
		{"no window", "--collect.window=0", "--collect.window: 0 is out of bounds: allowed are 1 to 256"},
		{"too parallel", "--collect.parallel=257", "--collect.parallel: 257 is out of bounds: allowed are 1 to 256"},
		{"beyond numbers", "--collect.parallel=99999999999999999999", "--collect.parallel: 99999999999999999999 is out of bounds: allowed are 1 to 256"},
		{"no number", "--collect.window=1.5", `--collect.window: "1.5" is no number: allowed are 1 to 256`},
		{"keep nothing", "--collect.keep-rounds=0", "--collect.keep-rounds: 0 is out of bounds: allowed are 1 to 100"}, // the source takes 0 for its default
		{"no scrapes", "--web.max-scrapes=-1", "--web.max-scrapes: -1 is out of bounds: allowed are 1 to 1000"},
		{"neither yes nor no", "--topics.system=maybe", `--topics.system: "maybe" is not allowed: allowed are true and false`},
		{"a word that is none", "--log.level=Info", `--log.level: "Info" is not allowed: allowed are debug, info, warn, error`},
		{"an address to serve on without a port", "--web.listen-address=9104", `--web.listen-address: "9104" is no address: wanted is host:port or :port, as in :9104`},
		{"a port that there is not", "--web.listen-address=:99999", `--web.listen-address: ":99999" has the port "99999": allowed are 0 to 65535`},
		{"a port for profiles that there is not", "--web.pprof-address=127.0.0.1:70000", `--web.pprof-address: "127.0.0.1:70000" has the port "70000": allowed are 0 to 65535`},
		{"no address to serve on", "--web.listen-address=", "--web.listen-address: the address is empty: wanted is host:port or :port, as in :9104"},
		{"users that are none", "--web.config.file=bad.yml", "--web.config.file=bad.yml: no such user"},
		{"no prefix", "--metrics.prefix=", `--metrics.prefix: ""` + noPrefix},
		{"prefix with a digit in front", "--metrics.prefix=5rocketmq", `--metrics.prefix: "5rocketmq"` + noPrefix},
		{"prefix with a line behind it", "--metrics.prefix=rocketmq\n", `--metrics.prefix: "rocketmq\n"` + noPrefix},
		{"an expression that is none", "--topics.include=(", "--topics.include: \"(\" is no regular expression: missing closing ): `(`"},
		{"brackets that close those around it", "--groups.exclude=a)|(b", "--groups.exclude: \"a)|(b\" is no regular expression: unexpected ): `a)|(b`"},
		{"a level that is none", "--metrics.detail=process", `--metrics.detail: "process" is not allowed: allowed are queue, client, group`},
		{"below no limit", "--limits.series=-1", "--limits.series: -1 is out of bounds: allowed are 0 to 100000000"},
		{"profiles on no address", "--web.pprof-address=6060", `--web.pprof-address: "6060" is no address: wanted is host:port, as in 127.0.0.1:6060`},
		{"a name with a space", "--cluster.name=a b", `--cluster.name: "a b" is no name: allowed are at most 100 letters, digits, signs and symbols, no spaces and no '/'`},
		{"a name that is no text", "--cluster.name=\xff", `--cluster.name: "\xff" is no name: allowed are at most 100 letters, digits, signs and symbols, no spaces and no '/'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := []string{c.said}
			if c.want != noSource && !strings.HasPrefix(c.said, "--namesrv") {
				said = append(said, "--namesrv=10.0.0.1:9876")
			}
			v, err := flags(said...)
			if err == nil {
				t.Fatal("no mistake was found")
			}
			if err.Error() != c.want {
				t.Errorf("\n got %v\nwant %s", err, c.want)
			}
			if v.Clusters != nil {
				t.Error("settings with a mistake are valid")
			}
		})
	}
}

func TestMetricsPath(t *testing.T) {
	for _, ok := range []string{"/", "/metrics", "/a/b.c_d~e-f", "/-", "/v1/-/metrics"} {
		if _, err := flags("--namesrv=mq:9876", "--web.telemetry-path="+ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	const noPath = " is no path: it must begin with '/', and hold letters, digits and any of . _ ~ - between single slashes"
	const taken = " is taken: /-/healthy, /-/ready, /-/reload, /probe, /style.css are the exporter's own"
	for path, want := range map[string]string{
		"":             `""` + noPath,
		"metrics":      `"metrics"` + noPath,
		"/metrics/":    `"/metrics/"` + noPath,
		"//":           `"//"` + noPath,
		"/a//b":        `"/a//b"` + noPath,
		"/a/../b":      `"/a/../b"` + noPath,
		"/a/./b":       `"/a/./b"` + noPath,
		"/a b":         `"/a b"` + noPath,
		"/a\tb":        `"/a\tb"` + noPath,
		"/{x}":         `"/{x}"` + noPath,
		"/a?b":         `"/a?b"` + noPath,
		"/a%20b":       `"/a%20b"` + noPath,
		"/metrics\n":   `"/metrics\n"` + noPath,
		"/-/ready":     `"/-/ready"` + taken,
		"/-/healthy":   `"/-/healthy"` + taken,
		"/-/reload":    `"/-/reload"` + taken,
		"/style.css":   `"/style.css"` + taken,
		"/\xff":        `"/\xff"` + noPath,
		"/métriques":   `"/métriques"` + noPath,
		"GET /metrics": `"GET /metrics"` + noPath,
	} {
		_, err := flags("--namesrv=mq:9876", "--web.telemetry-path="+path)
		if want = "--web.telemetry-path: " + want; err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", path, err, want)
		}
	}
}

func TestAllMistakesAreReportedTogether(t *testing.T) {
	_, err := flags("--namesrv=mq,mq:0", "--collect.interval=0s", "--collect.window=0", "--metrics.prefix=-", "--web.telemetry-path=x", "--web.config.file=bad.yml")
	mistakes, ok := errors.AsType[SettingErrors](err)
	if !ok || !strings.HasPrefix(err.Error(), "7 mistakes in the settings:\n  --namesrv: ") {
		t.Fatalf("%v", err)
	}
	var names []string
	for _, m := range mistakes {
		name, _, _ := strings.Cut(m.Error(), ":")
		names = append(names, name)
	}
	want := []string{
		"--namesrv", "--namesrv", "--collect.interval", "--collect.window", "--metrics.prefix", "--web.telemetry-path", "--web.config.file=bad.yml",
	}
	if !slices.Equal(names, want) {
		t.Errorf("mistakes of %v, want %v:\n%v", names, want, err)
	}
}

// Profiles have no password: they are for this machine, unless it is said twice.
func TestProfilesAreForThisMachine(t *testing.T) {
	for addr, ok := range map[string]bool{
		"": true, "127.0.0.1:6060": true, "[::1]:6060": true, "localhost:6060": true, "127.8.8.8:0": true,
		":6060": false, "0.0.0.0:6060": false, "10.0.0.1:6060": false, "[::]:6060": false, "mq.example:6060": false, "[fe80::1%lo]:6060": false,
	} {
		_, err := flags("--namesrv=mq:1", "--web.pprof-address="+addr)
		want := `--web.pprof-address: "` + addr + `" can be reached from other machines, and profiles have no password: ` +
			"allowed are loopback addresses, as in 127.0.0.1:6060, unless --web.pprof-open is set"
		if ok != (err == nil) || err != nil && err.Error() != want {
			t.Errorf("%q: %v", addr, err)
		}
		if v, err := flags("--namesrv=mq:1", "--web.pprof-open=true", "--web.pprof-address="+addr); err != nil || v.Web.Profiles != addr {
			t.Errorf("%q, open: %v", addr, err)
		}
	}
}

func TestWhatNeedsARestart(t *testing.T) {
	load := func(text string) Valid {
		v, err := ofFile(text + "\nclusters: [{namesrv: mq:1}]\n")
		return must(t, v, err)
	}
	before := load("web: {listen_address: \":1\", config_file: a.yml}")
	for text, want := range map[string][]string{
		"web: {listen_address: \":1\", config_file: a.yml}\nlog: {level: debug}\nmetrics: {prefix: mq}":    nil,
		"web: {listen_address: [\":1\", \":2\"], config_file: a.yml}":                                      {"web.listen_address"},
		"web: {config_file: b.yml, pprof_address: localhost:1, systemd_socket: true}\nlog: {format: json}": {"web.systemd_socket", "--web.listen-address", "web.config_file", "web.pprof_address", "log.format"},
	} {
		if got := load(text).NeedRestart(before); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestShards(t *testing.T) {
	const noNumber = " does not end in a dash and a number"
	for _, c := range []struct {
		flags     []string
		pod, host string
		want      Shard
		mistake   string
	}{
		{nil, "exporter-3", "exporter-3", Shard{0, 1}, ""},
		{[]string{"--shard.total=4"}, "exporter-3", "other-1", Shard{3, 4}, ""},
		{[]string{"--shard.total=4", "--shard.index=auto"}, "", "exporter-2", Shard{2, 4}, ""},
		{[]string{"--shard.total=12"}, "", "mq-10-exporter-11", Shard{11, 12}, ""},
		{[]string{"--shard.total=4", "--shard.index=1"}, "exporter-3", "exporter-3", Shard{1, 4}, ""},
		{[]string{"--shard.index=0"}, "", "", Shard{0, 1}, ""},
		{[]string{"--shard.total=4"}, "", "laptop", Shard{}, `--shard.index: it is to come from the name of the pod, in POD_NAME, or of the host: "laptop"` + noNumber},
		{[]string{"--shard.total=4"}, "exporter", "exporter-1", Shard{}, `--shard.index: it is to come from the name of the pod, in POD_NAME, or of the host: "exporter"` + noNumber},
		{[]string{"--shard.total=4"}, "exporter-4", "", Shard{}, `--shard.index: "exporter-4" is shard 4: with --shard.total=4 allowed are 0 to 3`},
		{[]string{"--shard.total=4"}, "exporter-99999999999999999999", "", Shard{}, `--shard.index: "exporter-99999999999999999999" is shard 99999999999999999999: with --shard.total=4 allowed are 0 to 3`},
		{[]string{"--shard.total=4", "--shard.index=4"}, "", "", Shard{}, "--shard.index: 4 is out of bounds: with --shard.total=4 allowed are 0 to 3"},
		{[]string{"--shard.index=1"}, "", "", Shard{}, "--shard.index: 1 is out of bounds: with --shard.total=1 allowed are 0 to 0"},
		{[]string{"--shard.index=-1"}, "", "", Shard{}, `--shard.index: "-1" is not allowed: allowed are 0 to shard.total less 1, and auto`},
		{[]string{"--shard.total=0", "--shard.index=3"}, "", "", Shard{}, "--shard.total: 0 is out of bounds: allowed are 1 to 1000"},
		{[]string{"--shard.total=x", "--shard.index=auto"}, "", "laptop", Shard{}, `--shard.total: "x" is no number: allowed are 1 to 1000`},
		{[]string{"--shard.total=3", "--shard.index=x"}, "", "laptop", Shard{}, `--shard.index: "x" is not allowed: allowed are 0 to shard.total less 1, and auto`},
		{[]string{"--shard.total=0"}, "", "", Shard{}, "--shard.total: 0 is out of bounds: allowed are 1 to 1000"},
	} {
		s := Sources{Flags: byFlags(append(c.flags, "--namesrv=mq:1")...), Hostname: func() (string, error) { return c.host, nil }}
		v, err := world{env: map[string]string{"POD_NAME": c.pod}}.load(s)
		if c.mistake != "" {
			if err == nil || err.Error() != c.mistake {
				t.Errorf("%v:\n got %v\nwant %s", c.flags, err, c.mistake)
			}
			continue
		}
		if err != nil || v.Shard != c.want || v.Clusters[0].Shard != c.want {
			t.Errorf("%v: %+v, %v; want %+v", c.flags, v.Shard, err, c.want)
		}
	}
}

func TestFilters(t *testing.T) {
	v, err := flags("--namesrv=mq:1", "--topics.include=order.*", "--topics.include=a,b", "--topics.include=", "--topics.exclude=.*-dlq", "--groups.exclude=x|y",
		"--clients.exclude=10\\.0\\..*@DEFAULT")
	v = must(t, v, err)
	k := v.Clusters[0]
	for _, c := range []struct {
		filter Filter
		name   string
		want   bool
	}{
		{k.Topics, "orders", true},
		{k.Topics, "a,b", true},
		{k.Topics, "a", false},
		{k.Topics, "my-orders", false}, // the whole name
		{k.Topics, "orders-dlq", false},
		{k.Topics, "", false},
		{k.Groups, "x", false},
		{k.Groups, "xy", true},
		{k.Clients, "10.0.0.1@DEFAULT", false},
		{k.Clients, "10.0.0.1@1", true},
		{Filter{}, "anything", true},
	} {
		if got := c.filter.Wants(c.name); got != c.want {
			t.Errorf("%v wants %q: %v", c.filter, c.name, got)
		}
	}
	if !(Filter{}).IsZero() || k.Groups.IsZero() {
		t.Error("IsZero")
	}
	if got := k.Topics.Include[0].String(); got != "order.*" {
		t.Errorf("the expression became %q", got)
	}
}

func TestMetricsAreChosen(t *testing.T) {
	v, err := flags("--namesrv=mq:1", "--metrics.enable=queue_lag_seconds,rocketmq_queue_max_offset", "--metrics.disable=rocketmq_broker_info")
	v = must(t, v, err)
	for id, want := range map[family.ID]bool{
		family.QueueLag: true, family.QueueMaxOffset: true, family.QueueMinOffset: false, family.BrokerInfo: false, family.BrokerUp: true, family.MsgDiffDetail: true,
	} {
		if got := v.Clusters[0].Families.Has(id); got != want {
			t.Errorf("%s: %v, want %v", id.Family().Name, got, want)
		}
	}
	_, err = flags("--namesrv=mq:1", "--metrics.enable=queue_lag_second,x,queue_lag_seconds", "--metrics.disable=msg_diff_detail,up,queue_lag_seconds,broker_upp,exporter_series")
	want := "6 mistakes in the settings:\n" +
		`  --metrics.enable: there is no metric "queue_lag_second": did you mean queue_lag_seconds?` + "\n" +
		`  --metrics.enable: there is no metric "x": docs/metrics.md lists them` + "\n" +
		`  --metrics.disable: "msg_diff_detail" is always there` + "\n" +
		`  --metrics.disable: there is no metric "broker_upp": did you mean broker_up?` + "\n" +
		`  --metrics.disable: "exporter_series" is always there` + "\n" +
		`  --metrics.enable and --metrics.disable: "queue_lag_seconds" is in both`
	if err == nil || err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
}

func TestListsAreSplit(t *testing.T) {
	v, err := flags("--namesrv=a:1,b:2;c:3", "--namesrv= b:2 ;; [::1]:4, ", "--topics.ignore=orders, payments", "--topics.ignore=", "--topics.ignore=orders,%RETRY%a;b")
	v = must(t, v, err)
	if got, want := v.Clusters[0].NameServers, []string{"a:1", "b:2", "c:3", "[::1]:4"}; !slices.Equal(got, want) {
		t.Errorf("name servers %q, want %q", got, want)
	}
	// The original exporter's list has commas, and a topic's name has none.
	if got, want := v.Clusters[0].IgnoredTopics, []string{"orders", "payments", "%RETRY%a;b"}; !slices.Equal(got, want) {
		t.Errorf("ignored topics %q, want %q", got, want)
	}
}

// The same holds where the file says what cannot even be read as a value.
func TestAShardOfAFile(t *testing.T) {
	_, err := ofFile("shard: {index: 3, total: [1, 2]}\nclusters: [{namesrv: a:1}]\n")
	const want = "mq.yml:1: shard.total: wanted is one value"
	if err == nil || err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
}

// What beats what, for a setting of a cluster and for one of all.
func TestPrecedence(t *testing.T) {
	const clusters = "clusters:\n- {name: a, namesrv: [a:1], collect: {interval: 20s}}\n- {name: b, namesrv: [b:1]}\n"
	const text = "web: {telemetry_path: /file}\ndefaults: {collect: {interval: 30s}}\n" + clusters
	for _, c := range []struct {
		name       string
		flags, env Said
		old        Said
		file       string
		intervals  []time.Duration
		path       string
	}{
		{"defaults of the exporter", nil, nil, nil, "clusters:\n- namesrv: a:1\n", []time.Duration{15 * time.Second}, "/metrics"},
		{"a cluster beats the defaults of the file", nil, nil, nil, text, []time.Duration{20 * time.Second, 30 * time.Second}, "/file"},
		{
			"the environment beats the file, for all clusters", nil,
			Said{KeyInterval: {"40s"}, "web.telemetry_path": {"/env"}}, nil, text, []time.Duration{40 * time.Second, 40 * time.Second}, "/env",
		},
		{"an old variable beats the file", nil, nil, Said{"web.telemetry_path": {"/old"}}, text, []time.Duration{20 * time.Second, 30 * time.Second}, "/old"},
		{
			"the exporter's own variable beats an old one", nil,
			Said{"web.telemetry_path": {"/env"}}, Said{"web.telemetry_path": {"/old"}}, text, []time.Duration{20 * time.Second, 30 * time.Second}, "/env",
		},
		{
			"a flag beats all",
			Said{KeyInterval: {"50s"}, "web.telemetry_path": {"/flag"}}, Said{KeyInterval: {"40s"}, "web.telemetry_path": {"/env"}},
			Said{"web.telemetry_path": {"/old"}}, text, []time.Duration{50 * time.Second, 50 * time.Second}, "/flag",
		},
		{
			"a file without clusters has defaults for that of the flags",
			Said{KeyNameServers: {"a:1"}}, nil, nil, "web: {telemetry_path: /file}\ndefaults: {collect: {interval: 30s}}\n",
			[]time.Duration{30 * time.Second}, "/file",
		},
		{"an empty file", Said{KeyNameServers: {"a:1"}}, nil, nil, "# nothing\n", []time.Duration{15 * time.Second}, "/metrics"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := world{}.load(Sources{Flags: c.flags, Environment: c.env, Old: c.old, File: ParseFile("mq.yml", []byte(c.file))})
			v = must(t, v, err)
			var intervals []time.Duration
			for _, k := range v.Clusters {
				intervals = append(intervals, k.Interval)
			}
			if !slices.Equal(intervals, c.intervals) || v.Web.MetricsPath != c.path {
				t.Errorf("intervals %v, path %s; want %v, %s", intervals, v.Web.MetricsPath, c.intervals, c.path)
			}
		})
	}
}

// One cluster comes from flags and environment, several from the file.
func TestClustersHaveOneOrigin(t *testing.T) {
	const text = "\nclusters:\n- {name: a, namesrv: a:1}\n- {name: c, namesrv: c:1}\n"
	const both = " and mq.yml:2: clusters: the clusters come from one of them, not both"
	for _, c := range []struct {
		name            string
		flags, env, old Said
		want            string
	}{
		{"flag", Said{KeyNameServers: {"b:1"}}, nil, nil, "--namesrv" + both},
		{"environment", nil, Said{KeyNameServers: {"b:1"}}, nil, "--namesrv" + both},
		{"console", Said{KeyConsole: {"b:1"}}, nil, nil, "--console" + both},
		{"old console", nil, nil, Said{KeyConsole: {"b:1"}}, "--console" + both + " (it comes from the variable rocketmqConsoleIPAndPort)"},
		{"name", Said{keyName: {"b"}}, nil, nil, "--cluster.name" + both},
		{"login", Said{keyUsername: {"b"}}, nil, nil, "--console.username" + both},
		{"an address that is none", Said{KeyConsole: {"://"}}, nil, nil, "--console" + both},
		{"a name that is taken", Said{keyName: {"a"}}, nil, nil, "--cluster.name" + both},
		{"all at once", Said{KeyConsole: {"b:1"}}, Said{KeyConsole: {"c:1"}}, Said{KeyConsole: {"d:1"}}, "--console" + both},
	} {
		_, err := world{}.load(Sources{Flags: c.flags, Environment: c.env, Old: c.old, File: ParseFile("mq.yml", []byte(text))})
		if err == nil || err.Error() != c.want { // and nothing that follows from it
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
		for _, said := range []Said{c.flags, c.env, c.old} {
			if said != nil && len(said) == 0 {
				t.Errorf("%s: what was said is gone", c.name)
			}
		}
	}
	// It may be meant for the consoles of other files on the machine.
	_, err := world{}.load(Sources{Environment: Said{keyUsername: {"b"}}, File: ParseFile("mq.yml", []byte(text))})
	if err != nil {
		t.Error(err)
	}
}

func TestWrapNamesASettingAsItWasSaid(t *testing.T) {
	said := errors.New("in use")
	for want, s := range map[string]Sources{
		"--web.listen-address=:1: in use":                                            {Flags: byFlags("--namesrv=a:1", "--web.listen-address=:1")},
		"--web.listen-address=:1: in use (it comes from the variable listenAddress)": {Flags: byFlags("--namesrv=a:1"), Old: Said{KeyListen: {":1"}}},
		"dir/mq.yml:2: web.listen_address=:1: in use":                                {Flags: byFlags("--namesrv=a:1"), File: ParseFile("dir/mq.yml", []byte("web:\n  listen_address: :1\n"))},
	} {
		v, err := world{}.load(s)
		v = must(t, v, err)
		if got := v.Wrap(KeyListen, ":1", said); got.Error() != want || !errors.Is(got, said) {
			t.Errorf("%v, want %s", got, want)
		}
	}
}
