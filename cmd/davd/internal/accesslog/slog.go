package accesslog

import (
	"log/slog"
	"net/http"
	"time"
)

// To returns a function for [Handler].Done that writes each record to log, as one line at
// level info.
func To(log *slog.Logger) func(*http.Request, Record) {
	handler := log.Handler()
	return func(r *http.Request, record Record) {
		if !handler.Enabled(r.Context(), slog.LevelInfo) {
			return
		}
		// log.Info would look up its caller on the stack each time.
		line := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
		line.AddAttrs(record.attrs()...)
		_ = handler.Handle(r.Context(), line) // the log itself has failed
	}
}

// attrs returns the attributes of a line. Those that are empty for most requests are
// omitted if they are empty.
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
