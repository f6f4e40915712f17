package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/operation"
)

func newLog(w io.Writer, cfg *config.Config) *slog.Logger {
	log, _ := newLogAt(w, cfg)
	return log
}

// newLogAt returns a log whose level can be changed.
func newLogAt(w io.Writer, cfg *config.Config) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(cfg.LogLevel)
	options := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == config.JSON {
		return slog.New(slog.NewJSONHandler(w, options)), level
	}
	return slog.New(slog.NewTextHandler(w, options)), level
}

// logSent returns a function that logs each interim response at level debug.
func logSent(log *slog.Logger) func(*http.Request, http.Header) {
	return func(r *http.Request, header http.Header) {
		log.DebugContext(r.Context(), "interim response", "method", r.Method, "path", r.URL.Path, "progress", header.Get("Progress"))
	}
}

// logWithheld returns a function that logs, at level debug, why a request gets no (more)
// interim responses: one line for each operation. It returns nil if that level is off.
func logWithheld(log *slog.Logger) func(*http.Request, interim.Withheld) {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return nil
	}
	return func(r *http.Request, why interim.Withheld) {
		message := "no interim responses"
		if why.Sent > 0 {
			message = "no more interim responses"
		}
		log.DebugContext(r.Context(), message, "method", r.Method, "path", r.URL.Path,
			"rule", why.Rule, "reason", why.Reason, "sent", why.Sent, "user_agent", r.UserAgent())
	}
}

// report returns a function that passes the end of each request to the access log, with the share
// if there are any.
func report(cfg *config.Config, h *dav.Handler) func(*http.Request, error) {
	if len(cfg.Shares) == 0 {
		return accesslog.Report
	}
	return func(r *http.Request, err error) {
		accesslog.Report(r, err)
		if name, ok := h.ResourceName(r); ok {
			if share := cfg.ShareAt(name); share != nil {
				accesslog.InShare(r, share.Name)
			}
		}
	}
}

// logOperation returns a function that logs the result of an operation whose client did
// not wait for it, and the failure to record an operation.
func logOperation(log *slog.Logger) func(operation.Operation, error) {
	return func(op operation.Operation, err error) {
		about := []any{"method", op.Method, "source", op.Source}
		if op.Destination != "" {
			about = append(about, "destination", op.Destination)
		}
		if op.Principal != "" {
			about = append(about, "user", op.Principal)
		}
		if op.ID != "" {
			about = append(about, "operation", op.ID)
		}
		if !op.Ended.IsZero() {
			about = append(about, "status", op.Status, accesslog.Seconds(op.Ended.Sub(op.Started)))
		}
		switch {
		case err == nil:
			log.Info("an operation whose client did not wait has ended", about...)
		case op.Ended.IsZero():
			log.Error("can't record a running operation", append(about, "err", err)...)
		default:
			log.Warn("an operation whose client did not wait has failed", append(about, "err", err)...)
		}
	}
}

// warnPublic logs one warning about all listeners that other machines can reach, unless
// passwords protect them. asks says that davd or the upstream asks for passwords.
func warnPublic(log *slog.Logger, cfg *config.Config, asks bool, listeners []*server.Listener) {
	var public []string
	for _, l := range listeners {
		if l.Public() {
			public = append(public, l.Addr().String())
		}
	}
	addrs := strings.Join(public, ",")
	switch {
	case addrs == "":
	case !asks:
		log.Warn("davd asks for no password: anyone who can reach this address can "+cfg.Allowed()+" everything", "addr", addrs)
	case !cfg.TLS():
		log.Warn("passwords travel in clear text: set --tls self-signed, --acme-domain or --tls-cert, or listen on this machine only, behind a proxy with TLS", "addr", addrs)
	}
}
