package main

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/dav/davclient"
)

// clientCommand is a command that sends requests to a server.
type clientCommand struct {
	name      string
	arguments string // as the help shows them; those in brackets are optional
	about     string
	settings  []*setting.Setting // in addition to those of the connection
	parse     func(args []string) (target, error)
	run       func(ctx context.Context, s *client.Session, t target) error
}

// target is what the arguments of a client command name.
type target struct {
	url *url.URL
	// second is a URL on the same server, and local a file on this machine.
	second *url.URL
	local  string
}

// clientExit ends the help of each client command.
const clientExit = `
Exit status: 0 for success, 1 for failure, 2 for wrong usage, 3 if some members
failed. Each of these is a line on standard error, such as "423 Locked  /path".`

// command returns the command, which connects with the settings o.
func (cmd *clientCommand) command(p *program, o *clientOptions) command {
	return command{
		name: cmd.name, arguments: cmd.arguments, about: cmd.about + clientExit,
		settings: slices.DeleteFunc(setting.Groups{
			{Title: commandGroup, Settings: cmd.settings},
			{Title: "Connection", Settings: o.connection()},
		}, func(g setting.Group) bool { return len(g.Settings) == 0 }),
		check: cmd.check,
		run: func(c *cli.Context) error {
			t, err := cmd.parse(c.Args().Slice())
			if err != nil {
				return err
			}
			s, err := connect(c.Context, p, o, t.url)
			if err != nil {
				return err
			}
			return interrupted(c.Context, cmd.run(c.Context, s, t))
		},
	}
}

// check checks the number of arguments.
func (cmd *clientCommand) check(args []string) error {
	names := strings.Fields(cmd.arguments)
	least := len(names) - strings.Count(cmd.arguments, "[")
	for i, arg := range args {
		if i > 0 && len(arg) > 1 && strings.HasPrefix(arg, "-") {
			return usagef("%s comes after an argument: write flags before them, as in davd %s [flags] %s", arg, cmd.name, cmd.arguments)
		}
	}
	if len(args) < least || len(args) > len(names) {
		return usagef("davd %s takes %s: see davd %s --help", cmd.name, cmd.arguments, cmd.name)
	}
	return nil
}

// parseTarget parses the arguments URL and [DST].
func parseTarget(args []string) (t target, err error) {
	t.url, err = parseURL(args[0])
	if len(args) > 1 {
		t.local = args[1]
	}
	return t, err
}

// parseUpload parses the arguments SRC and URL.
func parseUpload(args []string) (t target, err error) {
	t.url, err = parseURL(args[1])
	t.local = args[0]
	return t, err
}

// parseTransfer parses the arguments SRC and DST, which are on the same server.
func parseTransfer(args []string) (t target, err error) {
	if t.url, err = parseURL(args[0]); err == nil {
		t.second, err = parseSecond(t.url, args[1])
	}
	return t, err
}

// interrupted replaces the error of a cancelled ctx with one that says so. An
// UnfinishedError keeps its text, because the server may still be working.
func interrupted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	if _, unfinished := errors.AsType[*davclient.UnfinishedError](err); unfinished {
		return &interruptedError{err.Error()}
	}
	return &interruptedError{"interrupted"}
}

// interruptedError is the error of a command that was ended by a signal.
type interruptedError struct{ text string }

func (e *interruptedError) Error() string { return e.text }
