package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/dav/auth"
	"github.com/davd/davd/dav/proxy"
)

const proxyAbout = `
Serves another WebDAV server: Apache, Nextcloud, IIS, a NAS. While that server
is silent, clients get interim responses, so that they don't give up. A COPY,
MOVE or DELETE goes on if its client disconnects, and a client that asks again
gets the answer. /.davd-operations/ lists the operations of a user.

  davd proxy http://127.0.0.1:8081/
  davd proxy https://nas.example/dav/ --addr :8443 \
    --tls-cert cert.pem --tls-key key.pem

The server behind davd asks for passwords, unless --htpasswd is set. NTLM and
Negotiate don't work through a proxy.

A TIME is a number with a unit, such as 500ms, 20s or 1m30s. Each flag can also
be set by an environment variable: DAVD_LOG_LEVEL sets --log-level.`

func proxyCommand(p *program) command {
	cfg := config.NewProxy()
	return command{
		name: "proxy", arguments: "URL", about: proxyAbout, settings: cfg.Settings(),
		run: func(c *cli.Context) error {
			upstream, err := parseURL(c.Args().First())
			if err != nil {
				return err
			}
			if upstream.User != nil {
				return usagef("the URL has a user name: other users of this machine could read it; davd passes on the passwords of its clients")
			}
			if err := cfg.ReadProxy(upstream); err != nil {
				return err
			}
			return runProxy(c.Context, p, cfg)
		},
	}
}

func runProxy(ctx context.Context, p *program, cfg *config.Config) error {
	log := newLog(p.stderr, cfg)
	hangups := catchReload()
	var who *users
	if cfg.Asks() {
		var err error
		if who, err = openUsers(ctx, cfg, log); err != nil {
			return err
		}
	}
	upstreamTLS, err := cfg.UpstreamTLS()
	if err != nil {
		return err
	}
	secure, err := openEncryption(ctx, cfg, "", log)
	if err != nil {
		return err
	}
	handler := newProxy(cfg, upstreamTLS, who != nil, log)
	watch, err := openMonitor(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer watch.close()
	watch.watchProxy(handler)
	listeners, err := openListeners(ctx, cfg)
	if err != nil {
		return err
	}
	f := &frontage{cfg: cfg, users: who, log: log, done: watch.done(accesslog.To(log))}
	front := f.front(handler)
	if !slices.ContainsFunc(listeners, (*server.Listener).Public) {
		front = f.front(f.named(handler))
	}
	announceProxy(p.stdout, cfg, listeners)
	watch.serving()
	warnPublic(log, cfg, true, listeners) // davd or the upstream asks
	secure.announce(p.stdout)
	secureConfig, stop, err := secure.start(ctx, listeners)
	if err != nil {
		return errors.Join(err, closeAll(listeners))
	}
	defer stop()
	defer onSignal(ctx, hangups, func(context.Context) { _ = secure.reload() })() // it logs errors
	srv := &server.Server{
		Handler: front, Shutdown: handler.Shutdown, TLS: secureConfig, Log: log, Grace: cfg.Drain,
		Connections: cfg.Network.Connections, HeaderTimeout: cfg.Network.HeaderTimeout, Trusted: f.trustedProxies,
		ProxyProtocol: cfg.Network.ProxyProtocol,
	}
	defer supervised(ctx, log)()
	return srv.Serve(ctx, listeners)
}

func announceProxy(w io.Writer, cfg *config.Config, listeners []*server.Listener) {
	for _, l := range listeners {
		fmt.Fprintf(w, "davd: serving %s at %s\n", cfg.Upstream.URL.Redacted(), l.Where(cfg.TLS(), cfg.Handler.Prefix+"/"))
	}
}

// newProxy returns the reverse proxy that the settings have configured. authenticated says that
// davd itself asks for passwords.
func newProxy(cfg *config.Config, upstreamTLS *tls.Config, authenticated bool, log *slog.Logger) *proxy.Handler {
	own := &cfg.Handler
	handler := &proxy.Handler{
		Upstream: cfg.Upstream.URL, Prefix: own.Prefix, Transport: proxy.NewTransport(cfg.Upstream.Timeout, upstreamTLS),
		Interim: own.Interim, TrustedProxies: own.TrustedProxies, Limits: proxy.Limits{
			Operations: min(own.Limits.Operations, server.MaxOperations()), OperationsOf: own.Limits.OperationsOf,
		},
		Authenticated: authenticated, Principal: auth.User, Administrator: administrator(cfg), Admitted: auth.Admitted,
		AllowOrigin:  cfg.Network.Origins.Allow,
		StallTimeout: own.StallTimeout, MinRate: own.MinRate,
		Logger: accesslog.Report, OperationLogger: logOperation(log), OperationOf: accesslog.InOperation,
	}
	handler.Interim.Sent, handler.Interim.Withheld = logSent(log), logWithheld(log)
	return handler
}
