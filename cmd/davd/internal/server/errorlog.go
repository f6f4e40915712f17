package server

import (
	"bytes"
	"context"
	"log"
	"log/slog"
)

// errorLog is for http.Server.ErrorLog.
func errorLog(to *slog.Logger) *log.Logger { return log.New(errorWriter{to}, "", 0) }

// errorWriter logs what net/http has to say, at the level that it deserves.
type errorWriter struct{ log *slog.Logger }

// errorLevels are by the first words of the message. Others are warnings.
var errorLevels = []struct {
	prefix string
	level  slog.Level
}{
	{"http: panic", slog.LevelError},
	{"http2: panic", slog.LevelError},
	{"http: TLS handshake error", slog.LevelDebug}, // whoever scans ports
	{"http2: server connection error", slog.LevelDebug},
	{"http2: server: error reading preface", slog.LevelDebug},
}

func (w errorWriter) Write(p []byte) (int, error) {
	level := slog.LevelWarn
	for _, known := range errorLevels {
		if bytes.HasPrefix(p, []byte(known.prefix)) {
			level = known.level
			break
		}
	}
	w.log.Log(context.Background(), level, string(bytes.TrimSpace(p)))
	return len(p), nil
}
