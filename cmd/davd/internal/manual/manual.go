// Package manual writes manual pages, and completions for shells, from the commands of the
// program.
package manual

import (
	"slices"
	"strings"
)

// Program is a program with its commands.
type Program struct {
	Name, Version string
	// Date is the date of the manual pages, such as 2026-11-30, or "".
	Date string
	// About is the description of the whole program, as Command.About.
	About    string
	Commands []Command
}

// Command is a command of the program.
type Command struct {
	// Name has two words for a subcommand.
	Name string
	// Arguments are as the help shows them, such as "SRC [DST]".
	Arguments string
	// About has paragraphs, which empty lines separate. Lines that begin with a space are
	// shown as they are. The first sentence is the summary.
	About string
	Flags []Flag
}

// Flag is a flag of a command.
type Flag struct {
	// Name has no dashes. Short is another name, of one letter, or "".
	Name, Short string
	// Takes is the placeholder for the value, or "" if there is none.
	Takes string
	Help  string
	// Title is the title of the group of flags that this one belongs to.
	Title string
	// Words are all values, if there are only a few.
	Words []string
	// Variable is the environment variable that also sets it, or "".
	Variable string
}

// Summary returns the first sentence of a text, without the full stop.
func Summary(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n\n")
	first, _, _ = strings.Cut(strings.Join(strings.Fields(first), " "), ". ")
	return strings.TrimSuffix(first, ".")
}

// words returns the first words of all commands, or the second words of the commands of a
// group, in their order.
func (p *Program) words(group string) []string {
	var words []string
	for _, c := range p.Commands {
		first, second, _ := strings.Cut(c.Name, " ")
		if group != "" {
			first = second
			if !strings.HasPrefix(c.Name, group+" ") {
				continue
			}
		}
		if !slices.Contains(words, first) {
			words = append(words, first)
		}
	}
	return words
}

// groups returns the first words of the commands that have two.
func (p *Program) groups() []string {
	var groups []string
	for _, c := range p.Commands {
		if first, _, two := strings.Cut(c.Name, " "); two && !slices.Contains(groups, first) {
			groups = append(groups, first)
		}
	}
	return groups
}

// summary returns the summary of the command with this name, or for a group its commands.
func (p *Program) summary(name string) string {
	for _, c := range p.Commands {
		if c.Name == name {
			return Summary(c.About)
		}
	}
	return strings.Join(p.words(name), ", ")
}

// choices returns the values of the first argument if it has only a few, as in add|list.
func (c *Command) choices() []string {
	first, _, _ := strings.Cut(c.Arguments, " ")
	if !strings.Contains(first, "|") || first != strings.ToLower(first) {
		return nil
	}
	return strings.Split(first, "|")
}

func (c *Command) lastWord() string { return c.Name[strings.LastIndexByte(c.Name, ' ')+1:] }
