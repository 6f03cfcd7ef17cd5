package exposition

import (
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
)

// layout is everything of the families that does not depend on a report,
// ready to be copied: made once, then only read.
type layout struct {
	families []described // by family.ID
}

// described is one family.
type described struct {
	header [OpenMetrics + 1]string // HELP, TYPE and UNIT lines by format
	// keys[i] stands in front of the value of label i: the end of what is
	// before it, and its name.
	keys []string
}

// closing stands behind the value of a series' last label.
const closing = `"} `

func newLayout(prefix string) *layout {
	ids := family.All()
	l := &layout{families: make([]described, len(ids))}
	for _, id := range ids {
		l.families[id] = describe(id.Family(), prefix)
	}
	return l
}

func describe(f family.Family, prefix string) described {
	d := described{keys: make([]string, len(f.Labels))}
	for i, label := range f.Labels {
		d.keys[i] = `",` + label + `="`
		if i == 0 {
			d.keys[i] = f.FullName(prefix) + `{` + label + `="`
		}
	}
	d.header[Text] = header(f.FullName(prefix), escapeHelp(f.Help, Text), f.Type.Text())
	name := f.MetricName(prefix)
	d.header[OpenMetrics] = header(name, escapeHelp(f.Help, OpenMetrics), f.Type.OpenMetrics())
	// OpenMetrics knows a unit only where the name ends in it.
	if f.Unit != "" && strings.HasSuffix(name, "_"+f.Unit) {
		d.header[OpenMetrics] += "# UNIT " + name + " " + f.Unit + "\n"
	}
	return d
}

func header(name, help, kind string) string {
	return "# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n"
}

func escapeHelp(help string, f Format) string {
	pairs := []string{`\`, `\\`, "\n", `\n`}
	if f == OpenMetrics {
		pairs = slices.Concat(pairs, []string{`"`, `\"`})
	}
	return strings.NewReplacer(pairs...).Replace(help)
}
