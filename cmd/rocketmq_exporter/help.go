package main

import (
	"fmt"
	"go/doc/comment"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// helpWriter writes help in lines that are so many columns wide.
type helpWriter struct {
	io.Writer

	width int
}

// writeHelp writes what the program or one of its commands takes. Unlike cobra's,
// it parts the many flags into groups, and its lines fit the terminal.
func writeHelp(w io.Writer, c *cobra.Command) {
	h := helpWriter{w, helpWidth(w)}
	shared := c.Root().PersistentFlags()
	switch c.Name() {
	case program, serveCommand:
		h.introduction(c.Root())
	case demoCommand, lagCommand:
		h.command(c)
		h.print("\nFlags of %s:\n", c.Name())
		h.flags(c.Flags(), func(name string) bool { return shared.Lookup(name) == nil })
	default: // cobra's
		h.command(c)
		if c.HasAvailableSubCommands() {
			h.commands(c.Commands()...)
		}
		return
	}
	h.print("\nFlags:\n")
	h.flags(shared, func(name string) bool { return !isConsoleFlag(name) && !isAccessFlag(name) })
	if c.Name() == demoCommand {
		return
	}
	// Most people need none of these.
	h.print("\nFlags that go with --namesrv, for clusters with access control (ACL) or TLS:\n")
	h.flags(shared, isAccessFlag)
	h.print("\nFlags that go with --console:\n")
	h.flags(shared, isConsoleFlag)
}

func (h helpWriter) introduction(root *cobra.Command) {
	h.print("usage: %[1]s [flags]\n       %[1]s lag [flags]\n       %[1]s demo [flags]\n\n%[2]s", program, h.wrap(about, h.width))
	var list []*cobra.Command // as they matter, where cobra has them by name
	for _, name := range []string{serveCommand, demoCommand, lagCommand, completionCommand} {
		if c, _, err := root.Find([]string{name}); err == nil {
			list = append(list, c)
		}
	}
	h.commands(list...)
}

func (h helpWriter) command(c *cobra.Command) {
	h.print("usage: %s\n\n%s", c.UseLine(), h.wrap(c.Short, h.width))
	if c.Long != "" {
		h.print("\n%s", h.wrap(c.Long, h.width))
	}
}

func (h helpWriter) commands(list ...*cobra.Command) {
	h.print("\nCommands:\n")
	for _, c := range list {
		h.print("  %-10s  %s\n", c.Name(), c.Short)
	}
}

// completionCommand is cobra's own.
const completionCommand = "completion"

func isConsoleFlag(name string) bool { return strings.HasPrefix(name, "console.") }

func isAccessFlag(name string) bool { return strings.HasPrefix(name, "namesrv.") }

// Widths of help, in columns.
const (
	usualWidth = 80
	leastWidth = 60
	// A name that is longer has a line of its own.
	longestName = 30
)

// helpWidth is how wide the lines may be.
func helpWidth(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil {
		return max(n, leastWidth)
	}
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return max(n, leastWidth)
		}
	}
	return usualWidth
}

// print writes; nobody can be told that help cannot be shown.
func (h helpWriter) print(format string, args ...any) { _, _ = fmt.Fprintf(h, format, args...) }

// wrap breaks the lines of paragraphs, but of those that are indented.
func (helpWriter) wrap(text string, width int) string {
	p := comment.Printer{TextWidth: width, TextCodePrefix: "  "}
	return string(p.Text(new(comment.Parser).Parse(text)))
}

// flags writes two columns: the flags with names of a kind, and what they do.
// The environment variables are left out: their names follow from a rule that
// the help begins with.
func (h helpWriter) flags(of *pflag.FlagSet, is func(name string) bool) {
	var names, helps []string
	column := 0
	of.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || !is(f.Name) {
			return
		}
		name := shownFlag(f)
		if len(name) < longestName {
			column = max(column, len(name))
		}
		names, helps = append(names, name), append(helps, f.Usage)
	})
	const margin = "  "
	behind := "\n" + margin + strings.Repeat(" ", column) + margin
	for i, name := range names {
		h.print("%s%-*s%s", margin, column, name, margin)
		if len(name) >= longestName {
			h.print("%s", behind)
		}
		text := strings.TrimSuffix(h.wrap(helps[i], h.width+1-len(behind)), "\n")
		h.print("%s\n", strings.ReplaceAll(text, "\n", behind))
	}
}

// shownFlag is a flag as it is said.
func shownFlag(f *pflag.Flag) string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if f.NoOptDefVal == "" {
		name += "=" + f.DefValue
	}
	return name
}

// printVersion prints what version.Print of prometheus/common does, which goes
// through text/template, too.
func printVersion(w io.Writer) {
	fmt.Fprintf(w, "%s, version %s (branch: %s, revision: %s)\n", program, version.Version, version.Branch, version.GetRevision())
	for _, line := range [][2]string{
		{"build user:", version.BuildUser},
		{"build date:", version.BuildDate},
		{"go version:", version.GoVersion},
		{"platform:", version.GoOS + "/" + version.GoArch},
		{"tags:", version.GetTags()},
	} {
		fmt.Fprintf(w, "  %-17s %s\n", line[0], line[1])
	}
}
