package server

import (
	"bytes"
	"context"
	"log"
	"log/slog"
)

func errorLog(to *slog.Logger) *log.Logger { return log.New(errorWriter{to}, "", 0) }

// errorWriter logs the messages of net/http, each at a suitable level.
type errorWriter struct{ log *slog.Logger }

// errorLevels maps the first words of messages to levels. Other messages are warnings.
var errorLevels = map[string]slog.Level{
	"http: panic":                          slog.LevelError,
	"http2: panic":                         slog.LevelError,
	"http: TLS handshake error":            slog.LevelDebug, // port scanners cause it
	"http2: server connection error":       slog.LevelDebug,
	"http2: server: error reading preface": slog.LevelDebug,
}

func (w errorWriter) Write(p []byte) (int, error) {
	level := slog.LevelWarn
	for prefix, known := range errorLevels {
		if bytes.HasPrefix(p, []byte(prefix)) {
			level = known
		}
	}
	w.log.Log(context.Background(), level, string(bytes.TrimSpace(p)))
	return len(p), nil
}
