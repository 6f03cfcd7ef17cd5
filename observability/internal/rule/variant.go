package rule

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"

	"github.com/rocketmq-exporter/rocketmq_exporter/observability/internal/query"
)

// Change is what differs in a variant.
type Change struct {
	// From and To are prefixes of the metrics' names.
	From, To string
	// Quick divides all times by this number, where it is above 1: how long
	// alerts must hold, how often groups are evaluated, and ranges and offsets in
	// expressions, but none of those below Least. Numbers that stand for seconds stay as they are.
	Quick int
	Least time.Duration
}

// Variant changes a rule file and leaves its comments and its order as they are.
func Variant(text []byte, c Change) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if err := errors.Join(c.walk(&doc)...); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := errors.Join(encoder.Encode(&doc), encoder.Close())
	return out.Bytes(), err
}

func (c Change) walk(n *yaml.Node) []error {
	var bad []error
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if err := c.value(n.Content[i].Value, n.Content[i+1]); err != nil {
				bad = append(bad, fmt.Errorf("line %d: %w", n.Content[i+1].Line, err))
			}
		}
	}
	for _, child := range n.Content {
		bad = append(bad, c.walk(child)...)
	}
	return bad
}

// value changes the value of a key.
func (c Change) value(key string, n *yaml.Node) error {
	var err error
	switch key {
	case "record":
		n.Value = query.RenameSeries(n.Value, c.From, c.To)
	case "expr":
		if n.Value, err = query.Rename(n.Value, c.From, c.To); err == nil && c.Quick > 1 {
			n.Value, err = query.Quicken(n.Value, c.Quick, c.Least)
		}
	case "for", "interval":
		if c.Quick > 1 {
			n.Value, err = c.shorter(n.Value)
		}
	}
	return err
}

func (c Change) shorter(text string) (string, error) {
	d, err := model.ParseDuration(text)
	if err != nil {
		return "", err
	}
	return model.Duration((time.Duration(d) / time.Duration(c.Quick)).Truncate(time.Millisecond)).String(), nil
}
