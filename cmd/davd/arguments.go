package main

import (
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// flagsFirst returns the arguments of the program with the flags of the command in front of
// its arguments, because package flag takes everything after an argument for another one.
// After "--", everything is an argument.
func flagsFirst(commands []command, args []string) []string {
	if len(args) < 3 {
		return args
	}
	words := 2
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == args[1]+" "+args[2] })
	if i < 0 {
		words = 1
		i = slices.IndexFunc(commands, func(c command) bool { return c.name == args[1] })
	}
	if i < 0 {
		return args
	}
	sorted, arguments := slices.Clone(args[:1+words]), []string(nil)
	for rest := args[1+words:]; len(rest) > 0; {
		arg := rest[0]
		rest = rest[1:]
		switch {
		case arg == "--":
			arguments, rest = append(arguments, rest...), nil
		case len(arg) < 2 || arg[0] != '-':
			arguments = append(arguments, arg)
		case commands[i].takesValue(arg) && len(rest) > 0:
			sorted, rest = append(sorted, arg, rest[0]), rest[1:]
		default:
			sorted = append(sorted, arg)
		}
	}
	if len(arguments) > 0 {
		sorted = append(append(sorted, "--"), arguments...)
	}
	return sorted
}

// takesValue reports whether the value of the flag is the next argument.
func (cmd command) takesValue(flag string) bool {
	name := strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-")
	return slices.ContainsFunc(cmd.settings, func(s *setting.Setting) bool {
		return (s.Name == name || s.Short == name && name != "") && !s.IsBoolFlag()
	})
}
