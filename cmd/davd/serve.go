package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/state"
	"github.com/davd/davd/dav/auth"
)

const serveAbout = `
Serves DIR, or the current directory, over WebDAV. With --htpasswd, only the
users in that file have access. Without it, everyone on this machine can read
and write.

  davd serve ~/files
  davd serve --addr :8443 --tls-cert cert.pem --tls-key key.pem \
    --htpasswd users --read-only /srv

Flags that take no value are off by default. A TIME is a number with a unit,
such as 500ms, 20s or 1m30s. A SIZE is a number of bytes, or has a unit: B, KiB,
MiB or GiB. For a list, separate the values by commas or repeat the flag.

Each flag can also be set by an environment variable: DAVD_LOG_LEVEL sets
--log-level. Flags on the command line take precedence.`

func serveCommand(p *program) command {
	cfg := config.New(nil)
	return command{
		name: "serve", arguments: "[DIR]", about: serveAbout, settings: cfg.Settings(), check: checkDirectory,
		run: func(c *cli.Context) error {
			if err := cfg.Load(c.Args().First()); err != nil {
				return err
			}
			if err := cfg.CheckContent(); err != nil {
				return err
			}
			if len(cfg.Shares) > 0 || cfg.Asks() && len(cfg.HTPasswd) != 1 {
				return errors.New("this davd can check shares and users in a configuration file (davd config check), but not serve them yet") // until the wiring is there
			}
			return serve(c.Context, p, cfg)
		},
	}
}

func serve(ctx context.Context, p *program, cfg *config.Config) error {
	if err := cfg.CheckAccess(ctx, net.DefaultResolver.LookupNetIP); err != nil {
		return err
	}
	fsys, what, err := openStorage(cfg)
	if err != nil {
		return err
	}
	log := newLog(p.stderr, cfg)
	users, err := openUsers(ctx, cfg, log)
	if err != nil {
		return err
	}
	kept, err := state.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	if users != nil && kept.Tokens != nil {
		users = &auth.Tokens{Verifier: users, Keyring: kept.Tokens, Log: log}
	}
	s := &site{
		frontage: frontage{cfg: cfg, users: users, log: log, done: accesslog.To(log)},
		fsys:     fsys, state: kept, sent: logSent(log), withheld: logWithheld(log),
		ready: func(listeners []*server.Listener) {
			for _, l := range listeners {
				fmt.Fprintf(p.stdout, "davd: serving %s at %s\n", what, l.Where(cfg.TLS(), cfg.Handler.Prefix+"/"))
			}
			logState(log, kept)
			warnPublic(log, cfg, users != nil, listeners)
		},
	}
	return s.serve(ctx)
}

// openUsers returns nil if davd does not ask for passwords.
func openUsers(ctx context.Context, cfg *config.Config, log *slog.Logger) (auth.Verifier, error) {
	if len(cfg.HTPasswd) == 0 {
		return nil, nil
	}
	check := func() error { return checkSecret(ctx, cfg, cfg.HTPasswd[0]) }
	users, err := auth.OpenFile(cfg.HTPasswd[0], check, log)
	if err != nil {
		return nil, fmt.Errorf("--htpasswd %w", err)
	}
	return users, nil
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
	log.Info("locks and properties are kept", "in", kept.Where)
}
