package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/cmd/davd/internal/locks"
	"github.com/davd/davd/cmd/davd/internal/setting"
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

// operatorConfig returns a configuration for a command that works on a state, and the settings
// that select it.
func operatorConfig() (*config.Config, *setting.Setting) {
	cfg := config.New(config.Defaults{"log-level": "warn"})
	s := cfg.Setting("state")
	s.Takes, s.Help = "DIR|FILE.db", "the value of --state that davd serve runs with (default: its default)"
	return cfg, s
}

// withLocks calls do with the locks of the davd that serves dir. dir is "" if the operator did
// not name it.
func withLocks(ctx context.Context, p *program, cfg *config.Config, dir string, do func(locks.Operator) error) error {
	if err := cfg.Read(dir); err != nil {
		return err
	}
	file, err := state.Find(cfg, dir != "")
	if err != nil {
		return err
	}
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
