package main

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// overview is what davd alone prints.
//
//go:embed overview.txt
var overview string

// helpWidth is the width of the help's lines.
const helpWidth = 80

// literal makes a template of text that has nothing to fill in.
func literal(text string) string {
	return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
}

// helpFlag is what the help wants to know of a flag.
type helpFlag interface {
	cli.DocGenerationFlag
	cli.CategorizableFlag
}

// commandHelp lays out the help of a command: about, then the flags by
// category, both in the order in which they are defined.
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

// flagTerm is a flag with the name of its value.
func flagTerm(flag helpFlag) string {
	placeholder, _ := cutPlaceholder(flag.GetUsage())
	names := flag.Names()
	term := "--" + names[0]
	if len(names) > 1 {
		term = "-" + names[1] + ", " + term
	}
	return strings.TrimSpace(term + " " + placeholder)
}

// flagText says what a flag is for.
func flagText(flag helpFlag) string {
	_, usage := cutPlaceholder(flag.GetUsage())
	if value := strings.ReplaceAll(flag.GetDefaultText(), `"`, ""); value != "" && value != "false" {
		return usage + " (default " + value + ")"
	}
	return usage
}

// withPlaceholder makes the text of a flag whose value the help calls
// placeholder.
func withPlaceholder(placeholder, usage string) string {
	return "`" + placeholder + "` " + usage
}

// cutPlaceholder is the inverse of withPlaceholder.
func cutPlaceholder(text string) (placeholder, usage string) {
	if quoted, ok := strings.CutPrefix(text, "`"); ok {
		placeholder, usage, _ = strings.Cut(quoted, "` ")
		return placeholder, usage
	}
	return "", text
}

// wrap breaks text into lines of at most width characters.
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
