package query

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
)

// Rename gives the exporter's series in an expression another prefix, and those
// that rules record from them (prefix:name). The rest of the text stays as it is
// written, line breaks and comments too.
func Rename(expr, from, to string) (string, error) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return "", err
	}
	list := selectors(parsed)
	slices.SortFunc(list, func(a, b *parser.VectorSelector) int { return cmp.Compare(b.PosRange.Start, a.PosRange.Start) })
	for _, s := range list { // from the end, so that positions stay true
		at := int(s.PosRange.Start)
		expr = expr[:at] + RenameSeries(s.Name, from, to) + expr[at+len(s.Name):]
	}
	return expr, nil
}

// RenameSeries is a series' name under another prefix; a name that does not
// depend on the prefix stays as it is.
func RenameSeries(name, from, to string) string {
	if rest, ok := strings.CutPrefix(name, from+":"); ok {
		return to + ":" + rest
	}
	if name == from+buildInfo {
		return to + buildInfo
	}
	for _, id := range family.All() {
		if f := id.Family(); f.FullName(from) == name {
			return f.FullName(to)
		}
	}
	return name
}

// Quicken divides all ranges, offsets and steps of an expression by n, down to
// least: what needs hours to become true in production becomes so in a test's
// seconds. Numbers that stand for seconds stay as they are.
func Quicken(expr string, n int, least time.Duration) (string, error) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return "", err
	}
	quick := func(d *time.Duration) {
		if *d != 0 {
			*d = max(*d/time.Duration(n), least)
		}
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch e := node.(type) {
		case *parser.VectorSelector:
			quick(&e.OriginalOffset)
		case *parser.MatrixSelector:
			quick(&e.Range)
		case *parser.SubqueryExpr:
			quick(&e.Range)
			quick(&e.OriginalOffset)
			quick(&e.Step)
		}
		return nil
	})
	return parsed.String(), nil
}
