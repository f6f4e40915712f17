package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/auth"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/state"
)

const (
	serveUsage = "davd serve [flags] [DIR]"
	serveAbout = `
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
)

func (p *program) serveCommand() *cli.Command {
	return &cli.Command{
		Name:               "serve",
		Flags:              serveFlags(),
		CustomHelpTemplate: literal(commandHelp(serveUsage, serveAbout, serveFlags())),
		HideHelpCommand:    true, // a directory may be called help
		OnUsageError:       flagError,
		Action:             p.serve,
	}
}

func (p *program) serve(c *cli.Context) error {
	if err := checkArguments(c.Args().Slice()); err != nil {
		return err
	}
	cfg, err := config.New(settings(c))
	if err != nil {
		return p.settingError(err)
	}
	if err := cfg.CheckAccess(c.Context, net.DefaultResolver.LookupNetIP); err != nil {
		return p.settingError(err)
	}
	fsys, what, err := openStorage(cfg)
	if err != nil {
		return err
	}
	log := newLog(p.stderr, cfg)
	users, err := openUsers(c.Context, cfg, log)
	if err != nil {
		return err
	}
	kept, err := state.Open(c.Context, cfg, log)
	if err != nil {
		return err
	}
	s := &site{
		cfg: cfg, fsys: fsys, users: users, state: kept, log: log,
		grace: cfg.Drain,
		sent: func(r *http.Request, header http.Header) {
			log.DebugContext(r.Context(), "interim response", "method", r.Method, "path", r.URL.Path, "progress", header.Get("Progress"))
		},
		withheld: logWithheld(log),
		done:     accesslog.To(log),
		ready: func(listeners []*server.Listener) {
			p.announce(cfg, what, listeners)
			logState(log, kept)
			warnPublic(log, cfg, listeners)
		},
	}
	return p.settingError(s.serve(c.Context))
}

// openUsers returns nil if davd does not ask for passwords.
func openUsers(ctx context.Context, cfg *config.Config, log *slog.Logger) (*auth.Users, error) {
	if cfg.HTPasswd == "" {
		return nil, nil
	}
	check := func() error { return checkSecret(ctx, cfg, cfg.HTPasswd) }
	users, err := auth.Open(cfg.HTPasswd, check, log)
	if err != nil {
		return nil, fmt.Errorf("--htpasswd %w", err)
	}
	return users, nil
}

// checkArguments makes sure that there is at most one directory, after all flags:
// the flag package treats a flag that follows an argument as another argument.
func checkArguments(args []string) error {
	if len(args) <= 1 {
		return nil
	}
	for _, arg := range args[1:] {
		if strings.HasPrefix(arg, "-") {
			return usagef("%s comes after the directory: write flags before it, as in davd serve [flags] %s", arg, args[0])
		}
	}
	return usagef("davd serves one directory, not %d (%s): name one of them, or a directory that contains them", len(args), strings.Join(args, ", "))
}

// announce prints what is served at each listener.
func (p *program) announce(cfg *config.Config, what string, listeners []*server.Listener) {
	for _, l := range listeners {
		fmt.Fprintf(p.stdout, "davd: serving %s at %s\n", what, l.Where(cfg.TLS(), cfg.Prefix+"/"))
	}
}

func logState(log *slog.Logger, kept *state.State) {
	if kept.Where == "" {
		log.Info("locks and properties are in memory and will be lost when davd exits")
		return
	}
	log.Info("locks and properties are kept", "in", kept.Where)
}

// warnPublic logs one warning about all listeners that other machines can reach.
func warnPublic(log *slog.Logger, cfg *config.Config, listeners []*server.Listener) {
	var public []string
	for _, l := range listeners {
		if l.Public() {
			public = append(public, l.Addr().String())
		}
	}
	addrs := strings.Join(public, ",")
	switch {
	case addrs == "":
	case cfg.HTPasswd == "":
		log.Warn("davd asks for no password: anyone who can reach this address can "+cfg.Allowed()+" everything", "addr", addrs)
	case !cfg.TLS():
		log.Warn("passwords travel in clear text: set --tls-cert and --tls-key, or listen on this machine only, behind a proxy with TLS", "addr", addrs)
	}
}
