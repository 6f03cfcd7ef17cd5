package config

import (
	"strings"
	"testing"
	"time"
)

// goodConsole reads a console, as the flags' defaults make it.
func goodConsole() Config {
	c := good()
	c.NameServers = nil
	c.Console = Console{URL: "http://10.0.0.2:8080", Parallel: 4, Timeout: 5 * time.Second}
	return c
}

// secret is what no message may repeat.
const secret = "hunter2"

func TestEachMistakeAboutAConsoleIsNamed(t *testing.T) {
	const (
		noAddress = "--console: that is no address of a console: wanted is http://host:port, https://host:port/path or host:port"
		inURL     = "--console: credentials do not belong in the address: for a login there are --console.username and --console.password-file, " +
			"for a proxy in front --console.proxy-username and --console.proxy-password-file"
		tooLong  = "--console: the address ends with its path: leave out what follows '?' or '#'"
		login    = "--console.username goes with a password, in --console.password-file or ROCKETMQ_EXPORTER_CONSOLE_PASSWORD: one of them is missing"
		proxy    = "--console.proxy-username goes with a password, in --console.proxy-password-file or ROCKETMQ_EXPORTER_CONSOLE_PROXY_PASSWORD: one of them is missing"
		pair     = "--console.cert-file and --console.key-file: one of them is missing"
		noTLS    = " is set, and the console's address is not https"
		parallel = " is out of bounds: allowed are 1 to 64"
		timeout  = " is out of bounds: allowed are 100ms to 1m0s"
	)
	for _, c := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"two sources", func(c *Config) { c.NameServers = []string{"mq:9876"} }, "--namesrv and --console: one of them is the source, not both"},
		{"no source", func(c *Config) { c.Console.URL = "" }, noSource},

		{"credentials", func(c *Config) { c.Console.URL = "http://admin:" + secret + "@mq:8080" }, inURL},
		{"credentials without a scheme", func(c *Config) { c.Console.URL = "admin:" + secret + "@mq:8080" }, inURL},
		{"a user in the address", func(c *Config) { c.Console.URL = "https://" + secret + "@mq" }, inURL},
		{"credentials with a slash", func(c *Config) { c.Console.URL = "http://admin:1/" + secret + "@mq:8080" }, inURL},
		{"credentials that make no URL", func(c *Config) { c.Console.URL = "http://admin:" + secret + "%zz@mq:8080" }, inURL},
		{"query", func(c *Config) { c.Console.URL = "http://mq:8080/?token=" + secret }, tooLong},
		{"empty query", func(c *Config) { c.Console.URL = "http://mq:8080/?" }, tooLong},
		{"what a browser shows", func(c *Config) { c.Console.URL = "http://mq:8080/#/login?" + secret }, tooLong},
		{"empty fragment", func(c *Config) { c.Console.URL = "http://mq:8080/#" }, tooLong},
		{"another scheme", func(c *Config) { c.Console.URL = "ftp://mq/" + secret }, `--console: the scheme "ftp" is unknown: allowed are http and https`},
		{"no host", func(c *Config) { c.Console.URL = "http://" }, noAddress},
		{"only a port", func(c *Config) { c.Console.URL = ":8080" }, noAddress},
		{"only a path", func(c *Config) { c.Console.URL = "/console/" + secret }, noAddress},
		{"a port by name", func(c *Config) { c.Console.URL = "mq:" + secret }, noAddress},
		{"port 0", func(c *Config) { c.Console.URL = "http://mq:0" }, noAddress},
		{"port too high", func(c *Config) { c.Console.URL = "http://mq:65536" }, noAddress},
		{"several", func(c *Config) { c.Console.URL = "mq1:8080,mq2:8080" }, noAddress},
		{"a space", func(c *Config) { c.Console.URL = "http://mq 1:8080" }, noAddress},
		{"IPv6 without brackets", func(c *Config) { c.Console.URL = "fe80::1" }, noAddress},
		{"only spaces", func(c *Config) { c.Console.URL = "  " }, noAddress},

		{"user without password", func(c *Config) { c.Console.Username = "admin" }, login},
		{"password without user", func(c *Config) { c.Console.Password = secret }, login},
		{"password file without user", func(c *Config) { c.Console.PasswordFile = "p" }, login},
		{"proxy's user without password", func(c *Config) { c.Console.ProxyUsername = "admin" }, proxy},
		{"proxy's password without user", func(c *Config) { c.Console.ProxyPassword = secret }, proxy},
		{"proxy's password file without user", func(c *Config) { c.Console.ProxyPasswordFile = "p" }, proxy},

		{"certificate without key", func(c *Config) { c.Console.URL, c.Console.CertFile = "https://mq", "c.pem" }, pair},
		{"key without certificate", func(c *Config) { c.Console.URL, c.Console.KeyFile = "https://mq", "k.pem" }, pair},
		{"authorities without https", func(c *Config) { c.Console.CAFile = "ca.pem" }, "--console.ca-file" + noTLS},
		{"name without https", func(c *Config) { c.Console.ServerName = "mq" }, "--console.server-name" + noTLS},
		{"any certificate without https", func(c *Config) { c.Console.Insecure = true }, "--console.insecure-skip-verify" + noTLS},

		{"no calls", func(c *Config) { c.Console.Parallel = 0 }, "--console.parallel: 0" + parallel},
		{"too many calls", func(c *Config) { c.Console.Parallel = 65 }, "--console.parallel: 65" + parallel},
		{"too short a call", func(c *Config) { c.Console.Timeout = 99 * time.Millisecond }, "--console.call-timeout: 99ms" + timeout},
		{"too long a call", func(c *Config) { c.Console.Timeout = 61 * time.Second }, "--console.call-timeout: 1m1s" + timeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := goodConsole()
			c.edit(&bad)
			valid, err := bad.Check()
			if err == nil {
				t.Fatal("no mistake was found")
			}
			if err.Error() != c.want {
				t.Errorf("\n got %v\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the message repeats a secret: %v", err)
			}
			if valid.Console.URL != "" {
				t.Error("a Config with a mistake made a Valid")
			}
		})
	}
}

func TestSettingsOfAConsoleWithoutAConsole(t *testing.T) {
	for flag, edit := range map[string]func(*Console){
		FlagConsoleUsername:      func(c *Console) { c.Username = "admin" },
		FlagConsolePassword:      func(c *Console) { c.PasswordFile = "p" },
		FlagConsoleProxyUsername: func(c *Console) { c.ProxyUsername = "admin" },
		FlagConsoleProxyPassword: func(c *Console) { c.ProxyPasswordFile = "p" },
		FlagConsoleCA:            func(c *Console) { c.CAFile = "ca.pem" },
		FlagConsoleCert:          func(c *Console) { c.CertFile = "c.pem" },
		FlagConsoleKey:           func(c *Console) { c.KeyFile = "k.pem" },
		FlagConsoleServerName:    func(c *Console) { c.ServerName = "mq" },
		FlagConsoleInsecure:      func(c *Console) { c.Insecure = true },
	} {
		c := good()
		edit(&c.Console)
		_, err := c.Check()
		if want := "--" + flag + " is set, and there is no --console"; err == nil || err.Error() != want {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
	// These may be set for all processes of a machine.
	c := good()
	c.Console.Password, c.Console.ProxyPassword, c.Console.Parallel, c.Console.Timeout = secret, secret, 1000, time.Hour
	if _, err := c.Check(); err != nil {
		t.Error(err)
	}
}

func TestAllMistakesAboutAConsoleAreReportedTogether(t *testing.T) {
	c := goodConsole()
	c.Window = 0
	c.Console = Console{URL: "gopher://mq", Username: "admin", ProxyUsername: "admin", CertFile: "c.pem"}
	_, err := c.Check()
	if err == nil {
		t.Fatal("no mistake was found")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, flag := range []string{FlagConsole + ":", FlagConsoleUsername, FlagConsoleProxyUsername, FlagConsoleCert, FlagConsoleParallel, FlagConsoleTimeout, FlagWindow} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], "--"+flag) {
			t.Fatalf("mistake %d is not about --%s:\n%v", i, flag, err)
		}
	}
	if len(lines) != 7 {
		t.Errorf("%d mistakes:\n%v", len(lines), err)
	}
}

func TestAddressesOfAConsole(t *testing.T) {
	for given, want := range map[string]string{
		"http://10.0.0.2:8080":         "http://10.0.0.2:8080",
		"https://mq.example/console":   "https://mq.example/console",
		"HTTPS://mq.example:8443/a/b/": "https://mq.example:8443/a/b/",
		"10.0.0.2:8080":                "http://10.0.0.2:8080", // these two are the original exporter's
		"rocketmq-c0-console":          "http://rocketmq-c0-console",
		"mq:8080/console":              "http://mq:8080/console",
		"[::1]:8080":                   "http://[::1]:8080",
		"\tmq:8080":                    "http://mq:8080",
	} {
		c := goodConsole()
		c.Console.URL = given
		valid, err := c.Check()
		if err != nil {
			t.Errorf("%q: %v", given, err)
			continue
		}
		if got := valid.Console.URL; got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
		if host := valid.Console.Host(); host == "" || !strings.Contains(want, "//"+host) {
			t.Errorf("the host of %q is %q", want, host)
		}
	}
	if host := (Console{URL: "http://%"}).Host(); host != "" {
		t.Errorf("%q is the host of no address", host)
	}
}

func TestAConsoleWithEverything(t *testing.T) {
	c := goodConsole()
	c.Console = Console{
		URL: "https://mq", Username: "a", Password: secret, PasswordFile: "p", ProxyUsername: "b", ProxyPassword: secret,
		CAFile: "ca.pem", CertFile: "c.pem", KeyFile: "k.pem", ServerName: "mq", Insecure: true, Parallel: 64, Timeout: time.Minute,
	}
	valid, err := c.Check()
	if err != nil {
		t.Fatal(err)
	}
	if valid.Console != c.Console {
		t.Errorf("%+v became %+v", c.Console, valid.Console)
	}
	// A file that could not be read is a mistake of its own.
	c.Console.Password = ""
	if _, err := c.Check(); err != nil {
		t.Error(err)
	}
}
