package accesslog

import (
	"log/slog"
	"net/http"
	"time"
)

// To returns a function for [Handler].Done that writes each record to log: one
// line, at level info.
func To(log *slog.Logger) func(*http.Request, Record) {
	return func(r *http.Request, record Record) {
		log.LogAttrs(r.Context(), slog.LevelInfo, "request", record.attrs()...)
	}
}

// attrs leaves out what most requests have nothing of.
func (r *Record) attrs() []slog.Attr {
	attrs := append(make([]slog.Attr, 0, 11),
		slog.String("method", r.Method),
		slog.String("path", r.Path),
	)
	if r.Destination != "" {
		attrs = append(attrs, slog.String("destination", r.Destination))
	}
	attrs = append(attrs,
		slog.Int("status", r.Status),
		slog.Int64("bytes", r.Bytes),
		slog.Duration("duration", r.Duration.Round(time.Microsecond)),
	)
	if r.Interim > 0 {
		attrs = append(attrs, slog.Int("interim", r.Interim))
	}
	attrs = append(attrs,
		slog.String("remote", r.Remote),
	)
	if r.User != "" {
		attrs = append(attrs, slog.String("user", r.User))
	}
	attrs = append(attrs, slog.String("user_agent", r.UserAgent))
	if r.Err != nil {
		attrs = append(attrs, slog.String("err", r.Err.Error()))
	}
	return attrs
}
