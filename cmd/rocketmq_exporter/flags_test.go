package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	for file, args := range map[string][]string{
		"help.txt": {"--help"}, "help-demo.txt": {"demo", "--help"}, "help-lag.txt": {"lag", "--help"},
	} {
		var stdout, stderr bytes.Buffer
		if err := run(t.Context(), args, &stdout, &stderr); err != nil {
			t.Fatal(err)
		}
		if stderr.Len() > 0 {
			t.Errorf("%v wrote to stderr: %s", args, &stderr)
		}
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, stdout.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(stdout.Bytes(), want) {
			t.Errorf("%v is not %s (-update writes it):\n%s", args, path, &stdout)
		}
	}
}

func TestOtherWaysToHelp(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	for _, c := range []struct {
		args []string
		file string
	}{
		{[]string{"-h"}, "help.txt"},
		{[]string{"help"}, "help.txt"},
		{[]string{"serve", "--help"}, "help.txt"},
		{[]string{"help", "demo"}, "help-demo.txt"},
		{[]string{"help", "lag"}, "help-lag.txt"},
		{[]string{"--namesrv=x", "--collect.window=many", "--help"}, "help.txt"},
	} {
		want, err := os.ReadFile(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		var stdout bytes.Buffer
		if err := run(t.Context(), c.args, &stdout, io.Discard); err != nil {
			t.Errorf("%v: %v", c.args, err)
		}
		if !bytes.Equal(stdout.Bytes(), want) {
			t.Errorf("%v is not %s:\n%s", c.args, c.file, &stdout)
		}
	}
}

func TestVersion(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), []string{"--version"}, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stdout.String(), "rocketmq_exporter, version ") || stderr.Len() > 0 {
		t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
	}
}

const noSource = "--namesrv: the address of a name server is needed, as in --namesrv=10.0.0.1:9876, or that of a console, as in --console=http://10.0.0.2:8080 (or try the command demo)"

func TestMistakesOfTheCommandLine(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		want string
	}{
		{"nothing", nil, nil, noSource},
		{"unknown flag", nil, []string{"--namesrv=mq:9876", "--nope"}, "unknown flag: --nope (--help lists commands and flags)"},
		{"unknown short flag", nil, []string{"-x"}, "unknown shorthand flag: 'x' in -x (--help lists commands and flags)"},
		{"no value for the last of several", nil, []string{"--namesrv=mq:9876", "--web.listen-address"}, "flag needs an argument: --web.listen-address (--help lists commands and flags)"},
		{"no value", nil, []string{"--namesrv"}, "flag needs an argument: --namesrv (--help lists commands and flags)"},
		{"a flag instead of a value", nil, []string{"--cluster.name", "--check-config"}, "--cluster.name: a value is wanted, and the flag --check-config follows (--help lists commands and flags)"},
		{"unknown command", nil, []string{"run"}, `there is no command "run" (--help lists commands and flags)`},
		{"nearly a command", nil, []string{"--namesrv=mq:9876", "lga"}, `there is no command "lga": did you mean lag? (--help lists commands and flags)`},
		{"a command behind --", nil, []string{"--", "lag"}, `there is no command "lag" (--help lists commands and flags)`},
		{"two commands", nil, []string{"lag", "demo"}, `lag takes flags only, and got "demo" (--help lists commands and flags)`},
		{"a flag of another command", nil, []string{"--namesrv=mq:9876", "--seed=1"}, "unknown flag: --seed (--help lists commands and flags)"},
		{"unknown help", nil, []string{"help", "run"}, "there is no such help (--help lists commands and flags)"},
		{"twice", nil, []string{"--collect.window=1", "--collect.window=2"}, "--collect.window: it cannot be repeated (--help lists commands and flags)"},
		{"twice, of a command", nil, []string{"lag", "--by=topic", "--by=queue"}, "--by: it cannot be repeated (--help lists commands and flags)"},
		{"a switch and its contrary", nil, []string{"--topics.system", "--no-topics.system"}, "--no-topics.system: it cannot be repeated (--help lists commands and flags)"},
		{"no switch", nil, []string{"--no-topics.system=maybe"}, `--no-topics.system: "maybe" is not allowed: allowed are true and false (--help lists commands and flags)`},
		{"the contrary of no switch", nil, []string{"--no-namesrv"}, "unknown flag: --no-namesrv (--help lists commands and flags)"},
		{
			"a value of another kind", nil,
			[]string{"--namesrv=mq:9876", "--collect.interval=15"},
			`--collect.interval: "15" is no duration: wanted is a number with its unit, as in 15s or 1h30m; allowed are 1s to 1h`,
		},
		{
			"several, each with its flag",
			map[string]string{"ROCKETMQ_EXPORTER_COLLECT_PARALLEL": "all", "ROCKETMQ_EXPORTER_TOPICS_SYSTEM": "maybe"},
			[]string{
				"--log.level=loud", "--log.format=xml", "--collect.window=0", "--web.config.file=testdata/missing.yml",
				"--web.listen-address=", "--web.telemetry-path=metrics",
			},
			"9 mistakes in the settings:\n" +
				"  " + noSource + "\n" +
				"  --collect.window: 0 is out of bounds: allowed are 1 to 256\n" +
				`  --collect.parallel: "all" is no number: allowed are 1 to 256` + "\n" +
				`  --topics.system: "maybe" is not allowed: allowed are true and false` + "\n" +
				"  --web.listen-address: the address is empty: wanted is host:port or :port, as in :9104\n" +
				`  --web.telemetry-path: "metrics" is no path: it must begin with '/', and hold letters, digits and any of . _ ~ - between single slashes` + "\n" +
				`  --log.level: "loud" is not allowed: allowed are debug, info, warn, error` + "\n" +
				`  --log.format: "xml" is not allowed: allowed are logfmt, json` + "\n" +
				"  --web.config.file=testdata/missing.yml: open testdata/missing.yml: no such file or directory",
		},
		{
			"users without a hash", nil,
			[]string{"--namesrv=mq:9876", "--web.config.file=testdata/plain-password.yml"},
			"--web.config.file=testdata/plain-password.yml: crypto/bcrypt: hashedSecret too short to be a bcrypted password",
		},
		{
			"demo in front of a cluster", nil,
			[]string{"demo", "--namesrv=mq:9876"},
			"demo brings its own cluster: leave --namesrv out, or the command demo",
		},
		{
			"demo in front of a console", nil,
			[]string{"demo", "--console=mq:8080"},
			"demo brings its own cluster: leave --console out, or the command demo",
		},
		{"demo with a mistake", nil, []string{"demo", "--seed=x", "--collect.interval=1ms"}, "2 mistakes in the settings:\n" +
			`  --seed: "x" is no number: allowed are 0 to 18446744073709551615` + "\n" +
			"  --collect.interval: 1ms is out of bounds: allowed are 1s to 1h"},
		{
			"demo with a file", nil,
			[]string{"demo", "--config.file=testdata/missing.yml"},
			"demo brings its own cluster: leave --config.file out, or the command demo",
		},
		{
			"no file", nil,
			[]string{"--config.file=testdata/missing.yml", "--collect.window=0"},
			"2 mistakes in the settings:\n" +
				"  --config.file: open testdata/missing.yml: no such file or directory\n" +
				"  --collect.window: 0 is out of bounds: allowed are 1 to 256",
		},
		{
			"demo with a bad address", nil,
			[]string{"demo", "--demo.namesrv-address=nowhere", "--web.listen-address=127.0.0.1:0"},
			"--demo.namesrv-address=nowhere: fakemq: name server address: address nowhere: missing port in address",
		},
		{
			"no address to listen on", nil,
			[]string{"--namesrv=mq:9876", "--web.listen-address=127.0.0.1:0", "--web.listen-address=:no-such-port"},
			"--web.listen-address=:no-such-port: listen tcp: lookup tcp/no-such-port: unknown port",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), c.args, &stdout, &stderr)
			if err == nil {
				t.Fatal("it ran")
			}
			if err.Error() != c.want {
				t.Errorf("\n got %v\nwant %s", err, c.want)
			}
			if c.name != "unknown help" && stdout.Len()+stderr.Len() > 0 {
				t.Errorf("besides the error: stdout %q, stderr %q", &stdout, &stderr)
			}
		})
	}
}

func TestSettingsFromFlagsAndEnvironment(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		args []string
		want func(config.Valid) bool
	}{
		{"defaults", nil, []string{"--namesrv=a:1"}, func(v config.Valid) bool {
			k := v.Clusters[0]
			return k.IgnoredTopics == nil && !k.System && k.Interval == 15*time.Second && k.Timeout == 10*time.Second && k.Window == 64 &&
				k.Parallel == 16 && k.KeepRounds == 3 && k.ForgetAfter == time.Hour && k.OwnerRefresh == 5*time.Minute && k.Console == (config.Console{}) &&
				v.Prefix == "rocketmq" && v.Web.MetricsPath == "/metrics" && v.Web.MaxScrapes == 4 && slices.Equal(v.Web.Listen, []string{":9104"}) &&
				v.Web.ConfigFile == "" && !v.Web.SystemdSocket && v.Log.Level == "info" && v.Log.Format == "logfmt"
		}},
		{
			"environment",
			map[string]string{
				"ROCKETMQ_EXPORTER_NAMESRV": "a:1;b:2", "ROCKETMQ_EXPORTER_COLLECT_INTERVAL": "30s", "ROCKETMQ_EXPORTER_COLLECT_WINDOW": "2",
				"ROCKETMQ_EXPORTER_TOPICS_IGNORE": "x,y", "ROCKETMQ_EXPORTER_TOPICS_SYSTEM": "true", "ROCKETMQ_EXPORTER_METRICS_PREFIX": "mq",
				"ROCKETMQ_EXPORTER_WEB_LISTEN_ADDRESS": ":1\n:2", "ROCKETMQ_EXPORTER_LOG_LEVEL": "debug",
			},
			nil,
			func(v config.Valid) bool {
				k := v.Clusters[0]
				return slices.Equal(k.NameServers, []string{"a:1", "b:2"}) && k.Interval == 30*time.Second && k.Window == 2 &&
					slices.Equal(k.IgnoredTopics, []string{"x", "y"}) && k.System && v.Prefix == "mq" &&
					slices.Equal(v.Web.Listen, []string{":1", ":2"}) && v.Log.Level == "debug"
			},
		},
		{
			"a flag beats the environment",
			map[string]string{
				"ROCKETMQ_EXPORTER_NAMESRV": "a:1", "ROCKETMQ_EXPORTER_COLLECT_INTERVAL": "30s", "ROCKETMQ_EXPORTER_TOPICS_SYSTEM": "true",
				"ROCKETMQ_EXPORTER_COLLECT_WINDOW": "many", "ROCKETMQ_EXPORTER_WEB_LISTEN_ADDRESS": ":1",
			},
			[]string{
				"--namesrv=b:2", "--collect.interval=20s", "--no-topics.system", "--collect.window=3", "--web.listen-address=:2", "--web.listen-address=:3",
			},
			func(v config.Valid) bool {
				k := v.Clusters[0]
				return slices.Equal(k.NameServers, []string{"b:2"}) && k.Interval == 20*time.Second && !k.System &&
					k.Window == 3 && slices.Equal(v.Web.Listen, []string{":2", ":3"})
			},
		},
		{
			"an empty variable is none",
			map[string]string{
				"ROCKETMQ_EXPORTER_CONSOLE": "", "ROCKETMQ_EXPORTER_COLLECT_INTERVAL": "", "ROCKETMQ_EXPORTER_METRICS_PREFIX": "",
				"ROCKETMQ_EXPORTER_TOPICS_SYSTEM": "", "ROCKETMQ_EXPORTER_WEB_LISTEN_ADDRESS": "", "ROCKETMQ_EXPORTER_LOG_FORMAT": "",
			},
			[]string{"--namesrv=a:1"},
			func(v config.Valid) bool {
				k := v.Clusters[0]
				return k.Console.URL == "" && k.Interval == 15*time.Second && v.Prefix == "rocketmq" && !k.System &&
					slices.Equal(v.Web.Listen, []string{":9104"}) && v.Log.Format == "logfmt"
			},
		},
		{
			// As images and Kubernetes set them.
			"variables that are no settings",
			map[string]string{
				"ROCKETMQ_EXPORTER_VERSION": "1.2.3", "ROCKETMQ_EXPORTER_HELP": "x", "ROCKETMQ_EXPORTER_PORT": "tcp://10.0.0.1:9104",
				"ROCKETMQ_EXPORTER_SEED": "x", "ROCKETMQ_EXPORTER_HELP_LONG": "1", "ROCKETMQ_EXPORTER_CHECK_CONFIG": "true",
			},
			[]string{"--namesrv=a:1"},
			func(v config.Valid) bool { return len(v.Clusters) == 1 },
		},
		{"serve by its name", nil, []string{"serve", "--namesrv=a:1"}, func(v config.Valid) bool {
			return slices.Equal(v.Clusters[0].NameServers, []string{"a:1"})
		}},
		{"demo", nil, []string{"demo"}, func(v config.Valid) bool { return v.Clusters[0].Interval == demoInterval }},
		{
			"demo with flags and environment",
			map[string]string{
				"ROCKETMQ_EXPORTER_NAMESRV": "a:1", "ROCKETMQ_EXPORTER_COLLECT_INTERVAL": "2s", "ROCKETMQ_EXPORTER_CONFIG_FILE": "missing.yml",
				"ROCKETMQ_EXPORTER_CLUSTER_NAME": "east", "ROCKETMQ_EXPORTER_CONSOLE_USERNAME": "admin",
			},
			[]string{"demo", "--demo.namesrv-address=127.0.0.1:9876"},
			func(v config.Valid) bool {
				// What the environment says of a cluster is for serve.
				return v.Clusters[0].Interval == 2*time.Second && slices.Equal(v.Clusters[0].NameServers, []string{"127.0.0.1:9876"}) && v.Clusters[0].Name == ""
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			o, done, err := parse(c.args, io.Discard, io.Discard)
			if err != nil || done {
				t.Fatalf("done %v, err %v", done, err)
			}
			v, err := loaded(o)
			if err != nil {
				t.Fatal(err)
			}
			if !c.want(v) {
				t.Errorf("got %+v", v)
			}
		})
	}
}

// loaded are the settings of whichever command.
func loaded(c commandLine) (config.Valid, error) {
	if c.demo == nil {
		return c.load()
	}
	v, _, err := c.loadDemo()
	return v, err
}

func TestTheDemoHasItsOwnSettings(t *testing.T) {
	for _, c := range []struct {
		env        string
		args       []string
		seed       uint64
		nameServer string
	}{
		{"", []string{"demo"}, 1, ""},
		{"7", []string{"demo"}, 7, ""},
		{"7", []string{"demo", "--seed=8", "--demo.namesrv-address=127.0.0.1:9876"}, 8, "127.0.0.1:9876"},
	} {
		t.Setenv("ROCKETMQ_EXPORTER_SEED", c.env)
		o, _, err := parse(c.args, io.Discard, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		_, seed, err := o.loadDemo()
		if err != nil || seed != c.seed || o.demo.nameServer != c.nameServer {
			t.Errorf("%v: seed %d, name server %q, err %v", c.args, seed, o.demo.nameServer, err)
		}
	}
}

func TestTheDemoOnlyChecks(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	err := run(ctx, []string{"demo", "--check-config", "--web.listen-address=127.0.0.1:0"}, &stdout, &stderr)
	if err != nil || stdout.String() != "The settings are right.\n" {
		t.Errorf("%v, stdout %q", err, &stdout)
	}
	err = run(ctx, []string{"demo", "--check-config", "--seed=x"}, &stdout, &stderr)
	if err == nil || !strings.HasPrefix(err.Error(), "--seed:") {
		t.Errorf("a wrong seed: %v", err)
	}
}

func TestCheckConfig(t *testing.T) {
	good := write(t, "good.yml", "clusters:\n- {name: a, namesrv: [a:1]}\n- {name: b, console: {url: b}}\n")
	bad := write(t, "bad.yml", "clustres: []\nweb: {config_file: missing.yml}\ndefaults: {collect: {interval: 1}}\n")
	missing := filepath.Join(filepath.Dir(bad), "missing.yml")
	large := write(t, "large.yml", strings.Repeat("#", 4<<20+1))
	for _, c := range []struct {
		args []string
		env  map[string]string
		want string // the error; empty: none
	}{
		{[]string{"--namesrv=a:1"}, nil, ""},
		{[]string{"--config.file=" + good}, nil, ""},
		{nil, map[string]string{"ROCKETMQ_EXPORTER_CONFIG_FILE": good}, ""},
		{[]string{"--config.file=" + good}, map[string]string{"ROCKETMQ_EXPORTER_CONFIG_FILE": bad}, ""},
		{nil, nil, noSource},
		{
			[]string{"--config.file=" + bad, "--namesrv=a:1", "--collect.window=0"}, nil,
			"4 mistakes in the settings:\n" +
				"  " + bad + ":1: clustres: there is no such key: did you mean clusters?\n" +
				"  " + bad + ":2: web.config_file=" + missing + ": open " + missing + ": no such file or directory\n" +
				"  " + bad + `:3: defaults.collect.interval: "1" is no duration: wanted is a number with its unit, as in 15s or 1h30m; allowed are 1s to 1h` + "\n" +
				"  --collect.window: 0 is out of bounds: allowed are 1 to 256",
		},
		{[]string{"--config.file=" + filepath.Dir(bad)}, nil, "--config.file: read " + filepath.Dir(bad) + ": is a directory"},
		{[]string{"--config.file=" + large}, nil, "--config.file: read " + large + ": it is larger than 4 MiB"},
	} {
		for k, v := range c.env {
			t.Setenv(k, v)
		}
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), append(c.args, "--check-config"), &stdout, &stderr)
		switch {
		case c.want == "" && (err != nil || stdout.String() != "The settings are right.\n"):
			t.Errorf("%v: %v, stdout %q", c.args, err, &stdout)
		case c.want != "" && (err == nil || err.Error() != c.want):
			t.Errorf("%v:\n got %v\nwant %s", c.args, err, c.want)
		}
		t.Setenv("ROCKETMQ_EXPORTER_CONFIG_FILE", "")
	}
}
