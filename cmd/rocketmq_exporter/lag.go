package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/app"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/config"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/listing"
)

const lagCommand = "lag"

// Flags of the command lag.
const (
	flagLagBy     = "by"
	flagLagOutput = "output"
)

// Formats of the command lag.
const (
	outputTable = "table"
	outputJSON  = "json"
)

// lagOptions are what the command lag takes besides the flags of all.
type lagOptions struct {
	filter     listing.Filter
	by, output string
	watch      bool
}

func newLag() (*cobra.Command, *lagOptions) {
	o := &lagOptions{by: string(listing.ByTopic), output: outputTable}
	c := newCommand(lagCommand, "Print the backlog of clusters as a table, and end.")
	c.Long = "It reads the same clusters with the same settings, and serves nothing. " +
		"? stands for what nobody knows, - for no process, <= for an upper bound. The exit code is 1 when something could not be read. " +
		"Where ages are not known at once it reads up to three times, within 30 seconds. " +
		"Unless settings say otherwise it reads every second, with --watch every 5 seconds, and logs warnings only."
	for _, f := range []flagValue{
		{
			name: "group", value: "NAME", isList: true, note: func(s string) { o.filter.Groups = append(o.filter.Groups, s) },
			help: "Only these consumer groups: names, or patterns with * and ?. Repeat it for more.",
		},
		{
			name: "topic", value: "NAME", isList: true, note: func(s string) { o.filter.Topics = append(o.filter.Topics, s) },
			help: "Only these topics, in the same way.",
		},
		{
			name: flagLagBy, value: o.by, note: func(s string) { o.by = s },
			help: "What a line is: topic (as one group consumes it), queue, or client (what one process of a group holds).",
		},
		{
			name: flagLagOutput, value: o.output, note: func(s string) { o.output = s },
			help: "table, or json: an array of objects in one line.",
		},
		{
			name: "watch", isSwitch: true, note: func(s string) { o.watch = s == "true" },
			help: "Go on, and print the list after each round.",
		},
	} {
		addFlag(c.Flags(), f)
	}
	return c, o
}

// Pace of the command lag.
const (
	// watchInterval is short: somebody is looking.
	watchInterval = 5 * time.Second
	// Once is meant to be quick: only where ages are not known after the first
	// round more follow, and nobody waits for long for them.
	onceInterval = time.Second
	onceRounds   = 3
	onceWait     = 30 * time.Second
)

// roundsOnce is how many rounds there are at most where the list is printed once.
func roundsOnce(v config.Valid) int {
	rounds := onceRounds
	for _, k := range v.Clusters {
		rounds = min(rounds, 1+int(onceWait/k.Interval))
	}
	return rounds
}

// printLag prints backlogs until it is done, or ctx ends.
func printLag(ctx context.Context, c commandLine, stdout, stderr io.Writer) error {
	valid, err := c.loadLag()
	if err != nil {
		return err
	}
	if c.checkOnly() {
		fmt.Fprintln(stdout, settingsAreRight)
		return nil
	}
	a, err := app.New(valid, newLogger(valid, stderr).Logger)
	if err != nil {
		return err
	}
	p := &printer{lagOptions: c.lag, rounds: roundsOnce(valid), out: stdout, clears: isTerminal(stdout)}
	a.Watch(ctx, p.show)
	if p.err != nil || c.lag.watch {
		return p.err
	}
	return p.complaint(ctx)
}

// loadLag reads the settings of the command lag, and reports its own mistakes
// with all others.
func (c commandLine) loadLag() (config.Valid, error) {
	interval := onceInterval
	if c.lag.watch {
		interval = watchInterval
	}
	valid, err := c.loadWith(map[string]string{
		config.KeyLogLevel: "warn", // what fails, and no more
		config.KeyInterval: interval.String(),
	})
	mistakes := c.lag.mistakes()
	if len(mistakes) == 0 {
		return valid, err
	}
	if others, ok := errors.AsType[config.SettingErrors](err); ok {
		return valid, append(mistakes, others...)
	}
	return valid, errors.Join(mistakes, err)
}

func (o *lagOptions) mistakes() (list config.SettingErrors) {
	if _, err := listing.ParseBy(o.by); err != nil {
		list = append(list, fmt.Errorf("--%s: %w", flagLagBy, err))
	}
	if !slices.Contains([]string{outputTable, outputJSON}, o.output) {
		list = append(list, fmt.Errorf("--%s: %q is none of %s, %s", flagLagOutput, o.output, outputTable, outputJSON))
	}
	if err := o.filter.Check(); err != nil {
		list = append(list, fmt.Errorf("--group, --topic: %w", err))
	}
	return list
}

// printer prints what is seen of the clusters.
type printer struct {
	*lagOptions

	rounds int // at most, where the list is printed once
	out    io.Writer
	clears bool // out is a screen that each list has for itself
	last   app.Sight
	lists  int   // printed so far
	err    error // of out
}

// show prints one list; it is done when it returns false.
func (p *printer) show(s app.Sight) bool {
	p.last = s
	if s.Rounds == 0 {
		return true // some cluster has not been read yet
	}
	if !p.watch && s.Rounds < p.rounds && len(s.Unreached) == 0 && !listing.AllAged(s.Reports, p.filter) {
		return true
	}
	rows := listing.Rows(s.Reports, p.filter, listing.By(p.by))
	if len(rows) > 0 || len(s.Unreached) == 0 || p.watch {
		p.err = p.print(rows)
	}
	p.lists++
	return p.watch && p.err == nil
}

func (p *printer) print(rows []listing.Row) error {
	var text strings.Builder
	var err error
	switch {
	case p.output == outputJSON:
		err = listing.WriteJSON(&text, rows)
	default:
		if p.watch && p.clears {
			text.WriteString("\x1b[H\x1b[2J") // to the corner, and nothing left
		} else if p.lists > 0 {
			text.WriteByte('\n')
		}
		if p.watch {
			fmt.Fprintf(&text, "%s\n\n", p.when().Format(time.TimeOnly))
		}
		err = listing.WriteTable(&text, rows, listing.By(p.by))
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(p.out, text.String())
	return err
}

// when is the end of the newest round.
func (p *printer) when() (newest time.Time) {
	for _, r := range p.last.Reports {
		if r.Snapshot.Ended.After(newest) {
			newest = r.Snapshot.Ended
		}
	}
	return newest
}

// complaint says what is missing in the list that was printed. What failed
// stands in the log.
func (p *printer) complaint(ctx context.Context) error {
	switch s := &p.last; {
	case p.lists == 0:
		return fmt.Errorf("ended before every cluster was read: %w", context.Cause(ctx))
	case len(s.Unreached) > 0:
		return fmt.Errorf("not reached: %s", strings.Join(s.Unreached, ", "))
	case !s.Whole:
		return errors.New("the list is not whole: some of it could not be read")
	}
	return nil
}

// isTerminal says whether a person reads along.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
