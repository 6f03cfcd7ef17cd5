package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
)

func addConsoleFlags(k *kingpin.Application, o *options) {
	c := &o.config.Console
	k.Flag(config.FlagConsole, "Address of a rocketmq-console or rocketmq-dashboard to read instead of name servers and brokers, where those cannot be reached.").
		PlaceHolder("URL").IsSetByUser(&o.consoleFlag).StringVar(&c.URL)
	k.Flag(config.FlagConsoleUsername, "User for a console that wants a login. The password comes from a file, or from "+config.EnvConsolePassword+".").
		PlaceHolder("NAME").StringVar(&c.Username)
	k.Flag(config.FlagConsolePassword, "File with the password of that user.").PlaceHolder("FILE").StringVar(&c.PasswordFile)
	k.Flag(config.FlagConsoleProxyUsername, "User for a proxy in front that wants basic authentication. The password comes from a file, or from "+config.EnvConsoleProxyPassword+".").
		PlaceHolder("NAME").StringVar(&c.ProxyUsername)
	k.Flag(config.FlagConsoleProxyPassword, "File with the password of that user.").PlaceHolder("FILE").StringVar(&c.ProxyPasswordFile)
	k.Flag(config.FlagConsoleCA, "PEM file with the authorities to trust for https, instead of the system's.").PlaceHolder("FILE").StringVar(&c.CAFile)
	k.Flag(config.FlagConsoleCert, "PEM file with a certificate to show.").PlaceHolder("FILE").StringVar(&c.CertFile)
	k.Flag(config.FlagConsoleKey, "PEM file with the key of that certificate.").PlaceHolder("FILE").StringVar(&c.KeyFile)
	k.Flag(config.FlagConsoleServerName, "Name in the console's certificate, if not that of the address.").PlaceHolder("NAME").StringVar(&c.ServerName)
	k.Flag(config.FlagConsoleInsecure, "Trust any certificate.").BoolVar(&c.Insecure)
	k.Flag(config.FlagConsoleParallel, "Calls under way at the same time.").Default("4").IntVar(&c.Parallel)
	k.Flag(config.FlagConsoleTimeout, "Time limit of a call.").Default("5s").DurationVar(&c.Timeout)
}

// readPasswords takes the passwords out of the files that were named, or out of
// the environment.
func (o *options) readPasswords() {
	c := &o.config.Console
	if c.URL == "" {
		return
	}
	c.Password = o.password(config.EnvConsolePassword, config.FlagConsolePassword, c.PasswordFile)
	c.ProxyPassword = o.password(config.EnvConsoleProxyPassword, config.FlagConsoleProxyPassword, c.ProxyPasswordFile)
}

func (o *options) password(env, flag, file string) string {
	if file == "" {
		return withoutNewline(os.Getenv(env))
	}
	text, err := os.ReadFile(file) //nolint:gosec // the user's own file
	if err != nil {
		o.mistakes = append(o.mistakes, fmt.Errorf("--%s: %w", flag, err))
		return ""
	}
	password := withoutNewline(string(text))
	if password == "" {
		o.mistakes = append(o.mistakes, fmt.Errorf("--%s: %s is empty", flag, file))
	}
	return password
}

// withoutNewline drops what editors and echo put behind a password.
func withoutNewline(password string) string { return strings.TrimRight(password, "\r\n") }

// legacyVariables are the five settings of the original exporter, with the flags
// that say the same. People swap the binary and keep their environment.
func legacyVariables() map[string]string {
	return map[string]string{
		"rocketmqConsoleIPAndPort": config.FlagConsole,
		"ignoredTopics":            config.FlagIgnored,
		"metricsPath":              config.FlagMetricsPath,
		"listenAddress":            flagListen,
		"metricsPrefix":            config.FlagPrefix,
	}
}

// addLegacy lets the variables of the original exporter be what their flags are,
// where neither the command line nor the flag's own variable says anything; an
// empty one is none. It returns those that count, by flag. The demo takes none:
// they are about somebody's real cluster.
func addLegacy(k *kingpin.Application, args []string) map[string]string {
	parsed, err := k.ParseContext(args)
	if err != nil || parsed.SelectedCommand == nil || parsed.SelectedCommand.FullCommand() != serveCommand {
		return nil // Parse will say what is wrong
	}
	given := make(map[*kingpin.FlagClause]bool)
	for _, e := range parsed.Elements {
		if f, ok := e.Clause.(*kingpin.FlagClause); ok {
			given[f] = true
		}
	}
	isGiven := func(flag string) bool {
		f := k.GetFlag(flag)
		return given[f] || f.HasEnvarValue()
	}
	counts := make(map[string]string)
	for variable, flag := range legacyVariables() {
		value := strings.TrimSpace(os.Getenv(variable))
		if value == "" || isGiven(flag) || flag == config.FlagConsole && isGiven(config.FlagNameServers) {
			continue
		}
		k.GetFlag(flag).Default(value)
		counts[flag] = variable
	}
	return counts
}

// withVariable adds to a mistake of a flag the variable of the original exporter
// that its value came from: who set that may not know the flag.
func (o *options) withVariable(mistake error) error {
	for flag, variable := range o.legacy {
		rest, ok := strings.CutPrefix(mistake.Error(), "--"+flag)
		if ok && strings.ContainsAny(rest[:min(1, len(rest))], ":= ") {
			return fmt.Errorf("%w (it comes from the variable %s)", mistake, variable)
		}
	}
	return mistake
}
