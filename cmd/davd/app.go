package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/setting"
)

// The exit codes. exitInterrupted is the one that shells report for a program ended by SIGINT.
const (
	exitFailed      = 1 // the command failed
	exitUsage       = 2 // davd can't understand the command line or a setting
	exitPartial     = 3 // a client command failed for the members named on standard error
	exitInterrupted = 130
)

// run runs davd and returns its exit code. The first of args is the program's name.
// An error is written to stderr, as one line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p := &program{stdout: stdout, stderr: stderr}
	all := commands(p)
	err := newApp(p, all).RunContext(ctx, flagsFirst(all, args))
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[cli.ExitCoder](err); ok {
		err = usagef("%w: see davd --help", err) // davd help was given an unknown command
	}
	if problems, ok := errors.AsType[config.Problems](err); ok {
		fmt.Fprintln(stderr, problems) // one line each
		return exitUsage
	}
	fmt.Fprintln(stderr, "davd: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	return exitCode(err)
}

func newApp(p *program, commands []command) *cli.App {
	app := &cli.App{
		Name:                  "davd",
		Version:               version(),
		Writer:                p.stdout,
		ErrWriter:             p.stderr,
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
	for _, c := range commands {
		app.Commands = append(app.Commands, c.cli())
	}
	return app
}

func commands(p *program) []command {
	server := []command{serveCommand(p), proxyCommand(p), demoCommand(p), clientsCommand(p), locksCommand(p), unlockCommand(p), tokenCommand(p)}
	return slices.Concat(server, clientCommands(p))
}

func exitCode(err error) int {
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*setting.Error](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*client.PartialError](err); ok {
		return exitPartial
	}
	if _, ok := errors.AsType[*interruptedError](err); ok {
		return exitInterrupted
	}
	return exitFailed
}
