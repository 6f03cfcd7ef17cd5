package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/app"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

// Flags of exporter-toolkit that messages name.
const (
	flagListen    = "web.listen-address"
	flagWebConfig = "web.config.file"
	flagSystemd   = "web.systemd-socket"
)

// options are what the command line and the environment say.
type options struct {
	config config.Config
	log    promslog.Config
	web    *toolkit.FlagConfig
	demo   *demoOptions // nil: serve

	nameServersFlag bool // --namesrv was on the command line
	consoleFlag     bool // --console was
	intervalSet     bool // by a flag or by the environment

	legacy   map[string]string // variables of the original exporter that count, by flag
	mistakes []error           // values that could not be read
}

const about = "Exports the message backlog of Apache RocketMQ to Prometheus, down to the consumer process. One cluster is one flag:\n\n" +
	"  " + program + " --namesrv=10.0.0.1:9876\n\n" +
	"Each flag is also an environment variable: --collect.interval is ROCKETMQ_EXPORTER_COLLECT_INTERVAL. A flag beats the environment; an empty variable is none. " +
	"The five variables of the original exporter do what they did."

// parse reads the command line. done is true when it asked only for help or
// the version.
func parse(args []string, stdout, stderr io.Writer) (o options, done bool, err error) {
	k := kingpin.New(program, about)
	k.DefaultEnvars()
	k.UsageWriter(stdout)
	k.ErrorWriter(stderr)
	status := 0
	k.Terminate(func(code int) { done, status = true, max(status, code) })
	k.UsageTemplate(usageTemplate)
	k.UsageFuncs(template.FuncMap{"GeneralFlags": generalFlags, "ConsoleFlags": consoleFlags, "FlagsToTwoColumns": flagColumns})
	k.Version(version.Print(program))
	k.HelpFlag.Short('h').Help("Show this help; " + program + " demo --help shows that of the demo.")
	k.VersionFlag.Help("Show the version.")
	for _, f := range k.Model().Flags {
		k.GetFlag(f.Name).NoEnvar() // what only the command line can ask for
	}
	addFlags(k, &o)
	k.Command(serveCommand, "Export the metrics of a cluster. This is what happens without a command.").Default()
	demoFlags, demoClause := addDemo(k)
	nameMistakes(k.Model().Flags, k.GetFlag, &o.mistakes)
	nameMistakes(demoClause.Model().Flags, demoClause.GetFlag, &o.mistakes)
	args = withCommand(args)
	o.legacy = addLegacy(k, args)
	command, err := k.Parse(args)
	// In the order of the flags' names: kingpin takes the environment in any.
	slices.SortStableFunc(o.mistakes, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	switch {
	case done && status > 0:
		return o, true, errors.New("there is no such help (--help lists commands and flags)")
	case done:
		return o, true, nil
	case err != nil:
		return o, false, fmt.Errorf("%w (--help lists commands and flags)", err)
	}
	o.intervalSet = o.intervalSet || k.GetFlag(config.FlagInterval).HasEnvarValue()
	if command == demoCommand {
		o.demo = demoFlags
		o.config.Console = config.Console{} // what the environment says is for serve
		return o, false, nil
	}
	o.readPasswords()
	return o, false, nil
}

const serveCommand = "serve"

// withCommand names the command where the user did not: in front of a command
// that it has to guess, kingpin forgets that the last flag lacks its value.
func withCommand(args []string) []string {
	if slices.ContainsFunc(args, func(arg string) bool { return arg == serveCommand || arg == demoCommand || arg == "help" }) {
		return args
	}
	return slices.Concat([]string{serveCommand}, args)
}

func addFlags(k *kingpin.Application, o *options) {
	c := &o.config
	k.Flag(config.FlagNameServers, "Address of a name server. Several are joined by commas, or given one by one; all of them are asked.").
		PlaceHolder("HOST:PORT").IsSetByUser(&o.nameServersFlag).StringsVar(&c.NameServers)

	addConsoleFlags(k, o)

	k.Flag(config.FlagInterval, "Time from the beginning of one round to that of the next.").
		Default("15s").IsSetByUser(&o.intervalSet).DurationVar(&c.Interval)
	k.Flag(config.FlagTimeout, "Time limit of a round. What was read by then is shown.").Default("10s").DurationVar(&c.Timeout)
	k.Flag(config.FlagWindow, "Requests that may be under way at one node. A broker has 16 threads for all who ask.").Default("8").IntVar(&c.Window)
	k.Flag(config.FlagParallel, "Nodes that are asked at the same time.").Default("8").IntVar(&c.Parallel)
	k.Flag(config.FlagKeepRounds, "For how many rounds the last good numbers stand in for what cannot be read.").Default("3").IntVar(&c.KeepRounds)
	k.Flag(config.FlagForgetAfter, "How long a broker that no name server lists and that does not answer is shown as down.").
		Default("1h").DurationVar(&c.ForgetAfter)
	k.Flag(config.FlagOwnerRefresh, "How long a consumer process is believed about the queues that it holds, while its group does not change.").
		Default("5m").DurationVar(&c.OwnerRefresh)

	k.Flag(config.FlagIgnored, "Topics to leave out, by exact name. Several are joined by commas.").PlaceHolder("TOPIC").StringsVar(&c.IgnoredTopics)
	k.Flag(config.FlagSystem, "Include the topics and consumer groups that RocketMQ makes for itself.").BoolVar(&c.System)

	k.Flag(config.FlagPrefix, "First word of the names of all metrics.").Default("rocketmq").StringVar(&c.Prefix)
	o.web = kingpinflag.AddFlags(k, ":9104")
	k.GetFlag(flagListen).Help("Address to serve on: :9104, 127.0.0.1:9104, [::1]:9104, vsock://:9104. Repeat it for more.")
	k.GetFlag(flagWebConfig).PlaceHolder("FILE").
		Help("File with TLS and users for what is served: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md")
	if f := k.GetFlag(flagSystemd); f != nil { // on Linux only
		f.Help("Serve on the sockets that systemd hands over, instead of an address.")
	}
	k.Flag(config.FlagMetricsPath, "Path of the metrics.").Default("/metrics").StringVar(&c.MetricsPath)
	k.Flag(config.FlagConsoleLink, "Address of a console that the page links to. It is not read.").PlaceHolder("URL").StringVar(&c.ConsoleLink)
	k.Flag(config.FlagMaxScrapes, "Scrapes that may be under way at the same time. More are refused.").Default("4").IntVar(&c.MaxScrapes)

	promslogflag.AddFlags(k, &o.log)
	k.GetFlag(promslogflag.LevelFlagName).Help("Least level that is logged: debug, info, warn or error.")
	k.GetFlag(promslogflag.FormatFlagName).Help("Format of the log: logfmt or json.")
}

// usageTemplate is kingpin's own, cut to what there is: a few flags and two
// commands.
const usageTemplate = `
{{- if and .Context.SelectedCommand (eq .Context.SelectedCommand.Name "demo") -}}
usage: {{.App.Name}} demo [flags]

{{with .Context.SelectedCommand}}{{.Help | Wrap 0}}
{{.HelpLong | Wrap 0}}
Flags of demo:
{{.Flags | FlagsToTwoColumns | FormatTwoColumns}}
{{end -}}
{{else -}}
usage: {{.App.Name}} [flags]
       {{.App.Name}} demo [flags]

{{.App.Help | Wrap 0}}
Commands:
{{range .App.Commands}}{{if ne .Name "help"}}  {{printf "%-6s" .Name}} {{.Help}}
{{end}}{{end}}
{{end -}}
Flags:
{{.App.Flags | GeneralFlags | FlagsToTwoColumns | FormatTwoColumns}}
{{- if not (and .Context.SelectedCommand (eq .Context.SelectedCommand.Name "demo"))}}
Flags that go with --console:
{{.App.Flags | ConsoleFlags | FlagsToTwoColumns | FormatTwoColumns}}
{{- end -}}
`

// consoleFlags are the flags about how a console is reached. Most people need
// none of them: help shows them apart, and last.
func consoleFlags(flags []*kingpin.FlagModel) []*kingpin.FlagModel {
	return slices.DeleteFunc(slices.Clone(flags), func(f *kingpin.FlagModel) bool { return !isConsoleFlag(f) })
}

func generalFlags(flags []*kingpin.FlagModel) []*kingpin.FlagModel {
	return slices.DeleteFunc(slices.Clone(flags), isConsoleFlag)
}

func isConsoleFlag(f *kingpin.FlagModel) bool {
	return strings.HasPrefix(f.Name, config.FlagConsole+".")
}

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

// nameMistakes makes kingpin go on after a value that cannot be read, so that
// all mistakes are reported in one run, each with its flag.
func nameMistakes(flags []*kingpin.FlagModel, clause func(name string) *kingpin.FlagClause, mistakes *[]error) {
	for _, f := range flags {
		clause(f.Name).SetValue(&namedValue{Value: f.Value, flag: f, mistakes: mistakes})
	}
}

// namedValue is a flag's value that notes what it cannot read instead of
// failing, and stays at its default then.
type namedValue struct {
	kingpin.Value

	flag     *kingpin.FlagModel
	mistakes *[]error
}

func (v *namedValue) Set(text string) error {
	err := v.Value.Set(text)
	if err == nil {
		return nil
	}
	if number, ok := errors.AsType[*strconv.NumError](err); ok {
		err = number.Err
	}
	*v.mistakes = append(*v.mistakes, fmt.Errorf("--%s: %q cannot be used: %s", v.flag.Name, text, strings.TrimPrefix(err.Error(), "time: ")))
	for _, d := range v.flag.Default {
		if err := v.Value.Set(d); err != nil {
			return err
		}
	}
	return nil
}

// IsBoolFlag tells kingpin that the flag needs no value.
func (v *namedValue) IsBoolFlag() bool { return v.flag.IsBoolFlag() }

// IsCumulative tells kingpin that the flag may be repeated.
func (v *namedValue) IsCumulative() bool {
	list, ok := v.Value.(interface{ IsCumulative() bool })
	return ok && list.IsCumulative()
}

// check checks all settings and reports every mistake.
func (o *options) check() (config.Valid, error) {
	mistakes := slices.Clone(o.mistakes)
	valid, err := o.config.Check()
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		mistakes = append(mistakes, several.Unwrap()...)
	}
	if slices.Contains(*o.web.WebListenAddresses, "") { // which would be a port of the kernel's choice
		mistakes = append(mistakes, fmt.Errorf("--%s: the address is empty: wanted is host:port or :port, as in :9104", flagListen))
	}
	mistakes = append(mistakes, app.CheckFiles(o.config.Console)...)
	if err := toolkit.Validate(*o.web.WebConfigFile); err != nil {
		mistakes = append(mistakes, fmt.Errorf("--%s=%s: %w", flagWebConfig, *o.web.WebConfigFile, err))
	}
	for i, err := range mistakes {
		mistakes[i] = o.withVariable(err)
	}
	switch len(mistakes) {
	case 0:
		return valid, nil
	case 1:
		return config.Valid{}, mistakes[0]
	}
	return config.Valid{}, fmt.Errorf("%d mistakes in the settings:\n%w", len(mistakes), indented(mistakes))
}

// indented are several errors, a line each.
type indented []error

func (e indented) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = "  " + err.Error()
	}
	return strings.Join(lines, "\n")
}
