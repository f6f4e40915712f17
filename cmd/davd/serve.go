package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
)

const (
	serveUsage = "davd serve [flags] [DIR]"
	serveAbout = `
Serves DIR, or the current directory, over WebDAV. There are no passwords:
whoever can reach the address can read and write.

  davd serve ~/files
  davd serve --addr :8443 --tls-cert cert.pem --tls-key key.pem --read-only /srv

Each flag can also be set in the environment, --log-level as DAVD_LOG_LEVEL.
What the command line says comes first.`
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
	fsys, what, err := openStorage(cfg)
	if err != nil {
		return err
	}
	log := newLog(p.stderr, cfg)
	s := &site{
		cfg: cfg, fsys: fsys, log: log,
		grace: 10 * time.Second,
		sent: func(r *http.Request, header http.Header) {
			log.DebugContext(r.Context(), "interim response", "method", r.Method, "path", r.URL.Path, "progress", header.Get("Progress"))
		},
		done: accesslog.To(log),
		ready: func(listeners []*server.Listener) {
			p.announce(cfg, what, listeners)
			warnPublic(log, cfg, listeners)
		},
	}
	return s.serve(c.Context)
}

// checkArguments wants one directory at most, after the flags: the flag
// package takes what follows an argument for more arguments.
func checkArguments(args []string) error {
	if len(args) <= 1 {
		return nil
	}
	for _, arg := range args[1:] {
		if strings.HasPrefix(arg, "-") {
			return usagef("%s comes after the directory: write flags before it, as in davd serve [flags] %s", arg, args[0])
		}
	}
	return usagef("there are %d directories (%s), and davd serves one: name that, or one above them", len(args), strings.Join(args, ", "))
}

// announce prints what is served at each listener.
func (p *program) announce(cfg *config.Config, what string, listeners []*server.Listener) {
	for _, l := range listeners {
		fmt.Fprintf(p.stdout, "davd: serving %s at %s\n", what, l.Where(cfg.TLS(), cfg.Prefix+"/"))
	}
}

// warnPublic warns once, of all listeners that others may reach.
func warnPublic(log *slog.Logger, cfg *config.Config, listeners []*server.Listener) {
	var public []string
	for _, l := range listeners {
		if l.Public() {
			public = append(public, l.Addr().String())
		}
	}
	if len(public) == 0 {
		return
	}
	can := "read and write"
	if cfg.ReadOnly {
		can = "read"
	}
	log.Warn("no password is asked for: anyone who can reach this address can "+can+" everything", "addr", strings.Join(public, ","))
}
