package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const noSource = "--namesrv: the address of a name server is needed, as in --namesrv=10.0.0.1:9876, or that of a console, as in --console=http://10.0.0.2:8080 (or try the command demo)"

// good is a Config without a mistake: what the flags' defaults make.
func good() Config {
	return Config{
		NameServers: []string{"10.0.0.1:9876"},
		Interval:    15 * time.Second, Timeout: 10 * time.Second, Window: 8, Parallel: 8,
		KeepRounds: 3, ForgetAfter: time.Hour, OwnerRefresh: 5 * time.Minute,
		Prefix: "rocketmq", MetricsPath: "/metrics", MaxScrapes: 4,
	}
}

func TestEachMistakeIsNamedWithWhatIsAllowed(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{
			"no name server",
			func(c *Config) { c.NameServers = nil },
			noSource,
		},
		{
			"only separators",
			func(c *Config) { c.NameServers = []string{" ; , "} },
			noSource,
		},
		{
			"a link that is no page",
			func(c *Config) { c.ConsoleLink = "javascript:alert(1)" },
			"--web.console-link: that is no address of a page: wanted is http://host:port/path or https://host/path, without credentials",
		},
		{
			"a link with a password",
			func(c *Config) { c.ConsoleLink = "https://admin:secret@console.example/" },
			"--web.console-link: that is no address of a page: wanted is http://host:port/path or https://host/path, without credentials",
		},
		{
			"no port",
			func(c *Config) { c.NameServers = []string{"10.0.0.1"} },
			`--namesrv: "10.0.0.1" is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876`,
		},
		{
			"no host",
			func(c *Config) { c.NameServers = []string{":9876"} },
			`--namesrv: ":9876" is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876`,
		},
		{
			"IPv6 without brackets",
			func(c *Config) { c.NameServers = []string{"fe80::1:9876"} },
			`--namesrv: "fe80::1:9876" is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876`,
		},
		{
			"URL",
			func(c *Config) { c.NameServers = []string{"http://mq:9876"} },
			`--namesrv: "http://mq:9876" is no address: wanted is host:port, as in 10.0.0.1:9876 or [::1]:9876`,
		},
		{
			"port 0",
			func(c *Config) { c.NameServers = []string{"mq:0"} },
			`--namesrv: "mq:0" has the port "0": allowed are 1 to 65535`,
		},
		{
			"port too high",
			func(c *Config) { c.NameServers = []string{"mq:65536"} },
			`--namesrv: "mq:65536" has the port "65536": allowed are 1 to 65535`,
		},
		{
			"port by name",
			func(c *Config) { c.NameServers = []string{"mq:http"} },
			`--namesrv: "mq:http" has the port "http": allowed are 1 to 65535`,
		},
		{
			"interval too short",
			func(c *Config) { c.Interval = 999 * time.Millisecond },
			"--collect.interval: 999ms is out of bounds: allowed are 1s to 1h0m0s",
		},
		{
			"interval too long",
			func(c *Config) { c.Interval = 2 * time.Hour },
			"--collect.interval: 2h0m0s is out of bounds: allowed are 1s to 1h0m0s",
		},
		{
			"time limit too short",
			func(c *Config) { c.Timeout = 0 },
			"--collect.timeout: 0s is out of bounds: allowed are 100ms to 1h0m0s",
		},
		{
			"forget too soon",
			func(c *Config) { c.ForgetAfter = -time.Second },
			"--collect.forget-after: -1s is out of bounds: allowed are 1s to 720h0m0s",
		},
		{
			"owners asked too often",
			func(c *Config) { c.OwnerRefresh = time.Second },
			"--collect.owner-refresh: 1s is out of bounds: allowed are 10s to 24h0m0s",
		},
		{
			"no window",
			func(c *Config) { c.Window = 0 },
			"--collect.window: 0 is out of bounds: allowed are 1 to 256",
		},
		{
			"too parallel",
			func(c *Config) { c.Parallel = 257 },
			"--collect.parallel: 257 is out of bounds: allowed are 1 to 256",
		},
		{
			// The source takes 0 for its default.
			"keep nothing",
			func(c *Config) { c.KeepRounds = 0 },
			"--collect.keep-rounds: 0 is out of bounds: allowed are 1 to 100",
		},
		{
			"no scrapes",
			func(c *Config) { c.MaxScrapes = -1 },
			"--web.max-scrapes: -1 is out of bounds: allowed are 1 to 1000",
		},
		{
			"no prefix",
			func(c *Config) { c.Prefix = "" },
			`--metrics.prefix: "" is no prefix of a metric name: allowed are letters, digits, '_' and ':', and no digit in front`,
		},
		{
			"prefix with a digit in front",
			func(c *Config) { c.Prefix = "5rocketmq" },
			`--metrics.prefix: "5rocketmq" is no prefix of a metric name: allowed are letters, digits, '_' and ':', and no digit in front`,
		},
		{
			"prefix with a line behind it",
			func(c *Config) { c.Prefix = "rocketmq\n" },
			`--metrics.prefix: "rocketmq\n" is no prefix of a metric name: allowed are letters, digits, '_' and ':', and no digit in front`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := good()
			c.edit(&bad)
			valid, err := bad.Check()
			if err == nil {
				t.Fatal("no mistake was found")
			}
			if err.Error() != c.want {
				t.Errorf("\n got %v\nwant %s", err, c.want)
			}
			if valid.NameServers != nil {
				t.Error("a Config with a mistake made a Valid")
			}
		})
	}
}

func TestMetricsPath(t *testing.T) {
	for _, ok := range []string{"/", "/metrics", "/a/b.c_d~e-f", "/-", "/v1/-/metrics"} {
		c := good()
		c.MetricsPath = ok
		if _, err := c.Check(); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	const noPath = " is no path: it must begin with '/', and hold letters, digits and any of . _ ~ - between single slashes"
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
		"/-/ready":     `"/-/ready" is taken: /-/healthy, /-/ready and /style.css are the exporter's own`,
		"/-/healthy":   `"/-/healthy" is taken: /-/healthy, /-/ready and /style.css are the exporter's own`,
		"/style.css":   `"/style.css" is taken: /-/healthy, /-/ready and /style.css are the exporter's own`,
		"/\xff":        `"/\xff"` + noPath,
		"/métriques":   `"/métriques"` + noPath,
		"GET /metrics": `"GET /metrics"` + noPath,
	} {
		c := good()
		c.MetricsPath = path
		_, err := c.Check()
		if want = "--web.telemetry-path: " + want; err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", path, err, want)
		}
	}
}

func TestAllMistakesAreReportedTogether(t *testing.T) {
	c := good()
	c.NameServers = []string{"mq", "mq:0"}
	c.Interval, c.Window, c.Prefix, c.MetricsPath = 0, 0, "-", "x"
	_, err := c.Check()
	if err == nil {
		t.Fatal("no mistake was found")
	}
	var flags []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		flag, _, _ := strings.Cut(line, ":")
		flags = append(flags, flag)
	}
	want := []string{
		"--namesrv", "--namesrv", "--collect.interval", "--collect.window", "--metrics.prefix", "--web.telemetry-path",
	}
	if !slices.Equal(flags, want) {
		t.Errorf("mistakes of %v, want %v:\n%v", flags, want, err)
	}
}

func TestListsAreSplit(t *testing.T) {
	c := good()
	c.NameServers = []string{"a:1,b:2;c:3", " b:2 ;; [::1]:4, "}
	c.IgnoredTopics = []string{"orders, payments", "", "orders,%RETRY%a;b"}
	valid, err := c.Check()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a:1", "b:2", "c:3", "[::1]:4"}; !slices.Equal(valid.NameServers, want) {
		t.Errorf("name servers %q, want %q", valid.NameServers, want)
	}
	// The original exporter's list has commas, and a topic's name has none.
	if want := []string{"orders", "payments", "%RETRY%a;b"}; !slices.Equal(valid.IgnoredTopics, want) {
		t.Errorf("ignored topics %q, want %q", valid.IgnoredTopics, want)
	}
}

func TestCheckChangesNothingElse(t *testing.T) {
	c := good()
	valid, err := c.Check()
	if err != nil {
		t.Fatal(err)
	}
	if valid.Interval != c.Interval || valid.Prefix != c.Prefix || valid.MetricsPath != c.MetricsPath || valid.IgnoredTopics != nil {
		t.Errorf("%+v became %+v", c, valid)
	}
	if c.NameServers[0] = "changed"; valid.NameServers[0] != "10.0.0.1:9876" {
		t.Error("a Valid changes with the Config that it was made of")
	}
}
