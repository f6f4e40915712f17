package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"
)

type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// flagErrors translates the errors of the flag packages into messages that say what to do.
var flagErrors = []struct {
	theirs *regexp.Regexp
	ours   string
}{
	{regexp.MustCompile(`^flag provided but not defined: -+(.*)$`), "unknown flag --$1: see davd $command --help"},
	{regexp.MustCompile(`^flag needs an argument: -+(.*)$`), "--$1 needs a value: see davd $command --help"},
	{regexp.MustCompile(`^invalid boolean value (".*") for -+(.*): .*$`), "--$2: $1 is neither true nor false: write one of these, or leave the value out"},
	{regexp.MustCompile(`^(.*)$`), "$1: see davd $command --help"},
}

// flagError is the OnUsageError of all commands.
func flagError(c *cli.Context, err error, _ bool) error {
	command := ""
	if c.Command != nil && c.Command.Name != c.App.Name {
		command = c.Command.Name + " "
	}
	for _, known := range flagErrors {
		if known.theirs.MatchString(err.Error()) {
			ours := strings.ReplaceAll(known.ours, "$command ", command)
			return usagef("%s", known.theirs.ReplaceAllString(err.Error(), ours))
		}
	}
	return &usageError{err}
}
