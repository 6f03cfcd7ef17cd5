package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

const about = "Exports the message backlog of Apache RocketMQ to Prometheus, down to the consumer process. One cluster is one flag:\n\n" +
	"  " + program + " --namesrv=10.0.0.1:9876\n\n" +
	"Several clusters stand in a file: docs/configuration.md describes it. " +
	"Each flag is also an environment variable: --collect.interval is ROCKETMQ_EXPORTER_COLLECT_INTERVAL. " +
	"A flag beats the environment, which beats the file; an empty variable is none. " +
	"The five variables of the original exporter do what they did."

const (
	serveCommand = "serve"
	demoCommand  = "demo"
)

// commandLine is what flags say.
type commandLine struct {
	said config.Said
	// What other commands than serve take besides; nil for all but one.
	demo *demoOptions
	lag  *lagOptions
}

// parse reads the command line. done is true when it asked only for help or
// the version.
func parse(args []string, stdout, stderr io.Writer) (c commandLine, done bool, err error) {
	k := kingpin.New(program, about)
	k.UsageWriter(stdout)
	k.ErrorWriter(stderr)
	status := 0
	k.Terminate(func(code int) { done, status = true, max(status, code) })
	k.UsageTemplate(usageTemplate)
	k.UsageFuncs(template.FuncMap{"GeneralFlags": generalFlags, "AccessFlags": accessFlags, "ConsoleFlags": consoleFlags, "FlagsToTwoColumns": flagColumns})
	k.Version(version.Print(program))
	k.HelpFlag.Short('h').Help("Show this help; " + program + " demo --help and lag --help show those of the commands.")
	k.VersionFlag.Help("Show the version.")
	c.said = make(config.Said)
	for _, s := range config.Settings() {
		if s.Flag != "" {
			k.Flag(s.Flag, s.Help).PlaceHolder(s.Value + s.Default).SetValue(&flagValue{setting: s, said: c.said})
		}
	}
	k.Command(serveCommand, "Export the metrics of clusters. This is what happens without a command.").Default()
	demo, lag := addDemo(k), addLag(k)
	command, err := k.Parse(withCommand(args))
	switch {
	case done && status > 0:
		return c, true, errors.New("there is no such help (--help lists commands and flags)")
	case done:
		return c, true, nil
	case err != nil:
		return c, false, fmt.Errorf("%w (--help lists commands and flags)", err)
	}
	switch command {
	case demoCommand:
		c.demo = demo
	case lagCommand:
		c.lag = lag
	}
	return c, false, nil
}

// withCommand names the command where the user did not: in front of a command
// that it has to guess, kingpin forgets that the last flag lacks its value.
func withCommand(args []string) []string {
	if slices.ContainsFunc(args, func(arg string) bool {
		return slices.Contains([]string{serveCommand, demoCommand, lagCommand, "help"}, arg)
	}) {
		return args
	}
	return slices.Concat([]string{serveCommand}, args)
}

// flagValue notes what a flag says. Whether that is right is found with what
// the environment and the file say, so that all mistakes are reported in one
// run.
type flagValue struct {
	setting *config.Setting
	said    config.Said
}

// Set implements kingpin.Value.
func (v *flagValue) Set(text string) error {
	v.said[v.setting.Key] = append(v.said[v.setting.Key], text)
	return nil
}

// String implements kingpin.Value.
func (v *flagValue) String() string { return strings.Join(v.said[v.setting.Key], ",") }

// IsBoolFlag tells kingpin that the flag needs no value.
func (v *flagValue) IsBoolFlag() bool { return v.setting.IsSwitch() }

// IsCumulative tells kingpin that the flag may be repeated.
func (v *flagValue) IsCumulative() bool { return v.setting.IsList() }

// usageTemplate is kingpin's own, cut to what there is: a few flags and three
// commands.
const usageTemplate = `
{{- $own := and .Context.SelectedCommand (ne .Context.SelectedCommand.Name "serve") -}}
{{- if $own -}}
{{with .Context.SelectedCommand -}}
usage: {{$.App.Name}} {{.Name}} [flags]

{{.Help | Wrap 0}}
{{.HelpLong | Wrap 0}}
Flags of {{.Name}}:
{{.Flags | FlagsToTwoColumns | FormatTwoColumns}}
{{end -}}
{{else -}}
usage: {{.App.Name}} [flags]
       {{.App.Name}} lag [flags]
       {{.App.Name}} demo [flags]

{{.App.Help | Wrap 0}}
Commands:
{{range .App.Commands}}{{if ne .Name "help"}}  {{printf "%-6s" .Name}} {{.Help}}
{{end}}{{end}}
{{end -}}
Flags:
{{.App.Flags | GeneralFlags | FlagsToTwoColumns | FormatTwoColumns}}
{{- if not (and $own (eq .Context.SelectedCommand.Name "demo"))}}
Flags that go with --namesrv, for clusters with access control (ACL) or TLS:
{{.App.Flags | AccessFlags | FlagsToTwoColumns | FormatTwoColumns}}
Flags that go with --console:
{{.App.Flags | ConsoleFlags | FlagsToTwoColumns | FormatTwoColumns}}
{{- end -}}
`

// consoleFlags are the flags about how a console is reached. Most people need
// none of them: help shows them apart, and last. So are accessFlags, of name
// servers and brokers.
func consoleFlags(flags []*kingpin.FlagModel) []*kingpin.FlagModel { return only(flags, isConsoleFlag) }

func accessFlags(flags []*kingpin.FlagModel) []*kingpin.FlagModel { return only(flags, isAccessFlag) }

func generalFlags(flags []*kingpin.FlagModel) []*kingpin.FlagModel {
	return only(flags, func(f *kingpin.FlagModel) bool { return !isConsoleFlag(f) && !isAccessFlag(f) })
}

func only(flags []*kingpin.FlagModel, is func(*kingpin.FlagModel) bool) []*kingpin.FlagModel {
	return slices.DeleteFunc(slices.Clone(flags), func(f *kingpin.FlagModel) bool { return !is(f) })
}

func isConsoleFlag(f *kingpin.FlagModel) bool { return strings.HasPrefix(f.Name, "console.") }

func isAccessFlag(f *kingpin.FlagModel) bool { return strings.HasPrefix(f.Name, "namesrv.") }

// flagColumns is what help says of each flag. The environment variables are
// left out: their names follow from a rule that the help begins with.
func flagColumns(flags []*kingpin.FlagModel) [][2]string {
	var rows [][2]string
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		name := "--" + f.Name
		if f.Short != 0 {
			name = fmt.Sprintf("-%c, %s", f.Short, name)
		}
		if !f.IsBoolFlag() {
			value := f.PlaceHolder
			if value == "" {
				value = strings.Join(f.Default, ",")
			}
			name += "=" + value
		}
		rows = append(rows, [2]string{name, f.Help})
	}
	return rows
}
