package query

import (
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// checker walks an expression from its leaves up and keeps what is wrong.
type checker struct {
	vocabulary *Vocabulary
	bad        []error
}

func (c *checker) complain(format string, args ...any) {
	c.bad = append(c.bad, fmt.Errorf(format, args...))
}

// of is the labels that the value of an expression can have.
func (c *checker) of(expr parser.Expr) Labels {
	switch e := expr.(type) {
	case *parser.VectorSelector:
		return c.selector(e)
	case *parser.MatrixSelector:
		return c.of(e.VectorSelector)
	case *parser.SubqueryExpr:
		return c.of(e.Expr)
	case *parser.ParenExpr:
		return c.of(e.Expr)
	case *parser.UnaryExpr:
		return c.of(e.Expr)
	case *parser.StepInvariantExpr:
		return c.of(e.Expr)
	case *parser.AggregateExpr:
		return c.aggregate(e)
	case *parser.BinaryExpr:
		return c.binary(e)
	case *parser.Call:
		return c.call(e)
	case *parser.NumberLiteral, *parser.StringLiteral:
		return Labels{}
	}
	c.complain("%s: this check does not know %T", expr, expr)
	return Labels{}
}

func (c *checker) selector(s *parser.VectorSelector) Labels {
	known, ok := c.vocabulary.series[s.Name]
	if !ok {
		c.complain("%s: there is no series of this name", s)
		return Labels{}
	}
	for _, m := range s.LabelMatchers {
		if m.Name != model.MetricNameLabel {
			c.has(s, known, m.Name)
		}
	}
	return known
}

// has complains about names that a value cannot have.
func (c *checker) has(where parser.Expr, known Labels, names ...string) {
	for _, n := range names {
		if !known[n] {
			c.complain("%s: there is no label %s, only %v", where, n, known.Sorted())
		}
	}
}

func (c *checker) aggregate(e *parser.AggregateExpr) Labels {
	inner := c.of(e.Expr)
	c.has(e, inner, e.Grouping...)
	switch {
	case e.Op == parser.TOPK || e.Op == parser.BOTTOMK || e.Op == parser.LIMITK || e.Op == parser.LIMIT_RATIO:
		return inner
	case e.Op == parser.COUNT_VALUES:
		c.complain("%s: this check does not know count_values", e)
		return Labels{}
	case e.Without:
		return inner.without(e.Grouping...)
	}
	return Set(e.Grouping...)
}

func (c *checker) binary(e *parser.BinaryExpr) Labels {
	left, right := c.of(e.LHS), c.of(e.RHS)
	switch {
	case e.LHS.Type() != parser.ValueTypeVector:
		return right
	case e.RHS.Type() != parser.ValueTypeVector:
		return left
	}
	m := e.VectorMatching
	c.matching(e, left, right)
	switch {
	case e.Op == parser.LOR:
		return left.with(right.Sorted()...)
	case e.Op.IsSetOperator():
		return left
	case m.Card == parser.CardManyToOne:
		c.has(e, right, m.Include...)
		return left.with(m.Include...)
	case m.Card == parser.CardOneToMany:
		c.has(e, left, m.Include...)
		return right.with(m.Include...)
	case m.On:
		return Set(m.MatchingLabels...)
	}
	return left.without(m.MatchingLabels...)
}

// matching complains about sides that can never meet: what is compared must be
// there on both, and with ignoring, or with neither word, nothing else may be
// there on one.
func (c *checker) matching(e *parser.BinaryExpr, left, right Labels) {
	m := e.VectorMatching
	if m.On {
		c.has(e, left, m.MatchingLabels...)
		c.has(e, right, m.MatchingLabels...)
		return
	}
	for _, n := range m.MatchingLabels {
		if !left[n] && !right[n] {
			c.complain("%s: neither side has the label %s that is ignored", e, n)
		}
	}
	if e.Op == parser.LOR {
		return // both sides pass, whether they meet or not
	}
	if l, r := left.without(m.MatchingLabels...), right.without(m.MatchingLabels...); !maps.Equal(l, r) {
		c.complain("%s: the sides never match, by %v and by %v", e, l.Sorted(), r.Sorted())
	}
}

func (c *checker) call(e *parser.Call) Labels {
	switch e.Func.Name {
	case "absent", "absent_over_time":
		return c.absent(e)
	case "label_replace":
		inner := c.of(e.Args[0])
		c.has(e, inner, text(e.Args[3]))
		return inner.with(text(e.Args[1]))
	case "label_join":
		inner := c.of(e.Args[0])
		for _, source := range e.Args[3:] {
			c.has(e, inner, text(source))
		}
		return inner.with(text(e.Args[1]))
	}
	if slices.Contains([]string{"histogram_quantile", "info", "sort_by_label", "sort_by_label_desc"}, e.Func.Name) {
		c.complain("%s: this check does not know %s", e, e.Func.Name)
	}
	result := Labels{}
	for _, arg := range e.Args {
		if t := arg.Type(); t == parser.ValueTypeVector || t == parser.ValueTypeMatrix {
			result = c.of(arg)
		}
	}
	if e.Func.ReturnType != parser.ValueTypeVector {
		return Labels{}
	}
	return result
}

// absent has the labels that its selector asks for with an equals sign.
func (c *checker) absent(e *parser.Call) Labels {
	c.of(e.Args[0])
	equal := Labels{}
	for _, s := range selectors(e.Args[0]) {
		for _, m := range s.LabelMatchers {
			if m.Type == labels.MatchEqual && m.Name != model.MetricNameLabel {
				equal[m.Name] = true
			}
		}
	}
	return equal
}

func text(expr parser.Expr) string {
	if s, ok := expr.(*parser.StringLiteral); ok {
		return s.Val
	}
	return ""
}
