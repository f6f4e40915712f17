package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"
)

// The exit codes.
const (
	exitFailed = 1 // the command failed
	exitUsage  = 2 // davd can't understand the command line or a setting
)

// program is one run of davd.
type program struct {
	args           []string
	stdout, stderr io.Writer
}

// run runs davd and returns its exit code. The first of args is the program's name.
// An error is written to stderr, as one line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p := &program{args: args, stdout: stdout, stderr: stderr}
	err := p.app().RunContext(ctx, args)
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[cli.ExitCoder](err); ok {
		err = usagef("%w: see davd --help", err) // davd help was given an unknown command
	}
	fmt.Fprintln(stderr, "davd: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	return exitCode(err)
}

func (p *program) app() *cli.App {
	return &cli.App{
		Name:                  "davd",
		Version:               version(),
		Writer:                p.stdout,
		ErrWriter:             p.stderr,
		Commands:              append([]*cli.Command{p.serveCommand(), p.demoCommand(), p.clientsCommand(), p.locksCommand(), p.unlockCommand()}, p.clientCommands()...),
		CustomAppHelpTemplate: literal(overview),
		OnUsageError:          flagError,
		ExitErrHandler:        func(*cli.Context, error) {}, // run reports
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("unknown command %q: see davd --help", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
}

// version returns the version of the module, as recorded by the go command.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
