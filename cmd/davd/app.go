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
	exitFailed = 1 // what was asked for can't be done
	exitUsage  = 2 // it can't be understood
)

// program is one run of davd.
type program struct {
	args           []string
	stdout, stderr io.Writer
}

// run runs davd with args, of which the first is its name, and returns its
// exit code. An error is one line on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p := &program{args: args, stdout: stdout, stderr: stderr}
	err := p.app().RunContext(ctx, args)
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[cli.ExitCoder](err); ok {
		err = usagef("%w: see davd --help", err) // there is no such help
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
				return usagef("unknown command %q: write davd serve, davd demo or davd --help", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
}

// version is the module's, as the go command recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
