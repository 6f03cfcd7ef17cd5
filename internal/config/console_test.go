package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

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
		timeout  = " is out of bounds: allowed are 100ms to 1m"
		missing  = ": open missing: file does not exist"
	)
	w := world{
		env:   map[string]string{},
		files: map[string]string{"p": secret, "empty": "\n", "no.pem": secret},
	}
	for _, c := range []struct {
		name  string
		flags []string
		env   string // the password there
		want  string
	}{
		{"two sources", []string{"--console=mq", "--namesrv=mq:9876"}, "", "--namesrv and --console: one of them is the source, not both"},
		{"no source", []string{"--console="}, "", noSource},

		{"credentials", []string{"--console=http://admin:" + secret + "@mq:8080"}, "", inURL},
		{"credentials without a scheme", []string{"--console=admin:" + secret + "@mq:8080"}, "", inURL},
		{"a user in the address", []string{"--console=https://" + secret + "@mq"}, "", inURL},
		{"credentials with a slash", []string{"--console=http://admin:1/" + secret + "@mq:8080"}, "", inURL},
		{"credentials that make no URL", []string{"--console=http://admin:" + secret + "%zz@mq:8080"}, "", inURL},
		{"query", []string{"--console=http://mq:8080/?token=" + secret}, "", tooLong},
		{"empty query", []string{"--console=http://mq:8080/?"}, "", tooLong},
		{"what a browser shows", []string{"--console=http://mq:8080/#/login?" + secret}, "", tooLong},
		{"empty fragment", []string{"--console=http://mq:8080/#"}, "", tooLong},
		{"another scheme", []string{"--console=ftp://mq/" + secret}, "", `--console: the scheme "ftp" is unknown: allowed are http and https`},
		{"no host", []string{"--console=http://"}, "", noAddress},
		{"only a port", []string{"--console=:8080"}, "", noAddress},
		{"only a path", []string{"--console=/console/" + secret}, "", noAddress},
		{"a port by name", []string{"--console=mq:" + secret}, "", noAddress},
		{"port 0", []string{"--console=http://mq:0"}, "", noAddress},
		{"port too high", []string{"--console=http://mq:65536"}, "", noAddress},
		{"several", []string{"--console=mq1:8080,mq2:8080"}, "", noAddress},
		{"a space", []string{"--console=http://mq 1:8080"}, "", noAddress},
		{"IPv6 without brackets", []string{"--console=fe80::1"}, "", noAddress},
		{"only spaces", []string{"--console=  "}, "", noAddress},

		{"user without password", []string{"--console=mq", "--console.username=admin"}, "", login},
		{"password without user", []string{"--console=mq"}, secret, login},
		{"password file without user", []string{"--console=mq", "--console.password-file=p"}, "", login},
		{"no password file", []string{"--console=mq", "--console.username=admin", "--console.password-file=missing"}, secret, "--console.password-file" + missing},
		{"empty password file", []string{"--console=mq", "--console.username=admin", "--console.password-file=empty"}, secret, "--console.password-file: empty is empty"},
		{"proxy's user without password", []string{"--console=mq", "--console.proxy-username=admin"}, "", proxy},
		{"proxy's password file without user", []string{"--console=mq", "--console.proxy-password-file=p"}, "", proxy},

		{"certificate without key", []string{"--console=https://mq", "--console.cert-file=c"}, "", pair},
		{"key without certificate", []string{"--console=https://mq", "--console.key-file=k"}, "", pair},
		{"no authorities", []string{"--console=https://mq", "--console.ca-file=missing"}, "", "--console.ca-file" + missing},
		{"authorities that are none", []string{"--console=https://mq", "--console.ca-file=no.pem"}, "", "--console.ca-file: no.pem holds no certificate in PEM"},
		{"no pair", []string{"--console=https://mq", "--console.cert-file=missing", "--console.key-file=no.pem"}, "", "--console.cert-file and --console.key-file" + missing},
		{
			"a pair that is none", []string{"--console=https://mq", "--console.cert-file=no.pem", "--console.key-file=no.pem"}, "",
			"--console.cert-file and --console.key-file: tls: failed to find any PEM data in certificate input",
		},
		{"authorities without https", []string{"--console=mq", "--console.ca-file=missing"}, "", "--console.ca-file" + noTLS},
		{"name without https", []string{"--console=mq", "--console.server-name=mq"}, "", "--console.server-name" + noTLS},
		{"any certificate without https", []string{"--console=mq", "--console.insecure-skip-verify=true"}, "", "--console.insecure-skip-verify" + noTLS},

		{"no calls", []string{"--console=mq", "--console.parallel=0"}, "", "--console.parallel: 0" + parallel},
		{"too many calls", []string{"--console=mq", "--console.parallel=65"}, "", "--console.parallel: 65" + parallel},
		{"too short a call", []string{"--console=mq", "--console.call-timeout=99ms"}, "", "--console.call-timeout: 99ms" + timeout},
		{"too long a call", []string{"--console=mq", "--console.call-timeout=61s"}, "", "--console.call-timeout: 61s" + timeout},

		{"user without a console", []string{"--namesrv=mq:1", "--console.username=admin"}, "", "--console.username is set, and there is no --console"},
		{"certificate without a console", []string{"--namesrv=mq:1", "--console.cert-file=missing"}, "", "--console.cert-file is set, and there is no --console"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.env[EnvConsolePassword] = c.env
			v, err := w.load(Sources{Flags: byFlags(c.flags...)})
			if err == nil {
				t.Fatal("no mistake was found")
			}
			if err.Error() != c.want {
				t.Errorf("\n got %v\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the message repeats a secret: %v", err)
			}
			if v.Clusters != nil {
				t.Error("settings with a mistake are valid")
			}
		})
	}
}

// The environment may be that of all processes of a machine.
func TestTheEnvironmentMaySpeakOfAConsoleThatIsNone(t *testing.T) {
	w := world{env: map[string]string{EnvConsolePassword: secret, EnvConsoleProxyPassword: secret}}
	_, err := w.load(Sources{
		Flags:       byFlags("--namesrv=mq:1"),
		Environment: Said{keyUsername: {"admin"}, "console.parallel": {"1000"}, keyPasswordFile: {"missing"}},
	})
	if err != nil {
		t.Error(err)
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
		v, err := flags("--console=" + given)
		if err != nil {
			t.Errorf("%q: %v", given, err)
			continue
		}
		c := v.Clusters[0].Console
		if c.URL != want {
			t.Errorf("%q became %q, want %q", given, c.URL, want)
		}
		if host := c.Host(); host == "" || !strings.Contains(want, "//"+host) {
			t.Errorf("the host of %q is %q", want, host)
		}
	}
	if host := (Console{URL: "http://%"}).Host(); host != "" {
		t.Errorf("%q is the host of no address", host)
	}
}

func TestAConsoleWithEverything(t *testing.T) {
	w := world{files: map[string]string{"p": secret + "\r\n", "q": " " + secret}}
	v, err := w.load(Sources{Flags: byFlags("--console=https://mq", "--console.username=a", "--console.password-file=p", "--console.proxy-username=b",
		"--console.proxy-password-file=q", "--console.server-name=mq", "--console.insecure-skip-verify=true", "--console.parallel=64", "--console.call-timeout=1m")})
	v = must(t, v, err)
	want := Console{
		URL: "https://mq", Username: "a", Password: remoting.NewSecret(secret), PasswordFile: "p",
		ProxyUsername: "b", ProxyPassword: remoting.NewSecret(" " + secret), ProxyPasswordFile: "q",
		TLS: TLS{ServerName: "mq", Insecure: true}, Parallel: 64, Timeout: time.Minute,
	}
	if got := v.Clusters[0].Console; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
