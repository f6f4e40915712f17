package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/storage/strays"
)

const serveAbout = `
Serves DIR, or the current directory, over WebDAV. With --htpasswd, only the
users in that file have access. Without it, everyone on this machine can read
and write.

  davd serve ~/files
  davd serve --addr :8443 --tls self-signed --htpasswd users ~/files
  davd serve --addr :443 --acme-domain files.example --htpasswd users /srv

Flags that take no value are off by default. A TIME is a number with a unit,
such as 500ms, 20s or 1m30s. A SIZE is a number of bytes, or has a unit: B, KiB,
MiB or GiB. For a list, separate the values by commas or repeat the flag.

Each flag can also be set by an environment variable: DAVD_LOG_LEVEL sets
--log-level. Flags on the command line take precedence.`

func serveCommand(p *program) command {
	cfg := config.New(nil)
	return command{
		name: "serve", arguments: "[DIR]", about: serveAbout, settings: cfg.Settings(), check: checkDirectory,
		common: []string{"config", "addr", "htpasswd", "read-only", "tls", "acme-domain", "tls-cert", "tls-key", "state", "log-level"},
		run: func(c *cli.Context) error {
			if err := cfg.Load(c.Args().First()); err != nil {
				return err
			}
			if err := cfg.CheckContent(); err != nil {
				return err
			}
			return serve(c.Context, p, cfg)
		},
	}
}

func serve(ctx context.Context, p *program, cfg *config.Config) error {
	hangups := catchReload()
	if err := cfg.CheckAccess(ctx, net.DefaultResolver.LookupNetIP); err != nil {
		return err
	}
	log, level := newLogAt(p.stderr, cfg)
	for _, warning := range cfg.Warnings {
		log.Warn(warning)
	}
	s := &site{frontage: frontage{cfg: cfg, log: log, done: accesslog.To(log)}, out: p.stdout, sent: logSent(log), withheld: logWithheld(log), level: level, hangups: hangups}
	if err := s.openAll(ctx); err != nil {
		return err
	}
	s.ready = func(listeners []*server.Listener) {
		for _, l := range listeners {
			fmt.Fprintf(p.stdout, "davd: serving %s at %s\n", s.what, l.Where(cfg.TLS(), cfg.Handler.Prefix+"/"))
		}
		logState(log, s.state)
		warnPublic(log, cfg, s.users != nil, listeners)
	}
	return s.serve(ctx)
}

// openAll opens the users, what the configuration serves, and its state.
func (s *site) openAll(ctx context.Context) (err error) {
	if s.cfg.Asks() {
		if s.users, err = openUsers(ctx, s.cfg, s.log); err != nil {
			return err
		}
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	if s.users != nil {
		s.users.with(s.state.Tokens)
	}
	return nil
}

// open opens what the configuration serves, and its state.
func (s *site) open(ctx context.Context) (err error) {
	if len(s.cfg.Shares) > 0 {
		s.again = make(chan struct{}, 1)
		if s.namespace, err = openShares(ctx, s.cfg, s.log, s.observeObjects(), s.recoverSoon); err != nil {
			return err
		}
		s.fsys, s.state, s.what = s.namespace.fsys, s.namespace.state, describeShares(s.cfg)
		return nil
	}
	if s.cfg.State.URL != "" {
		if err := shareDirectory(s.cfg, s.stageName); err != nil {
			return err
		}
	}
	if s.cfg.Storage.Kind == "" {
		return s.openObjects(ctx)
	}
	if s.fsys, s.what, err = openStorage(ctx, s.cfg, s.log); err != nil {
		return err
	}
	if s.state, err = state.Open(ctx, s.cfg, s.log); err == nil && s.state.Shared != nil {
		err = strays.NoteIn(ctx, s.fsys, s.state.Shared.Strays())
	}
	return err
}

// recoverSoon lets recoverLater try again.
func (s *site) recoverSoon() {
	select {
	case s.again <- struct{}{}:
	default:
	}
}

// describeShares describes the shares of cfg to the operator.
func describeShares(cfg *config.Config) string {
	if len(cfg.Shares) == 1 {
		return fmt.Sprintf("one share (%s)", cfg.File)
	}
	return fmt.Sprintf("%d shares (%s)", len(cfg.Shares), cfg.File)
}

// checkDirectory makes sure that there is at most one directory.
func checkDirectory(args []string) error {
	if len(args) <= 1 {
		return nil
	}
	return usagef("davd serves one directory, not %d (%s): name one of them, or a directory that contains them", len(args), strings.Join(args, ", "))
}

func logState(log *slog.Logger, kept *state.State) {
	if kept.Where == "" {
		log.Info("locks and properties are in memory and will be lost when davd exits")
		return
	}
	log.Info("locks and properties are kept", "in", kept.Kept)
}
