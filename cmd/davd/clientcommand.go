package main

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/dav/davclient"
)

// The exit codes of the commands that do something on a server, beside exitFailed
// and exitUsage.
const exitPartial = 3 // some members failed, and are named on standard error

// clientCommand is a command that does something on a server.
type clientCommand struct {
	name      string
	arguments string // as the help shows them; those in brackets may be left out
	about     string
	flags     []cli.Flag // beside those of all
	run       func(p *program, c *cli.Context, args []string) error
}

func (p *program) clientCommands() []*cli.Command {
	var commands []*cli.Command
	for _, c := range clientCommands() {
		flags := slices.Concat(c.flags, connectionFlags())
		commands = append(commands, &cli.Command{
			Name:               c.name,
			Flags:              flags,
			CustomHelpTemplate: literal(commandHelp("davd "+c.name+" [flags] "+c.arguments, c.about+clientExit, flags)),
			HideHelpCommand:    true,
			OnUsageError:       flagError,
			Action: func(ctx *cli.Context) error {
				args := ctx.Args().Slice()
				if err := c.check(args); err != nil {
					return err
				}
				return interrupted(ctx.Context, c.run(p, ctx, args))
			},
		})
	}
	return commands
}

// clientExit ends the help of each.
const clientExit = `
Exit status: 0 done, 1 failed, 2 not understood, 3 some members failed: each is
a line on standard error, as in "423 Locked  /path".`

// check makes sure that there are as many arguments as there must be.
func (c *clientCommand) check(args []string) error {
	names := strings.Fields(c.arguments)
	least := len(names) - strings.Count(c.arguments, "[")
	for i, arg := range args {
		if i > 0 && len(arg) > 1 && strings.HasPrefix(arg, "-") {
			return usagef("%s comes after an argument: write flags before them, as in davd %s [flags] %s", arg, c.name, c.arguments)
		}
	}
	if len(args) < least || len(args) > len(names) {
		return usagef("davd %s takes %s: see davd %s --help", c.name, c.arguments, c.name)
	}
	return nil
}

// interrupted makes an error of ctx's end one that a person understands. What the
// server may go on with says so itself.
func interrupted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	if _, unfinished := errors.AsType[*davclient.UnfinishedError](err); unfinished {
		return &interruptedError{err.Error()}
	}
	return &interruptedError{"interrupted"}
}

// interruptedError is that of a command that a signal has ended.
type interruptedError struct{ text string }

func (e *interruptedError) Error() string { return e.text }

// exitCode is the code for an error of a command.
func exitCode(err error) int {
	if _, ok := errors.AsType[*usageError](err); ok {
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

// parseURL reads an argument that names something on a server.
func parseURL(arg string) (*url.URL, error) {
	u, err := url.Parse(arg)
	switch {
	case err != nil && badUser(arg):
		return nil, usagef("%q is not a URL: in its user name or password a percent sign is %%25, and what else is special is escaped; or use --user", withoutUser(arg))
	case err != nil && strings.Contains(withoutUser(arg), "%"):
		return nil, usagef("%q is not a URL: a percent sign in a name is %%25", withoutUser(arg))
	case err != nil:
		return nil, usagef("%q is not a URL", withoutUser(arg))
	case strings.ContainsAny(arg, "?#"):
		return nil, usagef("%s: a question mark in a name is %%3F, a number sign %%23", withoutUser(arg))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, usagef("%q is not a URL: write http://host/path", withoutUser(arg))
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// userInfo is what may hold a password, and slashedUser one with a slash in it: what
// follows the colon is no port.
var (
	userInfo    = regexp.MustCompile(`//[^/]*@`)
	slashedUser = regexp.MustCompile(`//[^/:@]*:[^/@]*[^/@0-9][^/@]*/[^@]*@`)
)

// badUser reports whether what is wrong with a URL is what may hold a password: a
// slash in that makes a port of its beginning.
func badUser(arg string) bool {
	if _, err := url.Parse(slashedUser.ReplaceAllString(arg, "//")); err == nil && slashedUser.MatchString(arg) {
		return true
	}
	_, err := url.Parse(withoutUser(arg))
	return err == nil && userInfo.MatchString(arg)
}

// withoutUser is an argument as it can be shown.
func withoutUser(arg string) string {
	return userInfo.ReplaceAllString(slashedUser.ReplaceAllString(arg, "//"), "//")
}

// parseSecond reads the other argument: a URL of the server of first, or its
// path.
func parseSecond(first *url.URL, arg string) (*url.URL, error) {
	if strings.HasPrefix(arg, "/") && !strings.HasPrefix(arg, "//") {
		arg = first.Scheme + "://" + first.Host + arg
	}
	second, err := parseURL(arg)
	if err != nil {
		return nil, err
	}
	if second.Scheme != first.Scheme || second.Host != first.Host {
		return nil, usagef("%s and %s are different servers: use davd get, then davd put", first.Host, second.Host)
	}
	return second, nil
}
