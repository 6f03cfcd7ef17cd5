package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

func TestWaysToSayAFlag(t *testing.T) {
	for _, c := range []struct {
		args []string
		key  string
		want []string
	}{
		{[]string{"--namesrv=a:1"}, config.KeyNameServers, []string{"a:1"}},
		{[]string{"--namesrv", "a:1"}, config.KeyNameServers, []string{"a:1"}},
		{[]string{"--namesrv=a:1", "--namesrv", "b:1"}, config.KeyNameServers, []string{"a:1", "b:1"}},
		{[]string{"--namesrv=a:1", "serve", "--namesrv=b:1,c:1"}, config.KeyNameServers, []string{"a:1", "b:1,c:1"}},
		{[]string{"--namesrv", "lag", "lag"}, config.KeyNameServers, []string{"lag"}}, // a value, and then the command
		{[]string{"--namesrv="}, config.KeyNameServers, []string{""}},
		{[]string{"--check-config"}, config.KeyCheck, []string{"true"}},
		{[]string{"--check-config=true"}, config.KeyCheck, []string{"true"}},
		{[]string{"--check-config=1"}, config.KeyCheck, []string{"true"}},
		{[]string{"--check-config=false"}, config.KeyCheck, []string{"false"}},
		{[]string{"--no-check-config"}, config.KeyCheck, []string{"false"}},
		{[]string{"--no-check-config=false"}, config.KeyCheck, []string{"true"}},
		{[]string{"demo", "--no-check-config"}, config.KeyCheck, []string{"false"}},
		{nil, config.KeyCheck, nil},
	} {
		o, done, err := parse(c.args, io.Discard, io.Discard)
		if err != nil || done {
			t.Errorf("%v: done %v, err %v", c.args, done, err)
		}
		if got := o.said[c.key]; !slices.Equal(got, c.want) {
			t.Errorf("%v say %q, want %q", c.args, got, c.want)
		}
	}
}

func TestFlagsOfLag(t *testing.T) {
	o, _, err := parse([]string{"--by=client", "lag", "--group=a", "--group=b*,c", "--topic", "d", "--output=json", "--watch"}, io.Discard, io.Discard)
	if err != nil || o.lag == nil || o.demo != nil {
		t.Fatalf("%+v, err %v", o, err)
	}
	if l := o.lag; l.by != "client" || l.output != outputJSON || !l.watch || !slices.Equal(l.filter.Groups, []string{"a", "b*,c"}) || !slices.Equal(l.filter.Topics, []string{"d"}) {
		t.Errorf("%+v", l)
	}
	o, _, err = parse([]string{"lag", "--no-watch"}, io.Discard, io.Discard)
	if err != nil || o.lag.watch || o.lag.by != "topic" || o.lag.output != outputTable {
		t.Errorf("%+v, err %v", o.lag, err)
	}
}

// What a shell asks for is answered, and nothing is started.
func TestCompletion(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"completion", "bash"}, []string{"__start_rocketmq_exporter"}},
		{[]string{"completion", "zsh"}, []string{"#compdef rocketmq_exporter"}},
		{[]string{"completion", "fish"}, []string{"complete -c rocketmq_exporter"}},
		{[]string{"__complete", "--namesrv=a:1", "la"}, []string{"lag\t"}},
		{[]string{"__complete", "lag", "--ou"}, []string{"--output\ttable, or json"}},
		{[]string{"__complete", "lag", "--collect.int"}, []string{"--collect.interval\t"}},
		{[]string{"completion", "--help"}, []string{"usage: rocketmq_exporter completion", "  bash  ", "  powershell  "}},
	} {
		var stdout bytes.Buffer
		if err := run(t.Context(), c.args, &stdout, io.Discard); err != nil {
			t.Errorf("%v: %v", c.args, err)
		}
		for _, want := range c.want {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%v does not print %q:\n%.400s", c.args, want, &stdout)
			}
		}
	}
}

func TestHelpFitsTheTerminal(t *testing.T) {
	for columns, want := range map[string]int{"60": 60, "100": 100, "3": leastWidth, "wide": usualWidth, "": usualWidth} {
		t.Setenv("COLUMNS", columns)
		var stdout bytes.Buffer
		if err := run(t.Context(), []string{"lag", "--help"}, &stdout, io.Discard); err != nil {
			t.Fatal(err)
		}
		widest := 0
		for line := range strings.Lines(stdout.String()) {
			// Headings are not wrapped, and neither are long words.
			if strings.HasPrefix(line, "      ") && len(strings.Fields(line)) > 1 {
				widest = max(widest, len(line)-1)
			}
		}
		if widest > want || widest < want-10 {
			t.Errorf("COLUMNS=%s: %d columns, want up to %d", columns, widest, want)
		}
	}
}
