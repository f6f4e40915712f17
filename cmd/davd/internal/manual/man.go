package manual

import (
	"fmt"
	"strings"
)

// PageName returns the name of the manual page of a command, or that of the program if
// command is "".
func (p *Program) PageName(command string) string {
	return strings.ReplaceAll(strings.TrimSpace(p.Name+" "+command), " ", "-")
}

// Page returns the manual page of the program, in the macros of man(7).
func (p *Program) Page() string {
	b := p.begin("", "serves directories over WebDAV")
	line(b, ".B "+p.Name)
	line(b, `.I COMMAND`)
	line(b, `.RI [ flags ]\ [ arguments ]`)
	b.section("DESCRIPTION")
	b.text(p.About)
	b.section("COMMANDS")
	for _, c := range p.Commands {
		line(b, ".TP")
		line(b, `.BR `+roff(p.PageName(c.Name))+` (1)`)
		line(b, roff(Summary(c.About))+".")
	}
	return b.String()
}

// CommandPage returns the manual page of a command.
func (p *Program) CommandPage(c *Command) string {
	b := p.begin(c.Name, Summary(c.About))
	line(b, ".B "+roff(p.Name+" "+c.Name))
	if len(c.Flags) > 0 {
		line(b, ".RI [ flags ]")
	}
	if c.Arguments != "" {
		line(b, ".I "+roff(c.Arguments))
	}
	b.section("DESCRIPTION")
	b.text(c.About)
	title := ""
	for i, f := range c.Flags {
		if i == 0 {
			b.section("OPTIONS")
		}
		if f.Title != title {
			title = f.Title
			line(b, ".SS "+roff(title))
		}
		b.flag(f)
	}
	b.section("SEE ALSO")
	line(b, ".BR "+p.Name+" (1)")
	return b.String()
}

// page is a manual page that is being written.
type page struct{ strings.Builder }

func line(b *page, text string) { fmt.Fprintln(b, text) }

func (p *Program) begin(command, summary string) *page {
	b, name := &page{}, p.PageName(command)
	fmt.Fprintf(b, ".TH %s 1 %q %q %q\n", roff(strings.ToUpper(name)), p.Date, p.Name+" "+p.Version, "User Commands")
	line(b, ".nh\n.ad l") // options and addresses should not be broken
	b.section("NAME")
	line(b, roff(name)+` \- `+roff(summary))
	b.section("SYNOPSIS")
	return b
}

func (b *page) section(title string) { line(b, ".SH "+title) }

// text writes paragraphs after a heading. Lines that begin with a space are shown as they are.
func (b *page) text(text string) {
	literal, first, heading := false, true, true
	for l := range strings.Lines(strings.TrimSpace(text) + "\n") {
		l = strings.TrimRight(l, "\n")
		asIs := strings.HasPrefix(l, " ") || literal && l == ""
		switch {
		case l == "":
			if literal {
				line(b, ".EE")
			}
			literal, first = false, true
			continue
		case asIs && !literal:
			if !heading {
				line(b, ".PP")
			}
			line(b, ".EX")
		case !asIs && literal:
			line(b, ".EE\n.PP")
		case first && !asIs && !heading:
			line(b, ".PP")
		}
		literal, first, heading = asIs, false, false
		line(b, roff(l))
	}
	if literal {
		line(b, ".EE")
	}
}

func (b *page) flag(f Flag) {
	line(b, ".TP")
	term := `\fB` + roff("--"+f.Name) + `\fR`
	if f.Short != "" {
		term = `\fB` + roff("-"+f.Short) + `\fR, ` + term
	}
	if f.Takes != "" {
		term += ` \fI` + roff(f.Takes) + `\fR`
	}
	line(b, term)
	line(b, roff(f.Help)+".")
	if f.Variable != "" {
		line(b, "Variable: "+roff(f.Variable)+".")
	}
}

// roff escapes a text for one line of input to roff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "~", `\(ti`, "^", `\(ha`, "`", `\(ga`, "'", `\(aq`, `"`, `\(dq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}
