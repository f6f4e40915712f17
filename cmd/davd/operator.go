package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/cmd/davd/internal/locks"
	"github.com/davd/davd/cmd/davd/internal/state"
)

// The operator's commands work on the state of a davd. They use its control socket if that
// davd is running, and otherwise open its database.

// answerOperators starts the control socket. If that fails, davd serves without one, because
// not every filesystem supports sockets. A state in memory has no control socket.
func (s *site) answerOperators(ctx context.Context) *control.Server {
	if s.state.Where == "" {
		return nil
	}
	var commands control.Commands
	(&locks.Manager{Locks: s.state.Locks, Log: s.log}).Register(&commands)
	server, err := control.Start(ctx, control.Path(s.state.Where), &commands, s.log)
	if err != nil {
		s.log.WarnContext(ctx, "davd locks and davd unlock will not work while this davd is running", "err", err)
	}
	return server
}

// stateFlags returns the flags that select a state.
func stateFlags() []cli.Flag {
	return []cli.Flag{
		textFlag(commandCategory, "state", "DIR|FILE.db", "", "the value of --state that davd serve runs with (default: its default)"),
	}
}

// stateOf returns the configuration and the path of the database that a command works on.
// dir is the served directory, or "" if the operator did not name it.
func (p *program) stateOf(c *cli.Context, dir string) (*config.Config, string, error) {
	cfg, err := config.New(config.Settings{Dir: dir, State: c.String("state"), LogLevel: "warn"})
	if err != nil {
		return nil, "", p.settingError(err)
	}
	file, err := state.Find(cfg, dir != "")
	return cfg, file, err
}

// withLocks calls do with the locks of the davd whose database is file.
func (p *program) withLocks(ctx context.Context, cfg *config.Config, file string, do func(locks.Operator) error) error {
	client, err := control.Connect(ctx, control.Path(file))
	switch {
	case err == nil:
		return do(&locks.Remote{Client: client})
	case !errors.Is(err, control.ErrNotRunning):
		return fmt.Errorf("can't talk to the running davd: %w", err)
	}
	system, closeDB, err := state.OpenLocks(ctx, file)
	if err != nil {
		return err
	}
	err = do(&locks.Manager{Locks: system, Log: newLog(p.stderr, cfg)})
	return errors.Join(err, closeDB())
}
