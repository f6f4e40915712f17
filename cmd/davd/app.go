package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/client/terminal"
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
	warnUnknownVariables(stderr, all, os.Environ())
	err := newApp(p, all).RunContext(ctx, flagsFirst(all, args))
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[cli.ExitCoder](err); ok {
		err = usagef("%w: see davd --help", err) // davd help was given an unknown command
	}
	if problems, ok := errors.AsType[config.FileErrors](err); ok {
		fmt.Fprintln(stderr, problems) // one line each
		return exitCode(err)
	}
	name := "davd:"
	if terminal.Colours(stderr) {
		name = terminal.Bold(terminal.Red, name)
	}
	fmt.Fprintln(stderr, name, strings.ReplaceAll(err.Error(), "\n", "; "))
	return exitCode(err)
}

func newApp(p *program, commands []command) *cli.App {
	app := &cli.App{
		Name:                  "davd",
		Version:               version(),
		Writer:                p.stdout,
		ErrWriter:             p.stderr,
		CustomAppHelpTemplate: literal(overview),
		OnUsageError:          flagError("", nil),
		ExitErrHandler:        func(*cli.Context, error) {}, // run reports
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return unknownCommand("", c.Args().First(), commands)
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, c := range commands {
		group, name, found := strings.Cut(c.name, " ")
		if !found {
			app.Commands = append(app.Commands, c.cli())
			continue
		}
		sub := c.cli()
		sub.Name = name
		i := slices.IndexFunc(app.Commands, func(c *cli.Command) bool { return c.Name == group })
		if i < 0 {
			i = len(app.Commands)
			app.Commands = append(app.Commands, groupOf(group, commands))
		}
		app.Commands[i].Subcommands = append(app.Commands[i].Subcommands, sub)
	}
	return app
}

// groupOf returns the command that only has subcommands, such as davd config.
func groupOf(group string, commands []command) *cli.Command {
	return &cli.Command{
		Name:               group,
		CustomHelpTemplate: literal(groupHelp(group, commands)),
		HideHelpCommand:    true,
		OnUsageError:       flagError(group, nil),
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return unknownCommand(group, c.Args().First(), commands)
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

func commands(p *program) []command {
	server := []command{serveCommand(p), proxyCommand(p), demoCommand(p), clientsCommand(p), locksCommand(p), unlockCommand(p), reloadCommand(p), quotaCommand(p), tokenCommand(p)}
	return slices.Concat(server, lockCommands(p), opsCommands(p), stateCommands(p), storageCommands(p), configCommands(p), []command{passwdCommand(p)}, clientCommands(p), programCommands(p))
}

func exitCode(err error) int {
	if own, ok := errors.AsType[*exitError](err); ok {
		return own.code
	}
	if _, ok := errors.AsType[config.FileErrors](err); ok {
		return exitUsage
	}
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
