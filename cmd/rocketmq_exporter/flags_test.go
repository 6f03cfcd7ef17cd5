package main

import (
	"bytes"
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
		"help.txt": {"--help"}, "help-demo.txt": {"demo", "--help"},
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
		{"unknown flag", nil, []string{"--namesrv=mq:9876", "--nope"}, "unknown long flag '--nope' (--help lists commands and flags)"},
		{"unknown short flag", nil, []string{"-x"}, "unknown short flag '-x' (--help lists commands and flags)"},
		{"no value for the last of several", nil, []string{"--namesrv=mq:9876", "--web.listen-address"}, "expected argument for flag '--web.listen-address' (--help lists commands and flags)"},
		{"no value", nil, []string{"--namesrv"}, "expected argument for flag '--namesrv' (--help lists commands and flags)"},
		{"unknown command", nil, []string{"run"}, "unexpected run (--help lists commands and flags)"},
		{"unknown help", nil, []string{"help", "run"}, "there is no such help (--help lists commands and flags)"},
		{"twice", nil, []string{"--collect.window=1", "--collect.window=2"}, "flag 'collect.window' cannot be repeated (--help lists commands and flags)"},
		{
			"a value of another kind", nil,
			[]string{"--namesrv=mq:9876", "--collect.interval=15"},
			`--collect.interval: "15" cannot be used: missing unit in duration "15"`,
		},
		{
			"several, each with its flag",
			map[string]string{"ROCKETMQ_EXPORTER_COLLECT_PARALLEL": "all", "ROCKETMQ_EXPORTER_TOPICS_SYSTEM": "maybe"},
			[]string{
				"--log.level=loud", "--log.format=xml", "--collect.window=0", "--web.config.file=testdata/missing.yml",
				"--web.listen-address=", "--web.telemetry-path=metrics",
			},
			"9 mistakes in the settings:\n" +
				`  --collect.parallel: "all" cannot be used: invalid syntax` + "\n" +
				`  --log.format: "xml" cannot be used: unrecognized log format xml` + "\n" +
				`  --log.level: "loud" cannot be used: unrecognized log level loud` + "\n" +
				`  --topics.system: "maybe" cannot be used: invalid syntax` + "\n" +
				"  " + noSource + "\n" +
				"  --collect.window: 0 is out of bounds: allowed are 1 to 256\n" +
				`  --web.telemetry-path: "metrics" is no path: it must begin with '/', and hold letters, digits and any of . _ ~ - between single slashes` + "\n" +
				"  --web.listen-address: the address is empty: wanted is host:port or :port, as in :9104\n" +
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
			"demo brings its own cluster: leave --namesrv and --console out, or the command demo",
		},
		{
			"demo in front of a console", nil,
			[]string{"demo", "--console=mq:8080"},
			"demo brings its own cluster: leave --namesrv and --console out, or the command demo",
		},
		{"demo with a mistake", nil, []string{"demo", "--seed=x", "--collect.interval=1ms"}, "2 mistakes in the settings:\n" +
			`  --seed: "x" cannot be used: invalid syntax` + "\n" +
			"  --collect.interval: 1ms is out of bounds: allowed are 1s to 1h0m0s"},
		{
			"demo with a bad address", nil,
			[]string{"demo", "--demo.namesrv-address=nowhere", "--web.listen-address=127.0.0.1:0"},
			"--demo.namesrv-address=nowhere: fakemq: name server address: address nowhere: missing port in address",
		},
		{
			"no address to listen on", nil,
			[]string{"--namesrv=mq:9876", "--web.listen-address=127.0.0.1:0", "--web.listen-address=9104"},
			"--web.listen-address=9104: listen tcp: address 9104: missing port in address",
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
		want func(*options) bool
	}{
		{"defaults", nil, nil, func(o *options) bool {
			want := config.Config{
				Interval: 15 * time.Second, Timeout: 10 * time.Second, Window: 8, Parallel: 8, KeepRounds: 3,
				ForgetAfter: time.Hour, OwnerRefresh: 5 * time.Minute, Prefix: "rocketmq", MetricsPath: "/metrics", MaxScrapes: 4,
			}
			got := o.config
			return got.NameServers == nil && got.IgnoredTopics == nil && !got.System && got.Interval == want.Interval &&
				got.Timeout == want.Timeout && got.Window == want.Window && got.Parallel == want.Parallel &&
				got.KeepRounds == want.KeepRounds && got.ForgetAfter == want.ForgetAfter && got.OwnerRefresh == want.OwnerRefresh &&
				got.Prefix == want.Prefix && got.MetricsPath == want.MetricsPath && got.MaxScrapes == want.MaxScrapes &&
				slices.Equal(*o.web.WebListenAddresses, []string{":9104"}) && *o.web.WebConfigFile == "" && !*o.web.WebSystemdSocket &&
				o.log.Level.String() == "info" && o.log.Format.String() == "logfmt" && o.demo == nil
		}},
		{
			"environment",
			map[string]string{
				"ROCKETMQ_EXPORTER_NAMESRV": "a:1;b:2", "ROCKETMQ_EXPORTER_COLLECT_INTERVAL": "30s", "ROCKETMQ_EXPORTER_COLLECT_WINDOW": "2",
				"ROCKETMQ_EXPORTER_TOPICS_IGNORE": "x,y", "ROCKETMQ_EXPORTER_TOPICS_SYSTEM": "true", "ROCKETMQ_EXPORTER_METRICS_PREFIX": "mq",
				"ROCKETMQ_EXPORTER_WEB_LISTEN_ADDRESS": ":1\n:2", "ROCKETMQ_EXPORTER_LOG_LEVEL": "debug",
			},
			nil,
			func(o *options) bool {
				return slices.Equal(o.config.NameServers, []string{"a:1;b:2"}) && o.config.Interval == 30*time.Second && o.config.Window == 2 &&
					slices.Equal(o.config.IgnoredTopics, []string{"x,y"}) && o.config.System && o.config.Prefix == "mq" &&
					slices.Equal(*o.web.WebListenAddresses, []string{":1", ":2"}) && o.log.Level.String() == "debug"
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
			func(o *options) bool {
				return slices.Equal(o.config.NameServers, []string{"b:2"}) && o.config.Interval == 20*time.Second && !o.config.System &&
					o.config.Window == 3 && slices.Equal(*o.web.WebListenAddresses, []string{":2", ":3"}) && len(o.mistakes) == 0
			},
		},
		{
			"an empty variable is none",
			map[string]string{
				"ROCKETMQ_EXPORTER_NAMESRV": "", "ROCKETMQ_EXPORTER_COLLECT_INTERVAL": "", "ROCKETMQ_EXPORTER_METRICS_PREFIX": "",
				"ROCKETMQ_EXPORTER_TOPICS_SYSTEM": "", "ROCKETMQ_EXPORTER_WEB_LISTEN_ADDRESS": "", "ROCKETMQ_EXPORTER_LOG_FORMAT": "",
			},
			nil,
			func(o *options) bool {
				return o.config.NameServers == nil && o.config.Interval == 15*time.Second && o.config.Prefix == "rocketmq" && !o.config.System &&
					slices.Equal(*o.web.WebListenAddresses, []string{":9104"}) && o.log.Format.String() == "logfmt" && len(o.mistakes) == 0
			},
		},
		{
			// As images and Kubernetes set them.
			"variables that are no settings",
			map[string]string{
				"ROCKETMQ_EXPORTER_VERSION": "1.2.3", "ROCKETMQ_EXPORTER_HELP": "x", "ROCKETMQ_EXPORTER_PORT": "tcp://10.0.0.1:9104",
				"ROCKETMQ_EXPORTER_SEED": "x", "ROCKETMQ_EXPORTER_HELP_LONG": "1",
			},
			nil,
			func(o *options) bool { return len(o.mistakes) == 0 && o.demo == nil },
		},
		{"serve by its name", nil, []string{"serve", "--namesrv=a:1"}, func(o *options) bool {
			return o.demo == nil && slices.Equal(o.config.NameServers, []string{"a:1"}) && o.nameServersFlag
		}},
		{"demo", nil, []string{"demo"}, func(o *options) bool {
			return o.demo != nil && o.demo.seed == 1 && o.demo.nameServer == "" && !o.intervalSet && !o.nameServersFlag
		}},
		{
			"demo with flags and environment",
			map[string]string{"ROCKETMQ_EXPORTER_SEED": "7", "ROCKETMQ_EXPORTER_NAMESRV": "a:1", "ROCKETMQ_EXPORTER_COLLECT_INTERVAL": "2s"},
			[]string{"demo", "--demo.namesrv-address=127.0.0.1:9876"},
			func(o *options) bool {
				return o.demo.seed == 7 && o.demo.nameServer == "127.0.0.1:9876" && o.intervalSet && o.config.Interval == 2*time.Second &&
					!o.nameServersFlag // what the environment says is for serve
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
			if !c.want(&o) {
				t.Errorf("got %+v, web %v, mistakes %v", o, *o.web.WebListenAddresses, o.mistakes)
			}
		})
	}
}
