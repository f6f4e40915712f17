package main

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// overview is the output of davd without arguments.
//
//go:embed overview.txt
var overview string

// helpWidth is the width of the help's lines.
const helpWidth = 80

// literal returns a template that produces text unchanged.
func literal(text string) string {
	return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
}

// helpFlag has the methods of a flag that the help needs.
type helpFlag interface {
	cli.DocGenerationFlag
	cli.CategorizableFlag
}

// commandHelp returns the help of a command: usage, about and then the flags, grouped by
// category. Flags and categories keep the order of flags.
func commandHelp(usage, about string, flags []cli.Flag) string {
	var help strings.Builder
	fmt.Fprintf(&help, "Usage: %s\n\n%s\n", usage, strings.TrimSpace(about))
	var documented []helpFlag
	column := 0
	for _, flag := range flags {
		if flag, ok := flag.(helpFlag); ok {
			documented = append(documented, flag)
			column = max(column, len(flagTerm(flag)))
		}
	}
	category := ""
	for _, flag := range documented {
		if c := flag.GetCategory(); c != category {
			category = c
			fmt.Fprintf(&help, "\n%s:\n", category)
		}
		indent := strings.Repeat(" ", column+4)
		lines := wrap(flagText(flag), helpWidth-len(indent))
		fmt.Fprintf(&help, "  %-*s  %s\n", column, flagTerm(flag), strings.Join(lines, "\n"+indent))
	}
	return help.String()
}

// flagTerm returns the names of a flag, followed by the placeholder for its value.
func flagTerm(flag helpFlag) string {
	placeholder, _ := cutPlaceholder(flag.GetUsage())
	names := flag.Names()
	term := "--" + names[0]
	if len(names) > 1 {
		term = "-" + names[1] + ", " + term
	}
	return strings.TrimSpace(term + " " + placeholder)
}

// flagText returns the description of a flag, with its default.
func flagText(flag helpFlag) string {
	_, usage := cutPlaceholder(flag.GetUsage())
	if value := strings.ReplaceAll(flag.GetDefaultText(), `"`, ""); value != "" && value != "false" {
		return usage + " (default " + value + ")"
	}
	return usage
}

// withPlaceholder returns the Usage text of a flag whose value is called placeholder
// in the help.
func withPlaceholder(placeholder, usage string) string {
	return "`" + placeholder + "` " + usage
}

// cutPlaceholder splits a Usage text into what withPlaceholder joined.
func cutPlaceholder(text string) (placeholder, usage string) {
	if quoted, ok := strings.CutPrefix(text, "`"); ok {
		placeholder, usage, _ = strings.Cut(quoted, "` ")
		return placeholder, usage
	}
	return "", text
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
