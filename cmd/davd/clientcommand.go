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

// exitPartial is the exit code of a client command if some members failed. They are
// named on standard error.
const exitPartial = 3

// clientCommand is a command that sends requests to a server.
type clientCommand struct {
	name      string
	arguments string // as the help shows them; those in brackets are optional
	about     string
	flags     []cli.Flag // in addition to connectionFlags
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

// clientExit ends the help of each client command.
const clientExit = `
Exit status: 0 for success, 1 for failure, 2 for wrong usage, 3 if some members
failed. Each of these is a line on standard error, such as "423 Locked  /path".`

// check checks the number of arguments.
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

// exitCode returns the exit code for the error of a command.
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

// parseURL parses an argument that must be the URL of a resource.
func parseURL(arg string) (*url.URL, error) {
	u, err := url.Parse(arg)
	switch {
	case err != nil && badUser(arg):
		return nil, usagef("%q is not a URL: write a percent sign in its user name or password as %%25, and escape other special characters, or use --user", withoutUser(arg))
	case err != nil && strings.Contains(withoutUser(arg), "%"):
		return nil, usagef("%q is not a URL: write a percent sign in a name as %%25", withoutUser(arg))
	case err != nil:
		return nil, usagef("%q is not a URL", withoutUser(arg))
	case strings.ContainsAny(arg, "?#"):
		return nil, usagef("%s: write a question mark in a name as %%3F, a number sign as %%23", withoutUser(arg))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, usagef("%q is not a URL: write http://host/path", withoutUser(arg))
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// userInfo matches the part of a URL that may hold a password. slashedUser matches
// one that contains a slash. It requires a non-digit after the colon, so that it does
// not match a host with its port.
var (
	userInfo    = regexp.MustCompile(`//[^/]*@`)
	slashedUser = regexp.MustCompile(`//[^/:@]*:[^/@]*[^/@0-9][^/@]*/[^@]*@`)
)

// badUser reports whether the user name or password makes a URL invalid. If one of them
// contains a slash, url.Parse takes the text before the slash for a host and port.
func badUser(arg string) bool {
	if _, err := url.Parse(slashedUser.ReplaceAllString(arg, "//")); err == nil && slashedUser.MatchString(arg) {
		return true
	}
	_, err := url.Parse(withoutUser(arg))
	return err == nil && userInfo.MatchString(arg)
}

// withoutUser removes the user name and password, so that arg can be shown.
func withoutUser(arg string) string {
	return userInfo.ReplaceAllString(slashedUser.ReplaceAllString(arg, "//"), "//")
}

// parseSecond parses the second argument: a path, or a URL on the same server as first.
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
