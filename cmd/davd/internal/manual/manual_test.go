package manual_test

import (
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/manual"
)

var program = &manual.Program{
	Name: "prog", Version: "v1", Date: "2026-11-30", About: "prog does things. It does more.",
	Commands: []manual.Command{
		{
			Name: "copy", Arguments: "SRC [DST]", About: "\nCopies SRC. It's \\quick.\n\n  prog copy 'a' ~/b\n\n.dot at the start",
			Flags: []manual.Flag{
				{Name: "mode", Takes: "MODE", Help: "how: fast or slow; or not", Title: "Flags", Words: []string{"fast", "slow"}, Variable: "PROG_MODE"},
				{Name: "long", Short: "l", Help: "show [all] of it", Title: "Other"},
			},
		},
		{Name: "set check", Arguments: "on|off", About: "Checks a set."},
	},
}

func TestCommandPage(t *testing.T) {
	const want = `.TH PROG\-COPY 1 "2026-11-30" "prog v1" "User Commands"
.nh
.ad l
.SH NAME
prog\-copy \- Copies SRC
.SH SYNOPSIS
.B prog copy
.RI [ flags ]
.I SRC [DST]
.SH DESCRIPTION
Copies SRC. It\(aqs \equick.
.PP
.EX
  prog copy \(aqa\(aq \(ti/b
.EE
.PP
\&.dot at the start
.SH OPTIONS
.SS Flags
.TP
\fB\-\-mode\fR \fIMODE\fR
how: fast or slow; or not.
Variable: PROG_MODE.
.SS Other
.TP
\fB\-l\fR, \fB\-\-long\fR
show [all] of it.
.SH SEE ALSO
.BR prog (1)
`
	if got := program.CommandPage(&program.Commands[0]); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestPage(t *testing.T) {
	page := program.Page()
	for _, want := range []string{"\n.SH DESCRIPTION\nprog does things. It does more.\n", "\n.BR prog\\-copy (1)\nCopies SRC.\n", "\n.BR prog\\-set\\-check (1)\nChecks a set.\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
}

func TestCompletion(t *testing.T) {
	for shell, lines := range map[string][]string{
		"bash": {"\t'copy --mode') words='fast slow' ;;", "\t\t'copy') words='--help --mode --long -l' ;;", "\t'set check check') words='on off' ;;"},
		"zsh":  {"\t\t'copy:Copies SRC'", "\t\t\t'*--mode=[how - fast or slow]:MODE:(fast slow)' \\", "\t\t\t'*'{-l,--long}'[show (all) of it]' \\"},
		"fish": {"complete -c prog -n '__prog_words copy' -l mode -x -a 'fast slow' -d 'how: fast or slow'", "complete -c prog -f -n '__prog_next set' -a check -d 'Checks a set'"},
	} {
		text := program.Completion(shell)
		for _, line := range lines {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("%s: %q is missing in\n%s", shell, line, text)
			}
		}
	}
	if program.Completion("tcsh") != "" {
		t.Error("there is a completion for tcsh")
	}
}
