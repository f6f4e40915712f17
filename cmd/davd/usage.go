package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// usageError is an error in the command line or in an environment variable.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

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
	{regexp.MustCompile(`^could not parse (".*") as bool value from environment variable "(.*)" for flag .*$`), "$2: $1 is neither true nor false: write one of these"},
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

// settingError adds the name of the setting to err: the environment variable if the value
// came from there, otherwise the flag.
func (p *program) settingError(err error) error {
	wrong, ok := errors.AsType[*config.Error](err)
	if !ok {
		return err
	}
	name := "--" + wrong.Setting
	if env := envVar(wrong.Setting); os.Getenv(env) != "" && !p.wrote(name) {
		name = env
	}
	return usagef("%s: %w", name, wrong.Err)
}

// wrote reports whether flag, such as "--addr", is on the command line, with one dash or two.
func (p *program) wrote(flag string) bool {
	return slices.ContainsFunc(p.args, func(arg string) bool {
		arg, _, _ = strings.Cut(arg, "=")
		return arg == flag || "-"+arg == flag
	})
}

// envVar returns the name of a flag's environment variable.
func envVar(flag string) string {
	return "DAVD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
