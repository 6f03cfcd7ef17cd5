package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

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

// parse reads the command line. done is true when it asked for something that
// has been printed already, as help or the version, and for nothing else.
func parse(args []string, stdout, stderr io.Writer) (c commandLine, done bool, err error) {
	c.said = make(config.Said)
	done = true
	var version bool
	// chosen is what a command does: what it takes besides is taken over.
	chosen := func(take func()) func(*cobra.Command, []string) {
		return func(*cobra.Command, []string) {
			if version {
				printVersion(stdout)
				return
			}
			done = false
			take()
		}
	}

	root := newRoot(stdout, stderr)
	root.Run = chosen(func() {})
	root.PersistentFlags().BoolVar(&version, "version", false, "Show the version.")
	addSettings(root, c.said)
	serve := newCommand(serveCommand, "Export the metrics of clusters. This is what happens without a command.")
	serve.Run = chosen(func() {})
	demo, demoOptions := newDemo()
	demo.Run = chosen(func() { c.demo = demoOptions })
	lag, lagOptions := newLag()
	lag.Run = chosen(func() { c.lag = lagOptions })
	root.AddCommand(serve, demo, lag)

	// Cobra would take its own process's arguments for none.
	root.SetArgs(slices.Concat([]string{}, args))
	if err := root.Execute(); err != nil {
		return c, false, fmt.Errorf("%w (--help lists commands and flags)", err)
	}
	return c, done, nil
}

// newRoot is the program, as a command that has others.
func newRoot(stdout, stderr io.Writer) *cobra.Command {
	c := newCommand(program, about)
	c.SetOut(stdout)
	c.SetErr(stderr)
	c.SetFlagErrorFunc(flagError)
	c.SetHelpFunc(func(of *cobra.Command, _ []string) { writeHelp(stdout, of) })
	c.SetHelpCommand(helpCommand())
	c.SuggestionsMinimumDistance = 2 // letters
	flags := c.PersistentFlags()
	flags.SortFlags = false
	flags.BoolP("help", "h", false, "Show this help; "+program+" demo --help and lag --help show those of the commands.")
	return c
}

// addSettings adds the flags of all settings, which note what is said.
func addSettings(root *cobra.Command, said config.Said) {
	for _, s := range config.Settings() {
		if s.Flag != "" {
			addFlag(root.PersistentFlags(), flagValue{
				name: s.Flag, help: s.Help, value: s.Value + s.Default, isSwitch: s.IsSwitch(), isList: s.IsList(),
				note: func(text string) { said[s.Key] = append(said[s.Key], text) },
			})
		}
	}
}

// newCommand is a command that takes flags and nothing else.
func newCommand(name, about string) *cobra.Command {
	c := &cobra.Command{
		Use: name, Short: about, Args: noArguments, ValidArgsFunction: cobra.NoFileCompletions,
		SilenceErrors: true, SilenceUsage: true, // main prints them
	}
	c.Flags().SortFlags = false
	return c
}

// noArguments refuses what is neither flag nor command.
func noArguments(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case c.HasParent():
		return fmt.Errorf("%s takes flags only, and got %q", c.Name(), args[0])
	}
	near := c.SuggestionsFor(args[0])
	if args[0] == "" || len(near) == 0 || near[0] == args[0] { // behind --, a command is none
		return fmt.Errorf("there is no command %q", args[0])
	}
	return fmt.Errorf("there is no command %q: did you mean %s?", args[0], near[0])
}

// helpCommand is the command help, which shows what the flag does.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help", Short: "Show help of a command.", Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			of, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return errors.New("there is no such help")
			}
			return of.Help()
		},
	}
}
