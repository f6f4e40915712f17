package main

import (
	"context"
	"errors"
	"net/url"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/client"
	"github.com/davd/davd/dav/davclient"
)

// target is what the arguments of a client command name.
type target struct {
	url *url.URL
	// second is a URL on the same server, and local a file on this machine.
	second *url.URL
	local  string
}

// counted is the function of a command, followed by a summary of what it has done.
func counted(verb string, do func(context.Context, *client.Session, target) error) func(context.Context, *client.Session, target) error {
	return func(ctx context.Context, s *client.Session, t target) error {
		err := do(ctx, s, t)
		if err == nil {
			s.Meter.Summary(verb)
		}
		return err
	}
}

// inSession returns the run function of a command that sends requests to the server of a URL.
func inSession(p *program, o *clientOptions, parse func(args []string) (target, error), do func(context.Context, *client.Session, target) error) func(*cli.Context) error {
	return func(c *cli.Context) error {
		t, err := parse(c.Args().Slice())
		if err != nil {
			return err
		}
		s, err := connect(c.Context, p, o, t.url)
		if err == nil {
			err = do(c.Context, s, t)
		}
		return interrupted(c.Context, err)
	}
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

type interruptedError struct{ text string }

func (e *interruptedError) Error() string { return e.text }
