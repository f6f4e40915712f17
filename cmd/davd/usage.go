package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// unknownCommand returns the error for a command, or for a subcommand of a group.
func unknownCommand(group, name string, commands []command) error {
	var known []string
	for _, c := range commands {
		first, second, _ := strings.Cut(c.name, " ")
		switch group {
		case "":
			known = append(known, first)
		case first:
			known = append(known, second)
		}
	}
	program := strings.TrimSpace("davd " + group)
	if closest := setting.Closest(name, known); closest != "" {
		return usagef("unknown command %q: did you mean %s %s? See %[2]s --help", name, program, closest)
	}
	return usagef("unknown command %q: see %s --help", name, program)
}

// flagErrors translates the errors of the flag packages into messages that say what to do.
var flagErrors = []struct {
	theirs *regexp.Regexp
	ours   string
	// unknown says that the error is about an unknown flag.
	unknown bool
}{
	{regexp.MustCompile(`^flag provided but not defined: -+(.*)$`), "unknown flag --$1: see $see", true},
	{regexp.MustCompile(`^flag needs an argument: -+(.*)$`), "--$1 needs a value: see $see", false},
	{regexp.MustCompile(`^invalid boolean value (".*") for -+(.*): .*$`), "--$2: $1 is neither true nor false: write one of these, or leave the value out", false},
	{regexp.MustCompile(`^(.*)$`), "$1: see $see", false},
}

// flagError returns the OnUsageError of a command, or of the program if command is empty.
func flagError(command string, settings []*setting.Setting) cli.OnUsageErrorFunc {
	see := strings.TrimSpace("davd "+command) + " --help"
	return func(_ *cli.Context, err error, _ bool) error {
		for _, known := range flagErrors {
			if !known.theirs.MatchString(err.Error()) {
				continue
			}
			ours := strings.ReplaceAll(known.ours, "$see", see)
			if known.unknown {
				ours = correct(ours, known.theirs.FindStringSubmatch(err.Error())[1], settings)
			}
			return usagef("%s", known.theirs.ReplaceAllString(err.Error(), ours))
		}
		return &usageError{err}
	}
}

// correct adds the closest flag to the message about an unknown one.
func correct(message, name string, settings []*setting.Setting) string {
	names := []string{"help"}
	for _, s := range settings {
		names = append(names, s.Name)
	}
	if closest := setting.Closest(name, names); closest != "" {
		return strings.Replace(message, ": see", ": did you mean --"+closest+"? See", 1)
	}
	return message
}
