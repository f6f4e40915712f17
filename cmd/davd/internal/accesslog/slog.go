package accesslog

import (
	"log/slog"
	"net/http"
	"time"
)

// To returns a function for [Handler].Done that writes each record to log, as one line.
func To(log *slog.Logger) func(*http.Request, Record) {
	handler, levels := log.Handler(), levels{until: make(map[failureKind]time.Time)}
	return func(r *http.Request, record Record) {
		level := levels.of(&record)
		if !handler.Enabled(r.Context(), level) {
			return
		}
		// log.Info would look up its caller on the stack each time.
		line := slog.NewRecord(time.Now(), level, "request", 0)
		line.AddAttrs(record.attrs(r)...)
		_ = handler.Handle(r.Context(), line) // the log itself has failed
	}
}

// attrs returns the attributes of the line about a request. Those that are empty for most requests are
// omitted if they are empty. docs/log.md lists them.
func (r *Record) attrs(of *http.Request) []slog.Attr {
	attrs := append(make([]slog.Attr, 0, 14),
		slog.String("method", r.Method),
		slog.String("path", r.Path),
	)
	if r.Destination != "" {
		attrs = append(attrs, slog.String("destination", r.Destination))
	}
	attrs = append(attrs, slog.Int("status", r.Status))
	if r.BytesIn > 0 {
		attrs = append(attrs, slog.Int64("bytes_in", r.BytesIn))
	}
	attrs = append(attrs, slog.Int64("bytes_out", r.BytesOut), Seconds(r.Duration))
	if r.Interim > 0 {
		attrs = append(attrs, slog.Int("interim", r.Interim))
	}
	attrs = append(attrs, slog.String("remote", Remote(of)))
	for _, each := range [...]struct{ key, value string }{{"user", r.User}, {"share", r.Share}, {"operation", r.Operation}} {
		if each.value != "" {
			attrs = append(attrs, slog.String(each.key, each.value))
		}
	}
	attrs = append(attrs, slog.String("user_agent", of.UserAgent()))
	if r.Err != nil {
		attrs = append(attrs, slog.String("err", r.Err.Error()))
	}
	return attrs
}

// Seconds returns the attribute duration_s, to the microsecond.
func Seconds(d time.Duration) slog.Attr {
	return slog.Float64("duration_s", d.Round(time.Microsecond).Seconds())
}
