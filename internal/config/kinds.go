package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is what the value of a setting may be.
type kind interface {
	// read puts what was said, at least one text, into a field. Its errors
	// say what is wrong and what is allowed; the caller names the setting.
	read(said []string, field any) error
	isList() bool
	word() string    // for documents
	allowed() string // likewise; empty: everything
}

// single is a kind with one value.
type single struct{}

func (single) isList() bool    { return false }
func (single) allowed() string { return "" }

var errList = errors.New("one value is wanted, not a list")

// one is the only text that was said.
func one(said []string) (string, error) {
	if len(said) != 1 {
		return "", errList
	}
	return said[0], nil
}

// setText puts a text into a field if check finds nothing wrong with it.
func setText(said []string, field any, check func(string) error) error {
	s, err := one(said)
	if err == nil {
		err = check(s)
	}
	if err == nil {
		*field.(*string) = s //nolint:forcetypeassert // the table and its test
	}
	return err
}

// text is any text.
type text struct{ single }

func (text) word() string { return "text" }
func (text) read(said []string, field any) error {
	return setText(said, field, func(string) error { return nil })
}

// file is the name of a file. Whether it can be read is found when it is.
type file struct{ text }

func (file) word() string { return "file" }

// number is a whole number within bounds.
type number struct {
	single

	least, most int
}

func (number) word() string { return "number" }

func (n number) allowed() string { return fmt.Sprintf("%d to %d", n.least, n.most) }

func (n number) read(said []string, field any) error {
	s, err := one(said)
	if err != nil {
		return err
	}
	v, err := strconv.Atoi(s)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && (v < n.least || v > n.most):
		return fmt.Errorf("%s is out of bounds: allowed are %s", s, n.allowed())
	case err != nil:
		return fmt.Errorf("%q is no number: allowed are %s", s, n.allowed())
	}
	*field.(*int) = v //nolint:forcetypeassert // the table and its test
	return nil
}

// span is a duration within bounds.
type span struct {
	single

	least, most time.Duration
}

func (span) word() string { return "duration" }

func (d span) allowed() string { return Span(d.least) + " to " + Span(d.most) }

func (d span) read(said []string, field any) error {
	s, err := one(said)
	if err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no duration: wanted is a number with its unit, as in 15s or 1h30m; allowed are %s", s, d.allowed())
	case v < d.least || v > d.most:
		return fmt.Errorf("%s is out of bounds: allowed are %s", s, d.allowed())
	}
	*field.(*time.Duration) = v //nolint:forcetypeassert // the table and its test
	return nil
}

// Span is a duration as it is set, without the units that are 0.
func Span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// yesNo is true or false.
type yesNo struct{ single }

func (yesNo) word() string    { return "switch" }
func (yesNo) allowed() string { return "`true` or `false`" }

func (yesNo) read(said []string, field any) error {
	s, err := one(said)
	if err != nil {
		return err
	}
	v, err := strconv.ParseBool(s)
	if err != nil {
		return fmt.Errorf("%q is not allowed: allowed are true and false", s)
	}
	*field.(*bool) = v //nolint:forcetypeassert // the table and its test
	return nil
}

// choice is one of a few words.
type choice struct {
	single

	words []string
}

func (choice) word() string      { return "word" }
func (c choice) allowed() string { return "`" + strings.Join(c.words, "`, `") + "`" }

func (c choice) read(said []string, field any) error {
	return setText(said, field, func(s string) error {
		if !slices.Contains(c.words, s) {
			return fmt.Errorf("%q is not allowed: allowed are %s", s, strings.Join(c.words, ", "))
		}
		return nil
	})
}

// names is a list of texts that are joined by separators, or said one by one.
// What is empty and what repeats is dropped.
type names struct {
	separators string
	check      func(string) error // of each; may be nil
	what       string
	rule       string
}

func (names) isList() bool      { return true }
func (n names) word() string    { return "list of " + n.what }
func (n names) allowed() string { return n.rule }

func (n names) read(said []string, field any) error {
	list := split(said, n.separators)
	var errs []error
	for _, name := range list {
		if n.check == nil {
			break
		}
		if err := n.check(name); err != nil {
			errs = append(errs, err)
		}
	}
	*field.(*[]string) = list //nolint:forcetypeassert // the table and its test
	return errors.Join(errs...)
}

// split parts each text at any of the separators and drops what is empty and
// what repeats.
func split(texts []string, separators string) []string {
	var list []string
	for _, s := range texts {
		for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			if part = strings.TrimSpace(part); part != "" && !slices.Contains(list, part) {
				list = append(list, part)
			}
		}
	}
	return list
}
