package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

// site is a tree to be served, with what is to be told about it.
type site struct {
	cfg  *config.Config
	fsys storage.FS
	log  *slog.Logger
	// grace is how long requests may go on after the signal to stop.
	grace time.Duration
	// ready is called once connections are accepted.
	ready func([]*server.Listener)
	// sent is called after each interim response.
	sent func(*http.Request, http.Header)
	// done is called after each request.
	done func(*http.Request, accesslog.Record)
}

// serve serves until ctx ends.
func (s *site) serve(ctx context.Context) error {
	var secure *tls.Config
	if s.cfg.TLS() {
		var err error
		if secure, err = server.LoadTLS(s.cfg.TLSCert, s.cfg.TLSKey); err != nil {
			return err
		}
	}
	handler := &dav.Handler{
		Prefix:     s.cfg.Prefix,
		FileSystem: storage.WithLatency(s.fsys, s.cfg.Latency),
		Logger:     accesslog.Report,
		ReadOnly:   s.cfg.ReadOnly,
		Interim:    s.cfg.Interim(),
	}
	handler.Interim.Sent = s.sent
	listeners, err := server.Listen(ctx, s.cfg.Addrs)
	if err != nil {
		return err
	}
	s.ready(listeners)
	srv := &server.Server{
		Handler:  &accesslog.Handler{Next: handler, Done: s.done},
		Shutdown: handler.Shutdown,
		TLS:      secure,
		Log:      s.log,
		Grace:    s.grace,
	}
	return srv.Serve(ctx, listeners)
}
