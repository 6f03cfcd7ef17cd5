package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagValue is one flag of a command.
type flagValue struct {
	name, help string
	// value stands for the value in help.
	value string
	// A switch needs no value, and has a twin that begins with no-.
	isSwitch bool
	// A list may be said one by one.
	isList bool
	// note is told each text that is said of the flag; of a switch it is true or
	// false.
	note func(text string)

	said bool
}

// addFlag adds a flag to those of a command.
func addFlag(to *pflag.FlagSet, f flagValue) {
	added := to.VarPF(&f, f.name, "", f.help)
	added.DefValue = f.value
	if f.isSwitch {
		added.NoOptDefVal = "true"
		twin := to.VarPF(negation{&f}, "no-"+f.name, "", "")
		twin.NoOptDefVal = "true"
		twin.Hidden = true
	}
}

// Set implements pflag.Value. Whether a value is right is found with what the
// environment and the file say, so that all mistakes are reported in one run.
func (f *flagValue) Set(text string) error {
	switch {
	case f.said && !f.isList:
		return errors.New("it cannot be repeated")
	case f.isSwitch:
		on, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not allowed: allowed are true and false", text)
		}
		text = strconv.FormatBool(on)
	case strings.HasPrefix(text, "--"):
		return fmt.Errorf("a value is wanted, and the flag %s follows", text)
	}
	f.said = true
	f.note(text)
	return nil
}

// String implements pflag.Value.
func (*flagValue) String() string { return "" }

// Type implements pflag.Value.
func (*flagValue) Type() string { return "" }

// negation is the flag that says the contrary of a switch.
type negation struct{ *flagValue }

// Set implements pflag.Value.
func (n negation) Set(text string) error {
	if on, err := strconv.ParseBool(text); err == nil {
		text = strconv.FormatBool(!on)
	}
	return n.flagValue.Set(text)
}

// flagError says of a mistake with a flag what the user needs of it.
func flagError(_ *cobra.Command, err error) error {
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("--%s: %w", wrong.GetFlag().Name, errors.Unwrap(wrong))
	}
	return err
}
