package accesslog

import (
	"context"
	"io"
	"net/http"
)

// responseWriter counts what passes through it.
type responseWriter struct {
	http.ResponseWriter
	status  int // of the final response, 0 before it
	interim int
	bytes   int64

	request context.Context //nolint:containedctx // lives as long as the request
	// gone: the final response is that the request was given up, and its client has gone.
	gone bool
}

// Unwrap gives http.ResponseController flushing and deadlines.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader tells interim responses from the final one: 101 ends the
// exchange, the other 1xx don't (RFC 9110 §15.2).
func (w *responseWriter) WriteHeader(status int) {
	switch {
	case w.status != 0:
	case status >= 200 || status == http.StatusSwitchingProtocols:
		w.status = status
		w.gone = status == http.StatusServiceUnavailable && w.request.Err() != nil
	default:
		w.interim++
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	w.status = w.finalStatus()
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom keeps sendfile, which is net/http's ReadFrom.
func (w *responseWriter) ReadFrom(src io.Reader) (int64, error) {
	w.status = w.finalStatus()
	n, err := io.Copy(w.ResponseWriter, src)
	w.bytes += n
	return n, err
}

// finalStatus is 200 where no status is given, as in net/http.
func (w *responseWriter) finalStatus() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
