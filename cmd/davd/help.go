package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/manual"
	"github.com/davd/davd/cmd/davd/internal/setting"
)

// overview is the output of davd without arguments.
//
//go:embed overview.txt
var overview string

const helpWidth = 80

// literal returns a template that produces text unchanged.
func literal(text string) string {
	return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
}

// help returns the help of the command: usage, about and then the flags.
func (cmd command) help() string {
	var help strings.Builder
	usage := strings.TrimSpace("davd " + cmd.name + " [flags] " + cmd.arguments)
	fmt.Fprintf(&help, "Usage: %s\n\n%s\n", usage, strings.TrimSpace(cmd.about))
	column := 0
	for _, s := range cmd.settings {
		column = max(column, len(flagTerm(s)))
	}
	indent := strings.Repeat(" ", column+4)
	for _, g := range cmd.groups() {
		fmt.Fprintf(&help, "\n%s:\n", g.title)
		for _, s := range g.settings {
			lines := wrap(flagHelp(s), helpWidth-len(indent))
			fmt.Fprintf(&help, "  %-*s  %s\n", column, flagTerm(s), strings.Join(lines, "\n"+indent))
		}
	}
	return help.String()
}

// group is a group of settings in the help.
type group struct {
	title    string
	settings []*setting.Setting
}

// commonGroup is the title of the settings that the help shows first.
const commonGroup = "Common flags"

// groups returns the settings as the help shows them: the common ones, then the others by
// title.
func (cmd command) groups() []group {
	groups := []group{{title: commonGroup}}
	for _, name := range cmd.common {
		i := slices.IndexFunc(cmd.settings, func(s *setting.Setting) bool { return s.Name == name })
		groups[0].settings = append(groups[0].settings, cmd.settings[i])
	}
	for _, s := range cmd.settings {
		if slices.Contains(cmd.common, s.Name) {
			continue
		}
		if last := len(groups) - 1; groups[last].title != s.Title {
			groups = append(groups, group{title: s.Title})
		}
		last := &groups[len(groups)-1]
		last.settings = append(last.settings, s)
	}
	if len(cmd.common) == 0 {
		groups = groups[1:]
	}
	return groups
}

// flagHelp returns the help of a flag, with its default.
func flagHelp(s *setting.Setting) string {
	if s.Default != "" {
		return s.Help + " (default " + s.Default + ")"
	}
	return s.Help
}

// flagTerm returns the names of a flag, followed by the placeholder for its value.
func flagTerm(s *setting.Setting) string {
	term := "--" + s.Name
	if s.Short != "" {
		term = "-" + s.Short + ", " + term
	}
	return strings.TrimSpace(term + " " + s.Takes)
}

// wrap breaks text into lines of at most width bytes. A longer word gets its own line.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// groupHelp returns the help of a command with subcommands.
func groupHelp(group string, commands []command) string {
	var help strings.Builder
	fmt.Fprintf(&help, "Usage: davd %s COMMAND\n\nCommands:\n", group)
	column := 0
	for _, c := range commands {
		if strings.HasPrefix(c.name, group+" ") {
			column = max(column, len(c.name+c.arguments)+len("davd  "))
		}
	}
	for _, c := range commands {
		if !strings.HasPrefix(c.name, group+" ") {
			continue
		}
		indent := strings.Repeat(" ", column+4)
		lines := wrap(manual.Summary(c.about), helpWidth-len(indent))
		fmt.Fprintf(&help, "  %-*s  %s\n", column, strings.TrimSpace("davd "+c.name+" "+c.arguments), strings.Join(lines, "\n"+indent))
	}
	fmt.Fprintf(&help, "\ndavd %s COMMAND --help shows the flags of a command.\n", group)
	return help.String()
}
