package main

import (
	"io"
	"log/slog"

	"github.com/davd/davd/cmd/davd/internal/config"
)

// newLog returns a log as cfg wants it.
func newLog(w io.Writer, cfg *config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == config.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
