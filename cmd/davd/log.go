package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/dav"
)

// newLog returns a log as cfg wants it.
func newLog(w io.Writer, cfg *config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == config.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// logWithheld returns what logs, at level debug, why a request gets no interim
// responses: one line for an operation. Nil where that level is not logged.
func logWithheld(log *slog.Logger) func(*http.Request, dav.Withheld) {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return nil
	}
	return func(r *http.Request, why dav.Withheld) {
		message := "no interim responses"
		if why.Sent > 0 {
			message = "no more interim responses"
		}
		log.DebugContext(r.Context(), message, "method", r.Method, "path", r.URL.Path,
			"rule", why.Rule, "reason", why.Reason, "sent", why.Sent, "user_agent", r.UserAgent())
	}
}
